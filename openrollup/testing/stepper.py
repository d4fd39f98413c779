"""A network's steps: an L1 block, an L2 block, what is posted, what is derived.

The parts are a running node's own; what is left out is their loops, so that nothing happens between
two steps and everything has happened when one returns.
"""

import asyncio
from dataclasses import fields
from functools import partial

from consensus.batcher.batcher import Batcher
from consensus.derivation.outcomes import NeedsL1
from consensus.sequencer.sequencer import Sequencer
from node.errors import NodeError, ResetError, TemporaryError
from node.genesis.dev_accounts import BATCHER_ACCOUNT
from node.reader import Reader
from node.types.block import Block, BlockRef, Header
from node.types.primitives import BlockNumber, Hash32
from node.types.transaction import Transaction
from node.worker import run_in_thread
from openrollup.rollup_node import RollupNode
from openrollup.testing.errors import DerivationDiffers, DevnetError
from openrollup.testing.nodes import Nodes

# L1 is in this process: what does not work at once hardly ever does.
_ATTEMPTS = 5
_PATIENCE_S = 30.0


class Stepper:
    """Steps the nodes. One step at a time: the caller sees to that."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._l1 = nodes.l1
        self._clock = nodes.clock
        self._batches_arrived = 0
        self._arrival = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        nodes.l1.node.mempool.subscribe(self._on_l1_transaction)

    async def settle(self) -> None:
        """Let both nodes derive all that L1 holds."""
        for node in (self._nodes.sequencer, self._nodes.verifier):
            await _settle(node)

    async def mine(self) -> Block:
        """Build the next L2 block, a block time after its parent.

        An L1 block comes first if the sequencer may not go further from its origin without one.
        """
        node = self._nodes.sequencer
        head = node.driver.sync_status().unsafe_l2
        node.watcher.keep_from(head.l1_origin)
        if node.watcher.window.at(head.l1_origin.number + 1) is None:
            await node.watcher.poll()
        self._pass_until(head.timestamp + self._nodes.rollup.config.block_time)
        outcome = await self._sequencer.step()
        if not isinstance(outcome, Block):
            await self.advance_l1()
            outcome = await self._sequencer.step()
        if not isinstance(outcome, Block):
            raise DevnetError(f"block {head.number + 1} cannot be built: {outcome.reason}")
        return outcome

    async def advance_l1(self, count: int = 1) -> list[Block]:
        """Produce L1 blocks of what is pending there, and let both nodes derive from them.

        They are at L2's time, or a second after their parents.
        """
        blocks = [await self._produce(0) for _ in range(count)]
        await self.settle()
        return blocks

    async def reorg_l1(self, depth: int) -> list[Block]:
        """Replace the newest L1 blocks by one more; their transactions are included again."""
        engine, reader = self._l1.node.engine, self._l1.node.reader
        heads = engine.heads
        highest = heads.unsafe.number - heads.finalized.number
        if not 1 <= depth <= highest:
            raise DevnetError(
                f"depth: expected 1 to {highest}, the L1 blocks that are not final, got {depth}"
            )
        orphan = _header(reader, heads.unsafe.number - depth + 1)
        parent = BlockRef(orphan.parent_hash, BlockNumber(orphan.number - 1))
        safe = min(heads.safe, parent, key=lambda ref: ref.number)
        await run_in_thread(lambda: engine.set_heads(unsafe=parent, safe=safe))
        # With the same time and transactions it would be the same block.
        blocks = [await self._produce(orphan.timestamp + 1)]
        blocks += [await self._produce(0) for _ in range(depth)]
        await self.settle()
        return blocks

    async def post(self) -> None:
        """Let the batcher bring all unsafe blocks (as far as channels go) into L1's pool."""
        batcher = self._batcher
        made, arrived = batcher.transactions_made, self._batches_arrived
        batcher.flush()
        await batcher.step()
        expected = arrived + batcher.transactions_made - made
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while self._batches_arrived < expected:
                    self._arrival.clear()
                    await self._arrival.wait()
        except TimeoutError:
            raise DevnetError(
                f"expected {expected - arrived} batcher transactions in L1's pool, "
                f"{self._batches_arrived - arrived} came within {_PATIENCE_S:.0f} s; the log of "
                "consensus.batcher says why"
            ) from None

    async def derive(self) -> None:
        """Post and produce L1 blocks until the verifier's safe head is the sequencer's unsafe head.

        DerivationDiffers if L1 gives another chain than the sequencer has built up to now.
        """
        built = self._nodes.sequencer.node.reader
        verifier = self._nodes.verifier.node.reader
        head, first = built.heads().unsafe, verifier.heads().safe.number
        hashes = [_hash(built, number) for number in range(first, head.number + 1)]
        await self.settle()
        for _ in range(self._nodes.rollup.config.seq_window_size + 10):
            self._check_derived(first, hashes)
            if verifier.heads().safe.number >= head.number:
                return
            await self.post()
            await self.advance_l1()
        raise DevnetError(
            f"the verifier's safe head is {verifier.heads().safe.number}, expected {head.number}"
        )

    @property
    def _sequencer(self) -> Sequencer:
        sequencer = self._nodes.sequencer.sequencer
        assert sequencer is not None, "it was made as one"
        return sequencer

    @property
    def _batcher(self) -> Batcher:
        batcher = self._nodes.sequencer.batcher
        assert batcher is not None, "a sequencer has a batcher"
        return batcher

    async def _produce(self, not_before: int) -> Block:
        time = max(int(self._clock.now()), not_before)
        executed = await run_in_thread(partial(self._l1.chain.produce, time))
        self._pass_until(executed.block.header.timestamp)
        return executed.block

    def _pass_until(self, time: float) -> None:
        self._clock.advance(max(time - self._clock.now(), 0))

    def _check_derived(self, first: int, hashes: list[Hash32]) -> None:
        """Compare the verifier's safe blocks with those of these hashes, from height `first` on."""
        built, derived = self._nodes.sequencer.node.reader, self._nodes.verifier.node.reader
        safe = derived.heads().safe.number
        for number, block_hash in enumerate(hashes, first):
            if number <= safe and _hash(derived, number) != block_hash:
                one, other = built.block_by_hash(block_hash), derived.block_by_number(_n(number))
                assert one is not None, "blocks are kept when they are unwound"
                assert other is not None, "up to the safe head there are blocks"
                raise DerivationDiffers(_difference(one, other))

    def _on_l1_transaction(self, tx: Transaction) -> None:
        if tx.sender == BATCHER_ACCOUNT.address:
            self._loop.call_soon_threadsafe(self._count_batch)

    def _count_batch(self) -> None:
        self._batches_arrived += 1
        self._arrival.set()


