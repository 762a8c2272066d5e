"""Under which values of the views an item stands: artists, albums, months and so on.

A pure function of what is known of the item; how values are stored is the matter
of :mod:`.indexing.facet_links`. Kinds of facets, by kind of item:

========  ==========================================================
audio     artist, albumartist, album, genre, composer, year
video     series, season (of episodes), filmyear (of films)
image     photoyear, photomonth, camera
========  ==========================================================

Every item stands under at least one value of each of its kinds but those in :data:`PARTIAL`: what
is not known is a value too, with the empty key, ordered last.

**Albums.** An album is the same one for two items if title and album artist are. Where no album
artist is given, the tracks of an album may each name another artist; so the folder takes the
artist's place (and the folder above it for ``CD1``, ``CD2``). The same holds for compilations,
whose album artist ("Various artists") tells nothing. Where tags hold MusicBrainz's id of the
release, that decides: an artist may have made two albums of one title. Where only some tracks of
an album say these things, they say it for the others too (:mod:`.albums`).

**Order.** What tags say a name is sorted under ("Bowie, David") decides about the place of a
value, else the name itself does.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from mediaserver.library.folding import CACHED, LAST, fold, number_key, same, sort_key
from mediaserver.library.objects import Kind
from mediaserver.library.views import Arrangement, View

MAX_VALUES = 16
"""Of one kind for one item; what a file says beyond is not worth its rows."""
VARIOUS_ARTISTS = "Various artists"
PARTIAL = frozenset({"composer", "series", "season", "filmyear"})
"""Kinds that not every item has a value of."""

_UNKNOWN = {
    "artist": "Unknown artist",
    "albumartist": "Unknown artist",
    "album": "Unknown album",
    "genre": "Unknown genre",
    "year": "Unknown year",
    "filmyear": "Unknown year",
    "series": "Unknown series",
    "photoyear": "Unknown date",
    "photomonth": "Unknown date",
    "camera": "Unknown camera",
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_YEAR = re.compile(r"(?!0000)[0-9]{4}")
_MONTH = re.compile(r"(?!0000)([0-9]{4})-(0[1-9]|1[0-2])")
_DISC = re.compile(r"(?:^|[\s(\[_.-])(?:cd|dis[ck])\s*[-_.#]?\s*([0-9]{1,2})(?![0-9])")


class Value(NamedTuple):
    """One value of a view. Two items share it if ``kind`` and ``key`` are the same."""

    kind: str
    key: str
    title: str
    sort_key: str
    sorted: bool = False
    """Whether tags say what it is sorted under."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What decides where an item stands."""

    kind: str
    sort_key: str
    album_key: str
    artists: Sequence[str] = ()
    artist_sorts: Sequence[str] = ()
    album_artists: Sequence[str] = ()
    album_artist_sorts: Sequence[str] = ()
    composers: Sequence[str] = ()
    composer_sorts: Sequence[str] = ()
    genres: Sequence[str] = ()
    album: str | None = None
    album_sort: str | None = None
    release_id: str | None = None
    compilation: bool = False
    date: str | None = None
    camera: str | None = None
    film: bool = False
    series: str | None = None
    season: int | None = None
    album_home: int = 0
    """The folder that tells albums of one title apart."""


def values_of(traits: Traits) -> list[tuple[Value, str]]:
    """The values an item stands under, each with the item's sort key among those there."""
    if traits.kind == Kind.AUDIO:
        return _values_of_audio(traits)
    if traits.kind == Kind.IMAGE:
        return _values_of_image(traits)
    return _values_of_video(traits)


def _values_of_audio(traits: Traits) -> list[tuple[Value, str]]:
    artists = _named("artist", traits.artists, traits.artist_sorts)
    if traits.album_artists:
        album_artists = _named("albumartist", traits.album_artists, traits.album_artist_sorts)
    elif traits.compilation:
        album_artists = [_value("albumartist", VARIOUS_ARTISTS)]
    else:
        album_artists = _named("albumartist", traits.artists, traits.artist_sorts)
    values = [
        *artists,
        *album_artists,
        *_named("genre", traits.genres),
        *(_named("composer", traits.composers, traits.composer_sorts) if traits.composers else ()),
        _year("year", (traits.date or "")[:4]),
    ]
    placed = [(value, traits.sort_key) for value in values]
    placed.append((_album(traits), traits.album_key))
    return placed


def _values_of_image(traits: Traits) -> list[tuple[Value, str]]:
    return [
        (_year("photoyear", (traits.date or "")[:4]), traits.sort_key),
        (_month((traits.date or "")[:7]), f"{traits.date or LAST} {traits.sort_key}"),
        *((value, traits.sort_key) for value in _named("camera", _one(traits.camera))),
    ]


