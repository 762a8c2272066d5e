"""All items of a kind, and the newest of them."""

from collections.abc import Sequence

from mediaserver.library import object_ids
from mediaserver.library.browsing.choosing import Extent
from mediaserver.library.browsing.rows import items
from mediaserver.library.browsing.snapshot import Snapshot
from mediaserver.library.browsing.sources import Condition, Form, IsChild, Render, Source
from mediaserver.library.catalogue import layout
from mediaserver.library.indexing.records import FILM, UPNP_CLASSES
from mediaserver.library.objects import Item, Kind
from mediaserver.library.views import View

RECENT = 200
"""Items in a view of the newest that does not say how many."""


def all_items(snapshot: Snapshot, view: View) -> Source:
    """Every item of the view's kind, by title; of films, those alone."""
    kind = kind_of(view)
    if view.upnp_class is not None:
        return _films(view.upnp_class, _render(view), _is_child(view))
    total = snapshot.settings.get(f"counts.{kind.value}", 0)
    return of_kind(kind, _render(view), _is_child(view), known_total=total)


def of_kind(
    kind: Kind, render: Render, is_child: IsChild, *, known_total: int | None = None
) -> Source:
    """Every item of a kind, by title, wherever it is listed; uses ``items_by_title``."""
    return Source(
        form=Form.ITEM,
        upnp_class=UPNP_CLASSES[kind],
        references=True,
        render=render,
        is_child=is_child,
        tables="items AS i",
        where="i.shown = 1 AND i.kind = ?",
        parameters=(kind.value,),
        key="i.id",
        order="i.sort_key",
        known_total=known_total,
        extent=Extent(layout.items_of(kind)),
    )


def _films(upnp_class: str, render: Render, is_child: IsChild) -> Source:
    """Every film, by title; uses ``films_by_title``, which needs the class as a constant."""
    if upnp_class != FILM:
        raise ValueError(f"no index of items of the class {upnp_class}")
    return Source(
        form=Form.ITEM,
        upnp_class=FILM,
        references=True,
        render=render,
        is_child=is_child,
        tables="items AS i",
        where=f"i.shown = 1 AND i.upnp_class = '{FILM}'",
        key="i.id",
        order="i.sort_key",
        extent=Extent(layout.items_of(Kind.VIDEO), upnp_class=FILM),
    )


def with_value(facet_kind: str, kind: Kind, render: Render, is_child: IsChild) -> Source:
    """Every item of a kind that stands under a value of a kind of facets: each episode."""
    return of_kind(kind, render, is_child).narrowed(
        Condition(
            "EXISTS (SELECT 1 FROM item_facets AS h WHERE h.item_id = i.id AND h.facet_kind = ?)",
            (facet_kind,),
        )
    )


def recent_items(view: View) -> Source:
    """The newest items of the view's kind, newest first; uses ``items_by_added``."""
    kind = kind_of(view)
    return Source(
        form=Form.ITEM,
        upnp_class=UPNP_CLASSES[kind],
        references=True,
        render=_render(view),
        is_child=_is_child(view),
        tables="items AS i",
        where=(
            "i.id IN (SELECT n.id FROM items AS n WHERE n.shown = 1 AND n.kind = ?"
            " ORDER BY n.added DESC, n.id DESC LIMIT ?)"
        ),
        parameters=(kind.value, view.limit or RECENT),
        key="i.id",
        order="-i.added",
        by_title=False,
        indexed=False,
        few=True,
    )


def kind_of(view: View) -> Kind:
    """The kind of a view of items. Raises ValueError where it has none."""
    if view.kind is None:
        raise ValueError(f"view {view.code} needs a kind of items")
    return view.kind


def _render(view: View) -> Render:
    def render(snapshot: Snapshot, keys: Sequence[int]) -> list[Item]:
        return items(snapshot, keys, object_ids.view_id(view.code), home=False)

    return render


def _is_child(view: View) -> IsChild:
    def is_child(_snapshot: Snapshot, parent: object_ids.Parsed) -> Condition | bool:
        return parent == object_ids.Parsed(view=view.code)

    return is_child
