"""The views over the library: what stands at the root and how it is divided, as data.

A view is a list of levels (facets, or folders) over the items of a kind. Nothing is stored per
view: a value's children are found through ``facet_pairs`` and ``item_facets``.
"""

from dataclasses import dataclass
from enum import StrEnum

from mediaserver.library.objects import Kind


class Arrangement(StrEnum):
    """How the items of a view are found and ordered."""

    MENU = "menu"
    """Holds other views, nothing else."""
    FACETS = "facets"
    """One level a facet, then items."""
    ALL = "all"
    """Every item of the kind (and class, where one is named), by title."""
    RECENT = "recent"
    """The newest ``limit`` items, newest first."""
    PLAYLISTS = "playlists"
    """The playlists with items of the kind, by title; in them their entries, in order."""
    FOLDERS = "folders"
    """The folders that hold items of the kind (of any kind where there is none)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    code: str
    """Two characters, ``[a-z][a-z0-9]``; part of object ids, never to be reused for another."""
    parent: str | None
    """The code of the menu it stands in; None: at the root."""
    title: str
    arrangement: Arrangement
    kind: Kind | None = None
    levels: tuple[str, ...] = ()
    """Facet kinds, outermost first: ``("artist", "album")``. At most three."""
    limit: int | None = None
    upnp_class: str | None = None
    """Of all items of the kind, those of this class: :data:`.indexing.records.FILM`."""


DEFAULT_VIEWS: tuple[View, ...] = (
    View(code="mu", parent=None, title="Music", arrangement=Arrangement.MENU, kind=Kind.AUDIO),
    View(code="ma", parent="mu", title="All music", arrangement=Arrangement.ALL, kind=Kind.AUDIO),
    View(
        code="mr",
        parent="mu",
        title="Artists",
        arrangement=Arrangement.FACETS,
        kind=Kind.AUDIO,
        levels=("artist", "album"),
    ),
    View(
        code="mt",
        parent="mu",
        title="Album artists",
        arrangement=Arrangement.FACETS,
        kind=Kind.AUDIO,
        levels=("albumartist", "album"),
    ),
    View(
        code="ml",
        parent="mu",
        title="Albums",
        arrangement=Arrangement.FACETS,
        kind=Kind.AUDIO,
        levels=("album",),
    ),
    View(
        code="mg",
        parent="mu",
        title="Genres",
        arrangement=Arrangement.FACETS,
        kind=Kind.AUDIO,
        levels=("genre", "artist", "album"),
    ),
    View(
        code="my",
        parent="mu",
        title="Years",
        arrangement=Arrangement.FACETS,
        kind=Kind.AUDIO,
        levels=("year", "album"),
    ),
    View(code="mf", parent="mu", title="Folders", arrangement=Arrangement.FOLDERS, kind=Kind.AUDIO),
    View(
        code="mn",
        parent="mu",
        title="Recently added",
        arrangement=Arrangement.RECENT,
        kind=Kind.AUDIO,
        limit=200,
    ),
    View(
        code="mp",
        parent="mu",
        title="Playlists",
        arrangement=Arrangement.PLAYLISTS,
        kind=Kind.AUDIO,
    ),
    View(code="vi", parent=None, title="Video", arrangement=Arrangement.MENU, kind=Kind.VIDEO),
    View(code="va", parent="vi", title="All video", arrangement=Arrangement.ALL, kind=Kind.VIDEO),
    View(
        code="vm",
        parent="vi",
        title="Films",
        arrangement=Arrangement.ALL,
        kind=Kind.VIDEO,
        upnp_class="object.item.videoItem.movie",
    ),
    View(
        code="vy",
        parent="vi",
        title="Films by year",
        arrangement=Arrangement.FACETS,
        kind=Kind.VIDEO,
        levels=("filmyear",),
    ),
    View(
        code="vs",
        parent="vi",
        title="Series",
        arrangement=Arrangement.FACETS,
        kind=Kind.VIDEO,
        levels=("series", "season"),
    ),
    View(code="vf", parent="vi", title="Folders", arrangement=Arrangement.FOLDERS, kind=Kind.VIDEO),
    View(
        code="vn",
        parent="vi",
        title="Recently added",
        arrangement=Arrangement.RECENT,
        kind=Kind.VIDEO,
        limit=100,
    ),
    View(code="pi", parent=None, title="Pictures", arrangement=Arrangement.MENU, kind=Kind.IMAGE),
    View(
        code="pa", parent="pi", title="All pictures", arrangement=Arrangement.ALL, kind=Kind.IMAGE
    ),
    View(
        code="pd",
        parent="pi",
        title="Date taken",
        arrangement=Arrangement.FACETS,
        kind=Kind.IMAGE,
        levels=("photoyear", "photomonth"),
    ),
    View(
        code="pc",
        parent="pi",
        title="Camera",
        arrangement=Arrangement.FACETS,
        kind=Kind.IMAGE,
        levels=("camera",),
    ),
    View(code="pf", parent="pi", title="Folders", arrangement=Arrangement.FOLDERS, kind=Kind.IMAGE),
    View(
        code="pn",
        parent="pi",
        title="Recently added",
        arrangement=Arrangement.RECENT,
        kind=Kind.IMAGE,
        limit=200,
    ),
    View(code="fo", parent=None, title="Folders", arrangement=Arrangement.FOLDERS),
)
"""The default tree. The home of every item and folder is "Folders" (``fo``)."""
