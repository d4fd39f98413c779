"""Publishing unsafe blocks to L1 until they are safe: in order, without a gap, again if lost."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from consensus.batcher.channel_builder import (
    BatchType,
    ChannelBuilder,
    ChannelLimits,
    ClosedChannel,
    batch_of,
)
from consensus.batcher.data_availability import (
    DataAvailability,
    blob_requests,
    calldata_request,
)
from consensus.block_refs import L1BlockRef
from consensus.codec.frame import CHANNEL_ID_SIZE, ChannelId
from consensus.config import RollupConfig
from consensus.l1.chain_config import L1ChainConfig
from consensus.l1.client import TransactionInclusion
from consensus.l1.tx_sender import TransactionRequest, TxSender
from consensus.l1.watcher import L1Watcher
from node.clock import Clock
from node.errors import ConfigError, OperationRefused, TemporaryError
from node.reader import Reader
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, checksum_address

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatcherSettings:
    """`lost_after_l1_blocks`: how far derivation may read past a channel that it did not accept.

    `max_unsafe_channels` are on their way at a time, `max_blocks_per_step` are taken at once, and
    `retry_s` seconds pass after a failure. It warns when its funds are good for fewer than
    `low_funds_transactions`, and `window_warning` L1 blocks before a sequencing window ends.
    """

    limits: ChannelLimits = field(default_factory=ChannelLimits)
    batch_type: BatchType = BatchType.SPAN
    data_availability: DataAvailability = DataAvailability.CALLDATA
    poll_interval_s: float = 0.5
    retry_s: float = 5.0
    max_unsafe_channels: int = 8
    max_blocks_per_step: int = 500
    lost_after_l1_blocks: int = 3
    low_funds_transactions: int = 50
    window_warning: int = 20


@dataclass(slots=True)
class _Posted:
    """A closed channel that L1 may still lose. `included_at` is the L1 height of its last frame."""

    first: BlockRef
    last: BlockRef
    sends: Sequence[asyncio.Task[TransactionInclusion]]
    included_at: int | None = None


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
        self._warn_of_another_batcher()
        self._builder: ChannelBuilder | None = None
        self._posted: list[_Posted] = []
        self._last_taken: BlockRef | None = None
        self._start_height: int | None = None
        self._turn = asyncio.Lock()
        self._running = asyncio.Event()
        self._running.set()
        self._is_flush_wanted = False
        self._flush_asked = asyncio.Event()
        self._transactions_made = 0
        self._is_low_on_funds = False
        self._warned_of_window = -1

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
        self._cancel_sends()

    def start(self) -> None:
        """Post again, from the safe head on; OperationRefused if it does already."""
        if self.is_running:
            raise OperationRefused("batcher is already running")
        self._running.set()
        _log.info("batcher started")

    async def stop(self) -> None:
        """Take no more blocks, and return when what is on its way is on L1, or has failed.

        OperationRefused if it was stopped before.
        """
        if not self.is_running:
            raise OperationRefused("batcher is not running")
        self._running.clear()
        async with self._turn:
            sends = [send for channel in self._posted for send in channel.sends]
            if sends:
                await asyncio.wait(sends)
            self._forget()
        _log.info("batcher stopped")

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
        self._review_posted()
        self._check_chain()
        self._check_window(heads.latest.number)
        if self._last_taken is None and not self._start(heads.latest.number):
            return
        while self._last_taken is not None and self._may_post():
            await asyncio.to_thread(self._take_blocks, self._last_taken, heads.latest.number)
            if not await self._post_if_due(heads.latest.number):
                return

    async def _rest(self, pause_s: float) -> None:
        """Wait for the next step, or until the open channel is to be closed."""
        waits = [
            asyncio.ensure_future(self._clock.sleep_until(self._clock.now() + pause_s)),
            asyncio.ensure_future(self._flush_asked.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._flush_asked.clear()
            for wait in waits:
                wait.cancel()

    def _warn_of_another_batcher(self) -> None:
        first = self._config.genesis.system_config.batcher
        if self._sender.address != first:
            _log.warning(
                "posting as %s, but the rollup began with batcher %s: nothing counts unless "
                "SystemConfig on L1 was changed to it",
                checksum_address(self._sender.address),
                checksum_address(first),
            )

    def _start(self, l1_head: int) -> bool:
        """Begin at the safe head, once derivation knows all that L1 had when we asked first."""
        if self._start_height is None:
            self._start_height = l1_head
        current = self._current_l1()
        if current is None or current.number < self._start_height:
            return False
        self._last_taken = self._reader.heads().safe
        _log.info("posting blocks after %d", self._last_taken.number)
        return True

    def _start_over(self, reason: str) -> None:
        _log.warning("batcher starts again from the safe head: %s", reason)
        self._cancel_sends()
        self._forget()

    def _forget(self) -> None:
        self._posted.clear()
        self._builder = self._last_taken = self._start_height = None

    def _cancel_sends(self) -> None:
        for channel in self._posted:
            for send in channel.sends:
                send.cancel()

    def _review_posted(self) -> None:
        """Note inclusions, forget what is final; start over if derivation passed by a channel."""
        heads, current = self._reader.heads(), self._current_l1()
        self._posted = [
            channel for channel in self._posted if channel.last.number > heads.finalized.number
        ]
        for channel in self._posted:
            self._note_inclusion(channel)
            if channel.included_at is None or channel.last.number <= heads.safe.number:
                continue
            limit = channel.included_at + self._settings.lost_after_l1_blocks
            if current is not None and current.number > limit:
                self._start_over(
                    f"blocks {channel.first.number} to {channel.last.number} were in L1 block "
                    f"{channel.included_at}, but were not derived from it"
                )
                return

    @staticmethod
    def _note_inclusion(channel: _Posted) -> None:
        finished = [send.result() for send in channel.sends if send.done()]
        if channel.included_at is not None or len(finished) < len(channel.sends):
            return
        channel.included_at = max(inclusion.block.number for inclusion in finished)
        channel.sends = ()
        _log.info(
            "blocks %d to %d are on L1, in block %d",
            channel.first.number,
            channel.last.number,
            channel.included_at,
        )

    def _check_chain(self) -> None:
        """Start over if the chain we took blocks from is no longer the canonical one."""
        last = self._last_taken
        if last is None:
            return
        if self._reader.canonical_hash(last.number) != last.hash:
            self._start_over(f"block {last.number} was replaced")
        elif last.number < self._reader.heads().safe.number:
            self._start_over("the safe head is ahead")

    def _check_window(self, l1_head: int) -> None:
        """Say so once for each epoch whose blocks may soon be forced to be empty."""
        heads = self._reader.heads()
        if heads.safe.number >= heads.unsafe.number:
            return
        waiting = self._reader.block_by_number(BlockNumber(heads.safe.number + 1))
        if waiting is None:
            return
        epoch = batch_of(waiting).epoch.number
        end = epoch + self._config.seq_window_size
        if l1_head >= end - self._settings.window_warning and epoch > self._warned_of_window:
            self._warned_of_window = epoch
            _log.warning(
                "block %d is not on L1 yet, and its sequencing window ends with L1 block %d (L1 is "
                "at %d): after that it is replaced by an empty one",
                waiting.number,
                end,
                l1_head,
            )

    def _may_post(self) -> bool:
        safe = self._reader.heads().safe.number
        unsafe_channels = sum(channel.last.number > safe for channel in self._posted)
        return unsafe_channels < self._settings.max_unsafe_channels

    def _take_blocks(self, last: BlockRef, l1_head: int) -> None:
        newest = self._reader.heads().unsafe.number
        end = min(newest, last.number + self._settings.max_blocks_per_step)
        for number in range(last.number + 1, end + 1):
            block = self._reader.block_by_number(BlockNumber(number))
            if block is None or block.header.parent_hash != last.hash:
                return  # replaced under our hands: the next step's check finds it
            if self._builder is None:
                self._builder = self._new_builder(l1_head)
            if not self._builder.add(block, self._clock.now()):
                return
            last = self._last_taken = block.header.ref
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
        if not (self._is_flush_wanted or builder.is_due(l1_head, self._clock.now())):
            return False
        channel, requests = await asyncio.to_thread(self._close, builder)
        await self._check_funds(requests[0])
        self._post(channel, requests)
        self._builder = None
        return True

    def _close(self, builder: ChannelBuilder) -> tuple[ClosedChannel, list[TransactionRequest]]:
        channel, inbox = builder.close(), self._config.batch_inbox
        if self._settings.data_availability is DataAvailability.CALLDATA:
            return channel, [calldata_request(inbox, data) for data in channel.pieces]
        heads = self._watcher.heads
        l1_time = 0 if heads is None else heads.latest.timestamp
        version = self._l1_chain_config.blob_proof_version(l1_time)
        return channel, blob_requests(inbox, channel.pieces, version)

    async def _check_funds(self, request: TransactionRequest) -> None:
        """Say once that the account runs dry, while there is time to do something about it."""
        left = await self._sender.affordable(request)
        is_low = left < self._settings.low_funds_transactions
        if is_low and not self._is_low_on_funds:
            _log.warning(
                "%s can pay for about %d more batcher transactions on L1: send it some ether",
                checksum_address(self._sender.address),
                left,
            )
        self._is_low_on_funds = is_low

    def _post(self, channel: ClosedChannel, requests: Sequence[TransactionRequest]) -> None:
        # The sender hands out nonces in the order in which these tasks start, which is this one.
        sends = [asyncio.create_task(self._sender.send(request)) for request in requests]
        for send in sends:
            send.add_done_callback(_look_at_outcome)
        self._transactions_made += len(sends)
        self._posted.append(_Posted(channel.first, channel.last, sends))
        _log.info(
            "posting blocks %d to %d in %d transactions",
            channel.first.number,
            channel.last.number,
            len(sends),
        )


def _look_at_outcome(send: asyncio.Task[TransactionInclusion]) -> None:
    # A send that was given up with others of its channel may have failed unnoticed.
    if not send.cancelled() and (error := send.exception()) is not None:
        _log.debug("a batcher transaction failed: %s", error)
