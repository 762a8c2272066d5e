"""What an entry of a playlist may mean: files on this disk, or an address in the internet.

Pure: nothing is looked up here. Playlists come from other systems too, so one location may be
read in several ways; the first that leads to something counts. Paths are bytes, absolute.
"""

import os
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit

from mediaserver.library.readers.naming import clean
from mediaserver.media_types import MEDIA_TYPES, suffix_of

MAX_ADDRESS = 1024
"""Bytes in XML; as much as stands in one property (DLNA 7.3.17.4)."""

STATION = "object.item.audioItem.audioBroadcast"
"""The class of what an address stands for."""

_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+):", re.IGNORECASE)
_WINDOWS = re.compile(r"[a-z]:[\\/]|\\\\", re.IGNORECASE)
"""A drive, or a share of another machine."""
_LOCAL_HOSTS = ("", "localhost", "127.0.0.1")

_LISTS = {
    "m3u": "audio/x-mpegurl",
    "m3u8": "application/vnd.apple.mpegurl",
    "pls": "audio/x-scpls",
    "xspf": "application/xspf+xml",
    "asx": "audio/x-ms-wax",
}
"""Types of lists that stand for a station: some renderers know what to do with them."""


@dataclass(frozen=True, slots=True)
class Files:
    """Paths that may be meant, the likeliest first."""

    paths: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """An http or https URL in ASCII, and the type of sound that its suffix claims."""

    url: str
    mime_type: str

    @property
    def title(self) -> str:
        """A name for want of a better one: host and path."""
        parts = urlsplit(self.url)
        return clean(f"{parts.hostname or ''}{parts.path.rstrip('/')}")


@dataclass(frozen=True, slots=True)
class Nothing:
    """It can mean nothing here; why, for people."""

    reason: str


Meaning = Files | Address | Nothing


def meaning(location: str, folder: bytes) -> Meaning:
    """What a location means in a playlist that lies in a folder (absolute path)."""
    if "\0" in location:
        return Nothing("no path")
    if _WINDOWS.match(location):
        return Nothing("a path of Windows, on no disk of ours")
    scheme = _SCHEME.match(location)
    if scheme is not None:
        name = scheme["scheme"].lower()
        if name in ("http", "https"):
            return _address(location)
        if name == "file":
            return _file_url(location, folder)
        if location[scheme.end() :].startswith("//"):
            return Nothing(f"an address of the kind {name}:, which is not served")
    return _files(_spellings(location), folder)


_SOUNDS = tuple(
    dict.fromkeys(
        (
            *("flac", "ape", "wv", "tta", "wav", "aiff", "m4a"),
            *(suffix for suffix, known in MEDIA_TYPES.items() if known.kind == "audio"),
        )
    )
)
"""Suffixes of sound, those of whole records first."""


def meaning_in_sheet(location: str, folder: bytes) -> Meaning:
    """What a file name means in a cue sheet that lies in a folder (absolute path).

    Sheets tell of the file that was there when the disc was read: it was encoded since (another
    suffix), and the folder moved here from some other place (a whole path is as good as a name).
    """
    if "\0" in location:
        return Nothing("no path")
    path = location.replace("\\", "/")
    name = path.rpartition("/")[2]
    if _WINDOWS.match(location):
        return _sounds(meaning(name, folder))
    found, here = meaning(path, folder), meaning(name, folder)
    if path.startswith("/") and isinstance(found, Files) and isinstance(here, Files):
        found = Files((*found.paths, *here.paths))
    return _sounds(found)


def _sounds(found: Meaning) -> Meaning:
    """The same, and files that are called so but for their suffix."""
    if not isinstance(found, Files):
        return found
    others = (
        b"%s.%s" % (os.path.splitext(path)[0], suffix.encode())  # noqa: PTH122 - bytes
        for path in found.paths
        for suffix in _SOUNDS
    )
    return Files(tuple(dict.fromkeys((*found.paths, *others))))


def beside_sheet(sheet: bytes) -> tuple[bytes, ...]:
    """The files that a cue sheet at a path stands beside, should it name none that is there:
    ``record.flac`` and others to ``record.cue``, and to ``record.flac.cue``."""
    stem = os.path.splitext(sheet)[0]  # noqa: PTH122 - bytes
    return (stem, *(b"%s.%s" % (stem, suffix.encode()) for suffix in _SOUNDS))


def _spellings(path: str) -> list[bytes]:
    """A path as it is, with the separators of Windows, with its percent signs decoded."""
    texts = [path]
    if "\\" in path:
        texts.append(path.replace("\\", "/"))
    spellings = [text.encode("utf-8", "replace") for text in texts]
    if "%" in path:
        spellings += [unquote_to_bytes(text) for text in texts]
    return spellings


def _files(paths: list[bytes], folder: bytes) -> Meaning:
    # A path of three slashes is one of one; os.path.normpath keeps two (POSIX).
    found = [
        b"/" + os.path.normpath(os.path.join(folder, path)).lstrip(b"/")  # noqa: PTH118 - bytes
        for path in paths
        if b"\0" not in path
    ]
    return Files(tuple(dict.fromkeys(found))) if found else Nothing("no path")


def _file_url(location: str, folder: bytes) -> Meaning:
    """``file:///path``, and what programs make of it (RFC 8089)."""
    rest = location[len("file:") :]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host.lower() not in _LOCAL_HOSTS:
            return Nothing("a file of another machine")
        rest = slash + path
    if _WINDOWS.match(rest.lstrip("/")):
        return Nothing("a path of Windows, on no disk of ours")
    # A percent sign that nobody encoded is possible too.
    return _files([unquote_to_bytes(rest), rest.encode("utf-8", "replace")], folder)


def _address(location: str) -> Meaning:
    try:
        # An address that is encoded already stays as it is.
        url = quote(location, safe="%/:=&?~#+!$,;'@()*[]")
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        return Nothing("no valid address")
    # As it stands in XML, where some characters need more room: a cut address leads nowhere.
    if len(url) + 5 * (url.count("&") + url.count("'")) > MAX_ADDRESS:
        return Nothing("too long an address")
    suffix = suffix_of(parts.path)
    media_type = MEDIA_TYPES.get(suffix)
    if media_type is None:
        # Stations seldom tell, and are MP3 nearly always.
        return Address(url, _LISTS.get(suffix, "audio/mpeg"))
    if media_type.kind != "audio":
        return Nothing("an address of no sound")
    return Address(url, media_type.mime_type)


def folded_name(name: bytes) -> str:
    """A file's name, or a path, without regard to letter case and to how its accents are put.

    Names that are no UTF-8 are taken for CP1252, as playlists are.
    """
    try:
        text = name.decode()
    except UnicodeDecodeError:
        text = name.decode("cp1252", "replace")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
