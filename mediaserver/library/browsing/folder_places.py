"""Where folders stand: from ids to folders, and which folders are below another."""

from mediaserver.library import object_ids
from mediaserver.library.browsing.choosing import Ranges
from mediaserver.library.browsing.snapshot import Snapshot
from mediaserver.library.browsing.sources import Condition
from mediaserver.library.catalogue.layout import path_key
from mediaserver.library.objects import ObjectID
from mediaserver.library.views import View

IN_FOLDER = "i.folder_id = ?"
"""That an item is in a folder itself."""


def place_id(snapshot: Snapshot, view: View, folder: int | None) -> ObjectID:
    """The id of a folder in a view. The folder of the only media root is the view itself."""
    if folder is None or folder == snapshot.only_root:
        return object_ids.view_id(view.code)
    return object_ids.folder_id(folder, view=view.code if view.kind else None)


def is_place(view: View, parsed: object_ids.Parsed) -> bool:
    """Whether an id is of the view itself or of a folder in it."""
    if parsed.is_item or parsed.facets or parsed.playlist is not None:
        return False
    if parsed.view == view.code:
        return parsed.folder is None or view.kind is not None
    return parsed.view is None and parsed.folder is not None and view.kind is None


def folder_at(snapshot: Snapshot, view: View, parsed: object_ids.Parsed) -> int | None:
    """The folder whose children stand in a place of a view; None: it is no such place."""
    if not is_place(view, parsed):
        return None
    folder = snapshot.only_root if parsed.folder is None else parsed.folder
    if folder is None or (parsed.folder is not None and folder == snapshot.only_root):
        return None
    return folder


def range_of(snapshot: Snapshot, folder: int) -> Ranges:
    """A folder alone."""
    row = snapshot.row("SELECT root_id, path FROM folders WHERE id = ?", (folder,))
    if row is None:
        return ()
    own = path_key(*row)
    # No name has NUL in it.
    return ((own, own + b"\0"),)


def ranges_below(snapshot: Snapshot, folder: int, *, itself: bool) -> Ranges:
    """All folders below one, and itself or not; the same as :func:`paths_below`."""
    row = snapshot.row("SELECT root_id, path FROM folders WHERE id = ?", (folder,))
    if row is None:
        return ()
    root, path = row
    own = path_key(root, path)
    alone = range_of(snapshot, folder) if itself else ()
    if not path:
        return (*alone, (own + b"\0", path_key(root + 1, b"")))
    return (*alone, (own + b"/", own + b"0"))


def paths_below(snapshot: Snapshot, folder: int) -> Condition:
    """A folder and all below it: ``f``, by the range of their paths."""
    row = snapshot.row("SELECT root_id, path FROM folders WHERE id = ?", (folder,))
    if row is None:
        return Condition("0")
    root, path = row
    if not path:
        return Condition("f.root_id = ?", (root,))
    # From "path/" to the path with the character after the slash: all names in between.
    return Condition(
        "(f.root_id = ? AND f.path > ? AND f.path < ? OR f.id = ?)",
        (root, path + b"/", path + b"0", folder),
    )
