"""Rows of the index made into objects: items, containers, art.

A page of a thousand is a thousand items of forty-five fields, so this is where reading costs:
rows stay tuples until an item is made of them, and every page reads its art once.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, make_dataclass
from functools import lru_cache
from typing import Any

from mediaserver.library import object_ids
from mediaserver.library.browsing.snapshot import Row, Snapshot
from mediaserver.library.objects import Art, Item, Kind, ObjectID, Span, Subtitle

ParentOf = Callable[[int, int], ObjectID]
"""The parent of an item in a list, by the key of the item and that of its folder."""

_ITEMS = (
    "SELECT i.id, i.folder_id, i.kind, i.upnp_class, i.mime_type, i.dlna_profile, i.name,"
    " i.size, i.modified, i.added, i.title, i.artists, i.album_artists, i.composers,"
    " i.conductors, i.genres,"
    " i.album, i.track, i.disc, i.date, i.description, i.rating, i.series, i.season,"
    " i.episode, i.program, i.duration_ms, i.bitrate, i.sample_rate,"
    " i.channels, i.bits_per_sample, i.audio_codec, i.video_codec, i.frame_rate, i.width,"
    " i.height, i.color_depth, i.orientation, i.camera, i.languages, i.art_id, i.begin_us, i.end_us"
    " FROM items AS i WHERE i.id IN ({keys})"
)
"""From ``album`` to ``camera`` the columns stand in the order of the fields of Item."""

_ART = "SELECT id, mime_type, width, height FROM art WHERE id IN (SELECT value FROM json_each(?))"

_SUBTITLES = (
    "SELECT i.id, t.number, t.format, t.language, t.note FROM items AS i"
    " CROSS JOIN subtitles AS t ON t.folder_id = i.folder_id AND t.video = i.name"
    " WHERE i.id IN (SELECT value FROM json_each(?)) ORDER BY i.id, t.position"
)

_KINDS = {kind.value: kind for kind in Kind}

# A frozen dataclass of 45 fields takes 4 microseconds to make, one that is not 0.4. So an item
# is made as a draft of the same shape, and frozen by changing its class.
_Draft: Any = make_dataclass("_Draft", [field.name for field in fields(Item)], slots=True)


def items(
    snapshot: Snapshot,
    keys: Sequence[int],
    parent: ObjectID | ParentOf,
    *,
    home: bool,
) -> list[Item]:
    """The items of these keys, in this order; those that are gone are left out.

    At home an item has its own id, elsewhere that of a reference in its parent (CDS:1 §2.7.4).
    """
    # A third faster than a list of keys in JSON; of lengths there are few: those of pages.
    statement = _ITEMS.format(keys=",".join("?" * len(keys)))
    found = {row[0]: row for row in snapshot.rows(statement, keys)}
    arts = art(snapshot, (row[40] for row in found.values()))
    titled = subtitles(snapshot, (key for key, row in found.items() if row[2] == Kind.VIDEO))
    made = []
    for key in keys:
        row = found.get(key)
        if row is None:
            continue
        own = object_ids.item_id(key)
        place = parent if isinstance(parent, str) else parent(key, row[1])
        draft = _Draft(
            own if home else place + own,
            place,
            None if home else own,
            key,
            _KINDS[row[2]],
            row[3],
            row[4],
            row[5],
            _text(row[6]),
            row[7],
            row[8],
            row[9],
            row[10],
            lines(row[11]),
            lines(row[12]),
            lines(row[13]),
            lines(row[14]),
            lines(row[15]),
            *row[16:39],
            lines(row[39]),
            arts.get(row[40]),
            titled.get(key, ()),
            None if row[41] is None else Span(row[41], row[42]),
        )
        draft.__class__ = Item
        made.append(draft)
    return made


def art(snapshot: Snapshot, keys: Iterable[int | None]) -> dict[int | None, Art]:
    """The pictures of these keys, which may repeat; None and unknown ones are left out."""
    wanted = {key for key in keys if key is not None}
    if not wanted:
        return {}
    return {
        row[0]: Art(art_id=row[0], mime_type=row[1], width=row[2], height=row[3])
        for row in snapshot.rows(_ART, (json.dumps(list(wanted)),))
    }


def subtitles(snapshot: Snapshot, videos: Iterable[int]) -> dict[int, tuple[Subtitle, ...]]:
    """Those of videos by their keys; uses the primary key of ``subtitles``."""
    wanted = list(videos)
    if not wanted:
        return {}
    found: dict[int, list[Subtitle]] = {}
    for key, *values in snapshot.rows(_SUBTITLES, (json.dumps(wanted),)):
        found.setdefault(key, []).append(Subtitle(*values))
    return {key: tuple(some) for key, some in found.items()}


def in_order(rows: Iterable[Row], keys: Sequence[int]) -> list[Row]:
    """Rows in the order of the keys in their first column; missing ones are left out."""
    found = {row[0]: row for row in rows}
    return [found[key] for key in keys if key in found]


@lru_cache(4096)
def lines(text: str | None) -> tuple[str, ...]:
    """The values of a column that holds several, one a line."""
    return tuple(text.split("\n")) if text else ()


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
