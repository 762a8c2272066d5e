"""What a path tells of a file, as the fields that are made of it.

The reader fills in what tags leave open; the index asks again when a file or its folder is renamed
or moved, and replaces what the old path had told.
"""

from typing import NamedTuple

from mediaserver.library.names import tracks, videos
from mediaserver.library.objects import Kind
from mediaserver.library.readers.naming import title_of


class Told(NamedTuple):
    """Fields as :class:`.objects.MediaFacts` has them."""

    title: str
    track: int | None = None
    disc: int | None = None
    artists: tuple[str, ...] = ()
    album: str | None = None
    date: str | None = None
    film: bool = False
    series: str | None = None
    season: int | None = None
    episode: int | None = None
    program: str | None = None
    last_episode: int | None = None
    """Of a file that holds several."""


def told(kind: Kind, path: bytes) -> Told:
    """What the name of a file says, and of a video its folders' names."""
    stem = title_of(path)
    if kind is Kind.AUDIO:
        return _track(tracks.of_file(stem))
    if kind is Kind.VIDEO:
        return _video(videos.of_path(path), stem)
    return Told(stem)


def told_of_album(path: bytes, inside: bytes) -> Told:
    """The same of a track without tags, and what the folders below its media root say.

    ``inside`` is the folder's path in the root. They are believed only of a track that has a
    number in its name: a folder of loose songs is no album.
    """
    found = _track(tracks.of_file(title_of(path)))
    if found.track is None:
        return found
    folders = tracks.of_folders(inside.decode(errors="replace"))
    return found._replace(
        album=found.album or folders.album,
        artists=found.artists or _one(folders.artist),
        date=folders.year,
    )


def _track(name: tracks.TrackName) -> Told:
    return Told(name.title, name.track, name.disc, _one(name.artist), name.album)


def _video(name: videos.VideoName, stem: str) -> Told:
    if name.series is not None and name.episode is not None:
        found = Told(
            stem,
            series=name.series,
            season=name.season,
            episode=name.episode,
            program=name.title,
            last_episode=name.last_episode,
        )
        return found._replace(title=episode_title(found, name.title))
    if name.film and name.title and name.year:
        return Told(f"{name.title} ({name.year})", date=name.year, film=True)
    return Told(stem, film=name.film)


def episode_title(episode: Told, program: str | None) -> str:
    """``Series - S01E02 - Title``: what tells an episode in any list, and orders it there."""
    season = "" if episode.season is None else f"S{episode.season:02d}"
    last = "" if episode.last_episode is None else f"-E{episode.last_episode:02d}"
    title = f"{episode.series} - {season}E{episode.episode or 0:02d}{last}"
    return f"{title} - {program}" if program else title


def _one(text: str | None) -> tuple[str, ...]:
    return (text,) if text else ()
