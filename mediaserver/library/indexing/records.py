"""A media file as a row of ``items``, made of what a reader found and where the file is."""

import sqlite3
from typing import NamedTuple

from mediaserver.library import schema
from mediaserver.library.facets import Traits, album_key
from mediaserver.library.folding import fold, sort_key
from mediaserver.library.indexing.homes import Home
from mediaserver.library.indexing.known import FileStatus, stored
from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.library.readers.naming import clean, title_of

UPNP_CLASSES = {
    Kind.AUDIO: "object.item.audioItem.musicTrack",
    Kind.VIDEO: "object.item.videoItem",
    Kind.IMAGE: "object.item.imageItem.photo",
}
READY = "ready"
UNREADABLE = "unreadable"

MAX_VALUES = 64
"""Of one tag."""
_LARGEST = (1 << 63) - 1


class Record(NamedTuple):
    """A row of ``items``: the columns in the order of the table."""

    id: int
    folder_id: int
    name: bytes
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
    state: str
    reason: str | None
    title: str
    sort_key: str
    album_key: str
    artists: str | None
    album_artists: str | None
    composers: str | None
    genres: str | None
    album: str | None
    compilation: int
    track: int | None
    disc: int | None
    date: str | None
    description: str | None
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
    art_id: int | None

    def traits(self, home: Home) -> Traits:
        return Traits(
            kind=self.kind,
            sort_key=self.sort_key,
            album_key=self.album_key,
            artists=_split(self.artists),
            album_artists=_split(self.album_artists),
            composers=_split(self.composers),
            genres=_split(self.genres),
            album=self.album,
            compilation=bool(self.compilation),
            date=self.date,
            camera=self.camera,
            album_home=home.album_home,
        )

    def text(self) -> tuple[int, str, str, str, str]:
        """The row of ``item_text``."""
        return (
            self.id,
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
            state=self.state,
        )


COLUMNS = ", ".join(Record._fields)
SELECT = f"SELECT {COLUMNS} FROM items "  # noqa: S608 - constants
INSERT = f"INSERT INTO items ({COLUMNS}) VALUES ({', '.join('?' * len(Record._fields))})"  # noqa: S608
UPDATE = f"UPDATE items SET {', '.join(f'{name} = ?' for name in Record._fields)} WHERE id = ?"  # noqa: S608

INSERT_TEXT = "INSERT INTO item_text (rowid, title, artists, album, genres) VALUES (?, ?, ?, ?, ?)"
DELETE_TEXT = "DELETE FROM item_text WHERE rowid = ?"


def record(
    key: int,
    home: Home,
    name: bytes,
    status: FileStatus,
    facts: MediaFacts,
    *,
    added: int,
    art_id: int | None,
) -> Record:
    """The row for a file. Texts are made valid, numbers that cannot be stored are left out."""
    title = _text(facts.title) or title_of(name)
    title_key = sort_key(_text(facts.sort_title) or title)
    disc, track = _number(facts.disc), _number(facts.track)
    mtime_ns = stored(status.mtime_ns)
    return Record(
        id=key,
        folder_id=home.folder,
        name=name,
        shown=home.available,
        kind=facts.kind.value,
        upnp_class=UPNP_CLASSES[facts.kind],
        mime_type=clean(facts.mime_type),
        dlna_profile=facts.dlna_profile,
        size=stored(status.size),
        mtime_ns=mtime_ns,
        device=stored(status.device),
        inode=stored(status.inode),
        fingerprint=facts.fingerprint,
        added=added,
        modified=max(0, mtime_ns // 1_000_000_000),
        state=READY if facts.reason is None else UNREADABLE,
        reason=None if facts.reason is None else clean(facts.reason),
        title=title,
        sort_key=title_key,
        album_key=album_key(disc or home.disc, track, title_key),
        artists=_lines(facts.artists),
        album_artists=_lines(facts.album_artists),
        composers=_lines(facts.composers),
        genres=_lines(facts.genres),
        album=_text(facts.album),
        compilation=facts.compilation,
        track=track,
        disc=disc,
        date=_text(facts.date),
        description=_text(facts.description),
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
        art_id=art_id,
    )


def moved(old: Record, home: Home, name: bytes, status: FileStatus, art_id: int | None) -> Record:
    """The row of a file that is at another place now. A title that was its name goes along."""
    title, title_key = old.title, old.sort_key
    if name != old.name and title == title_of(old.name):
        title = title_of(name)
        title_key = sort_key(title)
    mtime_ns = stored(status.mtime_ns)
    return old._replace(
        folder_id=home.folder,
        name=name,
        shown=home.available,
        size=stored(status.size),
        mtime_ns=mtime_ns,
        modified=max(0, mtime_ns // 1_000_000_000),
        device=stored(status.device),
        inode=stored(status.inode),
        title=title,
        sort_key=title_key,
        album_key=album_key(old.disc or home.disc, old.track, title_key),
        art_id=art_id,
    )


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


assert Record._fields == tuple(schema.items.columns.keys())  # noqa: S101 - SELECT relies on it
