"""Asking servers over HTTP: the one that runs on this machine, and what others describe.

One small request at a time, from the address of the interface it goes out of; nothing is
followed, and no more than some 100 KB is read.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address

from pydantic import TypeAdapter

from mediaserver import urls
from mediaserver.upnp.interfaces import Address, Interface
from mediaserver.web.status import Status

SECONDS = 1.5
MAX_BODY = 1 << 20
"""Bytes; a status with all its tables full has some 100 KB."""

_STATUS = TypeAdapter(Status)
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")
_UDN = re.compile(rb"<UDN>\s*([^<\s]+)\s*</UDN>")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    body: bytes

    @property
    def udn(self) -> str | None:
        """The first UDN of a device description; None if it is none."""
        found = _UDN.search(self.body)
        return found[1].decode("ascii", "replace") if found else None


@dataclass(frozen=True, slots=True)
class Knock:
    """What came of connecting to a port: an answer, or why there is none."""

    interface: Interface
    answer: HttpAnswer | None = None
    refused: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that answers on this machine."""

    udn: str
    port: int
    version: str = ""
    scanning: bool = False
    items: int = 0
    unreadable: int = 0
    status: Status | None = None
    """None if it is not told to us, or by another version of the program."""


async def get(
    interface: Interface, to: Address, port: int, path: str, *, seconds: float = SECONDS
) -> HttpAnswer:
    """One GET request. OSError (TimeoutError among them), ValueError for what is not HTTP."""
    host = f"[{to}]" if to.version == 6 else str(to)
    request = (
        f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\nUser-Agent: mediaserver doctor\r\n\r\n"
    )
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(
            _scoped(to, interface),
            port,
            local_addr=(_scoped(interface.address, interface), 0),
        )
        try:
            writer.write(request.encode("ascii"))
            data = bytearray()
            while len(data) <= MAX_BODY:
                part = await reader.read(1 << 16)
                if not part:
                    break
                data += part
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    status = _STATUS_LINE.match(data)
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    if status is None:
        raise ValueError(f"not HTTP: {head[:40]!r}")
    return HttpAnswer(int(status[1]), body)


async def knock(interface: Interface, port: int, *, seconds: float = SECONDS) -> Knock:
    """Ask for the device description at an address of ours."""
    try:
        answer = await get(interface, interface.address, port, urls.DESCRIPTION, seconds=seconds)
    except TimeoutError:
        return Knock(interface, error="no answer in time")
    except ConnectionRefusedError:
        return Knock(interface, refused=True)
    except (OSError, ValueError) as error:
        return Knock(interface, error=str(getattr(error, "strerror", None) or error))
    return Knock(interface, answer)


async def find(
    interfaces: Sequence[Interface], port: int, *, seconds: float = SECONDS
) -> Running | None:
    """Whoever serves at ``port`` on one of our addresses, if it is a mediaserver."""
    found = await asyncio.gather(*(_ask(each, port, seconds) for each in interfaces))
    return next((each for each in found if each is not None), None)


async def _ask(interface: Interface, port: int, seconds: float) -> Running | None:
    try:
        answer = await get(interface, interface.address, port, urls.HEALTH, seconds=seconds)
        health = json.loads(answer.body)
        library = health["library"]
        running = Running(
            udn=str(health["udn"]),
            port=port,
            version=str(health["version"]),
            scanning=bool(library["scanning"]),
            items=int(library["items"]),
            unreadable=int(library["unreadable"]),
            status=await _status(interface, port, seconds),
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return running


async def _status(interface: Interface, port: int, seconds: float) -> Status | None:
    try:
        answer = await get(interface, interface.address, port, urls.STATUS, seconds=seconds)
        return _STATUS.validate_json(answer.body)
    except (OSError, ValueError):
        return None


def _scoped(address: Address, interface: Interface) -> str:
    if isinstance(address, IPv6Address) and address.is_link_local:
        return f"{address}%{interface.index}"
    return str(address)
