"""Search (CDS:1 §2.7.5): where the objects below a container are, and which of them fit.

Everything is found once. Below the root, items and folders are found at home (without refID),
and of the values of views those of the first view that has values of the class: an artist who is
an album artist too is one hit. Below a view or a playlist, items are found as references in it;
where one stands at several places there, at the first. Menus and views themselves are not found.

The order is containers, then items, each by title.
"""

from collections.abc import Iterator
from dataclasses import replace

from mediaserver.library.browsing import (
    folder_sources,
    item_sources,
    matching,
    playlist_sources,
    value_sources,
)
from mediaserver.library.browsing.properties import SEARCH_CAPABILITIES
from mediaserver.library.browsing.snapshot import Snapshot
from mediaserver.library.browsing.sources import Source
from mediaserver.library.browsing.tree import Place, Tree
from mediaserver.library.criteria import Criteria
from mediaserver.library.objects import Kind
from mediaserver.library.views import Arrangement, View

__all__ = ["SEARCH_CAPABILITIES", "hits"]

_HOLDING_ALL = (Arrangement.ALL, Arrangement.FACETS, Arrangement.FOLDERS, Arrangement.RECENT)
"""Where to find items in a menu: in the first of its views that is arranged like this."""


def hits(snapshot: Snapshot, tree: Tree, place: Place, criteria: Criteria) -> tuple[Source, ...]:
    """The objects below a place that fit. Raises UnsupportedCriteria."""
    matching.check(criteria)
    few = bool(place.facets) and value_sources.are_few(snapshot, place.facets)
    found = []
    for source in _below(snapshot, tree, place):
        if source.known_total != 0:
            own = replace(source, few=True) if few else source
            fitting = matching.matching(snapshot, own, criteria)
            if fitting is not None:
                found.append(fitting)
    return tuple(found)


def _below(snapshot: Snapshot, tree: Tree, place: Place) -> Iterator[Source]:
    """All that is below a place, containers first."""
    view = place.view
    if view is None:
        menus = tree.views(place)
        views = [*menus, *(view for menu in menus for view in tree.views(Place(menu)))]
        yield from _values_of(views)
        yield from _folders_and_items(snapshot, tree.home, None)
    elif view.arrangement is Arrangement.MENU:
        yield from _below_menu(snapshot, tree.views(place))
    else:
        yield from _containers_below(snapshot, place, view)
        yield from _items_below(snapshot, place, view)


def _below_menu(snapshot: Snapshot, views: list[View]) -> Iterator[Source]:
    yield from _values_of(views)
    for view in views:
        if view.arrangement is Arrangement.FOLDERS:
            yield folder_sources.folders_below(snapshot, view, None)
    for view in views:
        if view.arrangement is Arrangement.PLAYLISTS:
            yield playlist_sources.in_view(view)
    for kind in Kind:
        holding = [
            view
            for arrangement in _HOLDING_ALL
            for view in views
            if view.arrangement is arrangement and view.kind is kind
        ]
        if holding:
            yield from _items_below(snapshot, Place(holding[0]), holding[0])
    for view in views:
        if view.arrangement is Arrangement.PLAYLISTS:
            yield playlist_sources.stations_in_all(view)


def _values_of(views: list[View]) -> Iterator[Source]:
    """The values at the first level of views, each class of content once."""
    seen = set()
    for view in views:
        if view.arrangement is Arrangement.FACETS:
            found = value_sources.values(view, ())
            if found.upnp_class == value_sources.CONTAINER or found.upnp_class not in seen:
                seen.add(found.upnp_class)
                yield found


def _containers_below(snapshot: Snapshot, place: Place, view: View) -> Iterator[Source]:
    if view.arrangement is Arrangement.FACETS:
        for level in range(len(place.facets), len(view.levels)):
            yield value_sources.values(view, place.facets, level)
    elif place.playlist is not None:
        return
    elif view.arrangement is Arrangement.PLAYLISTS:
        yield playlist_sources.in_view(view)
    elif view.arrangement is Arrangement.FOLDERS:
        yield folder_sources.folders_below(snapshot, view, place.folder)
        if view.kind is None:
            yield playlist_sources.below_folder(snapshot, view, place.folder)


def _items_below(snapshot: Snapshot, place: Place, view: View) -> Iterator[Source]:
    if place.playlist is not None:
        for kind in Kind:
            yield playlist_sources.items_in(view, place.playlist, kind)
        yield playlist_sources.stations_in(view, place.playlist)
    elif view.arrangement is Arrangement.PLAYLISTS:
        for kind in Kind:
            yield playlist_sources.items_in_all(view, kind)
        yield playlist_sources.stations_in_all(view)
    elif view.arrangement is Arrangement.FACETS:
        yield value_sources.items_with(view, place.facets)
    elif view.arrangement is Arrangement.ALL:
        yield item_sources.all_items(snapshot, view)
    elif view.arrangement is Arrangement.RECENT:
        yield item_sources.recent_items(view)
    else:
        for kind in (view.kind,) if view.kind else Kind:
            yield folder_sources.items_below(snapshot, view, place.folder, kind)
        if view.kind is None:
            yield playlist_sources.stations_below(snapshot, view, place.folder)


def _folders_and_items(snapshot: Snapshot, view: View, folder: int | None) -> Iterator[Source]:
    yield folder_sources.folders_below(snapshot, view, folder)
    yield playlist_sources.below_folder(snapshot, view, folder)
    for kind in Kind:
        yield folder_sources.items_below(snapshot, view, folder, kind)
    yield playlist_sources.stations_below(snapshot, view, folder)
