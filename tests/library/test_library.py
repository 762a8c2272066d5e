"""The library as a whole: scans in the background, what it tells, how it ends (security.md 6)."""

import asyncio
import os
import socket
import sqlite3
import struct
import threading
import time
import wave
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Self

import pytest

from mediaserver.library import index_file
from mediaserver.library.artwork import Tidied
from mediaserver.library.criteria import Everything
from mediaserver.library.errors import IndexUnusable, NotInLibrary
from mediaserver.library.library import Library, Root
from mediaserver.library.objects import Change, Item
from mediaserver.library.scanner import ScanProgress, ScanSummary
from tests.leaks import nothing_left
from tests.library.privileges import permissions_count
from tests.make_media import picture
from tests.patience import PATIENCE


def sound(path: Path, value: int = 1) -> Path:
    """A WAV file, last changed an hour ago: quiet for long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack("<h", value) * 400)
    then = time.time() - 3600
    os.utime(path, (then, then))
    return path


class Living:
    """A library over ``media``, and its changes; whatever is waited for comes or fails."""

    def __init__(self, folder: Path, roots: tuple[str, ...] = ("media",), **options: float) -> None:
        self.roots = [folder / name for name in roots]
        for root in self.roots:
            root.mkdir(exist_ok=True)
        self.root = self.roots[0]
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        self.changes: list[Change] = []
        self.changed = asyncio.Event()
        self.library = Library(
            self.data,
            [Root(root, root.name.title()) for root in self.roots],
            quiet_seconds=options.get("quiet", 0.05),
            poll_seconds=options.get("poll", 300),
            check_seconds=options.get("check", 0.05),
            workers=1,
            on_change=self._note,
        )

    def _note(self, change: Change) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.changes.append(change)
        self.changed.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.library.close()

    async def titles(self) -> set[str]:
        page = await self.library.search("0", Everything(), start=0, count=0)
        return {one.title for one in page.objects if isinstance(one, Item)}

    async def until_titles(self, *titles: str) -> None:
        """After each change, and now, look whether exactly these items are there."""
        async with asyncio.timeout(PATIENCE):
            while await self.titles() != set(titles):
                await self.changed.wait()
                self.changed.clear()

    async def started(self) -> None:
        """Open, start, and wait for the end of the first scan."""
        await self.library.open()
        self.library.start()
        await self.next_scan()

    async def next_scan(self) -> ScanSummary:
        async with asyncio.timeout(PATIENCE):
            return await self.library.next_scan()


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    async with nothing_left():
        yield
        # Threads that wait for files are the loop's, which would keep them.
        await asyncio.get_running_loop().shutdown_default_executor()


@pytest.fixture
async def living(tmp_path: Path, nothing_is_left: None) -> AsyncIterator[Living]:
    async with Living(tmp_path) as living:
        yield living


# ---- once


async def test_a_single_scan_fills_the_index(living: Living) -> None:
    sound(living.root / "one.wav", 1)
    sound(living.root / "Album" / "two.wav", 2)
    (living.root / "three.jpg").write_bytes(picture("JPEG"))
    told: list[ScanProgress] = []
    await living.library.open()
    summary = await living.library.scan_once(told.append)
    assert (summary.added, summary.complete) == (3, True)
    assert await living.titles() == {"one", "two", "three"}
    counts = await living.library.counts()
    assert (counts.audio, counts.image, counts.pending) == (2, 1, 0)
    assert (told[-1].read, told[-1].pending) == (3, 0)


async def test_changes_are_told_on_the_loop_with_the_new_update_id(living: Living) -> None:
    await living.library.open()
    before = living.library.system_update_id
    sound(living.root / "one.wav")
    await living.library.scan_once()
    await living.until_titles("one")
    assert living.library.system_update_id > before
    assert living.changes[-1].system_update_id == living.library.system_update_id
    page = await living.library.metadata("0")
    assert page.update_id == living.library.system_update_id


async def test_a_file_is_found_by_its_key(living: Living) -> None:
    path = sound(living.root / "one.wav")
    await living.library.open()
    await living.library.scan_once()
    page = await living.library.search("0", Everything(), start=0, count=0)
    (key,) = [one.key for one in page.objects if isinstance(one, Item)]
    file = await living.library.media_file(key)
    assert file is not None
    assert file.path == os.fsencode(path)
    assert file.root == os.fsencode(living.root)
    assert await living.library.media_file(key + 1) is None


async def test_files_that_could_not_be_read_are_listed_with_the_reason(living: Living) -> None:
    (living.root / "broken.flac").write_bytes(b"fLaC" + b"\xff" * 40)
    await living.library.open()
    await living.library.scan_once()
    (unreadable,) = await living.library.unreadable(10)
    assert unreadable.path == os.fsencode(living.root / "broken.flac")
    assert unreadable.reason


# ---- in the background


async def test_what_is_there_at_the_start_is_found_in_the_background(living: Living) -> None:
    sound(living.root / "one.wav")
    await living.library.open()
    living.library.start()
    await living.until_titles("one")


async def test_files_that_come_move_and_go_are_noticed(living: Living) -> None:
    sound(living.root / "one.wav", 1)
    await living.library.open()
    living.library.start()
    await living.until_titles("one")
    sound(living.root / "Album" / "two.wav", 2)
    await living.until_titles("one", "two")
    (living.root / "one.wav").rename(living.root / "Album" / "uno.wav")
    await living.until_titles("uno", "two")
    (living.root / "Album" / "two.wav").unlink()
    await living.until_titles("uno")


async def test_a_file_that_is_being_written_is_read_when_it_is_quiet(living: Living) -> None:
    await living.started()
    path = sound(living.root / "one.wav")
    os.utime(path)  # just now
    await living.until_titles("one")


async def test_a_root_that_goes_is_hidden_and_comes_back_as_it_was(living: Living) -> None:
    sound(living.root / "one.wav")
    await living.library.open()
    living.library.start()
    await living.until_titles("one")
    page = await living.library.search("0", Everything(), start=0, count=0)
    away = living.root.with_name("away")
    living.root.rename(away)
    await living.until_titles()
    (root,) = living.library.status().roots
    assert (root.available, root.reason) == (False, "it does not exist")
    away.rename(living.root)
    await living.until_titles("one")
    assert living.library.status().roots[0].available
    again = await living.library.search("0", Everything(), start=0, count=0)
    assert [one.object_id for one in again.objects] == [one.object_id for one in page.objects]


async def test_a_root_that_comes_later_is_scanned_and_watched(tmp_path: Path) -> None:
    async with Living(tmp_path) as living:
        living.root.rmdir()
        await living.started()
        living.root.mkdir()
        sound(living.root / "one.wav", 1)
        await living.until_titles("one")
        sound(living.root / "two.wav", 2)
        await living.until_titles("one", "two")


async def test_a_rescan_can_be_asked_for(living: Living) -> None:
    path = sound(living.root / "one.wav", 1)
    await living.library.open()
    living.library.start()
    await living.until_titles("one")
    path.write_bytes(path.read_bytes()[:-2])
    await living.library.scan_now([os.fsencode(path.parent)])
    assert (await living.next_scan()).seen == 1


async def test_of_a_file_that_is_to_be_scanned_its_folder_is(living: Living) -> None:
    sound(living.root / "Album/one.wav", 1)
    await living.started()
    path = os.fsencode(living.root / "Album/one.wav")
    assert await living.library.scan_now([path]) == [os.fsencode(living.root / "Album")]
    assert (await living.next_scan()).seen == 1


async def test_a_path_is_found_by_whatever_links_it_is_named(
    living: Living, tmp_path: Path
) -> None:
    sound(living.root / "Album/one.wav", 1)
    await living.started()
    (tmp_path / "link").symlink_to(living.root)
    named = os.fsencode(tmp_path / "link/../link/Album/")
    assert await living.library.scan_now([named]) == [os.fsencode(living.root / "Album")]


async def test_of_what_is_not_there_the_nearest_folder_that_is_there_is_scanned(
    living: Living,
) -> None:
    """It may have been removed; and whoever has mistyped it can see so."""
    sound(living.root / "Album/one.wav", 1)
    await living.started()
    gone = living.root / "Album/Deeper/Gone"
    assert await living.library.scan_now([os.fsencode(gone)]) == [os.fsencode(gone.parent.parent)]
    assert (await living.next_scan()).seen == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/", "in none of the media roots"),
        ("{root}/../elsewhere", "in none of the media roots"),
        ("{root}ly", "in none of the media roots"),
        ("Album", "not an absolute path"),
        ("", "not an absolute path"),
        ("{root}/\0", "not an absolute path"),
        ("{root}/.hidden/Album", "begins with a dot"),
        ("{root}/#recycle", "a folder that a system keeps for itself"),
        ("{root}/out/Album", "in none of the media roots"),
    ],
)
async def test_what_is_not_in_the_library_is_not_scanned(
    living: Living, path: str, reason: str
) -> None:
    await living.started()
    (living.root / "out").symlink_to("/usr")
    named = path.format(root=living.root).encode()
    with pytest.raises(NotInLibrary, match=reason):
        await living.library.scan_now([os.fsencode(living.root), named])


async def test_a_folder_that_was_closed_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No event tells of a changed mode: it is looked at, and the folder listed at once then."""
    async with Living(tmp_path) as living:
        path = sound(living.root / "Album" / "one.wav", 1)
        path.parent.chmod(0)
        with permissions_count():  # also in the thread that is started here
            await living.started()
        assert list(living.library.status().troubled) == [os.fsencode(path.parent)]
        assert await living.titles() == set()
        told = f"{path.parent} cannot be read in full: Permission denied"
        assert sum(told in message for message in caplog.messages) == 1
        path.parent.chmod(0o755)
        await living.until_titles("one")
        while living.library.status().troubled:
            await living.next_scan()


