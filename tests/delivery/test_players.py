"""FFmpeg's libraries as a player: what they read over HTTP is what is in the file."""

import asyncio
import threading
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.delivery.conftest import Delivering
from tests.delivery.library_fake import FakeLibrary
from tests.make_media import film, sound


def packets(source: str, *, start: Fraction | None = None) -> list[tuple[int | None, int, int]]:
    """Stream, time and size of every packet from a position (in seconds) on."""
    with av.open(source) as container:
        if start is not None:
            container.seek(int(start * 1_000_000))
        return [
            (packet.dts, packet.stream.index, packet.size)
            for packet in container.demux()
            if packet.size
        ]


async def in_thread(source: str, start: Fraction | None) -> list[tuple[int | None, int, int]]:
    """In a thread of its own, which is gone afterwards."""
    result: list[list[tuple[int | None, int, int]]] = []
    thread = threading.Thread(target=lambda: result.append(packets(source, start=start)))
    thread.start()
    while thread.is_alive():  # noqa: ASYNC110 - the server has to run meanwhile
        await asyncio.sleep(0.001)
    return result[0]


@pytest.mark.parametrize("start", [None, Fraction(1)], ids=["whole", "from the middle"])
@pytest.mark.parametrize(
    "name", ["song.mp3", "song.flac", "song.ogg", "song.m4a", "film.mp4", "film.mkv", "film.avi"]
)
async def test_a_player_reads_and_seeks(
    service: Delivering, library: FakeLibrary, name: str, start: Fraction | None, tmp_path: Path
) -> None:
    path = tmp_path / name
    make = sound if name.startswith("song") else film
    make(path, seconds=2)
    media = library.add(name, path.read_bytes())
    url = f"http://127.0.0.1:{service.server.port}/media/{media.key:x}{path.suffix}"
    expected = packets(str(path), start=start)
    assert expected
    assert await in_thread(url, start) == expected
