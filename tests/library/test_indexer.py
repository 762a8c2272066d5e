"""Files, folders and media roots as the index keeps them; ids that stay the same."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mediaserver.library.database import driver_of
from mediaserver.library.indexer import ArtFile, FileStatus
from mediaserver.library.indexing import known, sidecars
from mediaserver.library.object_ids import folder_id, view_id
from mediaserver.library.objects import Change, PlaylistEntry, PlaylistFacts
from tests.library.an_index import COVER, DAY, NOW, Index, file_status, photo, song


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "index.sqlite")
    yield index
    assert index.problems() == []
    index.close()


# ---- items


def test_an_item_holds_what_the_reader_found(index: Index) -> None:
    _, folder = index.root()
    key = index.item(
        folder,
        b"01.mp3",
        song("Title", artists=("A", "B"), track=3, disc=2, duration_ms=1234, bitrate=320_000),
    )
    [row] = index.ask(
        "SELECT title, artists, track, disc, duration_ms, bitrate, kind, upnp_class, reason "
        "FROM items WHERE id = ?",
        key,
    )
    # CDS:1 Appendix C: a music track's class.
    upnp_class = "object.item.audioItem.musicTrack"
    assert row == ("Title", "A\nB", 3, 2, 1234, 320_000, "audio", upnp_class, None)


def test_a_file_that_could_not_be_read_is_kept_with_the_reason(index: Index) -> None:
    _, folder = index.root()
    index.item(folder, b"broken.mp3", song("broken", reason="not a sound file"))
    found = index.ask("SELECT name, reason FROM items")
    assert found == [(b"broken.mp3", "not a sound file")]


def test_a_file_without_a_title_is_called_by_its_name(index: Index) -> None:
    _, folder = index.root()
    index.item(folder, b"Beach.jpg", photo(title=None))
    assert index.ask("SELECT title FROM items") == [("Beach",)]


def test_text_that_cannot_be_stored_is_made_valid(index: Index) -> None:
    _, folder = index.root()
    facts = song("a\x00b\ud800", artists=("line\nbreak", "\x01"), genres=("\n",), track=1 << 80)
    index.item(folder, b"\xff\n.mp3", facts)
    found = index.ask("SELECT title, artists, genres, track FROM items")
    assert found == [("ab\ufffd", "line break", None, None)]


def test_numbers_of_64_bits_come_back_as_they_were(index: Index) -> None:
    """Inodes of FUSE and network file systems use all bits; ext4 has times until 2446."""
    _, folder = index.root()
    status = FileStatus(1, 13_569_465_600 * 10**9, (1 << 64) - 2, (1 << 63) + 5)
    index.item(folder, b"a.mp3", song(), status)
    assert index.indexer.known_files(folder)[b"a.mp3"].status == status
    [known] = index.indexer.files_by_inode((1 << 64) - 2, (1 << 63) + 5)
    assert known.name == b"a.mp3"


def test_the_same_file_again_changes_nothing(index: Index) -> None:
    _, folder = index.root()
    key = index.item(folder, b"a.mp3", song())
    before, told = index.dump(), len(index.changes)
    assert index.item(folder, b"a.mp3", song()) == key
    assert (index.dump(), len(index.changes)) == (before, told)


def test_a_changed_file_keeps_its_key_and_date(index: Index) -> None:
    _, folder = index.root()
    key = index.item(folder, b"a.mp3", song("Old", artists=("X",)))
    index.now += DAY
    changed = song("New", artists=("Y",), fingerprint=b"other")
    assert index.item(folder, b"a.mp3", changed) == key
    assert index.ask("SELECT title, added FROM items") == [("New", NOW)]
    assert index.facets("artist") == [("Y", 1)]


def test_a_touched_file_is_not_a_change_for_control_points(index: Index) -> None:
    _, folder = index.root()
    status = file_status()
    key = index.item(folder, b"a.mp3", song(), status)
    told = len(index.changes)
    with index.indexer.batch() as batch:
        batch.put_item(folder, b"a.mp3", replace(status, mtime_ns=status.mtime_ns + 1), song())
        batch.set_identity(key, replace(status, inode=77))
    assert index.indexer.known_files(folder)[b"a.mp3"].status.inode == 77
    assert len(index.changes) == told


def test_an_unknown_key_is_an_error_and_undoes_the_batch(index: Index) -> None:
    _, folder = index.root()
    before = index.dump()

    def change() -> None:
        with index.indexer.batch() as batch:
            batch.put_item(folder, b"a.mp3", file_status(), song())
            batch.remove_item(12345)

    with pytest.raises(KeyError):
        change()
    assert index.dump() == before


# ---- ids


def test_files_of_the_same_content_have_different_ids(index: Index) -> None:
    _, folder = index.root()
    first = index.item(folder, b"a.mp3", song())
    second = index.item(folder, b"b.mp3", song())
    third = index.item(folder, b"c.mp3", song())
    assert len({first, second, third}) == 3


def test_an_index_made_anew_gives_the_same_ids(tmp_path: Path) -> None:
    ids = []
    for name in ("one", "two"):
        index = Index(tmp_path / name)
        root_id, folder = index.root()
        deep = index.folder(root_id, b"a", folder)
        items = [index.item(deep, b"%d.mp3" % number, song()) for number in range(3)]
        facets = index.ask("SELECT id, kind, key FROM facets ORDER BY id")
        ids.append((folder, deep, items, facets))
        index.database.close()
    assert ids[0] == ids[1]


def test_a_file_that_comes_back_to_its_place_is_the_same_one(index: Index) -> None:
    _, folder = index.root()
    key = index.item(folder, b"a.mp3", song("Old"))
    with index.indexer.batch() as batch:
        batch.remove_item(key)
    index.now += 30 * DAY
    assert index.item(folder, b"a.mp3", song("Edited", fingerprint=b"edited")) == key
    assert index.ask("SELECT added FROM items") == [(NOW,)]


def test_a_file_that_comes_back_elsewhere_is_the_same_one(index: Index) -> None:
    root_id, folder = index.root()
    other = index.folder(root_id, b"other", folder)
    key = index.item(folder, b"a.mp3", song("First"))
    index.item(folder, b"a.mp3", song("Retagged", fingerprint=b"retagged"))
    with index.indexer.batch() as batch:
        batch.remove_item(key)
    assert index.item(other, b"z.mp3", song("Retagged", fingerprint=b"retagged")) == key


def test_a_vanished_file_leaves_its_key_to_no_other(index: Index) -> None:
    """Content as a file once was, while that file, retagged since, is away."""
    _, folder = index.root()
    key = index.item(folder, b"a.mp3", song("Original"))
    index.item(folder, b"a.mp3", song("Retagged"))
    with index.indexer.batch() as batch:
        batch.remove_item(key)
    assert index.item(folder, b"copy.mp3", song("Original")) != key
    assert index.item(folder, b"a.mp3", song("Retagged")) == key


def test_a_key_is_kept_for_half_a_year(index: Index) -> None:
    _, folder = index.root()
    for days, comes_back in ((179, True), (181, False)):
        key = index.item(folder, b"%d.mp3" % days, song(str(days)))
        index.item(folder, b"%d.mp3" % days, song(f"{days} retagged"))
        with index.indexer.batch() as batch:
            batch.remove_item(key)
        index.now += days * DAY
        again = index.item(folder, b"%d.mp3" % days, song(f"{days} retagged"))
        assert (again == key) is comes_back


def test_a_new_folder_where_one_was_moved_away_has_another_id(index: Index) -> None:
    root_id, top = index.root()
    moved = index.folder(root_id, b"a", top)
    with index.indexer.batch() as batch:
        batch.move_folder(moved, root_id, b"b", top)
    assert index.folder(root_id, b"a", top) != moved
    assert index.folder(root_id, b"b", top) == moved


# ---- when something was added


def test_in_a_first_scan_files_count_as_added_when_they_were_last_modified(index: Index) -> None:
    root_id, folder = index.root(scanned=False)
    index.item(folder, b"old.mp3", song("old"), file_status(NOW - 1000 * DAY))
    index.item(folder, b"future.mp3", song("future"), file_status(NOW + 1000 * DAY))
    index.item(folder, b"ancient.mp3", song("ancient"), file_status(-5))
    with index.indexer.batch() as batch:
        batch.root_scanned(root_id)
    index.now += 10
    index.item(folder, b"new.mp3", song("new"), file_status(NOW - 500 * DAY))
    assert dict(index.ask("SELECT title, added FROM items")) == {
        "old": NOW - 1000 * DAY,
        "future": NOW,
        "ancient": 0,
        "new": NOW + 10,
    }


# ---- folders


def test_a_folder_is_shown_while_there_are_items_below(index: Index) -> None:
    root_id, top = index.root()
    a = index.folder(root_id, b"a", top)
    b = index.folder(root_id, b"a/b", a)
    shown = "SELECT path FROM folders WHERE shown ORDER BY path"
    assert index.ask(shown) == [(b"",)]
    key = index.item(b, b"x.mp3", song())
    assert index.ask(shown) == [(b"",), (b"a",), (b"a/b",)]
    with index.indexer.batch() as batch:
        batch.remove_item(key)
    assert index.ask(shown) == [(b"",)]


def test_folders_count_what_is_in_them_and_below_by_kind(index: Index) -> None:
    root_id, top = index.root()
    a = index.folder(root_id, b"a", top)
    b = index.folder(root_id, b"a/b", a)
    index.folder(root_id, b"empty", top)
    with index.indexer.batch() as batch:
        batch.put_item(top, b"1.mp3", file_status(), song())
        batch.put_item(b, b"2.mp3", file_status(), song("2"))
        batch.put_item(b, b"3.jpg", file_status(), photo("3"))
    question = (
        "SELECT child_folders, audio_folders, image_folders, child_items, audio_items, "
        "audio_below, image_below FROM folders WHERE id = ?"
    )
    assert index.ask(question, top) == [(1, 1, 1, 1, 1, 2, 1)]
    assert index.ask(question, a) == [(1, 1, 1, 0, 0, 1, 1)]
    assert index.ask(question, b) == [(0, 0, 0, 2, 1, 1, 1)]


def test_removing_a_folder_removes_what_is_below(index: Index) -> None:
    root_id, top = index.root()
    a = index.folder(root_id, b"a", top)
    b = index.folder(root_id, b"a/b", a)
    key = index.item(b, b"x.mp3", song(art=COVER))
    with index.indexer.batch() as batch:
        batch.set_folder_art(b, ArtFile(b"cover.jpg", "image/jpeg", 1, 1, 1))
        batch.remove_folder(a)
    assert index.ask("SELECT id FROM folders") == [(top,)]
    assert index.ask("SELECT count(*) FROM items") == [(0,)]
    assert index.ask("SELECT id FROM tombstones") == [(key,)]


def test_a_moved_folder_takes_everything_along(index: Index) -> None:
    root_id, top = index.root()
    a = index.folder(root_id, b"a", top)
    b = index.folder(root_id, b"a/b", a)
    other = index.folder(root_id, b"other", top)
    key = index.item(b, b"x.mp3", song(album="Album"))
    albums = "SELECT id FROM facets WHERE kind = 'album'"
    album = index.ask(albums)
    with index.indexer.batch() as batch:
        batch.move_folder(a, root_id, b"other/Renamed", other)
    assert index.ask("SELECT id, path, title FROM folders WHERE shown ORDER BY path") == [
        (top, b"", "Music"),
        (other, b"other", "other"),
        (a, b"other/Renamed", "Renamed"),
        (b, b"other/Renamed/b", "b"),
    ]
    assert index.ask("SELECT id, folder_id FROM items") == [(key, b)]
    assert index.ask(albums) == album
    assert index.ask("SELECT rowid FROM folder_text WHERE folder_text MATCH 'renamed'") == [(a,)]


def test_a_folder_moved_to_another_root_is_shown_as_that_root_is(index: Index) -> None:
    here, top = index.root(b"/here")
    there, other_top = index.root(b"/there")
    with index.indexer.batch() as batch:
        batch.set_root(there, available=False, reason="not mounted", device=None)
    a = index.folder(here, b"a", top)
    index.item(a, b"x.mp3", song())
    with index.indexer.batch() as batch:
        batch.move_folder(a, there, b"a", other_top)
    assert index.ask("SELECT shown FROM items") == [(0,)]
    with index.indexer.batch() as batch:
        batch.move_folder(a, here, b"b", top)
    assert index.ask("SELECT shown FROM items") == [(1,)]


def test_what_a_moved_folder_replaces_is_removed(index: Index) -> None:
    root_id, top = index.root()
    a, b = index.folder(root_id, b"a", top), index.folder(root_id, b"b", top)
    index.item(a, b"x.mp3", song("moved"))
    index.item(b, b"y.mp3", song("replaced"))
    with index.indexer.batch() as batch:
        batch.move_folder(a, root_id, b"b", top)
    assert index.ask("SELECT title FROM items") == [("moved",)]
    assert index.ask("SELECT id FROM folders WHERE path = ?", b"b") == [(a,)]


# ---- moved files


def test_a_moved_file_keeps_its_key_and_tells_both_folders(index: Index) -> None:
    root_id, top = index.root()
    a = index.folder(root_id, b"a", top)
    key = index.item(top, b"x.mp3", song())
    with index.indexer.batch() as batch:
        batch.move_item(key, a, b"y.mp3", file_status())
    assert index.ask("SELECT id, folder_id, name FROM items") == [(key, a, b"y.mp3")]
    assert {folder_id(top), folder_id(a)} <= set(index.changes[-1].containers)


def test_a_title_that_is_the_name_changes_with_the_name(index: Index) -> None:
    _, folder = index.root()
    named = index.item(folder, b"IMG_1.jpg", photo("IMG_1", named=True))
    titled = index.item(folder, b"IMG_2.jpg", photo("Sunset"))
    with index.indexer.batch() as batch:
        batch.move_item(named, folder, b"Beach.jpg", file_status())
        batch.move_item(titled, folder, b"Party.jpg", file_status())
    assert index.ask("SELECT title FROM items ORDER BY title") == [("Beach",), ("Sunset",)]


def test_a_file_moved_over_another_replaces_it(index: Index) -> None:
    _, folder = index.root()
    key = index.item(folder, b"new.mp3", song("new"))
    index.item(folder, b"old.mp3", song("old"))
    with index.indexer.batch() as batch:
        batch.move_item(key, folder, b"old.mp3", file_status())
    assert index.ask("SELECT id, name FROM items") == [(key, b"old.mp3")]


def test_an_album_without_artist_is_one_over_its_discs(index: Index) -> None:
    root_id, top = index.root()
    album = index.folder(root_id, b"Album", top)
    discs = [index.folder(root_id, b"Album/CD%d" % disc, album) for disc in (1, 2)]
    for number, (disc, title) in enumerate(((discs[1], "B"), (discs[0], "A"))):
        facts = song(title, album="Album", artists=(f"Artist {number}",), track=1)
        index.item(disc, b"01.mp3", facts)
    assert index.facets("album") == [("Album", 2)]
    question = "SELECT title FROM items ORDER BY album_key"
    assert [title for (title,) in index.ask(question)] == ["A", "B"]
    with index.indexer.batch() as batch:
        batch.move_folder(discs[1], root_id, b"CD2", top)
    assert index.facets("album") == [("Album", 1), ("Album", 1)]


# ---- roots


def test_a_root_that_is_away_is_hidden_and_comes_back_as_it_was(index: Index) -> None:
    root_id, top = index.root(b"/away")
    _, stays = index.root(b"/stays")
    a = index.folder(root_id, b"a", top)
    index.item(a, b"x.mp3", song("x", artists=("Ann",), art=COVER))
    index.item(stays, b"y.mp3", song("y", artists=("Bob",)))
    before = index.dump()
    with index.indexer.batch() as batch:
        batch.set_root(root_id, available=False, reason="not mounted", device=1)
    assert index.facets("artist") == [("Bob", 1)]
    assert index.ask("SELECT path FROM folders WHERE shown") == [(b"",)]
    assert index.ask("SELECT value FROM settings WHERE name = 'counts.audio'") == [(1,)]
    [away, _] = index.indexer.roots()
    assert (away.available, away.reason, away.device) == (False, "not mounted", 1)
    with index.indexer.batch() as batch:
        batch.set_root(root_id, available=True, reason=None, device=None)
    after = index.dump()
    for table in ("items", "art", "item_text", "item_facets", "facet_pairs", "tombstones"):
        assert sorted(after[table], key=repr) == sorted(before[table], key=repr)


@pytest.fixture
def crowded(index: Index, monkeypatch: pytest.MonkeyPatch) -> tuple[Index, int]:
    """A root of more items than are shown or hidden at once, and another; the root's id."""
    monkeypatch.setattr("mediaserver.library.indexer.AT_ONCE", 3)
    root_id, top = index.root(b"/away")
    _, stays = index.root(b"/stays")
    index.item(stays, b"y.mp3", song("y", artists=("Bob",)))
    for name in (b"a", b"b"):
        folder = index.folder(root_id, name, top)
        with index.indexer.batch() as batch:
            for number in range(4):
                facts = song(f"{number}", artists=("Ann",))
                batch.put_item(folder, b"%d.mp3" % number, file_status(), facts)
    index.changes.clear()
    return index, root_id


