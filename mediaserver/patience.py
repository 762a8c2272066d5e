"""Blocking work that may never come back: a share whose server is off keeps a thread for good.

asyncio's own threads are waited for when the program ends, and are few.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def bounded(work: Callable[[], T], seconds: float | None) -> T:
    """What ``work`` gives, done in a thread; TimeoutError if that takes longer. None: no limit.

    Nobody waits for the thread then, nor after a cancellation; the end of the program neither.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(error: BaseException | None, result: T | None) -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)  # type: ignore[arg-type] # T may be None itself

    def run() -> None:
        error, result = None, None
        try:
            result = work()
        except Exception as problem:
            error = problem
        with contextlib.suppress(RuntimeError):  # too late: the loop is closed
            loop.call_soon_threadsafe(settle, error, result)

    threading.Thread(target=run, daemon=True, name="patience").start()
    return await asyncio.wait_for(outcome, seconds)
