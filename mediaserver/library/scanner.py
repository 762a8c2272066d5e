"""A scan: compare folders with what the index knows, read what is new or changed, write it down.

The walk (:mod:`.scanning.walk`) costs a ``stat`` a file and reads nothing that is unchanged: same
size and same time of last change, to the nanosecond. Found and changed files stream through the
reader pool while the walk goes on; what comes back is written in batches
(:mod:`.scanning.outbox`). A scan that is cut short has lost its last second, and the next one
does not read again what is committed.

A file that vanished at one place and turned up at another keeps its key
(:mod:`.scanning.moves`). Files are removed last, and only where their folder could be listed from
end to end: what the system refuses to tell (EACCES, EIO, EMFILE, ESTALE) is unknown, not gone
(security.md F9).

Everything runs in the writer thread.
"""

import contextlib
import errno
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from mediaserver.library.disks import NO_ANSWER, Disks, NoAnswer
from mediaserver.library.indexer import Batch, Indexer, KnownRoot
from mediaserver.library.objects import MediaFacts
from mediaserver.library.readers.naming import clean
from mediaserver.library.readers.pool import TOO_LONG
from mediaserver.library.roots import RootState, Rules, look
from mediaserver.library.scanning.folder_tree import AskedTree, FolderTree, LoadedTree, NamesIn
from mediaserver.library.scanning.moves import Moves
from mediaserver.library.scanning.outbox import Outbox
from mediaserver.library.scanning.turns import Turns
from mediaserver.library.scanning.walk import REFUSALS, Finding, Target, Walk

logger = logging.getLogger(__name__)

QUEUE = 20_000
"""Files found and not read yet, beyond which the walk waits for the readers."""
STALL_SECONDS = 0.5
"""How long the walk may search for another file while the readers have less than they can take."""
PROGRESS_SECONDS = 0.2
RATE_SECONDS = 5.0
"""Over which the current rate is measured."""
TELLING = 0.01
"""Part of the folders that must have been looked at to guess at the others."""

_END = object()
_VANISHED = clean(os.strerror(errno.ENOENT))


