"""What waits to be scanned: merged while another scan runs, then made into targets."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from mediaserver.library.errors import NotInLibrary
from mediaserver.library.indexer import KnownRoot
from mediaserver.library.roots import Rules, relative
from mediaserver.library.scanning.walk import Target
from mediaserver.library.watching.gathering import Gathered


@dataclass(slots=True)
class Requests:
    """Absolute paths. ``trees`` are scanned with all that is below them, ``folders`` alone."""

    everything: bool = False
    trees: set[bytes] = field(default_factory=set)
    folders: set[bytes] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.everything or self.trees or self.folders)

    def add(self, gathered: Gathered) -> None:
        self.everything = self.everything or gathered.everything
        self.folders |= gathered.folders

    def add_named(self, path: bytes, roots: Sequence[bytes], rules: Rules) -> bytes:
        """Add a path that somebody has named: a folder with all that is below it, or the folder
        that a file is in; of what is not there, the nearest one that is. What is scanned now;
        blocks, as disks do. Raises NotInLibrary."""
        folder = _in_a_root(path, roots, rules)
        if folder in roots or os.path.isdir(folder):  # noqa: PTH112 - a path of bytes
            self.trees.add(folder)
            return folder
        while folder not in roots and not os.path.isdir(folder):  # noqa: PTH112 - a path of bytes
            folder = folder.rpartition(b"/")[0]
        self.folders.add(folder)
        return folder

    def merge(self, other: "Requests") -> None:
        self.everything = self.everything or other.everything
        self.trees |= other.trees
        self.folders |= other.folders

    def cover(self, folder: bytes) -> bool:
        """Whether a folder (absolute) is among what is to be scanned."""
        return (
            self.everything
            or folder in self.folders
            or folder in self.trees
            or _lies_in(folder, self.trees)
        )

    def targets(self, roots: Sequence[KnownRoot], rules: Rules) -> list[Target]:
        """Each folder once, in the order of roots and paths."""
        by_path = {root.path: root for root in roots}
        trees = set(by_path) if self.everything else self.trees
        trees = {path for path in trees if not _lies_in(path, trees)}
        folders = {path for path in self.folders if path not in trees and not _lies_in(path, trees)}
        targets = []
        for path in trees | folders:
            located = rules.locate(path)
            if located is not None and located[0] in by_path:
                targets.append(Target(by_path[located[0]], located[1], deep=path in trees))
        return sorted(targets, key=lambda target: (target.root.root_id, target.path))


def _lies_in(path: bytes, trees: set[bytes]) -> bool:
    return any(tree != path and relative(tree, path) is not None for tree in trees)


def _in_a_root(path: bytes, roots: Sequence[bytes], rules: Rules) -> bytes:
    """The path as the library has it, whatever links it was named by. Raises NotInLibrary."""
    if not path.startswith(b"/") or b"\0" in path:
        raise NotInLibrary(path, "it is not an absolute path")
    named = os.path.normpath(path)
    real = os.path.realpath(named)
    if any(relative(os.path.realpath(root), real) is not None for root in roots):
        for root in roots:
            inside = relative(root, named)
            if inside is None:
                inside = relative(os.path.realpath(root), real)
            if inside is None:
                continue
            exclusion = rules.by_path(inside)
            if exclusion is not None:
                raise NotInLibrary(path, f"it is left out: {exclusion.reason}")
            return os.path.join(root, inside) if inside else root  # noqa: PTH118 - paths of bytes
    known = ", ".join(os.fsdecode(root) for root in roots) or "there are none"
    raise NotInLibrary(path, f"it is in none of the media roots ({known})")
