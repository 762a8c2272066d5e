"""Tags of every family to the same fields. ID3 has its own module, :mod:`.id3`.

Several artists, genres or composers are several values where the format has several: repeated
Vorbis comments, lists of MP4 atoms, ASF attributes and APEv2 values. A ``/`` or ``;`` inside a
value separates nothing: AC/DC is one band (but see :mod:`.id3` for ID3v2.3). What is not for lists
is the matter of :mod:`.details` and :mod:`.chapters`.
"""

import base64
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from mutagen.apev2 import BINARY
from mutagen.flac import Picture as FlacPicture

from mediaserver.library.readers import chapters, details, ratings
from mediaserver.library.readers.found import Found
from mediaserver.library.readers.picture_header import measure
from mediaserver.library.readers.values import (
    charset_of_bytes,
    date,
    decoded,
    first,
    flag,
    number,
    release_id,
)

FRONT_COVER = 3
"""Picture types are those of ID3v2 APIC in all families."""


def vorbis(found: Found, tags: Iterable[tuple[str, str]]) -> None:
    """Vorbis comments of FLAC, Ogg, Opus: ``(name, value)``, names in any case, repeated."""
    comments: dict[str, list[str]] = {}
    for name, value in tags:
        comments.setdefault(name.upper(), []).append(value)
    named(found, comments)
    if found.picture is None:
        found.picture = _vorbis_picture(comments)


def named(found: Found, tags: Mapping[str, Sequence[str]]) -> None:
    """Tags by the names that Vorbis comments use, upper case.

    Matroska, APEv2, FFmpeg's own names and freely named ones are close enough to share them.
    """
    get = tags.get
    found.title = first(get("TITLE")) or found.title
    found.sort_title = (
        first(get("TITLESORT") or get("TITLE-SORT") or get("SORT_NAME")) or found.sort_title
    )
    _people(found, get)
    found.genres = list(get("GENRE") or found.genres)
    found.album = first(get("ALBUM")) or found.album
    found.album_sort = (
        first(get("ALBUMSORT") or get("ALBUM-SORT") or get("SORT_ALBUM")) or found.album_sort
    )
    found.release_id = release_id(first(get("MUSICBRAINZ_ALBUMID"))) or found.release_id
    found.compilation = flag(first(get("COMPILATION"))) or found.compilation
    found.track = (
        number(first(get("TRACKNUMBER") or get("TRACK") or get("PART_NUMBER"))) or found.track
    )
    found.disc = (
        number(first(get("DISCNUMBER") or get("DISC") or get("DISCNUM") or get("PART")))
        or found.disc
    )
    found.date = (
        date(first(get("DATE") or get("YEAR")))
        or date(first(get("DATE_RELEASED") or get("RELEASEDATE") or get("DATE_RECORDED")))
        or found.date
    )
    found.original_date = (
        date(first(get("ORIGINALDATE") or get("ORIGINALYEAR"))) or found.original_date
    )
    found.cue_sheet = first(get("CUESHEET")) or found.cue_sheet
    found.description = (
        first(get("DESCRIPTION") or get("SYNOPSIS") or get("SUMMARY") or get("COMMENT"))
        or found.description
    )
    details.named(found, tags)
    if not chapters.FIRST.isdisjoint(tags):
        chapters.put(found, chapters.of_comments(tags))


def _people(found: Found, get: Callable[[str], Sequence[str] | None]) -> None:
    # ARTIST may be how they are credited ("A feat. B"), ARTISTS who they are.
    each = get("ARTISTS") or ()
    artists = each if len(each) > 1 else get("ARTIST") or get("AUTHOR")
    found.artists = list(artists or found.artists)
    found.artist_sorts = list(
        get("ARTISTSORT") or get("ARTIST-SORT") or get("SORT_ARTIST") or found.artist_sorts
    )
    found.album_artists = list(
        get("ALBUMARTIST")
        or get("ALBUM ARTIST")
        or get("ALBUM_ARTIST")
        or get("ALBUM-ARTIST")
        or found.album_artists
    )
    found.album_artist_sorts = list(
        get("ALBUMARTISTSORT") or get("SORT_ALBUM_ARTIST") or found.album_artist_sorts
    )
    found.composers = list(get("COMPOSER") or get("WRITER") or found.composers)
    found.composer_sorts = list(get("COMPOSERSORT") or get("SORT_COMPOSER") or found.composer_sorts)
    found.conductors = list(get("CONDUCTOR") or found.conductors)


