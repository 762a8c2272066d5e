"""A full disk, a killed writer, anything in any order: the index agrees with itself."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mediaserver.library.database import driver_of
from mediaserver.library.errors import IndexUnusable
from mediaserver.library.indexer import NO_SIDECARS, ArtFile, Batch, Sidecars, SubtitleFile
from mediaserver.library.objects import (
    Chapter,
    Details,
    MediaFacts,
    PlaylistEntry,
    PlaylistFacts,
)
from tests.library.an_index import COVER, DAY, Index, file_status, film, photo, put_folder, song
from tests.library.index_check import problems


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "index.sqlite")
    yield index
    assert index.problems() == []
    index.close()


# ---- failures


def test_a_batch_on_a_full_disk_leaves_the_index_as_it_was(index: Index) -> None:
    _, folder = index.root()
    index.item(folder, b"a.mp3", song(artists=("Ann",)))
    before = index.dump()
    [(pages,)] = index.ask("PRAGMA page_count")
    limit_pages(index, pages)

    def change() -> None:
        with index.indexer.batch() as batch:
            for number in range(2000):
                facts = song(str(number), artists=("B",))
                batch.put_item(folder, b"%d" % number, file_status(), facts)

    with pytest.raises(IndexUnusable, match="full"):
        change()
    assert index.dump() == before
    limit_pages(index, 1_000_000)
    # Nothing is remembered of values that were never committed.
    index.item(folder, b"b.mp3", song("b", artists=("B",)))
    assert index.facets("artist") == [("Ann", 1), ("B", 1)]


def limit_pages(index: Index, pages: int) -> None:
    """SQLite's own way to say that a disk is full."""
    with index.database.begin() as connection:
        driver_of(connection).execute(f"PRAGMA max_page_count = {pages}")


WRITER = """
import sys
from pathlib import Path
from tests.library.an_index import Index, file_status, put_folder, song
index = Index(Path(sys.argv[1]))
root_id, top = index.root()
for number in range(100_000):
    with index.indexer.batch() as batch:
        folder = put_folder(batch, root_id, b"%d" % (number % 7), top)
        for track in range(20):
            name = b"%d" % ((number * 7 + track) % 50)
            facts = song(f"{number} {track}", artists=(f"A{number % 5}",), album=f"B{track % 3}")
            key = batch.put_item(folder, name, file_status(), facts)
        batch.remove_item(key)
    print(index.indexer.system_update_id, flush=True)
"""


@pytest.mark.parametrize("batches", [1, 10, 37])
def test_a_killed_writer_leaves_a_sound_index(tmp_path: Path, batches: int) -> None:
    """security.md F1: whatever a batch was at, the index is as after the last whole one."""
    path = tmp_path / "index.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        for _ in range(batches):
            told = process.stdout.readline()
    finally:
        process.kill()
        process.wait()
        rest = process.stdout.read().split()
        process.stdout.close()
    index = Index(path)
    try:
        assert index.problems() == []
        assert index.indexer.system_update_id >= int((rest or [told])[-1])
    finally:
        index.database.close()


# ---- anything, in any order


