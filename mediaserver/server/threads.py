"""A few threads for work that waits for disks, apart from the event loop's own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """Used from one event loop. ``name`` is what debuggers show."""

    def __init__(self, count: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._running: set[object] = set()

    async def run(
        self, work: Callable[[], T], *, abandoned: Callable[[T], None] | None = None
    ) -> T:
        """Do ``work`` in a thread.

        When cancelled it returns after the work is over, since descriptors are in use until then;
        or at once, if there is an ``abandoned`` that will take the result.
        """
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if abandoned is None:
                await asyncio.wait([future])
            else:
                take = abandoned
                future.add_done_callback(lambda done: _hand_over(done, take))
            raise

    def close(self) -> None:
        """End the threads. Those that still wait for a disk end when it answers."""
        self._pool.shutdown(wait=not self._running, cancel_futures=True)


def _hand_over(future: "asyncio.Future[T]", take: Callable[[T], None]) -> None:
    if not future.cancelled() and future.exception() is None:
        take(future.result())
