"""Blocks, proposals, restarts and reorgs of L1 in any order: no output on L1 is ever wrong."""

import random
from functools import partial

import pytest

from consensus.proposer.proposer import NothingDue
from node.errors import TemporaryError
from tests.consensus.proposer.scene import Scene

_STEPS = 40


@pytest.mark.parametrize("seed", range(2))
async def test_outputs_on_l1_are_the_verifiers(scene: Scene, seed: int) -> None:
    chance = random.Random(seed)
    proposer, challenger = scene.proposer(), scene.challenger()
    reverted = 0
    for _ in range(_STEPS):
        match chance.choice(("build", "build", "propose", "propose", "reorg", "restart")):
            case "build":
                await scene.make_safe(chance.randrange(1, 2 * scene.interval))
            case "propose":
                on_arrival = partial(_reorg, scene, 1) if chance.random() < 0.5 else None
                try:
                    await scene.step(proposer, on_arrival)
                except TemporaryError:
                    reverted += 1
            case "reorg":
                await _reorg(scene, chance.randrange(1, 5))
            case "restart":
                proposer = scene.proposer()
        await _check(scene)
        assert (await challenger.judge()).wrong is None
    await scene.make_safe(1)
    while await scene.step(proposer) != NothingDue():
        pass
    safe = (await scene.own_outputs().progress()).safe
    assert await scene.oracle.count() == safe // scene.interval
    await _check(scene)
    assert reverted > 0


async def _check(scene: Scene) -> None:
    for index, (block, root) in enumerate(await scene.proposed()):
        assert block == (index + 1) * scene.interval
        own = await scene.own_outputs().output(block)
        assert own is not None
        assert own.root == root


async def _reorg(scene: Scene, depth: int) -> None:
    """Replace so many L1 blocks, as far as they are not final."""
    heads = scene.nodes.l1.node.reader.heads()
    depth = min(depth, heads.unsafe.number - heads.finalized.number)
    if depth > 0:
        await scene.stepper.reorg_l1(depth)