def test_a_root_of_many_items_goes_and_comes_in_several_steps(crowded: tuple[Index, int]) -> None:
    index, root_id = crowded
    before = index.dump()
    seen = []

    def note(change: Change) -> None:
        (shown,) = index.ask("SELECT count(*) FROM items WHERE shown")[0]
        folders = index.ask("SELECT count(*) FROM folders WHERE shown AND path <> x''")[0][0]
        assert sum(count for _, count in index.facets("artist")) == shown
        seen.append((shown, folders))

    index.indexer.on_change = note
    index.indexer.set_root(root_id, available=False, reason="not mounted", device=1)
    # Its folders first, so that nothing leads to what is no longer there.
    assert seen == [(9, 0), (6, 0), (3, 0), (1, 0)]
    assert index.problems() == []
    seen.clear()
    index.indexer.set_root(root_id, available=True, reason=None, device=1)
    assert seen == [(4, 0), (7, 0), (9, 2)]
    after = index.dump()
    for table in ("items", "item_text", "item_facets", "facet_pairs"):
        assert sorted(after[table], key=repr) == sorted(before[table], key=repr)


@pytest.mark.parametrize("available", [True, False])
def test_hiding_a_root_that_was_cut_short_is_gone_on_with(
    crowded: tuple[Index, int], available: bool
) -> None:
    index, root_id = crowded
    answers = iter((False, True))
    index.indexer.set_root(
        root_id, available=False, reason="", device=1, stopped=lambda: next(answers)
    )
    assert index.ask("SELECT count(*) FROM items WHERE shown") == [(6,)]
    index.indexer.set_root(root_id, available=available, reason="", device=1)
    assert index.ask("SELECT count(*) FROM items WHERE shown") == [(9 if available else 1,)]
    assert index.problems() == []


