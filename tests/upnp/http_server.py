"""An HTTP server inside the event loop of a test."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette


class _Server(uvicorn.Server):
    """Leaves signals alone and tells when it has begun."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(uvicorn.Config(app, lifespan="off", log_config=None, server_header=False))
        self.begun = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Starlette, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Serves an application; gives the port."""
    listening = socket.create_server((host, port))
    server = _Server(app)
    task = asyncio.create_task(server.serve([listening]))
    await server.begun.wait()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await task
