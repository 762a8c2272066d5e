"""Pictures that stand for items and folders: embedded in a media file, or a file of a folder.

The same cover in twelve files is one art, held by any one of them; when that file goes, another
of the twelve holds it. An art's id changes with the picture, so that nobody shows an old one.
"""

import sqlite3

from mediaserver.library.indexing.homes import Home
from mediaserver.library.indexing.known import ArtFile, stored
from mediaserver.library.object_ids import KEY_BITS, hashed
from mediaserver.library.objects import EmbeddedArt, Kind, MediaFacts
from mediaserver.library.readers.naming import clean

REMEMBERED = 4096
"""Embedded art known to have a row, during a batch."""


class ArtIndex:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._stored: set[int] = set()

    def id_for(self, facts: MediaFacts, home: Home, name: bytes) -> int | None:
        """The art of an item: embedded, or else of its file. A picture stands for itself."""
        if facts.art is not None:
            return embedded_id(facts.art)
        return self.of_file(facts.kind, home, name)

    def of_file(self, kind: str, home: Home, name: bytes) -> int | None:
        """The art of an item without embedded art: a file for it alone, or else its folder's."""
        if kind == Kind.IMAGE:
            return None
        return home.art_of.get(name, home.art_id)

    def hold(self, item: int, art: EmbeddedArt, mtime_ns: int, *, new: bool) -> None:
        """An item (that is in the index, ``new`` or changed) has this art embedded."""
        art_id = embedded_id(art)
        if new and art_id in self._stored:
            return
        if len(self._stored) >= REMEMBERED:
            self._stored.clear()
        self._stored.add(art_id)
        self._connection.execute(
            "INSERT INTO art (id, item_id, mime_type, width, height, mtime_ns) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "mtime_ns = excluded.mtime_ns WHERE item_id = excluded.item_id",
            (art_id, item, clean(art.mime_type), art.width, art.height, mtime_ns),
        )

    def release(self, item: int, kept: int | None = None) -> None:
        """The item goes, or has other art now (``kept``): what it held, another one holds."""
        held = self._connection.execute(
            "SELECT id FROM art WHERE item_id = ? AND id IS NOT ?", (item, kept)
        ).fetchall()
        for (art_id,) in held:
            other = self._connection.execute(
                "SELECT id, mtime_ns FROM items WHERE art_id = ? AND id <> ? LIMIT 1",
                (art_id, item),
            ).fetchone()
            if other is not None:
                self._connection.execute(
                    "UPDATE art SET item_id = ?, mtime_ns = ? WHERE id = ?", (*other, art_id)
                )
            else:
                self._connection.execute("DELETE FROM art WHERE id = ?", (art_id,))
                self._stored.discard(art_id)

    def is_embedded(self, art_id: int | None) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM art WHERE id = ? AND item_id IS NOT NULL", (art_id,)
        ).fetchone()
        return row is not None

    def put_file(
        self,
        home: Home,
        art: ArtFile,
        *,
        stands_for: bytes | None = None,
        artist: str | None = None,
    ) -> int:
        """A picture file of a folder; its id. It is for the folder if nothing else is told."""
        whose = (stands_for or b"", b"artist" if artist is not None else b"")
        changed = str(art.mtime_ns).encode("ascii")
        art_id = hashed(
            KEY_BITS, b"art file", home.path_of(art.name), changed, *filter(None, whose)
        )
        self._connection.execute(
            "INSERT OR REPLACE INTO art (id, folder_id, name, stands_for, artist, mime_type, width,"
            " height, mtime_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                art_id,
                home.folder,
                art.name,
                stands_for,
                artist,
                clean(art.mime_type),
                art.width,
                art.height,
                stored(art.mtime_ns),
            ),
        )
        return art_id

    def of_folder(self, folder: int, *, stands_for: bytes | None = None) -> int | None:
        """The picture file in a folder that is for itself, or for a folder in it of that name."""
        row = self._connection.execute(
            "SELECT id FROM art WHERE folder_id = ? AND stands_for IS ? AND artist IS NULL",
            (folder, stands_for),
        ).fetchone()
        return None if row is None else int(row[0])

    def keep_file(self, folder: int, kept: int | None) -> None:
        """Of the picture files that are for a folder itself this one, or none, is left."""
        self._connection.execute(
            "DELETE FROM art WHERE folder_id = ? AND stands_for IS NULL AND artist IS NULL"
            " AND id IS NOT ?",
            (folder, kept),
        )

    def remove_files(self, folder: int) -> None:
        """The folder is gone, and its picture files."""
        self._connection.execute("DELETE FROM art WHERE folder_id = ?", (folder,))


def embedded_id(art: EmbeddedArt) -> int:
    return hashed(KEY_BITS, b"art", art.digest)