class Chaos:
    """Does anything that can be done to an index, as chance has it."""

    def __init__(self, index: Index, seed: int) -> None:
        self.index = index
        self.random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self.roots = [index.root(path)[0] for path in (b"/one", b"/two")]

    def batch(self) -> None:
        self.index.now += self.random.choice((1, DAY, 60 * DAY))
        with self.index.indexer.batch() as batch:
            for _ in range(self.random.randint(1, 12)):
                self.random.choice(self.deeds)(self, batch)

    def folders(self) -> list[tuple[int, int, bytes]]:
        found = []
        for root_id in self.roots:
            for folder in self.index.indexer.known_folders(root_id).values():
                found.append((folder.key, root_id, folder.path))
        return found

    def items(self) -> list[int]:
        return [
            file.key
            for key, _, _ in self.folders()
            for file in self.index.indexer.known_files(key).values()
        ]

    def facts(self) -> MediaFacts:
        pick = self.random.choice
        make: Callable[..., MediaFacts] = pick((song, song, photo, film))
        episode = {"series": pick(("Zoo", "Bar")), "season": pick((0, 1, None)), "episode": 1}
        return make(
            pick("abcdef"),
            **(episode if make is film and pick((True, False)) else {}),
            artists=tuple(self.random.sample(("Ann", "Bob", "ANN", "Zoë"), pick((0, 1, 2)))),
            album_artists=pick(((), ("Ann",), ("Various",))),
            album=pick((None, "Red", "Blue")),
            compilation=pick((False, True)),
            release_id=pick((None, None, "r1", "r2")),
            details=pick((None, Details(release_group_id="g", track_gain_db=1.0))),
            chapters=pick(((), (Chapter(0, "One"), Chapter(1000)))),
            languages=pick(((), ("de",))),
            genres=pick(((), ("Rock", "Pop"))),
            composers=pick(((), ("Bach",))),
            date=pick((None, "1999", "2004-05", "2004-06-07T08:09:10")),
            camera=pick((None, "Cam")),
            track=pick((None, 1, 2)),
            art=pick((None, COVER, replace(COVER, digest=b"d" * 16))),
            fingerprint=bytes([self.random.randrange(20)]) * 16,
        )

    def put_item(self, batch: Batch) -> None:
        folder, _, _ = self.random.choice(self.folders())
        name = self.random.choice((b"1", b"2", b"3", b"4"))
        batch.put_item(folder, name, file_status(), self.facts())

    def remove_item(self, batch: Batch) -> None:
        if items := self.items():
            batch.remove_item(self.random.choice(items))

    def move_item(self, batch: Batch) -> None:
        if items := self.items():
            folder, _, _ = self.random.choice(self.folders())
            name = self.random.choice((b"1", b"2", b"3", b"4"))
            batch.move_item(self.random.choice(items), folder, name, file_status())

    def put_folder(self, batch: Batch) -> None:
        parent, root_id, path = self.random.choice(self.folders())
        name = self.random.choice((b"x", b"y", b"CD1", b"CD2", b"Season 1"))
        if path.count(b"/") < 3:
            put_folder(batch, root_id, path + b"/" + name if path else name, parent)

    def move_folder(self, batch: Batch) -> None:
        key, root_id, path = self.random.choice(self.folders())
        parent, new_root, above = self.random.choice(self.folders())
        inside = root_id == new_root and (above + b"/").startswith(path + b"/")
        new = above + b"/moved" if above else b"moved"
        outside = root_id != new_root or not (path + b"/").startswith(new + b"/")
        if path and not inside and outside:
            batch.move_folder(key, new_root, new, parent)

    def remove_folder(self, batch: Batch) -> None:
        if below := [key for key, _, path in self.folders() if path]:
            batch.remove_folder(self.random.choice(below))

    def set_art(self, batch: Batch) -> None:
        folder, _, _ = self.random.choice(self.folders())
        art = ArtFile(b"cover.jpg", "image/jpeg", 1, 1, self.random.randrange(3))
        batch.set_folder_art(folder, self.random.choice((art, None)))

    def set_root(self, batch: Batch) -> None:
        available = self.random.choice((True, True, False))
        batch.set_root(self.random.choice(self.roots), available=available, reason=None, device=1)

    def set_sidecars(self, batch: Batch) -> None:
        folder, _, _ = self.random.choice(self.folders())
        some = self.random.sample((b"1", b"2", b"3", b"4", b"Season 1", b"p.m3u"), 2)
        pictures = [
            ArtFile(name + b".jpg", "image/jpeg", 1, 1, self.random.randrange(3)) for name in some
        ]
        subtitles = tuple(
            SubtitleFile(name, name + b".srt", self.random.choice(("", "de")), "srt", "")
            for name in sorted(some)
        )
        artist = self.random.choice((None, ArtFile(b"artist.jpg", "image/jpeg", 1, 1, 1)))
        art = tuple(sorted(zip(some, pictures, strict=True)))
        found = self.random.choice((NO_SIDECARS, Sidecars(artist, art, subtitles)))
        batch.set_sidecars(folder, found)

    def put_playlist(self, batch: Batch) -> None:
        folder, _, _ = self.random.choice(self.folders())
        places = (
            "",
            "x/",
            "Season 1/",
            "CD1/",
            "../",
            "moved/",
            "/one/",
            "/two/x/",
            "http://radio/",
        )
        entries = tuple(
            PlaylistEntry(self.random.choice(places) + self.random.choice("1234"))
            for _ in range(self.random.randrange(6))
        )
        moved = self.random.choice((None, *self.playlists()))
        name = self.random.choice((b"p.m3u", b"q.m3u"))
        batch.put_playlist(folder, name, file_status(), PlaylistFacts(entries=entries), key=moved)

    def remove_playlist(self, batch: Batch) -> None:
        if playlists := self.playlists():
            batch.remove_playlist(self.random.choice(playlists))

    def allow_internet_radio(self, batch: Batch) -> None:
        batch.allow_internet_radio(allowed=self.random.choice((True, False)))

    def playlists(self) -> list[int]:
        return [
            playlist.key
            for key, _, _ in self.folders()
            for playlist in self.index.indexer.known_playlists(key).values()
        ]

    deeds = (
        *(put_item,) * 8,
        *(put_folder,) * 3,
        *(move_item, remove_item) * 2,
        *(move_folder, remove_folder, set_art, set_root),
        *(set_sidecars, put_playlist, put_playlist, remove_playlist, allow_internet_radio),
    )


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_the_index_agrees_with_itself(index: Index, seed: int) -> None:
    chaos = Chaos(index, seed)
    for _ in range(30):
        chaos.batch()
        assert index.problems() == []
    assert index.indexer.check() == {}
    ids = [change.system_update_id for change in index.changes]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE folders SET audio_below = 5 WHERE path = x''",
        "UPDATE folders SET shown = 0 WHERE path = x'61'",
        "UPDATE facets SET item_count = 2 WHERE kind = 'artist'",
        "DELETE FROM item_facets WHERE facet_kind = 'album'",
        "UPDATE facet_pairs SET item_count = 3",
        "DELETE FROM item_text",
        "UPDATE facet_text SET title = 'x'",
        "UPDATE item_text SET artists = 'bob'",
        "UPDATE facets SET art_id = NULL WHERE kind = 'album'",
        "DELETE FROM art",
        "UPDATE playlists SET shown = 0",
        "UPDATE playlists SET kind = 'video'",
        "UPDATE playlists SET art_id = NULL",
        "UPDATE playlist_entries SET item_id = NULL",
        "UPDATE subtitles SET number = 5",
        "UPDATE settings SET value = 9 WHERE name = 'counts.audio'",
    ],
)
def test_the_check_of_the_index_finds_what_is_wrong(index: Index, damage: str) -> None:
    """A check that finds nothing proves nothing, unless it would find something."""
    root_id, top = index.root()
    a = index.folder(root_id, b"a", top)
    index.item(a, b"x.mp3", song(artists=("Ann",), album="Red", art=COVER))
    subtitles = tuple(SubtitleFile(b"f.mp4", name, "", "srt", "") for name in (b"f.srt", b"g.srt"))
    with index.indexer.batch() as batch:
        facts = PlaylistFacts(entries=(PlaylistEntry("x.mp3"),))
        batch.put_playlist(a, b"p.m3u", file_status(), facts)
        batch.set_sidecars(a, Sidecars(subtitles=subtitles))
    with closing(sqlite3.connect(":memory:")) as copy:
        index.database.read_now(lambda connection: driver_of(connection).backup(copy))
        assert problems(copy) == []
        copy.execute(damage)
        assert problems(copy) != []
