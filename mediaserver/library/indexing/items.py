"""Files that came, changed, moved or went: their rows, texts, art, and what is counted."""

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from mediaserver.library.facets import values_of
from mediaserver.library.indexing import records
from mediaserver.library.indexing.art import ArtIndex
from mediaserver.library.indexing.facet_links import FacetLinks
from mediaserver.library.indexing.folder_counts import FolderCounts
from mediaserver.library.indexing.homes import Home, Homes
from mediaserver.library.indexing.known import FileStatus, stored
from mediaserver.library.indexing.records import Record
from mediaserver.library.indexing.tombstones import Tombstones
from mediaserver.library.objects import MediaFacts


@dataclass(slots=True)
class Effects:
    """What a batch has done that control points can see."""

    kinds: dict[str, int] = field(default_factory=dict)
    """Kinds of items that were touched: how many more of them are shown than before."""
    folders: set[int] = field(default_factory=set)
    """Folders whose direct children came, changed or went."""

    folders_differ: bool = False
    """Whether a folder appeared, disappeared or looks different."""
    items: set[int] = field(default_factory=set)
    """Items that came, changed or went."""
    playlists: set[int] = field(default_factory=set)
    """Playlists whose entries came, changed or went."""
    playlists_differ: bool = False
    """Whether a playlist appeared, disappeared or looks different."""

    @property
    def any(self) -> bool:
        return bool(self.kinds or self.folders or self.folders_differ or self.playlists)

    def touch(self, item: Record, *, more: int = 0) -> None:
        self.items.add(item.id)
        self.kinds[item.kind] = self.kinds.get(item.kind, 0) + more
        self.folders.add(item.folder_id)


