"""A rollup's life, drawn at random: traffic, a batcher of many habits, reorgs, outages, restarts.

What must hold all along: two nodes that have read the same L1 have the same safe head, and a
sequencer's chain holds its own safe head. In the end all that was built is safe, at a node with an
empty store too.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable

from consensus.batcher.batcher import BatcherSettings
from consensus.batcher.channel_builder import BatchType, ChannelLimits
from consensus.batcher.data_availability import DataAvailability
from consensus.sequencer.sequencer import SequencerSettings
from consensus.system_config import encode_scalar
from node.clock import VirtualClock
from node.errors import ResetError, TemporaryError
from node.types.block import Block
from node.types.primitives import Address, BlockNumber
from node.types.transaction import address_of_key, sign_dynamic_fee
from tests.consensus.passing_time import settle
from tests.consensus.rollup import (
    USER_KEY,
    batcher_transaction,
    config_log,
    deposit_log,
    with_logs,
    word,
)
from tests.consensus.rollup_node import FRIEND, RollupNode, make_genesis
from tests.fakes.l1_source import Included
from tests.fakes.pool_l1 import PoolL1

FINAL_DEPTH = 12
_CODES = (
    bytes.fromhex("600160005560006000f3"),  # stores, returns no code
    bytes.fromhex("60006000fd"),  # reverts
    bytes.fromhex("5b600056"),  # runs out of gas
)


class Walk:
    """One life. `steps` counts what happened; the batcher's channel ids alone are not drawn."""

    def __init__(self, seed: int) -> None:
        choice = self._choice = random.Random(seed)
        self.l1 = PoolL1(block_time=choice.choice((2, 12, 12)))
        window = choice.choice((15, 40, 200))
        self._config, self._genesis = make_genesis(self.l1, seq_window_size=window)
        self._clock = VirtualClock(self.l1.genesis.timestamp)
        self._confirmations = choice.choice((0, 0, 2))
        self.sequencer = self._node()
        self.verifier = self._node()
        self._batcher_settings = self._draw_settings()
        self._batcher = self.sequencer.batcher(self._batcher_settings)
        self.steps: Counter[str] = Counter()
        self._events: dict[Callable[[], Awaitable[None]], int] = {
            self.tick: 40,
            self.traffic: 10,
            self.lost_l1_block: 4,
            self.reorg: 6,
            self.other_batcher: 5,
            self.restart_batcher: 4,
            self.restart_sequencer: 4,
            self.restart_verifier: 4,
            self.forgotten_pool: 3,
            self.stray_data: 2,
            self.outage: 3,
            self.long_silence: 1,
        }

    async def run(self, events: int = 40) -> None:
        """Live through so many events, then let everything come to rest and compare."""
        try:
            for _ in range(events):
                (event,) = self._choice.choices(list(self._events), list(self._events.values()))
                self.steps[event.__name__] += 1
                await event()
            await self._finish()
        finally:
            self._batcher.close()
            await settle()
            for node in (self.sequencer, self.verifier):
                node.close()

    async def tick(self) -> None:
        """An L1 block with what is in the pool, and what everybody makes of it."""
        limit = self._choice.choice((0, 1, 2, 100, 100, 100))
        self.l1.mine_pool(limit, self._l1_events())
        await self._go_on()

    async def traffic(self) -> None:
        """Transactions of a user: transfers, creations, failures, much data."""
        mempool = self.sequencer.mempool
        for _ in range(self._choice.randrange(1, 6)):
            nonce = mempool.pending_nonce(address_of_key(USER_KEY))
            mempool.add(self._transaction(nonce))

    async def lost_l1_block(self) -> None:
        """L1 does without the batcher for a block."""
        self.l1.mine(*self._l1_events())
        await self._go_on()

    async def reorg(self) -> None:
        """Some L1 blocks are replaced; their transactions are lost, or come in other blocks."""
        floor = self.l1.genesis.number if self._final is None else self._final
        depth = min(self._choice.choice((1, 1, 2, 3, 8)), self.l1.head.number - floor)
        first = self.l1.head.number - depth + 1
        orphans = [self.l1._blocks[self.l1.at(n).hash] for n in range(first, first + depth)]
        self.l1.fork(first - 1)
        again = [tx for block in orphans for tx in block.transactions]
        if self._choice.random() < 0.5:
            again = []
        for _ in range(depth + 1):
            cut = self._choice.randrange(len(again) + 1)
            self.l1.mine(*(Included(tx) for tx in again[:cut]), *self._l1_events())
            del again[:cut]
        await self._go_on()

    async def other_batcher(self) -> None:
        """The batcher comes back with other habits: batches, place, sizes."""
        self._batcher_settings = self._draw_settings()
        await self.restart_batcher()

    async def restart_batcher(self) -> None:
        """What it sent is left to L1."""
        self._batcher.close()
        await settle()
        self._batcher = self.sequencer.batcher(self._batcher_settings)

    async def restart_sequencer(self) -> None:
        """Its store is all that is left; by chance, not even that."""
        self.sequencer = self._restarted(self.sequencer)
        await self.restart_batcher()
        await self._follow(self.sequencer)

    async def restart_verifier(self) -> None:
        """The same."""
        self.verifier = self._restarted(self.verifier)
        if self._choice.random() < 0.5:
            await self._follow(self.verifier)

    async def forgotten_pool(self) -> None:
        """L1's pool is empty all of a sudden."""
        self.l1.drop_pool()

    async def stray_data(self) -> None:
        """Somebody has the batcher's key: garbage, by a nonce that the batcher wanted to use."""
        nonce = self._choice.randrange(1000)
        raw = self._choice.choice((b"", b"\0", self._choice.randbytes(60)))
        self.l1.mine(Included(batcher_transaction(raw, nonce=nonce)))
        await self._go_on()

    async def outage(self) -> None:
        """L1 does not answer some questions, wherever that hurts."""
        for _ in range(self._choice.randrange(1, 4)):
            self.l1.fail(self._choice.randrange(1, 9), after=self._choice.randrange(30))
            await self._go_on()

    async def long_silence(self) -> None:
        """No batch for longer than a sequencing window may be."""
        for _ in range(self._choice.choice((5, 20, 45))):
            self.l1.mine()
        await self._go_on()

    @property
    def _final(self) -> int | None:
        return self.l1._labels.get("finalized")

    async def _go_on(self) -> None:
        """Let time pass on all sides."""
        self._clock.advance(12)
        await settle()
        final = self.l1.head.number - FINAL_DEPTH
        if final > (self._final or self.l1.genesis.number) and self._choice.random() < 0.3:
            self.l1.set_label("finalized", final)
        await self._follow(self.sequencer)
        if self._choice.random() < 0.7:
            await self._follow(self.verifier)
            assert self.verifier.reader.heads().safe == self.sequencer.reader.heads().safe
        await self._build()
        await self._batch()

    async def _follow(self, node: RollupNode) -> None:
        """Derive all that L1 holds, as the driver does: begin again, and try again."""
        is_reset_wanted = False
        while True:
            try:
                if is_reset_wanted:
                    await node.deriver.reset()
                    is_reset_wanted = False
                await node.derive()
                current = node.deriver.current_l1
                if current is None or current.hash != self.l1.head.hash:
                    raise ResetError("L1 has another block there")
                if self._final is not None:
                    await node.deriver.finalize(self.l1.at(self._final))
                break
            except ResetError:
                is_reset_wanted = True
            except TemporaryError:
                continue
        heads = node.reader.heads()
        assert node.reader.canonical_hash(heads.safe.number) == heads.safe.hash

    async def _build(self) -> None:
        """Build blocks up to L1's time, some of them, or a few more."""
        node, ahead = self.sequencer, self._choice.choice((-30, 0, 0, 0, 4, 40))
        for _ in range(60):
            head = await node.l2.unsafe()
            if head.timestamp >= self.l1.head.timestamp + ahead:
                return
            try:
                node.watcher.keep_from(head.l1_origin)
                await node.watcher.poll()
                outcome = await node.sequencer.step()
            except TemporaryError:
                continue
            if not isinstance(outcome, Block):
                return
            if self._choice.random() < 0.15:
                await self.traffic()

    async def _batch(self) -> None:
        try:
            await self.sequencer.watcher.poll()
            await self._batcher.step()
        except TemporaryError as error:
            self._batcher._start_over(str(error))
        await settle()

    async def _finish(self) -> None:
        """Post what there is; then everybody has it, a newcomer too."""
        await self._go_on()
        safe, ticks_without_progress = -1, 0
        while ticks_without_progress < 60:
            self.l1.mine_pool()
            self._clock.advance(12)
            await settle()
            await self._follow(self.sequencer)
            await self._batch()
            heads = self.sequencer.reader.heads()
            if heads.safe.number >= heads.unsafe.number:
                break
            ticks_without_progress += 1
            if heads.safe.number > safe:
                safe, ticks_without_progress = heads.safe.number, 0
        else:
            raise AssertionError(f"block {heads.unsafe.number} is not safe, {safe} is")
        newcomer = self._node()
        try:
            for node in (self.verifier, newcomer):
                await self._follow(node)
                self._check_same_chain(node)
        finally:
            newcomer.close()

    def _check_same_chain(self, node: RollupNode) -> None:
        ours, theirs = self.sequencer.reader, node.reader
        assert ours.heads().safe == theirs.heads().safe
        for number in range(1, ours.heads().safe.number + 1):
            hashes = [r.canonical_hash(BlockNumber(number)) for r in (ours, theirs)]
            assert hashes[0] == hashes[1], f"block {number}"
        self.steps["safe blocks"] += ours.heads().safe.number

    def _node(self) -> RollupNode:
        settings = SequencerSettings(l1_confirmations=self._confirmations)
        return RollupNode(self.l1, self._config, self._genesis, self._clock, settings=settings)

    def _restarted(self, node: RollupNode) -> RollupNode:
        if self._choice.random() < 0.15:
            node.close()
            return self._node()
        return RollupNode(
            self.l1, node.config, node.genesis, self._clock, node.database, node.settings
        )

    def _draw_settings(self) -> BatcherSettings:
        choice = self._choice
        limits = ChannelLimits(
            max_bytes=choice.choice((150, 2000, 480_000)),
            max_frame_bytes=choice.choice((200, 400, 1000, 120_000)),
            max_age_l1_blocks=choice.choice((1, 1, 3, 8)),
            window_margin=choice.choice((2, 10)),
        )
        # A blob takes a tenth of a second.
        is_blobs = choice.random() < 0.15 and limits.max_frame_bytes > 200
        return BatcherSettings(
            limits=limits,
            batch_type=choice.choice(list(BatchType)),
            data_availability=DataAvailability.BLOBS if is_blobs else DataAvailability.CALLDATA,
            max_unsafe_channels=choice.choice((1, 4, 8)),
            max_blocks_per_step=choice.choice((3, 500)),
        )

    def _l1_events(self) -> list[Included]:
        logs = []
        if self._choice.random() < 0.3:
            to = Address(self._choice.randbytes(20))
            sender = address_of_key(USER_KEY)
            logs.append(deposit_log(sender=sender, to=to, mint=5, value=3, data=b"\1"))
        if self._choice.random() < 0.1:
            scalars = encode_scalar(self._choice.randrange(2000), self._choice.randrange(10**6))
            logs.append(config_log(1, word(0) + scalars))
        if self._choice.random() < 0.05:
            logs.append(config_log(2, word(self._choice.choice((10**7, 3 * 10**7)))))
        return [with_logs(*logs)] if logs else []

    def _transaction(self, nonce: int) -> bytes:
        choice = self._choice
        is_creation = choice.random() < 0.2
        data = (
            choice.choice(_CODES) if is_creation else choice.randbytes(choice.choice((0, 40, 900)))
        )
        return sign_dynamic_fee(
            USER_KEY,
            chain_id=901,
            nonce=nonce,
            max_priority_fee_per_gas=1,
            max_fee_per_gas=10**10,
            gas=120_000,
            to=None if is_creation else FRIEND,
            value=0 if is_creation else 1,
            data=data,
        ).raw


def described(walk: Walk) -> str:
    """Return what happened, in a line."""
    return ", ".join(f"{count} {what}" for what, count in sorted(walk.steps.items()))