# ---- over restarts


async def test_a_root_that_is_no_longer_configured_is_forgotten(tmp_path: Path) -> None:
    async with Living(tmp_path, roots=("first", "second")) as both:
        sound(both.roots[0] / "one.wav", 1)
        sound(both.roots[1] / "two.wav", 2)
        await both.library.open()
        await both.library.scan_once()
        assert await both.titles() == {"one", "two"}
    async with Living(tmp_path, roots=("second",)) as one:
        await one.library.open()
        await one.library.scan_once()
        assert await one.titles() == {"two"}


async def test_the_index_answers_before_any_scan(tmp_path: Path) -> None:
    async with Living(tmp_path) as before:
        sound(before.root / "one.wav")
        await before.library.open()
        await before.library.scan_once()
        update_id = before.library.system_update_id
    async with Living(tmp_path) as after:
        await after.library.open()
        assert await after.titles() == {"one"}
        assert after.library.system_update_id == update_id


async def test_a_library_that_is_closed_during_a_scan_ends_at_once_and_goes_on_later(
    tmp_path: Path,
) -> None:
    async with Living(tmp_path) as living:
        for number in range(600):
            sound(living.root / f"{number}.wav", number)
        await living.library.open()
        living.library.start()
        async with asyncio.timeout(PATIENCE):
            await living.changed.wait()
        began = time.monotonic()
        await living.library.close()
        assert time.monotonic() - began < 10
    async with Living(tmp_path) as again:
        await again.library.open()
        await again.library.scan_once()
        assert len(await again.titles()) == 600


