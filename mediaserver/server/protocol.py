"""One connection: bytes of a host we know nothing of to requests, within limits (security.md 2).

httptools reads the messages and refuses what RFC 9112 does not allow (both Content-Length and
Transfer-Encoding, repeated or odd lengths, folded lines, bare LF, odd chunks). This class adds what
it leaves out: limits of size and time, the check of Host, the methods and versions we do not
speak. After anything refused the connection is closed, since what follows cannot be trusted to be
a request (N13).
"""

import asyncio
import enum
import logging
import math
import socket
import urllib.parse
from typing import Any, cast

import httptools
from uvicorn._types import HTTPScope
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from mediaserver.server import requests
from mediaserver.server.edge import Edge
from mediaserver.server.exchange import EXTENSIONS, Exchange
from mediaserver.server.heads import write_head
from mediaserver.server.requests import RequestRefused

logger = logging.getLogger(__name__)
traffic = logging.getLogger("mediaserver.traffic.http")

NEVER = math.inf
LINGER_BYTES = 1 << 20
"""Of a refused sender that are read and thrown away at most."""

_ASGI: dict[str, str] = {"version": "3.0", "spec_version": "2.4"}
_REASONS = {
    400: b"Bad Request",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    414: b"URI Too Long",
    415: b"Unsupported Media Type",
    417: b"Expectation Failed",
    421: b"Misdirected Request",
    431: b"Request Header Fields Too Large",
    501: b"Not Implemented",
    505: b"HTTP Version Not Supported",
}


class Reading(enum.Enum):
    """What part of a message is being read."""

    NOTHING = enum.auto()
    HEAD = enum.auto()
    BODY = enum.auto()
    REFUSED = enum.auto()
    """Whatever comes is thrown away."""


