"""Whatever is on L1: all verifiers derive the same chain, however they came to read it."""

import asyncio
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.codec.frame import Frame
from node.errors import TemporaryError
from tests.consensus.actors import Sequencer, Verifier
from tests.consensus.rollup import (
    OTHER_KEY,
    batcher_transaction,
    config_log,
    deposit_log,
    publish,
    rollup_config,
    with_logs,
    word,
)
from tests.fakes.l1_source import FakeL1, Included


async def careless_batcher(
    sequencer: Sequencer, choice: random.Random, frames: list[Frame]
) -> list[Included]:
    """Return the transactions of one L1 block: good, lost, doubled, shuffled and senseless."""
    included: list[Included] = []
    if choice.random() < 0.7:
        await sequencer.build_many(choice.randrange(1, 9))
        picked = sequencer.batches[-choice.choice([5, 20, 100]) :]
        if choice.random() < 0.2:
            choice.shuffle(picked)
        frames += sequencer.channel(picked, max_frame_size=choice.choice([150, 400, 9000]))
    if choice.random() < 0.2:
        choice.shuffle(frames)
    while frames and choice.random() < 0.8:
        count = choice.randrange(1, 5)
        key = {} if choice.random() < 0.95 else {"key": OTHER_KEY}
        included.append(publish(frames[:count], **key))
        if choice.random() < 0.9:
            del frames[:count]
    if choice.random() < 0.1:
        included.append(Included(batcher_transaction(choice.randbytes(40))))
    if choice.random() < 0.2:
        to = sequencer.config.batch_inbox
        included.append(with_logs(deposit_log(sender=to, to=to, mint=choice.randrange(9))))
    if choice.random() < 0.1:
        kind = choice.randrange(1, 9)
        included.append(with_logs(config_log(kind, word(choice.randrange(10**8)))))
    return included


async def derive_despite_failures(verifier: Verifier) -> None:
    while True:
        try:
            await verifier.derive()
        except TemporaryError:
            continue
        return


async def run(seed: int) -> None:
    choice = random.Random(seed)
    l1 = FakeL1(block_time=choice.choice([1, 3, 12]))
    config = rollup_config(l1, seq_window_size=choice.choice([2, 5, 30]))
    sequencer, follower = Sequencer(config, l1), Verifier(config, l1)
    frames: list[Frame] = []
    for _ in range(25):
        if follower.safe_head.hash not in sequencer.l2.refs or choice.random() < 0.1:
            # What was published came too late or was lost: go on from what is safe.
            sequencer.l2, sequencer.head = follower.l2, follower.safe_head
            sequencer.batches.clear()
        l1.mine(*await careless_batcher(sequencer, choice, frames))
        l1.fail_every(choice.choice([0, 3, 5]))
        await derive_despite_failures(follower)
        l1.fail_every(0)
    late = Verifier(config, l1)
    await late.derive()
    assert late.derived == follower.derived
    assert late.safe_head == follower.safe_head
    times = [derived.attributes.timestamp for derived in late.derived]
    assert times == [config.genesis.l2_time + 2 * n for n in range(1, len(times) + 1)]


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_all_verifiers_agree(seed: int) -> None:
    asyncio.run(run(seed))
