"""ID3 tags: versions 2.2 to 2.4 and 1, at the front, at the end, in chunks of RIFF and AIFF."""

import re
from collections.abc import Sequence
from typing import IO

from mutagen.id3 import ID3, ID3NoHeaderError

from mediaserver.library.readers.found import Found
from mediaserver.library.readers.tags import choose
from mediaserver.library.readers.values import date, first, flag, number, repaired

LATIN1 = 0
# What programs put into comments for themselves: gain, gapless and disc data, addresses of shops.
_MACHINE = re.compile(r"^\s*(?:[0-9A-Fa-f]{8}[ +]|https?://|0$)")


def load(file: IO[bytes]) -> ID3 | None:
    """The tags of a file object, from its start (or v1 from its end); None without any."""
    try:
        return ID3(fileobj=file)
    except ID3NoHeaderError:
        return None


def apply(found: Found, tags: ID3) -> None:
    """Frames to fields. A frame that makes no sense is as if it were not there."""
    found.title = first(_texts(tags, "TIT2")) or found.title
    found.sort_title = first(_texts(tags, "TSOT")) or found.sort_title
    found.artists = _texts(tags, "TPE1") or found.artists
    found.album_artists = (
        _texts(tags, "TPE2")
        or _texts(tags, "TXXX:ALBUMARTIST")
        or _texts(tags, "TXXX:ALBUM ARTIST")
        or _texts(tags, "TXXX:Album Artist")
        or _texts(tags, "TXXX:album_artist")
        or found.album_artists
    )
    found.composers = _texts(tags, "TCOM") or found.composers
    found.genres = _genres(tags) or found.genres
    found.album = first(_texts(tags, "TALB")) or found.album
    found.compilation = (
        flag(first(_texts(tags, "TCMP") or _texts(tags, "TXXX:COMPILATION"))) or found.compilation
    )
    found.track = number(first(_texts(tags, "TRCK"))) or found.track
    found.disc = number(first(_texts(tags, "TPOS"))) or found.disc
    # TDRC is when it was recorded, TDRL when released; a tagger writes one of them as "the" date.
    # TDOR is the original release and is left aside.
    found.date = (
        date(first(_texts(tags, "TDRC"))) or date(first(_texts(tags, "TDRL"))) or found.date
    )
    found.description = _comment(tags) or found.description
    pictures = [
        (int(frame.type), bytes(frame.data)) for frame in tags.getall("APIC") if frame.mime != "-->"
    ]
    found.picture = choose(pictures) or found.picture


def _texts(tags: ID3, name: str) -> list[str]:
    frame = tags.get(name)
    if frame is None:
        return []
    texts: Sequence[object] = getattr(frame, "text", ())
    # Dates are objects that print themselves.
    found = [str(text) for text in texts]
    return [repaired(text) for text in found] if frame.encoding == LATIN1 else found


def _genres(tags: ID3) -> list[str]:
    frame = tags.get("TCON")
    if frame is None:
        return []
    # mutagen knows "17", "(17)", "(4)Eurodisco", "RX" and "CR".
    genres = [str(genre) for genre in frame.genres]
    return [repaired(genre) for genre in genres] if frame.encoding == LATIN1 else genres


def _comment(tags: ID3) -> str | None:
    for frame in tags.getall("COMM"):
        if not frame.desc:
            text = first([str(text) for text in frame.text])
            if text and not _MACHINE.match(text):
                return repaired(text) if frame.encoding == LATIN1 else text
    return None
