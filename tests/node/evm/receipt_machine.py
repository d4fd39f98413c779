"""The interpreter on an in-memory state that has the receipt precompile, one call at a time."""

from collections.abc import Sequence

from attribution.calldata import encode_append
from node.artifacts import load_artifact
from node.config import parse_chain_config
from node.evm.attribution import ATTRIBUTION_ADDRESS
from node.evm.environment import BlockEnvironment
from node.evm.interpreter import Call, Outcome, run_message
from node.evm.rules import Interpreter, rules_at
from node.state.trie_state import empty_state
from node.state.world_state import WorldState
from node.types.attribution_record import Influence, Record
from node.types.attribution_stream import StreamState, credit_slot, stream_slot, unpack_stream
from node.types.primitives import (
    ZERO_ADDRESS,
    ZERO_HASH,
    Address,
    BlockNumber,
    Hash32,
)
from node.types.transaction import AccessList

GAS = 30_000_000
ALICE = Address(b"\xa1" * 20)
BOB = Address(b"\xb0" * 20)
CALLER = Address(b"\xca" * 20)

CONFIG = parse_chain_config(
    {
        "chainId": 901,
        "cancunTime": 0,
        "pragueTime": 0,
        "bedrockBlock": 0,
        "regolithTime": 0,
        "canyonTime": 0,
        "ecotoneTime": 0,
        "fjordTime": 0,
        "graniteTime": 0,
        "holoceneTime": 0,
        "isthmusTime": 0,
        "attributionTime": 0,
        "optimism": {
            "eip1559Elasticity": 6,
            "eip1559Denominator": 50,
            "eip1559DenominatorCanyon": 250,
        },
    }
)


def record(amount: int, *influences: tuple[int, int], tag: int = 7) -> Record:
    """A record whose commitment is `tag` 32 times over."""
    shaped = tuple(Influence(dataset, weight) for dataset, weight in influences)
    return Record(amount, shaped, Hash32(bytes([tag]) * 32))


class ReceiptMachine:
    """Accounts, the precompile's account as genesis makes it, and the contract `Caller`.

    Each message runs on both interpreters, which have to agree on gas, logs, output and state.
    """

    def __init__(self) -> None:
        empty = empty_state()
        self.world = WorldState(empty)
        self.rules = rules_at(CONFIG, 0, Interpreter.BOTH)
        self.environment = BlockEnvironment(
            chain_id=901,
            coinbase=ZERO_ADDRESS,
            timestamp=1_700_000_000,
            number=BlockNumber(1),
            gas_limit=GAS,
            base_fee=1,
            prev_randao=ZERO_HASH,
            blob_base_fee=1,
            block_hash=lambda _: ZERO_HASH,
        )
        self.place(ATTRIBUTION_ADDRESS, b"\xfe")
        self.place(CALLER, load_artifact("Caller").deployed_bytecode)
        for address in (ALICE, BOB):
            self.world.set_balance(address, 10**18)
        self.world.end_transaction()

    def place(self, address: Address, code: bytes) -> None:
        self.world.set_nonce(address, 1)
        self.world.set_code(address, code)

    def call(
        self,
        data: bytes,
        *,
        sender: Address = ALICE,
        to: Address = ATTRIBUTION_ADDRESS,
        gas: int = GAS,
        value: int = 0,
        access_list: AccessList = (),
    ) -> Outcome:
        """Run a message inside the current transaction."""
        message = Call(sender, to, value, data, gas, 1, 0, access_list)
        return run_message(self.world, self.environment, self.rules, message)

    def send(self, data: bytes, **options: object) -> Outcome:
        """Run a message as a transaction of its own."""
        outcome = self.call(data, **options)  # type: ignore[arg-type]
        self.world.end_transaction()
        return outcome

    def append(
        self, from_seq: int, records: Sequence[Record], *, stream: int = 1, **options: object
    ) -> Outcome:
        return self.send(encode_append(stream, from_seq, records), **options)

    def stream(self, logger: Address = ALICE, stream: int = 1) -> StreamState:
        slot = stream_slot(logger, stream)
        return unpack_stream(self.world.get_storage(ATTRIBUTION_ADDRESS, slot))

    def credit(self, dataset: int, logger: Address = ALICE, stream: int = 1) -> int:
        slot = credit_slot(logger, stream, dataset)
        return self.world.get_storage(ATTRIBUTION_ADDRESS, slot)

    def state_root(self) -> Hash32:
        return self.world.changes().state_root
