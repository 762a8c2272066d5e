"""Playlist files as lists of entries: M3U, M3U8, PLS, XSPF, ASX, WPL; and :mod:`.cue_sheets`.

What a file says is taken as text: nothing that it names is opened here, no entity in it is
expanded (security.md M7, S1). Reading is bounded by the file's size, so it needs no process of its
own. Files in the wild are written by hand, by Windows, and in any charset: they are read as
tolerantly as can be done without guessing.
"""

import re
from collections.abc import Iterator

from lxml import etree

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.objects import PlaylistEntry, PlaylistFacts
from mediaserver.library.readers.contents import open_contents
from mediaserver.library.readers.cue_sheets import parse_cue_sheet
from mediaserver.library.readers.naming import clean
from mediaserver.media_types import suffix_of

MAX_BYTES = 1 << 20
MAX_ENTRIES = 10_000
MAX_LOCATION = 4096
"""Characters; paths have no more bytes (PATH_MAX)."""
MAX_TAGS = 20 * MAX_ENTRIES

_XML = frozenset({"xspf", "asx", "wpl"})

_HLS = ("#EXT-X-TARGETDURATION", "#EXT-X-STREAM-INF")
"""What only stands in playlists of HTTP Live Streaming (RFC 8216 §4.3)."""
_INFO = re.compile(r'#EXTINF:[^,"]*(?:"[^"]*"[^,"]*)*,(?P<title>.*)', re.IGNORECASE)
"""Attributes may stand before the comma, and hold commas in quotes."""
_TITLE = re.compile(r"#PLAYLIST:(?P<title>.*)", re.IGNORECASE)
_NUMBERED = re.compile(
    r"(?P<key>file|title|ref)(?P<number>[0-9]{1,6})\s*=\s*(?P<value>.*)", re.IGNORECASE
)
_NAMED = re.compile(r"(?:x-gnome-title|playlistname)\s*=\s*(?P<title>.*)", re.IGNORECASE)

_BARE_AMPERSAND = re.compile(r"&(?!(?:[a-z]{1,8}|#[0-9]{1,7}|#x[0-9a-f]{1,6});)", re.IGNORECASE)

_DECLARED = re.compile(rb"\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})")
_CHARSET = re.compile(r"(?:windows-125[0-8]|iso-8859-(?:[1-9]|1[0-6]))", re.IGNORECASE)


def read_playlist(path: bytes) -> PlaylistFacts:
    """What the playlist file at an absolute path says; ``reason`` tells why it says nothing.

    Raises nothing for what it finds, and for what it does not find.
    """
    try:
        contents = open_contents(path)
        with contents.file:
            if contents.size > MAX_BYTES:
                return PlaylistFacts(reason=f"larger than {MAX_BYTES >> 20} MB")
            data = contents.at(0, MAX_BYTES)
        return parse_playlist(data, suffix_of(path))
    except OSError as error:
        return PlaylistFacts(reason=error.strerror or str(error))
    except UnreadableMedia as error:
        return PlaylistFacts(reason=error.reason)


def parse_playlist(data: bytes, suffix: str) -> PlaylistFacts:
    """The contents of a playlist file of a suffix. Raises UnreadableMedia."""
    if suffix == "cue":
        return parse_cue_sheet(data)
    text = _decoded(data)
    if "\0" in text:
        raise UnreadableMedia("not a text")
    if suffix in _XML and not text.lstrip().lower().startswith("[reference]"):
        title, entries = _READERS[suffix](_tree(text, tolerant=suffix == "asx"))
    elif suffix in ("m3u", "m3u8"):
        title, entries = _m3u(_lines(text))
    else:
        title, entries = _pls(_lines(text))
    kept = [
        PlaylistEntry(location.strip(), clean(name) or None if name else None)
        for location, name in entries
        if 0 < len(location.strip()) <= MAX_LOCATION
    ]
    return PlaylistFacts(
        title=clean(title) or None if title else None,
        entries=tuple(kept[:MAX_ENTRIES]),
        cut=len(kept) > MAX_ENTRIES,
    )


_Read = tuple[str | None, list[tuple[str, str | None]]]
"""The title of a list, and locations with the titles of entries."""


