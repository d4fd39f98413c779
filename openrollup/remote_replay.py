"""Executing the chain of a running node again, from its genesis to its newest block."""

import logging
from collections.abc import AsyncIterator
from functools import partial

from consensus.l1.json_objects import JsonObject
from node.difference import BlockReport, Difference, Differs
from node.errors import ConfigError, NodeError
from node.execution.fees import blob_base_fee
from node.execution.header import check_same
from node.replayed_chain import ReplayedChain, naming_differences
from node.types.block import Block
from node.types.primitives import BlockNumber, Hash32
from node.types.receipt import Receipt
from node.worker import run_in_thread
from openrollup.fetch_ahead import FetchAhead
from openrollup.receipt_comparison import check_receipt
from openrollup.remote_chain import BlockGone, RemoteBlock, RemoteChain
from rpc.encoding.receipt import transaction_receipt
from rpc.encoding.rollup_fees import rollup_fees

_log = logging.getLogger(__name__)
_MAX_RESTARTS = 8
"""Times that a chain may change under our hands before it has grown by a block."""


class RemoteReplay:
    """Compares blocks `first` to `last` (None: the newest one when it begins).

    All blocks before are executed too, and have to be equal, their receipts aside. Should the chain
    be reorganised meanwhile, replay goes on from the last block that it still has.
    """

    def __init__(
        self, remote: RemoteChain, replayed: ReplayedChain, first: int, last: int | None
    ) -> None:
        self._remote = remote
        self._replayed = replayed
        self._first = first
        self._wanted_last = last
        self.last = 0
        self._ahead = FetchAhead(remote, first)
        self._at = replayed.head
        self._highest = replayed.head.number
        self._restarts = 0

    async def reports(self) -> AsyncIterator[BlockReport]:
        """Yield a report of each block that was asked for, and of the first that differs.

        ConfigError if the node has not got these blocks, TemporaryError if it does not answer.
        """
        self.last = await self._find_last()
        first = await self._first_block()
        if self._first == 0 or first.difference is not None:
            yield first
        if first.difference is not None:
            return
        try:
            while (report := await self._next()) is not None:
                if report.number >= self._first or report.difference is not None:
                    yield report
                if report.difference is not None:
                    return
        finally:
            self._ahead.forget()

    async def _first_block(self) -> BlockReport:
        """Compare the node's block 0 with that of the genesis: there is nothing to execute."""
        number = BlockNumber(0)
        try:
            found = await self._remote.block(number, with_receipts=False)
            if found is None:
                raise Differs("block", "block 0", "none")
            expected = self._replayed.reader.header_by_number(number)
            assert expected is not None, "a replayed chain has its first block"
            with naming_differences():
                check_same(expected, found.block.header)
        except Differs as differs:
            return _report(number, None, differs.difference)
        return _report(number, found.block, None)

    async def _next(self) -> BlockReport | None:
        """Execute the next block; None when the last one has been and is still in the chain."""
        while True:
            number = BlockNumber(self._at.number + 1)
            try:
                if number > self.last:
                    newest = await self._remote.ref(self._at.number)
                    if newest == self._at:
                        return None
                    await self._go_back()
                    continue
                found = await self._ahead.block(number, self.last)
            except BlockGone:
                found = None
            except Differs as differs:
                return _report(number, None, differs.difference)
            if found is None:
                if not await self._go_back():
                    await self._check_reached(number)
            elif found.block.header.parent_hash == self._at.hash:
                return await run_in_thread(partial(self._execute, found))
            elif not await self._go_back():
                wrong = found.block.header.parent_hash
                return _report(number, None, Difference("parentHash", self._at.hash, wrong))

    async def _go_back(self) -> bool:
        """Go back to the newest block that the node still has; False if that is where we are."""
        self._ahead.forget()
        self._restarts += 1
        if self._restarts > _MAX_RESTARTS:
            raise NodeError(
                f"block {self._at.number + 1}: the node's chain changes faster than it can be read "
                f"(or its answers contradict each other): {_MAX_RESTARTS} attempts"
            )
        left, number = self._at, self._at.number
        while not await self._is_shared(number):
            if number == 0:
                raise NodeError("block 0: the node serves another chain than when it was asked")
            number = BlockNumber(number - 1)
        if number == left.number:
            return False
        _log.warning(
            "the node's chain was reorganised: blocks %d to %d are gone, going on after block %d",
            number + 1,
            left.number,
            number,
        )
        self.last = await self._find_last()
        return True

    async def _check_reached(self, number: BlockNumber) -> None:
        newest = await self._remote.newest()
        if self._restarts > 1 and newest >= number:
            raise NodeError(
                f"block {number}: the node does not give it, or not its receipts, though its "
                f"newest block is {newest}"
            )

    async def _is_shared(self, number: BlockNumber) -> bool:
        ours, theirs = self._replayed.reader.canonical_hash(number), await self._remote.ref(number)
        if theirs is None or theirs.hash != ours:
            return False
        self._at = theirs
        return True

    async def _find_last(self) -> int:
        newest = await self._remote.newest()
        last = newest if self._wanted_last is None else self._wanted_last
        # A chain that has only block 0 has that much to show.
        has_nothing = (self._first, self._wanted_last, newest) == (1, None, 0)
        if not has_nothing and not self._first <= last <= newest:
            raise ConfigError(
                f"--from, --to: expected from <= to <= {newest} (the node's newest block), "
                f"got {self._first} and {last}"
            )
        return last

    def _execute(self, found: RemoteBlock) -> BlockReport:
        block, difference = found.block, None
        receipts: list[Receipt] = []

        def check(index: int, receipt: Receipt) -> None:
            receipts.append(receipt)
            if found.receipts is not None:
                self._check_receipt(block, receipts, found.receipts)

        try:
            self._replayed.add(block, check)
        except Differs as differs:
            difference = differs.difference
        else:
            self._at = block.header.ref
            if block.number > self._highest:
                self._highest, self._restarts = block.number, 0
        return _report(block.number, block, difference)

    def _check_receipt(
        self, block: Block, receipts: list[Receipt], shown: list[JsonObject]
    ) -> None:
        """Compare the newest receipt with what the node shows for it."""
        config, index = self._replayed.reader.config, len(receipts) - 1
        fees = rollup_fees(config, block, (block.transactions[index],))[0]
        blob_fee = blob_base_fee(config, block.header)
        check_receipt(
            index, transaction_receipt(block, receipts, index, fees, blob_fee), shown[index]
        )


def _report(number: BlockNumber, block: Block | None, difference: Difference | None) -> BlockReport:
    if block is None:
        return BlockReport(number, Hash32(b""), 0, 0, difference)
    header = block.header
    return BlockReport(number, header.hash, len(block.transactions), header.gas_used, difference)
