"""The playlist files of a scan: compared on the walk, read when all else is in the index.

They are read in the writer thread: what they name is looked up there anyway, and reading them is
bounded (:mod:`mediaserver.library.readers.playlists`). At the end, because nothing that they
name is to be missing only because it has not been read yet.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from mediaserver.library.disks import NO_ANSWER, Disks, NoAnswer
from mediaserver.library.indexer import Batch, FileStatus, Indexer, KnownPlaylist
from mediaserver.library.readers.naming import clean
from mediaserver.library.readers.playlists import read_playlist
from mediaserver.library.scanning.moves import Moves
from mediaserver.library.scanning.outbox import Outbox

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundPlaylist:
    """A playlist file that is new or has changed."""

    path: bytes
    name: bytes
    status: FileStatus
    known: KnownPlaylist | None
    folder: Callable[[Batch], int]
    """Puts its folder into the index and gives the folder's key."""


class PlaylistFiles:
    """Those of one scan. ``refusals``: reasons that are worth another try."""

    def __init__(
        self,
        indexer: Indexer,
        moves: Moves,
        disks: Disks,
        outbox: Outbox,
        refusals: frozenset[str],
    ) -> None:
        self._indexer = indexer
        self._moves = moves
        self._disks = disks
        self._outbox = outbox
        self._refusals = refusals
        self._found: list[FoundPlaylist] = []
        self._gone: set[int] = set()
        self.added = self.changed = self.removed = 0
        self.troubled: dict[bytes, str] = {}
        """Folders whose playlists could not be read."""

    def known(self, folder: int | None) -> dict[bytes, KnownPlaylist]:
        return self._indexer.known_playlists(folder) if folder is not None else {}

    def is_same(self, known: KnownPlaylist | None, status: FileStatus) -> bool:
        """Whether there is nothing to read."""
        if known is None or known.reason in self._refusals:
            return False
        before = known.status
        return before.mtime_ns == status.mtime_ns and before.size == status.size

    def add(self, found: FoundPlaylist) -> None:
        self._found.append(found)

    def note_gone(self, known: Mapping[bytes, KnownPlaylist], there: set[bytes]) -> None:
        """``there``: names in the same folder that are there, or of which nothing is known."""
        self._gone |= {each.key for name, each in known.items() if name not in there}

    def write(self, stopped: Callable[[], bool]) -> bool:
        """Read what was found, and forget what is gone; whether it came to the end."""
        for found in self._found:
            if stopped():
                return False
            self._read(found)
        for key in self._gone - self._moves.playlists:
            self.removed += 1
            self._outbox.add(partial(Batch.remove_playlist, key=key))
        return True

    def _read(self, found: FoundPlaylist) -> None:
        try:
            facts = self._disks.ask(found.path, partial(read_playlist, found.path))
        except NoAnswer:
            self.troubled[os.path.dirname(found.path)] = NO_ANSWER  # noqa: PTH120 - bytes
            return
        known = found.known
        if facts.reason is not None and (known is None or known.reason != clean(facts.reason)):
            logger.info("%s cannot be read: %s", os.fsdecode(found.path), facts.reason)
        moved = None if known is not None else self._moves.playlist_by_inode(found.status)
        if moved is None:
            self.added += known is None
            self.changed += known is not None
        key = moved.key if moved is not None else None

        def put(batch: Batch) -> None:
            batch.put_playlist(found.folder(batch), found.name, found.status, facts, key=key)

        self._outbox.add(put)
