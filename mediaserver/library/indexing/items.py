"""Files that came, changed, moved or went: their rows, texts, art, and what is counted."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from mediaserver.library.facets import values_of
from mediaserver.library.indexing import records
from mediaserver.library.indexing.art import ArtIndex
from mediaserver.library.indexing.details import DetailIndex
from mediaserver.library.indexing.facet_links import FacetLinks
from mediaserver.library.indexing.folder_counts import FolderCounts
from mediaserver.library.indexing.homes import Home, Homes
from mediaserver.library.indexing.known import FileStatus, stored
from mediaserver.library.indexing.records import Record
from mediaserver.library.indexing.texts import Texts
from mediaserver.library.indexing.tombstones import Tombstones
from mediaserver.library.objects import Details, Kind, MediaFacts


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
        to_split: set[int],
        now: int,
    ) -> None:
        """``to_split``: files that are, or may be, split otherwise now, for :mod:`.parts`."""
        self._connection = connection
        self._homes = homes
        self._facets = facets
        self._folders = folders
        self._art = art
        self._effects = effects
        self._now = now
        self._texts = Texts(connection, "item_text")
        self._tombstones = Tombstones(connection, now)
        self._to_split = to_split
        self._details = DetailIndex(connection)
        self.albums_touched: set[int] = set()
        """Folders where tracks came, changed or went, for :mod:`.albums`."""

    def finish(self) -> None:
        """Write what was gathered."""
        self._texts.write()

    def put(self, folder: int, name: bytes, status: FileStatus, facts: MediaFacts) -> int:
        home = self._homes.of(folder)
        art_id = self._art.id_for(facts, home, name)
        old = self._one("WHERE folder_id = ? AND name = ? AND part = 0", (folder, name))
        split = old is not None and bool(old.split)
        if old is None:
            key, added = self._tombstones.key_for(home.path_of(name), facts.fingerprint)
            if added is None:
                added = self._first_seen(home, status)
        else:
            key, added = old.id, old.added
        item = records.record(
            key, home, name, status, facts, added=added, art_id=art_id, split=split
        )
        if old is None:
            self._insert(item, home)
        else:
            self._update(old, item, home)
            self._art.release(key, kept=art_id)
        if facts.art is not None:
            self._art.hold(key, facts.art, item.mtime_ns, new=old is None)
        self._details.put(key, facts, new=old is None)
        return key

    def set_identity(self, key: int, status: FileStatus) -> None:
        """Nobody sees a difference: one column of one index, as all files may get it at once."""
        self._connection.execute(
            "UPDATE items SET device = ?, inode = ? WHERE id = ?",
            (stored(status.device), stored(status.inode), key),
        )

    def move(self, key: int, folder: int, name: bytes, status: FileStatus) -> None:
        old = self._of(key)
        there = self._one(
            "WHERE folder_id = ? AND name = ? AND part = 0 AND id <> ?", (folder, name, key)
        )
        if there is not None:
            self.remove(there.id)
        before, home = self._homes.of(old.folder_id), self._homes.of(folder)
        art_id = old.art_id
        if art_id is None or not self._art.is_embedded(art_id):
            art_id = self._art.of_file(old.kind, home, name)
        for part in self._parts_of(old):
            self._update(part, part._replace(folder_id=folder, name=name), home)
        self._update(old, records.moved(old, before, home, name, status, art_id), home)

    def remove(self, key: int) -> None:
        """With its parts."""
        old = self._of(key)
        for part in self._parts_of(old):
            self._remove(part, old)
        self._remove(old, old)

    def find(self, key: int) -> Record | None:
        return self._one("WHERE id = ?", (key,))

    def set_parts(self, whole: Record, parts: Sequence[tuple[Record, Details | None]]) -> None:
        """Show a file as its parts, in their order; without any, as the whole it is.

        Parts that were there before keep their key and date, others are given those here: that
        of the file's key and their number, and the file's.
        """
        home = self._homes.of(whole.folder_id)
        before = {part.part: part for part in self._parts_of(whole)}
        for number in before.keys() - {part.part for part, _ in parts}:
            self._remove(before[number], whole)
        for part, details in parts:
            old = before.get(part.part)
            if old is not None:
                own, added = old.id, old.added
                self._update(old, part._replace(id=own, added=added), home)
            else:
                own, known = self._tombstones.key_for(*_identity(part, whole, home))
                added = whole.added if known is None else known
                self._insert(part._replace(id=own, added=added), home)
            self._details.put_of_part(own, details)
        split = bool(parts)
        self._update(whole, whole._replace(split=split, shown=home.available and not split), home)

    def in_folder(self, folder: int) -> list[Record]:
        """All of a folder, files and parts."""
        return records.found(self._connection, "WHERE folder_id = ?", (folder,))

    def to_show(self, folder: int, *, shown: bool) -> list[Record]:
        """Those of a folder that are to be shown (or hidden), and are not yet."""
        return records.found(
            self._connection, f"WHERE folder_id = ? AND {_TO_SHOW}", (folder, not shown)
        )

    def to_show_in_root(self, root_id: int, *, shown: bool, limit: int) -> list[Record]:
        """Some of a root."""
        where = "AND folder_id IN (SELECT id FROM folders WHERE root_id = ?) LIMIT ?"
        return records.found(
            self._connection, f"WHERE {_TO_SHOW} {where}", (not shown, root_id, limit)
        )

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
        for item in self.in_folder(folder) if names else ():
            if item.shown and item.name in names:
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
        self._count(item, 1)
        if item.kind == Kind.AUDIO:
            self.albums_touched.add(item.folder_id)
        if item.sheet is not None:
            self._to_split.add(item.id)
        if item.shown:
            self._show(item, home)

    def _update(self, old: Record, new: Record, home: Home, *, moved: bool = False) -> None:
        """Write a changed row; nothing else is written if nobody can see a difference.

        ``moved``: even if the row is the same, it may stand under other values.
        """
        if old == new and not moved:
            return
        self._connection.execute(records.UPDATE, (*new, old.id))
        self.albums_touched |= {old.folder_id, new.folder_id}
        if (old.folder_id, old.kind, old.split) != (new.folder_id, new.kind, new.split):
            self._count(old, -1)
            self._count(new, 1)
        if new.split or new.sheet is not None or old.sheet is not None:
            self._to_split.add(new.id)
        if old.shown and new.shown:
            if moved or not old.is_seen_as(new):
                self._change(old, new, home)
        elif new.shown:
            self._show(new, home)
        elif old.shown:
            self._hide(old)

    def _remove(self, old: Record, whole: Record) -> None:
        home = self._homes.of(old.folder_id)
        self._tombstones.bury(old.id, *_identity(old, whole, home), old.added)
        if old.shown:
            self._hide(old)
        self._art.release(old.id)
        self._details.forget(old.id)
        self.albums_touched.add(old.folder_id)
        self._connection.execute("DELETE FROM items WHERE id = ?", (old.id,))
        self._count(old, -1)
        self._to_split.discard(old.id)

    def _count(self, item: Record, amount: int) -> None:
        if not item.split:
            self._folders.count_item(item.folder_id, item.kind, amount)

    def _show(self, item: Record, home: Home) -> None:
        self._facets.link(item.id, values_of(item.traits(home)))
        self._texts.add(item.id, *item.text())
        self._effects.touch(item, more=1)

    def _hide(self, item: Record) -> None:
        self._facets.unlink(item.id)
        self._texts.remove(item.id)
        self._effects.touch(item, more=-1)

    def _change(self, old: Record, new: Record, home: Home) -> None:
        self._facets.relink(new.id, values_of(new.traits(home)))
        if old.text() != new.text():
            self._texts.remove(new.id)
            self._texts.add(new.id, *new.text())
        self._effects.touch(old, more=-1)
        self._effects.touch(new, more=1)

    def _first_seen(self, home: Home, status: FileStatus) -> int:
        if home.scanned:
            return self._now
        # The first scan of a root sees every file for the first time: what is new among them
        # is told by when they were last modified.
        return max(0, min(self._now, stored(status.mtime_ns) // 1_000_000_000))

    def _parts_of(self, whole: Record) -> list[Record]:
        if not whole.split:
            return []
        where = "WHERE folder_id = ? AND name = ? AND part > 0"
        return records.found(self._connection, where, (whole.folder_id, whole.name))

    def _of(self, key: int) -> Record:
        item = self.find(key)
        if item is None:
            raise KeyError(key)
        return item

    def _one(self, where: str, values: tuple[object, ...]) -> Record | None:
        rows = records.found(self._connection, where, values)
        return rows[0] if rows else None


_TO_SHOW = "shown = ? AND NOT split"
"""Files that are split are not shown themselves, wherever their root is."""


def _identity(item: Record, whole: Record, home: Home) -> tuple[bytes, bytes]:
    """What an item is known by when it comes back: a path and a fingerprint. Those of a part are
    its file's path, and id, and its number; nothing else has them."""
    path = home.path_of(item.name)
    if not item.part:
        return path, item.fingerprint
    return b"%s/%d" % (path, item.part), b"%d/%d" % (whole.id, item.part)