async def _settle(node: RollupNode) -> None:
    """Derive until L1 has no more, and begin again where L1 has changed under our hands."""
    failure: NodeError | None = None
    for _ in range(_ATTEMPTS):
        try:
            await node.watcher.poll()
            if isinstance(failure, ResetError):
                await node.deriver.reset()
            await _derive_all(node)
        except (ResetError, TemporaryError) as error:
            failure = error
        else:
            return
    raise DevnetError(f"derivation did not come to an end in {_ATTEMPTS} attempts") from failure


async def _derive_all(node: RollupNode) -> None:
    heads = node.watcher.heads
    assert heads is not None, "L1 was asked before"
    if node.deriver.current_l1 is None:
        await node.deriver.reset()
    while not isinstance(outcome := await node.deriver.step(), NeedsL1):
        pass
    if outcome.current_l1.hash != heads.latest.hash:
        raise ResetError(
            f"L1 block {outcome.current_l1.number} was read, L1 is at {heads.latest.number} now"
        )
    if heads.finalized is not None:
        await node.deriver.finalize(heads.finalized)


def _difference(built: Block, derived: Block) -> str:
    counts = f"{len(built.transactions)} and {len(derived.transactions)} transactions"
    for field in fields(Header):
        one, other = getattr(built.header, field.name), getattr(derived.header, field.name)
        if one != other:
            return (
                f"block {built.number}: {field.name}: the sequencer built {_shown(one)}, "
                f"L1 gives {_shown(other)} ({counts})"
            )
    raise AssertionError("blocks with different hashes differ in their headers")


def _shown(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def _n(number: int) -> BlockNumber:
    return BlockNumber(number)


def _hash(reader: Reader, number: int) -> Hash32:
    found = reader.canonical_hash(BlockNumber(number))
    assert found is not None, "the chain reaches this height"
    return found


def _header(reader: Reader, number: int) -> Header:
    found = reader.header_by_number(BlockNumber(number))
    assert found is not None, "the chain reaches this height"
    return found