async def test_closing_twice_is_closing_once(living: Living) -> None:
    await living.library.open()
    living.library.start()
    await living.library.close()
    await living.library.close()


async def test_a_library_without_a_place_for_its_index_says_so(tmp_path: Path) -> None:
    async with Living(tmp_path) as living:
        living.data.rmdir()
        living.data.write_text("not a folder")
        with pytest.raises(IndexUnusable):
            await living.library.open()


# ---- when the index fails


async def test_an_index_that_turns_out_damaged_is_replaced_and_filled_again(
    tmp_path: Path,
) -> None:
    """security.md F5: set aside, rebuilt, and said so; also when damage shows later."""
    async with Living(tmp_path) as living:
        for number in range(50):
            sound(living.root / f"Album {number}" / "one.wav", number)
        await living.library.open()
        await living.library.scan_once()
    async with Living(tmp_path) as living:
        await living.library.open()
        index = living.data / "index.sqlite"
        with index.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (index.stat().st_size - 4096))
        with pytest.raises(IndexUnusable):
            await living.titles()
        living.library.start()
        async with asyncio.timeout(PATIENCE):
            while (await living.library.next_scan()).added != 50:
                pass
        assert await living.titles() == {"one"}
        (note,) = living.library.status().notes
        assert "damaged" in note


async def test_after_a_scan_nothing_is_left_in_the_log(living: Living) -> None:
    sound(living.root / "one.wav")
    await living.started()
    assert await living.titles() == {"one"}
    assert (living.data / "index.sqlite-wal").stat().st_size == 0


async def test_an_index_that_is_deleted_while_it_is_used_is_written_again(living: Living) -> None:
    """All that was indexed would be lost at the next start otherwise."""
    sound(living.root / "one.wav")
    await living.started()
    update_id = living.library.system_update_id
    for file in living.data.glob("index.sqlite*"):
        file.unlink()
    assert (await living.next_scan()).added == 0
    assert (living.data / "index.sqlite").exists()
    assert await living.titles() == {"one"}
    assert living.library.system_update_id == update_id
    (note,) = living.library.status().notes
    assert "deleted" in note