def _values_of_video(traits: Traits) -> list[tuple[Value, str]]:
    if traits.series is not None:
        values = _value("series", traits.series, ""), _season(traits.series, traits.season)
        return [(value, traits.album_key) for value in values]
    if traits.film:
        return [(_year("filmyear", (traits.date or "")[:4]), traits.sort_key)]
    return []


def _one(text: str | None) -> tuple[str, ...]:
    return (text,) if text else ()


def _named(kind: str, titles: Sequence[str], sorts: Sequence[str] = ()) -> list[Value]:
    """A value for each title, or the unknown one; titles that are the same count once."""
    if len(titles) == 1:
        return [_value(kind, titles[0], sorts[0] if sorts else "")]
    if not titles:
        return [_unknown(kind)]
    return list({value.key: value for value in _values(kind, titles, sorts)}.values())


def _values(kind: str, titles: Sequence[str], sorts: Sequence[str]) -> Iterable[Value]:
    # Of two spellings the first one is taken, so it comes last here.
    pairs = zip(titles[:MAX_VALUES], sorts or ("",) * len(titles), strict=False)
    return reversed([_value(kind, title, sort) for title, sort in pairs])


@lru_cache(CACHED)
def _value(kind: str, title: str, sort: str = "") -> Value:
    key = same(title)
    if not key:
        return _unknown(kind)
    return Value(kind, key, title, sort_key(sort or title), bool(sort))


@lru_cache
def _unknown(kind: str) -> Value:
    return Value(kind, "", _UNKNOWN.get(kind, "Unknown"), LAST)


def _album(traits: Traits) -> Value:
    title = traits.album
    if not title:
        return _unknown("album")
    sort = traits.album_sort or ""
    if traits.release_id is not None:
        return _album_value(title, sort, "", traits.release_id)
    if traits.album_artists and not traits.compilation:
        return _album_value(title, sort, "\n".join(traits.album_artists), "")
    return _album_value(title, sort, "", f"{traits.album_home:x}")


@lru_cache(CACHED)
def _album_value(title: str, sort: str, artists: str, home: str) -> Value:
    whose = "\n".join(sorted(same(artist) for artist in artists.split("\n"))) or home
    # A line feed cannot occur in a folded title, a line feed first not in an artist's name.
    key = f"{same(title)}\n{whose}" if artists else f"{same(title)}\n\n{whose}"
    return Value("album", key, title, sort_key(sort or title), bool(sort))


@lru_cache(CACHED)
def _year(kind: str, date: str) -> Value:
    match = _YEAR.fullmatch(date)
    return Value(kind, match[0], match[0], match[0]) if match else _unknown(kind)


@lru_cache(CACHED)
def _month(date: str) -> Value:
    match = _MONTH.fullmatch(date)
    if match:
        year, month = match.groups()
        title = f"{_MONTHS[int(month) - 1]} {year}"
        return Value("photomonth", match[0], title, match[0])
    match = _YEAR.fullmatch(date[:4])
    if match:
        # Behind the twelve months of the year.
        return Value("photomonth", match[0], f"{match[0]}, month unknown", f"{match[0]}-13")
    return _unknown("photomonth")


def album_key(disc: int | None, track: int | None, title_key: str) -> str:
    """The order within an album. Without a number of the disc it is the first."""
    return f"{number_key(disc or 1)} {number_key(track)} {title_key}"


@lru_cache(CACHED)
def _season(series: str, season: int | None) -> Value:
    title = "Other episodes" if season is None else f"Season {season}" if season else "Specials"
    # Specials come behind the seasons.
    order = number_key(season) if season else f"{number_key(None)}{season is None:d}"
    return Value("season", f"{same(series)}\n{'' if season is None else season}", title, order)


def episode_key(season: int | None, episode: int | None, title_key: str) -> str:
    """The order within a series, specials last."""
    return f"{number_key(season or None)} {number_key(episode)} {title_key}"


@lru_cache(CACHED)
def disc_of_folder(title: str) -> int | None:
    """The number of the disc that a folder says it is: ``CD2``, ``Disc 2 - Live``, ``X (CD 2)``."""
    match = _DISC.search(fold(title))
    return int(match[1]) or None if match else None


def pairs_of(views: Iterable[View]) -> tuple[tuple[str, str], ...]:
    """Which kinds of values stand one below the other in the views, the outer one first."""
    pairs = {
        (outer, inner): None
        for view in views
        if view.arrangement is Arrangement.FACETS
        for at, outer in enumerate(view.levels)
        for inner in view.levels[at + 1 :]
    }
    return tuple(pairs)
