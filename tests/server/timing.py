"""Time that passes for a server only when a test says so."""

import asyncio
from collections.abc import Callable
from typing import Any

from mediaserver.server.serving import HttpServer
from tests.patience import PATIENCE
from tests.upnp.fakes import FakeClock


class Time:
    """The clock of a server under test."""

    def __init__(self) -> None:
        self.now = FakeClock()
        self.server: HttpServer

    async def passes(self, seconds: float) -> None:
        """Let time pass after all that was sent before has been read by the server."""
        for _ in range(50):
            await asyncio.sleep(0)
        await self.now.advance(seconds)
        self.server.look()


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0)


async def until_open(server: HttpServer, count: int) -> None:
    await until(lambda: server.connections == count)


async def until_full(time: Time) -> None:
    """Return when the server can send no more: every buffer between it and us is full."""
    async with asyncio.timeout(PATIENCE):
        (connection,) = time.server._state.connections
        before = -1
        while (now := progress(connection)) != before or not now:
            before = now
            for _ in range(200):
                await asyncio.sleep(0)
    time.server.look()


def progress(connection: Any) -> int:
    written: int = connection._written - connection.transport.get_write_buffer_size()
    return written
