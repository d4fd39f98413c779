import asyncio
import threading
from collections.abc import Iterator

import pytest

from consensus.engine_gate import EngineGate
from node.engine import Engine
from node.genesis.dev_chains import l2_genesis
from node.storage.database import Database


@pytest.fixture
def gate() -> Iterator[EngineGate]:
    database = Database.open(None)
    genesis = l2_genesis(chain_id=901, timestamp=1)
    engine = Engine(database, genesis.config)
    engine.initialise(genesis)
    yield EngineGate(engine)
    database.close()


async def test_work_runs_in_another_thread_with_the_engine(gate: EngineGate) -> None:
    thread, number = await gate.run(lambda e: (threading.get_ident(), e.heads.unsafe.number))
    assert thread != threading.get_ident()
    assert number == 0


async def test_one_at_a_time_in_the_order_of_the_calls(gate: EngineGate) -> None:
    order: list[int] = []
    running = 0

    def work(number: int) -> None:
        nonlocal running
        running += 1
        assert running == 1
        order.append(number)
        running -= 1

    await asyncio.gather(*(gate.run(lambda _, n=n: work(n)) for n in range(50)))  # type: ignore[misc]
    assert order == list(range(50))


async def test_errors_come_out_and_open_the_gate(gate: EngineGate) -> None:
    def fail(_: Engine) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await gate.run(fail)
    assert await gate.run(lambda _: 1) == 1


async def test_a_cancelled_caller_waits_for_its_work(
    gate: EngineGate, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    finished: list[str] = []

    def slow(_: Engine) -> None:
        begun.set()
        go_on.wait()
        finished.append("slow")
        raise ValueError("too late")

    first = asyncio.ensure_future(gate.run(slow))
    await asyncio.to_thread(begun.wait)
    second = asyncio.ensure_future(gate.run(lambda _: finished.append("second")))
    first.cancel()
    await asyncio.sleep(0)
    first.cancel()  # impatience changes nothing
    for _ in range(10):
        await asyncio.sleep(0)
    assert not first.done()
    assert finished == []
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    assert finished == ["slow", "second"]
    assert "too late" in caplog.text
