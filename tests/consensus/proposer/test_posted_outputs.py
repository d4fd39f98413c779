"""Outputs as L1 has them: asked for once each, believed as far as the oracle's terms go."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.block_refs import L1BlockRef
from consensus.engine_gate import EngineGate
from consensus.l1.client import L1Client
from consensus.l1.json_objects import MalformedL1Data
from consensus.l1.json_rpc import JsonRpc
from consensus.proof_keeping import keep_proofs
from consensus.proposer.oracle import OutputOracle, ProposedOutput
from consensus.proposer.posted_outputs import PostedOutputs
from node.engine import Engine
from node.errors import ConfigError, TemporaryError
from node.output_schedule import OutputSchedule
from node.storage.database import Database
from node.types.primitives import Address, BlockNumber
from tests.consensus.passing_time import JumpingClock
from tests.consensus.proposer.scene import Scene, new_scene, unreachable


class CountingL1(L1Client):
    """Counts calls by their selector."""

    calls: Counter[bytes]

    async def call(self, to: Address, data: bytes) -> bytes:
        self.calls[data[:4]] += 1
        return await super().call(to, data)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with new_scene(tmp_path / "image") as scene:
        await scene.make_safe(scene.interval)
        await scene.propose_by_hand(scene.interval, scene.output(scene.interval))
        yield scene


async def test_what_is_final_is_asked_for_once(scene: Scene) -> None:
    l1 = CountingL1(JsonRpc(scene.nodes.l1.url))
    l1.calls = Counter()

    async def finalized() -> L1BlockRef:
        return await l1.block_ref_by_label("finalized")

    outputs = PostedOutputs.of_rollup(l1, scene.nodes.rollup.config, finalized)
    first = await outputs.output(0)
    assert first is not None
    assert (first.index, first.block) == (0, scene.interval)
    assert first.root == scene.output(scene.interval).root
    assert (first.oracle, first.proposer) == (
        scene.oracle.address,
        scene.proposer_account.address,
    )
    assert first.final_after == first.timestamp + scene.finalization_period_s
    assert not first.is_final
    assert await outputs.output(1) is None
    assert await outputs.schedule() == OutputSchedule(BlockNumber(0), scene.interval)

    await scene.stepper.advance_l1(scene.finalization_period_s + 10)
    before = l1.calls.total()
    assert (
        await asyncio.gather(*(outputs.output(0) for _ in range(5)))
        == [replace(first, is_final=True)] * 5
    )
    assert l1.calls.total() == before + 1
    await l1.close()


async def test_an_l1_that_gives_another_block(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = OutputOracle.output

    async def lie(self: OutputOracle, index: int) -> ProposedOutput:
        return replace(await honest(self, index), block=BlockNumber(7))

    monkeypatch.setattr(OutputOracle, "output", lie)
    outputs = PostedOutputs.of_rollup(scene.l1, scene.nodes.rollup.config, nothing_final)
    with pytest.raises(MalformedL1Data, match="output 0: expected that of block 10, got 7"):
        await outputs.output(0)


async def nothing_final() -> None:
    return None


async def test_where_there_is_no_oracle(scene: Scene) -> None:
    token = scene.nodes.rollup.contracts.open_token
    for address in (token, Address(b"\x01" * 20), Address(b"\x77" * 20)):
        outputs = PostedOutputs.of_oracle(scene.l1, 900, address, nothing_final)
        with pytest.raises(ConfigError, match="is no output oracle"):
            await outputs.output(0)
    config = replace(scene.nodes.rollup.config, deposit_contract=token)
    with pytest.raises(ConfigError, match="deposit_contract_address"):
        await PostedOutputs.of_rollup(scene.l1, config, nothing_final).terms()
    away = unreachable()
    with pytest.raises(TemporaryError):
        await PostedOutputs.of_oracle(away, 900, scene.oracle.address, nothing_final).output(0)
    await away.close()


class Answers(PostedOutputs):
    """Schedules, or errors, one after another."""

    def __init__(self, *answers: OutputSchedule | Exception) -> None:
        self.answers = list(answers)

    async def schedule(self) -> OutputSchedule:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Told(Engine):
    """An engine that says what it was told."""

    told: "asyncio.Future[OutputSchedule | None]"
    loop: asyncio.AbstractEventLoop

    def keep_proofs(self, outputs: OutputSchedule | None) -> None:
        self.loop.call_soon_threadsafe(self.told.set_result, outputs)


@pytest.mark.parametrize(
    ("answers", "expected", "words"),
    [
        ([OutputSchedule(BlockNumber(0), 5)], OutputSchedule(BlockNumber(0), 5), ""),
        (
            [TemporaryError("away"), TemporaryError("away"), OutputSchedule(BlockNumber(0), 5)],
            OutputSchedule(BlockNumber(0), 5),
            "nothing is pruned until L1 says which blocks have outputs: away",
        ),
        ([ConfigError("none")], None, "receipts of pruned blocks cannot be proven: none"),
    ],
)
async def test_the_engine_is_told_once_l1_has_answered(
    answers: list[OutputSchedule | Exception],
    expected: OutputSchedule | None,
    words: str,
    scene: Scene,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Database.open(None) as database:
        engine = Told(database, scene.nodes.rollup.genesis.config)
        engine.loop = asyncio.get_running_loop()
        engine.told = engine.loop.create_future()
        keeping = asyncio.ensure_future(
            keep_proofs(Answers(*answers), EngineGate(engine), JumpingClock())
        )
        assert await engine.told == expected
        keeping.cancel()
        await asyncio.wait([keeping])
    told = [entry.getMessage() for entry in caplog.records if entry.name.endswith("proof_keeping")]
    assert told == ([words] if words else [])
