"""Object ids: what they look like, how they are made and taken apart.

An id is opaque to control points, at most 32 characters of ``[0-9a-z]``, and never changes
while the file or the value it names lives. Grammar::

    root     = "0"
    folder   = "f" key10
    item     = "i" key10                      an item in its folder, its home
    view     = "v" code2                      Music, Artist, All photos, ...
    value    = view 1*3facet6                 v ma <artist> <album>
    folder in a view    = view "f" key10      Video > Folders > <folder>
    reference           = (view / value / folder in a view) "i" key10
    playlist            = "p" key10           in its folder, its home
    playlist in a view  = view "p" key10      Music > Playlists > <playlist>
    entry               = (playlist / playlist in a view) ("i" / "u") key10 ["n" time3]

``key10`` is a number of 50 bits, ``facet6`` one of 30, in lower-case base 32. The longest id
(three facets and an item) is exactly 32 characters. The numbers are hashes of what they name
(a file's fingerprint, a folder's path, a facet's kind and name), so that an index built anew
gives the same ids; whoever assigns them resolves collisions by hashing again with a counter.

Of several files of the same contents one has the number that is hashed of these, each of the
others one that is hashed of them and its path. The first is the one that was there first; of those
that one scan finds, the first of the walk (media roots in the order they became known in, the files
of a folder before the folders in it, both by the bytes of their names), whoever is read first. An
id that was given stays, whatever becomes of the others: renamed, changed and moved files keep
theirs, no other file gets that of one that is gone for as long as it is remembered
(:mod:`.indexing.tombstones`), unless it may be that very file. So an index made anew gives the
same ids unless, of several files of the same contents, one came before the first in that order
after it was known, or the first is gone, or another was renamed: nothing on the disk tells of that.
The tracks of a record in one file have numbers hashed of that file's and their own.

An entry of a playlist is a reference to an item (``i``) or an address in the internet (``u``, a
hash of it). What stands in the playlist several times is told apart by how often it has stood
there before (``time3``, three digits in base 32, left out for the first), not by its position:
ids stay when something else is put in between.

Ids that control points know by heart (A, V, I of Samsung, 1 to F of the Xbox) cannot occur:
every id but the root's has at least three characters.
"""

import hashlib
import re
from dataclasses import dataclass

from mediaserver.library.objects import ObjectID

KEY_BITS = 50
FACET_BITS = 30
ROOT = ObjectID("0")
ROOT_PARENT = ObjectID("-1")

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_ID = re.compile(
    r"(?:f(?P<folder>[0-9a-v]{10})"
    r"|i(?P<item>[0-9a-v]{10})"
    r"|v(?P<view>[a-z][a-z0-9])"
    r"(?:(?P<facets>(?:[0-9a-v]{6}){0,3})|f(?P<inner>[0-9a-v]{10}))"
    r"(?:i(?P<reference>[0-9a-v]{10}))?"
    r"|(?:v(?P<lists>[a-z][a-z0-9]))?p(?P<playlist>[0-9a-v]{10})"
    r"(?:(?P<what>[iu])(?P<entry>[0-9a-v]{10})(?:n(?P<time>[0-9a-v]{3}))?)?)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """An id taken apart. Root: everything empty.

    ``item`` with a ``view`` or a ``playlist`` is a reference.
    """

    view: str | None = None
    facets: tuple[int, ...] = ()
    folder: int | None = None
    item: int | None = None
    playlist: int | None = None
    station: int | None = None
    """An entry of a playlist that is an address in the internet."""
    time: int = 0
    """Of an entry: how often the same has stood in the playlist before."""

    @property
    def is_item(self) -> bool:
        """Whether it is the id of something that has no children."""
        return self.item is not None or self.station is not None


def parse(object_id: str) -> Parsed | None:
    """Take an id apart; None for anything that cannot be one of ours. Never raises."""
    if object_id == ROOT:
        return Parsed()
    match = _ID.fullmatch(object_id)
    if match is None:
        return None
    if match["folder"]:
        return Parsed(folder=_number(match["folder"]))
    if match["item"]:
        return Parsed(item=_number(match["item"]))
    if match["playlist"]:
        return _parsed_playlist(match)
    text = match["facets"] or ""
    return Parsed(
        view=match["view"],
        facets=tuple(_number(text[at : at + 6]) for at in range(0, len(text), 6)),
        folder=_number(match["inner"]) if match["inner"] else None,
        item=_number(match["reference"]) if match["reference"] else None,
    )


def _parsed_playlist(match: re.Match[str]) -> Parsed | None:
    entry = _number(match["entry"]) if match["entry"] else None
    time = _number(match["time"] or "0")
    if match["time"] and not time:
        return None  # the first is written without: no object has two ids
    return Parsed(
        view=match["lists"],
        playlist=_number(match["playlist"]),
        item=entry if match["what"] == "i" else None,
        station=entry if match["what"] == "u" else None,
        time=time,
    )


def folder_id(key: int, *, view: str | None = None) -> ObjectID:
    """The id of a folder in the tree of folders, or inside a view of folders."""
    text = "f" + _key(key)
    return ObjectID(text if view is None else f"v{view}{text}")


def item_id(key: int) -> ObjectID:
    """The id of an item at home."""
    return ObjectID("i" + _key(key))


def reference_id(container: ObjectID, key: int) -> ObjectID:
    """The id of an item as it appears in a container of a view."""
    return ObjectID(f"{container}i{_key(key)}")


def playlist_id(key: int, *, view: str | None = None) -> ObjectID:
    """The id of a playlist in its folder, or inside a view of playlists."""
    text = "p" + _key(key)
    return ObjectID(text if view is None else f"v{view}{text}")


def station_id(playlist: ObjectID, key: int) -> ObjectID:
    """The id of an address in the internet as an entry of a playlist."""
    return ObjectID(f"{playlist}u{_key(key)}")


def repeated(entry: ObjectID, time: int) -> ObjectID:
    """The id of an entry that has stood in its playlist ``time`` times before."""
    if not time:
        return entry
    return ObjectID(f"{entry}n{_DIGITS[time >> 10]}{_PAIRS[time & 1023]}")


def view_id(code: str, facets: tuple[int, ...] = ()) -> ObjectID:
    """The id of a view, or of a value in it: the facets chosen so far, outermost first."""
    return ObjectID(f"v{code}" + "".join(_facet(facet) for facet in facets))


def hashed(bits: int, *parts: bytes) -> int:
    """A number of so many bits out of what is named; the same on every machine and run."""
    digest = hashlib.blake2b(digest_size=8, person=b"mediaserver-id")
    for part in parts:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return int.from_bytes(digest.digest(), "big") >> (64 - bits)


# Written out: a page has a thousand of them.
def _key(number: int) -> str:
    return (
        _PAIRS[number >> 40]
        + _PAIRS[number >> 30 & 1023]
        + _PAIRS[number >> 20 & 1023]
        + _PAIRS[number >> 10 & 1023]
        + _PAIRS[number & 1023]
    )


def _facet(number: int) -> str:
    return _PAIRS[number >> 20] + _PAIRS[number >> 10 & 1023] + _PAIRS[number & 1023]


def _number(text: str) -> int:
    return int(text, 32)
