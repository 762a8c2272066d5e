"""The folder of a file, as far as the file's row and values depend on it."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from mediaserver.library.albums import Joined
from mediaserver.library.facets import disc_of_folder
from mediaserver.library.indexing.known import joined

REMEMBERED = 1024
"""Folders kept in memory during a batch."""


@dataclass(frozen=True, slots=True)
class Home:
    """A folder that files are in."""

    folder: int
    root_id: int
    path: bytes
    """Absolute."""
    inside: bytes
    """The same below the media root; empty for its own folder."""
    available: bool
    """Whether the media root is there."""
    scanned: bool
    """Whether the media root was scanned as a whole once."""
    art_of: Mapping[bytes, int]
    """The picture files that stand for single files, by the names of those."""
    art_id: int | None
    """The picture file that stands for the folder's items: its own, else for ``CD2`` the one of
    the album, in the folder above."""
    disc: int | None
    """2 for a folder ``CD2``."""
    album_home: int
    """The folder that stands for an album without album artist: the one above ``CD2``."""
    albums: Mapping[str, Joined]
    """What holds for albums there of which only some tracks say it, by their folded titles."""

    def path_of(self, name: bytes) -> bytes:
        return joined(self.path, name)


class Homes:
    """Finds homes, and remembers them until something about folders or roots changes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[int, Home] = {}

    def of(self, folder: int) -> Home:
        home = self._known.get(folder)
        if home is None:
            home = self._found(folder)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[folder] = home
        return home

    def forget(self) -> None:
        self._known.clear()

    def _found(self, folder: int) -> Home:
        row = self._connection.execute(
            "SELECT folders.root_id, roots.path, folders.path, folders.parent_id, folders.title, "
            "available, scanned, folders.art_id, above.art_id "
            "FROM folders JOIN roots ON roots.id = folders.root_id "
            "LEFT JOIN folders AS above ON above.id = folders.parent_id WHERE folders.id = ?",
            (folder,),
        ).fetchone()
        root_id, root, path, parent, title, available, scanned, art_id, art_above = row
        disc = disc_of_folder(title) if parent is not None else None
        return Home(
            folder=folder,
            root_id=root_id,
            path=joined(root, path),
            inside=path,
            available=bool(available),
            scanned=bool(scanned),
            art_of=self._art_of(folder),
            art_id=art_above if art_id is None and disc is not None else art_id,
            disc=disc,
            album_home=folder if disc is None else parent,
            albums=joined_albums(self._connection, folder if disc is None else parent),
        )

    def _art_of(self, folder: int) -> dict[bytes, int]:
        rows = self._connection.execute(
            "SELECT stands_for, id FROM art WHERE folder_id = ? AND stands_for IS NOT NULL",
            (folder,),
        )
        return dict(rows.fetchall())


def joined_albums(connection: sqlite3.Connection, home: int) -> dict[str, Joined]:
    """Those of the folder that stands for them, by their titles."""
    rows = connection.execute(
        "SELECT title, release_id, album_artists, album_artist_sorts, compilation "
        "FROM joined_albums WHERE folder_id = ?",
        (home,),
    )
    return {
        title: Joined(release_id, _split(artists), _split(sorts), bool(compilation))
        for title, release_id, artists, sorts, compilation in rows
    }


def _split(lines: str | None) -> tuple[str, ...]:
    return tuple(lines.split("\n")) if lines else ()
