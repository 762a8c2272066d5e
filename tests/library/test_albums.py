"""Albums of which only some tracks say whose they are; the examples are what taggers leave."""

from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from mediaserver.library.albums import AlbumTrack, Joined, joined
from mediaserver.library.objects import Details
from tests.library.an_index import Index, file_status, song

RELEASE = "fe7ddd48-a5fb-4ed7-8f0d-8c0d1c7d1c3e"
OTHER = "0a7ddd48-a5fb-4ed7-8f0d-8c0d1c7d1c3e"
GROUP = "ccdb3dd3-9cd7-3e4c-9e9e-4ff3ff3bd4ba"
QUEEN = ("Queen",)


def track(number: int | None = None, **said: Any) -> AlbumTrack:
    return AlbumTrack(track=number, **({"artists": QUEEN} | said))


def test_tracks_that_agree_need_no_joining() -> None:
    assert joined([track(1), track(2)]) is None
    assert joined([track(1, release_id=RELEASE), track(2, release_id=RELEASE)]) is None


def test_the_album_artist_of_some_tracks_is_that_of_all() -> None:
    tracks = [track(1, album_artists=QUEEN, album_artist_sorts=QUEEN), track(2)]
    assert joined(tracks) == Joined(None, QUEEN, QUEEN, compilation=False)


def test_the_release_of_some_tracks_is_that_of_all() -> None:
    tracks = [track(1, album_artists=QUEEN, release_id=RELEASE), track(2, album_artists=QUEEN)]
    assert joined(tracks) == Joined(RELEASE, QUEEN, (), compilation=False)


def test_guests_are_on_the_album_of_the_one_they_play_with() -> None:
    guest = track(2, artists=("David Bowie & QUEEN",))
    assert joined([track(1, album_artists=QUEEN), guest]) is not None
    # A name within another one's is not that one.
    other = track(2, artists=("Queensrÿche",))
    assert joined([track(1, album_artists=QUEEN), other]) is None


def test_a_track_that_names_nobody_may_be_on_any_album() -> None:
    assert joined([track(1, album_artists=QUEEN), track(2, artists=())]) is not None


def test_on_a_compilation_anybody_plays() -> None:
    various = ("Various Artists",)
    abba = track(2, artists=("ABBA",))
    assert joined([track(1, album_artists=various), abba]) == Joined(
        None, various, (), compilation=False
    )
    assert joined([track(1, compilation=True), abba]) == Joined(None, (), (), compilation=True)


def test_two_records_of_one_title_stay_two() -> None:
    """Greatest Hits, of two bands, in a folder of songs."""
    abba = ("ABBA",)
    queens, abbas = track(1, album_artists=QUEEN), track(2, artists=abba, album_artists=abba)
    assert joined([queens, abbas]) is None
    assert joined([queens, abbas, track(3)]) is None
    assert joined([queens, track(2, artists=abba)]) is None


def test_two_tracks_of_one_number_are_of_two_albums() -> None:
    """The same album as FLAC with, and as MP3 without MusicBrainz's ids."""
    assert joined([track(1, release_id=RELEASE), track(1)]) is None
    assert joined([track(1, release_id=RELEASE), track(1, disc=2)]) is not None


def test_two_releases_are_two_albums_unless_they_complete_each_other() -> None:
    first, second = track(1, release_id=RELEASE), track(2, release_id=OTHER)
    assert joined([first, second]) is None
    one_group = [one._replace(release_group_id=GROUP) for one in (first, second)]
    assert joined(one_group) == Joined(OTHER, (), (), compilation=False)
    again = [one._replace(track=1) for one in one_group]
    assert joined(again) is None


# ---- in the index


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "index.sqlite")
    yield index
    assert index.problems() == []
    index.close()


def album_song(number: int, **facts: Any) -> Any:
    return song(f"Song {number}", track=number, **({"album": "Jazz", "artists": QUEEN} | facts))


def put(index: Index, folder: int, number: int, **facts: Any) -> int:
    return index.item(folder, f"{number:02d}.mp3".encode(), album_song(number, **facts))


