"""Folders and what is in them: as they are on disk, or only those with items of one kind.

In the view of all folders everything is at home, playlists too. In one of a kind, items are
references, and folders without items of that kind below are left out.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

from mediaserver.library import object_ids
from mediaserver.library.browsing import playlist_sources
from mediaserver.library.browsing.choosing import Extent, Ranges
from mediaserver.library.browsing.folder_places import (
    IN_FOLDER,
    folder_at,
    is_place,
    paths_below,
    place_id,
    ranges_below,
)
from mediaserver.library.browsing.rows import art, in_order, items
from mediaserver.library.browsing.snapshot import Snapshot
from mediaserver.library.browsing.sources import Condition, Form, Source
from mediaserver.library.catalogue import layout
from mediaserver.library.indexing.records import UPNP_CLASSES
from mediaserver.library.objects import Container, Item, Kind, ObjectID
from mediaserver.library.views import View

STORAGE_FOLDER = "object.container.storageFolder"


def children(snapshot: Snapshot, view: View, folder: int | None) -> tuple[Source, ...]:
    """What is in a folder; without one, the folders of the media roots."""
    if folder is None:
        return (_folders(view, Condition("f.parent_id IS NULL")),)
    row = snapshot.row(
        "SELECT shown, child_folders, child_items, audio_folders, audio_items, video_folders,"
        " video_items, image_folders, image_items, playlists FROM folders WHERE id = ?",
        (folder,),
    )
    if row is None or not row[0]:
        return ()
    items_of = dict(zip(Kind, row[4:9:2], strict=True))
    playlists = 0
    if view.kind is None:
        folders, found, playlists = row[1], row[2], row[9]
    else:
        folders, found = row[3 + 2 * list(Kind).index(view.kind)], items_of[view.kind]
    kinds = [kind for kind, number in items_of.items() if number]
    sources = []
    if folders:
        sources.append(_folders(view, Condition("f.parent_id = ?", (folder,)), folders))
    if playlists:
        sources.append(playlist_sources.in_folder(view, folder, playlists))
    if found:
        sources.append(_items_in(view, folder, found, kinds))
    return tuple(sources)


# ---- folders


def folders_below(snapshot: Snapshot, view: View, folder: int | None) -> Source:
    """The folders at any depth below a folder; without one, all.

    Uses ``folders_by_path``, or ``folders_by_title``.
    """
    if folder is None or folder == snapshot.only_root:
        # No folder is numbered -1. That of the only root is the view itself.
        only = -1 if snapshot.only_root is None else snapshot.only_root
        ranges = None if only == -1 else ranges_below(snapshot, only, itself=False)
        return _folders(view, Condition("f.id <> ?", (only,)), extent=_extent(view, ranges))
    text, parameters = paths_below(snapshot, folder)
    return _folders(
        view,
        Condition(f"f.id <> ? AND {text}", (folder, *parameters)),
        extent=_extent(view, ranges_below(snapshot, folder, itself=False)),
    )


def _extent(view: View, ranges: Ranges | None) -> Extent:
    return Extent(layout.FOLDERS, folders=ranges, having=view.kind and view.kind.value)


def _folders(
    view: View,
    condition: Condition,
    known_total: int | None = None,
    extent: Extent | None = None,
) -> Source:
    of_kind = f" AND f.{view.kind.value}_below > 0" if view.kind else ""

    def render(snapshot: Snapshot, keys: Sequence[int]) -> list[Container]:
        return containers(snapshot, view, keys)

    def is_child(snapshot: Snapshot, parent: object_ids.Parsed) -> Condition | bool:
        if not is_place(view, parent):
            return False
        folder = snapshot.only_root if parent.folder is None else parent.folder
        if parent.folder is not None and folder == snapshot.only_root:
            return False
        return Condition("f.parent_id IS ?", (folder,))

    return Source(
        form=Form.FOLDER,
        upnp_class=STORAGE_FOLDER,
        render=render,
        is_child=is_child,
        tables="folders AS f",
        where=f"{condition.text} AND f.shown = 1{of_kind}",
        parameters=condition.parameters,
        key="f.id",
        order="f.sort_key",
        known_total=known_total,
        extent=extent,
    )


def containers(snapshot: Snapshot, view: View, keys: Sequence[int]) -> list[Container]:
    """The folders of these keys as they stand in a view."""
    count = (
        f"f.{view.kind.value}_folders + f.{view.kind.value}_items"
        if view.kind
        else "f.child_folders + f.playlists + f.child_items"
    )
    rows = snapshot.rows(
        f"SELECT f.id, f.parent_id, f.title, {count}, f.update_id, f.art_id FROM folders AS f"  # noqa: S608
        " WHERE f.id IN (SELECT value FROM json_each(?))",
        (json.dumps(keys),),
    )
    found = in_order(rows, keys)
    arts = art(snapshot, (row[5] for row in found))
    return [
        Container(
            object_id=object_ids.folder_id(row[0], view=view.code if view.kind else None),
            parent_id=place_id(snapshot, view, row[1]),
            title=row[2],
            upnp_class=STORAGE_FOLDER,
            child_count=row[3],
            update_id=row[4],
            art=arts.get(row[5]),
        )
        for row in found
    ]


def update_id(snapshot: Snapshot, folder: int) -> int:
    return snapshot.number("SELECT update_id FROM folders WHERE id = ?", (folder,))


# ---- items


def _items_in(view: View, folder: int, known_total: int, kinds: Sequence[Kind]) -> Source:
    """The items in a folder, where there are items of these kinds: by title; sound by the names of
    its files, which have numbers in front, and the tracks of a record in one file as on the record.

    Uses ``items_of_folder``.
    """
    only = kinds[0] if len(kinds) == 1 else view.kind
    condition = Condition("i.folder_id = ? AND i.split = 0", (folder,))
    if len(kinds) > 1 and only is not None:
        condition = Condition(f"{condition.text} AND i.kind = ?", (folder, only.value))
    source = _items(view, condition, only, known_total)
    by_title = Kind.AUDIO not in (kinds if only is None else (only,))
    return replace(source, order="i.folder_key", by_title=by_title)


def items_at_home(view: View) -> Source:
    """All items."""
    return _items(view, Condition("i.shown = 1"), None, None)


def items_below(snapshot: Snapshot, view: View, folder: int | None, kind: Kind) -> Source:
    """The items of a kind at any depth below a folder; without one, all."""
    everywhere = Condition("i.shown = 1 AND i.kind = ?", (kind.value,))
    if folder is None or folder == snapshot.only_root:
        total = snapshot.settings.get(f"counts.{kind.value}", 0)
        return _items(view, everywhere, kind, total, extent=Extent(layout.items_of(kind)))
    text, parameters = paths_below(snapshot, folder)
    below = f" AND i.folder_id IN (SELECT f.id FROM folders AS f WHERE {text})"  # noqa: S608
    condition = Condition(everywhere.text + below, everywhere.parameters + parameters)
    ranges = ranges_below(snapshot, folder, itself=True)
    extent = Extent(layout.items_of(kind), folders=ranges)
    # From a single item to its folder, rather than to all folders below.
    above = f" AND EXISTS (SELECT 1 FROM folders AS f WHERE f.id = i.folder_id AND {text})"  # noqa: S608
    members = Condition(everywhere.text + above, everywhere.parameters + parameters)
    return replace(_items(view, condition, kind, None, extent=extent), members=members)


def _items(
    view: View,
    condition: Condition,
    kind: Kind | None,
    known_total: int | None,
    *,
    extent: Extent | None = None,
) -> Source:
    def render(snapshot: Snapshot, keys: Sequence[int]) -> list[Item]:
        places: dict[int, ObjectID] = {}

        def parent_of(_key: int, folder: int) -> ObjectID:
            place = places.get(folder)
            if place is None:
                place = places[folder] = place_id(snapshot, view, folder)
            return place

        return items(snapshot, keys, parent_of, home=view.kind is None)

    def is_child(snapshot: Snapshot, parent: object_ids.Parsed) -> Condition | bool:
        folder = folder_at(snapshot, view, parent)
        return folder is not None and Condition(IN_FOLDER, (folder,))

    return Source(
        form=Form.ITEM,
        upnp_class=None if kind is None else UPNP_CLASSES[kind],
        references=view.kind is not None,
        render=render,
        is_child=is_child,
        tables="items AS i",
        where=condition.text,
        parameters=condition.parameters,
        key="i.id",
        order="i.sort_key",
        known_total=known_total,
        extent=extent,
    )
