"""Receipts on a rollup, and an L1 whose contracts check their proofs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from eth.exceptions import Revert
from eth_abi.abi import encode

from attribution.calldata import encode_append
from attribution.proof_builder import Output, build_proof
from attribution.proof_check import output_root
from attribution.receipt_proof import ReceiptProof
from attribution.records import Influence, Record
from attribution.verifier_call import VerifiedReceipt, decode_verified, encode_verify
from node.artifacts import load_artifact
from node.attribution_entries import Place
from node.config import AttributionConfig
from node.errors import ExecutionReverted
from node.execution.simulate import CallRequest
from node.genesis import dev_accounts, l1_dev_genesis, l2_genesis
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address, BlockNumber, create_address, keccak256
from node.types.transaction import Transaction, sign_dynamic_fee
from tests.contracts.local_chain import Reverted, address_text, decoded_error, encode_call
from tests.node.chains import ALICE, Chain, open_chain

L1_CHAIN_ID = 900
STREAM = 7
BATCH = 100
INTERVAL = 4
"""L2 blocks between outputs: output i is of block 4 (i + 1)."""
PERIOD_S = 10

L2_GENESIS = l2_genesis(
    chain_id=901,
    timestamp=1_700_000_000,
    attribution=AttributionConfig(time=0, calldata_gas=4, block_calldata_limit=2**20),
)
LOGGERS = dev_accounts()[2:8]
RECORDS = tuple(
    Record(10**6 + n, (Influence(n % 10, 2_000), Influence(300, 500)), keccak256(bytes([n])))
    for n in range(BATCH)
)


@dataclass
class ProvenReceipts:
    """Blocks 1 to 8 of a rollup, with batches in 3 (one of many), 4 and 5; outputs of 4 and 8 are
    on L1, and `verifier` checks proofs there.
    """

    l1: Chain
    l2: Chain
    oracle: Address
    verifier: Address

    def proof(self, seq: int, block: int, index: int, output: int) -> ReceiptProof:
        """Prove under output number `output` that of transaction `index` of a block."""
        place = Place(BlockNumber(block), index, 0)
        number = BlockNumber(INTERVAL * (output + 1))
        return build_proof(
            self.l2.reader, place, seq, Output(L1_CHAIN_ID, self.oracle, output, number)
        )

    def same_block(self) -> ReceiptProof:
        """A receipt in a block that has an output itself."""
        return self.proof(BATCH + 50, 4, 1, 0)

    def one_hop(self) -> ReceiptProof:
        """A receipt of an earlier block, with neighbours in its block."""
        return self.proof(77, 3, 3, 0)

    def run(self, data: bytes) -> bytes:
        """Call the contract with any data; Reverted if it refuses."""
        request = CallRequest(sender=ALICE.address, to=self.verifier, data=data)
        try:
            return self.l1.reader.call(request, self.l1.head()).output
        except ExecutionReverted as reverted:
            abi = load_artifact("AttributionVerifier").abi
            raise decoded_error(abi, Revert(reverted.data)) from None

    def verify(self, proof: ReceiptProof, *, is_final: bool = False) -> VerifiedReceipt:
        return decode_verified(self.run(encode_verify(proof, is_final=is_final)))

    def refuses(self, data: bytes, place: int, change: int) -> bool:
        """Whether the contract refuses call data with bits of one byte changed."""
        changed = bytearray(data)
        changed[place] ^= change
        try:
            self.run(bytes(changed))
        except Reverted:
            return True
        return False

    def propose(self, number: int) -> None:
        header = self.l2.reader.header_by_number(BlockNumber(number))
        assert header is not None
        proposal = (output_root(header), number, bytes(32), 0)
        self.send("L2OutputOracle", self.oracle, "proposeL2Output", *proposal)

    def send(self, contract: str, to: Address, function: str, *arguments: object) -> int:
        """Make an L1 block of a call; return its gas."""
        return self.include(to, encode_call(contract, function, *arguments))

    def include(self, to: Address, data: bytes) -> int:
        transaction = _sign(self.l1, ALICE.private_key, ALICE.address, to, data, 10_000_000)
        (receipt,) = self.l1.extend(transaction).receipts
        assert receipt.status == 1
        return receipt.gas_used


@contextmanager
def open_proven_receipts() -> Iterator[ProvenReceipts]:
    """Make both chains, and propose."""
    genesis = l1_dev_genesis(timestamp=1_700_000_000)
    with open_chain(genesis=genesis) as l1, open_chain(genesis=L2_GENESIS) as l2:
        _write(l2)
        oracle, verifier = (create_address(ALICE.address, nonce) for nonce in range(2))
        sender = address_text(ALICE.address)
        _create(l1, "L2OutputOracle", INTERVAL, 1, 0, l1.head().timestamp, sender, sender, PERIOD_S)
        _create(l1, "AttributionVerifier", address_text(oracle))
        receipts = ProvenReceipts(l1, l2, oracle, verifier)
        for _ in range(10):
            l1.extend()
        for number in (4, 8):
            receipts.propose(number)
        yield receipts


def _write(l2: Chain) -> None:
    for _ in range(2):
        l2.extend()
    l2.extend(*(append(l2, logger.private_key, 0, RECORDS) for logger in LOGGERS))
    first = LOGGERS[0].private_key
    l2.extend(append(l2, first, BATCH, RECORDS))
    l2.extend(append(l2, first, 2 * BATCH, RECORDS[:1]))
    for _ in range(3):
        l2.extend()


def append(l2: Chain, key: bytes, from_seq: int, records: tuple[Record, ...]) -> Transaction:
    """Sign a batch of receipts."""
    sender = next(account.address for account in LOGGERS if account.private_key == key)
    data = encode_append(STREAM, from_seq, records)
    return _sign(l2, key, sender, ATTRIBUTION_ADDRESS, data, 3_000_000)


def _create(l1: Chain, name: str, *arguments: object) -> None:
    artifact = load_artifact(name)
    constructor = next(item for item in artifact.abi if item["type"] == "constructor")
    types = [parameter["type"] for parameter in constructor["inputs"]]
    data = artifact.bytecode + encode(types, arguments)
    transaction = _sign(l1, ALICE.private_key, ALICE.address, None, data, 10_000_000)
    (receipt,) = l1.extend(transaction).receipts
    assert receipt.status == 1


def _sign(
    chain: Chain, key: bytes, sender: Address, to: Address | None, data: bytes, gas: int
) -> Transaction:
    account = chain.reader.account(sender, chain.head())
    assert account is not None
    return sign_dynamic_fee(
        key,
        chain_id=chain.reader.config.chain_id,
        nonce=account.nonce,
        max_priority_fee_per_gas=0,
        max_fee_per_gas=10**12,
        gas=gas,
        to=to,
        data=data,
    )
