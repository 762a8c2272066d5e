"""The tree of containers: from an object id to the container it names, and what is in it.

Root, menus and views are made of the declarations in :mod:`.views`; what stands below them of
:mod:`.folder_sources`, :mod:`.playlist_sources` and :mod:`.value_sources`. With exactly one media
root, views of folders stand for its folder: what is in it stands directly in the view.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.library import object_ids
from mediaserver.library.browsing import (
    folder_sources,
    item_sources,
    playlist_sources,
    value_sources,
)
from mediaserver.library.browsing.snapshot import Snapshot
from mediaserver.library.browsing.sources import Form, Source, from_catalogue, total
from mediaserver.library.errors import NoSuchObject, NotAContainer
from mediaserver.library.objects import Container, Item, Station
from mediaserver.library.views import Arrangement, View

TITLE = "Root"


@dataclass(frozen=True, slots=True)
class Place:
    """A container, as its id names it. Whether it exists is for the index to say."""

    view: View | None = None
    """None: the root."""
    facets: tuple[int, ...] = ()
    folder: int | None = None
    """In a view of folders: the one whose children are here. None: the media roots' folders."""
    playlist: int | None = None
    """At home, or in a view of playlists."""

    @property
    def is_menu(self) -> bool:
        """Whether it holds views, nothing else."""
        return self.view is None or self.view.arrangement is Arrangement.MENU


