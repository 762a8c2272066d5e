"""When the catalogue is made anew: after a change, when the library has come to rest.

By a process of its own at low priority (:mod:`.building`). Small libraries need none: there the
index answers everything in milliseconds.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import mediaserver
from mediaserver.library.catalogue.shelf import Shelf

logger = logging.getLogger(__name__)

ROWS = 30_000
"""Items from which on a library has a catalogue."""
QUIET_SECONDS = 5.0
"""Without a change, before it is made."""
SHARE = 10
"""It is made no more often than takes this part of the time: where making it takes a minute, not
within ten minutes of the last time."""
LEISURE = 100
"""The same, as long as the old one is of use: it is known what has changed since."""
LOOK_SECONDS = 60.0
"""Between two looks at whether it is time."""
RETRY_SECONDS = 600.0
"""After it could not be made."""
COMMAND = (sys.executable, "-P", "-m", "mediaserver.library.catalogue.building")

Make = Callable[[Path, Path], Awaitable[str | None]]
"""Makes the catalogue of an index at a path; gives the reason why it could not, or None."""


class Renewal:
    """``state`` tells the SystemUpdateID, ``items`` how many there are, ``busy`` whether a scan
    runs; ``overtaken``, whether a catalogue of a state is of no use any more; ``made`` is told the
    state of each new one. ``clock`` and ``sleep`` are in seconds."""

    def __init__(
        self,
        index: Path,
        shelf: Shelf,
        *,
        state: Callable[[], int],
        items: Callable[[], Awaitable[int]],
        busy: Callable[[], bool],
        overtaken: Callable[[int], Awaitable[bool]],
        made: Callable[[int], Awaitable[None]],
        make: Make | None = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._index = index
        self._shelf = shelf
        self._state = state
        self._items = items
        self._busy = busy
        self._overtaken = overtaken
        self._made = made
        self._make = make or in_process
        self._clock = clock or asyncio.get_running_loop().time
        self._sleep = sleep
        self._changed = asyncio.Event()
        self._changed.set()
        self._ended = 0.0
        self._took = 0.0
        self._fault: str | None = None
        """Why it could not be made the last time."""

    def changed(self) -> None:
        """The library is another than before."""
        self._changed.set()

    async def run(self) -> None:
        """Keep the catalogue up to date, for good."""
        while True:
            await self._changed.wait()
            await self._rest()
            if self._is_old() and await self._items() >= ROWS:
                if await self._is_time():
                    await self._renew()
                else:
                    self._changed.set()
                    await self._sleep(LOOK_SECONDS)

    async def _rest(self) -> None:
        """Until nothing has changed for a while."""
        while self._changed.is_set() or self._busy():
            self._changed.clear()
            await self._sleep(QUIET_SECONDS)

    def _is_old(self) -> bool:
        catalogue = self._shelf.newest()
        return catalogue is None or catalogue.state != self._state()

    async def _is_time(self) -> bool:
        catalogue = self._shelf.newest()
        idle = catalogue is None or await self._overtaken(catalogue.state)
        return self._clock() >= self._ended + (SHARE if idle else LEISURE) * self._took

    async def _renew(self) -> None:
        began = self._clock()
        reason = await self._make(self._index, self._shelf.path)
        self._ended = self._clock()
        self._took = self._ended - began
        catalogue = self._shelf.newest()
        if reason is None and catalogue is not None:
            logger.info("catalogue made seconds=%.1f", self._took)
            await self._made(catalogue.state)
        else:
            level = logging.DEBUG if reason == self._fault else logging.WARNING
            logger.log(level, "catalogue %s cannot be made: %s", self._shelf.path, reason)
            self._took = max(self._took, RETRY_SECONDS / SHARE)
            self._changed.set()
        self._fault = reason


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
    if code == 0:
        return None
    last = errors.decode(errors="replace").strip().rpartition("\n")[2]
    return last or f"exit code {code}"
