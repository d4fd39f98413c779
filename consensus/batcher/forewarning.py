"""What an operator is told before the batcher cannot do its work any more."""

import asyncio
import logging

from consensus.batcher.channel_builder import batch_of
from consensus.config import RollupConfig
from consensus.l1.tx_sender import TransactionRequest, TxSender
from consensus.l1_info import decode_l1_info_deposit
from node.reader import Reader
from node.types.primitives import Address, BlockNumber, checksum_address

_log = logging.getLogger(__name__)


class Forewarning:
    """Each warning comes once. `low_funds_transactions` are to be affordable at least, and
    `window_warning` is in L1 blocks before a sequencing window ends.
    """

    def __init__(
        self,
        config: RollupConfig,
        reader: Reader,
        sender: TxSender,
        *,
        low_funds_transactions: int,
        window_warning: int,
    ) -> None:
        self._config = config
        self._reader = reader
        self._sender = sender
        self._low_funds_transactions = low_funds_transactions
        self._window_warning = window_warning
        self._is_low_on_funds = False
        self._warned_of_window = -1
        self._look_at_funds: asyncio.Task[None] | None = None
        self._warned_of_batcher: Address | None = None
        self.check_account()

    def check_account(self) -> None:
        """Say so once for each other account that SystemConfig on L1 names as the batcher."""
        batcher = self._batcher()
        if batcher is None or batcher == self._warned_of_batcher:
            return
        self._warned_of_batcher = batcher
        if batcher != self._sender.address:
            _log.warning(
                "posting as %s, but SystemConfig on L1 names %s as the batcher: nothing counts "
                "before it is changed there",
                checksum_address(self._sender.address),
                checksum_address(batcher),
            )

    def check_funds(self, request: TransactionRequest) -> None:
        """Begin to see for how many such transactions the account is good; nobody waits for it."""
        if self._look_at_funds is None or self._look_at_funds.done():
            self._look_at_funds = asyncio.create_task(self._check_funds(request))

    def check_window(self, l1_head: int) -> None:
        """Say so once for each epoch whose blocks may soon be forced to be empty."""
        heads = self._reader.heads()
        if heads.safe.number >= heads.unsafe.number:
            return
        waiting = self._reader.block_by_number(BlockNumber(heads.safe.number + 1))
        if waiting is None:
            return
        epoch = batch_of(waiting).epoch.number
        end = epoch + self._config.seq_window_size
        if l1_head >= end - self._window_warning and epoch > self._warned_of_window:
            self._warned_of_window = epoch
            _log.warning(
                "block %d is not on L1 yet, and its sequencing window ends with L1 block %d (L1 is "
                "at %d): after that it is replaced by an empty one",
                waiting.number,
                end,
                l1_head,
            )

    def close(self) -> None:
        """Look no more."""
        if self._look_at_funds is not None:
            self._look_at_funds.cancel()

    async def _check_funds(self, request: TransactionRequest) -> None:
        left = await self._sender.affordable(request)
        is_low = left < self._low_funds_transactions
        if is_low and not self._is_low_on_funds:
            _log.warning(
                "%s can pay for about %d more batcher transactions on L1: send it some ether",
                checksum_address(self._sender.address),
                left,
            )
        self._is_low_on_funds = is_low

    def _batcher(self) -> Address | None:
        """Return whose data counts by the L1 origin of the unsafe head, None if that is gone."""
        head = self._reader.heads().unsafe
        if head.number == self._config.genesis.l2.number:
            return self._config.genesis.system_config.batcher
        block = self._reader.block_by_hash(head.hash)
        return None if block is None else decode_l1_info_deposit(block).batcher
