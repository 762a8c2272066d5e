"""Background work that goes on: a task that fails is logged and started again (security.md F12).

What fails for a reason that nobody thought of must not take a part of the server away for good:
without announcements, say, everything still works until the last control point forgets us.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace

logger = logging.getLogger(__name__)

FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0
"""Seconds before a task that failed is started again; doubled with each failure in a row."""
STEADY_SECONDS = 600.0
"""A task that ran so long had got over its earlier failures."""
MAX_ERROR = 200
"""Characters of an error that are kept."""

Work = Callable[[], Coroutine[object, object, None]]


@dataclass(frozen=True)
class Failure:
    """A background task that failed, and has been or is about to be started again."""

    task: str
    error: str
    """Name and text of the latest exception."""
    at: float
    """Of the latest, on the monotonic clock."""
    count: int = 1
    """Failures since the program started."""


class Supervisor:
    """Keeps tasks running. One for a program, or one for each part that is tested alone.

    ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._failures: dict[str, Failure] = {}

    def start(self, name: str, work: Work) -> "asyncio.Task[None]":
        """A task that does ``work``, begun anew whenever it fails; it is the caller's to cancel.

        ``name`` is for people, and the same for all tasks of one kind. Work that returns is done.
        """
        return asyncio.get_running_loop().create_task(self._keep(name, work), name=name)

    def failures(self) -> list[Failure]:
        """The tasks that failed since the program started, the latest failure first."""
        return sorted(self._failures.values(), key=lambda failure: failure.at, reverse=True)

    async def _keep(self, name: str, work: Work) -> None:
        wait = FIRST_WAIT
        while True:
            began = self._clock()
            try:
                await work()
            except Exception as error:
                failed = self._clock()
                if failed - began >= STEADY_SECONDS:
                    wait = FIRST_WAIT
                self._note(name, error, failed)
                logger.exception("background task failed task=%s again_in=%g", name, wait)
            else:
                return
            await self._sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _note(self, name: str, error: Exception, at: float) -> None:
        text = f"{type(error).__name__}: {error}".removesuffix(": ")[:MAX_ERROR]
        known = self._failures.get(name)
        self._failures[name] = (
            replace(known, error=text, at=at, count=known.count + 1)
            if known
            else Failure(name, text, at)
        )
