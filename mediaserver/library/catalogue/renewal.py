"""When the catalogue is made anew: when too much has changed, and the library has come to rest.

By a process of its own at low priority (:mod:`.building`). Small libraries need none: there the
index answers everything in milliseconds. Few changes need none either: they are known, and asked
of the index (:mod:`.overlay`). So disks are not woken for it long after the last change.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import mediaserver
from mediaserver.library.catalogue.section_file import draft_of
from mediaserver.library.catalogue.shelf import Shelf
from mediaserver.library.errors import IndexUnusable, TooExpensive
from mediaserver.library.indexing.touched import LIMIT, Moment

logger = logging.getLogger(__name__)

ROWS = 30_000
"""Items from which on a library has a catalogue."""
MANY = LIMIT // 2
"""Rows that have changed, from which on it is made anew, before they are too many to be known."""
QUIET_SECONDS = 5.0
"""Without a change, before it is made."""
SHARE = 10
"""It is made no more often than takes this part of the time: where making it takes a minute, not
within ten minutes of the last time."""
RETRY_SECONDS = 600.0
"""After it could not be made; doubled each time."""
LONGEST_RETRY_SECONDS = 86_400.0
COMMAND = (sys.executable, "-P", "-m", "mediaserver.library.catalogue.building")

Make = Callable[[Path, Path], Awaitable[str | None]]
"""Makes the catalogue of an index at a path; gives the reason why it could not, or None."""


class Renewal:
    """``items`` tells how many there are, ``busy`` whether a scan runs; ``changed_since`` how many
    rows are others than at a moment, None if that is not known; ``made`` is told the moment of each
    new one. ``clock`` and ``sleep`` are in seconds."""

    def __init__(
        self,
        index: Path,
        shelf: Shelf,
        *,
        items: Callable[[], Awaitable[int]],
        busy: Callable[[], bool],
        changed_since: Callable[[Moment], Awaitable[int | None]],
        made: Callable[[Moment], Awaitable[None]],
        make: Make | None = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._index = index
        self._shelf = shelf
        self._items = items
        self._busy = busy
        self._changed_since = changed_since
        self._made = made
        self._make = make or in_process
        self._clock = clock or asyncio.get_running_loop().time
        self._sleep = sleep
        self._changed = asyncio.Event()
        self._changed.set()
        self._due = 0.0
        """Not before this time."""
        self._retry = RETRY_SECONDS
        self.failure: str | None = None
        """Why it could not be made the last time."""

    def changed(self) -> None:
        """The library is another than before, or the catalogue is gone."""
        self._changed.set()

    async def run(self) -> None:
        """Keep the catalogue of use, for good."""
        while True:
            await self._changed.wait()
            await self._rest()
            try:
                if not await self._is_wanted():
                    continue
                wait = self._due - self._clock()
                if wait <= 0:
                    await self._renew()
                    continue
            except (IndexUnusable, TooExpensive) as error:
                self._failed(str(error))
                continue
            self._changed.set()
            await self._sleep(wait)

    async def _rest(self) -> None:
        """Until nothing has changed for a while."""
        while self._changed.is_set() or self._busy():
            self._changed.clear()
            await self._sleep(QUIET_SECONDS)

    async def _is_wanted(self) -> bool:
        catalogue = self._shelf.newest()
        if catalogue is not None:
            number = await self._changed_since(catalogue.moment)
            if number is not None and number < MANY:
                self._succeeded()
                return False
        return await self._items() >= ROWS

    async def _renew(self) -> None:
        began = self._clock()
        reason = await self._make(self._index, self._shelf.path)
        took = self._clock() - began
        catalogue = self._shelf.newest()
        if reason is not None or catalogue is None:
            self._failed(reason or "it cannot be read")
            return
        logger.info("catalogue made seconds=%.1f", took)
        self._due = self._clock() + SHARE * took
        self._succeeded()
        await self._made(catalogue.moment)

    def _succeeded(self) -> None:
        self.failure, self._retry = None, RETRY_SECONDS

    def _failed(self, reason: str) -> None:
        """The same complaint is not made again and again."""
        level = logging.DEBUG if reason == self.failure else logging.WARNING
        logger.log(level, "catalogue %s cannot be made: %s", self._shelf.path, reason)
        self.failure = reason
        self._due = self._clock() + self._retry
        self._retry = min(2 * self._retry, LONGEST_RETRY_SECONDS)
        self._changed.set()


async def in_process(index: Path, catalogue: Path) -> str | None:
    """Make the catalogue in a process of its own, which ends if this is cancelled."""
    home = str(Path(mediaserver.__file__).parents[1])
    inherited = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([home, inherited] if inherited else [home])
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        str(index),
        str(catalogue),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert process.stderr is not None  # noqa: S101 - asked for above
    try:
        errors = await process.stderr.read()
        code = await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        # One that was killed could not.
        with contextlib.suppress(OSError):
            draft_of(catalogue).unlink(missing_ok=True)
    if code == 0:
        return None
    last = errors.decode(errors="replace").strip().rpartition("\n")[2]
    return last or f"exit code {code}"
