"""The proposer on a real L1: what it proposes, when it does not, and what L1 does to it."""

import asyncio
import logging
from dataclasses import replace

import pytest

from consensus.block_refs import L1BlockRef
from consensus.l1.json_rpc import JsonRpc, RpcSettings
from consensus.proposer.l1_agreement import Waiting
from consensus.proposer.output_source import Progress
from consensus.proposer.proposer import Disagreement, NothingDue, Proposed, ProposerSettings
from consensus.proposer.verifier_client import VerifierClient
from node.clock import VirtualClock
from node.errors import ConfigError, OperationRefused, TemporaryError
from node.genesis.dev_accounts import USER_ACCOUNTS
from node.types.primitives import ZERO_HASH, Address, BlockNumber, Hash32
from node.types.transaction import Transaction
from tests.consensus.passing_time import settle
from tests.consensus.proposer.scene import SAFE, WRONG, FakeOutputs, Scene, unreachable


async def test_each_interval_of_safe_blocks_gets_an_output(scene: Scene) -> None:
    proposer = scene.proposer()
    assert await scene.step(proposer) == NothingDue()
    assert proposer.proposed_block == 0
    await scene.make_safe(scene.interval - 1)
    assert await scene.step(proposer) == NothingDue()
    await scene.make_safe(1)
    first = scene.interval
    assert await scene.step(proposer) == Proposed((first,))
    assert await scene.proposed() == [(first, scene.output(first).root)]
    assert proposer.proposed_block == first
    assert await scene.step(proposer) == NothingDue()


async def test_by_default_only_finalized_blocks_count(scene: Scene) -> None:
    proposer = scene.proposer(ProposerSettings())
    await scene.make_safe(scene.interval)
    assert await scene.step(proposer) == NothingDue()
    await scene.stepper.advance_l1(4)
    assert await scene.step(proposer) == Proposed((scene.interval,))


async def test_missed_intervals_are_made_up_in_order_by_whoever_comes(scene: Scene) -> None:
    await scene.make_safe(3 * scene.interval + 1)
    first = scene.proposer(replace(SAFE, max_at_once=2))
    numbers = [scene.interval * n for n in (1, 2, 3)]
    assert await scene.step(first) == Proposed(tuple(numbers[:2]))
    restarted = scene.proposer()
    assert await scene.step(restarted) == Proposed((numbers[2],))
    assert await scene.proposed() == [(n, scene.output(n).root) for n in numbers]


async def test_a_proposal_that_l1_takes_back_is_made_again(scene: Scene) -> None:
    proposer = scene.proposer()
    await scene.make_safe(scene.interval)
    assert await scene.step(proposer) == Proposed((scene.interval,))
    # The block that it was derived from goes, too: the transaction comes back and reverts.
    await scene.stepper.reorg_l1(2)
    assert await scene.proposed() == []
    await scene.make_safe(1)
    assert await scene.step(proposer) == Proposed((scene.interval,))
    assert await scene.proposed() == [(scene.interval, scene.output(scene.interval).root)]


async def test_a_reorg_on_the_way_makes_a_proposal_revert(scene: Scene) -> None:
    proposer = scene.proposer()
    await scene.make_safe(scene.interval)
    reorgs = 0

    async def reorg() -> None:
        nonlocal reorgs
        reorgs += 1
        await scene.stepper.reorg_l1(1)

    with pytest.raises(TemporaryError, match=rf"block {scene.interval} reverted in L1 block"):
        await scene.step(proposer, reorg)
    assert (reorgs, await scene.proposed()) == (1, [])
    assert await scene.step(proposer) == Proposed((scene.interval,))


async def test_nothing_follows_on_an_output_that_the_verifier_contradicts(scene: Scene) -> None:
    proposer = scene.proposer()
    await scene.make_safe(2 * scene.interval)
    await scene.propose_by_hand(scene.interval, WRONG)
    outcome = await scene.step(proposer)
    assert isinstance(outcome, Disagreement)
    right = scene.output(scene.interval).root.hex()
    assert f"output 0 on L1, of block {scene.interval}, is 0x{WRONG.root.hex()}" in outcome.reason
    assert f"the verifier has 0x{right}" in outcome.reason
    assert await scene.oracle.count() == 1
    challenger = scene.challenger()
    judgement = await challenger.judge()
    assert judgement.wrong is not None
    await scene.mining(challenger.delete(judgement.wrong))
    assert await scene.step(proposer) == Proposed((scene.interval, 2 * scene.interval))