class ItemIndex:
    """The items of one batch."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        homes: Homes,
        facets: FacetLinks,
        folders: FolderCounts,
        art: ArtIndex,
        effects: Effects,
        now: int,
    ) -> None:
        self._connection = connection
        self._homes = homes
        self._facets = facets
        self._folders = folders
        self._art = art
        self._effects = effects
        self._now = now
        self._tombstones = Tombstones(connection, now)

    def put(self, folder: int, name: bytes, status: FileStatus, facts: MediaFacts) -> int:
        home = self._homes.of(folder)
        art_id = self._art.id_for(facts, home, name)
        old = self._one("WHERE folder_id = ? AND name = ?", (folder, name))
        if old is None:
            key, added = self._tombstones.key_for(home.path_of(name), facts.fingerprint)
            if added is None:
                added = self._first_seen(home, status)
        else:
            key, added = old.id, old.added
        item = records.record(key, home, name, status, facts, added=added, art_id=art_id)
        if old is None:
            self._insert(item, home)
        else:
            self._update(old, item, home)
            self._art.release(key, kept=art_id)
        if facts.art is not None:
            self._art.hold(key, facts.art, item.mtime_ns, new=old is None)
        return key

    def set_identity(self, key: int, status: FileStatus) -> None:
        """Nobody sees a difference: one column of one index, as all files may get it at once."""
        self._connection.execute(
            "UPDATE items SET device = ?, inode = ? WHERE id = ?",
            (stored(status.device), stored(status.inode), key),
        )

    def move(self, key: int, folder: int, name: bytes, status: FileStatus) -> None:
        old = self._of(key)
        there = self._one("WHERE folder_id = ? AND name = ? AND id <> ?", (folder, name, key))
        if there is not None:
            self.remove(there.id)
        before, home = self._homes.of(old.folder_id), self._homes.of(folder)
        art_id = old.art_id
        if art_id is None or not self._art.is_embedded(art_id):
            art_id = self._art.of_file(old.kind, home, name)
        self._update(old, records.moved(old, before, home, name, status, art_id), home)

    def remove(self, key: int) -> None:
        old = self._of(key)
        home = self._homes.of(old.folder_id)
        self._tombstones.bury(key, home.path_of(old.name), old.fingerprint, old.added)
        if old.shown:
            self._hide(old)
        self._art.release(key)
        self._connection.execute("DELETE FROM items WHERE id = ?", (key,))
        self._folders.count_item(old.folder_id, old.kind, -1)

    def in_folder(self, folder: int, *, shown: bool | None = None) -> list[Record]:
        """All of a folder, or those that are (not) shown."""
        if shown is None:
            return records.found(self._connection, "WHERE folder_id = ?", (folder,))
        return records.found(self._connection, "WHERE folder_id = ? AND shown = ?", (folder, shown))

    def in_root(self, root_id: int, *, shown: bool, limit: int) -> list[Record]:
        where = (
            "WHERE shown = ? AND folder_id IN (SELECT id FROM folders WHERE root_id = ?) LIMIT ?"
        )
        return records.found(self._connection, where, (shown, root_id, limit))

    def show(self, items: Iterable[Record], *, shown: bool) -> None:
        """The items' root came or went; they were as it was."""
        for item in items:
            self._connection.execute("UPDATE items SET shown = ? WHERE id = ?", (shown, item.id))
            if shown:
                self._show(item, self._homes.of(item.folder_id))
            else:
                self._hide(item)

    def place_again(self, folder: int) -> None:
        """What a folder's items inherit from it has changed: its art, or whose ``CD2`` it is."""
        home = self._homes.of(folder)
        for old in self.in_folder(folder):
            art_id = old.art_id
            if art_id is None or not self._art.is_embedded(art_id):
                art_id = self._art.of_file(old.kind, home, old.name)
            new = records.renamed(old._replace(art_id=art_id), home, home, old.name)
            self._update(old, new, home, moved=True)

    def touch(self, folder: int, names: Collection[bytes]) -> None:
        """What is told of items with their files has changed, beside these."""
        for item in self.in_folder(folder, shown=True) if names else ():
            if item.name in names:
                self._effects.touch(item)

    def name_again(self, before: Home) -> None:
        """A folder was moved, or one above it: its files are told by other names now."""
        home = self._homes.of(before.folder)
        told = "WHERE folder_id = ? AND (named OR kind = 'video')"
        for old in records.found(self._connection, told, (home.folder,)):
            self._update(old, records.renamed(old, before, home, old.name), home)

    # ---- rows and what follows from them

    def _insert(self, item: Record, home: Home) -> None:
        self._connection.execute(records.INSERT, item)
        self._folders.count_item(item.folder_id, item.kind, 1)
        if item.shown:
            self._show(item, home)

    def _update(self, old: Record, new: Record, home: Home, *, moved: bool = False) -> None:
        """Write a changed row; nothing else is written if nobody can see a difference.

        ``moved``: even if the row is the same, it may stand under other values.
        """
        if old == new and not moved:
            return
        self._connection.execute(records.UPDATE, (*new, old.id))
        if (old.folder_id, old.kind) != (new.folder_id, new.kind):
            self._folders.count_item(old.folder_id, old.kind, -1)
            self._folders.count_item(new.folder_id, new.kind, 1)
        if old.shown and new.shown:
            if moved or not old.is_seen_as(new):
                self._change(old, new, home)
        elif new.shown:
            self._show(new, home)
        elif old.shown:
            self._hide(old)

    def _show(self, item: Record, home: Home) -> None:
        self._facets.link(item.id, values_of(item.traits(home)))
        self._connection.execute(records.INSERT_TEXT, item.text())
        self._effects.touch(item, more=1)

    def _hide(self, item: Record) -> None:
        self._facets.unlink(item.id)
        self._connection.execute(records.DELETE_TEXT, (item.id,))
        self._effects.touch(item, more=-1)

    def _change(self, old: Record, new: Record, home: Home) -> None:
        self._facets.relink(new.id, values_of(new.traits(home)))
        if old.text() != new.text():
            self._connection.execute(records.DELETE_TEXT, (new.id,))
            self._connection.execute(records.INSERT_TEXT, new.text())
        self._effects.touch(old, more=-1)
        self._effects.touch(new, more=1)

    def _first_seen(self, home: Home, status: FileStatus) -> int:
        if home.scanned:
            return self._now
        # The first scan of a root sees every file for the first time: what is new among them
        # is told by when they were last modified.
        return max(0, min(self._now, stored(status.mtime_ns) // 1_000_000_000))

    def _of(self, key: int) -> Record:
        item = self._one("WHERE id = ?", (key,))
        if item is None:
            raise KeyError(key)
        return item

    def _one(self, where: str, values: tuple[object, ...]) -> Record | None:
        rows = records.found(self._connection, where, values)
        return rows[0] if rows else None