class Reads(Protocol):
    """What reads files: :class:`mediaserver.library.readers.pool.ReaderPool`."""

    def map(self, paths: Iterable[bytes]) -> Generator[tuple[bytes, MediaFacts], None, None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanProgress:
    """Where a scan is."""

    seen: int = 0
    """Media files met."""
    read: int = 0
    pending: int = 0
    """Met and waiting to be read."""
    walking: bool = True
    """There may be more: ``pending`` still grows."""
    files_per_second: float = 0.0
    """Read, of late."""
    walked: float = 0.0
    """The part of the folders that has been looked at, from 0 to 1; an estimate."""
    seconds: float = 0.0
    """Since the scan began."""
    folder: bytes = b""
    """The one that was looked at last; absolute."""

    @property
    def expected(self) -> int | None:
        """How many files will have been read in the end, as far as can be told; an estimate
        while ``walking``. None while nobody can tell."""
        found = self.read + self.pending
        if not self.walking:
            return found
        return round(found / self.walked) if self.walked >= TELLING and found else None

    @property
    def remaining_seconds(self) -> float | None:
        """None while nobody can tell."""
        walk = 0.0
        if self.walking:
            if self.walked < TELLING:
                return None
            walk = self.seconds * (1 - self.walked) / self.walked
        left = (self.expected or 0) - self.read
        if left and not self.files_per_second:
            return None
        return max(walk, left / self.files_per_second if left else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSummary:
    """What a scan found."""

    seen: int = 0
    """Media files."""
    added: int = 0
    """Media files and playlists."""
    changed: int = 0
    """Read again."""
    moved: int = 0
    removed: int = 0
    """Files and folders."""
    unreadable: int = 0
    """Of those read."""
    seconds: float = 0.0
    complete: bool = True
    """Not cut short."""
    unsettled: frozenset[bytes] = frozenset()
    """Folders (absolute) with files that are being written: to be scanned again."""
    troubled: dict[bytes, str] = field(default_factory=dict)
    """Folders (absolute) where the system refused something, and what it said."""
    refused: dict[bytes, set[bytes]] = field(default_factory=dict)
    """By those folders what was refused: files, or the folder itself."""
    unavailable: dict[bytes, str] = field(default_factory=dict)
    """Roots that could not be scanned, and why."""


class Scanner:
    """Scans for one index, one at a time.

    ``quiet_seconds``: a file changed since then is not read yet; it may be growing.
    """

    def __init__(
        self,
        indexer: Indexer,
        pool: Reads,
        rules: Rules,
        *,
        disks: Disks | None = None,
        quiet_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.indexer = indexer
        self.pool = pool
        self.rules = rules
        self.disks = disks or Disks()
        self.quiet_seconds = quiet_seconds
        self.clock = clock
        self.now_ns = now_ns

    def scan(
        self,
        targets: Sequence[Target],
        *,
        settle: bool = True,
        progress: Callable[[ScanProgress], None] = lambda progress: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> ScanSummary:
        """Scan folders. ``settle`` False: also read files that may still be growing.

        Raises what the index raises when it cannot be written, and ReaderPoolError.
        """
        whole = any(target.deep and not target.path for target in targets)
        known = LoadedTree(self.indexer) if whole else AskedTree(self.indexer)
        return _Scan(self, known, settle, progress, stopped).run(targets)


class _Scan:
    def __init__(
        self,
        scanner: Scanner,
        known: FolderTree,
        settle: bool,
        progress: Callable[[ScanProgress], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._indexer = scanner.indexer
        self._pool = scanner.pool
        self._stopped = stopped
        self._clock = scanner.clock
        self._known = known
        self._roots = {root.path: root for root in scanner.indexer.roots()}
        self._states: dict[bytes, str | None] = {}
        self._disks = scanner.disks
        self._outbox = Outbox(scanner.indexer, scanner.clock)
        self._moves = Moves(
            scanner.indexer, self._known, scanner.rules, self._disks, self._is_available
        )
        self._walk = Walk(
            scanner.indexer,
            self._known,
            self._moves,
            scanner.rules,
            self._disks,
            self._outbox,
            quiet_ns=int(scanner.quiet_seconds * 1e9) if settle else 0,
            now_ns=scanner.now_ns,
        )
        self._report = _Report(progress, scanner.clock)
        self._reading: dict[bytes, Finding] = {}
        self._turns = Turns()
        self._walking = True
        self._asked = False
        """The pool has asked for paths."""
        self._read = self._added = self._changed = self._removed = self._unreadable = 0

    def run(self, targets: Sequence[Target]) -> ScanSummary:
        started = self._clock()
        wanted = [target for target in targets if self._is_available(target.root.path)]
        try:
            complete = self._read_all(wanted)
            if complete:
                complete = self._walk.playlists.write(self._stopped)
            if complete:
                self._remove_gone()
                self._note_scanned(wanted)
        finally:
            self._outbox.flush()
        self._tell(force=True)
        playlists = self._walk.playlists
        return ScanSummary(
            seen=self._walk.seen,
            added=self._added + playlists.added,
            changed=self._changed + playlists.changed,
            moved=self._moves.count,
            removed=self._removed + playlists.removed,
            unreadable=self._unreadable,
            seconds=self._clock() - started,
            complete=complete,
            unsettled=frozenset(self._walk.unsettled),
            troubled=self._walk.troubled | playlists.troubled,
            refused=self._walk.refused,
            unavailable={path: reason for path, reason in self._states.items() if reason},
        )

    # ---- roots

    def _is_available(self, path: bytes) -> bool:
        """Whether a root is there; looked at once a scan, and noted when it has changed."""
        if path not in self._states:
            root = self._roots.get(path)
            if root is None:
                return False
            self._known.load(root.root_id)
            top = self._known.get(root.root_id, b"")
            names = NamesIn(self._indexer, top) if top is not None else ()
            state = self._look(root, names)
            self._states[path] = state.reason
            if not state.certain:
                self._walk.troubled[path] = state.reason or ""
                return False
            available = state.device is not None
            device = state.device if available else root.device
            changed = (available, state.reason, device) != (
                root.available,
                root.reason,
                root.device,
            )
            if changed or not available:
                # Also what is left to be hidden where the program was stopped meanwhile.
                self._outbox.flush()
                self._indexer.set_root(
                    root.root_id,
                    available=available,
                    reason=state.reason,
                    device=device,
                    stopped=self._stopped,
                )
            if changed:
                if not available:
                    logger.warning("media root %s: %s", os.fsdecode(path), state.reason)
                elif not root.available:
                    logger.info("media root %s is there again", os.fsdecode(path))
        return self._states[path] is None

    def _look(self, root: KnownRoot, names: Collection[bytes]) -> RootState:
        try:
            state = self._disks.ask(
                root.path, partial(look, root.path, device=root.device, known=names)
            )
        except NoAnswer:
            return RootState(None, NO_ANSWER)
        before, now = root.device, state.device
        if state.familiar and before is not None and now is not None and before != now:
            self._moves.mounted_anew(before, now)
        return state

    def _note_scanned(self, targets: Sequence[Target]) -> None:
        for target in targets:
            root = target.root
            whole = target.deep and not target.path and not self._disks.hangs(root.path)
            if whole and not self._roots[root.path].scanned:
                self._outbox.add(partial(Batch.root_scanned, root_id=root.root_id))

    # ---- reading

    def _read_all(self, targets: Sequence[Target]) -> bool:
        """Walk and read; whether it came to the end."""
        walk = self._walk.steps(targets)
        while self._walking or self._walk.found:
            self._asked = False
            with contextlib.closing(self._pool.map(self._paths(walk))) as answers:
                for path, facts in answers:
                    finding = self._reading.pop(path)
                    for each in self._turns.answered(finding, facts):
                        self._take(*each)
                    self._tell()
                    if self._stopped():
                        return False
                    if self._disks.hangs(finding.folder.root.path):
                        # The readers may wait for more of it; they are not waited for.
                        self._walk.found.extendleft(reversed(self._reading.values()))
                        self._reading.clear()
                        for each in self._turns.give_up():
                            self._take(*each)
                        break
            if self._stopped() or self._reading or not self._asked:
                # Stopped, or the pool has been closed: it owes us answers, or asks for nothing.
                return False
        return True

    def _paths(self, walk: Iterator[None]) -> Iterator[bytes]:
        """The paths of found files, the walk always a little ahead of the readers.

        Ends early, to be called again, when the walk finds nothing for a while: the readers
        would hold back what they have until their message is full.
        """
        found = self._walk.found
        waiting_since: float | None = None
        self._asked = True
        while True:
            if self._walking and len(found) < QUEUE:
                self._walking = next(walk, _END) is not _END
                self._tell()
            if self._stopped():
                return
            if found:
                waiting_since = None
                finding = found.popleft()
                if self._disks.hangs(finding.folder.root.path):
                    continue
                path = finding.path
                self._reading[path] = finding
                self._turns.asked(finding)
                yield path
            elif not self._walking:
                return
            elif self._reading:
                now = self._clock()
                waiting_since = now if waiting_since is None else waiting_since
                if now - waiting_since >= STALL_SECONDS:
                    return

    def _take(self, finding: Finding, facts: MediaFacts) -> None:
        """Facts have come: on to the index with them."""
        self._read += 1
        if facts.reason == _VANISHED:
            return
        if facts.reason is not None and not self._is_its_own(finding, facts.reason):
            self._walk.troubled[finding.folder.absolute] = NO_ANSWER
            return
        if facts.reason is not None:
            self._unreadable += 1
            if finding.known is None or finding.known.reason != clean(facts.reason):
                logger.info("%s cannot be read: %s", os.fsdecode(finding.path), facts.reason)
            if facts.reason in REFUSALS:
                self._walk.refuse(finding.folder.absolute, facts.reason, finding.path)
        known = finding.known
        moved = None
        if known is None and self._known.any:
            moved = self._moves.file_by_fingerprint(facts.fingerprint, finding.path)
        if moved is None:
            self._added += known is None
            self._changed += known is not None
        key = moved.key if moved is not None else None
        folder, name, status = finding.folder, finding.name, finding.status

        def write(batch: Batch) -> None:
            home = folder.ensure(batch)
            if key is not None:
                batch.move_item(key, home, name, status)
            batch.put_item(home, name, status, facts)

        self._outbox.add(write)

    def _is_its_own(self, finding: Finding, reason: str) -> bool:
        """Whether the reason lies with the file that was given up, and not with its disk."""
        if reason != NO_ANSWER and not reason.startswith(TOO_LONG):
            return True
        root, path = finding.folder.root.path, finding.path
        try:
            self._disks.ask(path, partial(_open_once, path), hurry=True)
        except NoAnswer:
            with contextlib.suppress(OSError):
                self._disks.ask(root, partial(os.stat, root))
            return False
        except OSError:
            pass
        return True

    # ---- the end

    def _remove_gone(self) -> None:
        files = self._walk.gone_files - self._moves.files
        folders = self._walk.gone_folders - self._moves.folders
        self._removed = len(files) + len(folders)
        for key in files:
            self._outbox.add(partial(_remove, remove=Batch.remove_item, key=key))
        for key in folders:
            self._outbox.add(partial(_remove, remove=Batch.remove_folder, key=key))

    def _tell(self, *, force: bool = False) -> None:
        self._report.tell(
            force,
            seen=self._walk.seen,
            read=self._read,
            pending=len(self._walk.found) + len(self._reading),
            walking=self._walking,
            walked=self._walk.walked,
            folder=self._walk.folder,
        )


def _open_once(path: bytes) -> None:
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))


def _remove(batch: Batch, *, remove: Callable[[Batch, int], None], key: int) -> None:
    # It may have gone already, with a folder above it.
    with contextlib.suppress(KeyError):
        remove(batch, key)


class _Report:
    """Progress, told a few times a second."""

    def __init__(self, tell: Callable[[ScanProgress], None], clock: Callable[[], float]) -> None:
        self._tell = tell
        self._clock = clock
        self._began = clock()
        self._next = self._began + PROGRESS_SECONDS
        self._samples: deque[tuple[float, int]] = deque()

    def tell(
        self,
        force: bool,
        *,
        seen: int,
        read: int,
        pending: int,
        walking: bool,
        walked: float,
        folder: bytes,
    ) -> None:
        now = self._clock()
        if now < self._next and not force:
            return
        self._next = now + PROGRESS_SECONDS
        samples = self._samples
        samples.append((now, read))
        while samples[0][0] < now - RATE_SECONDS:
            samples.popleft()
        elapsed = now - samples[0][0]
        self._tell(
            ScanProgress(
                seen=seen,
                read=read,
                pending=pending,
                walking=walking,
                files_per_second=(read - samples[0][1]) / elapsed if elapsed > 0 else 0.0,
                walked=walked,
                seconds=now - self._began,
                folder=folder,
            )
        )
