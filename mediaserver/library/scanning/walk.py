"""The walk of a scan: folders on disk beside folders in the index, and what differs.

Found and changed files go to :attr:`Walk.found`, to be read; moves and art to the outbox; what is
gone waits for the end of the scan, as it may yet turn up elsewhere. A folder that has moved keeps
its key, and nothing in it is read again.
"""

import contextlib
import errno
import logging
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from mediaserver.library.disks import NO_ANSWER, Disks, NoAnswer
from mediaserver.library.indexer import (
    Batch,
    FileStatus,
    Indexer,
    KnownFile,
    KnownFolder,
    KnownPlaylist,
    KnownRoot,
)
from mediaserver.library.names.subtitles import home_of
from mediaserver.library.readers.naming import clean
from mediaserver.library.roots import MAX_DEPTH, TOO_DEEP, Rules, explain_error, join
from mediaserver.library.scanning.folder_tree import FolderTree
from mediaserver.library.scanning.listing import STEP, Identity, Listing, advance, listed
from mediaserver.library.scanning.moves import Moves
from mediaserver.library.scanning.outbox import Outbox
from mediaserver.library.scanning.playlists import FoundPlaylist, PlaylistFiles
from mediaserver.library.scanning.sidecars import SidecarFiles

logger = logging.getLogger(__name__)

AHEAD_NS = 1_000_000_000
"""How far in the future a change may lie and still count as one of just now."""

REFUSALS = frozenset({NO_ANSWER, *(clean(os.strerror(number)) for number in errno.errorcode)})
"""Reasons that lie with the system and not with the file: worth another try at each scan."""


@dataclass(frozen=True, slots=True)
class Target:
    """A folder to scan, by its path relative to its root. ``deep``: with all that is below it;
    otherwise with those folders below it that are new."""

    root: KnownRoot
    path: bytes = b""
    deep: bool = True


@dataclass(slots=True, eq=False)
class Node:
    """A folder on the walk; it gets into the index when something of it does."""

    root: KnownRoot
    path: bytes
    parent: "Node | None"
    identity: Identity
    mtime_ns: int
    linked: bool = False
    """It, or one above it, was reached through a symbolic link."""
    key: int | None = None
    device: int | None = None
    """As the index has it."""
    renewed: bool = False
    """Known, but to be written again: another device or inode."""

    @property
    def absolute(self) -> bytes:
        return os.path.join(self.root.path, self.path) if self.path else self.root.path  # noqa: PTH118

    def ensure(self, batch: Batch) -> int:
        """Its key, once it and those above it are in the index."""
        if self.key is None or self.renewed:
            parent = self.parent.ensure(batch) if self.parent is not None else None
            device, inode = self.identity
            self.key = batch.put_folder(
                self.root.root_id,
                self.path,
                parent=parent,
                device=device,
                inode=inode,
                mtime_ns=self.mtime_ns,
            )
            self.renewed = False
        return self.key

    def identities(self) -> frozenset[Identity]:
        """Of itself and all above it."""
        found = []
        node: Node | None = self
        while node is not None:
            found.append(node.identity)
            node = node.parent
        return frozenset(found)


@dataclass(slots=True, eq=False)
class Finding:
    """A file to be read. ``known``: the index has it, as it was before."""

    folder: Node
    name: bytes
    status: FileStatus
    known: KnownFile | None

    @property
    def path(self) -> bytes:
        return self.folder.absolute + b"/" + self.name


def _with_homes(targets: Iterable[Target]) -> Iterator[Target]:
    """After them the folders that hold a folder of subtitles among them: their videos have
    changed."""
    homes = []
    for target in targets:
        yield target
        home = home_of(target.path)
        if home is not None:
            homes.append(Target(target.root, home, deep=False))
    yield from homes


def _status_of_no_link(path: bytes) -> os.stat_result | None:
    return None if os.path.islink(path) else os.stat(path)  # noqa: PTH114, PTH116 - bytes


def _noted(node: Node, known: KnownFolder | None) -> Node:
    """The node, once it is noted there what the index knows of it."""
    if known is not None:
        node.key = known.key
        node.device = known.device
        node.renewed = (known.device, known.inode) != node.identity
    return node