def choose(pictures: Iterable[tuple[int, bytes]]) -> bytes | None:
    """The first front cover, else the first picture, of ``(type, bytes)``; only real pictures."""
    other = None
    for kind, data in pictures:
        if measure(data) is None:
            continue
        if kind == FRONT_COVER:
            return data
        if other is None:
            other = data
    return other


def _vorbis_picture(comments: Mapping[str, Sequence[str]]) -> bytes | None:
    pictures = []
    for text in comments.get("METADATA_BLOCK_PICTURE", ()):
        try:
            picture = FlacPicture(base64.b64decode(text))
        except Exception:  # noqa: S112 - mutagen raises many things at damage; there may be more
            continue
        pictures.append((int(picture.type), bytes(picture.data)))
    for text in comments.get("COVERART", ()):
        try:
            pictures.append((FRONT_COVER, base64.b64decode(text)))
        except ValueError:
            continue
    return choose(pictures)


_MP4_NAMES = {
    "\xa9nam": "TITLE",
    "sonm": "TITLESORT",
    "\xa9ART": "ARTIST",
    "soar": "ARTISTSORT",
    "aART": "ALBUMARTIST",
    "soaa": "ALBUMARTISTSORT",
    "\xa9wrt": "COMPOSER",
    "soco": "COMPOSERSORT",
    "\xa9con": "CONDUCTOR",
    "\xa9gen": "GENRE",
    "\xa9alb": "ALBUM",
    "soal": "ALBUMSORT",
    "\xa9day": "DATE",
    "desc": "DESCRIPTION",
    "ldes": "SYNOPSIS",
    "\xa9cmt": "COMMENT",
}
_MP4_FREE = "----:com.apple.iTunes:"
_MP4_FREE_NAMES = {
    "ARTISTS": "ARTISTS",
    "CONDUCTOR": "CONDUCTOR",
    "ORIGINALDATE": "ORIGINALDATE",
    "ORIGINALYEAR": "ORIGINALYEAR",
    "CUESHEET": "CUESHEET",
    "MUSICBRAINZ ALBUM ID": "MUSICBRAINZ_ALBUMID",
}
"""In upper case: programs do not agree on it."""


def mp4(found: Found, tags: Mapping[str, Sequence[object]]) -> None:
    """The atoms of ``ilst`` as mutagen gives them."""
    known: dict[str, list[str]] = {}
    for name in tags:
        if name in _MP4_NAMES:
            known[_MP4_NAMES[name]] = _texts(tags, name)
        elif name.startswith(_MP4_FREE):
            name_alone = name.removeprefix(_MP4_FREE)
            free = _MP4_FREE_NAMES.get(name_alone.upper()) or details.common_name(name_alone)
            if free is not None:
                values = [value for value in tags[name] if isinstance(value, bytes)]
                texts = [value.decode(errors="replace") for value in values]
                known.setdefault(free, []).extend(texts)
    named(found, known)
    found.compilation = bool(tags.get("cpil", False))
    found.track = _first_of_pair(tags, "trkn")
    found.disc = _first_of_pair(tags, "disk")
    found.rating = ratings.hundredths(_texts(tags, "rate")) or found.rating
    covers = [bytes(data) for data in tags.get("covr", ()) if isinstance(data, bytes)]
    found.picture = choose((0, data) for data in covers)


def _texts(tags: Mapping[str, Sequence[object]], name: str) -> list[str]:
    return [value for value in tags.get(name, ()) if isinstance(value, str)]


def _first_of_pair(tags: Mapping[str, Sequence[object]], name: str) -> int | None:
    for pair in tags.get(name, ()):
        if isinstance(pair, tuple) and pair and isinstance(pair[0], int):
            return number(pair[0])
    return None


