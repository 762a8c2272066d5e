"""What waits to be scanned: merged while another scan runs, then made into targets."""

from collections.abc import Sequence
from dataclasses import dataclass, field

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