async def test_slots_that_a_deletion_left_full_do_not_mislead_about_gas(scene: Scene) -> None:
    proposer = scene.proposer()
    await scene.make_safe(scene.interval)
    await scene.step(proposer)
    await scene.make_safe(2 * scene.interval)
    await scene.propose_by_hand(2 * scene.interval, WRONG)
    challenger = scene.challenger()
    judgement = await challenger.judge()
    assert judgement.wrong is not None
    await scene.mining(challenger.delete(judgement.wrong))
    # The first goes into the slots of the wrong one, the second into empty ones.
    assert await scene.step(proposer) == Proposed((2 * scene.interval, 3 * scene.interval))


async def test_an_output_beyond_the_verifier_is_none_of_our_business(scene: Scene) -> None:
    await scene.make_safe(scene.interval)
    await scene.propose_by_hand(scene.interval, WRONG)
    current = scene.nodes.verifier.driver.current_l1()
    behind = FakeOutputs(Progress(current, 3, 0), {})
    assert await scene.step(scene.proposer(outputs=behind)) == NothingDue()


async def test_what_was_not_derived_from_this_l1_is_not_proposed(scene: Scene) -> None:
    await scene.make_safe(scene.interval)
    outputs = {scene.interval: scene.output(scene.interval)}
    current = scene.nodes.verifier.driver.current_l1()
    assert current is not None
    ahead = replace(current, number=BlockNumber(current.number + 5), hash=Hash32(b"\x05" * 32))
    forked = replace(current, hash=Hash32(b"\x05" * 32))
    cases: tuple[tuple[L1BlockRef | None, str], ...] = (
        (None, "has not begun"),
        (ahead, f"has read L1 to block {ahead.number}, our L1 is at {current.number}"),
        (forked, f"another fork of L1: its block {current.number} is 0x0505"),
    )
    for block, said in cases:
        fake = FakeOutputs(Progress(block, scene.interval, 0), outputs)
        outcome = await scene.step(scene.proposer(outputs=fake))
        assert isinstance(outcome, Waiting)
        assert said in outcome.reason
    assert await scene.oracle.count() == 0


async def test_a_verifier_far_behind_l1_is_waited_for(scene: Scene) -> None:
    await scene.make_safe(scene.interval)
    stale = FakeOutputs(await scene.own_outputs().progress(), {scene.interval: WRONG})
    for _ in range(129):
        scene.nodes.l1.chain.produce(0)
    outcome = await scene.step(scene.proposer(outputs=stale))
    assert isinstance(outcome, Waiting)
    assert "only, L1 is at" in outcome.reason


async def test_a_block_ahead_of_l1s_clock_is_not_due_yet(scene: Scene) -> None:
    current = scene.nodes.verifier.driver.current_l1()
    early = FakeOutputs(Progress(current, 10**6, 0), {scene.interval: WRONG})
    assert await scene.step(scene.proposer(outputs=early)) == NothingDue()


async def test_a_block_that_vanishes_in_between_is_not_proposed(scene: Scene) -> None:
    current = scene.nodes.verifier.driver.current_l1()
    vanished = FakeOutputs(Progress(current, 10**6, 0), {})
    assert await scene.step(scene.proposer(outputs=vanished)) == NothingDue()


async def test_another_key_is_refused_at_once(scene: Scene) -> None:
    proposer = scene.proposer(account=USER_ACCOUNTS[0])
    with pytest.raises(ConfigError, match=r"the key is that of 0xf39F.*'s proposer is 0x"):
        await proposer.run()


async def test_a_portal_without_an_oracle(scene: Scene) -> None:
    config = scene.nodes.rollup.config
    for wrong in (Address(b"\x11" * 20), config.l1_system_config):
        proposer = scene.proposer()
        proposer._config = replace(config, deposit_contract=wrong)
        with pytest.raises(ConfigError, match=r"^rollup.json: deposit_contract_address: 0x"):
            await proposer.check()


async def test_the_oracle_of_another_rollup(scene: Scene) -> None:
    config = scene.nodes.rollup.config
    proposer = scene.proposer()
    proposer._config = replace(config, block_time=config.block_time + 1)
    with pytest.raises(ConfigError, match=r"another rollup's: L2_BLOCK_TIME: expected 2 "):
        await proposer.check()
    genesis = replace(config.genesis, l2_time=7)
    proposer._config = replace(config, genesis=genesis)
    with pytest.raises(ConfigError, match=r"another rollup's: startingTimestamp: expected 7 "):
        await proposer.check()


