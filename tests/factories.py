"""Media facts with sensible defaults, and libraries filled with them, as tests need them."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from sqlalchemy import Connection

from mediaserver.library.browsing.browser import Browser
from mediaserver.library.catalogue import building
from mediaserver.library.catalogue.shelf import Shelf
from mediaserver.library.criteria import Criteria, SortKey
from mediaserver.library.database import Database
from mediaserver.library.indexer import Batch, FileStatus, Indexer, Sidecars
from mediaserver.library.objects import (
    Change,
    Container,
    Item,
    Kind,
    MediaFacts,
    Object,
    Page,
    PlaylistEntry,
    PlaylistFacts,
)
from mediaserver.library.views import DEFAULT_VIEWS, View
from mediaserver.media_types import by_suffix

T = TypeVar("T")

MEDIA_ROOT = "/media"
NOW = 1_700_000_000
"""Seconds since 1970: the clock of a filled library when nothing is said of it."""


def media_facts(name: str, **facts: Any) -> MediaFacts:
    """What a reader might find in a file of this name; ``facts`` say what is different."""
    media_type = by_suffix(name)
    assert media_type is not None, f"{name} is no media file"
    values: dict[str, Any] = {
        "kind": Kind(media_type.kind),
        "mime_type": media_type.mime_type,
        "fingerprint": hashlib.blake2b(os.fsencode(name), digest_size=16).digest(),
        "title": PurePosixPath(name).stem,
    }
    return MediaFacts(**(values | facts))


class FilledLibrary:
    """An index to write to and to ask, without any file on disk."""

    def __init__(self, path: Path, views: Sequence[View] = DEFAULT_VIEWS) -> None:
        self.now = float(NOW)
        self.changes: list[Change] = []
        self.database = Database(path)
        self.database.open()
        self.indexer = Indexer(
            self.database, views=views, on_change=self.changes.append, now=lambda: self.now
        )
        self.browser = Browser(views)
        self._views = views
        self._roots: dict[str, int] = {}

    def close(self) -> None:
        self.database.close()

    def make_catalogue(self) -> None:
        """Have questions answered from a catalogue of what is in the library now."""
        path = self.database.path.with_name("catalogue")
        building.build(self.database.path, path)
        self.browser = Browser(self._views, Shelf(path))

    # ---- writing

    def add(
        self, files: Mapping[str, Mapping[str, Any]], *, root: str = MEDIA_ROOT, size: int = 1000
    ) -> None:
        """Put files into the library: path below the media root to what differs from defaults."""
        with self.indexer.batch() as batch:
            root_id = self._root(batch, root)
            for name, facts in files.items():
                *parents, last = name.split("/")
                batch.put_item(
                    _folder(batch, root_id, parents),
                    os.fsencode(last),
                    FileStatus(size=size, mtime_ns=NOW * 10**9, device=1, inode=1),
                    media_facts(name, **facts),
                )

    def remove(self, name: str, *, root: str = MEDIA_ROOT) -> None:
        """Take a file out of the library."""
        folder, _, last = name.rpartition("/")
        key = self.indexer.known_folders(self._roots[root])[folder.encode()].key
        file = self.indexer.file(key, last.encode())
        assert file is not None
        with self.indexer.batch() as batch:
            batch.remove_item(file.key)

    def set_sidecars(self, folder: str, sidecars: Sidecars, *, root: str = MEDIA_ROOT) -> None:
        """What belongs to files of a folder, by its path below the media root."""
        with self.indexer.batch() as batch:
            parents = folder.split("/") if folder else []
            batch.set_sidecars(_folder(batch, self._root(batch, root), parents), sidecars)

    def add_playlist(
        self, name: str, *locations: str, title: str | None = None, root: str = MEDIA_ROOT
    ) -> None:
        """Put a playlist file into the library: its path below the media root, its entries."""
        facts = PlaylistFacts(
            title=title, entries=tuple(PlaylistEntry(location) for location in locations)
        )
        *parents, last = name.split("/")
        with self.indexer.batch() as batch:
            batch.put_playlist(
                _folder(batch, self._root(batch, root), parents),
                os.fsencode(last),
                FileStatus(size=100, mtime_ns=NOW * 10**9, device=1, inode=2),
                facts,
            )

    def remove_playlist(self, name: str, *, root: str = MEDIA_ROOT) -> None:
        """Take a playlist out of the library."""
        folder, _, last = name.rpartition("/")
        key = self.indexer.known_folders(self._roots[root])[folder.encode()].key
        with self.indexer.batch() as batch:
            batch.remove_playlist(self.indexer.known_playlists(key)[last.encode()].key)

    def allow_internet_radio(self, *, allowed: bool = True) -> None:
        with self.indexer.batch() as batch:
            batch.allow_internet_radio(allowed=allowed)

    def set_available(self, *, available: bool, root: str = MEDIA_ROOT) -> None:
        """Take a media root away, or bring it back."""
        with self.indexer.batch() as batch:
            batch.set_root(
                self._roots[root],
                available=available,
                reason=None if available else "not mounted",
                device=1,
            )

    def _root(self, batch: Batch, root: str) -> int:
        if root not in self._roots:
            root_id = batch.put_root(root.encode(), PurePosixPath(root).name.title())
            _folder(batch, root_id, [])
            batch.root_scanned(root_id)
            self._roots[root] = root_id
        return self._roots[root]

    # ---- asking

    def read(self, question: Callable[[Connection], T]) -> T:
        return self.database.read_now(question)

    def metadata(self, object_id: str) -> Page:
        return self.read(lambda connection: self.browser.metadata(connection, object_id))

    def children(
        self, object_id: str, start: int = 0, count: int = 0, sort: Sequence[SortKey] = ()
    ) -> Page:
        return self.read(
            lambda connection: self.browser.children(
                connection, object_id, start=start, count=count, sort=sort
            )
        )

    def search(
        self,
        container_id: str,
        criteria: Criteria,
        start: int = 0,
        count: int = 0,
        sort: Sequence[SortKey] = (),
    ) -> Page:
        return self.read(
            lambda connection: self.browser.search(
                connection, container_id, criteria, start=start, count=count, sort=sort
            )
        )

    def at(self, *titles: str) -> Object:
        """The object that the titles lead to from the root."""
        found: Object = self.metadata("0").objects[0]
        for title in titles:
            children = self.children(found.object_id).objects
            found = next(child for child in children if child.title == title)
        return found

    def titles(self, *path: str) -> list[str]:
        """The titles of the children at a path of titles."""
        return titles(self.children(self.at(*path).object_id))


def titles(page: Page) -> list[str]:
    return [found.title for found in page.objects]


def item_of(found: Object) -> Item:
    assert isinstance(found, Item)
    return found


def container_of(found: Object) -> Container:
    assert isinstance(found, Container)
    return found


def _folder(batch: Batch, root_id: int, names: Sequence[str]) -> int:
    key, path = None, ""
    for name in ["", *names]:
        path = f"{path}/{name}" if path else name
        key = batch.put_folder(
            root_id, os.fsencode(path), parent=key, device=1, inode=1, mtime_ns=NOW * 10**9
        )
    assert key is not None
    return key


SAMPLE: dict[str, dict[str, Any]] = {
    "Björk/Debut/01 Human Behaviour.mp3": {
        "title": "Human Behaviour",
        "artists": ("Björk",),
        "album": "Debut",
        "genres": ("Pop", "Electronic"),
        "date": "1993-07-05",
        "track": 1,
        "disc": 1,
        "duration_ms": 252_000,
    },
    "Björk/Debut/02 Crying.mp3": {
        "title": "Crying",
        "artists": ("Björk",),
        "album": "Debut",
        "genres": ("Pop",),
        "date": "1993-07-05",
        "track": 2,
        "disc": 1,
        "duration_ms": 289_500,
    },
    "Björk/Debut/03 Play Dead.mp3": {
        "title": "Play Dead",
        "artists": ("Björk", "David Arnold"),
        "album": "Debut",
        "genres": ("Soundtrack",),
        "date": "1993-07-05",
        "track": 1,
        "disc": 2,
    },
    "Beatles/Help!/The Night Before.flac": {
        "title": "The Night Before",
        "artists": ("The Beatles",),
        "album_artists": ("The Beatles",),
        "album": "Help!",
        "genres": ("Pop",),
        "date": "1965",
        "track": 10,
        "duration_ms": 153_000,
    },
    "Beatles/Help!/Yesterday.flac": {
        "title": "Yesterday",
        "artists": ("The Beatles",),
        "album_artists": ("The Beatles",),
        "album": "Help!",
        "genres": ("Pop",),
        "date": "1965",
        "track": 9,
        "duration_ms": 125_000,
    },
    "Nameless.mp3": {},
    "100%_sure.mp3": {"artists": ('The "Quoted"',), "album": "Night Music"},
    "Mixed/Clip.mp4": {"date": "2019-01-02", "duration_ms": 60_000, "width": 640, "height": 480},
    "Mixed/Beach.jpg": {"date": "2004-05-06T07:08:09", "camera": "X100", "width": 40, "height": 30},
    "Mixed/Scan.png": {"date": "2004", "width": 40, "height": 30},
    "Mixed/Notes.mp3": {"artists": ("Zoë",)},
}
"""A small library with several values, missing ones, and all kinds of items."""


def walk(library: FilledLibrary, object_id: str = "0") -> list[Object]:
    """Every object below a container, by browsing."""
    found: list[Object] = []
    for child in library.children(object_id).objects:
        found.append(child)
        if isinstance(child, Container):
            found += walk(library, child.object_id)
    return found
