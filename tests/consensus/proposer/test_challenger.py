"""The challenger on a real L1: what it deletes, and what it leaves alone."""

from dataclasses import replace

import pytest

from consensus.proposer.challenger import Challenger, Deleted, NotDeleted
from consensus.proposer.output_source import Progress
from node.errors import ConfigError
from node.genesis.dev_accounts import USER_ACCOUNTS
from node.types.primitives import Hash32
from tests.consensus.proposer.scene import SAFE, WRONG, FakeOutputs, Scene


async def test_right_outputs_stay(scene: Scene) -> None:
    challenger = scene.challenger()
    nothing = await challenger.judge()
    assert (nothing.count, nothing.right, nothing.wrong, nothing.last_right) == (0, 0, None, None)
    await scene.make_safe(2 * scene.interval)
    await scene.step(scene.proposer())
    judgement = await challenger.judge()
    assert (judgement.count, judgement.right, judgement.wrong) == (2, 2, None)
    assert judgement.waiting is None
    assert judgement.last_right is not None
    assert judgement.last_right.block == 2 * scene.interval


async def test_the_first_wrong_output_goes_and_all_after_it(scene: Scene) -> None:
    await scene.make_safe(3 * scene.interval)
    await scene.step(scene.proposer(replace(SAFE, max_at_once=1)))
    await scene.propose_by_hand(2 * scene.interval, WRONG)
    last = scene.output(3 * scene.interval)
    await scene.propose_by_hand(3 * scene.interval, last)
    challenger = scene.challenger()
    judgement = await challenger.judge()
    assert (judgement.count, judgement.right) == (3, 1)
    wrong = judgement.wrong
    assert wrong is not None
    right = scene.output(2 * scene.interval).root
    assert wrong.reason == (
        f"output 1 on L1, of block {2 * scene.interval}, is 0x{WRONG.root.hex()}, the verifier has "
        f"0x{right.hex()}"
    )
    deleted = await scene.mining(challenger.delete(wrong))
    assert isinstance(deleted, Deleted)
    assert (deleted.first, deleted.last) == (1, 2)
    assert await scene.proposed() == [(scene.interval, scene.output(scene.interval).root)]
    after = await challenger.judge()
    assert (after.count, after.right, after.wrong) == (1, 1, None)


async def test_what_the_verifier_has_not_derived_is_not_judged(scene: Scene) -> None:
    await scene.make_safe(scene.interval)
    await scene.propose_by_hand(scene.interval, WRONG)
    progress = await scene.own_outputs().progress()
    outputs = {scene.interval: scene.output(scene.interval)}
    behind = FakeOutputs(replace(progress, safe=scene.interval - 1), outputs)
    judgement = await scene.challenger(behind).judge()
    assert judgement.wrong is None
    assert judgement.waiting == "output 0 is of block 10, the verifier's safe head is 9"
    vanished = FakeOutputs(progress, {})
    judgement = await scene.challenger(vanished).judge()
    assert (judgement.wrong, judgement.right) == (None, 0)
    assert judgement.waiting == "the verifier has no block 10 any more"


async def test_only_finalized_blocks_are_judged_by_default(scene: Scene) -> None:
    await scene.make_safe(scene.interval)
    await scene.propose_by_hand(scene.interval, WRONG)
    challenger = scene.challenger(safe=False)
    judgement = await challenger.judge()
    assert judgement.wrong is None
    assert judgement.waiting == "output 0 is of block 10, the verifier's finalized head is 0"
    await scene.stepper.advance_l1(4)
    assert (await challenger.judge()).wrong is not None


async def test_a_verifier_on_a_fork_of_l1_is_not_believed(scene: Scene) -> None:
    await scene.make_safe(scene.interval)
    await scene.step(scene.proposer())
    progress = await scene.own_outputs().progress()
    assert progress.current_l1 is not None
    elsewhere = replace(progress.current_l1, hash=Hash32(b"\x05" * 32))
    forked = FakeOutputs(replace(progress, current_l1=elsewhere), {scene.interval: WRONG})
    challenger = scene.challenger(forked)
    judgement = await challenger.judge()
    assert (judgement.wrong, judgement.right) == (None, 0)
    assert judgement.waiting is not None
    assert "another fork of L1" in judgement.waiting
    forked.now = Progress(None, progress.safe, progress.finalized)
    assert (await challenger.judge()).wrong is None
    forked.now, forked.outputs = progress, {scene.interval: scene.output(scene.interval)}
    assert (await challenger.judge()).right == 1


async def test_an_output_that_a_reorg_brings_is_looked_at_anew(scene: Scene) -> None:
    challenger, proposer = scene.challenger(), scene.proposer()
    await scene.make_safe(scene.interval)
    await scene.step(proposer)
    assert (await challenger.judge()).right == 1
    await scene.stepper.reorg_l1(3)
    assert (await challenger.judge()).count == 0
    await scene.make_safe(1)
    await scene.propose_by_hand(scene.interval, WRONG)
    judgement = await challenger.judge()
    assert judgement.right == 0
    assert judgement.wrong is not None
    assert judgement.wrong.proposed.root == WRONG.root


async def test_what_is_final_stays_and_that_is_said(scene: Scene) -> None:
    await scene.make_safe(scene.interval)
    await scene.propose_by_hand(scene.interval, WRONG)
    challenger = scene.challenger()
    early = (await challenger.judge()).wrong
    assert early is not None
    assert not early.is_final
    await scene.stepper.advance_l1(scene.finalization_period_s + 1)
    late = (await challenger.judge()).wrong
    assert late is not None
    assert late.is_final
    not_deleted = await challenger.delete(late)
    assert not_deleted == NotDeleted("it is final: the oracle deletes it no more")
    refused = await challenger.delete(early)
    assert refused == NotDeleted("L2OutputOracle says OutputIsFinal (index 0)")
    assert await scene.oracle.count() == 1


async def test_without_a_key_it_only_tells(scene: Scene) -> None:
    await scene.make_safe(scene.interval)
    await scene.propose_by_hand(scene.interval, WRONG)
    challenger = scene.challenger(has_key=False)
    wrong = (await challenger.judge()).wrong
    assert wrong is not None
    assert await challenger.delete(wrong) == NotDeleted("no key was given to delete it with")


async def test_another_key_is_refused(scene: Scene) -> None:
    challenger = Challenger(
        scene.nodes.rollup.config,
        scene.l1,
        scene.own_outputs(),
        scene.sender(USER_ACCOUNTS[0]),
    )
    with pytest.raises(ConfigError, match=r"the key is that of 0xf39F.*'s challenger is 0x"):
        await challenger.check()
