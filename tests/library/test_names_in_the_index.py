"""What names, sort tags and ids of releases do in the index: values, orders, films and episodes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediaserver.library.criteria import Compare, Operator, SortKey
from mediaserver.library.database import driver_of
from tests.factories import FilledLibrary, container_of, item_of
from tests.library.an_index import Index, file_status, film, put_folder, song

MOVIE = "object.item.videoItem.movie"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "index.sqlite")
    yield index
    assert index.problems() == []
    index.close()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[FilledLibrary]:
    library = FilledLibrary(tmp_path / "library.sqlite")
    yield library
    library.close()


def titles(index: Index, kind: str) -> list[str]:
    return [title for title, _ in index.facets(kind)]


# ---- sort tags


def test_values_stand_where_tags_say(index: Index) -> None:
    _, folder = index.root()
    for name, artist, sort in (("1", "David Bowie", "Bowie, David"), ("2", "Cher", None)):
        facts = song(name, artists=(artist,), artist_sorts=(sort,) if sort else ())
        index.item(folder, name.encode(), facts)
    assert titles(index, "artist") == ["David Bowie", "Cher"]
    assert titles(index, "albumartist") == ["David Bowie", "Cher"]


def test_a_sort_tag_that_comes_later_moves_a_value_everywhere(index: Index) -> None:
    _, folder = index.root()
    of_album = {"artists": ("Zed",), "album_artists": ("Zed",)}
    index.item(folder, b"1", song("1", album="The Wall", **of_album))
    index.item(folder, b"2", song("2", album="Best", **of_album))
    assert titles(index, "album") == ["Best", "The Wall"]
    late = index.item(folder, b"3", song("3", album="The Wall", album_sort="Aaa", **of_album))
    assert titles(index, "album") == ["The Wall", "Best"]
    pairs = (
        "SELECT v.title FROM facet_pairs AS p JOIN facets AS v ON v.id = p.child_id"
        " WHERE p.facet_id = (SELECT id FROM facets WHERE kind = 'artist')"
        " AND p.child_kind = 'album' ORDER BY p.child_sort_key"
    )
    assert index.ask(pairs) == [("The Wall",), ("Best",)]
    with index.indexer.batch() as batch:
        batch.remove_item(late)
        batch.put_item(folder, b"1", file_status(), song("1", album="Best", **of_album))
        batch.put_item(
            folder, b"2", file_status(), song("2", album="Best", album_sort="Z", **of_album)
        )
    assert index.ask(pairs) == [("Best",)]
    assert index.ask("SELECT sort_key FROM facets WHERE kind = 'album'") == [("z",)]


def test_an_album_is_told_from_another_of_its_name_by_its_release(index: Index) -> None:
    _, folder = index.root()
    for number, release in enumerate(("blue", "blue", "green")):
        facts = song(
            str(number), album="Weezer", album_artists=("Weezer",), release_id=release.ljust(36)
        )
        index.item(folder, b"%d" % number, facts)
    assert sorted(index.facets("album")) == [("Weezer", 1), ("Weezer", 2)]


# ---- names


def test_a_track_without_tags_is_told_by_its_folders(index: Index) -> None:
    root_id, top = index.root()
    artist = index.folder(root_id, b"ABBA", top)
    album = index.folder(root_id, b"ABBA/1976 - Arrival", artist)
    index.item(album, b"02 - Dancing Queen.wav", song("Dancing Queen", named=True, track=2))
    index.item(album, b"x.wav", song("x", named=True))
    assert index.ask("SELECT artists, album, date FROM items ORDER BY track IS NULL") == [
        ("ABBA", "Arrival", "1976"),
        (None, None, None),
    ]


def test_a_track_with_tags_is_not_told_by_its_folders(index: Index) -> None:
    root_id, top = index.root()
    artist = index.folder(root_id, b"ABBA", top)
    album = index.folder(root_id, b"ABBA/Arrival", artist)
    index.item(album, b"02 - Dancing Queen.wav", song("Dancing Queen", track=2))
    assert index.ask("SELECT artists, album FROM items") == [(None, None)]


def test_a_renamed_file_takes_its_new_place_in_the_folder(index: Index) -> None:
    _, folder = index.root()
    key = index.item(folder, b"1.mp3", song("Moved"))
    index.item(folder, b"2.mp3", song("Stays"))
    in_order = "SELECT title FROM items ORDER BY folder_key"
    assert index.ask(in_order) == [("Moved",), ("Stays",)]
    before = index.indexer.system_update_id
    with index.indexer.batch() as batch:
        batch.move_item(key, folder, b"10.mp3", file_status())
    assert index.ask(in_order) == [("Stays",), ("Moved",)]
    assert index.indexer.system_update_id > before


def test_a_renamed_track_is_told_by_its_new_name(index: Index) -> None:
    root_id, top = index.root()
    artist = index.folder(root_id, b"ABBA", top)
    album = index.folder(root_id, b"ABBA/Arrival", artist)
    key = index.item(album, b"02 - Queen.wav", song("Queen", named=True, track=2))
    tagged = index.item(album, b"03 - Fernando.wav", song("Fernando", track=3))
    with index.indexer.batch() as batch:
        batch.move_item(key, album, b"04 - Dancing Queen.wav", file_status())
        batch.move_item(tagged, album, b"05 - Other.wav", file_status())
    assert index.ask("SELECT title, track, album FROM items ORDER BY title") == [
        ("Dancing Queen", 4, "Arrival"),
        ("Fernando", 3, None),
    ]
    with index.indexer.batch() as batch:
        batch.move_folder(artist, root_id, b"Agnetha", top)
    assert index.facets("artist") == [("Agnetha", 1), ("Unknown artist", 1)]


def episode(number: int, **facts: Any) -> dict[str, Any]:
    title = f"Dark River - S01E{number:02d} - Part {number}"
    values: dict[str, Any] = {"series": "Dark River", "season": 1, "episode": number}
    return {"title": title, "program": f"Part {number}", **values, **facts}


def test_a_renamed_series_takes_its_episodes_along(index: Index) -> None:
    root_id, top = index.root()
    series = index.folder(root_id, b"Dark River", top)
    season = index.folder(root_id, b"Dark River/Season 1", series)
    door = {"program": "The Door", "title": "Dark River - S01E02 - The Door"}
    index.item(season, b"S01E02 - The Door.mkv", film(**(episode(2) | door)))
    with index.indexer.batch() as batch:
        batch.move_folder(series, root_id, b"Bright River", top)
    row = "SELECT title, series, season, episode, program FROM items"
    assert index.ask(row) == [
        ("Bright River - S01E02 - The Door", "Bright River", 1, 2, "The Door")
    ]
    assert index.facets("series") == [("Bright River", 1)]
    key = index.ask("SELECT id FROM items")[0][0]
    with index.indexer.batch() as batch:
        films = put_folder(batch, root_id, b"Films", top)
        batch.move_item(key, films, b"Heat (1995).mkv", file_status())
    assert index.ask("SELECT title, series, date, upnp_class FROM items") == [
        ("Heat (1995)", None, "1995", MOVIE)
    ]
    assert index.facets("series") == []
    assert index.facets("filmyear") == [("1995", 1)]


# ---- films and episodes in the tree


VIDEOS = {
    "TV/c.mkv": episode(10),
    "TV/b.mkv": episode(2),
    "TV/s.mkv": episode(1, season=0, title="Dark River - S00E01", program=None),
    "Films/Heat (1995).mkv": {"film": True, "date": "1995"},
    "Films/Amélie (2001).mkv": {"film": True, "date": "2001"},
    "DCIM/IMG_1.mp4": {},
}


def test_episodes_stand_under_their_series_and_season_in_order(library: FilledLibrary) -> None:
    library.add(VIDEOS)
    assert library.titles("Video", "Series") == ["Dark River"]
    series = library.at("Video", "Series", "Dark River")
    seasons = [container_of(each) for each in library.children(series.object_id).objects]
    assert [(each.title, each.child_count) for each in seasons] == [
        ("Season 1", 2),
        ("Specials", 1),
    ]
    episodes = [item_of(each) for each in library.children(seasons[0].object_id).objects]
    assert [(each.title, each.series, each.season, each.episode) for each in episodes] == [
        ("Dark River - S01E02 - Part 2", "Dark River", 1, 2),
        ("Dark River - S01E10 - Part 10", "Dark River", 1, 10),
    ]
    assert {each.upnp_class for each in episodes} == {"object.item.videoItem"}


def test_films_are_listed_by_title_and_by_year(library: FilledLibrary) -> None:
    library.add(VIDEOS)
    films = container_of(library.at("Video", "Films"))
    found = library.children(films.object_id).objects
    assert [each.title for each in found] == ["Amélie (2001)", "Heat (1995)"]
    assert {each.upnp_class for each in found} == {MOVIE}
    assert films.child_count == 2
    assert library.titles("Video", "Films by year") == ["1995", "2001"]
    assert len(library.titles("Video", "All video")) == 6


@pytest.mark.parametrize(
    ("operator", "upnp_class", "expected"),
    [
        (Operator.DERIVED_FROM, "object.item.videoItem", 6),
        (Operator.DERIVED_FROM, MOVIE, 2),
        (Operator.EQUAL, MOVIE, 2),
        (Operator.EQUAL, "object.item.videoItem", 4),
        (Operator.CONTAINS, "movie", 2),
        (Operator.DERIVED_FROM, "object.item.videoItem.videoBroadcast", 0),
    ],
)
def test_search_knows_films_from_other_videos(
    library: FilledLibrary, operator: Operator, upnp_class: str, expected: int
) -> None:
    library.add(VIDEOS)
    found = library.search("0", Compare("upnp:class", operator, upnp_class))
    assert len(found.objects) == found.total_matches == expected


def test_search_in_a_view_of_episodes_finds_no_films(library: FilledLibrary) -> None:
    library.add(VIDEOS)
    series = library.at("Video", "Series").object_id
    videos = Compare("upnp:class", Operator.DERIVED_FROM, "object.item.videoItem")
    assert library.search(series, videos).total_matches == 3


def test_lists_of_videos_are_sorted_by_class(library: FilledLibrary) -> None:
    library.add(VIDEOS)
    everything = library.at("Video", "All video").object_id
    page = library.children(everything, sort=(SortKey("upnp:class", ascending=False),))
    classes = [each.upnp_class for each in page.objects]
    assert classes == [MOVIE] * 2 + ["object.item.videoItem"] * 4


def test_a_page_of_films_is_found_by_an_index(library: FilledLibrary) -> None:
    library.add(VIDEOS)
    statement = (
        "EXPLAIN QUERY PLAN SELECT i.sort_key, i.id FROM items AS i WHERE i.shown = 1"
        " AND i.upnp_class = 'object.item.videoItem.movie' ORDER BY i.sort_key, i.id LIMIT 25"
    )
    with library.database.begin() as connection:
        plan = [row[3] for row in driver_of(connection).execute(statement)]
    assert len(plan) == 1
    assert "films_by_title" in plan[0]
