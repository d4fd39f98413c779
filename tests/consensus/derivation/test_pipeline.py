"""Whole derivation: what a batcher publishes is what a verifier derives."""

import pytest

from tests.consensus.actors import Sequencer, Verifier
from tests.consensus.rollup import publish, rollup_config
from tests.fakes.l1_source import FakeL1


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1()


@pytest.fixture
def sequencer(l1: FakeL1) -> Sequencer:
    return Sequencer(rollup_config(l1), l1)


@pytest.fixture
def verifier(l1: FakeL1, sequencer: Sequencer) -> Verifier:
    return Verifier(sequencer.config, l1)


async def test_published_blocks_are_derived(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine_empty(3)
    await sequencer.build_many(12)
    l1.mine(publish(sequencer.channel(sequencer.batches)))
    outcome = await verifier.derive()
    assert outcome.current_l1 == l1.head
    assert verifier.safe_head == sequencer.head
    assert {d.derived_from for d in verifier.derived} == {l1.head}
