"""Both interpreters on an in-memory state under any rules: they have to agree on every message."""

from node.config import (
    CANCUN_BLOBS,
    DEFAULT_LANE_BLOCK_LIMIT,
    LANE_GAS_RANGE,
    PRAGUE_BLOBS,
    AttributionConfig,
    ChainConfig,
    RollupRules,
)
from node.evm.environment import BlockEnvironment
from node.evm.interpreter import Call, Outcome, run_message
from node.evm.rules import Interpreter, Rules, rules_at
from node.state.trie_state import empty_state
from node.state.world_state import WorldState
from node.types.primitives import (
    ZERO_ADDRESS,
    Address,
    BlockNumber,
    keccak256,
)

GAS = 1_000_000
ALICE = Address(b"\xa1" * 20)
TARGET = Address(b"\x7a" * 20)
PRAGUE_CONFIG = ChainConfig(1, 0, CANCUN_BLOBS, PRAGUE_BLOBS, ZERO_ADDRESS, None, None)
CANCUN_CONFIG = ChainConfig(1, None, CANCUN_BLOBS, PRAGUE_BLOBS, ZERO_ADDRESS, None, None)
PRAGUE = rules_at(PRAGUE_CONFIG, 0, Interpreter.BOTH)
ROLLUP_CONFIG = ChainConfig(
    1,
    0,
    CANCUN_BLOBS,
    PRAGUE_BLOBS,
    ZERO_ADDRESS,
    RollupRules(0, 0, 0, 6, 250),
    AttributionConfig(0, LANE_GAS_RANGE.start, DEFAULT_LANE_BLOCK_LIMIT),
)
CANCUN = rules_at(CANCUN_CONFIG, 0, Interpreter.BOTH)
ROLLUP = rules_at(ROLLUP_CONFIG, 0, Interpreter.BOTH)


def empty_world() -> WorldState:
    return WorldState(empty_state())


class Machine:
    """A state with a rich sender, to which code is placed and messages are sent."""

    def __init__(self, rules: Rules = PRAGUE) -> None:
        self.rules = rules
        self.world = empty_world()
        self.world.set_balance(ALICE, 10**20)
        self.environment = BlockEnvironment(
            chain_id=1,
            coinbase=Address(b"\xcb" * 20),
            timestamp=1_700_000_000,
            number=BlockNumber(1_000),
            gas_limit=30_000_000,
            base_fee=7,
            prev_randao=keccak256(b"randao"),
            blob_base_fee=3,
            block_hash=lambda number: keccak256(str(number).encode()),
        )

    def place(self, code: str | bytes, address: Address = TARGET) -> None:
        self.world.set_nonce(address, 1)
        self.world.set_code(address, bytes.fromhex(code) if isinstance(code, str) else code)

    def send(
        self,
        data: bytes = b"",
        *,
        to: Address | None = TARGET,
        gas: int = GAS,
        value: int = 0,
        nonce: int = 0,
    ) -> Outcome:
        """Run a message as a transaction of its own."""
        call = Call(ALICE, to, value, data, gas, gas_price=9, nonce=nonce)
        outcome = run_message(self.world, self.environment, self.rules, call)
        for address in outcome.destroyed:
            self.world.delete_account(address)
        self.world.end_transaction()
        return outcome

    def run(self, code: str, data: bytes = b"", **options: int) -> Outcome:
        """Place code and call it."""
        self.place(code)
        return self.send(data, **options)


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")
