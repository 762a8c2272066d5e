"""One transaction on the index: what is told of roots, folders and files."""

import sqlite3
from collections.abc import Iterable
from itertools import count

from mediaserver.library.folding import sort_key
from mediaserver.library.indexing import checking, touched
from mediaserver.library.indexing.albums import AlbumIndex
from mediaserver.library.indexing.art import ArtIndex
from mediaserver.library.indexing.checking import Mended
from mediaserver.library.indexing.facet_links import FacetIDs, FacetLinks
from mediaserver.library.indexing.folder_art import FolderArt
from mediaserver.library.indexing.folder_counts import FolderCounts
from mediaserver.library.indexing.homes import Homes
from mediaserver.library.indexing.items import Effects, ItemIndex
from mediaserver.library.indexing.known import ArtFile, FileStatus, stored
from mediaserver.library.indexing.parts import PartIndex
from mediaserver.library.indexing.playlists import PlaylistIndex
from mediaserver.library.indexing.sidecars import SidecarIndex, Sidecars
from mediaserver.library.object_ids import KEY_BITS, hashed
from mediaserver.library.objects import Kind, MediaFacts, PlaylistFacts
from mediaserver.library.readers.naming import clean


class Batch:
    """Changes that become visible together. Made by :meth:`.indexer.Indexer.batch`.

    Keys that are handed in must be known; a ``KeyError`` names one that is not.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        pairs: Iterable[tuple[str, str]],
        facet_ids: FacetIDs,
        now: float,
    ) -> None:
        self._connection = connection
        self._homes = Homes(connection)
        self._art = ArtIndex(connection)
        self._sidecars = SidecarIndex(connection, self._art)
        self._folders = FolderCounts(connection)
        self._effects = Effects()
        self._too_much = False
        """Whether rows are others that :meth:`note_touched` cannot tell."""
        self._to_split: set[int] = set()
        self.facets = FacetLinks(connection, pairs, facet_ids)
        self._items = ItemIndex(
            connection,
            homes=self._homes,
            facets=self.facets,
            folders=self._folders,
            art=self._art,
            effects=self._effects,
            to_split=self._to_split,
            now=int(now),
        )
        self._folder_art = FolderArt(
            connection,
            homes=self._homes,
            items=self._items,
            folders=self._folders,
            art=self._art,
        )
        self._albums = AlbumIndex(connection, homes=self._homes, items=self._items)
        self._playlists = PlaylistIndex(
            connection,
            homes=self._homes,
            folders=self._folders,
            effects=self._effects,
            to_split=self._to_split,
        )
        self._parts = PartIndex(
            connection, homes=self._homes, items=self._items, to_split=self._to_split
        )

    def effects(self) -> Effects:
        """What the batch has done so far, its playlists and counts of folders written."""
        self._albums.finish()
        self._playlists.finish()
        while self._parts.finish():
            # Other lists name what has come or gone by this; another sheet may fit the file now.
            self._albums.finish()
            self._playlists.finish()
        self._folders.finish()
        self._items.finish()
        self._effects.folders |= self._folders.touched
        self._effects.folders_differ |= self._folders.differ
        return self._effects

    def note_touched(self, update_id: int) -> None:
        """Note what the batch has touched; after all of it is written."""
        keys = {
            touched.ITEM: self._effects.items | self.facets.items,
            touched.VALUE: self.facets.values,
            touched.FOLDER: self._folders.counted,
        }
        touched.note(self._connection, update_id, keys, too_much=self._too_much)

    # ---- media roots

    def put_root(self, path: bytes, name: str) -> int:
        """A media root by its absolute path; keeps what is known of it. New ones are available.

        Returns its ``root_id``.
        """
        name = clean(name) or _title(path)
        row = self._connection.execute(
            "SELECT id, name FROM roots WHERE path = ?", (path,)
        ).fetchone()
        if row is None:
            (made,) = self._connection.execute(
                "INSERT INTO roots (path, name, available, scanned) VALUES (?, ?, 1, 0) "
                "RETURNING id",
                (path, name),
            ).fetchone()
            self._note_number_of_roots(2)
            self._playlists.roots_change()
            return int(made)
        if row[1] != name:
            self._connection.execute("UPDATE roots SET name = ? WHERE id = ?", (name, row[0]))
            own = self._folder_at(row[0], b"")
            if own is not None:
                self._rename(own, name)
        return int(row[0])

    def set_root(
        self,
        root_id: int,
        *,
        available: bool,
        reason: str | None,
        device: int | None,
        with_items: bool = True,
    ) -> None:
        """Whether the root is there. What is in a root that is not there is hidden, and kept.

        ``with_items`` False: of a root that goes its folders alone; see :meth:`show_items`.
        """
        row = self._connection.execute(
            "SELECT available FROM roots WHERE id = ?", (root_id,)
        ).fetchone()
        if row is None:
            raise KeyError(root_id)
        self._connection.execute(
            "UPDATE roots SET available = ?, reason = ?, device = ? WHERE id = ?",
            (available, reason, None if device is None else stored(device), root_id),
        )
        if bool(row[0]) != available:
            self._homes.forget()
            self._playlists.roots_change()
            self._note_artists(self._sidecars.artists_in(root_id))
            own = self._folder_at(root_id, b"")
            if own is not None:
                folders = [folder for folder, _ in self._below(own)]
                self._show_again(folders, with_items=with_items)

    def show_items(self, root_id: int, *, shown: bool, limit: int) -> bool:
        """Show or hide some items of a root that are not yet; whether there are more."""
        items = self._items.to_show_in_root(root_id, shown=shown, limit=limit)
        self._items.show(items, shown=shown)
        return len(items) == limit

    def root_scanned(self, root_id: int) -> None:
        """The root has been scanned as a whole: from now on, a file that turns up is new.

        Files put before count as added when they were last modified (or now, if that is later),
        so that "recently added" means something after the first scan.
        """
        self._connection.execute("UPDATE roots SET scanned = 1 WHERE id = ?", (root_id,))
        self._homes.forget()

    def empty_root(self, root_id: int, *, limit: int) -> bool:
        """Remove some of the files and folders in a root; whether there are more."""
        # A folder comes after those in it.
        folders = self._connection.execute(
            "SELECT id, parent_id FROM folders WHERE root_id = ? ORDER BY path DESC LIMIT ?",
            (root_id, limit),
        ).fetchall()
        left = limit
        for folder, parent in folders:
            files = [item.id for item in self._items.in_folder(folder) if not item.part]
            for key in files[:left]:
                self._items.remove(key)
            left -= len(files) + 1
            if left < 0:
                return True
            if parent is not None:
                self._albums.leaves(parent)
            self._forget_folder(folder)
        return len(folders) == limit

    def remove_root(self, root_id: int) -> None:
        """Forget a root that is no longer configured, with everything that is left in it."""
        own = self._folder_at(root_id, b"")
        if own is not None:
            self.remove_folder(own)
        self._connection.execute("DELETE FROM roots WHERE id = ?", (root_id,))
        self._note_number_of_roots(1)
        self._playlists.roots_change()
        self._homes.forget()

    def _note_number_of_roots(self, turn: int) -> None:
        """The folder of a single root does not stand in views of folders, those of several do:
        whether or not anything is in it, others look different where the one becomes the other."""
        (number,) = self._connection.execute("SELECT count(*) FROM roots").fetchone()
        if number == turn:
            for kind in Kind:
                self._effects.kinds.setdefault(kind, 0)

    # ---- folders

    def put_folder(
        self,
        root_id: int,
        path: bytes,
        *,
        parent: int | None,
        device: int,
        inode: int,
        mtime_ns: int,
    ) -> int:
        """A folder by its path relative to the root (``b""``, without ``parent``: the root's own).

        Returns its key, the same as before if the folder is known.
        """
        status = stored(device), stored(inode), stored(mtime_ns)
        known = self._folder_at(root_id, path)
        if known is not None:
            self._connection.execute(
                "UPDATE folders SET device = ?, inode = ?, mtime_ns = ? WHERE id = ?",
                (*status, known),
            )
            return known
        root_path, root_name = self._connection.execute(
            "SELECT path, name FROM roots WHERE id = ?", (root_id,)
        ).fetchone()
        key = self._new_key(root_path, path)
        title = _title(path) if path else root_name
        self._connection.execute(
            "INSERT INTO folders VALUES "
            "(?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL)",
            (key, root_id, parent, path, title, sort_key(title), *status),
        )
        self._folders.show([key])
        if parent is not None:
            self._folder_art.choose(key)
        return key

    def move_folder(self, key: int, root_id: int, path: bytes, parent: int) -> None:
        """The folder is at another place now, with everything below it.

        What was known at that place is removed first.
        """
        old_root, old_path, old_parent = self._folder(key)
        if (old_root, old_path) == (root_id, path):
            return
        there = self._folder_at(root_id, path)
        if there is not None:
            self.remove_folder(there)
        below = self._below(key)
        # What is below has another path: that may be anything.
        self._too_much = True
        self._playlists.folders_move(folder for folder, _ in below)
        # Names tell of series and albums two folders up.
        homes = [
            self._homes.of(folder)
            for folder, was in below
            if was.removeprefix(old_path).count(b"/") <= 2
        ]
        if old_parent is not None:
            self._albums.leaves(old_parent)
            self._folders.detach(key, old_parent)
        self._connection.execute("UPDATE folders SET parent_id = ? WHERE id = ?", (parent, key))
        self._connection.executemany(
            "UPDATE folders SET root_id = ?, path = ? WHERE id = ?",
            [(root_id, path + was[len(old_path) :], folder) for folder, was in below],
        )
        self._folders.attach(key, parent)
        self._rename(key, _title(path))
        # Nobody may ask for homes while path and title are not yet both the new ones.
        self._homes.forget()
        self._playlists.folders_move(folder for folder, _ in below)
        self._folder_art.choose(key)
        for home in homes:
            self._items.name_again(home)
        self._items.place_again(key)
        if old_root != root_id:
            self._show_again([folder for folder, _ in below])

    def remove_folder(self, key: int) -> None:
        """The folder is gone, with everything below it."""
        _, _, parent = self._folder(key)
        if parent is not None:
            self._albums.leaves(parent)
        for folder, _ in reversed(self._below(key)):
            for item in self._items.in_folder(folder):
                if not item.part:
                    self._items.remove(item.id)
            self._forget_folder(folder)

    def _forget_folder(self, folder: int) -> None:
        """A folder with nothing in it, except for files that stand for others or list them."""
        for playlist in self._playlists.in_folder(folder):
            self._playlists.remove(playlist)
        # Folders with nothing below are not shown.
        self._folders.write()
        self._folders.forget(folder)
        self._note_artists(self._sidecars.artists_of(folder))
        self._art.remove_files(folder)
        self._sidecars.forget(folder)
        self._albums.forget(folder)
        self._connection.execute("DELETE FROM folders WHERE id = ?", (folder,))
        self._effects.folders.discard(folder)
        self._homes.forget()

    def set_folder_art(self, folder: int, art: ArtFile | None) -> None:
        """The picture file that stands for a folder and its items without embedded art.

        It stands for those of the album's discs (``CD1``, ``CD2``) below it, too. Without one, the
        folder above may have one for it.
        """
        self._folder_art.put(folder, art)

    def set_sidecars(self, folder: int, sidecars: Sidecars) -> None:
        """The files of a folder that belong to single files or folders in it, or to an artist."""
        home = self._homes.of(folder)
        (title,) = self._connection.execute(
            "SELECT title FROM folders WHERE id = ?", (folder,)
        ).fetchone()
        artists = self._sidecars.artists_of(folder)
        if self._sidecars.put_art(home, title, sidecars):
            self._homes.forget()
            self._items.place_again(folder)
            self._folder_art.choose_below(folder)
            self._playlists.look_different(folder)
            self._note_artists(artists ^ self._sidecars.artists_of(folder))
            self._effects.folders.add(folder)
        self._items.touch(folder, self._sidecars.put_subtitles(folder, sidecars.subtitles))

    def _note_artists(self, pictures: Iterable[tuple[int, str]]) -> None:
        """Artists whose pictures came or went look different wherever they are listed."""
        if any([self.facets.touch_artist(artist) for _, artist in pictures]):
            self._effects.kinds.setdefault(Kind.AUDIO, 0)

    # ---- items

    def put_item(self, folder: int, name: bytes, status: FileStatus, facts: MediaFacts) -> int:
        """A new or changed file of a folder; returns its key, which a known file keeps.

        A new file gets the key and date of a vanished one of the same path or fingerprint.
        """
        return self._items.put(folder, name, status, facts)

    def set_identity(self, key: int, status: FileStatus) -> None:
        """The file's device and inode are other ones, its contents are not: mounted anew."""
        self._items.set_identity(key, status)

    def move_item(self, key: int, folder: int, name: bytes, status: FileStatus) -> None:
        """The file is at another place now. What was known there before is removed first."""
        self._items.move(key, folder, name, status)

    def remove_item(self, key: int) -> None:
        """The file is gone; its key is kept in mind for 180 days."""
        self._items.remove(key)

    # ---- playlists

    def put_playlist(
        self,
        folder: int,
        name: bytes,
        status: FileStatus,
        facts: PlaylistFacts,
        *,
        key: int | None = None,
    ) -> int:
        """A new or changed playlist file of a folder; returns its key, a known file's own.

        ``key`` is that of a known playlist that was at another place before.
        """
        return self._playlists.put(folder, name, status, facts, key)

    def set_playlist_identity(self, key: int, status: FileStatus) -> None:
        """As :meth:`set_identity` for a playlist file."""
        self._playlists.set_identity(key, status)

    def remove_playlist(self, key: int) -> None:
        """The playlist file is gone."""
        self._playlists.remove(key)

    def allow_internet_radio(self, *, allowed: bool) -> None:
        """Whether addresses in the internet that playlists name are to be seen."""
        self._playlists.allow_internet_radio(allowed=allowed)

    # ---- after accidents

    def mend(self) -> Mended:
        """Rows that contradict each other removed or mended; all that follows from rows anew.

        Returns what was wrong with the rows. Raises :class:`.checking.DamagedError`.
        """
        connection = self._connection
        self._too_much = True
        # What refers to a removed row is removed before the end.
        connection.execute("PRAGMA defer_foreign_keys = ON")
        mended = checking.mend_structure(connection)
        strays = checking.remove_strays(connection), checking.mend_parts(connection)
        number = sum(found.get(checking.STRAYS, 0) for found in strays)
        mended |= {checking.STRAYS: number} if number else {}
        mended |= checking.mend_art(connection)
        mended |= checking.broken_texts(connection)
        checking.renew_texts(connection)
        connection.execute("UPDATE settings SET value = 0 WHERE name LIKE 'counts.%'")
        connection.execute("UPDATE items SET shown = 0")
        connection.execute("UPDATE playlists SET shown = 0, entry_count = 0")
        zeros = ", ".join(f"{name} = 0" for name in ("shown", *checking.COUNTS))
        connection.execute(f"UPDATE folders SET {zeros}")  # noqa: S608 - constants
        self.facets.start_again()
        self._albums.start_again()
        self._items.albums_touched.update(
            key for (key,) in connection.execute("SELECT DISTINCT folder_id FROM items")
        )
        for folder, kind, number in connection.execute(
            "SELECT folder_id, kind, count(*) FROM items WHERE NOT split GROUP BY folder_id, kind"
        ):
            self._folders.count_item(folder, kind, number)
        self._show_again([key for (key,) in connection.execute("SELECT id FROM folders")])
        self._to_split.update(checking.with_sheets(connection))
        return mended

    # ---- what folders have in common

    def _folder(self, key: int) -> tuple[int, bytes, int | None]:
        row = self._connection.execute(
            "SELECT root_id, path, parent_id FROM folders WHERE id = ?", (key,)
        ).fetchone()
        if row is None:
            raise KeyError(key)
        return int(row[0]), bytes(row[1]), row[2]

    def _folder_at(self, root_id: int, path: bytes) -> int | None:
        row = self._connection.execute(
            "SELECT id FROM folders WHERE root_id = ? AND path = ?", (root_id, path)
        ).fetchone()
        return None if row is None else int(row[0])

    def _new_key(self, root_path: bytes, path: bytes) -> int:
        """A hash of the path; of another number where a folder took that key along elsewhere."""
        for again in count():
            key = hashed(KEY_BITS, root_path, path, *((b"%d" % again,) if again else ()))
            taken = self._connection.execute("SELECT 1 FROM folders WHERE id = ?", (key,))
            if taken.fetchone() is None:
                return key
        raise AssertionError("unreachable")

    def _below(self, key: int) -> list[tuple[int, bytes]]:
        """A folder and all below it with their paths, parents before their children."""
        return self._connection.execute(
            "WITH RECURSIVE below (id, path, depth) AS ("
            "SELECT id, path, 0 FROM folders WHERE id = ? UNION ALL "
            "SELECT folders.id, folders.path, depth + 1 FROM below "
            "JOIN folders ON parent_id = below.id) "
            "SELECT id, path FROM below ORDER BY depth",
            (key,),
        ).fetchall()

    def _rename(self, key: int, title: str) -> None:
        row = self._connection.execute(
            "UPDATE folders SET title = ?, sort_key = ? WHERE id = ? AND title <> ? "
            "RETURNING shown",
            (title, sort_key(title), key, title),
        ).fetchone()
        if row is not None:
            artists = self._sidecars.artists_of(key)
            self._sidecars.rename_artist(key, title)
            self._note_artists(artists | self._sidecars.artists_of(key))
        if row is not None and row[0]:
            self._folders.rename(key, title)

    def _show_again(self, folders: list[int], *, with_items: bool = True) -> None:
        """See what is to be seen of folders and their items, in the root they are in now."""
        self._folders.write()
        self._folders.show(folders)
        self._playlists.root_changes(folders)
        for folder in folders if with_items else ():
            shown = self._homes.of(folder).available
            self._items.show(self._items.to_show(folder, shown=shown), shown=shown)


def _title(path: bytes) -> str:
    """A folder's name as text; of a file system's root, which has none, a slash."""
    name = path.rstrip(b"/").rpartition(b"/")[2]
    return clean(name.decode(errors="replace")) or ("\ufffd" if name else "/")