# ---- charsets


def _decoded(data: bytes) -> str:
    """By the byte order mark, an XML declaration, or as UTF-8; otherwise as Windows' CP1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    declared = _DECLARED.match(data)
    if declared is not None:
        name = declared[1].decode("ascii")
        if _CHARSET.fullmatch(name):
            return data.decode(name, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _lines(text: str) -> list[str]:
    """What stands on lines; of those Unicode has besides, names may make use."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [stripped for line in lines if (stripped := line.strip())]


# ---- lines


def _m3u(lines: list[str]) -> _Read:
    title, name = None, None
    entries: list[tuple[str, str | None]] = []
    for line in lines:
        if not line.startswith("#"):
            entries.append((line, name))
            name = None
        elif line.startswith(_HLS):
            raise UnreadableMedia("a stream in pieces (HLS), not a list of media")
        elif (match := _INFO.match(line)) is not None:
            name = match["title"]
        elif (match := _TITLE.match(line)) is not None:
            title = match["title"]
    return title, entries


def _pls(lines: list[str]) -> _Read:
    """``File1=``, ``Title1=``; or ``Ref1=``, as some files that are named ``.asx`` have it."""
    title = None
    locations: dict[int, str] = {}
    names: dict[int, str] = {}
    for line in lines:
        if (match := _NUMBERED.match(line)) is not None:
            found = names if match["key"].lower() == "title" else locations
            found.setdefault(int(match["number"]), match["value"])
        elif (match := _NAMED.match(line)) is not None:
            title = match["title"]
    return title, [(locations[number], names.get(number)) for number in sorted(locations)]


# ---- XML


def _tree(text: str, *, tolerant: bool) -> etree._Element:
    """The document element. ``tolerant``: ASX looks like XML, but many files are none."""
    text = text.strip()
    if tolerant:
        text = _BARE_AMPERSAND.sub("&amp;", text)
    if "<!doctype" in text.lower():
        raise UnreadableMedia("it has a DOCTYPE")
    if text.count("<") > MAX_TAGS:
        raise UnreadableMedia("too many elements")
    parser = etree.XMLParser(
        encoding="utf-8",
        recover=tolerant,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    root: etree._Element | None
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableMedia(f"not XML: {clean(str(error))[:200]}") from error
    if root is None:
        raise UnreadableMedia("not XML")
    return root


def _xspf(root: etree._Element) -> _Read:
    """XSPF 1, §4.1.1.2: title, trackList/track/location, the first of several."""
    entries = [
        (location, _text_in(track, "title"))
        for track in _all(root, "track")
        if (location := _text_in(track, "location"))
    ]
    return _text_in(root, "title"), entries


def _asx(root: etree._Element) -> _Read:
    """The first of the alternatives of each entry; references to other lists are entries too."""
    entries: list[tuple[str, str | None]] = []
    for element in _all(root, "entry", "entryref"):
        places = [element] if _name(element) == "entryref" else _all(element, "ref")
        location = next((href for place in places if (href := _attribute(place, "href"))), None)
        if location:
            entries.append((location, _text_in(element, "title")))
    return _text_in(root, "title"), entries


def _wpl(root: etree._Element) -> _Read:
    entries = [(src, None) for media in _all(root, "media") if (src := _attribute(media, "src"))]
    title = next((_text_in(head, "title") for head in _all(root, "head")), None)
    return title, [*entries]


_READERS = {"xspf": _xspf, "asx": _asx, "wpl": _wpl}


def _name(element: etree._Element) -> str:
    """Its local name; ASX is written in any letter case."""
    return str(element.tag).rpartition("}")[2].lower()


def _all(root: etree._Element, *names: str) -> Iterator[etree._Element]:
    return (element for element in root.iter() if _name(element) in names)


def _text_in(element: etree._Element, name: str) -> str | None:
    """The text of the first child of a name."""
    for child in element:
        if _name(child) == name:
            return "".join(child.itertext()).strip() or None
    return None


def _attribute(element: etree._Element, name: str) -> str | None:
    for key, value in element.items():
        if str(key).lower() == name:
            return str(value)
    return None
