"""What follows from what is in the index: values of views, art, update ids.

Expected values are those of the tags a test hands in, and CDS:1 §2.5.20, §2.5.21 (update ids).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaserver.library.database import driver_of
from mediaserver.library.indexer import ArtFile
from mediaserver.library.object_ids import folder_id, view_id
from mediaserver.library.objects import Kind
from mediaserver.library.views import DEFAULT_VIEWS, Arrangement
from tests.library.an_index import COVER, Index, file_status, film, photo, put_folder, song

VIEWS_OF_MUSIC = {
    view_id(view.code)
    for view in DEFAULT_VIEWS
    if view.kind in (Kind.AUDIO, None) and view.arrangement is not Arrangement.PLAYLISTS
}
"""What changes with a song, as far as it is in no playlist."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "index.sqlite")
    yield index
    assert index.problems() == []
    index.close()


# ---- values of views


def test_items_stand_under_their_values_in_order(index: Index) -> None:
    _, folder = index.root()
    for disc, track, title in ((1, 2, "The B"), (1, 10, "A"), (2, 1, "C"), (None, 1, "D")):
        facts = song(title, album="Album", album_artists=("X",), disc=disc, track=track)
        index.item(folder, title.encode(), facts)
    question = (
        "SELECT title FROM item_facets JOIN items ON items.id = item_id "
        "WHERE facet_id = (SELECT id FROM facets WHERE kind = ?) "
        "ORDER BY item_facets.sort_key, item_id"
    )
    assert [title for (title,) in index.ask(question, "album")] == ["D", "The B", "A", "C"]
    assert [title for (title,) in index.ask(question, "artist")] == ["A", "The B", "C", "D"]


def test_values_that_occur_together_are_known_with_their_numbers(index: Index) -> None:
    _, folder = index.root()
    for title, artist, album, genre in (
        ("1", "Ann", "Red", "Rock"),
        ("2", "Ann", "Red", "Rock"),
        ("3", "Ann", "Blue", "Pop"),
        ("4", "Bob", "Red", "Rock"),
    ):
        facts = song(
            title, artists=(artist,), album_artists=(artist,), album=album, genres=(genre,)
        )
        index.item(folder, title.encode(), facts)
    question = (
        "SELECT child.title, facet_pairs.item_count FROM facet_pairs "
        "JOIN facets AS child ON child.id = child_id "
        "WHERE facet_id = (SELECT id FROM facets WHERE kind = ? AND title = ?) "
        "AND child_kind = ? ORDER BY child_sort_key, child_id"
    )
    assert index.ask(question, "artist", "Ann", "album") == [("Blue", 1), ("Red", 2)]
    assert index.ask(question, "genre", "Rock", "artist") == [("Ann", 2), ("Bob", 1)]
    assert index.ask(question, "artist", "Bob", "album") == [("Red", 1)]


def test_a_value_without_items_is_gone_and_comes_back_as_the_same(index: Index) -> None:
    _, folder = index.root()
    key = index.item(folder, b"a.mp3", song(artists=("Ann",)))
    question = "SELECT id FROM facets WHERE kind = 'artist'"
    [(ann,)] = index.ask(question)
    with index.indexer.batch() as batch:
        batch.remove_item(key)
    assert index.ask("SELECT count(*) FROM facets") == [(0,)]
    index.item(folder, b"b.mp3", song("Other", artists=("Ann",)))
    assert index.ask(question) == [(ann,)]


def test_a_value_made_and_lost_in_one_batch_leaves_nothing(index: Index) -> None:
    _, folder = index.root()
    with index.indexer.batch() as batch:
        key = batch.put_item(folder, b"a.mp3", file_status(), song(artists=("Ann",)))
        batch.remove_item(key)
    assert index.ask("SELECT count(*) FROM facets") == [(0,)]
    assert index.ask("SELECT count(*) FROM facet_text") == [(0,)]


def test_an_album_shows_what_its_first_tracks_know(index: Index) -> None:
    _, folder = index.root()
    album = {"album": "Album", "album_artists": ("Ann",)}
    index.item(folder, b"1", song("1", track=1, **album))
    index.item(folder, b"2", song("2", track=2, date="1999", genres=("Rock",), **album))
    third = index.item(folder, b"3", song("3", track=3, date="2001", art=COVER, **album))
    [row] = index.ask("SELECT artists, genres, date, art_id FROM facets WHERE kind = 'album'")
    assert row[:3] == ("Ann", "Rock", "1999")
    assert index.ask("SELECT id, item_id FROM art") == [(row[3], third)]
    with index.indexer.batch() as batch:
        batch.remove_item(third)
    assert index.ask("SELECT art_id FROM facets WHERE kind = 'album'") == [(None,)]


