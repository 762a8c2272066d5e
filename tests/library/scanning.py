"""A media root, an index and a scanner, for tests of what happens to files.

::

    scene = Scene(tmp_path)
    scene.sound("Album/one.wav")
    scene.scan()
    assert scene.files() == {"Album/one.wav"}
"""

import os
import struct
import wave
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

from mediaserver.library.database import Database
from mediaserver.library.indexer import Indexer, KnownFile
from mediaserver.library.objects import Change, MediaFacts
from mediaserver.library.readers import read
from mediaserver.library.roots import Rules
from mediaserver.library.scanner import Scanner, ScanProgress, ScanSummary
from mediaserver.library.scanning.walk import Target


class Readers:
    """Reads in this process, as the pool does in others; remembers the names of what it read."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.before: Callable[[bytes], None] = lambda path: None
        """Called with each path before it is read."""

    def map(self, paths: Iterable[bytes]) -> Generator[tuple[bytes, MediaFacts], None, None]:
        for path in paths:
            self.before(path)
            self.names.append(os.fsdecode(os.path.basename(path)))  # noqa: PTH119 - bytes
            yield path, read(path)


class Scene:
    """``root`` is scanned into an index beside it; :attr:`readers` tells what was read."""

    def __init__(
        self,
        folder: Path,
        *,
        roots: tuple[str, ...] = ("media",),
        ignore: tuple[str, ...] = (),
        follow_links: bool = False,
        quiet_seconds: float = 2.0,
    ) -> None:
        self.roots = [folder / name for name in roots]
        for root in self.roots:
            root.mkdir(exist_ok=True)
        self.root = self.roots[0]
        self.readers = Readers()
        self.changes: list[Change] = []
        self.now_ns = 0
        """What the scanner takes for now; 0: no file has been changed lately."""
        self.database = Database(folder / "index.sqlite")
        self.database.open()
        self.indexer = Indexer(self.database, on_change=self.changes.append)
        self.rules = Rules(
            [os.fsencode(root) for root in self.roots], ignore=ignore, follow_links=follow_links
        )
        self.scanner = Scanner(
            self.indexer,
            self.readers,
            self.rules,
            quiet_seconds=quiet_seconds,
            now_ns=lambda: self.now_ns,
        )
        with self.indexer.batch() as batch:
            for root in self.roots:
                batch.put_root(os.fsencode(root), root.name)

    def close(self) -> None:
        self.database.close()

    def scan(
        self,
        *folders: str,
        deep: bool = False,
        settle: bool = True,
        progress: Callable[[ScanProgress], None] = lambda progress: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> ScanSummary:
        """Scan all roots, or only folders of the first one."""
        self.readers.names.clear()
        roots = self.indexer.roots()
        targets = [Target(root) for root in roots]
        if folders:
            targets = [Target(roots[0], os.fsencode(folder), deep) for folder in folders]
        return self.scanner.scan(targets, settle=settle, progress=progress, stopped=stopped)

    def known(self) -> dict[str, KnownFile]:
        """What the index holds, by path: below the root's name where there are several."""
        found = {}
        for root in self.indexer.roots():
            base = Path(os.fsdecode(root.path))
            for folder in self.indexer.known_folders(root.root_id).values():
                for name, file in self.indexer.known_files(folder.key).items():
                    path = base / os.fsdecode(folder.path) / os.fsdecode(name)
                    start = self.root if len(self.roots) == 1 else self.root.parent
                    found[str(path.relative_to(start))] = file
        return found

    def files(self) -> set[str]:
        return set(self.known())

    def folders(self) -> dict[str, int]:
        """Keys of the first root's folders by path."""
        root = self.indexer.roots()[0]
        known = self.indexer.known_folders(root.root_id)
        return {os.fsdecode(path): folder.key for path, folder in known.items()}

    def sound(self, path: str, *, value: int | None = None, root: Path | None = None) -> Path:
        """A WAV file whose contents are ``value``'s alone; without one, its path's."""
        target = (root or self.root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        number = sum(path.encode()) * 31 + len(path) if value is None else value
        with wave.open(str(target), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(struct.pack("<h", number % 30000) * 400)
        return target
