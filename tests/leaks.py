"""What a test started must be gone when it ends."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")
ENDING_SECONDS = 1.0
"""What a thread may take to end that has told its outcome already."""


def _sockets() -> set[str]:
    """The open sockets of this process; empty where the system does not tell."""
    if not _DESCRIPTORS.exists():
        return set()
    links = []
    for descriptor in _DESCRIPTORS.iterdir():
        try:
            links.append(str(os.readlink(descriptor)))  # noqa: PTH115 - "socket:[1]" is no path
        except OSError:  # the one that lists the folder
            continue
    return {link for link in links if link.startswith("socket:")}


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """Fails if tasks, threads or sockets remain that were not there before."""
    tasks, threads, sockets = asyncio.all_tasks(), set(threading.enumerate()), _sockets()
    yield
    for _ in range(3):  # transports close their sockets one turn later
        await asyncio.sleep(0)
    # A fixture begins and ends in tasks of their own.
    assert asyncio.all_tasks() - tasks - {asyncio.current_task()} == set()
    for thread in set(threading.enumerate()) - threads:
        thread.join(ENDING_SECONDS)
    assert set(threading.enumerate()) - threads == set()
    assert _sockets() - sockets == set()
