"""The index checked against itself, and mended.

Accidents (memory that flips bits, a disk that loses a write, a file copied while it was written)
may leave rows that SQLite takes for sound and that contradict each other. Rows of files and
folders that belong to nothing are removed: the next scan finds the files again, under the same
ids. What follows from rows is made anew by the code that writes it at any other time, in a
transaction, and compared with what readers still see; where nothing differs, the transaction is
undone.
"""

import sqlite3
from collections.abc import Iterator

from mediaserver.library import schema

Mended = dict[str, int]
"""What was wrong: the name of a table, or STRAYS, to the number of rows."""

STRAYS = "strays"
"""Rows that belong to a row that is not there."""

COUNTS = tuple(
    column.name
    for column in schema.folders.columns
    if column.name.endswith(("_folders", "_items", "_below")) or column.name == "playlists"
)
"""The columns of ``folders`` that follow from other rows, beside ``shown``."""

_DERIVED: dict[str, tuple[str, tuple[str, ...]]] = {
    "items": ("id", ("shown", "split", "begin_us", "end_us")),
    "folders": ("id", ("shown", *COUNTS)),
    "facets": ("id", ("kind", "key", "item_count", "artists", "genres", "date", "art_id")),
    "joined_albums": (
        "folder_id, title",
        ("release_id", "album_artists", "album_artist_sorts", "compilation"),
    ),
    "item_facets": ("facet_id, sort_key, item_id", ("facet_kind",)),
    "facet_pairs": ("facet_id, child_kind, child_sort_key, child_id", ("item_count",)),
    "playlists": ("id", ("shown", "kind", "entry_count", "art_id")),
    "playlist_entries": ("id", ("shown", "reason", "item_id", "station_id", "time")),
    "playlist_places": ("place, playlist_id", ()),
    "settings": ("name", ("value",)),
    **{table: ("rowid", columns) for table, columns in schema.TEXTS.items()},
}
"""Tables to the columns that tell rows apart, and those that are compared."""

_WITHOUT_ROW_IDS = (
    ("playlist_places", "playlist_id", "playlists"),
    ("subtitles", "folder_id", "folders"),
    ("joined_albums", "folder_id", "folders"),
    ("chapters", "item_id", "items"),
    ("streams", "item_id", "items"),
)
"""Tables without row ids that nothing makes anew, and what their rows belong to."""


class DamagedError(Exception):
    """The file is no sound database, or its rows make no sense."""


def mend_structure(connection: sqlite3.Connection) -> Mended:
    """Trees of pages that contradict each other: indexes are made anew. Raises DamagedError."""
    faults = _faults(connection)
    if not faults:
        return {}
    connection.execute("REINDEX")
    left = _faults(connection)
    if left:
        raise DamagedError(left[0])
    return {"indexes": len(faults)}


def _faults(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("PRAGMA integrity_check").fetchall()
    return [text for (text,) in rows if text != "ok"]


def remove_strays(connection: sqlite3.Connection) -> Mended:
    """Rows that refer to none, until there are none; for a transaction with deferred keys."""
    removed = 0
    while rows := [
        (table, rowid)
        # Of a table without row ids the second is None.
        for table, rowid, _, _ in connection.execute("PRAGMA foreign_key_check")
        if rowid is not None
    ]:
        for table, rowid in set(rows):
            connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))  # noqa: S608
            removed += 1
    for table, column, others in _WITHOUT_ROW_IDS:
        removed += connection.execute(
            f"DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM {others})"  # noqa: S608
        ).rowcount
    return {STRAYS: removed} if removed else {}


def mend_parts(connection: sqlite3.Connection) -> Mended:
    """Parts of files: each has a file that is split."""
    removed = connection.execute(
        "DELETE FROM items AS p WHERE part > 0 AND NOT EXISTS (SELECT 1 FROM items AS w "
        "WHERE w.folder_id = p.folder_id AND w.name = p.name AND w.part = 0)"
    ).rowcount
    connection.execute(
        "UPDATE items AS w SET split = 1 WHERE part = 0 AND split = 0 AND EXISTS "
        "(SELECT 1 FROM items AS p "
        "WHERE p.folder_id = w.folder_id AND p.name = w.name AND p.part > 0)"
    )
    return {STRAYS: removed} if removed else {}


