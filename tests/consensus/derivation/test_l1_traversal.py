"""Walking L1."""

from dataclasses import replace

import pytest

from consensus.block_refs import L1BlockRef
from consensus.derivation.outcomes import Drained, NeedsL1
from node.errors import ResetError, TemporaryError
from tests.consensus.derivation.stages import Stages, make_stages
from tests.consensus.rollup import config_log, rollup_config, with_logs, word
from tests.fakes.l1_source import FakeL1


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1()


@pytest.fixture
def stages(l1: FakeL1) -> Stages:
    return make_stages(rollup_config(l1), l1)


async def test_each_block_once(l1: FakeL1, stages: Stages) -> None:
    l1.mine_empty(2)
    seen = [await stages.traversal.next_l1_block()]
    assert await stages.traversal.next_l1_block() == Drained(l1.genesis)
    for _ in range(2):
        assert isinstance(await stages.traversal.advance(), L1BlockRef)
        seen.append(await stages.traversal.next_l1_block())
        assert await stages.traversal.next_l1_block() == Drained(stages.traversal.current_l1)
    assert seen == [l1.at(100), l1.at(101), l1.at(102)]


async def test_waits_at_the_head(l1: FakeL1, stages: Stages) -> None:
    assert await stages.traversal.advance() == NeedsL1(l1.genesis)
    block = l1.mine()
    assert await stages.traversal.advance() == block
    assert await stages.traversal.advance() == NeedsL1(block)


async def test_reorg_is_a_reset(l1: FakeL1, stages: Stages) -> None:
    l1.mine()
    await stages.traversal.advance()
    l1.fork(100)
    assert isinstance(await stages.traversal.advance(), NeedsL1)
    l1.mine_empty(2)
    with pytest.raises(ResetError, match="L1 reorg: expected block 102 on"):
        await stages.traversal.advance()


async def test_config_updates_apply_from_their_block_on(l1: FakeL1, stages: Stages) -> None:
    l1.mine(with_logs(config_log(2, word(5)), config_log(99, word(5))))
    before = stages.traversal.system_config
    await stages.traversal.advance()
    assert stages.traversal.system_config == replace(before, gas_limit=5)


async def test_temporary_failure_changes_nothing(l1: FakeL1, stages: Stages) -> None:
    block = l1.mine(with_logs(config_log(2, word(5))))
    # Once while asking for the block, once while asking for its receipts.
    for _ in range(2):
        l1.fail(1)
        with pytest.raises(TemporaryError):
            await stages.traversal.advance()
        assert stages.traversal.current_l1 == l1.genesis
        assert stages.traversal.system_config == stages.start.system_config
    assert await stages.traversal.advance() == block


async def test_reset(l1: FakeL1, stages: Stages) -> None:
    l1.mine(with_logs(config_log(2, word(5))))
    await stages.traversal.advance()
    await stages.traversal.next_l1_block()
    stages.traversal.reset(stages.start)
    assert stages.traversal.current_l1 == l1.genesis
    assert stages.traversal.system_config == stages.start.system_config
    assert await stages.traversal.next_l1_block() == l1.genesis
