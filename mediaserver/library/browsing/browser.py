"""Browse and Search as questions to the index (CDS:1 §2.7.4, §2.7.5).

Answers are objects in pages. Whatever the order, it is total: by what was asked for, then by
title, then by id, so that pages neither repeat nor skip. Without an order asked for, containers
come before items, and items by title, or by disc and track in an album.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from mediaserver.library.browsing import search, sources
from mediaserver.library.browsing.snapshot import Memory, Snapshot
from mediaserver.library.browsing.sorting import SORT_CAPABILITIES, sorted_views
from mediaserver.library.browsing.tree import Place, Tree
from mediaserver.library.criteria import Criteria, SortKey
from mediaserver.library.object_ids import parse
from mediaserver.library.objects import Object, Page
from mediaserver.library.views import DEFAULT_VIEWS, View

__all__ = ["MAX_PAGE", "SORT_CAPABILITIES", "Browser"]

MAX_PAGE = 2000
"""Objects in one answer, however many are asked for (security.md 2)."""


class Browser:
    """Answers from the index, through any reader's connection."""

    def __init__(self, views: Sequence[View] = DEFAULT_VIEWS) -> None:
        self._tree = Tree(views)
        self._memory = Memory()

    def metadata(self, connection: Connection, object_id: str) -> Page:
        """One object, as its parent lists it.

        The page's update id is the container's own, or that of the item's parent. Raises
        NoSuchObject.
        """
        snapshot = Snapshot(connection, self._memory)
        parsed = parse(object_id)
        found: Object
        if parsed is not None and parsed.is_item:
            found, parent = self._tree.item(snapshot, object_id)
            return Page([found], 1, self._tree.update_id(snapshot, parent))
        found = self._tree.container(snapshot, self._tree.place(snapshot, object_id))
        return Page([found], 1, found.update_id)

    def children(
        self,
        connection: Connection,
        object_id: str,
        *,
        start: int,
        count: int,
        sort: Sequence[SortKey] = (),
    ) -> Page:
        """Children of a container from ``start``, at most ``count`` and MAX_PAGE; 0: MAX_PAGE.

        Raises NoSuchObject, NotAContainer, UnsupportedSort.
        """
        snapshot = Snapshot(connection, self._memory)
        place = self._tree.place(snapshot, object_id)
        update_id = self._tree.update_id(snapshot, place)
        if place.is_menu:
            return self._menu(snapshot, place, update_id, start, _most(count), tuple(sort))
        found = self._tree.children(snapshot, place)
        objects = sources.page(snapshot, found, start=start, count=_most(count), sort=tuple(sort))
        return Page(objects, sources.total(snapshot, found), update_id)

    def search(
        self,
        connection: Connection,
        container_id: str,
        criteria: Criteria,
        *,
        start: int,
        count: int,
        sort: Sequence[SortKey] = (),
    ) -> Page:
        """What there is below a container that fits; see :mod:`.search`.

        Raises NoSuchObject, NotAContainer, UnsupportedCriteria, UnsupportedSort.
        """
        snapshot = Snapshot(connection, self._memory)
        place = self._tree.place(snapshot, container_id)
        found = search.hits(snapshot, self._tree, place, criteria)
        objects = sources.page(snapshot, found, start=start, count=_most(count), sort=tuple(sort))
        total = sources.total(snapshot, found)
        return Page(objects, total, self._tree.update_id(snapshot, place))

    def _menu(
        self,
        snapshot: Snapshot,
        place: Place,
        update_id: int,
        start: int,
        count: int,
        sort: tuple[SortKey, ...],
    ) -> Page:
        views = sorted_views(self._tree.views(place), sort)
        objects: list[Object] = [
            self._tree.view(snapshot, view) for view in views[start : start + count]
        ]
        return Page(objects, len(views), update_id)


def _most(count: int) -> int:
    return min(count or MAX_PAGE, MAX_PAGE)
