"""Parts of files, decoded while they are sent, over a real connection (dlna-http 1 to 7)."""

import asyncio
import io
import os
import socket
import struct
import sys
import wave
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.audio.frame import AudioFrame

from mediaserver.library.decoding.decoders import Decoders
from mediaserver.library.lookup import MediaFile
from tests.delivery.conftest import Delivering, delivering
from tests.delivery.library_fake import FakeLibrary
from tests.http_server import ask, connected, request
from tests.make_media import sound
from tests.patience import PATIENCE

RATE = 44_100
BLOCK = 4
HEADER = 44
SECOND_US = 1_000_000
BEGIN_US, END_US = 1_234_567, 2_765_432
FIRST, STOP = 54_444, 121_956  # 1.234567 * 44100 = 54444.4, 2.765432 * 44100 = 121955.6
SIZE = HEADER + (STOP - FIRST) * BLOCK
FEATURES = "DLNA.ORG_OP=01;DLNA.ORG_CI=1;DLNA.ORG_FLAGS=017" + "0" * 29

CODECS: dict[str, str | None] = {
    "flac": None,
    "wav": None,
    "wv": None,
    "tta": None,
    "aiff": None,
    "mp3": None,
    "m4a": "alac",
    "ogg": None,
    "mka": "flac",
    "aac": None,  # in which there is noise that each decoder makes anew
}
"""By suffix, what is not what ``sound`` writes by itself."""


