"""The values of views (an artist, an album, a month) and the items that have them.

A place among the values of a view is the values chosen so far, outermost first. What stands
below a single value is in ``facet_pairs``; below several, in the pairs of the innermost, as far
as they have an item in common with the others.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

from mediaserver.library import object_ids
from mediaserver.library.browsing.choosing import Extent
from mediaserver.library.browsing.item_sources import kind_of, of_kind, with_value
from mediaserver.library.browsing.rows import art, items, lines
from mediaserver.library.browsing.snapshot import Snapshot
from mediaserver.library.browsing.sources import FEW, Condition, Form, Source
from mediaserver.library.catalogue import layout
from mediaserver.library.facets import PARTIAL
from mediaserver.library.indexing.records import UPNP_CLASSES
from mediaserver.library.objects import Container, Item, ObjectID
from mediaserver.library.views import View

CONTAINER = "object.container"
CLASSES: dict[str, str] = {
    "artist": "object.container.person.musicArtist",
    "albumartist": "object.container.person.musicArtist",
    "composer": "object.container.person",
    "album": "object.container.album.musicAlbum",
    "genre": "object.container.genre.musicGenre",
}

Facets = tuple[int, ...]

_HAS = (
    "EXISTS (SELECT 1 FROM item_facets AS h"
    " WHERE h.item_id = {item} AND h.facet_kind = {kind} AND h.facet_id = {facet})"
)
_OCCURS = (
    "EXISTS (SELECT 1 FROM facet_pairs AS o WHERE o.facet_id = ?"
    " AND o.child_kind = {pair}.child_kind AND o.child_sort_key = {pair}.child_sort_key"
    " AND o.child_id = {pair}.child_id)"
)
"""That a value occurs with another at all: a look at one row, before all items of the value are
asked whether it is with all others at once."""
_FIRST = (
    "(SELECT min(h.facet_id) FROM item_facets AS h WHERE h.item_id = {item} AND h.facet_kind = ?)"
)


def value_class(facet_kind: str) -> str:
    """The class of the container that stands for a value."""
    return CLASSES.get(facet_kind, CONTAINER)


def has(item: str, view: View, facets: Facets) -> Condition:
    """That an item, whose id is in a column, has all the values; uses ``facets_of_item``."""
    text = " AND ".join(_HAS.format(item=item, kind="?", facet="?") for _ in facets)
    chosen = zip(view.levels, facets, strict=False)
    return Condition(text or "1", tuple(part for pair in chosen for part in pair))


# ---- values


def values(view: View, facets: Facets, level: int | None = None) -> Source:
    """The values of a level below the chosen ones, by title: of the next level if not told.

    Uses ``facets_by_title`` if none are chosen, the primary key of ``facet_pairs`` otherwise.
    """
    level = len(facets) if level is None else level
    kind = view.levels[level]

    def render(snapshot: Snapshot, keys: Sequence[int]) -> list[Container]:
        return containers(snapshot, view, facets, level, keys)

    def child_of(snapshot: Snapshot, path: Facets) -> Condition | bool:
        if level == len(facets):
            return path == facets
        # A value that occurs at several places of the view is found at the first of them.
        below = [row[0] for row in snapshot.rows(*_keys(values(view, path)))]
        place = object_ids.view_id(view.code, path)
        keys = [
            key
            for key, value in zip(below, render(snapshot, below), strict=True)
            if value.parent_id == place
        ]
        return Condition("v.id IN (SELECT value FROM json_each(?))", (json.dumps(keys),))

    def is_child(snapshot: Snapshot, parent: object_ids.Parsed) -> Condition | bool:
        fits = parent == object_ids.Parsed(view=view.code, facets=parent.facets)
        return fits and len(parent.facets) == level and child_of(snapshot, parent.facets)

    if not facets:
        return Source(
            form=Form.VALUE,
            upnp_class=value_class(kind),
            facet_kind=kind,
            render=render,
            is_child=is_child,
            tables="facets AS v",
            where="v.kind = ?",
            parameters=(kind,),
            key="v.id",
            order="v.sort_key",
            extent=Extent(layout.values_of(kind)),
        )
    where = "p.facet_id = ? AND p.child_kind = ?"
    parameters: tuple[object, ...] = (facets[-1], kind)
    common = "EXISTS (SELECT 1 FROM item_facets AS m WHERE m.facet_id = {value} AND {having})"
    having = has("m.item_id", view, facets)
    for outer in facets[:-1]:
        where += f" AND {_OCCURS.format(pair='p')}"
        parameters += (outer,)
    if len(facets) > 1:
        where += " AND " + common.format(value="p.child_id", having=having.text)
        parameters += having.parameters
    return Source(
        form=Form.VALUE,
        upnp_class=value_class(kind),
        facet_kind=kind,
        render=render,
        is_child=is_child,
        tables="facet_pairs AS p",
        where=where,
        parameters=parameters,
        join=" CROSS JOIN facets AS v ON v.id = p.child_id",
        key="p.child_id",
        order="p.child_sort_key",
        members=Condition(
            f"v.kind = ? AND {common.format(value='v.id', having=having.text)}",
            (kind, *having.parameters),
        ),
        extent=Extent(layout.values_of(kind), values=facets) if len(facets) == 1 else None,
    )


def _keys(source: Source) -> tuple[str, tuple[object, ...]]:
    return f"SELECT {source.key} FROM {source.tables} WHERE {source.where}", source.parameters  # noqa: S608


# ---- values as containers


def containers(
    snapshot: Snapshot, view: View, facets: Facets, level: int, keys: Sequence[int]
) -> list[Container]:
    """The values of these keys as they stand in a view below the chosen ones.

    A value further below than the next level is given its first place there.
    """
    if level == len(facets):
        found = _containers(snapshot, view, facets, keys)
        return [found[key] for key in keys if key in found]
    places: dict[Facets, list[int]] = defaultdict(list)
    for key in keys:
        place = _first_place(snapshot, view, facets, level, key)
        if place is not None:
            places[place].append(key)
    found = {}
    for place, own in places.items():
        found |= _containers(snapshot, view, place, own)
    return [found[key] for key in keys if key in found]


def _containers(
    snapshot: Snapshot, view: View, facets: Facets, keys: Sequence[int]
) -> dict[int, Container]:
    kind = view.levels[len(facets)]
    count, parameters = _child_count(view, facets)
    rows = snapshot.rows(
        f"SELECT v.id, v.title, v.update_id, v.artists, v.genres, v.date, {_art_of(kind)}, {count}"  # noqa: S608
        " FROM facets AS v WHERE v.id IN (SELECT value FROM json_each(?)) AND +v.kind = ?",
        (*parameters, json.dumps(keys), kind),
    )
    arts = art(snapshot, (row[6] for row in rows))
    shared = update_id(snapshot, facets) if facets else None
    parent = object_ids.view_id(view.code, facets)
    return {
        row[0]: Container(
            object_id=object_ids.view_id(view.code, (*facets, row[0])),
            parent_id=parent,
            title=row[1],
            upnp_class=value_class(kind),
            child_count=row[7],
            update_id=row[2] if shared is None else min(row[2], shared),
            artists=lines(row[3]),
            genres=lines(row[4]),
            date=row[5],
            art=arts.get(row[6]),
        )
        for row in rows
    }


def _art_of(kind: str) -> str:
    """Of an artist the picture in a folder of the artist's name, in a media root that is there;
    uses ``art_of_artist``."""
    if kind in ("artist", "albumartist"):
        return (
            "coalesce((SELECT min(a.id) FROM art AS a JOIN folders AS f ON f.id = a.folder_id"
            " JOIN roots AS r ON r.id = f.root_id WHERE a.artist = v.key AND r.available),"
            " v.art_id)"
        )
    return "v.art_id"


def are_few(snapshot: Snapshot, facets: Facets) -> bool:
    """Whether no more than a few items have all these values."""
    count = snapshot.number(
        "SELECT min(item_count) FROM facets WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(facets),),
    )
    return count <= FEW


def update_id(snapshot: Snapshot, facets: Facets) -> int:
    """Of what several values have in common: a change there is a change of each of them."""
    return snapshot.number(
        "SELECT min(update_id) FROM facets WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(facets),),
    )


@lru_cache(256)
def _child_count(view: View, facets: Facets) -> tuple[str, tuple[object, ...]]:
    """The number of children of the values ``v`` below the chosen ones, as SQL.

    It counts what :func:`values` and :func:`items_with` list one level further down.
    """
    level = len(facets)
    if level + 1 == len(view.levels):
        if not facets:
            return "v.item_count", ()
        if level == 1:
            return (
                "(SELECT c.item_count FROM facet_pairs AS c WHERE c.facet_id = ?"
                " AND c.child_kind = v.kind AND c.child_sort_key = v.sort_key"
                " AND c.child_id = v.id)",
                facets,
            )
        text, parameters = has("x.item_id", view, facets)
        return (
            f"(SELECT count(*) FROM item_facets AS x WHERE x.facet_id = v.id AND {text})",  # noqa: S608
            parameters,
        )
    count = "SELECT count(*) FROM facet_pairs AS c WHERE c.facet_id = v.id AND c.child_kind = ?"
    kind = view.levels[level + 1]
    if not facets:
        return f"({count})", (kind,)
    text, parameters = has("m.item_id", view, facets)
    own = _HAS.format(item="m.item_id", kind="v.kind", facet="v.id")
    occurs = " AND ".join(_OCCURS.format(pair="c") for _ in facets)
    return (
        f"({count} AND {occurs} AND EXISTS (SELECT 1 FROM item_facets AS m"  # noqa: S608
        f" WHERE m.facet_id = c.child_id AND {text} AND {own}))",
        (kind, *facets, *parameters),
    )


def _first_place(
    snapshot: Snapshot, view: View, facets: Facets, level: int, key: int
) -> Facets | None:
    """Of the places where a value stands below the chosen ones, that of its first item."""
    text, parameters = has("x.item_id", view, facets)
    row = snapshot.row(
        f"SELECT x.item_id FROM item_facets AS x WHERE x.facet_id = ? AND {text}"  # noqa: S608
        " ORDER BY x.sort_key, x.item_id LIMIT 1",
        (key, *parameters),
    )
    return None if row is None else _place(snapshot, view, facets, level, row[0])


def _place(snapshot: Snapshot, view: View, facets: Facets, level: int, item: int) -> Facets:
    """The chosen values, and for the levels below them the first of an item's own."""
    found = (
        snapshot.number(f"SELECT {_FIRST.format(item='?')}", (item, kind))
        for kind in view.levels[len(facets) : level]
    )
    return (*facets, *found)


