"""The folders of roots as the index knows them, at hand for the length of a scan."""

from collections.abc import Iterator
from dataclasses import replace

from mediaserver.library.indexer import NO_SIDECARS, ArtFile, Indexer, KnownFolder, Sidecars


class FolderTree:
    """Loaded root by root, in few statements; kept right while a scan moves folders."""

    def __init__(self, indexer: Indexer) -> None:
        self._indexer = indexer
        self._by_path: dict[int, dict[bytes, KnownFolder]] = {}
        self._below: dict[int, dict[int, KnownFolder]] = {}
        self._art: dict[int, ArtFile] = {}
        self._sidecars: dict[int, Sidecars] = {}

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

    @property
    def any(self) -> bool:
        return any(self._by_path.values())

    def get(self, root_id: int, path: bytes) -> KnownFolder | None:
        """A folder of a loaded root by its path relative to the root."""
        return self._by_path[root_id].get(path)

    def below(self, key: int) -> list[KnownFolder]:
        """The folders directly in a folder."""
        return list(self._below.get(key, {}).values())

    def names(self, key: int) -> set[bytes]:
        """Of everything known directly in a folder."""
        folders = {folder.path.rpartition(b"/")[2] for folder in self.below(key)}
        playlists = self._indexer.known_playlists(key).keys()
        return folders | self._indexer.known_files(key).keys() | playlists

    def art(self, key: int) -> ArtFile | None:
        return self._art.get(key)

    def sidecars(self, key: int) -> Sidecars:
        return self._sidecars.get(key, NO_SIDECARS)

    def moved(self, folder: KnownFolder, root_id: int, path: bytes, parent: int) -> None:
        """The folder is at another place, with all below it. Both roots are loaded."""
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
        for one in self.below(folder.key):
            yield from self._tree(one)
