"""Files that belong to others: pictures of single files and of artists, subtitles of videos.

They are known by the name of the file they belong to, in the same folder: whether that is in the
index yet, or was read again, does not matter.
"""

import sqlite3
from dataclasses import dataclass

from mediaserver.library.folding import same
from mediaserver.library.indexing.art import ArtIndex
from mediaserver.library.indexing.homes import Home
from mediaserver.library.indexing.known import ArtFile
from mediaserver.library.object_ids import hashed

NUMBER_BITS = 40


@dataclass(frozen=True, slots=True)
class SubtitleFile:
    """A subtitle of a video."""

    video: bytes
    """The video's file name."""
    name: bytes
    """Below the video's folder."""
    language: str
    """BCP 47; empty if it is not known."""
    format: str
    note: str
    """``forced``, ``sdh``, or empty."""

    @property
    def number(self) -> int:
        """What it is called in its URL: the same as long as its name is."""
        return hashed(NUMBER_BITS, b"subtitle", self.name)


@dataclass(frozen=True, slots=True)
class Sidecars:
    """Those of a folder, sorted, so that two states can be compared."""

    artist: ArtFile | None = None
    """The picture of the artist that the folder is named after."""
    art: tuple[tuple[bytes, ArtFile], ...] = ()
    """By the name of the file, or of the folder in this one, that a picture stands for."""
    subtitles: tuple[SubtitleFile, ...] = ()
    """In the order they are offered."""


NO_SIDECARS = Sidecars()


class SidecarIndex:
    def __init__(self, connection: sqlite3.Connection, art: ArtIndex) -> None:
        self._connection = connection
        self._art = art

    def put_art(self, home: Home, title: str, sidecars: Sidecars) -> bool:
        """Write the pictures of a folder of that title; whether any is another than before."""
        before = self._pictures(home.folder)
        kept = {
            self._art.put_file(home, picture, stands_for=name) for name, picture in sidecars.art
        }
        if sidecars.artist is not None:
            kept.add(self._art.put_file(home, sidecars.artist, artist=same(title)))
        self._connection.executemany(
            "DELETE FROM art WHERE id = ?", [(key,) for key in before - kept]
        )
        return before != kept

    def artists_of(self, folder: int) -> set[tuple[int, str]]:
        """The pictures of artists in a folder, each with the artist's key."""
        rows = self._connection.execute(
            "SELECT id, artist FROM art WHERE folder_id = ? AND artist IS NOT NULL", (folder,)
        )
        return set(rows.fetchall())

    def artists_in(self, root_id: int) -> set[tuple[int, str]]:
        """The same of all folders of a media root."""
        rows = self._connection.execute(
            "SELECT art.id, artist FROM art JOIN folders ON folders.id = folder_id "
            "WHERE artist IS NOT NULL AND root_id = ?",
            (root_id,),
        )
        return set(rows.fetchall())

    def rename_artist(self, folder: int, title: str) -> None:
        """The folder is called something else now."""
        self._connection.execute(
            "UPDATE art SET artist = ? WHERE folder_id = ? AND artist IS NOT NULL",
            (same(title), folder),
        )

    def put_subtitles(self, folder: int, subtitles: tuple[SubtitleFile, ...]) -> set[bytes]:
        """Write the subtitles of a folder; the videos that have others than before."""
        before = self._subtitles(folder)
        self._connection.execute("DELETE FROM subtitles WHERE folder_id = ?", (folder,))
        self._connection.executemany(
            "INSERT INTO subtitles VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    folder,
                    one.video,
                    position,
                    one.number,
                    one.name,
                    one.language or None,
                    one.format,
                    one.note or None,
                )
                for position, one in enumerate(subtitles)
            ],
        )
        after = self._subtitles(folder)
        return {video for video in {*before, *after} if before.get(video) != after.get(video)}

    def forget(self, folder: int) -> None:
        """The folder is gone; its pictures are the business of :class:`.art.ArtIndex`."""
        self._connection.execute("DELETE FROM subtitles WHERE folder_id = ?", (folder,))

    def _pictures(self, folder: int) -> set[int]:
        rows = self._connection.execute(
            "SELECT id FROM art WHERE folder_id = ? "
            "AND (stands_for IS NOT NULL OR artist IS NOT NULL)",
            (folder,),
        )
        return {key for (key,) in rows}

    def _subtitles(self, folder: int) -> dict[bytes, list[tuple[object, ...]]]:
        found: dict[bytes, list[tuple[object, ...]]] = {}
        rows = self._connection.execute(
            "SELECT video, name, language, format, note FROM subtitles WHERE folder_id = ?"
            " ORDER BY position",
            (folder,),
        )
        for video, *rest in rows:
            found.setdefault(video, []).append(tuple(rest))
        return found


_PICTURES = (
    "SELECT folder_id, stands_for, name, mime_type, width, height, art.mtime_ns"
    " FROM folders JOIN art ON folder_id = folders.id WHERE "
)
_SUBTITLES = (
    "SELECT folder_id, video, name, language, format, note"
    " FROM folders JOIN subtitles ON folder_id = folders.id WHERE "
)


def of_root(connection: sqlite3.Connection, root_id: int) -> dict[int, Sidecars]:
    """What is known of the folders of a root that have any, by the folder's key."""
    return _gathered(connection, "root_id = ?", root_id)


def of_folder(connection: sqlite3.Connection, folder: int) -> Sidecars:
    return _gathered(connection, "folders.id = ?", folder).get(folder, NO_SIDECARS)


def _gathered(connection: sqlite3.Connection, which: str, value: int) -> dict[int, Sidecars]:
    """``which`` of the folders, in SQL; by their keys."""
    artists: dict[int, ArtFile] = {}
    art: dict[int, list[tuple[bytes, ArtFile]]] = {}
    for folder, stands_for, *values in connection.execute(
        _PICTURES + which + " AND (stands_for IS NOT NULL OR artist IS NOT NULL)"
        " ORDER BY stands_for",
        (value,),
    ):
        if stands_for is None:
            artists[folder] = ArtFile(*values)
        else:
            art.setdefault(folder, []).append((stands_for, ArtFile(*values)))
    subtitles: dict[int, list[SubtitleFile]] = {}
    for folder, video, name, language, written, note in connection.execute(
        _SUBTITLES + which + " ORDER BY video, position", (value,)
    ):
        one = SubtitleFile(video, name, language or "", written, note or "")
        subtitles.setdefault(folder, []).append(one)
    return {
        folder: Sidecars(
            artists.get(folder), tuple(art.get(folder, ())), tuple(subtitles.get(folder, ()))
        )
        for folder in {*artists, *art, *subtitles}
    }
