"""How long a sequencer takes for the largest block of receipts: the lane full, to the last byte.

The gas limit is that of `openrollup dev`, 30,000,000: such a block takes a third of it, or half.
Credits of datasets that are new use the gas up long before the lane, and take no time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time

from attribution.records import Influence, Record
from bench.attribution.figure import Bound, Figure
from bench.our_node import next_attributes
from node.builder import FillLimits, fill
from node.config import DEFAULT_LANE_BLOCK_LIMIT, LANE_GAS_RANGE, AttributionConfig
from node.engine import Engine
from node.execution.intrinsic import MAX_LANE_CALLDATA
from node.genesis import dev_accounts, l2_genesis
from node.mempool import Mempool, PoolLimits
from node.reader import Reader
from node.storage.database import Database
from node.types.attribution_call import APPEND, ATTRIBUTION_ADDRESS, words
from node.types.block import Header
from node.types.primitives import keccak256
from node.types.transaction import sign_dynamic_fee

_CHAIN_ID = 901
_BLOCK_TIME_S = 1
_MOST_RECORDS = (MAX_LANE_CALLDATA - len(APPEND)) // 32 * 32 - 4 * 32
"""Bytes of records that fit into a transaction of the lane, with selector, head and padding."""
_GAS = 3_700_000
_TRANSACTIONS = DEFAULT_LANE_BLOCK_LIMIT // MAX_LANE_CALLDATA

Make = Callable[[int], Record]


@dataclass(frozen=True, slots=True)
class BlockMeasured:
    """A block: its receipts, gas and bytes, and seconds of CPU from its begin to the disk."""

    kind: str
    receipts: int
    gas: int
    lane_bytes: int
    seconds: float


class BlockNotFull(Exception):
    """The block lacks transactions that it should hold."""


def measure_largest_block(rounds: int = 3) -> tuple[Figure, tuple[BlockMeasured, ...]]:
    """Build blocks of several kinds; of each the fastest round counts."""
    kinds = {
        "no influences, the shortest receipts": _shortest,
        "1 influence, another weight each": _one,
        "16 influences, another weight each": _sixteen,
    }
    blocks = tuple(
        min((_build(kind, make) for _ in range(rounds)), key=lambda block: block.seconds)
        for kind, make in kinds.items()
    )
    slowest = max(blocks, key=lambda block: block.seconds)
    figure = Figure(
        "seconds for the largest block of receipts, of a block time of 1 s",
        Bound.AT_MOST,
        _BLOCK_TIME_S / 2,
        slowest.seconds,
        f"CPU time, built and stored; {slowest.receipts:,} receipts ({slowest.kind}), "
        f"{slowest.lane_bytes:,} bytes, {slowest.gas:,} gas",
        is_timing=True,
    )
    return figure, blocks


def _shortest(index: int) -> Record:
    return Record(1 + index % 100, (), keccak256(b"%d" % index))


def _one(index: int) -> Record:
    return Record(1 + index % 100, (Influence(1, 1 + index % 10_000),), keccak256(b"%d" % index))


def _sixteen(index: int) -> Record:
    random = keccak256(b"weights %d" % index) * 2
    shares = tuple(Influence(at, 1 + random[at] + 256 * (random[at + 16] % 2)) for at in range(16))
    return Record(1 + index % 100, shares, keccak256(b"%d" % index))


def _build(kind: str, make: Make) -> BlockMeasured:
    raw, receipts = _transactions(make)
    with _chain() as (engine, mempool, head):
        for envelope in raw:
            mempool.add(envelope)
        limits = FillLimits(out_of_time=lambda: False, max_da_bytes=2 * DEFAULT_LANE_BLOCK_LIMIT)
        attributes = next_attributes(head)
        start = process_time()
        with engine.begin(head, attributes) as execution:
            execution.apply(attributes.transactions[0])
            fill(execution, mempool, limits)
            executed = execution.seal()
        engine.insert(executed)
        seconds = process_time() - start
    included = executed.block.transactions[1:]
    if len(included) != len(raw) or not all(receipt.status for receipt in executed.receipts):
        raise BlockNotFull(f"{kind}: expected {len(raw)} successes, got {len(included)} included")
    size = sum(len(tx.data) for tx in included)
    gas = executed.block.header.gas_used
    return BlockMeasured(kind, receipts * len(raw), gas, size, seconds)


def _transactions(make: Make) -> tuple[list[bytes], int]:
    """Return a transaction of each sender, as large as the lane takes, and the receipts of each."""
    records, size, count = [], 0, 0
    while size + len(encoded := make(count).encode()) <= _MOST_RECORDS:
        records.append(encoded)
        size += len(encoded)
        count += 1
    data = APPEND + words(1, 0, 96, size) + b"".join(records)
    data += bytes(-size % 32)
    raw = [
        sign_dynamic_fee(
            account.private_key,
            chain_id=_CHAIN_ID,
            nonce=0,
            max_priority_fee_per_gas=10**6,
            max_fee_per_gas=10**11,
            gas=_GAS,
            to=ATTRIBUTION_ADDRESS,
            value=0,
            data=data,
        ).raw
        for account in dev_accounts()[:_TRANSACTIONS]
    ]
    return raw, count


@contextmanager
def _chain() -> Iterator[tuple[Engine, Mempool, Header]]:
    lane = AttributionConfig(0, LANE_GAS_RANGE.start, DEFAULT_LANE_BLOCK_LIMIT)
    genesis = l2_genesis(chain_id=_CHAIN_ID, timestamp=1_700_000_000, attribution=lane)
    with Database.open(None) as database:
        engine = Engine(database, genesis.config)
        engine.initialise(genesis)
        reader = Reader(database, genesis.config)
        mempool = Mempool(reader, genesis.config, PoolLimits())
        engine.subscribe(mempool.on_head_change)
        yield engine, mempool, reader.head_header()
