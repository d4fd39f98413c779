"""A rollup with receipts of one stream, outputs on its L1, and who asks for proofs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attribution.calldata import encode_append
from attribution.receipt_proof import ReceiptProof, encode_proof, parse_proof
from attribution.records import Influence, Method, Record, commitment
from consensus.proposer.proposer import Proposed
from node.genesis.dev_accounts import USER_ACCOUNTS
from node.json_file import write_whole
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Hash32, keccak256
from node.types.transaction import sign_dynamic_fee
from tests.consensus.proposer.scene import Scene, new_scene
from tests.openrollup.network import ask

LOGGER = USER_ACCOUNTS[2]
STREAM = 0x5EED

PREIMAGE: dict[str, Any] = {
    "salt": "0x" + "5a" * 32,
    "modelHash": "0x" + "6d" * 32,
    "requestHash": "0x" + "71" * 32,
    "responseHash": "0x" + "72" * 32,
    "promptTokens": 41,
    "completionTokens": 17,
    "method": "span",
    "evidenceRoot": "0x" + "65" * 32,
}


def record(number: int) -> Record:
    """A receipt; that with number 0 commits to PREIMAGE."""
    if number:
        committed = keccak256(number.to_bytes(4, "big"))
    else:
        committed = commitment(
            salt=Hash32(b"\x5a" * 32),
            model_hash=Hash32(b"\x6d" * 32),
            request_hash=Hash32(b"\x71" * 32),
            response_hash=Hash32(b"\x72" * 32),
            prompt_tokens=41,
            completion_tokens=17,
            method=Method.SPAN,
            evidence_root=Hash32(b"\x65" * 32),
        )
    influences = (Influence(3, 2_050), Influence(number + 4, 500))
    return Record(10**6 + number, influences, committed)


@dataclass
class Proving:
    """The scene; `written` receipts are on its chain."""

    scene: Scene
    written: int = 0

    async def append(self, count: int) -> int:
        """Write receipts in a block of their own; return its number."""
        records = [record(self.written + offset) for offset in range(count)]
        sequencer = self.scene.nodes.sequencer.node
        account = sequencer.reader.account(LOGGER.address, sequencer.reader.head_header())
        assert account is not None
        transaction = sign_dynamic_fee(
            LOGGER.private_key,
            chain_id=901,
            nonce=account.nonce,
            max_priority_fee_per_gas=10**9,
            max_fee_per_gas=10**11,
            gas=1_000_000,
            to=ATTRIBUTION_ADDRESS,
            data=encode_append(STREAM, self.written, records),
        )
        sequencer.mempool.add_transaction(transaction)
        block = await self.scene.stepper.mine()
        assert transaction.hash in [included.hash for included in block.transactions]
        self.written += count
        return block.number

    async def post_output(self) -> None:
        """Let the verifier have all blocks, and the proposer propose what is due."""
        await self.scene.make_safe(0)
        proposer = self.scene.proposer()
        while isinstance(await self.scene.step(proposer), Proposed):
            pass

    async def fill_to(self, number: int) -> None:
        """Build blocks until the head is `number`."""
        reader = self.scene.nodes.sequencer.node.reader
        while reader.head_header().number < number:
            await self.scene.stepper.mine()

    @property
    def verifier_url(self) -> str:
        return self.scene.nodes.verifier.url

    async def ask(self, seq: int, url: str | None = None) -> Any:
        """Ask the verifier for a proof."""
        logger = "0x" + LOGGER.address.hex()
        return await ask(
            url or self.verifier_url, "attribution_getProof", logger, hex(STREAM), hex(seq)
        )

    async def proof(self, seq: int) -> ReceiptProof:
        return parse_proof(await self.ask(seq))

    async def write_proof(self, seq: int, path: Path) -> ReceiptProof:
        """Have a proof in a file."""
        proof = await self.proof(seq)
        write_whole(path, encode_proof(proof))
        return proof

    async def l1_finalizes(self) -> None:
        """Let L1's time go on until what is there is final."""
        await self.scene.stepper.advance_l1(self.scene.finalization_period_s + 10)


@asynccontextmanager
async def new_proving(directory: Path) -> AsyncIterator[Proving]:
    """A rollup with three receipts in one block and two in the next; no outputs yet."""
    async with new_scene(directory) as scene:
        proving = Proving(scene)
        await proving.append(3)
        await proving.append(2)
        yield proving
