"""What an entry of a playlist may mean."""

import os
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.library.locations import Address, Files, Nothing, folded_name, meaning

FOLDER = b"/media/Lists"


def paths(location: str) -> list[bytes]:
    found = meaning(location, FOLDER)
    assert isinstance(found, Files), found
    return list(found.paths)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("a.mp3", [b"/media/Lists/a.mp3"]),
        ("./Album/a.mp3", [b"/media/Lists/Album/a.mp3"]),
        ("../Music//a.mp3", [b"/media/Music/a.mp3"]),
        ("/music/a.mp3", [b"/music/a.mp3"]),
        ("//music/a.mp3", [b"/music/a.mp3"]),
        ("../../../../etc/passwd", [b"/etc/passwd"]),
        ("Björk.mp3", ["/media/Lists/Björk.mp3".encode()]),
        # A separator of Windows, which names on Linux may hold.
        ("Album\\a.mp3", [b"/media/Lists/Album\\a.mp3", b"/media/Lists/Album/a.mp3"]),
        # A percent sign may be one.
        ("100%25.mp3", [b"/media/Lists/100%25.mp3", b"/media/Lists/100%.mp3"]),
        ("caf%E9.mp3", [b"/media/Lists/caf%E9.mp3", b"/media/Lists/caf\xe9.mp3"]),
        ("a: b.mp3", [b"/media/Lists/a: b.mp3"]),
        ("Re: it.mp3", [b"/media/Lists/Re: it.mp3"]),
        # RFC 8089, and what programs make of it.
        ("file:///music/a%20b.mp3", [b"/music/a b.mp3", b"/music/a%20b.mp3"]),
        ("file://localhost/music/a.mp3", [b"/music/a.mp3"]),
        ("FILE:/music/a.mp3", [b"/music/a.mp3"]),
    ],
)
def test_a_path_is_read_in_the_ways_it_may_be_meant(location: str, expected: list[bytes]) -> None:
    assert paths(location) == expected


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("C:\\Music\\a.mp3", "Windows"),
        ("c:/Music/a.mp3", "Windows"),
        ("\\\\nas\\music\\a.mp3", "Windows"),
        ("file:///C:/Music/a.mp3", "Windows"),
        ("file://nas/music/a.mp3", "another machine"),
        ("rtsp://radio.example/live", "rtsp"),
        ("mms://radio.example/live", "mms"),
        ("http://", "no valid address"),
        ("http:///path", "no valid address"),
        ("http://[::1/x", "no valid address"),
        ("http://radio.example:99999/", "no valid address"),
        ("http://radio.example/film.mp4", "no sound"),
        ("http://radio.example/" + "x" * 1024, "too long"),
        # As it stands in XML: "&amp;" has five characters.
        ("http://radio.example/?" + "a&" * 200, "too long"),
        ("a\0b", "no path"),
    ],
)
def test_what_leads_nowhere_says_why(location: str, reason: str) -> None:
    found = meaning(location, FOLDER)
    assert isinstance(found, Nothing)
    assert reason in found.reason


def test_no_path_holds_a_nul() -> None:
    assert paths("file:///a%00b") == [b"/a%00b"]
    assert paths("a%00b") == [b"/media/Lists/a%00b"]


@pytest.mark.parametrize(
    ("location", "url", "mime_type"),
    [
        ("http://radio.example/live", "http://radio.example/live", "audio/mpeg"),
        (
            "https://radio.example:8443/a.OGG?x=1",
            "https://radio.example:8443/a.OGG?x=1",
            "audio/ogg",
        ),
        ("http://radio.example/list.pls", "http://radio.example/list.pls", "audio/x-scpls"),
        (
            "http://радио.example/ä b",
            "http://%D1%80%D0%B0%D0%B4%D0%B8%D0%BE.example/%C3%A4%20b",
            None,
        ),
        ("http://radio.example/<'\">", "http://radio.example/%3C'%22%3E", "audio/mpeg"),
        ("http://radio.example/a%20b#x", "http://radio.example/a%20b#x", "audio/mpeg"),
    ],
)
def test_an_address_is_ascii_and_has_the_type_of_its_suffix(
    location: str, url: str, mime_type: str | None
) -> None:
    assert meaning(location, FOLDER) == Address(url, mime_type or "audio/mpeg")


def test_an_address_without_a_title_is_called_by_host_and_path() -> None:
    found = meaning("http://user:secret@Radio.example:8000/live/", FOLDER)
    assert isinstance(found, Address)
    assert found.title == "radio.example/live"


@given(st.text(max_size=60) | st.from_regex(r"(file|https?):/{0,3}.{0,30}", fullmatch=True))
def test_any_text_means_something_or_nothing(location: str) -> None:
    found = meaning(location, FOLDER)
    if isinstance(found, Files):
        for path in found.paths:
            assert path == os.path.normpath(path)
            assert PurePosixPath(os.fsdecode(path)).is_absolute()
    elif isinstance(found, Address):
        assert found.url.isascii()
        assert found.url.isprintable()
        assert " " not in found.url


def test_names_are_alike_in_any_letter_case_form_and_charset() -> None:
    composed, decomposed = "Jo\u0301ga".encode(), "J\u00f3ga".encode()
    assert folded_name(composed) == folded_name(decomposed) == folded_name(b"J\xd3GA")
    assert folded_name(b"STRASSE") == folded_name("straße".encode())
    assert folded_name(b"a") != folded_name(b"b")
