"""An ASGI application served on addresses that come and go, inside a running event loop."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterable

from uvicorn import Config
from uvicorn.server import ServerState

from mediaserver.server.admission import Admission
from mediaserver.server.connections import Connections
from mediaserver.server.edge import Edge
from mediaserver.server.exchange import Application
from mediaserver.server.limits import Limits
from mediaserver.server.listening import CannotListen, Endpoint, listen, listen_on_all
from mediaserver.server.protocol import MediaProtocol
from mediaserver.server.sending import FileSender

logger = logging.getLogger(__name__)

GRACE_SECONDS = 2.5
LOOK_SECONDS = 1.0
BACKLOG = 256
"""Connections the system keeps until we take them."""


class HttpServer:
    """Listens, serves, stops. Signals and the application's own start are the caller's.

    ``server_name`` is the value of the header ``Server``, where an answer has none of its own;
    ``now`` the clock of deadlines, the event loop's if it is not given.
    """

    def __init__(
        self,
        app: Application,
        *,
        admission: Admission,
        limits: Limits | None = None,
        server_name: str = "",
        now: Callable[[], float] | None = None,
    ) -> None:
        # Only what a connection needs of uvicorn: no logging set up, nothing around the app.
        self._config = Config(
            app,
            http=MediaProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        self._state = ServerState()
        self._admission = admission
        self._limits = limits or Limits()
        self._now = now
        self._server_line = f"Server: {server_name}\r\n".encode("ascii") if server_name else b""
        self._servers: dict[Endpoint, asyncio.Server] = {}
        self._refused: set[Endpoint] = set()
        self._edge: Edge | None = None
        self._looking: asyncio.Task[None] | None = None
        self.port = 0
        """The port, once started."""

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self._edge.connections) if self._edge else 0

    @property
    def requests(self) -> int:
        """Requests answered since the start."""
        return self._state.total_requests

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where we listen."""
        return tuple(self._servers)

    async def start(self, endpoints: Iterable[Endpoint], port: int) -> int:
        """Listen on all of the addresses; the port, which for 0 is a free one.

        Raises CannotListen, with nothing left open.
        """
        sockets = listen_on_all(endpoints, port)
        loop = asyncio.get_running_loop()
        now = self._now or loop.time
        connections = Connections(self._limits, now)
        self._edge = Edge(
            self._limits, self._admission, connections, FileSender(), now, self._server_line
        )
        if not self._config.loaded:
            self._config.load()
        for endpoint, sock in sockets.items():
            self.port = sock.getsockname()[1]
            self._servers[endpoint] = await self._listen(sock, self._edge)
        self._looking = loop.create_task(self._keep_looking())
        return self.port

    async def set_endpoints(self, endpoints: Iterable[Endpoint]) -> list[CannotListen]:
        """Follow a change of our addresses, on the same port; what could not be had.

        An address that cannot be listened on (not unique yet, or taken) is tried again the next
        time. Connections to an address that is gone end by themselves.
        """
        if self._edge is None:
            return []
        wanted = list(dict.fromkeys(endpoints))
        for endpoint in self._servers.keys() - set(wanted):
            self._servers.pop(endpoint).close()
            logger.info("listening no longer address=%s port=%d", endpoint, self.port)
        failures = []
        for endpoint in wanted:
            if endpoint in self._servers:
                continue
            try:
                sock = listen(endpoint, self.port)
            except CannotListen as error:
                failures.append(error)
                if endpoint not in self._refused:
                    logger.warning("%s", error)
                self._refused.add(endpoint)
                continue
            self._refused.discard(endpoint)
            self._servers[endpoint] = await self._listen(sock, self._edge)
            logger.info("listening address=%s port=%d", endpoint, self.port)
        return failures

    def look(self) -> None:
        """Look at the deadlines of all connections, as it happens every second."""
        if self._edge is not None:
            self._edge.tell_time()
            self._edge.connections.look()

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self.look()
            except Exception:  # the next look may go well; without any, nobody is ever late
                logger.exception("cannot look at the deadlines of connections")

    async def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Take no more connections, give running answers ``grace`` seconds, end everything."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks and grace > 0:
            await asyncio.wait(self._state.tasks, timeout=grace)
        for connection in list(self._state.connections):
            connection.transport.abort()
        tasks = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
            self._looking = None
        if self._edge is not None:
            self._edge.sender.close()
            self._edge = None

    async def _listen(self, sock: socket.socket, edge: Edge) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: MediaProtocol(self._config, self._state, edge), sock=sock, backlog=BACKLOG
        )
