"""All writing to the index: changes in transactions, update ids, and who is told of them.

Everything here runs in the one writer thread. A :class:`Batch` is one transaction: what it is
told goes to the tables at once, what follows from it (counts, values of views, update ids) when
it ends. A batch that fails leaves the index as it was.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import TypeVar

from mediaserver.library import index_file
from mediaserver.library.database import Database, driver_of
from mediaserver.library.facets import pairs_of
from mediaserver.library.indexing import checking, known, sidecars, touched, updates
from mediaserver.library.indexing.batch import Batch
from mediaserver.library.indexing.checking import Mended
from mediaserver.library.indexing.facet_links import FacetIDs
from mediaserver.library.indexing.known import (
    ArtFile,
    FileStatus,
    KnownFile,
    KnownFolder,
    KnownPlaylist,
    KnownRoot,
)
from mediaserver.library.indexing.playlists import internet_radio
from mediaserver.library.indexing.sidecars import NO_SIDECARS, Sidecars, SubtitleFile
from mediaserver.library.indexing.touched import Moment
from mediaserver.library.objects import Change
from mediaserver.library.views import DEFAULT_VIEWS, View

__all__ = [
    "NO_SIDECARS",
    "ArtFile",
    "Batch",
    "FileStatus",
    "Indexer",
    "KnownFile",
    "KnownFolder",
    "KnownPlaylist",
    "KnownRoot",
    "Sidecars",
    "SubtitleFile",
]

T = TypeVar("T")

AT_ONCE = 10_000
"""Items of a root that comes or goes, in one transaction: a second or two."""


class _UndoError(Exception):
    """Nothing is to be mended: undo."""


class Indexer:
    """Answers what the index knows of the disk, and writes what has changed there.

    Inside of a batch the questions see what the batch has written so far.
    """

    on_change: Callable[[Change], None]
    """Called in the writer thread after a commit that changed what control points see."""

    def __init__(
        self,
        database: Database,
        *,
        views: Sequence[View] = DEFAULT_VIEWS,
        on_change: Callable[[Change], None] = lambda change: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.on_change = on_change
        self._database = database
        self._views = views
        self._pairs = pairs_of(views)
        self._now = now
        self._facet_ids: FacetIDs = {}
        self._writing: sqlite3.Connection | None = None

    def roots(self) -> list[KnownRoot]:
        return self._ask(known.roots)

    def known_folders(self, root_id: int) -> dict[bytes, KnownFolder]:
        """All folders of a root by their path, relative to the root."""
        return self._ask(lambda connection: known.known_folders(connection, root_id))

    def folder(self, root_id: int, path: bytes) -> KnownFolder | None:
        """A folder by its path, relative to its root."""
        return self._ask(lambda connection: known.folder(connection, root_id, path))

    def folders_in(self, folder: int) -> list[KnownFolder]:
        """The folders directly in a folder (by its key)."""
        return self._ask(lambda connection: known.folders_in(connection, folder))

    @property
    def has_folders(self) -> bool:
        """Whether anything at all is in the index."""
        return self._ask(known.has_folders)

    def known_files(self, folder: int) -> dict[bytes, KnownFile]:
        """The files of a folder (by its key) by their names."""
        return self._ask(lambda connection: known.known_files(connection, folder))

    def known_playlists(self, folder: int) -> dict[bytes, KnownPlaylist]:
        """The playlists of a folder (by its key) by their names."""
        return self._ask(lambda connection: known.known_playlists(connection, folder))

    def playlist(self, folder: int, name: bytes) -> KnownPlaylist | None:
        return self._ask(lambda connection: known.playlist(connection, folder, name))

    def playlists_by_inode(self, device: int, inode: int) -> list[KnownPlaylist]:
        """Playlists that may be the one now found elsewhere."""
        return self._ask(lambda connection: known.playlists_by_inode(connection, device, inode))

    def file(self, folder: int, name: bytes) -> KnownFile | None:
        return self._ask(lambda connection: known.file(connection, folder, name))

    def files_by_inode(self, device: int, inode: int) -> list[KnownFile]:
        """Files that may be the one now found elsewhere: moved, or another link to it."""
        return self._ask(lambda connection: known.files_by_inode(connection, device, inode))

    def files_by_fingerprint(self, fingerprint: bytes) -> list[KnownFile]:
        return self._ask(lambda connection: known.files_by_fingerprint(connection, fingerprint))

    def folders_by_inode(self, device: int, inode: int) -> list[KnownFolder]:
        return self._ask(lambda connection: known.folders_by_inode(connection, device, inode))

    def folder_art(self, root_id: int) -> dict[int, ArtFile]:
        """The picture files that stand for folders of a root, by the folder's key."""
        return self._ask(lambda connection: known.folder_art(connection, root_id))

    def sidecars(self, root_id: int) -> dict[int, Sidecars]:
        """The files that belong to others in the folders of a root, by the folder's key."""
        return self._ask(lambda connection: sidecars.of_root(connection, root_id))

    def art_of_folder(self, folder: int) -> ArtFile | None:
        """The picture file that stands for a folder (by its key)."""
        return self._ask(lambda connection: known.art_of_folder(connection, folder))

    def sidecars_of_folder(self, folder: int) -> Sidecars:
        """The files that belong to others in a folder (by its key)."""
        return self._ask(lambda connection: sidecars.of_folder(connection, folder))

    def path_of(self, folder: int) -> bytes | None:
        """The absolute path of a folder."""
        return self._ask(lambda connection: known.path_of(connection, folder))

    @property
    def internet_radio(self) -> bool:
        """Whether addresses in playlists are to be seen."""
        return self._ask(internet_radio)

    @property
    def system_update_id(self) -> int:
        """As it is stored: what the last change that was told of said."""
        return self._ask(updates.system_update_id)

    def forget_touched(self, known: Moment) -> None:
        """Nobody knows an earlier state than this one any more."""
        with self._database.begin() as connection:
            touched.forget(driver_of(connection), known)

    def batch(self) -> AbstractContextManager[Batch]:
        """One transaction. On leaving: all that follows is written, committed, and told.

        An exception inside undoes the whole batch. Raises :class:`.errors.IndexUnusable` where
        the index cannot be written (the disk is full).
        """
        return self._batch(lambda connection: None)

    def set_root(
        self,
        root_id: int,
        *,
        available: bool,
        reason: str | None,
        device: int | None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Note whether a root is there, in several transactions where there is much in it.

        The folders of one that goes are hidden at once, and so is what they lead to. Views let
        go of its items some thousands at a time, each time in agreement with themselves; so they
        take up those of one that is back, whose folders come last. Where it was cut short the
        next call goes on.
        """
        if not available:
            self.hide_root(root_id, reason=reason, device=device)
        more = True
        while more and not stopped():
            with self.batch() as batch:
                more = batch.show_items(root_id, shown=available, limit=AT_ONCE)
                if available and not more:
                    batch.set_root(root_id, available=True, reason=reason, device=device)

    def hide_root(self, root_id: int, *, reason: str | None, device: int | None) -> None:
        """Hide the folders of a root, and give nothing out that is in it; views have it still."""
        with self.batch() as batch:
            batch.set_root(root_id, available=False, reason=reason, device=device, with_items=False)

    def remove_root(self, root_id: int, *, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Forget a root that is no longer configured, in several transactions where there is
        much in it; whether it came to the end. Where it was cut short the next call goes on.
        """
        more = True
        while more:
            if stopped():
                return False
            with self.batch() as batch:
                more = batch.empty_root(root_id, limit=AT_ONCE)
                if not more:
                    batch.remove_root(root_id)
        return True

    def check(self) -> Mended:
        """Check all that the index says of itself, and mend it; what was wrong, if anything.

        Takes about as long as writing the index did. Raises
        :class:`.indexing.checking.DamagedError` where only a new index helps.
        """
        mended: Mended = {}

        def compare(connection: sqlite3.Connection) -> None:
            mended.update(checking.differences(before, connection))
            if not mended:
                raise _UndoError

        with (
            closing(index_file.connect(self._database.path)) as before,
            suppress(_UndoError),
            self._batch(compare) as batch,
        ):
            # It stays with what is committed now.
            before.execute("BEGIN")
            mended.update(batch.mend())
        return mended

    @contextmanager
    def _batch(self, before_commit: Callable[[sqlite3.Connection], None]) -> Iterator[Batch]:
        try:
            with self._database.begin() as connection:
                self._writing = driver_of(connection)
                batch = Batch(
                    self._writing,
                    pairs=self._pairs,
                    facet_ids=self._facet_ids,
                    now=self._now(),
                )
                yield batch
                change = updates.finish(self._writing, batch, self._views)
                before_commit(self._writing)
        except BaseException:
            # Some of these may never have been committed.
            self._facet_ids.clear()
            raise
        finally:
            self._writing = None
        if change is not None:
            self.on_change(change)

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        if self._writing is not None:
            return question(self._writing)
        return self._database.read_now(lambda connection: question(driver_of(connection)))
