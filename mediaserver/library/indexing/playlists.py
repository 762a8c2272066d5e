"""Playlists: their rows, and what their entries name at the moment.

Entries are kept as the file has them, beside the item that each names. Which one that is was
looked up by path; it is looked up again at the end of every batch that changed something where
entries of a playlist may be (``playlist_places``), or an item that an entry names. So an entry
whose file comes later is found then, Browse costs no more than for any other container, and
nothing has to be read again.

What names nothing that can be played is not shown: a television would stop there. The reason
stands beside it, for ``mediaserver why``.
"""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable
from itertools import count, groupby
from typing import Any, NamedTuple

from mediaserver.library import sheets
from mediaserver.library.folding import sort_key
from mediaserver.library.indexing.folder_counts import FolderCounts
from mediaserver.library.indexing.homes import Home, Homes
from mediaserver.library.indexing.items import Effects
from mediaserver.library.indexing.known import FileStatus, stored
from mediaserver.library.indexing.playlist_lookup import AWAY, NOT_FOUND, OUTSIDE, ItemLookup
from mediaserver.library.indexing.sheet_files import files_to_split
from mediaserver.library.locations import (
    Address,
    Files,
    Meaning,
    Nothing,
    folded_name,
    meaning,
    meaning_in_sheet,
)
from mediaserver.library.object_ids import KEY_BITS, hashed
from mediaserver.library.objects import Kind, PlaylistEntry, PlaylistFacts
from mediaserver.library.readers.naming import clean, title_of
from mediaserver.library.readers.playlists import MAX_ENTRIES
from mediaserver.media_types import is_cue_sheet, is_playlist

INTERNET_RADIO = "internet_radio"
"""The setting that says whether addresses in playlists are shown."""

NO_RADIO = "an address in the internet, and library.internet_radio is off"
NESTED = "a playlist itself"
CUT = "only its first 10,000 entries are read"


def internet_radio(connection: sqlite3.Connection) -> bool:
    """Whether addresses in playlists are shown."""
    row = connection.execute(
        "SELECT value FROM settings WHERE name = ?", (INTERNET_RADIO,)
    ).fetchone()
    return bool(row and row[0])


class _Playlist(NamedTuple):
    folder: int
    name: bytes
    shown: bool
    kind: str
    entry_count: int
    art_id: int | None


class _Entry(NamedTuple):
    """What follows from what an entry says; the columns of ``playlist_entries`` after it."""

    shown: bool
    reason: str | None
    item_id: int | None
    station_id: int | None
    time: int


_Row = tuple[Any, ...]
"""Of ``playlist_entries``: id, position, location, sheet, and the fields of :class:`_Entry`."""


