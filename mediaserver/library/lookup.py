"""What is asked of the library by number: files, art, figures.

Plain functions of a connection. What belongs to a media root that is not available is not
found (security.md F7): whatever is mounted in its place now is not the library.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from mediaserver.library.artwork import Source
from mediaserver.library.database import driver_of
from mediaserver.library.objects import Kind, LibraryCounts, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """The file of an item, or the part of it that an item is."""

    key: int
    root: bytes
    """The media root's absolute path."""
    path: bytes
    """Absolute."""
    kind: Kind
    mime_type: str
    dlna_profile: str | None
    size: int
    mtime_ns: int
    title: str
    duration_ms: int | None
    width: int | None
    height: int | None
    orientation: int | None
    """EXIF orientation, 1 to 8."""
    art_id: int | None
    span: Span | None = None
    """The part of the file that the item is, which is sent decoded; None: the whole file."""
    sample_rate: int | None = None
    channels: int | None = None
    bits_per_sample: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtSource:
    """Where art comes from: a picture file, or a picture inside a media file."""

    art_id: int
    root: bytes
    path: bytes
    """Absolute."""
    embedded: bool
    mime_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleSource:
    """The file of a subtitle of a video."""

    number: int
    format: str
    language: str | None
    note: str | None
    root: bytes
    path: bytes
    """Absolute."""


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file whose contents could not be understood; it is served under its name."""

    path: bytes
    """Absolute."""
    reason: str


def media_file(connection: Connection, key: int) -> MediaFile | None:
    """The file of an item; None if there is no such item, or its root is not available.

    That of a file that is split as well: who plays it now is not to be cut off.
    """
    row = _row(
        connection,
        "SELECT r.path, f.path, i.name, i.kind, i.mime_type, i.dlna_profile, i.size, i.mtime_ns,"
        " i.title, i.duration_ms, i.width, i.height, i.orientation, i.art_id,"
        " i.begin_us, i.end_us, i.sample_rate, i.channels, i.bits_per_sample"
        " FROM items AS i JOIN folders AS f ON f.id = i.folder_id"
        " JOIN roots AS r ON r.id = f.root_id"
        " WHERE i.id = ? AND (i.shown OR i.split) AND r.available",
        key,
    )
    if row is None:
        return None
    return MediaFile(
        key=key,
        root=row[0],
        path=_join(row[0], row[1], row[2]),
        kind=Kind(row[3]),
        mime_type=row[4],
        dlna_profile=row[5],
        size=row[6],
        mtime_ns=row[7],
        title=row[8],
        duration_ms=row[9],
        width=row[10],
        height=row[11],
        orientation=row[12],
        art_id=row[13],
        span=None if row[14] is None else Span(row[14], row[15]),
        sample_rate=row[16],
        channels=row[17],
        bits_per_sample=row[18],
    )


def picture_sources(connection: Connection) -> list[tuple[bytes, Source]]:
    """The files that pictures are made of (absolute paths), and from what in them."""
    rows = driver_of(connection).execute(
        "SELECT r.path, f.path, i.name, i.kind FROM items AS i"
        " JOIN folders AS f ON f.id = i.folder_id JOIN roots AS r ON r.id = f.root_id"
        " WHERE i.kind IN ('image', 'video') UNION ALL"
        " SELECT r.path, f.path, coalesce(i.name, a.name), iif(a.item_id IS NULL, 'file', 'item')"
        " FROM art AS a LEFT JOIN items AS i ON i.id = a.item_id"
        " JOIN folders AS f ON f.id = coalesce(i.folder_id, a.folder_id)"
        " JOIN roots AS r ON r.id = f.root_id"
    )
    return [(_join(root, path, name), _SOURCES[what]) for root, path, name, what in rows]


_SOURCES: dict[str, Source] = {
    "image": "file",
    "video": "frame",
    "file": "file",
    "item": "embedded",
}


def art_source(connection: Connection, art_id: int) -> ArtSource | None:
    """Where art comes from; None if there is no such art, or its root is not available.

    A picture that is embedded in several files comes from any that is there.
    """
    row = _row(connection, _ART + " WHERE a.id = ? AND r.available", art_id) or _row(
        connection, _ART_OF_OTHERS, art_id
    )
    if row is None:
        return None
    return ArtSource(
        art_id=art_id,
        root=row[0],
        path=_join(row[0], row[1], row[2]),
        embedded=bool(row[3]),
        mime_type=row[4],
    )


_ART = (
    "SELECT r.path, f.path, coalesce(i.name, a.name), a.item_id IS NOT NULL, a.mime_type"
    " FROM art AS a LEFT JOIN items AS i ON i.id = a.item_id"
    " JOIN folders AS f ON f.id = coalesce(i.folder_id, a.folder_id)"
    " JOIN roots AS r ON r.id = f.root_id"
)
_ART_OF_OTHERS = (
    "SELECT r.path, f.path, i.name, 1, a.mime_type"
    " FROM art AS a JOIN items AS i ON i.art_id = a.id AND i.shown"
    " JOIN folders AS f ON f.id = i.folder_id JOIN roots AS r ON r.id = f.root_id"
    " WHERE a.id = ? AND a.item_id IS NOT NULL AND r.available LIMIT 1"
)


def subtitles(connection: Connection, key: int) -> list[SubtitleSource]:
    """The subtitles of a video, best first; none if there is no such video, as above."""
    if not 0 <= key < 1 << 63:
        return []
    rows = driver_of(connection).execute(
        "SELECT r.path, f.path, t.name, t.number, t.format, t.language, t.note"
        " FROM items AS i JOIN folders AS f ON f.id = i.folder_id"
        " JOIN roots AS r ON r.id = f.root_id"
        " JOIN subtitles AS t ON t.folder_id = i.folder_id AND t.video = i.name"
        " WHERE i.id = ? AND i.shown AND r.available AND i.kind = 'video' ORDER BY t.position",
        (key,),
    )
    return [
        SubtitleSource(
            number=number,
            format=written,
            language=language,
            note=note,
            root=root,
            path=_join(root, folder, name),
        )
        for root, folder, name, number, written, language, note in rows.fetchall()
    ]


_CONTAINERS = (
    "SELECT (SELECT count(*) FROM facets) + (SELECT count(*) FROM folders WHERE shown = 1)"
    " + (SELECT count(*) FROM playlists WHERE shown = 1)"
)
"""Some milliseconds for a million files: too long for each batch, short for who wants to know."""


def counts(connection: Connection) -> LibraryCounts:
    """What can be seen of the library, and how many of its files could not be understood.

    ``pending`` is the scanner's to know.
    """
    driver = driver_of(connection)
    (containers,) = driver.execute(_CONTAINERS).fetchone()
    known = dict(driver.execute("SELECT name, value FROM settings").fetchall())
    # Read from the partial index of such files alone.
    unreadable = driver.execute("SELECT count(*) FROM items WHERE reason IS NOT NULL").fetchone()
    return LibraryCounts(
        audio=known.get("counts.audio", 0),
        video=known.get("counts.video", 0),
        image=known.get("counts.image", 0),
        containers=containers,
        unreadable=unreadable[0],
    )


def unreadable(connection: Connection, limit: int) -> list[UnreadableFile]:
    """Files that could not be understood, at most so many."""
    rows = driver_of(connection).execute(
        "SELECT r.path, f.path, i.name, i.reason"
        " FROM items AS i CROSS JOIN folders AS f ON f.id = i.folder_id"
        " JOIN roots AS r ON r.id = f.root_id WHERE i.reason IS NOT NULL ORDER BY i.id LIMIT ?",
        (limit,),
    )
    return [UnreadableFile(_join(row[0], row[1], row[2]), row[3]) for row in rows.fetchall()]


def _row(connection: Connection, statement: str, key: int) -> tuple[Any, ...] | None:
    # SQLite's numbers have 64 bits; no key has more than 50.
    if not 0 <= key < 1 << 63:
        return None
    row: tuple[Any, ...] | None = driver_of(connection).execute(statement, (key,)).fetchone()
    return row


def _join(root: bytes, folder: bytes, name: bytes) -> bytes:
    return b"/".join((root.rstrip(b"/"), *((folder,) if folder else ()), name))
