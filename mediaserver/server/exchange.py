"""One request and its response, as the application sees them (ASGI 3, ``http`` 2.4).

Besides ``http.response.body`` there is ``http.response.zerocopysend`` (an ASGI extension) for
stretches of files, and ``http.response.start`` may carry two keys more, announced in the scope as
the extension ``mediaserver.transfer``: ``traffic_class``, the IP TOS byte of this response, and
``stall_seconds``, how long its receiver may take nothing (a paused player).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, cast

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent, HTTPScope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from mediaserver.server.edge import Edge
from mediaserver.server.heads import Head, write_head
from mediaserver.server.sending import Disconnected, FileFailed, Link

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

EXTENSIONS: dict[str, dict[object, object]] = {
    "http.response.zerocopysend": {},
    "mediaserver.transfer": {},
}

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_INTERNAL_ERROR = b"Internal Server Error"
_NO_HEAD = Head(b"", None, chunked=False, keep_alive=False, has_body=False)


class Wire(Link, Protocol):
    """The connection that an exchange speaks through."""

    edge: Edge
    flow: FlowControl

    def begin_response(
        self, status: int, traffic_class: int, stall_seconds: float | None
    ) -> None: ...

    def response_ended(self, exchange: "Exchange") -> None: ...

    def break_off(self) -> None: ...


class Exchange(RequestResponseCycle):
    """Runs the application for one request. Attributes named as the connection expects them."""

    def __init__(
        self,
        connection: Wire,
        scope: HTTPScope,
        *,
        keep_alive: bool,
        expect_100_continue: bool,
    ) -> None:
        self.connection = connection
        self.scope = scope
        self.transport = connection.transport
        self.flow = connection.flow
        self.message_event = asyncio.Event()
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = expect_100_continue
        self.disconnected = False
        self.body = bytearray()
        self.more_body = True
        self.response_started = False
        self.response_complete = False
        self._head = _NO_HEAD
        self._held = b""
        self._left: int | None = None

    async def run_asgi(self, app: Application) -> None:  # type: ignore[override]  # our Scope
        try:
            await app(
                cast("Scope", self.scope), cast("Receive", self.receive), cast("Send", self.send)
            )
        except Disconnected:
            pass
        except FileFailed as error:
            logger.warning("a file failed while it was sent path=%r: %s", self.scope["path"], error)
        except Exception:
            logger.exception("the application failed path=%r", self.scope["path"])
            if not self.response_started:
                await self._send_error()
        if self.disconnected or self.response_complete:
            return
        if not self.response_started:
            logger.error("the application gave no answer path=%r", self.scope["path"])
            await self._send_error()
        else:
            # Less than was announced: the receiver must notice (security.md F6).
            self.connection.break_off()

    async def _send_error(self) -> None:
        headers = [(b"Content-Type", b"text/plain"), (b"Connection", b"close")]
        headers.append((b"Content-Length", b"%d" % len(_INTERNAL_ERROR)))
        self._start({"status": 500, "headers": headers})
        self._send_body(_INTERNAL_ERROR, more=False)

    # ---- what the application calls

    async def receive(self) -> ASGIReceiveEvent:
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.connection.write(_CONTINUE)
            self.waiting_for_100_continue = False
        if not self.disconnected and not self.response_complete:
            self.flow.resume_reading()
            await self.message_event.wait()
            self.message_event.clear()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: ASGISendEvent) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        # A transport that failed tells so only when the loop runs again.
        if self.disconnected or self.transport.is_closing():
            raise Disconnected
        event = cast("Message", message)
        kind = event["type"]
        if kind == "http.response.start":
            self._start(event)
        elif not self.response_started or self.response_complete:
            raise RuntimeError(f"{kind} without or after a response")
        elif kind == "http.response.body":
            more = event.get("more_body", False)
            self._send_body(event.get("body", b""), more=more)
            if more:
                # As long as the receiver is fast nothing else would ever wait.
                await asyncio.sleep(0)
        elif kind == "http.response.zerocopysend":
            await self._send_file(event)
        else:
            raise RuntimeError(f"{kind} is not a message of a response")

    # ---- the response

    def _start(self, message: Message) -> None:
        if self.response_started:
            raise RuntimeError("a second http.response.start")
        edge = self.connection.edge
        head = write_head(
            message["status"],
            message.get("headers", ()),
            method=self.scope["method"],
            http_1_1=self.scope["http_version"] == "1.1",
            keep_alive=self.keep_alive,
            date=edge.date,
            server=edge.server,
        )
        self.connection.begin_response(
            message["status"], message.get("traffic_class", 0), message.get("stall_seconds")
        )
        self.response_started = True
        self.waiting_for_100_continue = False
        self.keep_alive = head.keep_alive
        self._head, self._held, self._left = head, head.data, head.length

    def _send_body(self, body: bytes, *, more: bool) -> None:
        if self._head.has_body:
            self._account(len(body))
            if self._head.chunked:
                body = _chunk(body, last=not more)
        else:
            body = b""
        # The head has waited to leave together with the first of the body.
        held, self._held = self._held, b""
        pieces = [piece for piece in (held, body) if piece]
        if pieces:
            self.connection.write(*pieces)
        if not more:
            self._complete()

    async def _send_file(self, message: Message) -> None:
        more = message.get("more_body", False)
        if not self._head.has_body:
            self._send_body(b"", more=more)
            return
        offset, count = message["offset"], message["count"]
        self._account(count)
        if self._head.chunked:
            raise RuntimeError("a stretch of a file needs a Content-Length")
        held, self._held = self._held, b""
        await self.connection.edge.sender.send(
            self.connection, held, message["file"], offset, count
        )
        if self.disconnected:
            raise Disconnected
        if not more:
            self._complete()

    def _account(self, count: int) -> None:
        if self._left is not None:
            if count > self._left:
                raise RuntimeError("a body longer than its Content-Length")
            self._left -= count

    def _complete(self) -> None:
        if self._left:
            raise RuntimeError("a body shorter than its Content-Length")
        self.response_complete = True
        self.message_event.set()
        self.connection.response_ended(self)


def _chunk(body: bytes, *, last: bool) -> bytes:
    """RFC 9112 §7.1."""
    data = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return data + b"0\r\n\r\n" if last else data
