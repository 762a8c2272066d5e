"""Requests for media and art as real players send them: each gets the bytes it asks for."""

import random
import re

import pytest

from tests.delivery.conftest import Delivering
from tests.delivery.library_fake import FakeLibrary
from tests.http_server import connected
from tests.make_media import picture
from tests.recorded import recorded

# Larger than every offset in the recordings.
CONTENT = random.Random(2).randbytes(1_000_000)  # noqa: S311 - any bytes do
COVER = picture("JPEG", (64, 64))

_RANGE = re.compile(rb"^Range: bytes=([0-9]+)-([0-9]*)\r$", re.MULTILINE | re.IGNORECASE)


def asked_for(message: bytes, content: bytes) -> bytes:
    """What a recorded request asks of a content."""
    if message.startswith(b"HEAD"):
        return b""
    match = _RANGE.search(message)
    if match is None:
        return content
    return content[int(match[1]) : int(match[2]) + 1 if match[2] else None]


def addressed(message: bytes, path: str, port: int) -> bytes:
    """The recorded request with our path and Host in place of those of its server."""
    message = re.sub(rb"^([A-Z]+) \S+", rb"\1 " + path.encode(), message)
    return re.sub(rb"(?i)\r\nHost: [^\r]+", b"\r\nHost: 127.0.0.1:%d" % port, message)


async def fetch(service: Delivering, message: bytes, path: str, content: bytes) -> None:
    async with connected(service.server) as client:
        await client.send(addressed(message, path, service.server.port))
        answer = await client.answer(message.partition(b" ")[0].decode())
        ranged = _RANGE.search(message) is not None and message.startswith(b"GET")
        assert answer.status == (206 if ranged else 200)
        assert answer.body == asked_for(message, content)
        assert answer.header("Accept-Ranges") == "bytes"
        assert answer.header("Content-Encoding") is None


@pytest.mark.parametrize("message", recorded("*.media"))
async def test_players_get_media(service: Delivering, library: FakeLibrary, message: bytes) -> None:
    # A player that fetched a picture asked for it as one: Interactive.
    name = "photo.jpg" if b"Interactive" in message else "song.mp3"
    media = library.add(name, CONTENT)
    await fetch(service, message, f"/media/{media.key:x}.mp3", CONTENT)


@pytest.mark.parametrize("message", recorded("*.art"))
async def test_players_get_art(service: Delivering, library: FakeLibrary, message: bytes) -> None:
    art = library.add_art("cover.jpg", COVER)
    await fetch(service, message, f"/art/{art.art_id:x}-original", COVER)
