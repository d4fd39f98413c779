"""Our side of the execution benchmark: blocks under rollup rules, into LMDB, synced."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time

from node.engine import Engine
from node.execution.transition import DEPOSITOR, ExecutedBlock
from node.genesis import Genesis
from node.genesis.predeploys import L1_BLOCK_ADDRESS, SEQUENCER_FEE_VAULT_ADDRESS
from node.reader import Reader
from node.storage.database import Database
from node.types.block import Header
from node.types.deposit import DepositTransaction, l1_attributes_source_hash, make_deposit
from node.types.payload import PayloadAttributes
from node.types.primitives import Hash32, keccak256
from node.types.transaction import decode_signed_transaction

_ISTHMUS_SELECTOR = bytes.fromhex("098999be")


@dataclass(slots=True)
class Steps:
    """Seconds that the parts of one block took, in their order."""

    names: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        start = perf_counter()
        yield
        self.names.append(name)
        self.seconds.append(perf_counter() - start)


@dataclass(frozen=True, slots=True)
class BlockRun:
    """One measured block: seconds in all, by step, and the gas of its signed transactions.

    `cpu_seconds` is what the processor worked for it: what other programs do changes it least.
    """

    seconds: float
    cpu_seconds: float
    gas_used: int
    steps: dict[str, float]


class OurNode:
    """A rollup in a directory; a new one begins with `genesis`."""

    def __init__(self, genesis: Genesis, path: Path, kept_blocks: int | None = None) -> None:
        self.database = Database.open(path)
        self._engine = Engine(self.database, genesis.config, kept_blocks=kept_blocks)
        if self._engine.is_empty:
            self._engine.initialise(genesis)
        self._head = Reader(self.database, genesis.config).head_header()

    def close(self) -> None:
        """Release the directory."""
        self.database.close()

    def run_block(self, raw: list[bytes]) -> tuple[BlockRun, ExecutedBlock]:
        """Make the block of these transactions and store it.

        The L1-attributes deposit that opens it belongs to the measured work.
        """
        attributes = next_attributes(self._head)
        steps = Steps()
        start, cpu_start = perf_counter(), process_time()
        with steps.step("decode"):
            transactions = [decode_signed_transaction(envelope) for envelope in raw]
        with steps.step("recover"):
            for tx in transactions:
                assert tx.sender
        with self._engine.begin(self._head, attributes) as execution:
            with steps.step("execute"):
                for item in (*attributes.transactions, *transactions):
                    execution.apply(item)
            with steps.step("roots"):
                executed = execution.seal()
        with steps.step("commit"):
            self._engine.insert(executed, safe=self._head.ref, finalized=self._head.ref)
        seconds, cpu_seconds = perf_counter() - start, process_time() - cpu_start
        self._head = executed.block.header
        by_step = dict(zip(steps.names, steps.seconds, strict=True))
        gas_used = self._head.gas_used - executed.receipts[0].gas_used
        return BlockRun(seconds, cpu_seconds, gas_used, by_step), executed


def next_attributes(parent: Header) -> PayloadAttributes:
    """Return the attributes of the block after `parent`, its L1-attributes deposit included."""
    return PayloadAttributes(
        timestamp=parent.timestamp + 1,
        prev_randao=keccak256(b"randao" + parent.hash),
        fee_recipient=SEQUENCER_FEE_VAULT_ADDRESS,
        parent_beacon_block_root=keccak256(b"beacon" + parent.hash),
        gas_limit=parent.gas_limit,
        extra_data=parent.extra_data,
        transactions=(_l1_attributes(parent.hash),),
    )


def _l1_attributes(parent: Hash32) -> DepositTransaction:
    """Return the deposit that sets L1 prices and scalars, none of them zero."""
    base_fee_scalar, blob_base_fee_scalar = 1_368, 810_949
    operator_fee_scalar, operator_fee_constant = 1_000, 7
    numbers = ((base_fee_scalar, 4), (blob_base_fee_scalar, 4), (0, 8), (1_700_000_000, 8), (7, 8))
    prices = ((10**9, 32), (10**8, 32))
    operator = ((operator_fee_scalar, 4), (operator_fee_constant, 8))
    data = _packed(numbers) + _packed(prices) + parent + bytes(32) + _packed(operator)
    return make_deposit(
        source_hash=l1_attributes_source_hash(parent, 0),
        sender=DEPOSITOR,
        to=L1_BLOCK_ADDRESS,
        mint=0,
        value=0,
        gas=1_000_000,
        data=_ISTHMUS_SELECTOR + data,
    )


def _packed(values: tuple[tuple[int, int], ...]) -> bytes:
    return b"".join(value.to_bytes(size, "big") for value, size in values)