def decoded(path: Path, packing: str = "s16") -> bytes:
    """All of a file at once, in the machine's order."""
    pieces = []
    with av.open(str(path)) as file:
        resampler = av.AudioResampler(format=packing)
        for frame in file.decode(audio=0):
            assert isinstance(frame, AudioFrame)
            frame.pts = None
            for each in resampler.resample(frame):
                width = each.format.bytes * each.layout.nb_channels
                pieces.append(bytes(each.planes[0])[: each.samples * width])
    return b"".join(pieces)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of four seconds, a tone that becomes noise, in every codec."""
    folder = tmp_path_factory.mktemp("records")
    for suffix, codec in CODECS.items():
        sound(folder / f"record.{suffix}", codec=codec, seconds=4, noise_from=1)
    return folder


@pytest.fixture
def library(records: Path, tmp_path: Path) -> FakeLibrary:
    return FakeLibrary(records, tmp_path / "cache")


@pytest.fixture
def record(records: Path) -> Path:
    return records / "record.flac"


@pytest.fixture
def part(library: FakeLibrary, record: Path) -> MediaFile:
    return library.add_part(record, BEGIN_US, END_US)


def wav_header(size: int) -> bytes:
    """What others write before so many bytes of samples."""
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(size))
    return memory.getvalue()[:HEADER]


def url(part: MediaFile, form: str = "wav") -> str:
    return f"/converted/{part.key:x}-{form}.{form}"


@pytest.fixture
def expected(part: MediaFile, record: Path) -> bytes:
    return decoded(record)[FIRST * BLOCK : STOP * BLOCK]


# ---- what is sent


async def test_a_part_is_a_wav_file_with_the_headers_of_dlna(
    service: Delivering, part: MediaFile, expected: bytes
) -> None:
    answer = await ask(service.server, url(part))
    assert (answer.status, answer.body[HEADER:]) == (200, expected)
    headers = {name: value for name, value in answer.headers if name not in ("ETag", "Date")}
    del headers["Last-Modified"]
    assert list(headers.items()) == [
        ("Content-Type", "audio/x-wav"),
        ("Content-Length", str(SIZE)),
        ("transferMode.dlna.org", "Streaming"),
        ("contentFeatures.dlna.org", FEATURES),
        ("Accept-Ranges", "bytes"),
        ("X-Content-Type-Options", "nosniff"),
    ]


async def test_a_part_is_bare_samples_with_the_high_byte_first(
    service: Delivering, part: MediaFile, expected: bytes
) -> None:
    answer = await ask(service.server, url(part, "l16"))
    # RFC 2586 §3.1: network byte order.
    assert answer.body[::2] == expected[1::2]
    assert answer.body[1::2] == expected[::2]
    assert answer.header("Content-Type") == "audio/L16;rate=44100;channels=2"
    assert answer.header("contentFeatures.dlna.org") == f"DLNA.ORG_PN=LPCM;{FEATURES}"


@pytest.mark.parametrize("suffix", [each for each in CODECS if each != "aac"])
async def test_the_parts_of_a_file_are_all_of_it(
    service: Delivering, library: FakeLibrary, records: Path, suffix: str
) -> None:
    path = records / f"record.{suffix}"
    whole = decoded(path)
    times = [0, 700_001, 2 * SECOND_US, END_US, round(len(whole) / BLOCK / RATE * SECOND_US)]
    joined = b""
    for begin, end in pairwise(times):
        answer = await ask(service.server, url(library.add_part(path, begin, end)))
        joined += answer.body[HEADER:]
    assert joined == whole


@pytest.mark.parametrize("suffix", ["flac", "wv", "mp3", "ogg", "mka", "aac"])
@pytest.mark.parametrize("form", ["wav", "l16"])
async def test_a_byte_is_the_same_however_it_was_reached(
    service: Delivering, library: FakeLibrary, records: Path, suffix: str, form: str
) -> None:
    part = library.add_part(records / f"record.{suffix}", BEGIN_US, END_US)
    whole = (await ask(service.server, url(part, form))).body
    cuts = [0, 1, 43, 45, 1000, 123_457, 200_000, len(whole) - 1, len(whole)]
    joined = b""
    for start, stop in pairwise(cuts):
        answer = await ask(service.server, url(part, form), f"Range: bytes={start}-{stop - 1}")
        assert answer.status == 206
        assert answer.header("Content-Range") == f"bytes {start}-{stop - 1}/{len(whole)}"
        joined += answer.body
    assert joined == whole


async def test_24_bits_stay_24_bits(
    service: Delivering, library: FakeLibrary, records: Path
) -> None:
    path = sound(records / "fine.wav", codec="pcm_s24le", rate=96_000, seconds=1, noise_from=0)
    part = library.add_part(path, 250_000, 750_000, rate=96_000, bits=24)
    answer = await ask(service.server, url(part))
    whole = decoded(path, "s32")
    wanted = bytearray()
    for number, byte in enumerate(whole[24_000 * 8 : 72_000 * 8]):
        if number % 4 if sys.byteorder == "little" else number % 4 != 3:
            wanted.append(byte)
    assert answer.body[HEADER:] == bytes(wanted)


async def test_sound_is_made_what_was_promised_where_it_is_something_else(
    service: Delivering, library: FakeLibrary, records: Path
) -> None:
    path = sound(records / "other.flac", rate=22_050, channels=1, seconds=1)
    part = library.add_part(path, 0, SECOND_US, rate=48_000, channels=2)
    answer = await ask(service.server, url(part, "l16"))
    assert len(answer.body) == 48_000 * BLOCK
    assert answer.body[0::4] == answer.body[2::4]  # both channels are the one there was
    assert len(set(answer.body[: 4000 * BLOCK])) > 100


@pytest.mark.parametrize("missing_us", [1000, 900_000])
async def test_what_an_estimated_length_is_too_long_by_is_silence(
    service: Delivering, library: FakeLibrary, record: Path, missing_us: int
) -> None:
    part = library.add_part(record, 3 * SECOND_US, 4 * SECOND_US + missing_us)
    answer = await ask(service.server, url(part, "l16"))
    silent = round(missing_us * RATE / SECOND_US) * BLOCK
    assert len(answer.body) == RATE * BLOCK + silent
    assert answer.body[-silent:] == bytes(silent)
    assert answer.body[-silent - 1000 : -silent].strip(b"\0")


async def test_head_has_the_headers_of_get_and_decodes_nothing(
    library: FakeLibrary, part: MediaFile
) -> None:
    async with delivering(library, decoders=Decoders(1, command=("/nothing/there",))) as service:
        head = await ask(service.server, url(part), method="HEAD")
    async with delivering(library) as service:
        get = await ask(service.server, url(part))
    assert [each for each in head.headers if each[0] != "Date"] == [
        each for each in get.headers if each[0] != "Date"
    ]


# ---- what is asked


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=0-1", 0, 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("bytes=1000-99999999999", 1000, SIZE - 1),
    ],
)
async def test_a_range_is_206_and_exact(
    service: Delivering, part: MediaFile, expected: bytes, header: str, first: int, last: int
) -> None:
    answer = await ask(service.server, url(part), f"Range: {header}")
    assert answer.status == 206
    assert answer.header("Content-Range") == f"bytes {first}-{last}/{SIZE}"
    whole = wav_header(len(expected)) + expected
    assert answer.body == whole[first : last + 1]


async def test_a_range_beyond_the_end_is_416(service: Delivering, part: MediaFile) -> None:
    answer = await ask(service.server, url(part), f"Range: bytes={SIZE}-")
    assert (answer.status, answer.header("Content-Range")) == (416, f"bytes */{SIZE}")


async def test_of_several_ranges_all_is_sent(service: Delivering, part: MediaFile) -> None:
    # RFC 9110 §14.2: a server may ignore Range.
    answer = await ask(service.server, url(part), "Range: bytes=0-9,100-109")
    assert (answer.status, len(answer.body)) == (200, SIZE)


async def test_what_is_known_already_is_not_sent_again(
    service: Delivering, part: MediaFile
) -> None:
    head = await ask(service.server, url(part), method="HEAD")
    answer = await ask(service.server, url(part), f"If-None-Match: {head.header('ETag')}")
    assert (answer.status, answer.body) == (304, b"")


async def test_each_part_and_form_has_a_tag_of_its_own(
    service: Delivering, library: FakeLibrary, part: MediaFile, record: Path
) -> None:
    other = library.add_part(record, BEGIN_US, END_US + 100)
    urls = [url(part), url(part, "l16"), url(other)]
    tags = {(await ask(service.server, each, method="HEAD")).header("ETag") for each in urls}
    assert len(tags) == 3


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("TimeSeekRange.dlna.org: npt=1-", 406),  # 7.3.33.4: not in OP
        ("PlaySpeed.dlna.org: speed=2", 406),
        ("getcontentFeatures.dlna.org: 2", 400),
        ("transferMode.dlna.org: Background", 200),
    ],
)
async def test_dlna_headers_are_looked_after(
    service: Delivering, part: MediaFile, header: str, status: int
) -> None:
    assert (await ask(service.server, url(part), header, method="HEAD")).status == status


@pytest.mark.parametrize("form", ["mp3", "wav2", "x"])
async def test_other_forms_are_not_there(service: Delivering, part: MediaFile, form: str) -> None:
    assert (await ask(service.server, url(part, form))).status == 404


async def test_lpcm_is_not_there_where_dlna_has_none(
    service: Delivering, library: FakeLibrary, record: Path
) -> None:
    part = library.add_part(record, 0, SECOND_US, rate=96_000)
    assert (await ask(service.server, url(part, "l16"), method="HEAD")).status == 404


async def test_a_whole_file_is_not_decoded_nor_a_part_sent_as_a_file(
    service: Delivering, library: FakeLibrary, part: MediaFile
) -> None:
    whole = library.add("song.mp3", b"x" * 100)
    assert (await ask(service.server, url(whole))).status == 404
    assert (await ask(service.server, f"/media/{part.key:x}.flac")).status == 404


async def test_a_part_whose_file_is_gone_is_404(
    service: Delivering, library: FakeLibrary, records: Path
) -> None:
    path = sound(records / "gone.flac", seconds=1)
    part = library.add_part(path, 0, SECOND_US)
    path.unlink()
    assert (await ask(service.server, url(part))).status == 404


async def test_an_xbox_that_asks_for_art_is_led_to_it(
    service: Delivering, library: FakeLibrary, record: Path
) -> None:
    part = library.add_part(record, 0, SECOND_US, art_id=0xB7)
    answer = await ask(service.server, f"{url(part)}?albumArt=true")
    assert (answer.status, answer.header("Location")) == (302, "/art/b7-JPEG_TN.jpg")


async def test_what_is_sent_is_kept_account_of(service: Delivering, part: MediaFile) -> None:
    await ask(service.server, url(part))
    assert service.delivery.transfers.bytes_sent == SIZE
    assert service.delivery.transfers.running() == []


# ---- what goes wrong


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
    records: Path,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
) -> None:
    path = records / "broken.flac"
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
