"""Files that are cut off, damaged, empty, or not what their name says (security.md M3, M5)."""

import errno
import os
import random
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pillow_heif
import pytest

from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.library.readers import read
from mediaserver.media_types import MEDIA_TYPES
from tests import make_media
from tests.library.privileges import permissions_count

SECONDS = 5
"""A file may take no longer; the scanner's own limit is security.md 2's."""

SOUNDS = sorted(make_media.AUDIO_CODECS)
FILMS = sorted(make_media.FILM_CODECS)
PICTURES = {
    ".jpg": "JPEG",
    ".png": "PNG",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".heic": "HEIF",
}
SUFFIXES = [*SOUNDS, *FILMS, *PICTURES]

GARBAGE = {
    "one byte": b"\0",
    "text": b"hello world " * 100,
    "page": b"<html><script>alert(1)</script></html>",
    "zeros": bytes(50_000),
    "ones": b"\xff" * 50_000,
    "noise": random.Random(3).randbytes(50_000),  # noqa: S311 - damage, no secret
}


class TooLongError(BaseException):
    """Not an Exception: no reader may swallow it."""


@pytest.fixture(autouse=True)
def alarm_clock() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, ring)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("samples")
    made = {}
    for suffix in SOUNDS:
        narrow = suffix == ".amr"
        path = make_media.sound(
            folder / f"sound{suffix}",
            seconds=0.5,
            rate=8000 if narrow else 48000,
            channels=1 if narrow else 2,
        )
        made[suffix] = path.read_bytes()
    for suffix in FILMS:
        made[suffix] = make_media.film(folder / f"film{suffix}", seconds=0.4).read_bytes()
    pillow_heif.register_heif_opener()
    for suffix, name in PICTURES.items():
        made[suffix] = make_media.picture(name, (300, 200))
    return made


def facts_of(folder: Path, suffix: str, data: bytes) -> MediaFacts:
    """Read in time, and the suffix's kind where it is not understood."""
    path = folder / f"file{suffix}"
    path.write_bytes(data)
    signal.alarm(SECONDS)
    facts = read(bytes(path))
    signal.alarm(0)
    if facts.reason is not None:
        assert facts.kind is Kind(MEDIA_TYPES[suffix[1:]].kind)
        assert facts.mime_type == MEDIA_TYPES[suffix[1:]].mime_type
        assert facts.title == "file"
        assert facts.reason == facts.reason.strip() != ""
    return facts


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_cut_off_anywhere_is_read_or_refused_in_time(
    tmp_path: Path, samples: dict[str, bytes], suffix: str
) -> None:
    data = samples[suffix]
    assert facts_of(tmp_path, suffix, data).reason is None
    lengths = {*range(1, 48), *(len(data) * part // 24 for part in range(1, 24)), len(data) - 1}
    for length in sorted(lengths):
        facts_of(tmp_path, suffix, data[:length])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_with_damaged_bytes_is_read_or_refused_in_time(
    tmp_path: Path, samples: dict[str, bytes], suffix: str
) -> None:
    for seed in range(40):
        chance = random.Random(seed)  # noqa: S311 - damage, no secret
        damaged = bytearray(samples[suffix])
        reach = min(len(damaged), chance.choice((64, 512, 4096, len(damaged))))
        for _ in range(chance.choice((1, 3, 20, 200))):
            damaged[chance.randrange(reach)] = chance.choice((0, 0x7F, 0x80, 0xFF))
        facts_of(tmp_path, suffix, bytes(damaged))


@pytest.mark.parametrize("suffix", [f".{suffix}" for suffix in MEDIA_TYPES])
def test_an_empty_file_is_served_by_its_name_with_the_reason(tmp_path: Path, suffix: str) -> None:
    assert facts_of(tmp_path, suffix, b"").reason == "the file is empty"


@pytest.mark.parametrize("suffix", [f".{suffix}" for suffix in MEDIA_TYPES])
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_never_taken_for_media(tmp_path: Path, suffix: str, garbage: str) -> None:
    assert facts_of(tmp_path, suffix, GARBAGE[garbage]).reason is not None


MIME_TYPES = {
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".wav": "audio/x-wav",
    ".wma": "audio/x-ms-wma",
    ".mka": "audio/x-matroska",
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".avi": "video/x-msvideo",
    ".mpg": "video/mpeg",
    ".ts": "video/mpeg",
    ".wmv": "video/x-ms-wmv",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".heic": "image/heic",
}


@pytest.mark.parametrize("written", [".mp3", ".flac", ".avi", ".mp4", ".ts", ".jpg", ".png"])
@pytest.mark.parametrize("true", MIME_TYPES)
def test_contents_count_more_than_a_wrong_suffix(
    tmp_path: Path, samples: dict[str, bytes], true: str, written: str
) -> None:
    facts = facts_of(tmp_path, written, samples[true])
    if MEDIA_TYPES[written[1:]].kind == "image" and not MIME_TYPES[true].startswith("image"):
        assert facts.reason == "not a picture"
        return
    assert facts.reason is None
    assert facts.mime_type == MIME_TYPES[true]
    assert facts.kind == MIME_TYPES[true].partition("/")[0]


def test_sound_behind_foreign_bytes_is_found_under_a_wrong_suffix(
    tmp_path: Path, samples: dict[str, bytes]
) -> None:
    facts = facts_of(tmp_path, ".wma", bytes(500) + samples[".mp3"])
    assert (facts.reason, facts.mime_type) == (None, "audio/mpeg")


def test_a_playlist_named_like_a_film_opens_nothing(tmp_path: Path) -> None:
    """security.md T8: FFmpeg would follow the address."""
    with socket.create_server(("127.0.0.1", 0)) as canary:
        port = canary.getsockname()[1]
        canary.settimeout(0)
        for text in (
            f"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:{port}/a.ts\n",
            f"ffconcat version 1.0\nfile 'http://127.0.0.1:{port}/a.ts'\n",
            f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n",
        ):
            for suffix in (".mkv", ".mp4", ".ts", ".mp3", ".avi"):
                assert facts_of(tmp_path, suffix, text.encode()).reason is not None
        with pytest.raises(BlockingIOError):
            canary.accept()


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    """security.md M5."""
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "folder.mp3").mkdir()
    signal.alarm(SECONDS)
    for name in ("pipe.mp3", "folder.mp3"):
        facts = read(bytes(tmp_path / name))
        assert facts.reason == "not a regular file"
        assert facts.mime_type == "audio/mpeg"


def test_a_file_that_is_gone_says_so_in_the_system_s_words(tmp_path: Path) -> None:
    assert read(bytes(tmp_path / "gone.flac")).reason == os.strerror(errno.ENOENT)


def test_a_file_that_is_forbidden_says_so_in_the_system_s_words(tmp_path: Path) -> None:
    (tmp_path / "secret.flac").write_bytes(b"x")
    (tmp_path / "secret.flac").chmod(0)
    with permissions_count():
        assert read(bytes(tmp_path / "secret.flac")).reason == os.strerror(errno.EACCES)


def test_a_file_of_terabytes_is_not_read_whole(tmp_path: Path) -> None:
    """security.md M6: a sparse file."""
    for suffix in (".mp3", ".wav", ".aac", ".amr", ".mkv", ".jpg", ".dff"):
        path = tmp_path / f"sparse{suffix}"
        with path.open("wb") as file:
            file.truncate(1 << 40)
        signal.alarm(SECONDS)
        assert read(bytes(path)).reason is not None
        signal.alarm(0)
