"""Keys of files that are gone, so that they get them again should they come back.

Bookmarks, play counts and playlists of control points hang on an id (a file that is away for a
day because a disk was not mounted, or was moved by way of another file system, is the same one).
"""

import sqlite3

from mediaserver.library.indexing.known import MANY
from mediaserver.library.object_ids import KEY_BITS, hashed
from mediaserver.library.roots import shared_end

KEPT_SECONDS = 180 * 86_400


class Tombstones:
    def __init__(self, connection: sqlite3.Connection, now: int) -> None:
        self._connection = connection
        self._now = now
        connection.execute("DELETE FROM tombstones WHERE gone < ?", (now - KEPT_SECONDS,))
        # None at all during a first scan, which need not ask for each file.
        self._any = connection.execute("SELECT 1 FROM tombstones LIMIT 1").fetchone() is not None

    def bury(self, key: int, path: bytes, fingerprint: bytes, added: int) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO tombstones VALUES (?, ?, ?, ?, ?)",
            (key, path, fingerprint, added, self._now),
        )
        self._any = True

    def key_for(self, path: bytes, fingerprint: bytes) -> tuple[int, int | None]:
        """The key for a file that turned up, and when it was added if it has come back.

        A file that was at the same path is it, then one of the same contents (of several the one
        whose path ended most alike, of these the last one that went). Otherwise the key is a hash
        of the contents, so that an index made anew gives the same ones; which of several files
        of the same contents has that one is told in :mod:`mediaserver.library.object_ids`.
        """
        if self._any:
            known = self._known(path, fingerprint)
            if known is not None:
                self._connection.execute("DELETE FROM tombstones WHERE id = ?", (known[0],))
                return known
        key = hashed(KEY_BITS, b"item", fingerprint) if fingerprint else _of_path(b"", path, 0)
        again = 0
        while self._is_taken(key):
            again += 1
            key = _of_path(fingerprint, path, again)
        return key, None

    def _known(self, path: bytes, fingerprint: bytes) -> tuple[int, int] | None:
        row = self._connection.execute(
            "SELECT id, added FROM tombstones WHERE path = ? ORDER BY gone DESC LIMIT 1", (path,)
        ).fetchone()
        if row is None and fingerprint:
            rows = self._connection.execute(
                "SELECT id, added, path FROM tombstones WHERE fingerprint = ? "
                "ORDER BY gone DESC LIMIT ?",
                (fingerprint, MANY),
            )
            row = max(rows, key=lambda row: shared_end(row[2], path), default=None)
        return row if row is None else (int(row[0]), int(row[1]))

    def _is_taken(self, key: int) -> bool:
        tables = ("items", "tombstones") if self._any else ("items",)
        return any(
            self._connection.execute(
                f"SELECT 1 FROM {table} WHERE id = ?",  # noqa: S608 - a constant
                (key,),
            ).fetchone()
            for table in tables
        )


def _of_path(fingerprint: bytes, path: bytes, again: int) -> int:
    return hashed(KEY_BITS, b"item", fingerprint, path, b"%d" % again)
