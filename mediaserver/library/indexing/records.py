"""A media file as a row of ``items``, made of what a reader found and where the file is."""

import sqlite3
from dataclasses import replace
from typing import NamedTuple

from mediaserver.library import schema, sheets
from mediaserver.library.facets import Traits, album_key, episode_key
from mediaserver.library.folding import fold, same, sort_key
from mediaserver.library.indexing.homes import Home
from mediaserver.library.indexing.known import FileStatus, stored
from mediaserver.library.names.by_name import Told, episode_title, told, told_of_album
from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.library.readers.naming import clean, title_of

UPNP_CLASSES = {
    Kind.AUDIO: "object.item.audioItem.musicTrack",
    Kind.VIDEO: "object.item.videoItem",
    Kind.IMAGE: "object.item.imageItem.photo",
}
FILM = "object.item.videoItem.movie"
"""Of videos that are films; episodes are plain: ``videoBroadcast`` is taken for television by
devices that then do not seek in it."""

MAX_VALUES = 64
"""Of one tag."""
_LARGEST = (1 << 63) - 1


class Record(NamedTuple):
    """A row of ``items``: the columns in the order of the table."""

    id: int
    folder_id: int
    name: bytes
    part: int
    split: int
    sheet: str | None
    shown: int
    kind: str
    upnp_class: str
    mime_type: str
    dlna_profile: str | None
    size: int
    mtime_ns: int
    device: int
    inode: int
    fingerprint: bytes
    added: int
    modified: int
    reason: str | None
    title: str
    named: int
    sort_key: str
    album_key: str
    file_key: str | None
    artists: str | None
    artist_sorts: str | None
    album_artists: str | None
    album_artist_sorts: str | None
    composers: str | None
    composer_sorts: str | None
    conductors: str | None
    genres: str | None
    album: str | None
    album_sort: str | None
    release_id: str | None
    compilation: int
    track: int | None
    disc: int | None
    date: str | None
    description: str | None
    rating: int | None
    series: str | None
    season: int | None
    episode: int | None
    program: str | None
    begin_us: int | None
    end_us: int | None
    duration_ms: int | None
    bitrate: int | None
    sample_rate: int | None
    channels: int | None
    bits_per_sample: int | None
    audio_codec: str | None
    video_codec: str | None
    frame_rate: float | None
    width: int | None
    height: int | None
    color_depth: int | None
    orientation: int | None
    camera: str | None
    languages: str | None
    art_id: int | None

    def traits(self, home: Home) -> Traits:
        """With what holds for its album, where others of its tracks say that."""
        traits = self._own_traits(home)
        if not home.albums or not self.album or self.kind != Kind.AUDIO:
            return traits
        album = home.albums.get(same(self.album))
        if album is None:
            return traits
        return replace(
            traits,
            album_artists=album.album_artists,
            album_artist_sorts=album.album_artist_sorts,
            release_id=album.release_id,
            compilation=album.compilation,
        )

    def _own_traits(self, home: Home) -> Traits:
        return Traits(
            kind=self.kind,
            sort_key=self.sort_key,
            album_key=self.album_key,
            artists=_split(self.artists),
            artist_sorts=_split(self.artist_sorts),
            album_artists=_split(self.album_artists),
            album_artist_sorts=_split(self.album_artist_sorts),
            composers=_split(self.composers),
            composer_sorts=_split(self.composer_sorts),
            genres=_split(self.genres),
            album=self.album,
            album_sort=self.album_sort,
            release_id=self.release_id,
            compilation=bool(self.compilation),
            date=self.date,
            camera=self.camera,
            film=self.upnp_class == FILM,
            series=self.series,
            season=self.season,
            album_home=home.album_home,
        )

    def text(self) -> tuple[str, str, str, str]:
        """The columns of ``item_text``."""
        return (
            fold(self.title),
            _folded(self.artists, self.album_artists),
            fold(self.album) if self.album else "",
            _folded(self.genres),
        )

    def is_seen_as(self, other: "Record") -> bool:
        """Whether control points see no difference between the two."""
        return self == other._replace(
            device=self.device,
            inode=self.inode,
            mtime_ns=self.mtime_ns,
            fingerprint=self.fingerprint,
            reason=self.reason,
            sheet=self.sheet,
        )


