"""What is known of few items: details of their tags, chapters, streams inside them.

Each has a table of its own, which holds nothing of the others: most files have none of it, and no
list of a control point is made of it.
"""

import sqlite3
from collections.abc import Iterable

from mediaserver.library.objects import (
    MAX_CHAPTERS,
    Chapter,
    Details,
    EmbeddedStream,
    MediaFacts,
)
from mediaserver.library.readers.naming import clean

MAX_STREAMS = 200
_TABLES = ("details", "chapters", "streams")


class DetailIndex:
    """Those of the items of one batch."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, item: int, facts: MediaFacts, *, new: bool) -> None:
        """Write what is known of an item, ``new`` or read again."""
        if not new:
            self.forget(item)
        if facts.details is not None:
            self._put_details(item, facts.details)
        if facts.chapters:
            self._put_chapters(item, facts.chapters)
        if facts.streams:
            self._put_streams(item, facts.streams)

    def put_of_part(self, item: int, found: Details | None) -> None:
        """Write what is known of a part of a file; its chapters are the file's own."""
        self.forget(item)
        if found is not None:
            self._put_details(item, found)

    def forget(self, item: int) -> None:
        """The item goes, or is read again."""
        for table in _TABLES:
            self._connection.execute(f"DELETE FROM {table} WHERE item_id = ?", (item,))  # noqa: S608

    def _put_details(self, item: int, found: Details) -> None:
        self._connection.execute(
            "INSERT INTO details VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                item,
                found.release_date,
                found.track_gain_db,
                found.track_peak,
                found.album_gain_db,
                found.album_peak,
                found.recording_id,
                found.track_id,
                found.release_group_id,
                "\n".join(found.artist_ids) or None,
                "\n".join(found.album_artist_ids) or None,
                found.isrc,
            ),
        )

    def _put_chapters(self, item: int, found: Iterable[Chapter]) -> None:
        self._connection.executemany(
            "INSERT INTO chapters VALUES (?, ?, ?, ?)",
            [
                (item, position, one.begin_ms, _text(one.title))
                for position, one in zip(range(MAX_CHAPTERS), found, strict=False)
            ],
        )

    def _put_streams(self, item: int, found: Iterable[EmbeddedStream]) -> None:
        self._connection.executemany(
            "INSERT INTO streams VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    item,
                    position,
                    one.kind,
                    _text(one.codec),
                    _text(one.language),
                    _text(one.title),
                    "\n".join(one.flags) or None,
                )
                for position, one in zip(range(MAX_STREAMS), found, strict=False)
            ],
        )


def details_of(connection: sqlite3.Connection, item: int) -> Details | None:
    row = connection.execute(
        "SELECT release_date, track_gain_db, track_peak, album_gain_db, album_peak, recording_id,"
        " track_id, release_group_id, artist_ids, album_artist_ids, isrc FROM details"
        " WHERE item_id = ?",
        (item,),
    ).fetchone()
    if row is None:
        return None
    return Details(
        release_date=row[0],
        track_gain_db=row[1],
        track_peak=row[2],
        album_gain_db=row[3],
        album_peak=row[4],
        recording_id=row[5],
        track_id=row[6],
        release_group_id=row[7],
        artist_ids=_split(row[8]),
        album_artist_ids=_split(row[9]),
        isrc=row[10],
    )


def chapters_of(connection: sqlite3.Connection, item: int) -> list[Chapter]:
    rows = connection.execute(
        "SELECT begin_ms, title FROM chapters WHERE item_id = ? ORDER BY position", (item,)
    )
    return [Chapter(*row) for row in rows]


def streams_of(connection: sqlite3.Connection, item: int) -> list[EmbeddedStream]:
    rows = connection.execute(
        "SELECT kind, codec, language, title, flags FROM streams WHERE item_id = ?"
        " ORDER BY position",
        (item,),
    )
    return [
        EmbeddedStream(kind, codec, language, title, _split(flags))
        for kind, codec, language, title, flags in rows
    ]


def _text(text: str | None) -> str | None:
    return (clean(text) or None) if text else None


def _split(lines: str | None) -> tuple[str, ...]:
    return tuple(lines.split("\n")) if lines else ()