async def test_another_index_in_its_place_is_used_and_brought_up_to_date(living: Living) -> None:
    """An owner who puts a copy of last week's back, say."""
    sound(living.root / "one.wav")
    await living.started()
    await living.library.close()
    index = living.data / "index.sqlite"
    earlier = index.read_bytes()
    async with Living(living.data.parent) as later:
        sound(later.root / "two.wav", 2)
        await later.started()
        update_id = later.library.system_update_id
        (later.data / "copy").write_bytes(earlier)
        (later.data / "copy").replace(index)
        assert (await later.next_scan()).added == 1
        assert await later.titles() == {"one", "two"}
        assert later.library.system_update_id > update_id
        (note,) = later.library.status().notes
        assert "replaced" in note


async def test_an_index_that_cannot_be_written_again_is_a_problem_as_long_as_that_lasts(
    living: Living, caplog: pytest.LogCaptureFixture
) -> None:
    sound(living.root / "one.wav")
    await living.started()
    away = living.data.with_name("away")
    living.data.rename(away)
    async with asyncio.timeout(PATIENCE):
        while living.library.status().index_failure is None:  # noqa: ASYNC110 - a look, no event
            await asyncio.sleep(0)
        assert await living.titles() == {"one"}
        away.rename(living.data)
        while living.library.status().index_failure is not None:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0)
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


async def test_an_index_that_a_check_finds_damaged_is_replaced(tmp_path: Path) -> None:
    async with Living(tmp_path) as living:
        sound(living.root / "one.wav")
        await living.library.open()
        await living.library.scan_once()
        assert (await living.library.check_index()).mended == {}
    with closing(sqlite3.connect(living.data / "index.sqlite", isolation_level=None)) as index:
        index.execute("PRAGMA writable_schema = ON")
        # The rows of one table, under the columns of another.
        index.execute(
            "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master "
            "WHERE name = 'tombstones') WHERE name = 'art'"
        )
    index_file.note_sound(living.data / "index.sqlite")
    async with Living(tmp_path) as living:
        await living.library.open()
        (note,) = (await living.library.check_index()).notes
        assert "damaged" in note
        assert (await living.library.scan_once()).added == 1
        assert await living.titles() == {"one"}
        assert (await living.library.check_index()).mended == {}


async def test_pictures_of_what_is_in_the_library_are_kept_when_tidying(tmp_path: Path) -> None:
    async with Living(tmp_path) as living:
        sound(living.root / "one.wav")
        for name in ("photo/beach.jpg", "cover.jpg"):
            path = living.root / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(picture("JPEG", (300, 200)))
            os.utime(path, (1, 1))
        await living.library.open()
        await living.library.scan_once()
        for name in ("photo/beach.jpg", "cover.jpg"):
            assert await living.library.artwork.picture(bytes(living.root / name), "JPEG_TN")
        assert (await living.library.tidy_pictures()).kept == 2
        (living.root / "cover.jpg").unlink()
        await living.library.scan_once()
        assert await living.library.tidy_pictures() == Tidied(kept=1, vanished=1)


# ---- playlists


async def playlists(library: Library) -> dict[str, list[str]]:
    """Music > Playlists: titles of lists, and of their entries."""
    lists = await library.children("vmp", start=0, count=0)
    found = {}
    for playlist in lists.objects:
        entries = await library.children(playlist.object_id, start=0, count=0)
        found[playlist.title] = [entry.title for entry in entries.objects]
    return found


async def test_a_playlist_is_noticed_and_so_are_the_files_it_names(living: Living) -> None:
    sound(living.root / "one.wav")
    await living.started()

    async def until(expected: dict[str, list[str]]) -> None:
        async with asyncio.timeout(PATIENCE):
            while await playlists(living.library) != expected:
                await living.changed.wait()
                living.changed.clear()

    path = living.root / "mine.m3u"
    path.write_text("one.wav\ntwo.wav\none.wav")
    await until({"mine": ["one", "one"]})
    sound(living.root / "two.wav", 2)
    await until({"mine": ["one", "two", "one"]})
    path.unlink()
    await until({})


async def test_internet_radio_is_shown_as_long_as_it_is_allowed_and_never_fetched(
    tmp_path: Path,
) -> None:
    """security.md M7: references to a listener."""
    root = tmp_path / "media"
    root.mkdir()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/live.mp3"
    (root / "radio.m3u").write_text(f"#EXTINF:-1,News\n{address}")
    for allowed in (False, True, True, False):
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        library = Library(data, [Root(root, "Media")], workers=1, internet_radio=allowed)
        try:
            await library.open()
            await library.scan_once()
            expected = {"radio": ["News"]} if allowed else {}
            assert await playlists(library) == expected
        finally:
            await library.close()
    with listener, pytest.raises(BlockingIOError):
        listener.accept()