def with_sheets(connection: sqlite3.Connection) -> list[int]:
    """The keys of files that are split, or that a cue sheet would split."""
    rows = connection.execute(
        "SELECT id FROM items WHERE part = 0 AND (split OR sheet IS NOT NULL) UNION "
        "SELECT item_id FROM playlist_entries WHERE sheet IS NOT NULL AND item_id IS NOT NULL"
    )
    return [key for (key,) in rows]


def mend_art(connection: sqlite3.Connection) -> Mended:
    """Pictures: each is held by a file that has it, and every one that is referred to is there."""
    changes = (
        # Held by an item that has another one: by any that has this one.
        "UPDATE art SET item_id = (SELECT id FROM items WHERE art_id = art.id LIMIT 1) "
        "WHERE item_id IS NOT NULL AND id IS NOT (SELECT art_id FROM items WHERE id = item_id) "
        "AND EXISTS (SELECT 1 FROM items WHERE art_id = art.id)",
        # What is for a single file or an artist is known by names: nothing refers to it.
        "DELETE FROM art WHERE stands_for IS NULL AND artist IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM items WHERE art_id = art.id) "
        "AND id NOT IN (SELECT art_id FROM folders WHERE art_id IS NOT NULL)",
        # The next scan looks at the folder's files anyway, and reads again a file that changed.
        "UPDATE folders SET art_id = NULL "
        "WHERE art_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM art WHERE id = art_id)",
        "UPDATE items SET art_id = NULL, mtime_ns = 0 "
        "WHERE art_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM art WHERE id = art_id)",
    )
    mended = sum(connection.execute(change).rowcount for change in changes)
    return {"art": mended} if mended else {}


def broken_texts(connection: sqlite3.Connection) -> Mended:
    """Texts whose inverted index does not agree with them (FTS5 manual, 6.4)."""
    broken = {}
    for table in schema.TEXTS:
        try:
            connection.execute(f"INSERT INTO {table}({table}) VALUES ('integrity-check')")  # noqa: S608
        except sqlite3.DatabaseError:
            broken[table] = 1
    return broken


def renew_texts(connection: sqlite3.Connection) -> None:
    """Make the tables of texts anew, empty."""
    for table in schema.TEXTS:
        connection.execute(f"DROP TABLE {table}")
        connection.execute(schema.create_texts(table))


def differences(before: sqlite3.Connection, after: sqlite3.Connection) -> Mended:
    """How many rows of what follows from others are not the same, by table."""
    found = {}
    for table, (keys, columns) in _DERIVED.items():
        where = "WHERE name LIKE 'counts.%' " if table == "settings" else ""
        wanted = ", ".join((keys, *columns))
        question = f"SELECT {wanted} FROM {table} {where}ORDER BY {keys}"  # noqa: S608
        differing = _differing(
            before.execute(question), after.execute(question), keys.count(",") + 1
        )
        if differing:
            found[table] = differing
    return found


Row = tuple[object, ...]


def _differing(before: Iterator[Row], after: Iterator[Row], keys: int) -> int:
    """Rows that only one has, or that differ; both in the order of their first ``keys`` columns."""
    number = 0
    old, new = next(before, None), next(after, None)
    while old is not None or new is not None:
        if old == new:
            old, new = next(before, None), next(after, None)
            continue
        number += 1
        old_key = None if old is None else old[:keys]
        new_key = None if new is None else new[:keys]
        # Each of the two goes on unless it is ahead of the other.
        if new_key is None or (old_key is not None and old_key <= new_key):
            old = next(before, None)
        if old_key is None or (new_key is not None and new_key <= old_key):
            new = next(after, None)
    return number
