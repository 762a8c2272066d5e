"""Decoders that are too many, and that fail; files that are broken; receivers that go or wait."""

import asyncio
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from mediaserver.library.decoding.decoders import Decoders
from mediaserver.library.lookup import MediaFile
from tests.delivery.conftest import Delivering, delivering
from tests.delivery.library_fake import FakeLibrary
from tests.delivery.records import BLOCK, HEADER, RATE, SECOND_US, decoded, url
from tests.http_server import ask, connected, request
from tests.make_media import sound
from tests.patience import PATIENCE


@pytest.fixture
def record(library: FakeLibrary) -> Path:
    """A record of four seconds, a tone that becomes noise."""
    return sound(library.root / "record.flac", seconds=4, noise_from=1)


@pytest.fixture
def part(library: FakeLibrary, record: Path) -> MediaFile:
    return library.add_part(record, SECOND_US, 2 * SECOND_US)


def script(tmp_path: Path, line: str) -> Sequence[str]:
    path = tmp_path / "decoder.py"
    path.write_text(f"import os, signal, sys, time\n{line}\n", encoding="ascii")
    return (sys.executable, "-S", "-E", str(path))


@pytest.fixture
def long_part(library: FakeLibrary, record: Path) -> MediaFile:
    """A part of a hundred megabytes, as far as the index knows."""
    return library.add_part(record, 0, 600 * SECOND_US)


@pytest.fixture
async def decoders(tmp_path: Path) -> AsyncIterator[Decoders]:
    """Room for two decoders that never stop."""
    decoders = Decoders(2, command=script(tmp_path, "while True: os.write(1, bytes(65536))"))
    yield decoders
    assert decoders.running == []


@pytest.fixture
async def endlessly(library: FakeLibrary, decoders: Decoders) -> AsyncIterator[Delivering]:
    async with delivering(library, decoders=decoders) as service:
        yield service


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.01)


async def test_beyond_so_many_decoders_others_have_to_wait(
    endlessly: Delivering, decoders: Decoders, long_part: MediaFile
) -> None:
    line = request(endlessly.server, url(long_part))
    async with connected(endlessly.server) as one, connected(endlessly.server) as other:
        for client in (one, other):
            client.pause()
            await client.send(line)
        await until(lambda: len(decoders.running) == 2)
        answer = await ask(endlessly.server, url(long_part))
        assert (answer.status, answer.header("Retry-After")) == (503, "5")
        # The header of a WAV file takes none.
        answer = await ask(endlessly.server, url(long_part), "Range: bytes=0-43")
        assert answer.body[:4] == b"RIFF"


async def test_a_receiver_that_goes_ends_its_decoder(
    endlessly: Delivering, decoders: Decoders, long_part: MediaFile
) -> None:
    async with connected(endlessly.server) as client:
        client.pause()
        await client.send(request(endlessly.server, url(long_part)))
        await until(lambda: len(decoders.running) == 1)
        [process] = decoders.running
    await until(lambda: not decoders.running)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert endlessly.delivery.transfers.running() == []


async def test_a_receiver_that_goes_while_nothing_comes_ends_its_decoder(
    library: FakeLibrary, tmp_path: Path, long_part: MediaFile
) -> None:
    decoders = Decoders(command=script(tmp_path, "time.sleep(600)"))
    async with delivering(library, decoders=decoders) as service:
        async with connected(service.server) as client:
            await client.send(request(service.server, url(long_part)))
            await until(lambda: len(decoders.running) == 1)
            # By a reset: whether one that merely sends no more still listens nobody can tell.
            linger = struct.pack("ii", 1, 0)
            sock = client.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        await until(lambda: not decoders.running)


