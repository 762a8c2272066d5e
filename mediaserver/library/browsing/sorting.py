"""What lists can be ordered by (CDS:1 §2.5.8), and how that is said in SQL.

Titles are ordered as a catalogue orders them, by the sort key: without regard to case, accents
and a leading article, numbers by their value. Other texts are ordered without regard to case and
accents, numbers by their value, classes as text. Of several values the first counts. What has no
value stands before what has one when ascending (SQLite's own order of NULL).
"""

from mediaserver.library.criteria import SortKey
from mediaserver.library.errors import UnsupportedSort
from mediaserver.library.folding import sort_key
from mediaserver.library.indexing.records import UPNP_CLASSES
from mediaserver.library.locations import STATION
from mediaserver.library.objects import Kind
from mediaserver.library.views import View

TITLE = "dc:title"
CLASS = "upnp:class"

_ITEM_TEXT = "(SELECT nullif(t.{column}, '') FROM item_text AS t WHERE t.rowid = i.id)"

_ITEMS: dict[str, tuple[str, ...]] = {
    TITLE: ("i.sort_key",),
    "dc:date": ("i.date",),
    "dc:creator": (_ITEM_TEXT.format(column="artists"),),
    CLASS: ("i.upnp_class",),
    "upnp:artist": (_ITEM_TEXT.format(column="artists"),),
    "upnp:album": (_ITEM_TEXT.format(column="album"),),
    "upnp:genre": (_ITEM_TEXT.format(column="genres"),),
    # Disc, then track: the only sensible order of an album of several discs.
    "upnp:originalTrackNumber": ("i.disc", "i.track"),
    "res@duration": ("i.duration_ms",),
    "res@size": ("i.size",),
}
_VALUES: dict[str, tuple[str, ...]] = {
    TITLE: ("v.sort_key",),
    "dc:date": ("v.date",),
    "dc:creator": ("fold(v.artists)",),
    "upnp:artist": ("fold(v.artists)",),
    "upnp:genre": ("fold(v.genres)",),
}
_FOLDERS: dict[str, tuple[str, ...]] = {TITLE: ("f.sort_key",)}
_PLAYLISTS: dict[str, tuple[str, ...]] = {TITLE: ("l.sort_key",)}
# Of an entry that is no item, nothing but its title is known.
_ENTRIES = _ITEMS | {
    TITLE: ("coalesce(i.sort_key, fold(e.title))",),
    CLASS: (f"coalesce(i.upnp_class, '{STATION}')",),
}
_EXPRESSIONS = {"i": _ITEMS, "v": _VALUES, "f": _FOLDERS, "l": _PLAYLISTS, "e": _ENTRIES}

SORT_CAPABILITIES: tuple[str, ...] = tuple(_ITEMS)
"""The properties that every list can be ordered by."""


def check(sort: tuple[SortKey, ...]) -> None:
    """Raises UnsupportedSort for a property that is not in SortCapabilities."""
    for key in sort:
        if key.property not in _ITEMS:
            raise UnsupportedSort(key.property)


def expressions(alias: str, upnp_class: str | None, sort: tuple[SortKey, ...]) -> list[str]:
    """What to order the rows of a table by: for each sort key as many as it has columns.

    ``alias`` is the table's name in the statement (:mod:`.sources`). ``upnp_class`` is a
    constant of this package where all rows are of one class.
    """
    known = _EXPRESSIONS[alias]
    found: list[str] = []
    for key in sort:
        if key.property == CLASS and is_of_one_class(upnp_class):
            found.append(f"'{upnp_class}'")
        else:
            found += known.get(key.property, ("NULL",) * len(_ITEMS[key.property]))
    return found


def is_of_one_class(upnp_class: str | None) -> bool:
    """Whether all objects that are said to be of a class are of this very class."""
    return upnp_class is not None and upnp_class != UPNP_CLASSES[Kind.VIDEO]


def directions(sort: tuple[SortKey, ...]) -> list[str]:
    """ASC or DESC for each expression."""
    return ["ASC" if key.ascending else "DESC" for key in sort for _ in _ITEMS[key.property]]


def sorted_views(views: list[View], sort: tuple[SortKey, ...]) -> list[View]:
    """The views of a menu in an order: they have a title and a class, nothing else."""
    check(sort)
    for key in reversed(sort):
        if key.property == TITLE:
            views = sorted(views, key=lambda view: sort_key(view.title), reverse=not key.ascending)
    return views
