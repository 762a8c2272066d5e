"""A few threads for work that waits for disks, apart from the event loop's own.

Simpler than an executor, as there is one event loop: a job costs half of what it costs with
``run_in_executor``, which shows where it is done for every short range of a file.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """Used from one event loop. ``name`` is what debuggers show.

    Threads are started when they are needed, and are daemons: one that waits for a lost network
    share for ever does not keep the program from ending.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._unfinished = 0

    async def run(
        self, work: Callable[[], T], *, abandoned: Callable[[T], None] | None = None
    ) -> T:
        """Do ``work`` in a thread.

        When cancelled it returns after the work is over, since descriptors are in use until then;
        or at once, if there is an ``abandoned`` that will take the result.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def finish(result: T | None, error: Exception | None) -> None:
            self._unfinished -= 1
            if future.cancelled():
                if error is None and abandoned is not None:
                    abandoned(result)  # type: ignore[arg-type]  # a T, as there is no error
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        def job() -> None:
            result, error = None, None
            try:
                result = work()
            except Exception as caught:
                error = caught
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(finish, result, error)

        self._unfinished += 1
        if self._unfinished > len(self._threads) < self._count:
            self._start()
        self._jobs.put(job)
        if abandoned is not None:
            return await future
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            future.exception()  # nobody else will ask for it
            raise

    def close(self) -> None:
        """End the threads, and wait for them unless one is still at work."""
        for _ in self._threads:
            self._jobs.put(None)
        if not self._unfinished:
            for thread in self._threads:
                thread.join()
        self._threads.clear()

    def _start(self) -> None:
        name = f"{self._name}_{len(self._threads)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
