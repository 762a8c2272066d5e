"""Answers over ASGI: content of a known size, whole or in parts, and refusals.

Bytes of files are sent by the server (the ASGI extension ``http.response.zerocopysend``).
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

from mediaserver.delivery import conditional, ranges
from mediaserver.delivery.conditional import Outcome, Validators
from mediaserver.delivery.ranges import MAX_RANGES, NotSatisfiable, Span
from mediaserver.library.opening import OpenFile

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[str, str]]
Progress = Callable[[int], None]

PIECE = 4 << 20
"""Bytes handed to the server at a time; so often is progress noted."""
METHODS = ("GET", "HEAD")

_NOSNIFF = ("X-Content-Type-Options", "nosniff")


def request_headers(scope: Scope) -> dict[str, str]:
    """Headers of a request by name, in lower case; a repeated Range counts as none."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        text = name.decode("latin-1")
        if text == "range" and text in headers:
            headers[text] = ""
        else:
            headers.setdefault(text, value.decode("latin-1").strip())
    return headers


def host_of(scope: Scope) -> str:
    """The address a request came from."""
    client = scope.get("client")
    return str(client[0]) if client else ""


async def refuse(
    scope: Scope, send: Send, status: int, headers: Sequence[tuple[str, str]] = ()
) -> None:
    """Answer with a status and its fixed text; nothing of the request is repeated."""
    body = f"{HTTPStatus(status).phrase}\n".encode("ascii")
    await _start(
        send,
        status,
        [
            ("Content-Type", "text/plain"),
            ("Content-Length", str(len(body))),
            *headers,
            _NOSNIFF,
        ],
    )
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


class Body(Protocol):
    """What an answer is made of: bytes whose number is known, and of which parts can be sent."""

    @property
    def size(self) -> int: ...
    @property
    def validators(self) -> Validators: ...
    @property
    def ranges(self) -> int:
        """How many parts it can be asked for in one request; of more, all of it is sent."""

    async def send(self, send: Send, span: Span, progress: Progress, *, more: bool) -> None:
        """Send some of it; ``more``: it is not the end of the answer."""


@dataclass(frozen=True, slots=True)
class FileBody:
    """An open file; it stays open."""

    file: OpenFile
    ranges: int = MAX_RANGES

    @property
    def size(self) -> int:
        return self.file.size

    @property
    def validators(self) -> Validators:
        return conditional.validators(self.file.inode, self.file.size, self.file.mtime_ns)

    async def send(self, send: Send, span: Span, progress: Progress, *, more: bool) -> None:
        start = span.start
        while start < span.stop:
            count = min(PIECE, span.stop - start)
            await send(
                {
                    "type": "http.response.zerocopysend",
                    "file": self.file.descriptor,
                    "offset": start,
                    "count": count,
                    "more_body": more or start + count < span.stop,
                }
            )
            start += count
            progress(count)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a GET or HEAD. ``headers`` come behind the framing ones."""

    body: Body
    content_type: str
    headers: Headers = field(default_factory=list)
    traffic_class: int = 0
    stall_seconds: float | None = None
    progress: Progress = field(default=lambda count: None)
    """Told how many bytes more have been sent."""

    async def send(self, scope: Scope, send: Send, headers: Mapping[str, str]) -> None:
        """Answer a request with these headers: preconditions and ranges are looked after."""
        body = self.body
        current = body.validators
        match conditional.evaluate(headers, current):
            case Outcome.NOT_MODIFIED:
                await self._begin(send, 304, _validating(current))
                await send({"type": "http.response.body", "body": b""})
                return
            case Outcome.FAILED:
                await refuse(scope, send, 412)
                return
        try:
            spans = _spans(scope["method"], headers, current, body.size)
        except NotSatisfiable as error:
            await refuse(scope, send, 416, [("Content-Range", error.content_range)])
            return
        if len(spans) > body.ranges:
            spans = ()
        if len(spans) > 1:
            await self._send_parts(send, current, spans)
        else:
            await self._send_one(scope, send, current, spans[0] if spans else None)

    async def _send_one(
        self, scope: Scope, send: Send, current: Validators, span: Span | None
    ) -> None:
        size = self.body.size
        length = span.length if span else size
        framing = [("Content-Type", self.content_type), ("Content-Length", str(length))]
        if span is not None:
            framing.append(("Content-Range", span.content_range(size)))
        await self._begin(
            send, 206 if span else 200, [*framing, *self.headers, *_validating(current)]
        )
        if scope["method"] == "HEAD" or not length:
            await send({"type": "http.response.body", "body": b""})
        else:
            await self.body.send(send, span or Span(0, size), self.progress, more=False)

    async def _send_parts(self, send: Send, current: Validators, spans: Sequence[Span]) -> None:
        """multipart/byteranges (RFC 9110 §14.6)."""
        boundary = secrets.token_hex(16)
        heads = [
            f"{'' if number == 0 else chr(13) + chr(10)}--{boundary}\r\n"
            f"Content-Type: {self.content_type}\r\n"
            f"Content-Range: {span.content_range(self.body.size)}\r\n\r\n".encode("ascii")
            for number, span in enumerate(spans)
        ]
        end = f"\r\n--{boundary}--\r\n".encode("ascii")
        length = sum(map(len, heads)) + sum(span.length for span in spans) + len(end)
        framing = [
            ("Content-Type", f"multipart/byteranges; boundary={boundary}"),
            ("Content-Length", str(length)),
        ]
        await self._begin(send, 206, [*framing, *self.headers, *_validating(current)])
        for head, span in zip(heads, spans, strict=True):
            await send({"type": "http.response.body", "body": head, "more_body": True})
            await self.body.send(send, span, self.progress, more=True)
        await send({"type": "http.response.body", "body": end})

    async def _begin(self, send: Send, status: int, headers: Headers) -> None:
        await _start(
            send,
            status,
            [*headers, ("Accept-Ranges", "bytes"), _NOSNIFF],
            traffic_class=self.traffic_class,
            stall_seconds=self.stall_seconds,
        )


def _spans(
    method: str, headers: Mapping[str, str], current: Validators, size: int
) -> tuple[Span, ...]:
    """Range is defined for GET alone (RFC 9110 §14.2)."""
    if method != "GET" or not conditional.range_holds(headers.get("if-range"), current):
        return ()
    return ranges.select(headers.get("range"), size)


def _validating(current: Validators) -> Headers:
    headers = [("ETag", current.etag)]
    if current.last_modified is not None:
        headers.append(("Last-Modified", current.last_modified))
    return headers


async def _start(send: Send, status: int, headers: Headers, **transfer: object) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers],
            **transfer,
        }
    )
