"""Browse and Search as questions to the index (CDS:1 §2.7.4, §2.7.5).

Answers are objects in pages. Whatever the order, it is total: by what was asked for, then by
title, then by id, so that pages neither repeat nor skip. Without an order asked for, containers
come before items, and items by title, or by disc and track in an album.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mediaserver.library.browsing import search, sources
from mediaserver.library.browsing.snapshot import Memory, Snapshot
from mediaserver.library.browsing.sorting import SORT_CAPABILITIES, sorted_views
from mediaserver.library.browsing.sources import Source
from mediaserver.library.browsing.tree import Place, Tree
from mediaserver.library.catalogue.section_file import CatalogueError
from mediaserver.library.catalogue.shelf import Shelf
from mediaserver.library.criteria import Criteria, SortKey
from mediaserver.library.object_ids import parse
from mediaserver.library.objects import Object, Page
from mediaserver.library.views import DEFAULT_VIEWS, View

__all__ = ["MAX_PAGE", "SORT_CAPABILITIES", "Browser"]

MAX_PAGE = 2000
"""Objects in one answer, however many are asked for (security.md 2)."""

_OF_DAMAGE = (CatalogueError, LookupError, ValueError, ArithmeticError, StopIteration)
"""What becomes of numbers in a catalogue that are not as they were written."""


class Browser:
    """Answers from the index, through any reader's connection."""

    def __init__(
        self, views: Sequence[View] = DEFAULT_VIEWS, catalogue: Shelf | None = None
    ) -> None:
        self._tree = Tree(views)
        self._memory = Memory()
        self._shelf = catalogue

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
        wanted = _Wanted(start, _most(count), tuple(sort))
        return self._answer(connection, lambda now: self._children(now, object_id, wanted))

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
        wanted = _Wanted(start, _most(count), tuple(sort))
        return self._answer(connection, lambda now: self._hits(now, container_id, criteria, wanted))

    def _answer(self, connection: Connection, question: Callable[[Snapshot], Page]) -> Page:
        """With the catalogue, where there is one and it is sound."""
        snapshot = Snapshot(connection, self._memory, self._shelf)
        try:
            return question(snapshot)
        except _OF_DAMAGE as error:
            overlay = snapshot.overlay
            if self._shelf is None or overlay is None:
                raise
            if not isinstance(error, CatalogueError) and overlay.catalogue.is_whole():
                raise
            self._shelf.condemn(overlay.catalogue, error)
            return question(Snapshot(connection, self._memory))

    def _children(self, snapshot: Snapshot, object_id: str, wanted: "_Wanted") -> Page:
        place = self._tree.place(snapshot, object_id)
        update_id = self._tree.update_id(snapshot, place)
        if place.is_menu:
            return self._menu(snapshot, place, update_id, wanted)
        children = self._tree.children(snapshot, place)
        found = [sources.from_catalogue(snapshot, source) for source in children]
        return Page(*_page(snapshot, found, wanted), update_id)

    def _hits(
        self, snapshot: Snapshot, container_id: str, criteria: Criteria, wanted: "_Wanted"
    ) -> Page:
        place = self._tree.place(snapshot, container_id)
        found = search.hits(snapshot, self._tree, place, criteria)
        return Page(*_page(snapshot, found, wanted), self._tree.update_id(snapshot, place))

    def _menu(self, snapshot: Snapshot, place: Place, update_id: int, wanted: "_Wanted") -> Page:
        views = sorted_views(self._tree.views(place), wanted.sort)
        objects: list[Object] = [
            self._tree.view(snapshot, view)
            for view in views[wanted.start : wanted.start + wanted.count]
        ]
        return Page(objects, len(views), update_id)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A part of a list, in an order."""

    start: int
    count: int
    sort: tuple[SortKey, ...]


def _page(snapshot: Snapshot, found: Sequence[Source], wanted: _Wanted) -> tuple[list[Object], int]:
    """Objects of sources, and how many they have."""
    objects = sources.page(
        snapshot, found, start=wanted.start, count=wanted.count, sort=wanted.sort
    )
    return objects, sources.total(snapshot, found)


def _most(count: int) -> int:
    return min(count or MAX_PAGE, MAX_PAGE)
