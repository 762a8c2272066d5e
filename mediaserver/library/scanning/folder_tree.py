"""The folders of roots as the index knows them: what a walk compares the disk with."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import chain
from typing import Protocol

from mediaserver.library.indexer import NO_SIDECARS, ArtFile, Indexer, KnownFolder, Sidecars
from mediaserver.library.roots import join


class FolderTree(Protocol):
    """What is known of folders, at any moment of a scan that moves them about."""

    any: bool
    """Whether there was any folder in the index when the scan began."""

    def load(self, root_id: int) -> None:
        """Before anything else is asked of a root."""

    def get(self, root_id: int, path: bytes) -> KnownFolder | None:
        """A folder by its path relative to its root."""

    def below(self, key: int) -> dict[bytes, KnownFolder]:
        """The folders directly in a folder, by their names."""

    def art(self, key: int) -> ArtFile | None: ...

    def sidecars(self, key: int) -> Sidecars: ...

    def moved(self, folder: KnownFolder, root_id: int, path: bytes, parent: int) -> None:
        """The folder is at another place, with all below it; so the index has it already."""


class AskedTree:
    """Asks the index each time. For scans of few folders: what they cost does not depend on how
    many others there are."""

    def __init__(self, indexer: Indexer) -> None:
        self._indexer = indexer
        self.any = indexer.has_folders

    def load(self, root_id: int) -> None:
        pass

    def get(self, root_id: int, path: bytes) -> KnownFolder | None:
        return self._indexer.folder(root_id, path)

    def below(self, key: int) -> dict[bytes, KnownFolder]:
        return {_name(folder): folder for folder in self._indexer.folders_in(key)}

    def art(self, key: int) -> ArtFile | None:
        return self._indexer.art_of_folder(key)

    def sidecars(self, key: int) -> Sidecars:
        return self._indexer.sidecars_of_folder(key)

    def moved(self, folder: KnownFolder, root_id: int, path: bytes, parent: int) -> None:
        pass


class LoadedTree:
    """Loads root by root, in few statements. For scans of whole roots."""

    def __init__(self, indexer: Indexer) -> None:
        self._indexer = indexer
        self._by_path: dict[int, dict[bytes, KnownFolder]] = {}
        self._below: dict[int, dict[int, KnownFolder]] = {}
        self._art: dict[int, ArtFile] = {}
        self._sidecars: dict[int, Sidecars] = {}
        self.any = indexer.has_folders

    def load(self, root_id: int) -> None:
        if root_id in self._by_path:
            return
        folders = self._indexer.known_folders(root_id)
        self._by_path[root_id] = folders
        for folder in folders.values():
            if folder.parent is not None:
                self._below.setdefault(folder.parent, {})[folder.key] = folder
        self._art.update(self._indexer.folder_art(root_id))
        self._sidecars.update(self._indexer.sidecars(root_id))

    def get(self, root_id: int, path: bytes) -> KnownFolder | None:
        return self._by_path[root_id].get(path)

    def below(self, key: int) -> dict[bytes, KnownFolder]:
        return {_name(folder): folder for folder in self._below.get(key, {}).values()}

    def art(self, key: int) -> ArtFile | None:
        return self._art.get(key)

    def sidecars(self, key: int) -> Sidecars:
        return self._sidecars.get(key, NO_SIDECARS)

    def moved(self, folder: KnownFolder, root_id: int, path: bytes, parent: int) -> None:
        tree = list(self._tree(folder))
        if folder.parent is not None:
            self._below[folder.parent].pop(folder.key, None)
        for one in tree:
            del self._by_path[one.root_id][one.path]
        for one in tree:
            new = replace(one, root_id=root_id, path=path + one.path[len(folder.path) :])
            if one.key == folder.key:
                new = replace(new, parent=parent)
            self._by_path[root_id][new.path] = new
            if new.parent is not None:
                self._below.setdefault(new.parent, {})[new.key] = new

    def _tree(self, folder: KnownFolder) -> Iterator[KnownFolder]:
        yield folder
        for one in list(self._below.get(folder.key, {}).values()):
            yield from self._tree(one)


class NamesIn(Collection[bytes]):
    """The names of all that is known directly in a folder; whether one is among them is asked
    one by one, as the first one mostly tells."""

    def __init__(self, indexer: Indexer, folder: KnownFolder) -> None:
        self._indexer = indexer
        self._folder = folder

    def __contains__(self, name: object) -> bool:
        key, root_id = self._folder.key, self._folder.root_id
        return isinstance(name, bytes) and (
            self._indexer.folder(root_id, join(self._folder.path, name)) is not None
            or self._indexer.file(key, name) is not None
            or self._indexer.playlist(key, name) is not None
        )

    def __iter__(self) -> Iterator[bytes]:
        key = self._folder.key
        return chain(
            (_name(folder) for folder in self._indexer.folders_in(key)),
            self._indexer.known_files(key),
            self._indexer.known_playlists(key),
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _name(folder: KnownFolder) -> bytes:
    return folder.path.rpartition(b"/")[2]
