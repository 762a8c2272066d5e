"""Subtitles over HTTP: what comes, as what, and where televisions are told of it."""

import contextlib
from pathlib import Path

import pytest

from mediaserver.library.lookup import MediaFile
from tests.delivery.conftest import Delivering
from tests.delivery.library_fake import FakeLibrary
from tests.http_server import ask

TEXT = "1\n00:00:01,000 --> 00:00:02,000\nGrüße\n\n"


@pytest.fixture
def film(library: FakeLibrary) -> MediaFile:
    return library.add("film.mkv", b"film")


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("film.srt", TEXT.encode(), "text/srt; charset=utf-8"),
        ("film.ssa", TEXT.encode("cp1252"), "text/ssa; charset=utf-8"),
        ("film.vtt", ("\ufeff" + TEXT).encode("utf-16-le"), "text/vtt; charset=utf-8"),
    ],
)
async def test_text_comes_in_utf_8(
    service: Delivering, library: FakeLibrary, film: MediaFile, name: str, content: bytes,
    content_type: str,
) -> None:  # fmt: skip
    number = library.add_subtitle(film, name, content)
    answer = await ask(service.server, f"/subtitle/{film.key:x}-{number:x}.srt")
    assert (answer.status, answer.body) == (200, TEXT.encode())
    assert answer.header("Content-Type") == content_type
    assert answer.header("transferMode.dlna.org") == "Interactive"
    assert answer.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("film.smi", "smi/caption"), ("film.sub", "text/sub"), ("film.idx", "text/idx")],
)
async def test_other_formats_come_as_they_are(
    service: Delivering, library: FakeLibrary, film: MediaFile, name: str, content_type: str
) -> None:
    content = b"\x00\x00\x01\xba\xff" + TEXT.encode("cp1252")
    number = library.add_subtitle(film, name, content)
    answer = await ask(service.server, f"/subtitle/{film.key:x}-{number:x}")
    assert (answer.status, answer.body) == (200, content)
    assert answer.header("Content-Type") == content_type


async def test_a_converted_text_comes_in_ranges_and_is_validated(
    service: Delivering, library: FakeLibrary, film: MediaFile
) -> None:
    """RFC 9110 §14.2, §13.1.2: of what is sent, not of the file."""
    number = library.add_subtitle(film, "film.srt", TEXT.encode("cp1252"))
    url = f"/subtitle/{film.key:x}-{number:x}.de.srt"
    head = await ask(service.server, url, method="HEAD")
    assert head.header("Content-Length") == str(len(TEXT.encode()))
    part = await ask(service.server, url, "Range: bytes=2-9")
    assert (part.status, part.body) == (206, TEXT.encode()[2:10])
    tag = head.header("ETag")
    again = await ask(service.server, url, f"If-None-Match: {tag}")
    assert again.status == 304


async def test_a_subtitle_is_had_in_any_transfer_mode(
    service: Delivering, library: FakeLibrary, film: MediaFile
) -> None:
    number = library.add_subtitle(film, "film.srt", b"x")
    url = f"/subtitle/{film.key:x}-{number:x}"
    for asked, told in (
        ("Streaming", "Interactive"),
        ("Background", "Background"),
        ("background", "Background"),
    ):
        answer = await ask(service.server, url, f"transferMode.dlna.org: {asked}")
        assert (answer.status, answer.header("transferMode.dlna.org")) == (200, told)


@pytest.mark.parametrize(
    "path",
    ["/subtitle/a1", "/subtitle/a1-ffff", "/subtitle/ff-1", "/subtitle/a1-1.a/b", "/subtitle/"],
)
async def test_what_is_no_subtitle_is_404(
    service: Delivering, library: FakeLibrary, film: MediaFile, path: str
) -> None:
    library.add_subtitle(film, "film.srt", b"x")
    assert (await ask(service.server, path)).status == 404


async def test_a_subtitle_that_leads_out_of_the_root_is_not_sent(
    service: Delivering, library: FakeLibrary, film: MediaFile
) -> None:
    """security.md T2."""
    number = library.add_subtitle(film, "film.srt", b"x")
    (library.root / "film.srt").unlink()
    outside = library.root.parent / "secret.srt"
    outside.write_bytes(b"secret")
    (library.root / "film.srt").symlink_to(outside)
    assert (await ask(service.server, f"/subtitle/{film.key:x}-{number:x}")).status == 404


def open_files() -> int:
    """Descriptors of files; those of sockets end a moment after their answer."""
    count = 0
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that listed them
            count += not str(each.readlink()).startswith("socket:")
    return count


async def test_no_descriptor_is_left_open(
    service: Delivering, library: FakeLibrary, film: MediaFile
) -> None:
    number = library.add_subtitle(film, "film.srt", TEXT.encode("cp1252"))
    url = f"/subtitle/{film.key:x}-{number:x}"
    await ask(service.server, url)
    before = open_files()
    for _ in range(5):
        await ask(service.server, url)
    assert open_files() <= before


# ---- CaptionInfo.sec


async def test_samsung_is_told_where_the_subtitle_is(
    service: Delivering, library: FakeLibrary, film: MediaFile
) -> None:
    """dlna-http 3: getCaptionInfo.sec."""
    library.add_subtitle(film, "film.idx", b"x")
    number = library.add_subtitle(film, "film.srt", b"text")
    url = f"/media/{film.key:x}.mkv"
    for method in ("GET", "HEAD"):
        answer = await ask(service.server, url, "getCaptionInfo.sec: 1", method=method)
        told = answer.header("CaptionInfo.sec")
        assert told is not None
        assert told.startswith(f"http://127.0.0.1:{service.server.port}/subtitle/")
        assert told.endswith(f"-{number:x}.srt")
        assert (
            await ask(service.server, told.partition(f":{service.server.port}")[2])
        ).body == b"text"


async def test_nobody_is_told_who_does_not_ask_or_where_there_is_none(
    service: Delivering, library: FakeLibrary, film: MediaFile
) -> None:
    url = f"/media/{film.key:x}.mkv"
    answer = await ask(service.server, url, "getCaptionInfo.sec: 1")
    assert (answer.status, answer.header("CaptionInfo.sec")) == (200, None)
    library.add_subtitle(film, "film.srt", b"x")
    assert (await ask(service.server, url)).header("CaptionInfo.sec") is None
