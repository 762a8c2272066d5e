"""ID3 tags: versions 2.2 to 2.4 and 1, at the front, at the end, in chunks of RIFF and AIFF."""

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import IO

from mutagen.id3 import ID3, Frame, ID3NoHeaderError

from mediaserver.library.readers.found import Found
from mediaserver.library.readers.tags import choose
from mediaserver.library.readers.values import (
    charset_of,
    date,
    first,
    flag,
    number,
    release_id,
    repaired,
)

Reading = Callable[[str], list[str]]
"""From the name of a frame to its texts."""
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
    reader = _Texts(tags)
    texts = reader.of
    found.title = first(texts("TIT2")) or found.title
    found.sort_title = first(texts("TSOT")) or found.sort_title
    found.album = first(texts("TALB")) or found.album
    found.album_sort = first(texts("TSOA")) or found.album_sort
    _people(found, texts)
    found.genres = texts("TCON") or found.genres
    found.compilation = flag(first(texts("TCMP") or texts("TXXX:COMPILATION"))) or found.compilation
    found.track = number(first(texts("TRCK"))) or found.track
    found.disc = number(first(texts("TPOS"))) or found.disc
    # TDRC is when it was recorded, TDRL when released; a tagger writes one of them as "the" date.
    # TDOR is the original release (TORY in ID3v2.3): better than none.
    found.date = (
        date(first(texts("TDRC")))
        or date(first(texts("TDRL")))
        or found.date
        or date(first(texts("TDOR")))
    )
    found.release_id = release_id(first(texts("TXXX:MusicBrainz Album Id"))) or found.release_id
    found.cue_sheet = first(texts("TXXX:CUESHEET")) or found.cue_sheet
    found.description = _comment(reader) or found.description
    pictures = [
        (int(frame.type), bytes(frame.data)) for frame in reader.all("APIC") if frame.mime != "-->"
    ]
    found.picture = choose(pictures) or found.picture


def _people(found: Found, texts: Reading) -> None:
    ids = len(_parts(texts("TXXX:MusicBrainz Artist Id")))
    each = _separated(texts("TXXX:ARTISTS") or texts("TXXX:Artists"), ids)
    artists = each if len(each) > 1 else _separated(texts("TPE1"), ids)
    found.artists = artists or found.artists
    found.artist_sorts = _separated(texts("TSOP"), ids) or found.artist_sorts
    ids = len(_parts(texts("TXXX:MusicBrainz Album Artist Id")))
    album_artists = (
        texts("TPE2")
        or texts("TXXX:ALBUMARTIST")
        or texts("TXXX:ALBUM ARTIST")
        or texts("TXXX:Album Artist")
        or texts("TXXX:album_artist")
    )
    found.album_artists = _separated(album_artists, ids) or found.album_artists
    sorts = texts("TSO2") or texts("TXXX:ALBUMARTISTSORT")
    found.album_artist_sorts = _separated(sorts, ids) or found.album_artist_sorts
    found.composers = _separated(texts("TCOM"), 0) or found.composers
    sorts = texts("TSOC") or texts("TXXX:COMPOSERSORT")
    found.composer_sorts = _separated(sorts, 0) or found.composer_sorts
    found.conductors = _separated(texts("TPE3"), 0) or found.conductors


def _separated(values: list[str], count: int) -> list[str]:
    """The people in one text. ID3v2.3 has no way to keep them apart but a sign.

    A ``/`` separates nobody by itself (AC/DC), nor does a ``;``, unless there are blanks around
    (``A / B``), or unless MusicBrainz knows of as many people as there are parts.
    """
    if len(values) != 1 or not ("/" in values[0] or ";" in values[0]):
        return values
    parts = _parts(values)
    if len(parts) == count > 1:
        return parts
    return [part.strip() for part in values[0].split(" / ")]


def _parts(values: list[str]) -> list[str]:
    if len(values) != 1:
        return values
    return [part for text in re.split("[/;]", values[0]) if (part := text.strip())]


class _Texts:
    """Texts of the frames of one tag, in the character set they are in."""

    def __init__(self, tags: ID3) -> None:
        # A plain dictionary: mutagen's own looks missing frames up by exceptions.
        self._frames = dict(tags.items())

    def of(self, name: str) -> list[str]:
        """The texts of a frame; of genres, their names. Empty if there is none."""
        frame = self._frames.get(name)
        if frame is None:
            return []
        # mutagen knows "17", "(17)", "(4)Eurodisco", "RX" and "CR".
        texts: Sequence[object] = frame.genres if name == "TCON" else getattr(frame, "text", ())
        # Dates are objects that print themselves.
        found = [str(text) for text in texts]
        return self.repaired(found) if frame.encoding == LATIN1 else found

    def all(self, name: str) -> list[Frame]:
        """The frames of a name that may occur several times."""
        return [frame for key, frame in self._frames.items() if key.startswith(name)]

    def repaired(self, texts: list[str]) -> list[str]:
        return [text if text.isascii() else repaired(text, self._charset) for text in texts]

    @cached_property
    def _charset(self) -> str | None:
        return charset_of(
            text
            for frame in self._frames.values()
            if getattr(frame, "encoding", None) == LATIN1
            for text in getattr(frame, "text", ())
            if isinstance(text, str)
        )


def _comment(texts: _Texts) -> str | None:
    for frame in texts.all("COMM"):
        if not frame.desc:
            found = [str(text) for text in frame.text]
            text = first(texts.repaired(found) if frame.encoding == LATIN1 else found)
            if text and not _MACHINE.match(text):
                return text
    return None
