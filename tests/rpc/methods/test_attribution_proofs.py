"""attribution_getProof and attribution_verifyProof, with the outputs that a test wants."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.calldata import encode_append
from attribution.posted_output import DueOutput, PostedOutput
from attribution.proof_check import output_root
from attribution.records import Record
from node.errors import CriticalError, NodeError, PrunedHistory, TemporaryError
from node.output_schedule import OutputSchedule
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.block import Header
from node.types.primitives import Address, BlockNumber, Hash32, create_address
from node.types.transaction import sign_dynamic_fee
from rpc.dispatcher import Dispatcher
from rpc.errors import RpcError
from rpc.methods.attribution_proofs import ProofMethods
from rpc.slow_reads import SlowReads
from tests.attribution.test_kept_proofs import GENESIS, Twins, twins
from tests.node.chains import ALICE, BOB, Chain, open_chain

ORACLE = Address(b"\x0a" * 20)
L1_CHAIN_ID = 900
STREAM = 7
SCHEDULE = OutputSchedule(BlockNumber(0), 3)
# Calls the precompile with its own input.
RELAY = bytes.fromhex("366000600037600060003660006000610a775af100")
RECORD = Record(1, (), Hash32(b"\x03" * 32))
RELAY_CREATION = bytes.fromhex("60%02x600c60003960%02x6000f3" % ((len(RELAY),) * 2)) + RELAY


@dataclass
class Outputs:
    """Those of a chain's own blocks up to `last`; `root` stands for what L1 has in their place."""

    chain: Chain
    last: int
    root: Hash32 | None = None

    async def l1_chain_id(self) -> int:
        return L1_CHAIN_ID

    async def oracle(self) -> Address:
        return ORACLE

    async def covering(self, header: Header) -> PostedOutput | DueOutput:
        index = SCHEDULE.index_for(header.number)
        posted = await self.output(index)
        return posted or DueOutput(index, SCHEDULE.block_of(index), header.timestamp + 5)

    async def output(self, index: int) -> PostedOutput | None:
        number = SCHEDULE.block_of(index)
        if number > self.last:
            return None
        header = self.chain.reader.header_by_number(number)
        root = self.root or (Hash32(bytes(32)) if header is None else output_root(header))
        return PostedOutput(
            L1_CHAIN_ID, ORACLE, index, number, root, 0, ORACLE, ORACLE, 10, is_final=False
        )


@dataclass
class Asked:
    chain: Chain
    outputs: Outputs
    relay: Address

    async def get(self, logger: Address, seq: int) -> Any:
        return await self._call("attribution_getProof", "0x" + logger.hex(), "0x7", hex(seq))

    async def verify(self, proof: Any) -> Any:
        return await self._call("attribution_verifyProof", proof)

    async def _call(self, method: str, *values: Any) -> Any:
        methods = ProofMethods(self.chain.reader, self.outputs, SlowReads()).methods()
        return await Dispatcher(methods).call(method, list(values))


def signed(chain: Chain, to: Address | None, data: bytes) -> Any:
    account = chain.reader.account(ALICE.address, chain.head())
    assert account is not None
    return sign_dynamic_fee(
        ALICE.private_key,
        chain_id=901,
        nonce=account.nonce,
        max_priority_fee_per_gas=0,
        max_fee_per_gas=10**12,
        gas=1_000_000,
        to=to,
        data=data,
    )


@pytest.fixture(scope="module")
def chain() -> Iterator[tuple[Chain, Address]]:
    """Five blocks: in 1 a batch of two, in 3 one that a contract wrote."""
    with open_chain(genesis=GENESIS) as chain:
        records = [Record(5, (), Hash32(b"\x01" * 32)), Record(6, (), Hash32(b"\x02" * 32))]
        append = encode_append(STREAM, 0, records)
        chain.extend(signed(chain, ATTRIBUTION_ADDRESS, append))
        relay = create_address(ALICE.address, 1)
        chain.extend(signed(chain, None, RELAY_CREATION))
        chain.extend(signed(chain, relay, append))
        chain.extend()
        chain.extend()
        yield chain, relay


