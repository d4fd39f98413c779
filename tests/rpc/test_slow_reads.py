import asyncio
import threading

import pytest

from rpc.slow_reads import SlowReads


async def test_only_a_few_run_at_once() -> None:
    slow_reads = SlowReads(at_once=2)
    go, started = threading.Event(), threading.Semaphore(0)
    running: list[int] = []

    def work(number: int) -> int:
        running.append(number)
        started.release()
        go.wait()
        return number

    tasks = [asyncio.create_task(slow_reads.run(work, number)) for number in range(5)]
    for _ in range(2):
        await asyncio.to_thread(started.acquire)
    for _ in range(20):
        await asyncio.sleep(0)
    assert running == [0, 1]
    go.set()
    assert await asyncio.gather(*tasks) == [0, 1, 2, 3, 4]


async def test_a_failure_frees_the_slot() -> None:
    slow_reads = SlowReads(at_once=1)

    def fail() -> None:
        raise KeyError("no")

    for _ in range(3):
        with pytest.raises(KeyError):
            await slow_reads.run(fail)
    assert await slow_reads.run(int, "5") == 5