async def test_low_funds_are_told_once_before_they_run_out(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    proposer = scene.proposer(replace(SAFE, low_funds_proposals=10**12, max_at_once=1))
    await scene.make_safe(2 * scene.interval)
    for number in (scene.interval, 2 * scene.interval):
        assert await scene.step(proposer) == Proposed((number,))
    told = [record.message for record in caplog.records if "more proposals" in record.message]
    assert len(told) == 1
    assert told[0].endswith("send it some ether")


async def test_an_outage_of_l1_is_told_once_and_waited_out(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    down = unreachable()
    proposer = scene.proposer(l1=down)
    failures = asyncio.Event()
    answering, asked = scene.l1.call, down.call

    async def call(to: Address, data: bytes) -> bytes:
        call.count += 1  # type: ignore[attr-defined]
        if call.count > 3:  # type: ignore[attr-defined]
            failures.set()
            return await answering(to, data)
        return await asked(to, data)

    call.count = 0  # type: ignore[attr-defined]
    down.call = call  # type: ignore[method-assign]
    running = asyncio.ensure_future(proposer.run())
    while proposer.proposed_block is None:
        await settle(running)
    running.cancel()
    await asyncio.wait({running})
    await down.close()
    messages = [record.message for record in caplog.records if record.levelno >= logging.INFO]
    assert sum("trying again until it works" in message for message in messages) == 1
    assert "proposer: goes on" in messages


async def test_a_standstill_is_told_once(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await scene.make_safe(scene.interval)
    await scene.propose_by_hand(scene.interval, WRONG)
    right = scene.output(scene.interval)
    outputs = FakeOutputs(await scene.own_outputs().progress(), {scene.interval: right})
    clock = VirtualClock(0)
    proposer = scene.proposer(outputs=outputs, clock=clock)
    for _ in range(2):
        proposer._tell(await proposer.step())
    outputs.now = replace(outputs.now, current_l1=None)
    for _ in range(3):
        proposer._tell(await proposer.step())
        clock.advance(20)
    outputs.outputs[scene.interval] = WRONG
    proposer._tell(await proposer.step())
    ours = [r for r in caplog.records if r.name == "consensus.proposer.proposer"]
    assert [record.levelname for record in ours] == ["INFO", "ERROR", "WARNING", "INFO"]
    assert ours[1].message.startswith("proposer stands still: output 0 on L1")
    assert ours[-1].message == "proposer goes on"


async def test_a_stop_does_not_wait_for_l1_for_ever(scene: Scene) -> None:
    clock = VirtualClock(0)
    proposer = scene.proposer(clock=clock)
    await scene.make_safe(scene.interval)
    arrived, loop = asyncio.Event(), asyncio.get_running_loop()

    def wake(_: Transaction) -> None:
        loop.call_soon_threadsafe(arrived.set)

    scene.nodes.l1.node.mempool.subscribe(wake)
    running = asyncio.ensure_future(proposer.run())
    await arrived.wait()
    stopping = asyncio.ensure_future(proposer.stop())
    await settle()
    assert not stopping.done()
    clock.advance(20)
    with pytest.raises(OperationRefused, match=r"not taken its last proposal within 20 s: it may"):
        await stopping
    assert not proposer.is_running
    await scene.stepper.advance_l1()
    while proposer.proposed_block != scene.interval:
        await settle(running)
    running.cancel()
    await asyncio.wait({running})


async def test_stop_and_start(scene: Scene) -> None:
    proposer = scene.proposer(clock=VirtualClock(0))
    await scene.make_safe(scene.interval)
    await proposer.stop()
    assert not proposer.is_running
    with pytest.raises(OperationRefused, match="proposer is not running"):
        await proposer.stop()
    running = asyncio.ensure_future(proposer.run())
    await settle(running)
    assert await scene.oracle.count() == 0

    async def proposed() -> None:
        while proposer.proposed_block != scene.interval:
            await settle(running)

    proposer.start()
    with pytest.raises(OperationRefused, match="proposer is already running"):
        proposer.start()
    await scene.mining(proposed())
    await proposer.stop()
    running.cancel()
    await asyncio.wait({running})
    assert await scene.oracle.count() == 1
    assert (await scene.oracle.output(0)).root != ZERO_HASH


async def test_nothing_is_proposed_while_the_verifier_is_away(scene: Scene) -> None:
    await scene.make_safe(scene.interval)
    gone = VerifierClient(JsonRpc(scene.nodes.verifier.url, RpcSettings(attempts=1)))
    proposer = scene.proposer(outputs=gone)
    await scene.nodes.verifier.stop_listening()
    with pytest.raises(TemporaryError, match="Cannot connect"):
        await scene.step(proposer)
    assert await scene.oracle.count() == 0
    await gone.close()