@pytest.fixture
def asked(chain: tuple[Chain, Address]) -> Asked:
    return Asked(chain[0], Outputs(chain[0], last=3), chain[1])


async def test_a_proof_is_believed(asked: Asked) -> None:
    proof = await asked.get(ALICE.address, 1)
    verdict = await asked.verify(proof)
    assert (verdict["valid"], verdict["amountGwei"], verdict["unattributed"]) == (
        True,
        "0x6",
        "0x2710",
    )
    assert verdict["output"]["finalAfter"] == "0xa"
    asked.outputs.last = 0
    assert "there is no output 0" in (await asked.verify(proof))["reason"]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("l1ChainId", "0x1", "for chain 1, L1 is chain 900"),
        ("l2OutputOracle", "0x" + "0b" * 20, "l2OutputOracle: expected"),
        ("outputIndex", "0x5", "there is no output 5"),
        ("seq", "0x0", "batchPath"),
        ("record", "0x", "ends inside a varint"),
    ],
)
async def test_what_is_false(asked: Asked, field: str, value: str, reason: str) -> None:
    proof = await asked.get(ALICE.address, 1)
    verdict = await asked.verify({**proof, field: value})
    assert not verdict["valid"]
    assert reason in verdict["reason"]


async def test_what_cannot_be_proven_is_said(asked: Asked) -> None:
    with pytest.raises(RpcError, match=r"no such receipt .*below 2.*got 2"):
        await asked.get(ALICE.address, 2)
    with pytest.raises(RpcError, match=r"no such receipt .*below 0.*got 0"):
        await asked.get(BOB.address, 0)
    with pytest.raises(NodeError, match="written by a contract"):
        await asked.get(asked.relay, 0)
    asked.outputs.root = Hash32(b"\x05" * 32)
    with pytest.raises(RpcError, match="output 0 on L1, of block 3, is 0x0505"):
        await asked.get(ALICE.address, 0)
    asked.outputs.last = 0
    with pytest.raises(RpcError, match="no output yet") as due:
        await asked.get(ALICE.address, 0)
    assert isinstance(due.value.detail, dict)
    assert due.value.detail["outputBlock"] == "0x3"


async def test_a_node_that_is_behind(asked: Asked) -> None:
    chain = asked.chain
    chain.extend(signed(chain, ATTRIBUTION_ADDRESS, encode_append(STREAM, 2, [RECORD])))
    chain.extend(signed(chain, ATTRIBUTION_ADDRESS, encode_append(STREAM, 3, [RECORD])))
    asked.outputs.last = 9
    assert chain.head().number == 7
    with pytest.raises(TemporaryError, match="is of block 9, to which this node has not come yet"):
        await asked.get(ALICE.address, 3)
    header = chain.reader.header_by_number(BlockNumber(5))
    assert header is not None
    chain.engine.set_heads(unsafe=header.ref)


async def test_pruned_receipts(asked: Asked) -> None:
    with twins(interval=3, kept_blocks=2, lag=0) as both:
        both.engine.keep_proofs(both.schedule)
        for _ in range(9):
            both.extend([1])
        assert await _pruned(both, asked).get(ALICE.address, 0)
    with twins(interval=3, kept_blocks=2, lag=0) as both:
        both.engine.keep_proofs(None)
        for _ in range(9):
            both.extend([1])
        with pytest.raises(PrunedHistory):
            await _pruned(both, asked).get(ALICE.address, 0)


def _pruned(both: Twins, asked: Asked) -> Asked:
    chain = Chain(both.database, both.engine, both.pruned)
    return replace(asked, chain=chain, outputs=Outputs(chain, last=9))


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    ),
    st.data(),
)
async def test_whatever_is_sent_is_refused_or_false(
    chain: tuple[Chain, Address], value: Any, data: st.DataObject
) -> None:
    asked = Asked(chain[0], Outputs(chain[0], last=3), chain[1])
    proof = await asked.get(ALICE.address, 1)
    field = data.draw(st.sampled_from([None, *proof]))
    sent = value if field is None else {**proof, field: value}
    if sent == proof:
        return
    try:
        verdict = await asked.verify(sent)
    except NodeError as error:
        assert not isinstance(error, CriticalError)
    else:
        assert not verdict["valid"]
