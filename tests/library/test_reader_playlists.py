"""What playlist files say, in each format, charset and state of repair."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.objects import PlaylistEntry, PlaylistFacts
from mediaserver.library.readers.playlists import (
    MAX_BYTES,
    MAX_ENTRIES,
    parse_playlist,
    read_playlist,
)
from mediaserver.media_types import PLAYLIST_SUFFIXES


def entries(facts: PlaylistFacts) -> list[tuple[str, str | None]]:
    return [(entry.location, entry.title) for entry in facts.entries]


def locations(facts: PlaylistFacts) -> list[str]:
    return [entry.location for entry in facts.entries]


# ---- formats

M3U = """#EXTM3U
#PLAYLIST: Sunday
#EXTINF:123,Artist - First
Music/first.mp3

#EXTINF:-1 tvg-id="x, y" group-title="News",Radio, with a comma
http://radio.example/live
# a comment
second.mp3
"""
# xspf.org/spec, section 4; the example there, and one with what else may occur.
XSPF = """<?xml version="1.0" encoding="UTF-8"?>
<playlist version="1" xmlns="http://xspf.org/ns/0/">
  <title>Eighties</title>
  <creator>Jane</creator>
  <trackList>
    <track>
      <location>file:///music/song_1.ogg</location><location>other.ogg</location>
      <title>First &amp; foremost</title>
    </track>
    <track><location>song%202.mp3</location></track>
    <track><title>without a location</title></track>
  </trackList>
</playlist>"""
# As Winamp writes it: numbers in any order, keys in any letter case.
PLS = """[playlist]
File2=b.mp3
Title2=The second
file1=a.mp3
Length1=-1
NumberOfEntries=2
X-GNOME-Title=Mine
Version=2
"""
# As Windows Media Player 9 to 12 write it.
WPL = """<?wpl version="1.0"?>
<smil>
    <head><meta name="Generator" content="Microsoft Windows Media Player"/><title>Fav</title></head>
    <body><seq>
        <media src="..\\Music\\a &amp; b.mp3" albumTitle="x"/>
        <media src="c.wma"/>
    </seq></body>
</smil>"""
# Tags in any letter case, ampersands as they come: "Windows Media Metafile Reference".
ASX = """<ASX version = "3.0">
  <Title>Stations</Title>
  <Entry>
    <Title>One & only</Title>
    <Ref HREF = "http://one.example/a?b=1&c=2" />
    <Ref href = "http://two.example/" />
  </Entry>
  <entryref href="http://list.example/more.asx"/>
