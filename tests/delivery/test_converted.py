"""Parts of files, decoded while they are sent, over a real connection (dlna-http 1 to 7)."""

import io
import sys
import wave
from itertools import pairwise
from pathlib import Path

import pytest

from mediaserver.library.decoding.decoders import Decoders
from mediaserver.library.lookup import MediaFile
from tests.delivery.conftest import Delivering, delivering
from tests.delivery.library_fake import FakeLibrary
from tests.delivery.records import BLOCK, HEADER, RATE, SECOND_US, decoded, url
from tests.http_server import ask
from tests.make_media import sound

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