class PlaylistIndex:
    """The playlists of one batch."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        homes: Homes,
        folders: FolderCounts,
        effects: Effects,
        to_split: set[int],
    ) -> None:
        """``to_split``: files that may be records of other tracks now, for :mod:`.parts`."""
        self._connection = connection
        self._homes = homes
        self._folders = folders
        self._effects = effects
        self._to_split = to_split
        self._stale: set[int] = set()
        """Playlists whose entries are to be looked up again."""
        self._paths: set[bytes] = set()
        """Folders where something has come or gone, beside those of the effects."""

    # ---- what a batch is told

    def put(
        self,
        folder: int,
        name: bytes,
        status: FileStatus,
        facts: PlaylistFacts,
        key: int | None,
    ) -> int:
        home = self._homes.of(folder)
        there = self._at(folder, name)
        if key is not None and there not in (None, key):
            self.remove(there)
        key = key if key is not None else there
        title = facts.title or title_of(name)
        reason = clean(facts.reason) if facts.reason is not None else (CUT if facts.cut else None)
        row = (folder, name, title, sort_key(title), *_stored(status), reason)
        if key is None:
            key = self._new_key(home, name)
            self._connection.execute(
                "INSERT INTO playlists (folder_id, name, title, sort_key, size, mtime_ns, device, "
                "inode, reason, id, shown, kind, entry_count, update_id) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'audio', 0, 0)",
                (*row, key),
            )
        else:
            self._update(key, row)
        self._write_entries(key, facts)
        self._stale.add(key)
        return key

    def set_identity(self, key: int, status: FileStatus) -> None:
        """Nobody sees a difference."""
        self._connection.execute(
            "UPDATE playlists SET device = ?, inode = ? WHERE id = ?",
            (stored(status.device), stored(status.inode), key),
        )

    def remove(self, key: int) -> None:
        """The file is gone."""
        playlist = self._of(key)
        self._hide(key, playlist)
        self._note_split(key)
        for table in ("playlist_entries", "playlist_places"):
            self._connection.execute(f"DELETE FROM {table} WHERE playlist_id = ?", (key,))  # noqa: S608
        self._connection.execute("DELETE FROM playlists WHERE id = ?", (key,))
        self._stale.discard(key)
        self._effects.playlists.discard(key)

    def in_folder(self, folder: int) -> list[int]:
        rows = self._connection.execute("SELECT id FROM playlists WHERE folder_id = ?", (folder,))
        return [key for (key,) in rows]

    def folders_move(self, folders: Iterable[int]) -> None:
        """Folders are about to move, or have just moved, with all that is in them."""
        if self._any():
            for folder in folders:
                self._paths.add(self._homes.of(folder).path)
                self._stale.update(self.in_folder(folder))

    def look_different(self, folder: int) -> None:
        """There are other pictures in a folder, which may be for playlists in it."""
        self._stale.update(self.in_folder(folder))

    def root_changes(self, folders: Iterable[int]) -> None:
        """The media root of folders has come or gone."""
        for folder in folders:
            self._stale.update(self.in_folder(folder))

    def roots_change(self) -> None:
        """A media root has come or gone: what is not found is not found for another reason."""
        rows = self._connection.execute(
            "SELECT DISTINCT playlist_id FROM playlist_entries WHERE reason IN (?, ?, ?)",
            (OUTSIDE, NOT_FOUND, AWAY),
        )
        self._stale.update(key for (key,) in rows)

    def allow_internet_radio(self, *, allowed: bool) -> None:
        """Whether addresses in playlists are to be seen."""
        if allowed == internet_radio(self._connection):
            return
        self._connection.execute(
            "INSERT OR REPLACE INTO settings VALUES (?, ?)", (INTERNET_RADIO, allowed)
        )
        self._stale.update(key for (key,) in self._connection.execute("SELECT id FROM playlists"))

    # ---- the end of a batch

    def finish(self) -> None:
        """Look up again what may name something else now."""
        stale, touched = self._stale, set()
        if self._any():
            touched = self._with_items(self._effects.items)
            paths = self._paths | {self._homes.of(key).path for key in self._effects.folders}
            stale |= touched | self._with_items(self._to_split) | self._at_places(paths)
        self._stale, self._paths = set(), set()
        if not stale:
            return
        lookup, radio = ItemLookup(self._connection), internet_radio(self._connection)
        for key in sorted(stale):
            self._resolve(key, lookup, radio=radio, touched=key in touched)

    def _any(self) -> bool:
        row = self._connection.execute("SELECT 1 FROM playlists LIMIT 1").fetchone()
        return row is not None

    def _with_items(self, items: Iterable[int]) -> set[int]:
        """Playlists with entries that name one of these items (index ``entries_of_item``)."""
        rows = self._connection.execute(
            "SELECT DISTINCT playlist_id FROM playlist_entries "
            "WHERE item_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(items)),),
        )
        return {key for (key,) in rows}

    def _at_places(self, paths: Iterable[bytes]) -> set[int]:
        rows = self._connection.execute(
            "SELECT DISTINCT playlist_id FROM playlist_places "
            "WHERE place IN (SELECT value FROM json_each(?))",
            (json.dumps([_place(path) for path in paths]),),
        )
        return {key for (key,) in rows}

    def _resolve(self, key: int, lookup: ItemLookup, *, radio: bool, touched: bool) -> None:
        """``touched``: an item that an entry names looks different, whatever is found."""
        before = self._of(key)
        home = self._homes.of(before.folder)
        rows = self._connection.execute(
            "SELECT id, position, location, sheet, shown, reason, item_id, station_id, time "
            "FROM playlist_entries WHERE playlist_id = ? ORDER BY position, id",
            (key,),
        ).fetchall()
        # What one line of the file stands for: it has an entry, and the tracks of a record more.
        lines = [list(own) for _, own in groupby(rows, key=lambda row: row[1])]
        means = meaning_in_sheet if is_cue_sheet(before.name) else meaning
        meanings = [means(own[0][2], home.path) for own in lines]
        if any(row[3] for row in rows):
            named = zip(meanings, (own[0][3] for own in lines), strict=True)
            found = files_to_split(self._connection, lookup, home, before.name, list(named))
            # The tracks stand in the folder themselves: nothing of it is shown as a list.
            entries = [[_Entry(False, reason, item, None, 0)] for item, reason in found]
        else:
            entries = _looked_up(meanings, lookup, radio=radio)
        differing = [
            (own, wanted)
            for own, wanted in zip(lines, entries, strict=True)
            if [row[4:] for row in own] != wanted
        ]
        if differing:
            self._note_split(key)
            self._rewrite(key, differing)
            self._note_split(key)
        self._write_places(key, meanings)
        seen = self._show(key, before, [each for own in entries for each in own], lookup, home)
        if seen and (differing or touched):
            self._effects.playlists.add(key)

    def _rewrite(self, key: int, lines: Iterable[tuple[list[_Row], list[_Entry]]]) -> None:
        """``lines``: rows of one line of the file each, and what it stands for now."""
        for rows, (first, *more) in lines:
            self._connection.execute(
                "UPDATE playlist_entries SET shown = ?, reason = ?, item_id = ?, station_id = ?, "
                "time = ? WHERE id = ?",
                (*first, rows[0][0]),
            )
            self._connection.executemany(
                "DELETE FROM playlist_entries WHERE id = ?", [(row[0],) for row in rows[1:]]
            )
            self._connection.executemany(
                "INSERT INTO playlist_entries (playlist_id, position, location, shown, reason, "
                "item_id, station_id, time) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(key, *rows[0][1:3], *entry) for entry in more],
            )

    def _note_split(self, key: int) -> None:
        """The files that a playlist splits are to be looked at."""
        rows = self._connection.execute(
            "SELECT item_id FROM playlist_entries "
            "WHERE playlist_id = ? AND sheet IS NOT NULL AND item_id IS NOT NULL",
            (key,),
        )
        self._to_split.update(item for (item,) in rows)

    def _show(
        self, key: int, before: _Playlist, entries: list[_Entry], lookup: ItemLookup, home: Home
    ) -> bool:
        """What is to be seen of the playlist itself; whether it is to be seen, or was."""
        shown = [entry for entry in entries if entry.shown]
        items = [lookup.found[entry.item_id] for entry in shown if entry.item_id is not None]
        kinds = [item.kind for item in items]
        sounds = not kinds or len(kinds) < len(shown) or Kind.AUDIO in kinds
        after = _Playlist(
            before.folder,
            before.name,
            home.available and bool(shown),
            Kind.AUDIO.value if sounds else kinds[0],
            len(shown),
            home.art_of.get(before.name)
            or next((item.art_id for item in items if item.art_id is not None), None),
        )
        if after == before:
            return after.shown
        self._connection.execute(
            "UPDATE playlists SET shown = ?, kind = ?, entry_count = ?, art_id = ? WHERE id = ?",
            (*after[2:], key),
        )
        if after.shown != before.shown:
            self._folders.count_playlist(before.folder, 1 if after.shown else -1)
        if after.shown or before.shown:
            self._effects.playlists.add(key)
            if (after.shown, after.kind, after.art_id) != (
                before.shown,
                before.kind,
                before.art_id,
            ):
                self._touch(before.folder)
        return after.shown or before.shown

    def _write_places(self, key: int, meanings: Iterable[Meaning]) -> None:
        folders = {
            os.path.dirname(path)  # noqa: PTH120 - bytes
            for each in meanings
            if isinstance(each, Files)
            for path in each.paths
        }
        places = {_place(folder) for folder in folders}
        rows = self._connection.execute(
            "SELECT place FROM playlist_places WHERE playlist_id = ?", (key,)
        )
        known = {place for (place,) in rows}
        self._connection.executemany(
            "DELETE FROM playlist_places WHERE place = ? AND playlist_id = ?",
            [(place, key) for place in known - places],
        )
        self._connection.executemany(
            "INSERT INTO playlist_places VALUES (?, ?)", [(place, key) for place in places - known]
        )

    # ---- rows

    def _of(self, key: int) -> _Playlist:
        row = self._connection.execute(
            "SELECT folder_id, name, shown, kind, entry_count, art_id FROM playlists WHERE id = ?",
            (key,),
        ).fetchone()
        if row is None:
            raise KeyError(key)
        return _Playlist(row[0], row[1], bool(row[2]), *row[3:])

    def _at(self, folder: int, name: bytes) -> int | None:
        row = self._connection.execute(
            "SELECT id FROM playlists WHERE folder_id = ? AND name = ?", (folder, name)
        ).fetchone()
        return None if row is None else int(row[0])

    def _update(self, key: int, row: tuple[object, ...]) -> None:
        before = self._of(key)
        (title,) = self._connection.execute(
            "SELECT title FROM playlists WHERE id = ?", (key,)
        ).fetchone()
        if before.folder != row[0]:
            self._hide(key, before)
        elif before.shown and title != row[2]:
            self._effects.playlists.add(key)
            self._touch(before.folder)
        self._connection.execute(
            "UPDATE playlists SET folder_id = ?, name = ?, title = ?, sort_key = ?, size = ?, "
            "mtime_ns = ?, device = ?, inode = ?, reason = ? WHERE id = ?",
            (*row, key),
        )

    def _hide(self, key: int, playlist: _Playlist) -> None:
        """It is no longer to be seen where it was."""
        if playlist.shown:
            self._connection.execute("UPDATE playlists SET shown = 0 WHERE id = ?", (key,))
            self._folders.count_playlist(playlist.folder, -1)
            self._touch(playlist.folder)

    def _touch(self, folder: int) -> None:
        self._effects.folders.add(folder)
        self._effects.playlists_differ = True

    def _write_entries(self, key: int, facts: PlaylistFacts) -> None:
        """Replace the entries where they are not the same as before."""
        said = [
            (
                entry.location,
                entry.title or _title(entry),
                None if entry.sheet is None else sheets.written(entry.sheet),
            )
            for entry in facts.entries
        ]
        known = self._connection.execute(
            "SELECT location, title, sheet, min(id) FROM playlist_entries "
            "WHERE playlist_id = ? GROUP BY position ORDER BY position",
            (key,),
        ).fetchall()
        if [row[:3] for row in known] == said:
            return
        self._note_split(key)
        self._connection.execute("DELETE FROM playlist_entries WHERE playlist_id = ?", (key,))
        self._connection.executemany(
            "INSERT INTO playlist_entries (playlist_id, position, location, title, sheet, shown, "
            "time) VALUES (?, ?, ?, ?, ?, 0, 0)",
            [(key, position, *entry) for position, entry in enumerate(said)],
        )

    def _new_key(self, home: Home, name: bytes) -> int:
        """A hash of the path, as that of a folder; of another number where it is taken."""
        for again in count():
            path = home.path_of(name)
            key = hashed(KEY_BITS, b"playlist", path, *((b"%d" % again,) if again else ()))
            taken = self._connection.execute("SELECT 1 FROM playlists WHERE id = ?", (key,))
            if taken.fetchone() is None:
                return key
        raise AssertionError("unreachable")


def _title(entry: PlaylistEntry) -> str | None:
    """What an address is called where nobody gave it a name; items have titles of their own."""
    named = meaning(entry.location, b"/")
    return named.title if isinstance(named, Address) else None


def _stored(status: FileStatus) -> tuple[int, int, int, int]:
    return (
        stored(status.size),
        stored(status.mtime_ns),
        stored(status.device),
        stored(status.inode),
    )


def _looked_up(meanings: list[Meaning], lookup: ItemLookup, *, radio: bool) -> list[list[_Entry]]:
    """What each line names now: one entry, or the tracks of a record that is kept in one file."""
    times: Counter[tuple[str, int]] = Counter()
    room = MAX_ENTRIES - len(meanings)
    lines = []
    for each in meanings:
        line = []
        for entry in _entries(each, lookup, radio=radio)[: 1 + max(0, room)]:
            what = ("u", entry.station_id or 0) if entry.item_id is None else ("i", entry.item_id)
            line.append(entry._replace(time=times[what]) if entry.shown else entry)
            times[what] += entry.shown
        room -= len(line) - 1
        lines.append(line)
    return lines


def _entries(each: Meaning, lookup: ItemLookup, *, radio: bool) -> list[_Entry]:
    """What a line names now; how often it was named before is not known here."""
    if isinstance(each, Nothing):
        return [_Entry(False, each.reason, None, None, 0)]
    if isinstance(each, Address):
        if not radio:
            return [_Entry(False, NO_RADIO, None, None, 0)]
        return [_Entry(True, None, None, hashed(KEY_BITS, b"station", each.url.encode()), 0)]
    found = lookup.first(each.paths)
    if found:
        return [_Entry(True, None, key, None, 0) for key in found]
    reason = NESTED if any(is_playlist(path) for path in each.paths) else lookup.why(each.paths[0])
    return [_Entry(False, reason, None, None, 0)]


def _place(folder: bytes) -> int:
    """The number of a folder's path, the same in any letter case."""
    return hashed(KEY_BITS, b"place", folded_name(folder).encode("utf-8", "replace"))