class Tree:
    """The tree that views make. Raises ValueError if items would have no home in it."""

    def __init__(self, views: Sequence[View]) -> None:
        self._views = {view.code: view for view in views}
        homes = [
            view for view in views if view.arrangement is Arrangement.FOLDERS and view.kind is None
        ]
        if len(homes) != 1:
            raise ValueError("there must be one view of all folders, where everything is at home")
        self.home = homes[0]

    def views(self, place: Place) -> list[View]:
        """The views in the root or a menu."""
        code = None if place.view is None else place.view.code
        return [view for view in self._views.values() if view.parent == code]

    # ---- from ids to places

    def place(self, snapshot: Snapshot, object_id: str) -> Place:
        """The container of an id. Raises NoSuchObject, NotAContainer."""
        parsed = object_ids.parse(object_id)
        if parsed is None:
            raise NoSuchObject(object_id)
        if parsed.is_item:
            self.item(snapshot, object_id)
            raise NotAContainer(object_id)
        place = self._place(snapshot, parsed)
        if place is None or not self._exists(snapshot, place):
            raise NoSuchObject(object_id)
        return place

    def _place(self, snapshot: Snapshot, parsed: object_ids.Parsed) -> Place | None:
        """What an id names as far as the views allow; the item in it does not matter."""
        if parsed.view is None:
            if parsed.playlist is not None:
                return Place(self.home, playlist=parsed.playlist)
            if parsed.folder is None:
                return Place()
            return Place(self.home, folder=parsed.folder)
        view = self._views.get(parsed.view)
        if view is None:
            return None
        if len(parsed.facets) > len(view.levels):
            return None
        if parsed.playlist is not None:
            # At home the ids of playlists are those without a view.
            lists = view.arrangement is Arrangement.PLAYLISTS
            return Place(view, playlist=parsed.playlist) if lists else None
        if view.arrangement is not Arrangement.FOLDERS:
            return None if parsed.folder is not None else Place(view, parsed.facets)
        if parsed.folder is None:
            return Place(view, folder=snapshot.only_root)
        # At home the ids of folders are those without a view.
        return Place(view, folder=parsed.folder) if view.kind else None

    def _exists(self, snapshot: Snapshot, place: Place) -> bool:
        view = place.view
        if view is None:
            return True
        if place.facets:
            return bool(self._value(snapshot, view, place.facets))
        if place.playlist is not None:
            return playlist_sources.exists(snapshot, view, place.playlist)
        if place.folder is None or place.folder == snapshot.only_root:
            return True
        source = folder_sources.folders_below(snapshot, view, None)
        return source.contains(snapshot, place.folder)

    def _value(self, snapshot: Snapshot, view: View, facets: tuple[int, ...]) -> list[Container]:
        *outer, key = facets
        source = value_sources.values(view, tuple(outer))
        if not source.contains(snapshot, key):
            return []
        return value_sources.containers(snapshot, view, tuple(outer), len(outer), [key])

    # ---- items

    def item(self, snapshot: Snapshot, object_id: str) -> tuple[Item | Station, Place]:
        """The item of an id, at home or in a view, and its parent. Raises NoSuchObject."""
        parsed = object_ids.parse(object_id)
        if parsed is not None and parsed.is_item and parsed.playlist is not None:
            return self._entry(snapshot, object_id, parsed)
        if parsed is None or parsed.item is None:
            raise NoSuchObject(object_id)
        for source in self._sources_of(snapshot, parsed):
            if source.form is Form.ITEM and source.contains(snapshot, parsed.item):
                for found in source.render(snapshot, [parsed.item]):
                    if found.object_id == object_id and isinstance(found, Item):
                        return found, self._parent_of(snapshot, found)
        raise NoSuchObject(object_id)

    def _entry(
        self, snapshot: Snapshot, object_id: str, parsed: object_ids.Parsed
    ) -> tuple[Item | Station, Place]:
        place = self._place(snapshot, parsed)
        if place is not None and place.view is not None and self._exists(snapshot, place):
            found = playlist_sources.entry(snapshot, place.view, parsed)
            if found is not None:
                return found, place
        raise NoSuchObject(object_id)

    def _sources_of(self, snapshot: Snapshot, parsed: object_ids.Parsed) -> Sequence[Source]:
        """Where to look for an item."""
        if parsed.view is None:
            return (folder_sources.items_at_home(self.home),)
        place = self._place(snapshot, parsed)
        return () if place is None or place.is_menu else self.children(snapshot, place)

    def _parent_of(self, snapshot: Snapshot, item: Item) -> Place:
        parsed = object_ids.parse(item.parent_id)
        place = None if parsed is None else self._place(snapshot, parsed)
        return place or Place()

    # ---- containers

    def container(self, snapshot: Snapshot, place: Place) -> Container:
        """A place that exists, as its parent lists it."""
        view = place.view
        if view is None:
            return Container(
                object_id=object_ids.ROOT,
                parent_id=object_ids.ROOT_PARENT,
                title=TITLE,
                upnp_class=value_sources.CONTAINER,
                child_count=len(self.views(place)),
                update_id=snapshot.state,
            )
        if place.facets:
            return self._value(snapshot, view, place.facets)[0]
        if place.playlist is not None:
            return playlist_sources.containers(snapshot, view, [place.playlist])[0]
        if place.folder is not None and place.folder != snapshot.only_root:
            return folder_sources.containers(snapshot, view, [place.folder])[0]
        return self.view(snapshot, view)

    def view(self, snapshot: Snapshot, view: View) -> Container:
        """A view as a container."""
        place = Place(view, folder=_root_of(snapshot, view))
        if place.is_menu:
            count = len(self.views(place))
        else:
            children = self.children(snapshot, place)
            count = total(snapshot, [from_catalogue(snapshot, source) for source in children])
        return Container(
            object_id=object_ids.view_id(view.code),
            parent_id=object_ids.ROOT if view.parent is None else object_ids.view_id(view.parent),
            title=view.title,
            upnp_class=value_sources.CONTAINER,
            child_count=count,
            update_id=self.update_id(snapshot, place),
        )

    def update_id(self, snapshot: Snapshot, place: Place) -> int:
        """The update id of a container (CDS:1 §2.5.21); of the root, SystemUpdateID.

        For a view, each change of its kind counts; of all kinds, each change at all; for one of
        playlists, when one of them came, went or looked different.
        """
        view = place.view
        if view is None:
            return snapshot.state
        if place.facets:
            return value_sources.update_id(snapshot, place.facets)
        if place.playlist is not None:
            return playlist_sources.update_id(snapshot, place.playlist)
        if place.folder is not None and place.folder != snapshot.only_root:
            return folder_sources.update_id(snapshot, place.folder)
        if view.kind is None:
            return snapshot.state
        if view.arrangement is Arrangement.PLAYLISTS:
            return snapshot.settings.get("update_id.playlists", 0)
        return snapshot.settings.get(f"update_id.{view.kind.value}", 0)

    def children(self, snapshot: Snapshot, place: Place) -> tuple[Source, ...]:
        """What is directly in a place that is not a menu; sources without anything are left out."""
        view = place.view
        if view is None or view.arrangement is Arrangement.MENU:
            raise ValueError("a menu has views, not sources")
        if place.playlist is not None:
            return (playlist_sources.entries(snapshot, view, place.playlist),)
        if view.arrangement is Arrangement.PLAYLISTS:
            return (playlist_sources.in_view(view),)
        if view.arrangement is Arrangement.ALL:
            return (item_sources.all_items(snapshot, view),)
        if view.arrangement is Arrangement.RECENT:
            return (item_sources.recent_items(view),)
        if view.arrangement is Arrangement.FOLDERS:
            return folder_sources.children(snapshot, view, place.folder)
        if len(place.facets) < len(view.levels):
            return (value_sources.values(view, place.facets),)
        return (value_sources.items_with(view, place.facets),)


def _root_of(snapshot: Snapshot, view: View) -> int | None:
    return snapshot.only_root if view.arrangement is Arrangement.FOLDERS else None
