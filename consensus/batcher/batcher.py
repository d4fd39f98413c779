"""Publishing unsafe blocks to L1 until they are safe: in order, without a gap, again if lost."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from consensus.batcher.channel_builder import (
    BatchType,
    ChannelBuilder,
    ChannelLimits,
    ClosedChannel,
)
from consensus.batcher.data_availability import (
    DataAvailability,
    blob_requests,
    calldata_request,
)
from consensus.batcher.forewarning import Forewarning
from consensus.batcher.posted_channels import PostedChannels
from consensus.block_refs import L1BlockRef
from consensus.codec.frame import CHANNEL_ID_SIZE, ChannelId
from consensus.config import RollupConfig
from consensus.l1.chain_config import L1ChainConfig
from consensus.l1.tx_sender import TransactionRequest, TxSender
from consensus.l1.watcher import L1Watcher
from node.clock import Clock
from node.errors import ConfigError, OperationRefused, TemporaryError
from node.reader import Reader
from node.types.block import BlockRef
from node.types.primitives import BlockNumber
from node.worker import run_in_thread

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatcherSettings:
    """`lost_after_l1_blocks`: how far derivation may read past a channel that it did not accept.

    `max_unsafe_channels` are on their way at a time, `max_blocks_per_step` are read in one go, and
    `retry_s` seconds pass after a failure. A stop waits `stop_patience_s` seconds for L1. It warns
    when its funds are good for fewer than `low_funds_transactions`, and `window_warning` L1 blocks
    before a sequencing window ends.
    """

    limits: ChannelLimits = field(default_factory=ChannelLimits)
    batch_type: BatchType = BatchType.SPAN
    data_availability: DataAvailability = DataAvailability.CALLDATA
    poll_interval_s: float = 0.5
    retry_s: float = 5.0
    stop_patience_s: float = 20.0
    max_unsafe_channels: int = 8
    max_blocks_per_step: int = 500
    lost_after_l1_blocks: int = 3
    low_funds_transactions: int = 50
    window_warning: int = 20


class Batcher:
    """Reads the chain and writes to L1, nothing else; never waited for by the sequencer.

    `current_l1` tells how far this node's own derivation has read L1: what it has not accepted by
    then is posted again.
    """

    def __init__(
        self,
        config: RollupConfig,
        l1_chain_config: L1ChainConfig,
        reader: Reader,
        watcher: L1Watcher,
        sender: TxSender,
        current_l1: Callable[[], L1BlockRef | None],
        clock: Clock,
        settings: BatcherSettings | None = None,
    ) -> None:
        self._config = config
        self._l1_chain_config = l1_chain_config
        self._reader = reader
        self._watcher = watcher
        self._sender = sender
        self._current_l1 = current_l1
        self._clock = clock
        self._settings = settings or BatcherSettings()
        if self._settings.limits.idle_s <= config.block_time:
            raise ConfigError(
                f"idle_s: expected more than the block time of {config.block_time} s, "
                f"got {self._settings.limits.idle_s}"
            )
        self._forewarning = Forewarning(
            config,
            reader,
            sender,
            low_funds_transactions=self._settings.low_funds_transactions,
            window_warning=self._settings.window_warning,
        )
        self._builder: ChannelBuilder | None = None
        self._posted = PostedChannels(self._settings.lost_after_l1_blocks)
        self._begun_after: BlockRef | None = None
        self._last_taken: BlockRef | None = None
        self._start_height: int | None = None
        self._turn = asyncio.Lock()
        self._running = asyncio.Event()
        self._running.set()
        self._is_flush_wanted = False
        self._flush_asked = asyncio.Event()
        self._transactions_made = 0

    @property
    def transactions_made(self) -> int:
        """How many L1 transactions it has begun to send so far."""
        return self._transactions_made

    @property
    def is_running(self) -> bool:
        """Whether it posts; it does until it is stopped."""
        return self._running.is_set()

    async def run(self) -> None:
        """Post blocks until cancelled; what is then on its way to L1 is left to L1."""
        try:
            while True:
                await self._running.wait()
                pause_s = self._settings.poll_interval_s
                try:
                    async with self._turn:
                        if self.is_running:
                            await self.step()
                except TemporaryError as error:
                    self._start_over(str(error))
                    pause_s = self._settings.retry_s
                await self._rest(pause_s)
        finally:
            self.close()

    def close(self) -> None:
        """Leave to L1 what is on its way."""
        self._posted.give_up()
        self._forewarning.close()

    def start(self) -> None:
        """Post again, from the safe head on; OperationRefused if it does already."""
        if self.is_running:
            raise OperationRefused("batcher is already running")
        self._running.set()
        _log.info("batcher started")

    async def stop(self) -> None:
        """Take no more blocks, and return when what is on its way is on L1, or has failed.

        OperationRefused if it was stopped before, or if L1 takes too long: it is stopped then, too,
        and what the error names may still come to L1.
        """
        if not self.is_running:
            raise OperationRefused("batcher is not running")
        self._running.clear()
        async with self._turn:
            await self._first_of(self._posted.ended(), self._settings.stop_patience_s)
            left = self._posted.on_their_way()
            self._posted.give_up()
            self._forget()
        _log.info("batcher stopped")
        if left:
            raise OperationRefused(
                f"batcher is stopped, but L1 has not taken all within "
                f"{self._settings.stop_patience_s:g} s: {left}, may still be included"
            )

    def flush(self) -> None:
        """Close the open channel at once, whatever its size; OperationRefused if stopped."""
        if not self.is_running:
            raise OperationRefused("batcher is not running")
        self._is_flush_wanted = True
        self._flush_asked.set()

    async def step(self) -> None:
        """Do what can be done now: look after posted channels, take new blocks, post more.

        TemporaryError if a transaction could not be sent.
        """
        heads = self._watcher.heads
        if heads is None:
            return
        self._check_posted()
        self._check_chain()
        self._forewarning.check_account()
        self._forewarning.check_window(heads.latest.number)
        if self._last_taken is None and not self._start(heads.latest.number):
            return
        while self._last_taken is not None and self._may_post():
            before = self._last_taken
            await run_in_thread(partial(self._take_blocks, before, heads.latest.number))
            is_posted = await self._post_if_due(heads.latest.number)
            if not is_posted and self._last_taken in (before, self._reader.heads().unsafe):
                return  # there are no more blocks to take

    async def _rest(self, pause_s: float) -> None:
        """Wait for the next step, or until the open channel is to be closed."""
        try:
            await self._first_of(self._flush_asked.wait(), pause_s)
        finally:
            self._flush_asked.clear()

    async def _first_of(self, awaited: Coroutine[Any, Any, object], limit_s: float) -> None:
        """Return when something has happened, or after so many seconds."""
        waits = [
            asyncio.ensure_future(awaited),
            asyncio.ensure_future(self._clock.sleep_until(self._clock.now() + limit_s)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _start(self, l1_head: int) -> bool:
        """Begin at the safe head, once derivation knows all that L1 had when we asked first."""
        if self._start_height is None:
            self._start_height = l1_head
        current = self._current_l1()
        if current is None or current.number < self._start_height:
            return False
        self._last_taken = self._begun_after = self._reader.heads().safe
        _log.info("posting blocks after %d", self._last_taken.number)
        return True

    def _start_over(self, reason: str) -> None:
        _log.warning("batcher starts again from the safe head: %s", reason)
        self._posted.give_up()
        self._forget()

    def _forget(self) -> None:
        self._builder = self._begun_after = self._last_taken = self._start_height = None

    def _check_posted(self) -> None:
        """Start over if blocks have to be posted again."""
        heads, current = self._reader.heads(), self._current_l1()
        self._posted.review(heads.finalized.number)
        if current is None:
            return
        loss = self._posted.loss(heads.safe.number, current.number, self._watcher.window.at)
        if loss is not None:
            self._start_over(loss)

    def _check_chain(self) -> None:
        """Start over if the chain we took blocks from is no longer the canonical one, or if blocks
        that were safe when we began are not any more: nobody has posted those again.
        """
        last, begun_after, safe = self._last_taken, self._begun_after, self._reader.heads().safe
        if last is None or begun_after is None:
            return
        if self._reader.canonical_hash(last.number) != last.hash:
            self._start_over(f"block {last.number} was replaced")
        elif last.number < safe.number:
            self._start_over("the safe head is ahead")
        elif begun_after.number > safe.number:
            self._start_over(f"the safe head went back to block {safe.number}")

    def _may_post(self) -> bool:
        safe = self._reader.heads().safe.number
        return self._posted.count_above(safe) < self._settings.max_unsafe_channels

    def _take_blocks(self, last: BlockRef, l1_head: int) -> None:
        newest = self._reader.heads().unsafe.number
        end = min(newest, last.number + self._settings.max_blocks_per_step)
        for number in range(last.number + 1, end + 1):
            block = self._reader.block_by_number(BlockNumber(number))
            if block is None or block.header.parent_hash != last.hash:
                return  # replaced under our hands: the next step's check finds it
            if self._builder is None:
                self._builder = self._new_builder(l1_head)
            self._builder.add(block, self._clock.now())
            last = self._last_taken = self._builder.last or last
            if self._builder.is_full:
                return

    def _new_builder(self, l1_head: int) -> ChannelBuilder:
        return ChannelBuilder(
            ChannelId(secrets.token_bytes(CHANNEL_ID_SIZE)),
            self._config,
            self._settings.limits,
            self._settings.batch_type,
            opened_at_l1=l1_head,
            now=self._clock.now(),
        )

    async def _post_if_due(self, l1_head: int) -> bool:
        builder = self._builder
        if builder is None or builder.first is None:
            self._is_flush_wanted = False
            return False
        if not (self._is_flush_wanted or self._is_due(builder, l1_head)):
            return False
        channel, requests = await run_in_thread(partial(self._close, builder))
        self._forewarning.check_funds(requests[0])
        self._post(channel, requests)
        self._builder = None
        return True

    def _is_due(self, builder: ChannelBuilder, l1_head: int) -> bool:
        now = self._clock.now()
        has_all = builder.last == self._reader.heads().unsafe
        return builder.is_due(l1_head, now) or (has_all and builder.is_overdue(now))

    def _close(self, builder: ChannelBuilder) -> tuple[ClosedChannel, list[TransactionRequest]]:
        channel, inbox = builder.close(), self._config.batch_inbox
        if self._settings.data_availability is DataAvailability.CALLDATA:
            return channel, [calldata_request(inbox, data) for data in channel.pieces]
        heads = self._watcher.heads
        l1_time = 0 if heads is None else heads.latest.timestamp
        version = self._l1_chain_config.blob_proof_version(l1_time)
        return channel, blob_requests(inbox, channel.pieces, version)

    def _post(self, channel: ClosedChannel, requests: Sequence[TransactionRequest]) -> None:
        # The sender hands out nonces in the order in which these tasks start, which is this one.
        sends = [asyncio.create_task(self._sender.send(request)) for request in requests]
        self._transactions_made += len(sends)
        self._posted.add(channel, sends)
        _log.info(
            "posting blocks %d to %d in %d transactions",
            channel.first.number,
            channel.last.number,
            len(sends),
        )