COLUMNS = ", ".join(Record._fields)
SELECT = f"SELECT {COLUMNS} FROM items "  # noqa: S608 - constants
INSERT = f"INSERT INTO items ({COLUMNS}) VALUES ({', '.join('?' * len(Record._fields))})"  # noqa: S608
UPDATE = f"UPDATE items SET {', '.join(f'{name} = ?' for name in Record._fields)} WHERE id = ?"  # noqa: S608


def record(
    key: int,
    home: Home,
    name: bytes,
    status: FileStatus,
    facts: MediaFacts,
    *,
    added: int,
    art_id: int | None,
    split: bool = False,
) -> Record:
    """The row for a file. Texts are made valid, numbers that cannot be stored are left out."""
    title = _text(facts.title) or title_of(name)
    artists, album, date = _lines(facts.artists), _text(facts.album), _text(facts.date)
    if facts.named and album is None and facts.kind is Kind.AUDIO:
        own = told_of_album(home.path_of(name), home.inside)
        album, date = _text(own.album), date or own.date
        artists = artists or _lines(own.artists)
    series = _text(facts.series)
    # The sort name of an episode is that of its own title: it would leave its series.
    title_key = sort_key((_text(facts.sort_title) if series is None else None) or title)
    disc, track = _number(facts.disc), _number(facts.track)
    season, episode = _number(facts.season), _number(facts.episode)
    mtime_ns = stored(status.mtime_ns)
    return Record(
        id=key,
        folder_id=home.folder,
        name=name,
        part=0,
        split=split,
        sheet=None if facts.sheet is None else sheets.written(facts.sheet),
        shown=home.available and not split,
        kind=facts.kind.value,
        upnp_class=FILM if facts.film else UPNP_CLASSES[facts.kind],
        mime_type=clean(facts.mime_type),
        dlna_profile=facts.dlna_profile,
        size=stored(status.size),
        mtime_ns=mtime_ns,
        device=stored(status.device),
        inode=stored(status.inode),
        fingerprint=facts.fingerprint,
        added=added,
        modified=max(0, mtime_ns // 1_000_000_000),
        reason=None if facts.reason is None else clean(facts.reason),
        title=title,
        named=facts.named or not facts.title,
        sort_key=title_key,
        album_key=_album_key(disc or home.disc, track, series, season, episode, title_key),
        file_key=file_key(name) if facts.kind is Kind.AUDIO else None,
        artists=artists,
        artist_sorts=_lines(facts.artist_sorts),
        album_artists=_lines(facts.album_artists),
        album_artist_sorts=_lines(facts.album_artist_sorts),
        composers=_lines(facts.composers),
        composer_sorts=_lines(facts.composer_sorts),
        conductors=_lines(facts.conductors),
        genres=_lines(facts.genres),
        album=album,
        album_sort=_text(facts.album_sort),
        release_id=facts.release_id,
        compilation=facts.compilation,
        track=track,
        disc=disc,
        date=date,
        description=_text(facts.description),
        rating=_number(facts.rating),
        series=series,
        season=season,
        episode=episode,
        program=_text(facts.program),
        begin_us=None,
        end_us=_number(facts.length_us),
        duration_ms=_number(facts.duration_ms),
        bitrate=_number(facts.bitrate),
        sample_rate=_number(facts.sample_rate),
        channels=_number(facts.channels),
        bits_per_sample=_number(facts.bits_per_sample),
        audio_codec=facts.audio_codec,
        video_codec=facts.video_codec,
        frame_rate=facts.frame_rate,
        width=_number(facts.width),
        height=_number(facts.height),
        color_depth=_number(facts.color_depth),
        orientation=_number(facts.orientation),
        camera=_text(facts.camera),
        languages=_lines(facts.languages),
        art_id=art_id,
    )


def moved(
    old: Record, before: Home, home: Home, name: bytes, status: FileStatus, art_id: int | None
) -> Record:
    """The row of a file that is at another place now; ``before`` is the folder it was in."""
    mtime_ns = stored(status.mtime_ns)
    there = old._replace(
        folder_id=home.folder,
        shown=home.available and not old.split,
        size=stored(status.size),
        mtime_ns=mtime_ns,
        modified=max(0, mtime_ns // 1_000_000_000),
        device=stored(status.device),
        inode=stored(status.inode),
        art_id=art_id,
    )
    return renamed(there, before, home, name)


def renamed(old: Record, before: Home, home: Home, name: bytes) -> Record:
    """The row of a file whose path is another now: what the old one told, the new one tells."""
    was, now = before.path_of(old.name), home.path_of(name)
    new = old._replace(name=name)
    if was != now:
        then, told = _told(old, was, before.inside), _told(old, now, home.inside)
        if then != told:
            new = _told_otherwise(new, then, told)
    key = _album_key(
        new.disc or home.disc, new.track, new.series, new.season, new.episode, new.sort_key
    )
    if new.kind == Kind.AUDIO and not new.part:
        new = new._replace(file_key=file_key(name))
    return new._replace(album_key=key)


def file_key(name: bytes) -> str:
    """Where a file stands in its folder: people who look there expect its order on disk."""
    return sort_key(title_of(name))


def _told(item: Record, path: bytes, inside: bytes) -> Told | None:
    """What a path tells of this item; None where its tags say it all."""
    kind = Kind(item.kind)
    if kind is Kind.VIDEO:
        return told(kind, path)
    if not item.named:
        return None
    return told_of_album(path, inside) if kind is Kind.AUDIO else told(kind, path)


def _told_otherwise(item: Record, then: Told | None, now: Told | None) -> Record:
    """Replace what is as the old path told it. What tags say stays."""
    if then is None or now is None:
        return item
    changed: dict[str, object] = {}
    for field in ("track", "disc", "album", "date", "series", "season", "episode", "program"):
        if getattr(item, field) == getattr(then, field):
            changed[field] = getattr(now, field)
    if item.artists == _lines(then.artists):
        changed["artists"] = _lines(now.artists)
    new = item._replace(**changed)  # type: ignore[arg-type]
    title = new.title
    if new.series is not None and new.episode is not None:
        whole = now._replace(series=new.series, season=new.season, episode=new.episode)
        title = episode_title(whole, new.program)
    elif item.named or item.title == then.title:
        title = now.title
    if item.kind == Kind.VIDEO:
        film = now.film and new.series is None
        new = new._replace(upnp_class=FILM if film else UPNP_CLASSES[Kind.VIDEO])
    if title == item.title:
        return new
    return new._replace(title=title, sort_key=sort_key(title))


def _album_key(
    disc: int | None,
    track: int | None,
    series: str | None,
    season: int | None,
    episode: int | None,
    title_key: str,
) -> str:
    if series is not None:
        return episode_key(season, episode, title_key)
    return album_key(disc, track, title_key)


def found(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[Record]:
    """The rows of ``items`` that a condition (a constant text) names."""
    return [Record(*row) for row in connection.execute(SELECT + where, values)]


def _text(text: str | None) -> str | None:
    return (clean(text) or None) if text else None


def _lines(values: tuple[str, ...]) -> str | None:
    if not values:
        return None
    return "\n".join(text for value in values[:MAX_VALUES] if (text := clean(value))) or None


def _split(lines: str | None) -> list[str]:
    return lines.split("\n") if lines else []


def _folded(*several: str | None) -> str:
    """Values one a line, each once, folded."""
    values = {fold(value): None for lines in several if lines for value in lines.split("\n")}
    return "\n".join(values)


def _number(number: int | None) -> int | None:
    return number if number is not None and abs(number) <= _LARGEST else None


assert Record._fields == tuple(  # noqa: S101 - SELECT relies on it
    name for name, column in schema.items.columns.items() if column.computed is None
)
