"""Albums of which only some tracks say whose they are: one album, not two.

A pure function of the tracks that stand in one folder (or in its ``CD1``, ``CD2``) under one title
of an album. By itself a track is of the release, of the album artists or of the folder that its own
tags name (:mod:`.facets`); where the tags of its neighbours say more, they speak for it too.

Two albums of one title stay two: what contradicts each other is not joined, nor are two tracks of
the same number.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from mediaserver.library.folding import same

T = TypeVar("T")

MAX_TRACKS = 500
"""In one folder: with more in it, it is no album but a heap of songs."""

_VARIOUS = same("Various artists")


class AlbumTrack(NamedTuple):
    """What a track says of its album."""

    artists: tuple[str, ...] = ()
    album_artists: tuple[str, ...] = ()
    album_artist_sorts: tuple[str, ...] = ()
    compilation: bool = False
    release_id: str | None = None
    release_group_id: str | None = None
    disc: int = 1
    track: int | None = None

    @property
    def of(self) -> tuple[object, ...]:
        """What it is of, by itself."""
        return self.release_id, self.album_artists, self.compilation


class Joined(NamedTuple):
    """What holds for all tracks of the album."""

    release_id: str | None
    album_artists: tuple[str, ...]
    album_artist_sorts: tuple[str, ...]
    compilation: bool


def joined(tracks: Sequence[AlbumTrack]) -> Joined | None:
    """None: their tags agree, or they are not one album."""
    if len({track.of for track in tracks}) < 2 or not _fit_together(tracks):
        return None
    releases = [track for track in tracks if track.release_id is not None]
    if len({track.release_id for track in releases}) > 1:
        groups = {track.release_group_id for track in releases}
        if len(groups) > 1 or None in groups:
            return None
    whose = [track for track in tracks if track.album_artists]
    named = _most_frequent((track.album_artists, track.album_artist_sorts) for track in whose)
    artists, sorts = named or ((), ())
    compilation = any(track.compilation for track in tracks)
    if not all(_fits(track, artists, compilation=compilation) for track in tracks):
        return None
    return Joined(
        _most_frequent(track.release_id for track in releases), artists, sorts, compilation
    )


def _fit_together(tracks: Iterable[AlbumTrack]) -> bool:
    """Whether no two that are of something else have the same number."""
    places: dict[tuple[int, int], tuple[object, ...]] = {}
    for track in tracks:
        if track.track is not None:
            of = places.setdefault((track.disc, track.track), track.of)
            if of != track.of:
                return False
    return True


def _fits(track: AlbumTrack, artists: Sequence[str], *, compilation: bool) -> bool:
    """Whether a track may be on an album of these artists: its own album artists are the same; or
    it has none, and one of them is among those who play (``Queen & David Bowie``)."""
    wanted = {same(artist) for artist in artists}
    if track.album_artists:
        return {same(artist) for artist in track.album_artists} == wanted
    if not artists or compilation or _VARIOUS in wanted or not track.artists:
        return True
    playing = [same(artist) for artist in track.artists]
    words = [re.compile(rf"(?<!\w){re.escape(artist)}(?!\w)") for artist in wanted]
    return any(word.search(artist) for word in words for artist in playing)


def _most_frequent(values: Iterable[T]) -> T | None:
    """Of several that are as frequent the first in the order of their texts."""
    counted = Counter(values)
    return min(counted, key=lambda value: (-counted[value], str(value)), default=None)
