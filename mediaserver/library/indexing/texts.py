"""Texts for searching, written when the batch ends and in the order of their row ids.

FTS5 gathers rows in memory only as long as their ids rise; each id that is lower than the one
before makes it write what it has as a segment of its own, to be merged later. Ids are hashes:
written as they come, two rows make a segment, and a first scan spends three times as long here.
"""

import sqlite3

from mediaserver.library import schema


class Texts:
    """What one batch does to a table of :data:`.schema.TEXTS`; by row id, of items or others."""

    def __init__(self, connection: sqlite3.Connection, table: str) -> None:
        self._connection = connection
        columns = schema.TEXTS[table]
        self._insert = (
            f"INSERT INTO {table} (rowid, {', '.join(columns)}) "  # noqa: S608 - constants
            f"VALUES (?{', ?' * len(columns)})"
        )
        self._delete = f"DELETE FROM {table} WHERE rowid = ?"  # noqa: S608 - constants
        self._gone: set[int] = set()
        """Rows of the table that are to be removed."""
        self._come: dict[int, tuple[str, ...]] = {}
        """Rows that are to be there, beside those that stay."""

    def add(self, row: int, *texts: str) -> None:
        """Something that had no text in the table, or whose text was removed."""
        self._come[row] = texts

    def remove(self, row: int) -> None:
        """Something that has a text."""
        if self._come.pop(row, None) is None:
            self._gone.add(row)

    def write(self) -> None:
        """Write what was gathered."""
        for row in sorted(self._gone | self._come.keys()):
            if row in self._gone:
                self._connection.execute(self._delete, (row,))
            if row in self._come:
                self._connection.execute(self._insert, (row, *self._come[row]))
        self._gone.clear()
        self._come.clear()
