import asyncio
import time

import pytest

from node.clock import SystemClock, VirtualClock


async def settle() -> None:
    """Let every task that can run, run."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_virtual_time_moves_only_when_told() -> None:
    clock = VirtualClock(100.5)
    assert clock.now() == 100.5
    clock.advance(1.5)
    clock.advance(0)
    assert clock.now() == 102
    with pytest.raises(ValueError, match="time moves forward only: -1"):
        clock.advance(-1)
    assert clock.now() == 102


async def test_a_deadline_that_has_passed_is_no_wait() -> None:
    clock = VirtualClock(10)
    await clock.sleep_until(10)
    await clock.sleep_until(9)


async def test_a_wait_lets_others_run_even_if_its_deadline_has_passed() -> None:
    clock, ran = VirtualClock(10), asyncio.Event()
    task = asyncio.create_task(asyncio.to_thread(ran.set))
    await clock.sleep_until(0)
    assert ran.is_set()
    await task


async def test_sleepers_wake_in_the_order_of_their_deadlines() -> None:
    clock = VirtualClock(0)
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, deadline: float) -> None:
        await clock.sleep_until(deadline)
        woken.append((name, clock.now()))

    waits = [("c", 3.0), ("a", 1.0), ("b", 2.0), ("also a", 1.0), ("z", 9.0)]
    tasks = [asyncio.create_task(sleeper(*wait)) for wait in waits]
    await settle()
    clock.advance(0.9)
    await settle()
    assert woken == []
    clock.advance(0.1)
    await settle()
    assert woken == [("a", 1.0), ("also a", 1.0)]
    clock.advance(5)
    await settle()
    assert woken[2:] == [("b", 6.0), ("c", 6.0)]
    tasks[-1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[-1]
    clock.advance(100)
    await asyncio.gather(*tasks[:-1])
    assert len(woken) == 4


async def test_the_system_clock_never_wakes_early() -> None:
    clock = SystemClock()
    assert abs(clock.now() - time.time()) < 60
    deadline = clock.now() + 0.02
    await clock.sleep_until(deadline)
    assert clock.now() >= deadline
    await clock.sleep_until(0)
