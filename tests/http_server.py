"""A real server on the loopback interface, and a client that sends exactly what it is told."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, cast

from mediaserver.server.admission import Admission
from mediaserver.server.limits import Limits
from mediaserver.server.listening import Endpoint
from mediaserver.server.serving import HttpServer
from tests.leaks import nothing_left
from tests.patience import PATIENCE

LOOPBACK = IPv4Address("127.0.0.1")
"""Seconds after which a test that waits for bytes has failed."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Answer:
    """A response as it came over the wire; header names as they were spelled."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of the one header of this very spelling; None if there is none."""
        values = [value for spelled, value in self.headers if spelled == name]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else None


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, method: str = "GET") -> Answer:
        """Read one response, delimited as RFC 9112 §6.3 says."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
            match = re.fullmatch(r"HTTP/1\.1 ([0-9]{3}) [ -~]*", first)
            assert match is not None, first
            status = int(match[1])
            pairs = [line.partition(":") for line in lines]
            headers = [(name, value.strip()) for name, _, value in pairs]
            lower = {name.lower(): value for name, value in headers}
            if method == "HEAD" or status in (204, 304) or status < 200:
                body = b""
            elif lower.get("transfer-encoding") == "chunked":
                body = await self._chunks()
            elif "content-length" in lower:
                body = await self.reader.readexactly(int(lower["content-length"]))
            else:
                body = await self.reader.read()
            return Answer(status, headers, body)

    async def rest(self) -> bytes:
        """Everything up to the end of the connection, also where it is broken off."""
        received = bytearray()
        async with asyncio.timeout(PATIENCE):
            try:
                while data := await self.reader.read(65536):
                    received += data
            except ConnectionError:
                pass
        return bytes(received)

    def pause(self) -> None:
        """Take nothing any more, as a paused player does."""
        cast("asyncio.Transport", self.writer.transport).pause_reading()

    def resume(self) -> None:
        cast("asyncio.Transport", self.writer.transport).resume_reading()

    async def _chunks(self) -> bytes:
        body = b""
        while True:
            size = int(await self.reader.readline(), 16)
            data = await self.reader.readexactly(size + 2)
            assert data.endswith(b"\r\n")
            if not size:
                return body
            body += data[:-2]

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@asynccontextmanager
async def serving(
    app: App,
    *,
    limits: Limits | None = None,
    hosts: Iterable[str] = (),
    now: Callable[[], float] | None = None,
) -> AsyncIterator[HttpServer]:
    """The application on a free port of 127.0.0.1; nothing of it is left afterwards."""
    admission = Admission(hosts=hosts, hostname="nas")
    admission.set_interfaces([LOOPBACK], [IPv4Network("127.0.0.0/8")])
    async with nothing_left():
        server = HttpServer(app, admission=admission, limits=limits, now=now)
        await server.start([Endpoint(LOOPBACK)], 0)
        try:
            yield server
        finally:
            await server.stop(grace=0.0)


@asynccontextmanager
async def connected(server: HttpServer) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(str(LOOPBACK), server.port)
    client = Client(reader, writer)
    try:
        yield client
    finally:
        await client.close()


def request(
    server: HttpServer, target: str = "/", *lines: str, method: str = "GET", body: bytes = b""
) -> bytes:
    """A request with its Host; ``lines`` are further headers."""
    head = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


async def ask(
    server: HttpServer, target: str = "/", *lines: str, method: str = "GET", body: bytes = b""
) -> Answer:
    """One request on a connection of its own."""
    async with connected(server) as client:
        await client.send(request(server, target, *lines, method=method, body=body))
        return await client.answer(method)


async def echo(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """An application that answers with the method, the path and the body it got."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            break
    text = f"{scope['method']} {scope['path']} ".encode() + body
    headers = [(b"Content-Length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})
