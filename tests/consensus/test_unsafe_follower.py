"""Unsafe blocks from a sequencer: taken, refused, replaced, and confirmed by L1 later."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from consensus.unsafe_follower import FollowerSettings, UnsafeFollower
from node.clock import VirtualClock
from node.errors import TemporaryError
from node.types.block import Block, BlockRef
from node.types.deposit import make_deposit
from node.types.primitives import Address, BlockNumber, keccak256
from tests.consensus.rollup import L1_CHAIN
from tests.consensus.rollup_node import RollupNode, make_genesis
from tests.fakes.pool_l1 import PoolL1


@dataclass
class Source:
    """A sequencer whose answers a test can change; `forged` replaces blocks by number."""

    node: RollupNode
    forged: dict[int, Block] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    is_down: bool = False

    async def head(self) -> BlockRef:
        if self.is_down:
            raise TemporaryError("the sequencer is down")
        unsafe = self.node.reader.heads().unsafe
        forged = self.forged.get(unsafe.number)
        return unsafe if forged is None else forged.header.ref

    async def block(self, number: int) -> Block:
        self.asked.append(number)
        block = self.forged.get(number) or self.node.reader.block_by_number(BlockNumber(number))
        if block is None:
            raise TemporaryError(f"no block {number}")
        return block


class Scene:
    """A sequencer, and a verifier that follows it."""

    def __init__(self) -> None:
        self.l1 = PoolL1()
        config, genesis = make_genesis(self.l1, seq_window_size=30)
        self.clock = VirtualClock(self.l1.genesis.timestamp)
        self.node = RollupNode(self.l1, config, genesis, self.clock)
        self.verifier = RollupNode(self.l1, config, genesis, self.clock)
        self.source = Source(self.node)
        self.follower = self.follow(FollowerSettings(poll_interval_s=0, refusal_s=0))
        self._nonce = 0

    def follow(self, settings: FollowerSettings) -> UnsafeFollower:
        verifier = self.verifier
        return UnsafeFollower(
            verifier.config,
            verifier.genesis.config,
            L1_CHAIN,
            self.l1,
            verifier.l2,
            verifier.reader,
            verifier.gate,
            self.source,
            self.clock,
            settings,
        )

    async def build(self, count: int) -> None:
        for _ in range(count):
            self.node.send(self._nonce)
            self._nonce += 1
            await self.node.build()

    @property
    def unsafe(self) -> int:
        return self.verifier.reader.heads().unsafe.number

    def check_equal(self, number: int) -> None:
        assert self.unsafe == number
        ours = self.verifier.reader.canonical_hash(BlockNumber(number))
        assert ours == self.node.reader.canonical_hash(BlockNumber(number))

    def newest(self) -> Block:
        block = self.node.reader.block_by_hash(self.node.reader.heads().unsafe.hash)
        assert block is not None
        return block

    def forge(self, block: Block) -> None:
        self.source.forged[block.number] = block

    def close(self) -> None:
        self.node.close()
        self.verifier.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.close()


async def test_unsafe_blocks_are_taken(scene: Scene) -> None:
    scene.l1.mine_empty(2)
    await scene.build(5)
    await scene.follower.step()
    scene.check_equal(5)
    assert scene.verifier.reader.heads().safe.number == 0
    scene.source.asked.clear()
    await scene.follower.step()
    assert scene.source.asked == []
    await scene.build(1)
    await scene.follower.step()
    scene.check_equal(6)


async def test_many_blocks_take_several_steps(scene: Scene) -> None:
    await scene.build(7)
    follower = scene.follow(FollowerSettings(poll_interval_s=0, blocks_per_step=3))
    heights = []
    for _ in range(3):
        await follower.step()
        heights.append(scene.unsafe)
    assert heights == [3, 6, 7]


async def test_blocks_that_the_sequencer_replaced(scene: Scene) -> None:
    await scene.build(4)
    await scene.follower.step()
    back = scene.node.reader.block_by_number(BlockNumber(2))
    assert back is not None
    await scene.node.gate.run(lambda engine: engine.set_heads(unsafe=back.header.ref))
    scene.l1.mine_empty(1)
    for _ in range(3):
        await scene.node.build()
    await scene.follower.step()
    scene.check_equal(5)


async def test_a_sequencer_that_lags_behind_is_not_followed_back(scene: Scene) -> None:
    await scene.build(4)
    await scene.follower.step()
    two = scene.node.reader.block_by_number(BlockNumber(2))
    assert two is not None
    await scene.node.gate.run(lambda engine: engine.set_heads(unsafe=two.header.ref))
    await scene.follower.step()
    assert scene.unsafe == 4


async def test_an_origin_that_our_l1_does_not_know_is_waited_for(scene: Scene) -> None:
    scene.l1.mine_empty(1)
    await scene.build(6)
    number = scene.newest().number
    # The verifier's L1 is one block behind the sequencer's.
    hidden = scene.l1._canonical.pop()
    await scene.follower.step()
    behind = scene.unsafe
    assert behind < number
    scene.l1._canonical.append(hidden)
    await scene.follower.step()
    scene.check_equal(number)


def resealed(block: Block, **changes: object) -> Block:
    """Change header fields, with a hash that fits."""
    return Block(replace(block.header, **changes), block.transactions)  # type: ignore[arg-type]


def with_transactions(block: Block, *transactions: object) -> Block:
    return Block(block.header, transactions)  # type: ignore[arg-type]


DEPOSIT = make_deposit(
    source_hash=keccak256(b"forged"),
    sender=Address(b"\x01" * 20),
    to=None,
    mint=10**18,
    value=0,
    gas=21_000,
    data=b"",
)
FORGERIES = {
    "timestamp": lambda b: resealed(b, timestamp=b.header.timestamp + 1),
    "miner": lambda b: resealed(b, coinbase=Address(b"\x01" * 20)),
    "gasLimit": lambda b: resealed(b, gas_limit=b.header.gas_limit + 1),
    "mixHash": lambda b: resealed(b, prev_randao=keccak256(b"other")),
    "extraData": lambda b: resealed(b, extra_data=bytes(9)),
    "stateRoot": lambda b: resealed(b, state_root=keccak256(b"other")),
    "holds a deposit": lambda b: with_transactions(b, *b.transactions, DEPOSIT),
    "L1-attributes": lambda b: with_transactions(b, *b.transactions[1:]),
    "transactionsRoot": lambda b: with_transactions(b, b.transactions[0]),
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_forged_blocks_are_refused_and_told_once(
    scene: Scene, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.build(3)
    honest = scene.newest()
    scene.forge(FORGERIES[name](honest))
    if name in ("holds a deposit", "L1-attributes", "transactionsRoot"):
        await scene.build(1)  # a block's hash does not cover its transactions: others lead to it
    for _ in range(3):
        await scene.follower.step()
    assert scene.unsafe == 2
    told = [r.message for r in caplog.records if "unsafe blocks are not followed" in r.message]
    assert len(told) == 1
    assert name in told[0]
    scene.source.forged.clear()
    await scene.follower.step()
    scene.check_equal(scene.newest().number)


async def test_a_chain_that_contradicts_the_safe_head(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.build(3)
    await scene.follower.step()
    safe = scene.verifier.reader.block_by_number(BlockNumber(2))
    assert safe is not None
    await scene.verifier.gate.run(lambda engine: engine.set_heads(safe=safe.header.ref))
    one = scene.node.reader.block_by_number(BlockNumber(1))
    assert one is not None
    await scene.node.gate.run(lambda engine: engine.set_heads(unsafe=one.header.ref))
    for _ in range(4):
        await scene.node.build()
    await scene.follower.step()
    assert "block 2 is safe as 0x" in caplog.text
    assert scene.unsafe == 3


async def test_outages_are_temporary(scene: Scene) -> None:
    await scene.build(2)
    scene.source.is_down = True
    with pytest.raises(TemporaryError, match="down"):
        await scene.follower.step()
    scene.source.is_down = False
    await scene.follower.step()
    scene.check_equal(2)