class Walk:
    """One walk over targets whose roots are available.

    Files changed less than ``quiet_ns`` ago may still be written to: they are left for later.
    """

    def __init__(
        self,
        indexer: Indexer,
        known: FolderTree,
        moves: Moves,
        rules: Rules,
        disks: Disks,
        outbox: Outbox,
        *,
        quiet_ns: int,
        now_ns: Callable[[], int],
    ) -> None:
        self._indexer = indexer
        self._known = known
        self._moves = moves
        self._rules = rules
        self._disks = disks
        self._outbox = outbox
        self._quiet_ns = quiet_ns
        self._now_ns = now_ns
        self._sidecars = SidecarFiles(known, rules, disks, outbox)
        self.playlists = PlaylistFiles(indexer, moves, disks, outbox, REFUSALS)
        self.found: deque[Finding] = deque()
        self.gone_files: set[int] = set()
        self.gone_folders: set[int] = set()
        self.seen = 0
        """Media files."""
        self.folder = b""
        """The one looked at last."""
        self.walked = 0.0
        """The part of the walk that is done: each folder counts as much as its neighbours."""
        self.unsettled: set[bytes] = set()
        """Folders with files that are being written."""
        self.troubled: dict[bytes, str] = {}
        """Folders that the system would not show as a whole, or with files that it refused."""
        self.refused: dict[bytes, set[bytes]] = {}
        """By folder what was refused: files, or itself."""

    def steps(self, targets: Iterable[Target]) -> Iterator[None]:
        """Walk; a step is a folder, or some part of one that has very much in it.

        Each is looked at once: one that is new comes with the folder it is in, and may be a
        target of its own as well.
        """
        visited: set[bytes] = set()
        targets = list(_with_homes(targets))
        for done, target in enumerate(targets):
            self.walked = done / len(targets)
            start = self._start(target)
            if start is None:
                continue
            stack = [(*start, 1 / len(targets))]
            while stack:
                node, deep, share = stack.pop()
                below: list[tuple[Node, bool]] = []
                if node.absolute not in visited:
                    visited.add(node.absolute)
                    below = yield from self._visit(node, deep)
                    if self._disks.hangs(target.root.path):
                        self.troubled[target.root.path] = NO_ANSWER
                        break
                if below:
                    stack.extend((*one, share / len(below)) for one in reversed(below))
                else:
                    self.walked += share
                yield

    def refuse(self, folder: bytes, reason: str, path: bytes) -> None:
        """Note that something at or in a folder was refused."""
        self.troubled[folder] = reason
        self.refused.setdefault(folder, set()).add(path)

    def _start(self, target: Target) -> tuple[Node, bool] | None:
        """Where to begin; of what has vanished in the nearest folder that is there."""
        if self._rules.by_path(target.path) is not None:
            return None
        node, path, deep = None, b"", target.deep
        for name in (b"", *(target.path.split(b"/") if target.path else ())):
            path = join(path, name) if name else b""
            absolute = os.path.join(target.root.path, path) if path else target.root.path  # noqa: PTH118
            # Of a link the folder that holds it knows whether it is to be followed.
            look = os.stat if node is None else _status_of_no_link
            try:
                status = self._disks.ask(absolute, partial(look, absolute))
            except (FileNotFoundError, NotADirectoryError):
                status = None
            except OSError as error:
                self.refuse(absolute, explain_error(absolute, error), absolute)
                return None
            if status is None:
                deep = False
                break
            identity = (status.st_dev, status.st_ino)
            node = self._node(Node(target.root, path, node, identity, status.st_mtime_ns))
        return (node, deep) if node is not None else None

    def _node(self, node: Node) -> Node:
        return _noted(node, self._known.get(node.root.root_id, node.path))

    def _visit(self, node: Node, deep: bool) -> Generator[None, None, list[tuple[Node, bool]]]:
        """Look at one folder; the folders in it to visit, in order of their names."""
        self.folder = node.absolute
        above = node.identities() if self._rules.follow_links else frozenset[Identity]()
        steps = listed(self.folder, node.path, self._rules, above=above, linked=node.linked)
        listing = yield from self._listed(node, steps)
        if listing.folders and node.path.count(b"/") + 1 >= MAX_DEPTH:
            logger.warning("%s: %s", os.fsdecode(self.folder), TOO_DEEP.reason)
            listing.folders.clear()
        files = self._indexer.known_files(node.key) if node.key is not None else {}
        folders = self._known.below(node.key) if node.key is not None else {}
        playlists = self.playlists.known(node.key)
        known = {*files, *folders, *playlists}
        if listing.error is None and known and self._is_unmounted(node, listing):
            listing.error = "it is empty, and on another file system than before: not mounted?"
        if listing.error is not None:
            self.refuse(self.folder, listing.error, self.folder)
        elif node.renewed:
            self._note_device(node, listing, known)
            self._outbox.add(node.ensure)
        yield from self._compare_files(node, listing, files)
        self._compare_playlists(node, listing, playlists)
        if listing.error is None:
            self._note_gone(listing, files, folders)
            self.playlists.note_gone(playlists, listing.playlists.keys() | listing.unknown)
            self._sidecars.compare(node, listing)
        self._outbox.flush_if_due()
        return self._folders_below(node, listing, folders, deep)

    def _listed(
        self, node: Node, steps: Generator[None, None, Listing]
    ) -> Generator[None, None, Listing]:
        """The folder looked at, listed step by step."""
        try:
            while (listing := self._disks.ask(node.absolute, partial(advance, steps))) is None:
                yield
        except NoAnswer:
            # Whether it is this folder alone, or the whole root, which is not to be asked then.
            with contextlib.suppress(OSError):
                self._disks.ask(node.root.path, partial(os.stat, node.root.path))
            return Listing(error=NO_ANSWER)
        return listing

    def _is_unmounted(self, node: Node, listing: Listing) -> bool:
        """Whether a folder that held something is a mount point with nothing mounted on it."""
        return listing.empty and node.device != node.identity[0]

    def _note_device(self, node: Node, listing: Listing, known: set[bytes]) -> None:
        before, now = node.device, node.identity[0]
        there = listing.files.keys() | listing.folders.keys() | listing.playlists.keys()
        if before is not None and before != now and not known.isdisjoint(there):
            self._moves.mounted_anew(before, now)

    # ---- files

    def _compare_files(
        self, node: Node, listing: Listing, known_files: dict[bytes, KnownFile]
    ) -> Iterator[None]:
        self.seen += len(listing.files)
        for number, name in enumerate(sorted(listing.files), 1):
            if not number % STEP:
                yield
            status = listing.files[name]
            known = known_files.get(name)
            if known is not None:
                before = known.status
                same = before.mtime_ns == status.mtime_ns and before.size == status.size
                if same and (known.reason is None or known.reason not in REFUSALS):
                    if before.device != status.device:
                        # Mounted anew; whether it moves is told by its device later.
                        self._outbox.add(partial(Batch.set_identity, key=known.key, status=status))
                    continue
            if self._may_grow(status):
                continue
            if known is None and self._known.any:
                moved = self._moves.file_by_inode(status)
                if moved is not None:
                    self._move_file(moved.key, node, name, status)
                    continue
            self.found.append(Finding(node, name, status, known))

    def _may_grow(self, status: FileStatus) -> bool:
        """Whether a file in the folder that is looked at may still be written to."""
        growing = -AHEAD_NS <= self._now_ns() - status.mtime_ns < self._quiet_ns
        if growing:
            self.unsettled.add(self.folder)
        return growing

    def _compare_playlists(
        self, node: Node, listing: Listing, known: dict[bytes, KnownPlaylist]
    ) -> None:
        for name, status in listing.playlists.items():
            before = known.get(name)
            if before is not None and self.playlists.is_same(before, status):
                if before.status.device != status.device:
                    put = partial(Batch.set_playlist_identity, key=before.key, status=status)
                    self._outbox.add(put)
            elif not self._may_grow(status):
                path = node.absolute + b"/" + name
                self.playlists.add(FoundPlaylist(path, name, status, before, node.ensure))

    def _move_file(self, key: int, node: Node, name: bytes, status: FileStatus) -> None:
        def move(batch: Batch) -> None:
            batch.move_item(key, node.ensure(batch), name, status)

        self._outbox.add(move)

    def _note_gone(
        self, listing: Listing, files: dict[bytes, KnownFile], folders: dict[bytes, KnownFolder]
    ) -> None:
        for name, file in files.items():
            if name not in listing.files and name not in listing.unknown:
                self.gone_files.add(file.key)
        for name, folder in folders.items():
            if name not in listing.folders and name not in listing.unknown:
                self.gone_folders.add(folder.key)

    # ---- folders

    def _folders_below(
        self, node: Node, listing: Listing, known: dict[bytes, KnownFolder], deep: bool
    ) -> list[tuple[Node, bool]]:
        below = []
        for name, found in sorted(listing.folders.items()):
            path, linked = join(node.path, name), node.linked or found.linked
            child = _noted(
                Node(node.root, path, node, found.identity, found.mtime_ns, linked),
                known.get(name),
            )
            if child.key is None and not child.linked and self._known.any:
                self._move_folder(child)
            elif child.key is not None and not child.renewed and not deep:
                continue
            below.append((child, True))
        return below

    def _move_folder(self, node: Node) -> None:
        """If it is a known folder that has come from elsewhere, it is known here now."""
        known = self._moves.folder_by_inode(node.absolute, *node.identity)
        parent = node.parent
        if known is None or parent is None:
            return
        node.key = known.key

        def move(batch: Batch) -> None:
            batch.move_folder(known.key, node.root.root_id, node.path, parent.ensure(batch))

        self._outbox.add(move)
        # At once: whoever looks for more moves asks the index for paths.
        self._outbox.flush()
        if parent.key is not None:
            self._known.moved(known, node.root.root_id, node.path, parent.key)