def test_an_album_of_several_artists_is_by_various_artists(index: Index) -> None:
    _, folder = index.root()
    index.item(folder, b"1", song("1", album="Mix", artists=("Ann",)))
    assert index.ask("SELECT artists FROM facets WHERE kind = 'album'") == [("Ann",)]
    index.item(folder, b"2", song("2", album="Mix", artists=("Bob",)))
    question = "SELECT artists, item_count FROM facets WHERE kind = 'album'"
    assert index.ask(question) == [("Various artists", 2)]


def test_ids_of_values_do_not_collide(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 30 bits, some do in a large library. Here all would."""
    counted = iter(range(100))
    monkeypatch.setattr(
        "mediaserver.library.indexing.facet_links.hashed",
        lambda bits, *parts: 7 if len(parts) == 2 else next(counted) + 100,
    )
    _, folder = index.root()
    index.item(folder, b"a", song("a", artists=("Ann", "Bob")))
    index.item(folder, b"b", song("b", artists=("Bob",)))
    assert index.facets("artist") == [("Ann", 1), ("Bob", 2)]


# ---- art


def test_the_same_cover_in_many_files_is_one_art(index: Index) -> None:
    _, folder = index.root()
    keys = [index.item(folder, b"%d" % n, song(str(n), art=COVER)) for n in range(3)]
    [(art_id, holder)] = index.ask("SELECT id, item_id FROM art")
    assert holder == keys[0]
    with index.indexer.batch() as batch:
        batch.remove_item(keys[0])
    [(again, holder)] = index.ask("SELECT id, item_id FROM art")
    assert again == art_id
    assert holder in keys[1:]
    with index.indexer.batch() as batch:
        batch.remove_item(keys[1])
        batch.remove_item(keys[2])
    assert index.ask("SELECT count(*) FROM art") == [(0,)]


def test_a_picture_in_the_folder_stands_for_items_without_their_own(index: Index) -> None:
    _, folder = index.root()
    index.item(folder, b"before.mp3", song("before"))
    index.item(folder, b"own.mp3", song("own", art=COVER))
    with index.indexer.batch() as batch:
        batch.set_folder_art(folder, ArtFile(b"cover.jpg", "image/jpeg", 300, 200, 5))
        batch.put_item(folder, b"after.mp4", file_status(), film("after"))
        batch.put_item(folder, b"photo.jpg", file_status(), photo("photo"))
    [(art_id, width, height)] = index.ask(
        "SELECT id, width, height FROM art WHERE name = ?", b"cover.jpg"
    )
    assert (width, height) == (300, 200)
    found = dict(index.ask("SELECT title, art_id FROM items"))
    assert found["before"] == found["after"] == art_id
    assert found["own"] not in (art_id, None)
    assert found["photo"] is None
    with index.indexer.batch() as batch:
        batch.set_folder_art(folder, None)
    found = dict(index.ask("SELECT title, art_id IS NULL FROM items"))
    assert found == {"before": 1, "after": 1, "own": 0, "photo": 1}


def test_the_picture_of_an_album_stands_for_the_tracks_on_its_discs(index: Index) -> None:
    root_id, folder = index.root()
    album = index.folder(root_id, b"Album", folder)
    first = index.folder(root_id, b"Album/CD1", album)
    second = index.folder(root_id, b"Album/Disc 2", album)
    bonus = index.folder(root_id, b"Album/Bonus", album)
    for disc, title in ((first, "one"), (second, "two"), (bonus, "more")):
        index.item(disc, b"track.mp3", song(title))
    with index.indexer.batch() as batch:
        batch.set_folder_art(album, ArtFile(b"cover.jpg", "image/jpeg", 300, 200, 5))
        batch.set_folder_art(second, ArtFile(b"cover.png", "image/png", 30, 20, 5))
        batch.put_item(first, b"later.mp3", file_status(), song("later"))
    names = dict(
        index.ask("SELECT title, art.name FROM items LEFT JOIN art ON art.id = items.art_id")
    )
    assert names == {"one": b"cover.jpg", "later": b"cover.jpg", "two": b"cover.png", "more": None}
    with index.indexer.batch() as batch:
        batch.set_folder_art(second, None)
    assert index.ask("SELECT count(DISTINCT art_id), count(art_id) FROM items") == [(1, 3)]
    with index.indexer.batch() as batch:
        batch.move_folder(first, root_id, b"Elsewhere", folder)
        batch.set_folder_art(album, ArtFile(b"cover.jpg", "image/jpeg", 300, 200, 6))
    found = dict(
        index.ask("SELECT title, art.mtime_ns FROM items LEFT JOIN art ON art.id = items.art_id")
    )
    assert found == {"one": None, "later": None, "two": 6, "more": None}
    assert index.problems() == []


def test_a_changed_picture_is_another_art(index: Index) -> None:
    """So that control points that keep pictures by their address fetch the new one."""
    _, folder = index.root()
    index.item(folder, b"a.mp3", song())
    art_ids = set()
    for mtime_ns in (1, 2):
        with index.indexer.batch() as batch:
            batch.set_folder_art(folder, ArtFile(b"cover.jpg", "image/jpeg", 1, 1, mtime_ns))
        art_ids |= set(index.ask("SELECT art_id FROM items"))
    assert len(art_ids) == 2
    assert index.ask("SELECT count(*) FROM art") == [(1,)]


def test_the_scanner_is_told_which_picture_a_folder_has(index: Index) -> None:
    root_id, folder = index.root()
    art = ArtFile(b"cover.jpg", "image/jpeg", 300, 200, 5)
    with index.indexer.batch() as batch:
        batch.set_folder_art(folder, art)
    assert index.indexer.folder_art(root_id) == {folder: art}


# ---- update ids


def test_system_update_id_rises_by_one_a_batch(index: Index) -> None:
    """CDS:1 §2.5.20: it changes whenever anything in the ContentDirectory does."""
    _, folder = index.root()
    before = index.indexer.system_update_id
    with index.indexer.batch() as batch:
        for number in range(3):
            batch.put_item(folder, b"%d" % number, file_status(), song(str(number)))
    assert index.indexer.system_update_id == before + 1
    assert index.changes[-1].system_update_id == before + 1


def test_an_empty_batch_is_no_change(index: Index) -> None:
    index.root()
    before = index.indexer.system_update_id, len(index.changes)
    with index.indexer.batch():
        pass
    assert (index.indexer.system_update_id, len(index.changes)) == before


def test_system_update_id_wraps_as_ui4(index: Index) -> None:
    _, folder = index.root()
    with index.database.begin() as connection:
        driver_of(connection).execute(
            "UPDATE settings SET value = 4294967295 WHERE name = 'system_update_id'"
        )
    index.item(folder, b"a", song())
    assert index.indexer.system_update_id == 0


def test_a_change_names_views_folders_and_values_that_changed(index: Index) -> None:
    root_id, top = index.root()
    a = index.folder(root_id, b"a", top)
    index.item(top, b"other.mp3", song("other", artists=("Bob",)))
    index.item(a, b"x.mp3", song(artists=("Ann",)))
    change = index.changes[-1]
    facet = dict(index.ask("SELECT title, id FROM facets WHERE kind = 'artist'"))
    assert set(change.containers) >= VIEWS_OF_MUSIC
    assert view_id("vi") not in change.containers
    # The folder that got the item, and the one in which that folder appeared.
    assert {folder_id(a), folder_id(top)} <= set(change.containers)
    assert view_id("mr", (facet["Ann"],)) in change.containers
    assert view_id("mr", (facet["Bob"],)) not in change.containers
    assert set(change.containers.values()) == {change.system_update_id}
    stored = dict(index.ask("SELECT id, update_id FROM folders"))
    assert stored[a] == stored[top] == change.system_update_id


def test_a_change_leaves_out_the_most_specific_containers_first(index: Index) -> None:
    root_id, top = index.root()
    with index.indexer.batch() as batch:
        for number in range(400):
            folder = put_folder(batch, root_id, b"%d" % number, top)
            batch.put_item(folder, b"x", file_status(), song(str(number), artists=(f"A{number}",)))
    containers = index.changes[-1].containers
    assert len(containers) == 300
    assert set(containers) >= VIEWS_OF_MUSIC


def test_removed_containers_are_not_said_to_have_changed(index: Index) -> None:
    root_id, top = index.root()
    a = index.folder(root_id, b"a", top)
    index.item(a, b"x.mp3", song(artists=("Ann",)))
    [(ann,)] = index.ask("SELECT id FROM facets WHERE kind = 'artist'")
    with index.indexer.batch() as batch:
        batch.remove_folder(a)
    assert folder_id(top) in index.changes[-1].containers
    assert folder_id(a) not in index.changes[-1].containers
    assert view_id("mr", (ann,)) not in index.changes[-1].containers