def test_a_root_that_is_no_longer_wanted_is_forgotten(index: Index) -> None:
    root_id, top = index.root()
    key = index.item(top, b"x.mp3", song())
    with index.indexer.batch() as batch:
        batch.remove_root(root_id)
    assert index.indexer.roots() == []
    assert index.ask("SELECT count(*) FROM folders") == [(0,)]
    _, top = index.root()
    assert index.item(top, b"x.mp3", song()) == key


def test_a_root_with_another_name_keeps_what_is_in_it(index: Index) -> None:
    root_id, top = index.root()
    index.item(top, b"x.mp3", song())
    with index.indexer.batch() as batch:
        assert batch.put_root(b"/music", "My songs") == root_id
    assert index.ask("SELECT title, child_items FROM folders") == [("My songs", 1)]


def test_a_renamed_folder_of_a_disc_is_an_album_of_its_own_whatever_playlists_there_are(
    index: Index,
) -> None:
    root_id, top = index.root()
    album = index.folder(root_id, b"Red", top)
    disc = index.folder(root_id, b"Red/CD1", album)
    with index.indexer.batch() as batch:
        batch.set_folder_art(album, ArtFile(b"cover.jpg", "image/jpeg", 30, 20, 5))
        batch.put_item(disc, b"a.mp3", file_status(), song(album="Red"))
        entries = (PlaylistEntry("Red/CD1/a.mp3"),)
        batch.put_playlist(top, b"p.m3u", file_status(), PlaylistFacts(entries=entries))
    with index.indexer.batch() as batch:
        batch.move_folder(disc, root_id, b"Red/Live", album)
    # The cover stands for the folder and its discs alone.
    assert index.ask("SELECT art_id FROM items") == [(None,)]


