"""The state that worst cases run on: flat tables in LMDB, as a node reads them."""

from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

from bench.our_node import next_attributes
from bench.worst.case import BLOCK_GAS, Case, address_at
from node.chain import ancestor_hashes
from node.config import DEFAULT_LANE_BLOCK_LIMIT, LANE_GAS_RANGE, AttributionConfig
from node.engine import Engine
from node.evm.environment import BlockEnvironment, BlockHashes, Interrupt
from node.evm.interpreter import Call, run_message
from node.evm.rules import rules_at
from node.genesis import Genesis, GenesisAccount, l2_genesis
from node.reader import Reader
from node.state.world_state import WorldState
from node.storage.database import Database
from node.types.block import Header
from node.types.primitives import BlockNumber

_CHAIN_ID = 901
_TIMESTAMP = 1_700_000_000
_SENDER = address_at(0x5E4DE4 << 100)
_COINBASE = address_at(0xC014BA5E << 100)
_CONTRACT = address_at(0xC0DE << 140)
_ETHER = 10**18


@dataclass(frozen=True, slots=True)
class Measured:
    """What a case took: gas, seconds of CPU, and of those the longest without an interrupt.

    Seconds are those of the message and of the new state root. `error` is the message's.
    """

    name: str
    gas: int
    seconds: float
    longest_step: float
    error: str | None

    @property
    def gas_per_second(self) -> float:
        """Gas by CPU time."""
        return self.gas / self.seconds


@dataclass(slots=True)
class _Stopwatch:
    """Finds the longest time between two looks at it."""

    longest: float = 0.0
    last: float = field(default_factory=process_time)

    def look(self) -> None:
        now = process_time()
        self.longest = max(self.longest, now - self.last)
        self.last = now


class WorstCaseChain:
    """A chain in a new directory, with everything in its state that a case needs."""

    def __init__(self, case: Case, path: Path) -> None:
        self._case = case
        genesis = _genesis(case)
        self._database = Database.open(path)
        engine = Engine(self._database, genesis.config)
        engine.initialise(genesis)
        self._reader = Reader(self._database, genesis.config)
        for _ in range(case.ancestors):
            head = self._reader.head_header()
            attributes = next_attributes(head)
            with engine.begin(head, attributes) as execution:
                execution.apply(attributes.transactions[0])
                engine.insert(execution.seal())
        self._rules = rules_at(genesis.config, self._reader.head_header().timestamp)

    def close(self) -> None:
        """Release the directory."""
        self._database.close()

    def run(self) -> Measured:
        """Run the case as a message, to the new state root; nothing is kept."""
        case = self._case
        head = self._reader.head_header()
        with self._reader.snapshot() as snapshot, self._reader.state_at(head) as view:
            world = WorldState(view)
            watch = _Stopwatch()
            environment = _environment(head, ancestor_hashes(snapshot, head), watch.look)
            start = process_time()
            outcome = run_message(world, environment, self._rules, _call(case))
            watch.look()
            for address in outcome.destroyed:
                world.delete_account(address)
            world.end_transaction()
            world.changes()
            seconds = process_time() - start
        gas = case.gas - outcome.gas_left
        return Measured(case.name, gas, seconds, watch.longest, outcome.error)


def _genesis(case: Case) -> Genesis:
    contract = GenesisAccount(
        balance=10**6 * _ETHER,
        nonce=1,
        code=b"" if case.is_creation else case.code,
        storage=case.storage(case.gas),
    )
    contracts = {
        _SENDER: GenesisAccount(balance=10**6 * _ETHER),
        _CONTRACT: contract,
        **case.neighbours(case.gas),
    }
    return l2_genesis(
        chain_id=_CHAIN_ID,
        timestamp=_TIMESTAMP,
        gas_limit=BLOCK_GAS,
        attribution=AttributionConfig(0, LANE_GAS_RANGE.start, DEFAULT_LANE_BLOCK_LIMIT),
        funded=(),
        contracts=contracts,
    )


def _environment(head: Header, block_hash: BlockHashes, interrupt: Interrupt) -> BlockEnvironment:
    return BlockEnvironment(
        chain_id=_CHAIN_ID,
        coinbase=_COINBASE,
        timestamp=head.timestamp + 1,
        number=BlockNumber(head.number + 1),
        gas_limit=BLOCK_GAS,
        base_fee=7,
        prev_randao=head.hash,
        blob_base_fee=1,
        block_hash=block_hash,
        interrupt=interrupt,
    )


def _call(case: Case) -> Call:
    return Call(
        sender=_SENDER,
        to=None if case.is_creation else case.to or _CONTRACT,
        value=0,
        data=case.code if case.is_creation else case.data,
        gas=case.gas,
        gas_price=1,
        nonce=0,
    )