def test_an_album_is_one_whatever_order_its_tracks_come_in(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = [
        {"album_artists": QUEEN, "release_id": RELEASE},
        {"album_artists": QUEEN},
        {},
    ]
    for at, order in enumerate(permutations(range(3))):
        index = Index(tmp_path / f"{at}.sqlite")
        _, folder = index.root()
        for number in order:
            put(index, folder, number + 1, **said[number])
        assert index.facets("album") == [("Jazz", 3)]
        assert index.facets("albumartist") == [("Queen", 3)]
        assert index.problems() == []
        index.close()


def _remove(index: Index, _: int, key: int) -> None:
    with index.indexer.batch() as batch:
        batch.remove_item(key)


def _say_nothing(index: Index, folder: int, _: int) -> None:
    put(index, folder, 1)


def _move(index: Index, folder: int, key: int) -> None:
    other = index.folder(1, b"other", folder)
    with index.indexer.batch() as batch:
        batch.move_item(key, other, b"01.mp3", file_status())


@pytest.mark.parametrize("change", [_remove, _say_nothing, _move])
def test_an_album_is_of_nobody_again_when_the_track_that_told_goes(
    index: Index, change: Callable[[Index, int, int], None]
) -> None:
    _, folder = index.root()
    key = put(index, folder, 1, album_artists=QUEEN, release_id=RELEASE)
    put(index, folder, 2)
    assert index.ask("SELECT title, release_id FROM joined_albums") == [("jazz", RELEASE)]
    change(index, folder, key)
    assert index.ask("SELECT * FROM joined_albums") == []


def test_the_discs_of_an_album_tell_for_each_other(index: Index) -> None:
    root, top = index.root()
    album = index.folder(root, b"Jazz", top)
    for disc in (1, 2):
        folder = index.folder(root, b"Jazz/CD%d" % disc, album)
        put(index, folder, 1, **({"album_artists": QUEEN} if disc == 1 else {}))
    assert index.facets("album") == [("Jazz", 2)]
    assert index.facets("albumartist") == [("Queen", 2)]


def test_a_disc_that_is_called_something_else_tells_for_itself(index: Index) -> None:
    root, top = index.root()
    album = index.folder(root, b"Jazz", top)
    first, second = (index.folder(root, b"Jazz/CD%d" % disc, album) for disc in (1, 2))
    put(index, first, 1, album_artists=QUEEN)
    put(index, second, 1, artists=("queen",))
    assert index.facets("album") == [("Jazz", 2)]
    with index.indexer.batch() as batch:
        batch.move_folder(second, root, b"Jazz/Bonus", album)
    assert index.facets("album") == [("Jazz", 1), ("Jazz", 1)]


def test_a_disc_that_is_gone_tells_nothing_any_more(index: Index) -> None:
    root, top = index.root()
    album = index.folder(root, b"Jazz", top)
    first, second = (index.folder(root, b"Jazz/CD%d" % disc, album) for disc in (1, 2))
    put(index, first, 1, album_artists=QUEEN)
    put(index, second, 1)
    assert len(index.ask("SELECT * FROM joined_albums")) == 1
    with index.indexer.batch() as batch:
        batch.remove_folder(first)
    assert index.ask("SELECT * FROM joined_albums") == []
    assert index.facets("album") == [("Jazz", 1)]


def test_other_releases_of_one_group_in_a_folder_are_told_by_their_details(index: Index) -> None:
    _, folder = index.root()
    group = Details(release_group_id=GROUP)
    put(index, folder, 1, release_id=RELEASE, details=group)
    put(index, folder, 2, release_id=OTHER, details=group)
    assert index.facets("album") == [("Jazz", 2)]


def test_a_heap_of_songs_is_no_album(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediaserver.library.indexing.albums.MAX_TRACKS", 2)
    _, folder = index.root()
    put(index, folder, 1, album_artists=QUEEN)
    put(index, folder, 2)
    assert index.facets("album") == [("Jazz", 2)]
    put(index, folder, 3)
    assert index.facets("album") == [("Jazz", 1), ("Jazz", 2)]


def test_control_points_are_told_that_an_album_became_one(index: Index) -> None:
    _, folder = index.root()
    put(index, folder, 2)
    before = index.facets("albumartist")
    put(index, folder, 1, album_artists=("Queen", "Roger"))
    assert before == [("Queen", 1)]
    assert index.facets("albumartist") == [("Queen", 2), ("Roger", 2)]
    changed = index.changes[-1]
    (album,) = index.ask("SELECT update_id FROM facets WHERE kind = 'album'")
    assert album == (changed.system_update_id,)


def test_a_folder_that_goes_takes_along_what_held_for_its_albums(index: Index) -> None:
    root, top = index.root()
    folder = index.folder(root, b"Jazz", top)
    put(index, folder, 1, album_artists=QUEEN)
    put(index, folder, 2)
    assert len(index.ask("SELECT * FROM joined_albums")) == 1
    with index.indexer.batch() as batch:
        batch.remove_folder(folder)
    assert index.ask("SELECT * FROM joined_albums") == []


def test_a_root_that_is_not_there_keeps_its_albums_together(index: Index) -> None:
    root, folder = index.root()
    put(index, folder, 1, album_artists=QUEEN)
    put(index, folder, 2)
    for available in (False, True):
        with index.indexer.batch() as batch:
            batch.set_root(root, available=available, reason=None, device=1)
    assert index.facets("album") == [("Jazz", 2)]


def test_what_an_accident_has_torn_apart_is_joined_again(index: Index) -> None:
    _, folder = index.root()
    put(index, folder, 1, album_artists=QUEEN)
    put(index, folder, 2)
    with index.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM joined_albums")
    assert "joined_albums" in index.indexer.check()
    assert index.facets("album") == [("Jazz", 2)]
    assert index.ask("SELECT title FROM joined_albums") == [("jazz",)]
