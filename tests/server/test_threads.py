"""Threads for work that waits for disks."""

import asyncio
import threading

import pytest

from mediaserver.server.threads import Threads
from tests.leaks import nothing_left
from tests.patience import PATIENCE


async def test_work_is_done_in_a_thread_and_its_result_comes_back() -> None:
    async with nothing_left():
        threads = Threads(2, "disk")
        name = await threads.run(lambda: threading.current_thread().name)
        assert name == "disk_0"
        threads.close()


async def test_what_work_raises_comes_back() -> None:
    def fail() -> None:
        raise OSError("disk")

    threads = Threads(1, "disk")
    with pytest.raises(OSError, match="disk"):
        await threads.run(fail)
    threads.close()


async def test_no_more_threads_run_than_there_may_be() -> None:
    threads = Threads(3, "disk")
    names = {threading.current_thread().name}
    gate = threading.Event()

    def wait() -> None:
        names.add(threading.current_thread().name)
        gate.wait(10)

    jobs = [asyncio.ensure_future(threads.run(wait)) for _ in range(10)]
    async with asyncio.timeout(PATIENCE):
        while len(names) < 1 + 3:  # noqa: ASYNC110 - threads that begin
            await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*jobs)
    assert len(names) == 1 + 3
    threads.close()


async def test_cancelled_work_is_waited_for_as_its_descriptors_are_in_use() -> None:
    threads = Threads(1, "disk")
    begun, gate, over = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait(10)
        over.set()

    job = asyncio.ensure_future(threads.run(work))
    await until_set(begun)
    job.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not job.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert over.is_set()
    threads.close()


async def test_the_result_of_abandoned_work_is_handed_over() -> None:
    threads = Threads(1, "disk")
    begun, gate = threading.Event(), threading.Event()
    taken: list[int] = []

    def work() -> int:
        begun.set()
        gate.wait(10)
        return 7

    job = asyncio.ensure_future(threads.run(work, abandoned=taken.append))
    await until_set(begun)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    gate.set()
    await threads.run(lambda: None)  # behind it in the only thread
    assert taken == [7]
    threads.close()


async def test_a_thread_that_waits_for_ever_keeps_nobody_from_closing() -> None:
    threads = Threads(1, "disk")
    gate = threading.Event()
    job = asyncio.ensure_future(threads.run(lambda: gate.wait(10), abandoned=lambda _: None))
    await asyncio.sleep(0)
    threads.close()
    job.cancel()
    gate.set()


async def until_set(event: threading.Event) -> None:
    async with asyncio.timeout(PATIENCE):
        while not event.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0)