class MediaProtocol(HttpToolsProtocol):
    """A connection. ``edge`` is what it shares with the others."""

    cycle: Exchange

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        edge: Edge,
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {}, _loop)
        self.edge = edge
        self.host = ""
        self.idle_since: float | None = None
        self._limits = edge.limits
        self._reading = Reading.NOTHING
        self._timed = Reading.NOTHING
        self._deadline = NEVER
        self._began_now = False
        self._fed = 0
        self._url: list[bytes] = []
        self._noted: dict[bytes, bytes] = {}
        self._active: Exchange | None = None
        # How far the receiver is: written, less what the transport still has.
        self._written = 0
        self._progress = (0, 0.0)
        self._stall_seconds = edge.limits.stall_seconds
        self._waiter: asyncio.Future[None] | None = None
        self._traffic_class = 0
        self._dropped = 0

    # ---- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.server is not None:
            # A zone id means nothing in a URL (RFC 9110 §4.2.1).
            self.server = (self.server[0].partition("%")[0], self.server[1])
        self.host = self.client[0] if self.client else ""
        now = self.edge.now()
        self._progress = (0, now)
        self._deadline = now + self._limits.new_seconds
        self.idle_since = now
        if not self.edge.admission.may_connect(self.host) or not self.edge.connections.add(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.edge.connections.discard(self)
        super().connection_lost(exc)
        for exchange in (self._active, *(queued for queued, _ in self.pipeline)):
            if exchange is not None and not exchange.response_complete:
                exchange.disconnected = True
                exchange.message_event.set()
        self.pipeline.clear()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @property
    def gone(self) -> bool:
        return self.transport.is_closing()

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio: true keeps it open
        """The peer sends no more. It may well be waiting for its answer: RFC 9112 §9.6."""
        if self._active is None or self._active.response_complete:
            return False
        self._last_exchange(self._active).keep_alive = False
        return self._reading is Reading.NOTHING

    def _last_exchange(self, active: Exchange) -> Exchange:
        """The last of the requests that were understood and not answered yet."""
        return cast("Exchange", self.pipeline[0][0]) if self.pipeline else active

    def give_way(self) -> None:
        self.transport.abort()

    def break_off(self) -> None:
        """Close a connection in the middle of a response."""
        self.transport.abort()

    # ---- requests

    def data_received(self, data: bytes) -> None:
        if self._reading is Reading.REFUSED:
            self._dropped += len(data)
            if self._dropped > LINGER_BYTES:
                self.transport.abort()
            return
        self._began_now = False
        try:
            self.parser.feed_data(data)
            if self._reading is not Reading.NOTHING:
                self._count(len(data))
        except httptools.HttpParserUpgrade as upgrade:
            # Upgrades are declined by answering as if they were not asked for (RFC 9110 §7.8).
            rest = data[upgrade.args[0] :]
            if rest:
                self.data_received(rest)
        except httptools.HttpParserInvalidMethodError:
            self.refuse(501 if data[:1].isalpha() else 400)
        except httptools.HttpParserError as error:
            cause = error.__context__
            self.refuse(cause.status if isinstance(cause, RequestRefused) else 400)
        except RequestRefused as refused:
            self.refuse(refused.status)

    def _count(self, size: int) -> None:
        """After some bytes of an unfinished message: is it too long, when must it be there?"""
        if self._reading is Reading.HEAD and self._began_now:
            self._fed = sum(map(len, self._url))
        else:
            self._fed += size
        if self._reading is Reading.HEAD:
            if sum(map(len, self._url)) > self._limits.request_line:
                raise RequestRefused(414)
            if self._fed > self._limits.request_line + self._limits.head:
                raise RequestRefused(431)
        elif self._fed > 2 * (self._limits.body + self._limits.head):
            raise RequestRefused(413)  # chunks of next to nothing, endless trailers
        if self._timed is not self._reading:
            self._timed = self._reading
            head = self._reading is Reading.HEAD
            seconds = self._limits.head_seconds if head else self._limits.body_seconds
            self._deadline = self.edge.now() + seconds

    def on_message_begin(self) -> None:
        self._reading = Reading.HEAD
        self._began_now = True
        self.idle_since = None
        self._url = []
        self.headers = []
        self._noted = {}

    def on_url(self, url: bytes) -> None:
        self._url.append(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reading is not Reading.HEAD:
            return  # trailers are not used (RFC 9110 §6.5.1)
        name = name.lower()
        if name in requests.NOTED:
            value = value.strip(b" \t")
            if name in self._noted:
                raise RequestRefused(400)
            self._noted[name] = value
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        url = b"".join(self._url)
        requests.check_sizes(url, self.headers, self._limits)
        expects_continue = requests.check_noted(self._noted, self._limits)
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise RequestRefused(505)
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise RequestRefused(405)
        host = self._noted.get(b"host")
        if host is None and version == "1.1":
            raise RequestRefused(400)  # RFC 9112 §3.2; HTTP/1.0 knows none
        port = self.server[1] or 0 if self.server else 0
        admission = self.edge.admission
        if host is not None and not admission.is_ours(host, port):
            raise RequestRefused(421)
        raw_path, query = requests.target(url, lambda host: admission.is_ours(host, port))
        path = raw_path.decode("ascii")
        if "%" in path:
            path = urllib.parse.unquote(path)
        scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": method.decode("ascii"),
            "root_path": "",
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self.headers,
            "extensions": EXTENSIONS,
        }
        exchange = Exchange(
            self,
            cast("HTTPScope", scope),
            keep_alive=version == "1.1" and self.parser.should_keep_alive(),
            # A client of HTTP/1.0 cannot know what 100 is (RFC 9110 §10.1.1).
            expect_100_continue=expects_continue and version == "1.1",
        )
        if len(self.pipeline) >= self._limits.pipelined:
            raise RequestRefused(400)
        self.cycle = exchange
        self._reading = Reading.BODY
        self._fed = 0
        if self._active is None:
            self._begin(exchange)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))

    def _begin(self, exchange: Exchange) -> None:
        self._active = exchange
        self._start_asgi_task(exchange, self.app)

    def on_body(self, body: bytes) -> None:
        exchange = self.cycle
        if exchange.response_complete or exchange.disconnected:
            return
        exchange.body += body
        if len(exchange.body) > self._limits.body:
            raise RequestRefused(413)
        if len(exchange.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        exchange.message_event.set()

    def on_message_complete(self) -> None:
        self._reading = self._timed = Reading.NOTHING
        self._deadline = NEVER
        exchange = self.cycle
        if not exchange.response_complete:
            exchange.more_body = False
            exchange.message_event.set()
        elif self._active is None:
            self._wait_for_request()

    # ---- responses

    def write(self, *pieces: bytes | bytearray) -> None:
        """Send by the transport."""
        self._written += sum(map(len, pieces))
        if len(pieces) == 1:
            self.transport.write(pieces[0])
        else:
            self.transport.writelines(pieces)

    def sent_directly(self, count: int) -> None:
        self._written += count

    def waits_for_receiver(self, waiter: asyncio.Future[None] | None) -> None:
        self._waiter = waiter

    async def flushed(self) -> None:
        """Return when the transport has nothing left to send."""
        if self.transport.get_write_buffer_size():
            self.transport.set_write_buffer_limits(high=0)
            try:
                await self.flow.drain()
            finally:
                self.transport.set_write_buffer_limits()

    def begin_response(self, status: int, traffic_class: int, stall_seconds: float | None) -> None:
        """A response starts: mark its packets, note how patient it is."""
        self._stall_seconds = stall_seconds or self._limits.stall_seconds
        if traffic_class != self._traffic_class:
            self._traffic_class = traffic_class
            _mark(self.transport, traffic_class)
        if traffic.isEnabledFor(logging.DEBUG) and self._active is not None:
            scope = self._active.scope
            traffic.debug("%s %s %r %d", self.host, scope["method"], scope["path"], status)

    def response_ended(self, exchange: Exchange) -> None:
        """The application has given the last of a response."""
        self.server_state.total_requests += 1
        self._active = None
        if not exchange.keep_alive:
            self.pipeline.clear()
            self._close()
            return
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._begin(cast("Exchange", self.pipeline.pop()[0]))
        else:
            self._wait_for_request()

    def _wait_for_request(self) -> None:
        now = self.edge.now()
        if self._reading is Reading.NOTHING:
            self.idle_since = now
            self._deadline = now + self._limits.idle_seconds
        elif self._reading is Reading.HEAD:
            self._deadline = now + self._limits.head_seconds

    def _close(self) -> None:
        if self._reading is Reading.NOTHING:
            self.transport.close()
        else:
            # The rest of a request is on its way: closing now would make the peer's system throw
            # away our answer (RFC 9112 §9.6).
            self._linger()

    def _linger(self) -> None:
        self._reading = Reading.REFUSED
        self._deadline = self.edge.now() + self._limits.linger_seconds
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def refuse(self, status: int) -> None:
        """Answer a request here and close; nothing after it is read."""
        if self._reading is Reading.REFUSED or self.transport.is_closing():
            return
        logger.debug("request refused host=%s status=%d", self.host, status)
        if self._reading is Reading.BODY:
            # What is refused has been handed on already.
            exchange = self.cycle
            if exchange is self._active:
                if exchange.response_started:
                    self.transport.abort()
                    return
                exchange.disconnected = True
                exchange.message_event.set()
                self._active = None
            elif self.pipeline and self.pipeline[0][0] is exchange:
                self.pipeline.popleft()
        if self._active is not None:
            # Earlier requests are answered still; then the end of the connection is the answer.
            self._last_exchange(self._active).keep_alive = False
            self._reading = Reading.REFUSED
            self._deadline = NEVER
            return
        self._answer_refusal(status)

    def _answer_refusal(self, status: int) -> None:
        reason = _REASONS[status] + b"\n"
        headers = [
            (b"Content-Type", b"text/plain"),
            (b"Content-Length", b"%d" % len(reason)),
            (b"X-Content-Type-Options", b"nosniff"),
        ]
        if status == 405:
            headers.append((b"Allow", b"GET, HEAD, POST, SUBSCRIBE, UNSUBSCRIBE"))
        head = write_head(
            status,
            headers,
            method="",
            http_1_1=True,
            keep_alive=False,
            date=self.edge.date,
            server=self.edge.server,
        )
        self.write(head.data, reason)
        self._linger()

    # ---- time

    def look(self, now: float) -> None:
        """Called once a second: has a deadline passed?"""
        pending = self.transport.get_write_buffer_size()
        if pending or self._waiter is not None:
            sent = self._written - pending
            before, since = self._progress
            if sent != before:
                self._progress = (sent, now)
            elif now - since >= self._stall_seconds:
                logger.debug("receiver takes nothing host=%s", self.host)
                self.transport.abort()
            return
        self._progress = (self._written, now)
        if now >= self._deadline:
            self._deadline_passed()

    def _deadline_passed(self) -> None:
        if self._reading is Reading.REFUSED:
            self.transport.abort()
        elif self.flow.read_paused:
            self._deadline = self.edge.now() + self._limits.body_seconds  # we did not read
        elif self._reading is Reading.BODY or (
            self._reading is Reading.HEAD and self._active is None
        ):
            self.refuse(408)
        elif self._active is None:
            self.transport.close()

    def shutdown(self) -> None:
        """Close as soon as what is being answered has been answered."""
        if self._active is None:
            self.transport.close()
        else:
            self._active.keep_alive = False


def _mark(transport: asyncio.Transport, traffic_class: int) -> None:
    """Set the DSCP of a connection's packets; a system that refuses is no reason to fail."""
    sock: Any = transport.get_extra_info("socket")
    try:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, traffic_class)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, traffic_class)
    except OSError as error:
        logger.debug("packets cannot be marked error=%s", error)
