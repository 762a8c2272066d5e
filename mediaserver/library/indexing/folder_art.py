"""Which picture stands for a folder: one in it, or else one in the folder above that is for it.

The latter are posters of seasons: ``season01-poster.jpg`` beside ``Season 1``.
"""

import sqlite3

from mediaserver.library.indexing.albums import discs_of
from mediaserver.library.indexing.art import ArtIndex
from mediaserver.library.indexing.folder_counts import FolderCounts
from mediaserver.library.indexing.homes import Homes
from mediaserver.library.indexing.items import ItemIndex
from mediaserver.library.indexing.known import ArtFile
from mediaserver.library.names.videos import season_of_folder


class FolderArt:
    """The pictures of folders, of one batch."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        homes: Homes,
        items: ItemIndex,
        folders: FolderCounts,
        art: ArtIndex,
    ) -> None:
        self._connection = connection
        self._homes = homes
        self._items = items
        self._folders = folders
        self._art = art

    def put(self, folder: int, art: ArtFile | None) -> None:
        """The picture in a folder that stands for it."""
        art_id = None if art is None else self._art.put_file(self._homes.of(folder), art)
        self._art.keep_file(folder, art_id)
        self.choose(folder)

    def choose(self, folder: int) -> None:
        """Find the picture that stands for a folder, and show it wherever it is shown."""
        path, above, before = self._connection.execute(
            "SELECT path, parent_id, art_id FROM folders WHERE id = ?", (folder,)
        ).fetchone()
        art_id = self._art.of_folder(folder)
        if art_id is None and above is not None:
            art_id = self._art.of_folder(above, stands_for=path.rpartition(b"/")[2])
        if art_id == before:
            return
        self._connection.execute("UPDATE folders SET art_id = ? WHERE id = ?", (art_id, folder))
        self._homes.forget()
        for one in (folder, *discs_of(self._connection, folder), *self._seasons(folder)):
            self._items.place_again(one)
        self._folders.touch_parent(folder)

    def choose_below(self, folder: int) -> None:
        """The pictures in a folder that are for folders in it are others than before."""
        below = self._connection.execute("SELECT id FROM folders WHERE parent_id = ?", (folder,))
        for (key,) in below.fetchall():
            self.choose(key)

    def _seasons(self, folder: int) -> list[int]:
        """The folders of seasons in that of a series: its picture is that of the series."""
        below = self._connection.execute(
            "SELECT id, title FROM folders WHERE parent_id = ?", (folder,)
        )
        return [key for key, title in below if season_of_folder(title) is not None]