_ASF_NAMES = {
    "Title": "TITLE",
    "Author": "ARTIST",
    "WM/AlbumArtist": "ALBUMARTIST",
    "WM/AlbumTitle": "ALBUM",
    "WM/Composer": "COMPOSER",
    "WM/Genre": "GENRE",
    "WM/Year": "DATE",
    "WM/TrackNumber": "TRACKNUMBER",
    "WM/PartOfSet": "DISCNUMBER",
    "WM/IsCompilation": "COMPILATION",
    "WM/TitleSortOrder": "TITLESORT",
    "WM/ArtistSortOrder": "ARTISTSORT",
    "WM/AlbumArtistSortOrder": "ALBUMARTISTSORT",
    "WM/AlbumSortOrder": "ALBUMSORT",
    "WM/ComposerSortOrder": "COMPOSERSORT",
    "WM/ARTISTS": "ARTISTS",
    "WM/Conductor": "CONDUCTOR",
    "WM/OriginalReleaseYear": "ORIGINALYEAR",
    "MusicBrainz/Album Id": "MUSICBRAINZ_ALBUMID",
    "Description": "DESCRIPTION",
}
_DIGITS = re.compile("[0-9]{1,9}")


def asf(found: Found, tags: Iterable[tuple[str, object]]) -> None:
    """ASF attributes, ``(name, attribute)``, as mutagen gives them."""
    known: dict[str, list[str]] = {}
    pictures = []
    for name, attribute in tags:
        if name == "WM/Picture":
            picture = _asf_picture(getattr(attribute, "value", b""))
            if picture is not None:
                pictures.append(picture)
        elif name in _ASF_NAMES:
            known.setdefault(_ASF_NAMES[name], []).append(str(attribute))
        elif name == "WM/Track" and _DIGITS.fullmatch(str(attribute)):
            # The older name, and it counts from 0.
            known.setdefault("TRACK", []).append(str(int(str(attribute)) + 1))
        elif (common := details.common_name(name)) is not None:
            known.setdefault(common, []).append(str(attribute))
    named(found, known)
    found.picture = choose(pictures)


def _asf_picture(data: bytes) -> tuple[int, bytes] | None:
    """WM/Picture: type, length, MIME type and description in UTF-16, picture."""
    if len(data) < 9:
        return None
    kind, size = struct.unpack_from("<BI", data)
    at = 5
    for _ in range(2):
        while data[at : at + 2] not in (b"\0\0", b""):
            at += 2
        at += 2
    return kind, data[at : at + size]


def ape(found: Found, tags: Mapping[str, object]) -> None:
    """APEv2 items, of Monkey's Audio, WavPack, Musepack; also behind an MP3."""
    named(found, ape_texts(tags))
    if found.picture is None:
        found.picture = choose(_ape_pictures(tags))


def ape_texts(tags: Mapping[str, object]) -> dict[str, list[str]]:
    """Names in upper case to texts."""
    return {
        name.upper(): str(value).split("\0")
        for name, value in tags.items()
        if getattr(value, "kind", None) != BINARY
    }


def _ape_pictures(tags: Mapping[str, object]) -> Iterator[tuple[int, bytes]]:
    for name, value in tags.items():
        upper = name.upper()
        if getattr(value, "kind", None) == BINARY and upper.startswith("COVER ART"):
            # "name of the file" NUL picture
            _, _, data = bytes(getattr(value, "value", b"")).partition(b"\0")
            yield (FRONT_COVER if "FRONT" in upper else 0), data


_INFO_NAMES = {
    b"INAM": "TITLE",
    b"IART": "ARTIST",
    b"IPRD": "ALBUM",
    b"IGNR": "GENRE",
    b"ICRD": "DATE",
    b"ITRK": "TRACKNUMBER",
    b"IPRT": "TRACKNUMBER",
    b"IMUS": "COMPOSER",
    b"ICMT": "COMMENT",
}


def riff_info(found: Found, chunks: Iterable[tuple[bytes, bytes]]) -> None:
    """The chunks of a RIFF ``LIST INFO``: ``(name, bytes with NUL)``, character set unknown."""
    raw = [
        (_INFO_NAMES[name], data.partition(b"\0")[0])
        for name, data in chunks
        if name in _INFO_NAMES
    ]
    charset = charset_of_bytes(data for _, data in raw)
    known: dict[str, list[str]] = {}
    for name, data in raw:
        known.setdefault(name, []).append(decoded(data, charset))
    named(found, known)
