"""Derivation against time: sequencing windows, channel timeouts, sequencer drift."""

from dataclasses import replace

import pytest

from consensus.config import CHANNEL_TIMEOUT, SEQUENCER_DRIFT_S, RollupConfig
from tests.consensus.actors import Sequencer, Verifier
from tests.consensus.rollup import deposit_log, publish, rollup_config, with_logs
from tests.fakes.l1_source import FakeL1, Included

WINDOW = 6


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1()


@pytest.fixture
def config(l1: FakeL1) -> RollupConfig:
    return rollup_config(l1, seq_window_size=WINDOW)


@pytest.fixture
def sequencer(config: RollupConfig, l1: FakeL1) -> Sequencer:
    return Sequencer(config, l1)


@pytest.fixture
def verifier(config: RollupConfig, l1: FakeL1) -> Verifier:
    return Verifier(config, l1)


async def test_silent_batcher(l1: FakeL1, verifier: Verifier) -> None:
    to = verifier.config.batch_inbox
    l1.mine(with_logs(deposit_log(sender=to, to=to, mint=7)))
    l1.mine_empty(3 * WINDOW)
    await verifier.derive()
    # The epochs whose window is over have all the blocks that their time allows.
    assert verifier.safe_head.l1_origin.number == l1.head.number - WINDOW
    assert not any(verifier.user_transactions())
    times = [d.attributes.timestamp for d in verifier.derived]
    assert times == [l1.genesis.timestamp + 2 * n for n in range(1, len(times) + 1)]
    # Deposits cannot be kept out by a sequencer that does not publish.
    first_of_epoch = next(d for d in verifier.derived if d.epoch.number == 101)
    assert len(first_of_epoch.attributes.transactions) == 2


async def test_batcher_returns_after_forced_blocks(l1: FakeL1, verifier: Verifier) -> None:
    l1.mine_empty(2 * WINDOW)
    await verifier.derive()
    forced = len(verifier.derived)
    assert forced > 0
    sequencer = Sequencer(verifier.config, l1)
    sequencer.l2 = verifier.l2
    sequencer.head = verifier.safe_head
    batches = await sequencer.build_many(8)
    l1.mine(publish(sequencer.channel(batches)))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
    assert len(verifier.derived) == forced + 8


@pytest.mark.parametrize(("late", "is_kept"), [(0, True), (1, False)])
async def test_last_l1_block_of_the_window(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier, late: int, is_kept: bool
) -> None:
    batches = await sequencer.build_many(5)
    l1.mine_empty(WINDOW - 1 + late)
    l1.mine(publish(sequencer.channel(batches)))
    await verifier.derive()
    expected = [list(batch.transactions) if is_kept else [] for batch in batches]
    assert verifier.user_transactions()[:5] == expected


async def test_partial_channel_does_not_stop_the_window(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    frames = sequencer.channel(await sequencer.build_many(5), max_frame_size=150)
    l1.mine(publish(frames[:-1]))
    l1.mine_empty(WINDOW - 1)
    l1.mine(publish(frames[-1:]))
    await verifier.derive()
    assert verifier.safe_head.number > 0
    assert not any(verifier.user_transactions())


@pytest.mark.parametrize(("late", "derived"), [(0, 5), (1, 0)])
async def test_channel_timeout(l1: FakeL1, late: int, derived: int) -> None:
    config = rollup_config(l1, seq_window_size=1000)
    sequencer, verifier = Sequencer(config, l1), Verifier(config, l1)
    frames = sequencer.channel(await sequencer.build_many(5), max_frame_size=150)
    l1.mine(publish(frames[:1]))
    l1.mine_empty(CHANNEL_TIMEOUT - 1 + late)
    l1.mine(publish(frames[1:]))
    await verifier.derive()
    assert verifier.safe_head.number == derived
    if not derived:
        l1.mine(publish(frames))
        await verifier.derive()
        assert verifier.safe_head == sequencer.head


async def test_low_throughput(l1: FakeL1, sequencer: Sequencer, verifier: Verifier) -> None:
    for _ in range(5):
        l1.mine_empty(3)
        batches = await sequencer.build_to(l1.head.number)
        l1.mine(publish(sequencer.channel(batches)))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head


async def drifting(
    l1: FakeL1, sequencer: Sequencer, *, transactions_after: int
) -> tuple[list[Included], int]:
    """Build until past the drift of a stalled L1; return the channel and the last good block."""
    last = SEQUENCER_DRIFT_S // sequencer.config.block_time
    for _ in range(last):
        await sequencer.build(epoch=l1.genesis.ref, transactions=0)
    good = sequencer.head.number
    for _ in range(3):
        await sequencer.build(epoch=l1.genesis.ref, transactions=transactions_after)
    return [publish(sequencer.channel(sequencer.batches))], good


@pytest.mark.parametrize(
    ("delay", "transactions", "beyond"),
    [
        (SEQUENCER_DRIFT_S + 100, 0, 3),
        (SEQUENCER_DRIFT_S + 100, 1, 0),
        (SEQUENCER_DRIFT_S + 4, 0, 1),
        (12, 0, 0),
    ],
)
async def test_stalled_l1(
    l1: FakeL1,
    sequencer: Sequencer,
    verifier: Verifier,
    delay: int,
    transactions: int,
    beyond: int,
) -> None:
    channel, good = await drifting(l1, sequencer, transactions_after=transactions)
    l1.mine(timestamp=l1.genesis.timestamp + delay)
    l1.mine(*channel)
    await verifier.derive()
    assert verifier.safe_head.number == good + beyond


async def test_transactions_up_to_the_drift(l1: FakeL1, verifier: Verifier) -> None:
    sequencer = Sequencer(verifier.config, l1)
    last = SEQUENCER_DRIFT_S // sequencer.config.block_time
    for number in range(last + 1):
        await sequencer.build(epoch=l1.genesis.ref, transactions=int(number >= last - 2))
    l1.mine(timestamp=l1.genesis.timestamp + 10_000)
    l1.mine(publish(sequencer.channel(sequencer.batches)))
    await verifier.derive()
    assert verifier.safe_head.number == last
    assert any(verifier.user_transactions()[-1])


async def test_other_sequencer_drift_of_the_config_is_void(l1: FakeL1) -> None:
    config = replace(rollup_config(l1), max_sequencer_drift_s=1, channel_timeout=1)
    sequencer, verifier = Sequencer(config, l1), Verifier(config, l1)
    l1.mine_empty(3)
    frames = sequencer.channel(await sequencer.build_many(5), max_frame_size=150)
    l1.mine(publish(frames[:1]))
    l1.mine_empty(3)
    l1.mine(publish(frames[1:]))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
