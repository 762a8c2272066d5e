"""Boxes of ISO base media files (ISO/IEC 14496-12) that no library of ours shows."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from mediaserver.library.readers.contents import Contents

MAX_BOXES = 2000
MAX_MOOV = 4 << 20

# tkhd's matrix, its first four numbers as 16.16 (§6.2.2), to the EXIF orientation that shows the
# same: 6 is a quarter to the right.
_ONE = 0x10000
_ORIENTATIONS = {
    (0, _ONE, -_ONE, 0): 6,
    (-_ONE, 0, 0, -_ONE): 3,
    (0, -_ONE, _ONE, 0): 8,
    (-_ONE, 0, 0, _ONE): 2,
    (_ONE, 0, 0, -_ONE): 4,
}


def boxes(contents: Contents, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and end of the bodies of boxes in a row (§4.2); the last may be cut off."""
    for _ in range(MAX_BOXES):
        head = contents.at(start, 16) if start + 8 <= end else b""
        if len(head) < 8:
            return
        size, name = struct.unpack_from(">I4s", head)
        body = start + 8
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack_from(">Q", head, 8)
            body = start + 16
        elif size == 0:
            size = end - start
        if start + size < body:
            return
        yield name, body, min(start + size, end)
        start += size


class Extent(NamedTuple):
    """The body of a box."""

    begin: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.begin


def children(contents: Contents, parent: Extent, wanted: bytes) -> Iterator[Extent]:
    """The boxes of a name directly in another one, which holds nothing else than boxes."""
    for name, begin, end in boxes(contents, *parent):
        if name == wanted:
            yield Extent(begin, end)


def child(contents: Contents, parent: Extent, wanted: bytes) -> Extent | None:
    """The first of them."""
    return next(children(contents, parent, wanted), None)


def movie(contents: Contents) -> bytes:
    """The body of the ``moov`` box, empty if it is missing or very large."""
    for name, start, end in boxes(contents, 0, contents.size):
        if name == b"moov":
            return contents.at(start, end - start) if end - start <= MAX_MOOV else b""
    return b""


def has_tracks(moov: bytes) -> bool:
    """Whether a ``moov`` box has several tracks, or may have: what is sound alone has one."""
    at = tracks = 0
    while at + 8 <= len(moov):
        size, name = struct.unpack_from(">I4s", moov, at)
        if size < 8:
            return True
        tracks += name == b"trak"
        at += size
    return tracks != 1


def aac_channels(moov: bytes) -> int | None:
    """Channels by the first AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1).

    Sample entries say 2 for mono too. None where the decoder would have to look further.
    """
    at = moov.find(b"esds")
    if at < 0:
        return None
    # Descriptors: a tag, a length of one to four bytes, contents; 5 is the decoder's own.
    body = moov[at + 8 : at + 72]
    tag = body.find(b"\x05", 20)
    if tag < 0:
        return None
    start = tag + 1
    while start < len(body) and body[start] & 0x80:
        start += 1
    bits = int.from_bytes(body[start + 1 : start + 3].ljust(2, b"\0"), "big")
    kind, frequency, channels = bits >> 11, bits >> 7 & 15, bits >> 3 & 15
    # 31 announces a longer type, 15 a written frequency: what follows is then elsewhere.
    if kind in (0, 31) or frequency == 15 or not 1 <= channels <= 7:
        return None
    return 8 if channels == 7 else channels


def orientation(moov: bytes) -> int | None:
    """EXIF orientation for the first track that is turned; None if none is."""
    at = moov.find(b"tkhd")
    while at >= 0:
        # Times and durations have 64 bits in version 1.
        start = at + 4 + (52 if moov[at + 4 : at + 5] == b"\1" else 40)
        if len(moov) >= start + 20:
            a, b, _, c, d = struct.unpack_from(">5i", moov, start)
            if (a, b, c, d) in _ORIENTATIONS:
                return _ORIENTATIONS[a, b, c, d]
        at = moov.find(b"tkhd", at + 4)
    return None
