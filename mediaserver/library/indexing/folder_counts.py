"""How many items, playlists and folders are in each folder, and which folders are shown.

Gathered during a batch and written at its end: a change deep down goes up to the root, and a
batch has many in the same place. The counts say what is known, whether or not the root is
there, but for playlists, of which only shown ones count; ``shown`` needs both: a root that is
there and items or playlists below (a root's own folder is shown without any).
"""

import sqlite3
from collections.abc import Iterable

from mediaserver.library.folding import fold
from mediaserver.library.indexing.texts import Texts
from mediaserver.library.objects import Kind

KINDS = (Kind.AUDIO, Kind.VIDEO, Kind.IMAGE)
_PLAYLIST = len(KINDS)
_BELOW = "audio_below, video_below, image_below, playlists_below"
_ADD = (
    "UPDATE folders SET audio_items = audio_items + ?, video_items = video_items + ?, "
    "image_items = image_items + ?, playlists = playlists + ?, child_items = child_items + ?, "
    "audio_below = audio_below + ?, video_below = video_below + ?, "
    "image_below = image_below + ?, playlists_below = playlists_below + ?, "
    "audio_folders = audio_folders + ?, video_folders = video_folders + ?, "
    "image_folders = image_folders + ?, child_folders = child_folders + ? WHERE id = ?"
)

Counts = list[int]
"""One number for each of KINDS, and one for playlists."""