# ---- items


def items_with(view: View, facets: Facets) -> Source:
    """The items that have all the chosen values, in the order of the innermost.

    An item that stands at several places below them is given the first.
    """
    depth, levels = len(facets), len(view.levels)
    fixed = object_ids.view_id(view.code, facets)

    def render(snapshot: Snapshot, keys: Sequence[int]) -> list[Item]:
        def parent_of(key: int, _folder: int) -> ObjectID:
            return object_ids.view_id(view.code, _place(snapshot, view, facets, levels, key))

        parent = fixed if depth == levels else parent_of
        return items(snapshot, keys, parent, home=False)

    def is_child(_snapshot: Snapshot, parent: object_ids.Parsed) -> Condition | bool:
        if (
            parent != object_ids.Parsed(view=view.code, facets=parent.facets)
            or len(parent.facets) != levels
            or parent.facets[:depth] != facets
        ):
            return False
        text = " AND ".join(f"{_FIRST.format(item='i.id')} = ?" for _ in view.levels[depth:])
        pairs = zip(view.levels[depth:], parent.facets[depth:], strict=True)
        return Condition(text or "1", tuple(part for pair in pairs for part in pair))

    if not facets:
        if view.levels[0] in PARTIAL:
            return with_value(view.levels[0], kind_of(view), render, is_child)
        return of_kind(kind_of(view), render, is_child)
    *outer, innermost = facets
    by_title = view.levels[depth - 1] not in ("album", "photomonth", "series", "season")
    text, parameters = has("x.item_id", view, tuple(outer))
    return Source(
        form=Form.ITEM,
        upnp_class=UPNP_CLASSES[kind_of(view)],
        references=True,
        render=render,
        is_child=is_child,
        tables="item_facets AS x",
        where=f"x.facet_id = ? AND {text}" if outer else "x.facet_id = ?",
        parameters=(innermost, *parameters) if outer else (innermost,),
        join=" CROSS JOIN items AS i ON i.id = x.item_id",
        key="x.item_id",
        order="x.sort_key",
        by_title=by_title,
        members=has("i.id", view, facets),
        extent=Extent(layout.items_of(kind_of(view)), values=facets) if by_title else None,
    )
