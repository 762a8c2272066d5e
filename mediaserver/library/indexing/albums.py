"""Albums whose tracks do not all say whose they are (:mod:`mediaserver.library.albums`).

What holds for such an album stands beside its folder, in ``joined_albums``; most folders have
none. It follows from the rows of the items, and is found again at the end of every batch that
touched one.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

from mediaserver.library.albums import MAX_TRACKS, AlbumTrack, Joined, joined
from mediaserver.library.facets import disc_of_folder
from mediaserver.library.folding import same
from mediaserver.library.indexing.homes import Homes, joined_albums
from mediaserver.library.indexing.items import ItemIndex

_TRACKS = (
    "FROM items WHERE folder_id IN (SELECT value FROM json_each(?)) AND kind = 'audio' "
    "AND album IS NOT NULL AND NOT split"
)


class AlbumIndex:
    """The albums of one batch."""

    def __init__(self, connection: sqlite3.Connection, *, homes: Homes, items: ItemIndex) -> None:
        self._connection = connection
        self._homes = homes
        self._items = items
        self._touched: set[int] = set()
        """Folders that stand for albums and have lost a disc."""

    def finish(self) -> None:
        """Look again at the folders where a track came, changed or went."""
        touched, self._items.albums_touched = self._items.albums_touched, set()
        lost, self._touched = self._touched, set()
        for home in sorted(lost | {self._homes.of(folder).album_home for folder in touched}):
            self._look_at(home)

    def leaves(self, home: int) -> None:
        """A folder, perhaps a disc, goes out of this one, with what is in it."""
        self._touched.add(home)

    def forget(self, folder: int) -> None:
        """The folder is gone."""
        for touched in (self._items.albums_touched, self._touched):
            touched.discard(folder)
        self._delete(folder)

    def _delete(self, home: int) -> None:
        self._connection.execute("DELETE FROM joined_albums WHERE folder_id = ?", (home,))

    def start_again(self) -> None:
        self._connection.execute("DELETE FROM joined_albums")
        self._homes.forget()

    def _look_at(self, home: int) -> None:
        below = (home, *discs_of(self._connection, home))
        # A disc may hold discs: its own tracks are of the folder above even so.
        folders = [folder for folder in below if self._homes.of(folder).album_home == home]
        found = self._found(folders)
        if found == joined_albums(self._connection, home):
            return
        self._delete(home)
        self._connection.executemany(
            "INSERT INTO joined_albums VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    home,
                    title,
                    album.release_id,
                    _lines(album.album_artists),
                    _lines(album.album_artist_sorts),
                    album.compilation,
                )
                for title, album in found.items()
            ],
        )
        self._homes.forget()
        for folder in folders:
            self._items.place_again(folder)

    def _found(self, folders: Sequence[int]) -> dict[str, Joined]:
        """By titles of albums."""
        wanted = json.dumps(folders)
        # Most folders are told by this alone: all tracks of a title say the same.
        said = self._connection.execute(
            f"SELECT album, release_id, album_artists, compilation {_TRACKS} LIMIT ?",
            (wanted, MAX_TRACKS + 1),
        ).fetchall()
        if len(said) > MAX_TRACKS:
            return {}
        titles = [same(album) for album, *_ in set(said)]
        if len(set(titles)) == len(titles):
            return {}
        tracks: dict[str, list[AlbumTrack]] = defaultdict(list)
        for album, track in self._tracks(wanted):
            tracks[same(album)].append(track)
        together = {title: joined(of_title) for title, of_title in tracks.items()}
        return {title: album for title, album in together.items() if album is not None}

    def _tracks(self, folders: str) -> Iterable[tuple[str, AlbumTrack]]:
        rows = self._connection.execute(
            "SELECT album, artists, album_artists, album_artist_sorts, compilation, release_id,"  # noqa: S608
            " (SELECT release_group_id FROM details WHERE item_id = items.id), disc, track,"
            f" folder_id {_TRACKS}",
            (folders,),
        ).fetchall()
        for album, artists, whose, sorts, compilation, release, group, disc, track, folder in rows:
            yield (
                album,
                AlbumTrack(
                    _split(artists),
                    _split(whose),
                    _split(sorts),
                    bool(compilation),
                    release,
                    group,
                    disc or self._homes.of(folder).disc or 1,
                    track,
                ),
            )


def discs_of(connection: sqlite3.Connection, folder: int) -> list[int]:
    """The folders of an album's discs directly in a folder."""
    below = connection.execute("SELECT id, title FROM folders WHERE parent_id = ?", (folder,))
    return [key for key, title in below if disc_of_folder(title) is not None]


def _lines(values: Sequence[str]) -> str | None:
    return "\n".join(values) or None


def _split(lines: str | None) -> tuple[str, ...]:
    return tuple(lines.split("\n")) if lines else ()