async def test_a_receiver_that_reads_slowly_makes_the_decoder_wait(
    library: FakeLibrary, tmp_path: Path, long_part: MediaFile
) -> None:
    """What the decoder got rid of is what pipe and sockets hold, some megabytes of the hundred."""
    count = tmp_path / "count"
    line = (
        f"out = open({os.fspath(count)!r}, 'w')\n"
        "for n in range(1, 2000): os.write(1, bytes(65536)); out.seek(0); print(n, file=out, "
        "flush=True)"
    )
    decoders = Decoders(command=script(tmp_path, line))
    async with (
        delivering(library, decoders=decoders) as service,
        connected(service.server) as client,
    ):
        client.pause()
        await client.send(request(service.server, url(long_part)))
        await until(lambda: count.exists() and count.read_text() != "")
        before = -1
        while (now := int(count.read_text())) != before:
            before = now
            await asyncio.sleep(0.3)
        assert now < 320  # twenty megabytes
        assert len(decoders.running) == 1


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("sys.exit(3)", "the decoder failed (exit code 3)"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "the decoder crashed (signal 9)"),
        ("os.write(2, b'it is no good'); sys.exit(1)", "it is no good"),
        ("time.sleep(600)", "nothing came of it for 1 s"),
        ("", "the decoder thought that all was done"),
    ],
)
async def test_a_decoder_that_gives_nothing_is_500_and_logged_once(
    library: FakeLibrary,
    tmp_path: Path,
    part: MediaFile,
    caplog: pytest.LogCaptureFixture,
    line: str,
    reason: str,
) -> None:
    decoders = Decoders(command=script(tmp_path, line), stall=1)
    async with delivering(library, decoders=decoders) as service:
        answer = await ask(service.server, url(part))
    assert answer.status == 500
    assert logged(caplog) == [
        f"{os.fsencode(library.root / 'record.flac')!r} cannot be decoded: {reason}"
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("os.write(1, bytes(1000)); sys.exit(3)", "the decoder failed (exit code 3)"),
        ("os.write(1, bytes(1000)); time.sleep(600)", "nothing came of it for 1 s"),
    ],
)
async def test_a_decoder_that_stops_ends_the_connection_and_is_logged_once(
    library: FakeLibrary,
    tmp_path: Path,
    part: MediaFile,
    caplog: pytest.LogCaptureFixture,
    line: str,
    reason: str,
) -> None:
    decoders = Decoders(command=script(tmp_path, line), stall=1)
    async with (
        delivering(library, decoders=decoders) as service,
        connected(service.server) as client,
    ):
        await client.send(request(service.server, url(part)))
        received = await client.rest()
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert received.endswith(bytes(1000))
    assert len(logged(caplog)) == 1
    assert logged(caplog)[0].endswith(f"cannot be decoded: {reason}")


async def test_a_decoder_that_cannot_be_started_is_500(
    library: FakeLibrary, part: MediaFile, caplog: pytest.LogCaptureFixture
) -> None:
    async with delivering(library, decoders=Decoders(command=("/nothing/there",))) as service:
        assert (await ask(service.server, url(part))).status == 500
    assert logged(caplog)[0].endswith("no decoder can be started: No such file or directory")


@pytest.mark.parametrize("content", [b"", b"fLaC" + bytes(1000), b"no sound at all" * 100])
async def test_a_file_that_cannot_be_understood_is_500(
    service: Delivering,
    library: FakeLibrary,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
) -> None:
    path = library.root / "broken.flac"
    path.write_bytes(content)
    part = library.add_part(path, 0, SECOND_US)
    assert (await ask(service.server, url(part))).status == 500
    assert len(logged(caplog)) == 1


def cut(record: Path) -> Path:
    """A copy without its second half."""
    whole = record.read_bytes()
    path = record.with_name("cut.flac")
    path.write_bytes(whole[: len(whole) // 2])
    return path


async def test_a_file_that_was_cut_ends_the_connection_where_it_ends(
    service: Delivering, library: FakeLibrary, record: Path, caplog: pytest.LogCaptureFixture
) -> None:
    part = library.add_part(cut(record), 0, 4 * SECOND_US)
    async with connected(service.server) as client:
        await client.send(request(service.server, url(part, "l16")))
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert RATE * BLOCK < len(body) < 3 * RATE * BLOCK
    assert body[1::2] == decoded(record)[: len(body)][::2]
    assert len(logged(caplog)) == 1


async def test_of_what_was_cut_off_nothing_is_sent(
    service: Delivering, library: FakeLibrary, record: Path, caplog: pytest.LogCaptureFixture
) -> None:
    part = library.add_part(cut(record), 3 * SECOND_US, 6 * SECOND_US)
    assert (await ask(service.server, url(part))).status == 500
    assert len(logged(caplog)) == 1


def scratched(record: Path) -> Path:
    """A copy with some two frames in its middle that are noughts."""
    content = bytearray(record.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    path = record.with_name("scratched.flac")
    path.write_bytes(content)
    return path


async def test_a_frame_that_is_broken_is_silence_of_its_length(
    service: Delivering, library: FakeLibrary, record: Path
) -> None:
    path = scratched(record)
    whole = decoded(record)
    part = library.add_part(path, 0, 4 * SECOND_US)
    answer = await ask(service.server, url(part))
    body = answer.body[HEADER:]
    assert len(body) == len(whole)
    # What follows is where it was.
    assert body[-RATE * BLOCK :] == whole[-RATE * BLOCK :]
    assert body[: RATE * BLOCK] == whole[: RATE * BLOCK]
    assert body != whole