</ASX>"""
REFERENCE = "[Reference]\nRef1=http://one.example/a.wma\nRef2=http://two.example/b.wma\n"


@pytest.mark.parametrize(
    ("suffix", "text", "title", "expected"),
    [
        (
            "m3u",
            M3U,
            "Sunday",
            [
                ("Music/first.mp3", "Artist - First"),
                ("http://radio.example/live", "Radio, with a comma"),
                ("second.mp3", None),
            ],
        ),
        ("m3u8", "a.mp3\r\nb.mp3\rc.mp3", None, [(f"{name}.mp3", None) for name in "abc"]),
        (
            "xspf",
            XSPF,
            "Eighties",
            [("file:///music/song_1.ogg", "First & foremost"), ("song%202.mp3", None)],
        ),
        ("pls", PLS, "Mine", [("a.mp3", None), ("b.mp3", "The second")]),
        ("wpl", WPL, "Fav", [("..\\Music\\a & b.mp3", None), ("c.wma", None)]),
        (
            "asx",
            ASX,
            "Stations",
            [
                ("http://one.example/a?b=1&c=2", "One & only"),
                ("http://list.example/more.asx", None),
            ],
        ),
        (
            "asx",
            REFERENCE,
            None,
            [("http://one.example/a.wma", None), ("http://two.example/b.wma", None)],
        ),
    ],
)
def test_a_playlist_has_a_title_and_entries_in_order(
    suffix: str, text: str, title: str | None, expected: list[tuple[str, str | None]]
) -> None:
    facts = parse_playlist(text.encode(), suffix)
    assert facts.title == title
    assert entries(facts) == expected
    assert not facts.cut


# ---- charsets


@pytest.mark.parametrize("suffix", ["m3u", "m3u8", "pls"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_charset_of_lines_is_found_out(suffix: str, charset: str) -> None:
    text = "File1=Björk – Jóga.mp3\n" if suffix == "pls" else "Björk – Jóga.mp3\n"
    assert locations(parse_playlist(text.encode(charset), suffix)) == ["Björk – Jóga.mp3"]


@pytest.mark.parametrize(
    ("declared", "charset"),
    [
        ("", "utf-8"),
        ("", "cp1252"),
        ('<?xml version="1.0"?>', "utf-8-sig"),
        ('<?xml version="1.0" encoding="UTF-16"?>', "utf-16"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>', "latin-1"),
        ("<?xml version='1.0' encoding='windows-1251'?>", "cp1251"),
    ],
)
def test_the_charset_of_xml_is_the_declared_one_or_found_out(declared: str, charset: str) -> None:
    name = "Лес" if charset == "cp1251" else "Jóga"
    text = f"{declared}<smil><body><seq><media src='{name}.mp3'/></seq></body></smil>"
    assert locations(parse_playlist(text.encode(charset), "wpl")) == [f"{name}.mp3"]


def test_only_line_ends_end_a_line() -> None:
    """Unicode knows more of them (str.splitlines), which names may hold."""
    assert locations(parse_playlist("a\u2028b\x85c.mp3\n".encode(), "m3u8")) == [
        "a\u2028b\x85c.mp3"
    ]


# ---- what is no list of media


def test_a_stream_in_pieces_is_no_playlist() -> None:
    """RFC 8216 §4.3.3.1: EXT-X-TARGETDURATION is required in a media playlist."""
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.009,\nfirst.ts\n"
    with pytest.raises(UnreadableMedia, match="HLS"):
        parse_playlist(hls.encode(), "m3u8")


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        ("m3u", b"ID3\x03\x00\x00\x00rest of a song"),
        ("xspf", b"no XML"),
        ("xspf", b""),
        ("wpl", b"<smil><body>"),
        ("asx", b""),
    ],
)
def test_what_is_no_playlist_is_unreadable(suffix: str, data: bytes) -> None:
    with pytest.raises(UnreadableMedia):
        parse_playlist(data, suffix)


# ---- hostile files (security.md M7, S1)

BOMB = (
    '<!DOCTYPE lolz [<!ENTITY a "{}"><!ENTITY b "{}">]>'
    "<playlist><trackList><track><location>&b;</location></track></trackList></playlist>"
).format("a" * 1000, "&a;" * 1000)
EXTERNAL = (
    '<!DOCTYPE x [<!ENTITY canary SYSTEM "{}">]>'
    "<playlist><trackList><track><location>&canary;</location></track></trackList></playlist>"
)


@pytest.mark.parametrize("suffix", ["xspf", "wpl", "asx"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
@pytest.mark.parametrize("case", [str, str.lower])
def test_a_document_type_is_refused(
    tmp_path: Path, suffix: str, charset: str, case: type[str]
) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret")
    for text in (BOMB, EXTERNAL.format(canary.as_uri())):
        changed = text.replace("<!DOCTYPE", case("<!DOCTYPE"))
        with pytest.raises(UnreadableMedia, match="DOCTYPE"):
            parse_playlist(changed.encode(charset), suffix)


def test_an_inclusion_includes_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret")
    text = (
        '<playlist xmlns:xi="http://www.w3.org/2001/XInclude"><trackList><track><location>'
        f'<xi:include href="{canary.as_uri()}" parse="text"/>x.mp3</location></track></trackList>'
        "</playlist>"
    )
    assert locations(parse_playlist(text.encode(), "xspf")) == ["x.mp3"]


def test_more_entries_than_are_read_are_cut() -> None:
    facts = parse_playlist(b"a.mp3\n" * (MAX_ENTRIES + 1), "m3u")
    assert len(facts.entries) == MAX_ENTRIES
    assert facts.cut
    assert not parse_playlist(b"a.mp3\n" * MAX_ENTRIES, "m3u").cut


def test_more_elements_than_any_playlist_has_are_refused() -> None:
    with pytest.raises(UnreadableMedia, match="too many"):
        parse_playlist(b"<a>" + b"<b/>" * 200_001 + b"</a>", "xspf")


def test_a_location_longer_than_a_path_is_left_out() -> None:
    assert locations(parse_playlist(b"x" * 4097 + b"\nb.mp3", "m3u")) == ["b.mp3"]


def test_titles_are_one_line_of_printable_text() -> None:
    """security.md M2."""
    facts = parse_playlist(b"#PLAYLIST:a\x1b[31mb\n#EXTINF:1," + b"t" * 3000 + b"\nx.mp3", "m3u")
    assert facts.title == "a[31mb"
    assert facts.entries[0].title == "t" * 1024


@settings(max_examples=300)
@given(st.sampled_from(sorted(PLAYLIST_SUFFIXES)), st.binary(max_size=300))
@example("m3u", b"#EXTINF:" + b'"' * 99_999)
@example("m3u", b"#EXTINF:" + b"a" * 99_999)
@example("asx", b"<" * 9_999)
@example("xspf", b"<a>" * 99_999)
@example("pls", b"File" + b"1" * 99_999 + b"=x")
@example("xspf", b"<?xml" + b" encoding=" * 9_999)
def test_any_bytes_are_a_playlist_or_unreadable(suffix: str, data: bytes) -> None:
    try:
        facts = parse_playlist(data, suffix)
    except UnreadableMedia:
        return
    for entry in facts.entries:
        assert entry.location == entry.location.strip() != ""


# ---- files


def test_a_file_is_read_by_its_suffix(tmp_path: Path) -> None:
    path = tmp_path / "Mine.M3U"
    path.write_text("a.mp3\n")
    assert read_playlist(os.fsencode(path)) == PlaylistFacts(entries=(PlaylistEntry("a.mp3"),))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.m3u"
    path.write_bytes(b"a\n")
    os.truncate(path, MAX_BYTES + 1)
    assert read_playlist(os.fsencode(path)) == PlaylistFacts(reason="larger than 1 MB")


def test_what_cannot_be_read_tells_why(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.m3u")
    assert read_playlist(os.fsencode(tmp_path / "pipe.m3u")).reason == "not a regular file"
    assert read_playlist(os.fsencode(tmp_path / "gone.m3u")).reason == "No such file or directory"
