"""Items by the paths that playlists name."""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from mediaserver.library.locations import folded_name
from mediaserver.library.roots import MAX_DEPTH, relative

OUTSIDE = "outside of the media roots"
NOT_FOUND = "no such file in the library"
AWAY = "its media root is not available"


class FoundItem(NamedTuple):
    """An item that is shown."""

    kind: str
    art_id: int | None


class ItemLookup:
    """Finds shown items by absolute path; belongs to a moment at which nothing changes.

    A path is taken letter by letter first (indices ``folders_by_path``, ``items_by_name``). Where
    that leads to nothing, letter case and the form of accents do not count: a playlist may come
    from a system that does not tell them apart.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._roots: list[tuple[int, bytes, bool]] = connection.execute(
            "SELECT id, path, available FROM roots ORDER BY id"
        ).fetchall()
        self._folders: dict[tuple[int, bytes], int | None] = {}
        self._folded: dict[tuple[int, bytes], int | None] = {}
        self._folders_in: dict[int, dict[str, int]] = {}
        self._items_in: dict[int, dict[str, int]] = {}
        self._sounds_in: dict[int, tuple[dict[bytes, int], dict[str, int]]] = {}
        self.found: dict[int, FoundItem] = {}
        """The items that were found, by their keys."""

    def first(self, paths: Iterable[bytes]) -> list[int]:
        """The key of the item at the first of several paths that has one, or those of its tracks
        where it is split; none if there is nothing."""
        located = [place for path in paths if (place := self._located(path)) is not None]
        for find in (self._exact, self._similar):
            for root, folder, name in located:
                key = find(root, folder, name)
                found = [] if key is None else self._shown(key)
                if found:
                    return found
        return []

    def file_in(self, folder: int, names: Iterable[bytes]) -> int | None:
        """The key of a file of sound in a folder that has one of these names, in their order.

        Whether it is shown does not matter, nor whether its root is there.
        """
        if folder not in self._sounds_in:
            rows = self._connection.execute(
                "SELECT name, id FROM items WHERE folder_id = ? AND part = 0 AND kind = 'audio' "
                "ORDER BY name DESC",
                (folder,),
            ).fetchall()
            similar = {folded_name(each): item for each, item in rows}
            self._sounds_in[folder] = dict(rows), similar
        exact, similar = self._sounds_in[folder]
        wanted = list(names)
        found = [exact.get(name) for name in wanted]
        found += [similar.get(folded_name(name)) for name in wanted]
        return next((key for key in found if key is not None), None)

    def why(self, path: bytes) -> str:
        """Why there is nothing at a path."""
        roots = [root for root in self._roots if relative(root[1], path) is not None]
        if not roots:
            return OUTSIDE
        return NOT_FOUND if roots[0][2] else AWAY

    def _located(self, path: bytes) -> tuple[int, bytes, bytes] | None:
        """The root of a path, the folder relative to it, and the name."""
        for root, root_path, available in self._roots:
            inside = relative(root_path, path)
            if inside:
                folder, _, name = inside.rpartition(b"/")
                return (root, folder, name) if available else None
        return None

    def _shown(self, key: int) -> list[int]:
        """What is shown of a file."""
        if key in self.found:
            return [key]
        rows = self._connection.execute(
            "SELECT id, kind, art_id FROM items WHERE id = ? AND shown UNION ALL "
            "SELECT * FROM (SELECT p.id, p.kind, p.art_id FROM items AS w JOIN items AS p "
            "ON p.folder_id = w.folder_id AND p.name = w.name AND p.part > 0 "
            "WHERE w.id = ? AND w.split AND p.shown ORDER BY p.part)",
            (key, key),
        ).fetchall()
        self.found.update({item: FoundItem(*seen) for item, *seen in rows})
        return [row[0] for row in rows]

    # ---- letter by letter

    def _exact(self, root: int, folder: bytes, name: bytes) -> int | None:
        key = self._folder(root, folder)
        if key is None:
            return None
        row = self._connection.execute(
            "SELECT id FROM items WHERE folder_id = ? AND name = ? AND part = 0", (key, name)
        ).fetchone()
        return None if row is None else int(row[0])

    def _folder(self, root: int, path: bytes) -> int | None:
        place = root, path
        if place not in self._folders:
            row = self._connection.execute(
                "SELECT id FROM folders WHERE root_id = ? AND path = ?", place
            ).fetchone()
            self._folders[place] = None if row is None else int(row[0])
        return self._folders[place]

    # ---- without regard to letter case

    def _similar(self, root: int, folder: bytes, name: bytes) -> int | None:
        key = self._similar_folder(root, folder)
        if key is None:
            return None
        if key not in self._items_in:
            rows = self._connection.execute(
                "SELECT name, id FROM items WHERE folder_id = ? AND part = 0 ORDER BY name DESC",
                (key,),
            )
            # Of several that differ in nothing else the first counts.
            self._items_in[key] = {folded_name(each): item for each, item in rows}
        return self._items_in[key].get(folded_name(name))

    def _similar_folder(self, root: int, path: bytes) -> int | None:
        exact = self._folder(root, path)
        if exact is not None or not path or path.count(b"/") >= MAX_DEPTH:
            return exact
        place = root, path
        if place not in self._folded:
            above, _, name = path.rpartition(b"/")
            parent = self._similar_folder(root, above)
            found = None if parent is None else self._below(parent).get(folded_name(name))
            self._folded[place] = found
        return self._folded[place]

    def _below(self, parent: int) -> dict[str, int]:
        if parent not in self._folders_in:
            rows = self._connection.execute(
                "SELECT path, id FROM folders WHERE parent_id = ? ORDER BY path DESC", (parent,)
            )
            self._folders_in[parent] = {
                folded_name(path.rpartition(b"/")[2]): folder for path, folder in rows
            }
        return self._folders_in[parent]