class FolderCounts:
    """The counts of one batch."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._items: dict[int, Counts] = {}
        self._texts = Texts(connection, "folder_text")
        self.touched: set[int] = set()
        """Folders whose direct children were added, changed or removed."""
        self.counted: set[int] = set()
        """Folders that were themselves changed in any way, those that are gone among them."""
        self.differ = False
        """Whether a folder appeared, disappeared or looks different now."""

    def count_item(self, folder: int, kind: str, amount: int) -> None:
        """An item came (1) or went (-1)."""
        self._items.setdefault(folder, _none())[KINDS.index(Kind(kind))] += amount

    def count_playlist(self, folder: int, amount: int) -> None:
        """A playlist is shown (1) or no longer shown (-1)."""
        self._items.setdefault(folder, _none())[_PLAYLIST] += amount

    def write(self) -> None:
        """Write what was gathered, up to the roots."""
        items, self._items = self._items, {}
        self._carry(items, {})

    def finish(self) -> None:
        """Write all of it: counts, and the titles that can be searched."""
        self.write()
        self._texts.write()

    def rename(self, folder: int, title: str) -> None:
        """A folder that is shown has another title."""
        self.counted.add(folder)
        self._texts.remove(folder)
        self._texts.add(folder, fold(title))
        self.touch_parent(folder)

    def detach(self, folder: int, parent: int) -> None:
        """Take a folder, with all below it, out of the counts of its parents."""
        self._attach(folder, parent, -1)

    def attach(self, folder: int, parent: int) -> None:
        self._attach(folder, parent, 1)

    def show(self, folders: Iterable[int]) -> None:
        """See whether folders are shown, after their root came or went."""
        for folder in folders:
            self._show(folder)

    def touch_parent(self, folder: int) -> None:
        """The folder itself was changed: its name, its art."""
        parent = self._parent(folder)
        if parent is not None:
            self.touched.add(parent)
        self.differ = True

    def forget(self, folder: int) -> None:
        """The folder, which has nothing below, is about to be removed."""
        self.counted.add(folder)
        shown = self._connection.execute(
            "SELECT shown FROM folders WHERE id = ?", (folder,)
        ).fetchone()
        if shown[0]:
            # A root's own: the only one that is shown although it is empty.
            self._texts.remove(folder)
            self.differ = True
        self.touched.discard(folder)

    def _attach(self, folder: int, parent: int, sign: int) -> None:
        self.write()
        *below, shown = self._connection.execute(
            f"SELECT {_BELOW}, shown FROM folders WHERE id = ?",  # noqa: S608 - a constant
            (folder,),
        ).fetchone()
        if shown:
            self.touched.add(parent)
        self._carry({}, {parent: _Passed.whole(below, sign)})

    def _carry(self, items: dict[int, Counts], passed: dict[int, "_Passed"]) -> None:
        """Add to folders what came directly and from below, deepest first, and go on upwards."""
        levels: dict[int, list[int]] = {}
        parents: dict[int, int | None] = {}
        for folder in {*items, *passed}:
            depth, parent = self._place(folder)
            parents[folder] = parent
            levels.setdefault(depth, []).append(folder)
        while levels:
            depth = max(levels)
            for folder in levels.pop(depth):
                parent = parents[folder]
                up = self._add(folder, items.get(folder, _none()), passed.get(folder))
                if parent is None or up is None:
                    continue
                if parent not in parents:
                    parents[parent] = self._parent(parent)
                    levels.setdefault(depth - 1, []).append(parent)
                passed[parent] = up.plus(passed.get(parent))

    def _place(self, folder: int) -> tuple[int, int | None]:
        """How deep a folder is, and its parent."""
        parent, path = self._connection.execute(
            "SELECT parent_id, path FROM folders WHERE id = ?", (folder,)
        ).fetchone()
        return (path.count(b"/") + 1 if path else 0), parent

    def _parent(self, folder: int) -> int | None:
        (parent,) = self._connection.execute(
            "SELECT parent_id FROM folders WHERE id = ?", (folder,)
        ).fetchone()
        return None if parent is None else int(parent)

    def _add(self, folder: int, items: Counts, passed: "_Passed | None") -> "_Passed | None":
        """Change one folder's counts; what that means for its parent."""
        self.counted.add(folder)
        passed = passed or _Passed.nothing()
        more = [own + below for own, below in zip(items, passed.items, strict=True)]
        before = self._connection.execute(
            f"SELECT {_BELOW} FROM folders WHERE id = ?",  # noqa: S608 - a constant
            (folder,),
        ).fetchone()
        self._connection.execute(
            _ADD,
            (
                *items,
                sum(items[:_PLAYLIST]),
                *more,
                *passed.folders[:_PLAYLIST],
                passed.any_folder,
                folder,
            ),
        )
        after = [old + new for old, new in zip(before, more, strict=True)]
        if any(before) != any(after):
            self._show(folder)
        up = _Passed(
            more,
            [(new > 0) - (old > 0) for old, new in zip(before, after, strict=True)],
            any(after) - any(before),
        )
        return up if any(more) else None

    def _show(self, folder: int) -> None:
        """Set whether a folder is shown, and whether its title can be searched."""
        self.counted.add(folder)
        row = self._connection.execute(
            "SELECT roots.available AND (parent_id IS NULL OR "
            "audio_below + video_below + image_below + playlists_below > 0), shown, parent_id, "
            "title "
            "FROM folders JOIN roots ON roots.id = root_id WHERE folders.id = ?",
            (folder,),
        ).fetchone()
        shown, before, parent, title = row
        if shown == before:
            return
        self._connection.execute("UPDATE folders SET shown = ? WHERE id = ?", (shown, folder))
        if shown:
            self._texts.add(folder, fold(title))
        else:
            self._texts.remove(folder)
        self.differ = True
        if parent is not None:
            self.touched.add(parent)


def _none() -> Counts:
    return [0] * (len(KINDS) + 1)


class _Passed:
    """What a folder hands up to its parent: what is below, and folders that hold any now."""

    __slots__ = ("any_folder", "folders", "items")

    def __init__(self, items: Counts, folders: Counts, any_folder: int) -> None:
        self.items = items
        self.folders = folders
        self.any_folder = any_folder

    @classmethod
    def nothing(cls) -> "_Passed":
        return cls(_none(), _none(), 0)

    @classmethod
    def whole(cls, below: Counts, sign: int) -> "_Passed":
        """A folder with so much below comes or goes as a whole."""
        return cls(
            [sign * number for number in below],
            [sign * (number > 0) for number in below],
            sign * any(below),
        )

    def plus(self, other: "_Passed | None") -> "_Passed":
        if other is None:
            return self
        return _Passed(
            [a + b for a, b in zip(self.items, other.items, strict=True)],
            [a + b for a, b in zip(self.folders, other.folders, strict=True)],
            self.any_folder + other.any_folder,
        )
