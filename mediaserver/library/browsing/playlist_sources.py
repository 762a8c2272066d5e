"""Playlists and their entries: in the folders where the files are, and in views of playlists.

An entry that is a file of the library is a reference to its item, wherever the playlist stands.
An address in the internet is at home in the playlist in its folder. Browse shows each entry as
often as the file has it; Search finds an item once, at its first place.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

from mediaserver.library import object_ids
from mediaserver.library.browsing import folder_places
from mediaserver.library.browsing.rows import art, in_order, items
from mediaserver.library.browsing.snapshot import Row, Snapshot
from mediaserver.library.browsing.sources import Condition, Form, IsChild, Source
from mediaserver.library.indexing.records import UPNP_CLASSES
from mediaserver.library.locations import STATION, Address, meaning
from mediaserver.library.objects import Container, Item, Kind, ObjectID, Station
from mediaserver.library.views import View

PLAYLIST = "object.container.playlistContainer"

_FIRST = (
    "(SELECT l.id FROM playlist_entries AS n CROSS JOIN playlists AS l ON l.id = n.playlist_id"
    " WHERE n.item_id = {item} AND l.shown = 1 AND l.kind = ? ORDER BY l.sort_key, l.id LIMIT 1)"
)
"""Of the playlists of a kind, the first that has an item."""


def place_id(view: View, playlist: int) -> ObjectID:
    """The id of a playlist in a view; at home in the view of all folders."""
    return object_ids.playlist_id(playlist, view=view.code if view.kind else None)


# ---- playlists


def in_folder(view: View, folder: int, known_total: int | None = None) -> Source:
    """The playlists in a folder, by title; uses ``playlists_of_folder``."""
    return _playlists(view, Condition("l.folder_id = ? AND l.shown = 1", (folder,)), known_total)


def below_folder(snapshot: Snapshot, view: View, folder: int | None) -> Source:
    """The playlists at any depth below a folder; without one, all."""
    if folder is None or folder == snapshot.only_root:
        return replace(_playlists(view, Condition("l.shown = 1")), indexed=False)
    text, parameters = folder_places.paths_below(snapshot, folder)
    return replace(
        _playlists(view, Condition(f"{_in_folders(text)} AND l.shown = 1", parameters)),
        indexed=False,
    )


def in_view(view: View) -> Source:
    """The playlists of a view of playlists, by title; uses ``playlists_by_title``."""
    return _playlists(view, Condition("l.shown = 1 AND l.kind = ?", (_kind(view),)))


def exists(snapshot: Snapshot, view: View, playlist: int) -> bool:
    """Whether a playlist is to be seen in a view; in that of all folders, at home."""
    source = in_view(view) if view.kind else _playlists(view, Condition("l.shown = 1"))
    return source.contains(snapshot, playlist)


def _playlists(view: View, condition: Condition, known_total: int | None = None) -> Source:
    def render(snapshot: Snapshot, keys: Sequence[int]) -> list[Container]:
        return containers(snapshot, view, keys)

    def is_child(snapshot: Snapshot, parent: object_ids.Parsed) -> Condition | bool:
        if view.kind:
            return parent == object_ids.Parsed(view=view.code)
        folder = folder_places.folder_at(snapshot, view, parent)
        return folder is not None and Condition("l.folder_id = ?", (folder,))

    return Source(
        form=Form.PLAYLIST,
        upnp_class=PLAYLIST,
        render=render,
        is_child=is_child,
        tables="playlists AS l",
        where=condition.text,
        parameters=condition.parameters,
        key="l.id",
        order="l.sort_key",
        known_total=known_total,
    )


def containers(snapshot: Snapshot, view: View, keys: Sequence[int]) -> list[Container]:
    """The playlists of these keys as they stand in a view."""
    rows = snapshot.rows(
        "SELECT l.id, l.folder_id, l.title, l.entry_count, l.update_id, l.art_id"
        " FROM playlists AS l WHERE l.id IN (SELECT value FROM json_each(?))",
        (json.dumps(keys),),
    )
    found = in_order(rows, keys)
    arts = art(snapshot, (row[5] for row in found))
    listed = object_ids.view_id(view.code)
    return [
        Container(
            object_id=place_id(view, row[0]),
            parent_id=listed if view.kind else folder_places.place_id(snapshot, view, row[1]),
            title=row[2],
            upnp_class=PLAYLIST,
            child_count=row[3],
            update_id=row[4],
            art=arts.get(row[5]),
        )
        for row in found
    ]


def update_id(snapshot: Snapshot, playlist: int) -> int:
    return snapshot.number("SELECT update_id FROM playlists WHERE id = ?", (playlist,))


# ---- entries


def entries(snapshot: Snapshot, view: View, playlist: int) -> Source:
    """What is in a playlist, in its order; uses ``entries_of_playlist``."""
    container = place_id(view, playlist)

    def render(snapshot: Snapshot, keys: Sequence[int]) -> list[Item | Station]:
        return _rendered(snapshot, view, keys)

    def is_child(_snapshot: Snapshot, parent: object_ids.Parsed) -> Condition | bool:
        return parent == object_ids.parse(container)

    total = "SELECT entry_count FROM playlists WHERE id = ?"
    return Source(
        form=Form.ENTRY,
        upnp_class=None,
        render=render,
        is_child=is_child,
        tables="playlist_entries AS e",
        where="e.playlist_id = ? AND e.shown = 1",
        parameters=(playlist,),
        join=" LEFT JOIN items AS i ON i.id = e.item_id",
        key="e.id",
        order="e.position",
        by_title=False,
        known_total=snapshot.number(total, (playlist,)),
    )


def entry(snapshot: Snapshot, view: View, parsed: object_ids.Parsed) -> Item | Station | None:
    """The entry of an id, whose playlist is there."""
    key = entry_key(snapshot, parsed)
    return next(iter(_rendered(snapshot, view, [key])), None) if key is not None else None


def entry_key(snapshot: Snapshot, parsed: object_ids.Parsed) -> int | None:
    """The row of the entry that an id names, whatever view it is in."""
    row = snapshot.row(
        "SELECT e.id FROM playlist_entries AS e WHERE e.playlist_id = ? AND e.shown = 1"
        " AND e.item_id IS ? AND e.station_id IS ? AND e.time = ?",
        (parsed.playlist, parsed.item, parsed.station, parsed.time),
    )
    return None if row is None else row[0]


def _rendered(snapshot: Snapshot, view: View, keys: Sequence[int]) -> list[Item | Station]:
    """The entries of these keys as they stand in a view. Items are of one playlist."""
    rows = in_order(
        snapshot.rows(
            "SELECT e.id, e.playlist_id, e.item_id, e.time, e.title, e.location, e.station_id"
            " FROM playlist_entries AS e WHERE e.id IN (SELECT value FROM json_each(?))",
            (json.dumps(keys),),
        ),
        keys,
    )
    named = [row for row in rows if row[2] is not None]
    found = {}
    if named:
        container = place_id(view, named[0][1])
        wanted = list(dict.fromkeys(row[2] for row in named))
        found = {item.key: item for item in items(snapshot, wanted, container, home=False)}
    return [
        made
        for row in rows
        if (made := _item(found.get(row[2]), row[3]) if row[2] else _station(view, row)) is not None
    ]


def _item(item: Item | None, time: int) -> Item | None:
    if item is None or not time:
        return item
    return replace(item, object_id=object_ids.repeated(item.object_id, time))


def _station(view: View, row: Row) -> Station | None:
    _, playlist, _, time, title, location, key = row
    address = meaning(location, b"/")
    if not isinstance(address, Address):
        return None
    place = place_id(view, playlist)
    home = object_ids.station_id(object_ids.playlist_id(playlist), key)
    return Station(
        object_id=object_ids.repeated(object_ids.station_id(place, key), time),
        parent_id=place,
        ref_id=object_ids.repeated(home, time) if view.kind else None,
        upnp_class=STATION,
        mime_type=address.mime_type,
        title=title,
        url=address.url,
    )


# ---- what Search finds


def items_in(view: View, playlist: int, kind: Kind) -> Source:
    """The items of a kind in a playlist, each once, in its order; uses ``entries_of_playlist``."""
    container = place_id(view, playlist)

    def render(snapshot: Snapshot, keys: Sequence[int]) -> list[Item]:
        return items(snapshot, keys, container, home=False)

    def is_child(_snapshot: Snapshot, parent: object_ids.Parsed) -> Condition | bool:
        return parent == object_ids.parse(container)

    return Source(
        form=Form.ITEM,
        upnp_class=UPNP_CLASSES[kind],
        references=True,
        render=render,
        is_child=is_child,
        tables="playlist_entries AS e CROSS JOIN items AS i ON i.id = e.item_id",
        where="e.playlist_id = ? AND e.shown = 1 AND e.time = 0 AND i.kind = ?",
        parameters=(playlist, kind.value),
        key="e.item_id",
        order="e.position",
        by_title=False,
        members=Condition(
            "i.kind = ? AND EXISTS (SELECT 1 FROM playlist_entries AS n"
            " WHERE n.item_id = i.id AND n.playlist_id = ?)",
            (kind.value, playlist),
        ),
    )


def items_in_all(view: View, kind: Kind) -> Source:
    """The items of a kind in any playlist of a view, by title, each at its first place."""
    first = _FIRST.format(item="i.id")
    own = _kind(view)

    def render(snapshot: Snapshot, keys: Sequence[int]) -> list[Item]:
        def parent_of(key: int, _folder: int) -> ObjectID:
            playlist = snapshot.number(f"SELECT {_FIRST.format(item='?')}", (key, own))
            return place_id(view, playlist)

        return items(snapshot, keys, parent_of, home=False)

    def is_child(_snapshot: Snapshot, parent: object_ids.Parsed) -> Condition | bool:
        if parent.view != view.code or parent.playlist is None or parent.is_item:
            return False
        return Condition(f"{first} = ?", (own, parent.playlist))

    return Source(
        form=Form.ITEM,
        upnp_class=UPNP_CLASSES[kind],
        references=True,
        render=render,
        is_child=is_child,
        tables="items AS i",
        where=(
            "i.kind = ? AND i.id IN (SELECT n.item_id FROM playlists AS l"
            " CROSS JOIN playlist_entries AS n ON n.playlist_id = l.id AND n.shown = 1"
            " WHERE l.shown = 1 AND l.kind = ?)"
        ),
        parameters=(kind.value, own),
        key="i.id",
        order="i.sort_key",
        indexed=False,
    )


def stations(view: View, condition: Condition, is_child: IsChild) -> Source:
    """Addresses in the internet in the playlists ``l`` of which something is true, by title."""

    def render(snapshot: Snapshot, keys: Sequence[int]) -> list[Item | Station]:
        return _rendered(snapshot, view, keys)

    return Source(
        form=Form.ENTRY,
        upnp_class=STATION,
        references=view.kind is not None,
        render=render,
        is_child=is_child,
        tables="playlist_entries AS e CROSS JOIN playlists AS l ON l.id = e.playlist_id",
        join=" LEFT JOIN items AS i ON i.id = e.item_id",
        where=f"e.station_id IS NOT NULL AND e.shown = 1 AND l.shown = 1 AND {condition.text}",
        parameters=condition.parameters,
        key="e.id",
        order="fold(e.title)",
        indexed=False,
    )


def stations_in(view: View, playlist: int) -> Source:
    """The addresses in one playlist."""
    own = object_ids.parse(place_id(view, playlist))
    return stations(view, Condition("l.id = ?", (playlist,)), lambda _, parent: parent == own)


def stations_in_all(view: View) -> Source:
    """The addresses in all playlists of a view."""
    condition = Condition("l.kind = ?", (_kind(view),)) if view.kind else Condition("1")
    return stations(view, condition, _in_playlist_of(view))


def stations_below(snapshot: Snapshot, view: View, folder: int | None) -> Source:
    """The addresses in playlists at any depth below a folder; without one, all."""
    if folder is None or folder == snapshot.only_root:
        return stations_in_all(view)
    text, parameters = folder_places.paths_below(snapshot, folder)
    return stations(view, Condition(_in_folders(text), parameters), _in_playlist_of(view))


def _in_folders(condition: str) -> str:
    """That a playlist is in a folder ``f`` of which something is true: there are fewer playlists
    than folders, so each is asked where it is."""
    return f"EXISTS (SELECT 1 FROM folders AS f WHERE f.id = l.folder_id AND {condition})"  # noqa: S608


def _in_playlist_of(view: View) -> IsChild:
    code = view.code if view.kind else None

    def is_child(_snapshot: Snapshot, parent: object_ids.Parsed) -> Condition | bool:
        if parent.view != code or parent.playlist is None or parent.is_item:
            return False
        return Condition("e.playlist_id = ?", (parent.playlist,))

    return is_child


def _kind(view: View) -> str:
    """The kind of a view of playlists. Raises ValueError where it has none."""
    if view.kind is None:
        raise ValueError(f"view {view.code} needs a kind of playlists")
    return view.kind.value
