"""ID3 tags: versions 2.2 to 2.4 and 1, at the front, at the end, in chunks of RIFF and AIFF."""

import re
import struct
from collections.abc import Callable

from mediaserver.library.readers import chapters, details, ratings
from mediaserver.library.readers.found import Found
from mediaserver.library.readers.id3_tag import Tag
from mediaserver.library.readers.tags import choose
from mediaserver.library.readers.values import date, first, flag, number, release_id

_RECORDING = b"http://musicbrainz.org\0"
_MASTER_VOLUME = 1
_RARE = frozenset({"TXXX", "UFID", "POPM", "RVA2", "CHAP"})
"""Frames of what few files have: there are as many files as a library has."""

Reading = Callable[[str], list[str]]
"""From the name of a frame to its texts."""
# What programs put into comments for themselves: gain, gapless and disc data, addresses of shops.
_MACHINE = re.compile(r"^\s*(?:[0-9A-Fa-f]{8}[ +]|https?://|0$)")


def apply(found: Found, tag: Tag) -> None:
    """Frames to fields. A frame that makes no sense is as if it were not there."""
    texts = tag.texts
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
    found.date = date(first(texts("TDRC"))) or date(first(texts("TDRL"))) or found.date
    # TORY in ID3v2.3.
    found.original_date = date(first(texts("TDOR"))) or found.original_date
    found.release_id = release_id(first(texts("TXXX:MusicBrainz Album Id"))) or found.release_id
    found.cue_sheet = first(texts("TXXX:CUESHEET")) or found.cue_sheet
    found.description = _comment(tag) or found.description
    found.picture = choose(tag.pictures()) or found.picture
    if not _RARE.isdisjoint(tag.names):
        _details(found, tag)


def _details(found: Found, tag: Tag) -> None:
    chapters.put(found, chapters.of_id3(tag))
    details.add(found, _volumes(tag))
    details.named(found, _common(tag))
    rated = map(ratings.popularimeter, tag.contents("POPM"))
    found.rating = next(filter(None, rated), None) or found.rating
    for data in tag.contents("UFID"):
        if data.startswith(_RECORDING):
            value = data.removeprefix(_RECORDING).decode("latin-1")
            details.add(found, {"recording_id": release_id(value)})


def _common(tag: Tag) -> dict[str, list[str]]:
    """Frames of free use by the names that Vorbis comments have for the same."""
    return {
        known: texts
        for name, texts in tag.freely_named()
        if (known := details.common_name(name)) is not None
    }


def _volumes(tag: Tag) -> dict[str, float | None]:
    """Frames RVA2 (ID3v2.4 §4.11): what each is for, then for channels (1: all of them) the gain in
    1/512 dB, and the peak with as many bits as its byte says."""
    found: dict[str, float | None] = {}
    for data in tag.contents("RVA2"):
        name, _, rest = data.partition(b"\0")
        what = name.decode("latin-1").lower()
        if what not in ("track", "album") or len(rest) < 4 or rest[0] != _MASTER_VOLUME:
            continue
        (gain,) = struct.unpack_from(">h", rest, 1)
        found[f"{what}_gain_db"] = gain / 512
        bits = rest[3]
        peak = int.from_bytes(rest[4 : 4 + (bits + 7) // 8], "big")
        found[f"{what}_peak"] = peak / (1 << (bits - 1)) if bits and peak else None
    return found


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


def _comment(tag: Tag) -> str | None:
    return next((text for text in tag.comments() if not _MACHINE.match(text)), None)