def test_a_second_media_root_is_a_change_even_if_nothing_is_in_it(index: Index) -> None:
    """The folder of the first one stands in the view of folders from then on, and not before."""
    _, folder = index.root()
    index.item(folder, b"a.mp3", song())
    told = len(index.changes)
    with index.indexer.batch() as batch:
        second = batch.put_root(b"/second", "Second")
    assert len(index.changes) == told + 1
    assert {view_id("fo"), view_id("mf"), view_id("pf")} <= set(index.changes[-1].containers)
    with index.indexer.batch() as batch:
        batch.remove_root(second)
    assert len(index.changes) == told + 2


@pytest.mark.parametrize(
    "question",
    [
        lambda connection: known.known_files(connection, 1),
        lambda connection: known.known_playlists(connection, 1),
        lambda connection: known.known_folders(connection, 1),
        lambda connection: known.file(connection, 1, b"a.mp3"),
        lambda connection: known.files_by_inode(connection, 1, 1),
        lambda connection: known.files_by_fingerprint(connection, b"1"),
        lambda connection: known.folders_by_inode(connection, 1, 1),
        lambda connection: known.playlists_by_inode(connection, 1, 1),
        lambda connection: known.playlist(connection, 1, b"a.m3u"),
        lambda connection: known.folder(connection, 1, b"a"),
        lambda connection: known.folders_in(connection, 1),
        lambda connection: known.folder_art(connection, 1),
        lambda connection: known.art_of_folder(connection, 1),
        lambda connection: known.path_of(connection, 1),
        lambda connection: sidecars.of_root(connection, 1),
        lambda connection: sidecars.of_folder(connection, 1),
    ],
)
def test_what_a_scan_asks_again_and_again_is_found_by_an_index(
    index: Index, question: Callable[[sqlite3.Connection], object]
) -> None:
    with index.database.begin() as connection:
        driver = driver_of(connection)
        statements: list[str] = []
        driver.set_trace_callback(statements.append)
        question(driver)
        driver.set_trace_callback(None)
        plans = [
            detail
            for statement in statements
            for *_, detail in driver.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]
    assert plans
    assert [plan for plan in plans if plan.startswith("SCAN")] == []
