"""A chain in memory that loses transactions, delays answers, and reorganises itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from attribution.calldata import decode_append
from attribution.client.exchange import (
    AskBlock,
    AskLogs,
    BlockTime,
    FoundLog,
    Included,
    Operation,
    Party,
    Read,
    Request,
    Send,
    T,
    carry_out,
)
from attribution.client.unpaid import root_of
from attribution.records import Record
from attribution.refusals import BadSequence, NotIncluded
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.types.attribution_call import APPENDED_TOPIC, ATTRIBUTION_ADDRESS, words
from node.types.primitives import Address, Hash32
from node.types.receipt import Log
from tests.attribution.client.hub_answers import model_answer

LOGGER = Address(b"\x0a" * 20)
FAULTS = ("none", "slow", "lost", "late-revert")


@dataclass(frozen=True, slots=True)
class _Logged:
    from_seq: int
    records: tuple[Record, ...]
    block: int


class FakeChain:
    """One stream, of `LOGGER`. `fault` is what happens to the next transaction.

    slow: it waits in the pool, and the sender gives up; lost: the same, but it never comes;
    late-revert: somebody else's batch comes first, after the estimate.
    """

    def __init__(self, stream: int) -> None:
        self.party = Party(901, LOGGER)
        self.fault = "none"
        self.height = 10
        self.safe = 10
        self._stream = stream
        self._batches: list[_Logged] = []
        self._pool: list[tuple[int, tuple[Record, ...]]] = []

    @property
    def records(self) -> list[Record]:
        return [record for batch in self._batches for record in batch.records]

    def carry_out(self, operation: Operation[T]) -> T:
        return carry_out(operation, self._answer)

    def write(self, records: Iterable[Record]) -> None:
        """Somebody else with the same key appends."""
        self._include(len(self.records), tuple(records))

    def mine(self) -> None:
        """Include what waits in the pool, if the stream is where it has to be."""
        pool, self._pool = self._pool, []
        for from_seq, records in pool:
            if from_seq == len(self.records):
                self._include(from_seq, records)

    def reorg(self, batches: int, *, back_to_pool: bool) -> None:
        """Take back the newest batches that are not safe."""
        for _ in range(batches):
            if self._batches and self._batches[-1].block > self.safe:
                gone = self._batches.pop()
                if back_to_pool:
                    self._pool.insert(0, (gone.from_seq, gone.records))

    def make_safe(self) -> None:
        """Post everything to L1."""
        self.safe = self.height

    def _include(self, from_seq: int, records: tuple[Record, ...]) -> int:
        self.height += 1
        self._batches.append(_Logged(from_seq, records, self.height))
        return self.height

    def _answer(self, request: Request) -> Any:
        match request:
            case AskBlock(label):
                height = {"latest": self.height, "safe": self.safe, "finalized": 0}[label]
                return BlockTime(height, 1_000 + height)
            case Read(to=to) if to == ATTRIBUTION_HUB_ADDRESS:
                return model_answer(LOGGER)
            case Read(to=to) if to == ATTRIBUTION_ADDRESS:
                return words(len(self.records), 0, 0)
            case Send():
                return self._send(request)
            case AskLogs(first=first, last=last):
                return tuple(
                    self._log(batch) for batch in self._batches if first <= batch.block <= last
                )
        raise AssertionError(f"unexpected request {request}")

    def _send(self, request: Send) -> Included:
        _, from_seq, records = decode_append(request.data)
        if from_seq != len(self.records):
            raise BadSequence(expected=len(self.records))
        fault, self.fault = self.fault, "none"
        if fault == "slow":
            self._pool.append((from_seq, records))
        if fault in ("slow", "lost"):
            raise NotIncluded(transaction=bytes(32))
        if fault == "late-revert":
            self.write([Record(1, (), Hash32(bytes(32)))])
            raise BadSequence(expected=len(self.records))
        block = self._include(from_seq, records)
        return Included(Hash32(bytes(32)), block, 0, ())

    def _log(self, batch: _Logged) -> FoundLog:
        root = root_of(LOGGER, self._stream, batch.from_seq, batch.records)
        topics = (
            APPENDED_TOPIC,
            Hash32(LOGGER.rjust(32, b"\x00")),
            Hash32(self._stream.to_bytes(32, "big")),
        )
        data = words(batch.from_seq, len(batch.records), 0) + root
        return FoundLog(Log(ATTRIBUTION_ADDRESS, topics, data), batch.block, Hash32(bytes(32)))
