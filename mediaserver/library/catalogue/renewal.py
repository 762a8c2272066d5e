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
RETRY_SECONDS = 600.0
"""After it could not be made."""
COMMAND = (sys.executable, "-P", "-m", "mediaserver.library.catalogue.building")

Make = Callable[[Path, Path], Awaitable[str | None]]
"""Makes the catalogue of an index at a path; gives the reason why it could not, or None."""


class Renewal:
    """``state`` tells the SystemUpdateID, ``items`` how many there are, ``busy`` whether a scan
    runs. ``clock`` and ``sleep`` are in seconds."""

    def __init__(
        self,
        index: Path,
        shelf: Shelf,
        *,
        state: Callable[[], int],
        items: Callable[[], Awaitable[int]],
        busy: Callable[[], bool],
        make: Make | None = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._index = index
        self._shelf = shelf
        self._state = state
        self._items = items
        self._busy = busy
        self._make = make or in_process
        self._clock = clock or asyncio.get_running_loop().time
        self._sleep = sleep
        self._changed = asyncio.Event()
        self._changed.set()
        self._not_before = 0.0

    def changed(self) -> None:
        """The library is another than before."""
        self._changed.set()

    async def run(self) -> None:
        """Keep the catalogue up to date, for good."""
        while True:
            await self._changed.wait()
            await self._rest()
            if self._shelf.at(self._state()) is None and await self._items() >= ROWS:
                await self._renew()

    async def _rest(self) -> None:
        """Until nothing has changed for a while."""
        while self._changed.is_set() or self._busy() or self._clock() < self._not_before:
            self._changed.clear()
            await self._sleep(QUIET_SECONDS)

    async def _renew(self) -> None:
        began = self._clock()
        reason = await self._make(self._index, self._shelf.path)
        took = self._clock() - began
        if reason is None:
            logger.info("catalogue made seconds=%.1f", took)
            self._not_before = self._clock() + SHARE * took
        else:
            logger.warning("catalogue %s cannot be made: %s", self._shelf.path, reason)
            self._not_before = self._clock() + RETRY_SECONDS


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
