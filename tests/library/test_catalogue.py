"""The catalogue finds, counts and orders what the index does, and never anything else.

Sets of places are held against Python's own sets; pages against SQL and a plain reading of the
standard (:func:`.test_search.assert_finds_what_fits`).
"""

import shutil
from array import array
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from mediaserver.library.browsing import choosing, snapshot, sources
from mediaserver.library.browsing.browser import SORT_CAPABILITIES, Browser
from mediaserver.library.catalogue import bitmaps, building
from mediaserver.library.catalogue.overlay import Overlay
from mediaserver.library.catalogue.reading import Catalogue
from mediaserver.library.catalogue.shelf import Shelf
from mediaserver.library.criteria import (
    And,
    Compare,
    Criteria,
    Everything,
    Exists,
    Operator,
    Or,
    SortKey,
)
from mediaserver.library.database import driver_of
from mediaserver.library.errors import TooExpensive, UnsupportedSort
from mediaserver.library.indexing import touched
from mediaserver.library.objects import Container
from tests.factories import SAMPLE, FilledLibrary, walk
from tests.library.test_search import CRITERIA, assert_finds_what_fits

# ---- sets of places

_SIZE = 3000
_PLACES = st.sets(st.integers(0, _SIZE - 1))


@given(_PLACES)
def test_a_set_holds_the_places_it_was_made_of(some: set[int]) -> None:
    bits = bitmaps.from_places(some, _SIZE)
    assert bitmaps.places(bits, 0, _SIZE) == sorted(some)
    assert bitmaps.loaded(bitmaps.stored(bits, _SIZE)) == bits
    signs = bytearray(b"0") * _SIZE
    for place in some:
        signs[place] = ord("1")
    assert bitmaps.from_signs(signs) == bits


@given(_PLACES, st.integers(0, 60), st.integers(0, 60))
def test_a_part_of_a_set_is_a_part_of_its_places_in_order(
    some: set[int], start: int, count: int
) -> None:
    # Far apart, so that several parts are looked through.
    bits = bitmaps.from_places((50 * place for place in some), 50 * _SIZE)
    expected = [50 * place for place in sorted(some)]
    assert bitmaps.places(bits, start, count) == expected[start : start + count]


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=30), max_size=3),
    st.booleans(),
    st.booleans(),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_rows_of_several_lists_are_put_in_order_as_python_sorts_them(
    lists: list[list[tuple[int, int]]], first_up: bool, second_up: bool, start: int, count: int
) -> None:
    def planes(at: int, *, ascending: bool) -> list[tuple[list[int], bool]]:
        own = [bitmaps.planes_of(array("I", [row[at] for row in rows]), 15) for rows in lists]
        return [(list(plane), not ascending) for plane in zip(*own, strict=True)]

    found = bitmaps.in_order(
        [bitmaps.full(len(rows)) for rows in lists],
        [*planes(0, ascending=first_up), *planes(1, ascending=second_up)],
        start,
        count,
    )
    every = [(at, place) for at, rows in enumerate(lists) for place in range(len(rows))]
    every.sort(key=lambda row: lists[row[0]][row[1]][1] * (1 if second_up else -1))
    every.sort(key=lambda row: lists[row[0]][row[1]][0] * (1 if first_up else -1))
    assert found == every[start : start + count]


# ---- pages

PLAYLIST = "Pop music.m3u"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledLibrary]:
    """The sample without a catalogue."""
    filled = _filled(tmp_path_factory.mktemp("plain"))
    yield filled
    filled.close()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledLibrary]:
    """The same with one, in which every value of views has its rows; read only."""
    filled = _filled(tmp_path_factory.mktemp("catalogue"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "MANY", 1)
        filled.make_catalogue()
    yield filled
    filled.close()


def _filled(folder: Path) -> FilledLibrary:
    filled = FilledLibrary(folder / "index.sqlite")
    filled.add(SAMPLE)
    filled.add({f"Many/{n}.mp3": _song(n) for n in range(60)})
    filled.add_playlist(PLAYLIST, "Björk/Debut/02 Crying.mp3", "Mixed/Clip.mp4")
    return filled


def _song(number: int) -> dict[str, Any]:
    """Titles and dates that are the same now and then, values that are several, or missing."""
    return {
        "title": ("Lamp", "The Lamp", "A lamp in the night", "Lampion", "東京")[number % 5],
        "artists": (("Zoë", "Björk"), ("Pop",), (), ("The Beatles", "Zoe"))[number % 4],
        "album": ("Help!", None, "Day after day")[number % 3],
        "genres": (("Pop", "Folk"), ("Rock",))[number % 2],
        "date": ("1993", "1993-07-05", None, "2004-05")[number % 4],
        "track": number % 7 or None,
        "disc": number % 3 or None,
        "duration_ms": number * 1000 if number % 6 else None,
    }


_CONTAINERS = ("0", "vmu", "vma", "vmr", "vml", "vmg", "vmf", "vfo", "vpi", "vva", "vmn")
_SORTS = st.lists(st.builds(SortKey, st.sampled_from(SORT_CAPABILITIES), st.booleans()), max_size=3)
_TEXTS = st.sampled_from(
    [
        *("lamp", "la", "l", "the lamp", "lamp in", "in the", "zoe", "zoë\nbjörk", "björk", "pop"),
        *("help!", "day after", "1993", "1993-07-05", "0:00:3", "東", "東京", "", "3", "\x01"),
    ]
)
_OWN_CRITERIA = st.one_of(
    CRITERIA,
    st.builds(
        Compare,
        st.sampled_from(["dc:title", "upnp:artist", "dc:creator", "upnp:album", "upnp:genre"]),
        st.sampled_from([each for each in Operator if each is not Operator.DERIVED_FROM]),
        _TEXTS,
    ),
    st.builds(
        Compare,
        st.sampled_from(["dc:date", "res@size", "res@duration", "upnp:originalTrackNumber"]),
        st.sampled_from([each for each in Operator if each is not Operator.DERIVED_FROM]),
        _TEXTS,
    ),
)


@settings(max_examples=300, deadline=None)
@given(_OWN_CRITERIA, st.sampled_from(_CONTAINERS))
def test_the_catalogue_finds_what_a_plain_reading_finds(
    library: FilledLibrary, criteria: Criteria, container: str
) -> None:
    assert_finds_what_fits(library, criteria, container)


@settings(max_examples=200, deadline=None)
@given(_OWN_CRITERIA, st.sampled_from(_CONTAINERS), _SORTS)
def test_pages_of_the_catalogue_put_together_are_the_whole_list_of_sql(
    plain: FilledLibrary,
    library: FilledLibrary,
    criteria: Criteria,
    container: str,
    sort: list[SortKey],
) -> None:
    whole = plain.search(container, criteria, sort=sort)
    found = []
    for start in range(0, len(whole.objects) + 1, 7):
        page = library.search(container, criteria, start, 7, sort)
        assert page.total_matches == whole.total_matches
        found += page.objects
    assert [hit.object_id for hit in found] == [hit.object_id for hit in whole.objects]


@settings(max_examples=100, deadline=None)
@given(st.data(), _SORTS, st.integers(0, 80), st.integers(1, 30))
def test_children_are_listed_as_sql_lists_them(
    plain: FilledLibrary,
    library: FilledLibrary,
    data: st.DataObject,
    sort: list[SortKey],
    start: int,
    count: int,
) -> None:
    containers = [hit.object_id for hit in walk(plain) if isinstance(hit, Container)]
    container = data.draw(st.sampled_from(containers))
    assert library.children(container, start, count, sort) == plain.children(
        container, start, count, sort
    )


@pytest.mark.parametrize(
    "criteria",
    [
        And((Compare("dc:title", Operator.CONTAINS, "lamp"), Exists("dc:date", True))),
        Compare("upnp:artist", Operator.EQUAL, "zoe"),
        Compare("upnp:artist", Operator.STARTS_WITH, "bjö"),
        Compare("dc:title", Operator.CONTAINS, "a"),
        Compare("res@duration", Operator.GREATER, "0:00:10"),
        Or((Compare("dc:title", Operator.CONTAINS, "lamp"), Exists("upnp:album", False))),
        Compare("@refID", Operator.EQUAL, "i0000000000"),
    ],
)
def test_items_are_counted_without_asking_the_index(
    library: FilledLibrary, monkeypatch: pytest.MonkeyPatch, criteria: Criteria
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it was put in order by SQL")

    monkeypatch.setattr(sources, "_order", refuse)
    audio = Compare("upnp:class", Operator.DERIVED_FROM, "object.item.audioItem.musicTrack")
    assert library.search("vma", And((audio, criteria)), sort=[SortKey("dc:date")])


def test_criteria_that_take_too_long_are_given_up(
    library: FilledLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "SECONDS", -1.0)
    with pytest.raises(TooExpensive):
        library.search("vma", Compare("dc:title", Operator.CONTAINS, "a"))


def test_rows_are_asked_for_by_their_ids(own_library: FilledLibrary) -> None:
    """Texts are read to verify a phrase, and rows that have changed, never all there are."""
    own_library.add({"Beatles/The Day Before Yesterday.mp3": {}})
    statements: list[str] = []
    connection = own_library.read(driver_of)
    connection.set_trace_callback(statements.append)
    own_library.search("vma", Compare("dc:title", Operator.CONTAINS, "the night"))
    own_library.search("vmr", YESTERDAY, sort=[SortKey("dc:date")])
    own_library.children("vfo", sort=[SortKey("dc:title", ascending=False)])
    connection.set_trace_callback(None)
    asked = [each for each in statements if "json_each" in each]
    plans = [row[3] for each in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {each}")]
    assert any(" t " in each and "instr" in each for each in asked)
    assert any(" AS k " in each for each in asked)
    assert [step for step in plans if step in ("SCAN i", "SCAN t", "SCAN f", "SCAN v")] == []


def test_an_unknown_order_is_refused(library: FilledLibrary) -> None:
    with pytest.raises(UnsupportedSort):
        library.children("vma", sort=[SortKey("upnp:nothing")])


# ---- when it is asked


@pytest.fixture
def own_library(tmp_path: Path) -> Iterator[FilledLibrary]:
    filled = FilledLibrary(tmp_path / "index.sqlite")
    filled.add(SAMPLE)
    filled.make_catalogue()
    yield filled
    filled.close()


YESTERDAY = Compare("dc:title", Operator.EQUAL, "yesterday")


def test_what_has_changed_since_a_catalogue_was_made_is_asked_of_the_index(
    own_library: FilledLibrary,
) -> None:
    assert own_library.search("vma", YESTERDAY).total_matches == 1
    own_library.remove("Beatles/Help!/Yesterday.flac")
    assert own_library.search("vma", YESTERDAY).total_matches == 0
    own_library.add({"Yesterday.mp3": {}, "Nameless.mp3": {"title": "Yesterday"}})
    assert own_library.search("vma", YESTERDAY).total_matches == 2


def test_a_catalogue_is_not_asked_when_too_much_has_changed(
    own_library: FilledLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touched, "LIMIT", 12)
    for number in range(10):
        own_library.add({f"New/{number}.mp3": {"title": "Yesterday"}})
        assert own_library.search("vma", YESTERDAY).total_matches == number + 2
    assert _changed_since(own_library) is None


def test_a_moved_folder_is_more_than_is_noted(own_library: FilledLibrary) -> None:
    with own_library.indexer.batch() as batch:
        root = batch.put_root(b"/media", "Media")
        folders = own_library.indexer.known_folders(root)
        batch.move_folder(folders[b"Beatles"].key, root, b"Mixed/Beatles", folders[b"Mixed"].key)
    assert _changed_since(own_library) is None
    folder = own_library.at("Folders", "Mixed").object_id
    assert own_library.search(folder, YESTERDAY).total_matches == 1


def test_what_was_touched_is_forgotten_once_it_is_in_the_catalogue(
    own_library: FilledLibrary,
) -> None:
    own_library.add({"Yesterday.mp3": {}})
    own_library.make_catalogue()
    own_library.indexer.forget_touched(_catalogue(own_library).moment)
    assert own_library.search("vma", YESTERDAY).total_matches == 2
    own_library.remove("Yesterday.mp3")
    assert own_library.search("vma", YESTERDAY).total_matches == 1


def test_a_catalogue_is_not_asked_of_what_was_forgotten(own_library: FilledLibrary) -> None:
    """The rename of a new one may be lost with the power, or a backup of the old one come back."""
    path = own_library.database.path.with_name("catalogue")
    old = path.read_bytes()
    own_library.remove("Beatles/Help!/Yesterday.flac")
    own_library.make_catalogue()
    own_library.indexer.forget_touched(_catalogue(own_library).moment)
    path.write_bytes(old)
    own_library.browser = Browser(catalogue=Shelf(path))
    assert own_library.search("vma", YESTERDAY).total_matches == 0


def test_the_catalogue_of_another_index_is_not_asked(tmp_path: Path) -> None:
    """One that was deleted and built anew counts its states from the beginning again."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        filled = FilledLibrary(tmp_path / name / "index.sqlite")
        filled.add({f"{name}.mp3": {}, "Yesterday.mp3": {"title": f"A {name} song"}})
        filled.make_catalogue()
        filled.close()
    (tmp_path / "old" / "catalogue").replace(tmp_path / "new" / "catalogue")
    again = FilledLibrary(tmp_path / "new" / "index.sqlite")
    again.browser = Browser(catalogue=Shelf(tmp_path / "new" / "catalogue"))
    found = again.search("vma", Compare("dc:title", Operator.CONTAINS, "new song"))
    assert found.total_matches == 1
    assert _changed_since(again) is None
    again.close()


def test_a_catalogue_is_not_asked_when_the_index_was_put_back_from_a_backup(tmp_path: Path) -> None:
    """Its states have numbers that other states had, which the catalogue may be of."""
    path, backup = tmp_path / "index.sqlite", tmp_path / "backup.sqlite"
    filled = FilledLibrary(path)
    filled.add(SAMPLE)
    filled.close()
    shutil.copy(path, backup)
    filled = FilledLibrary(path)
    filled.add({"Yesterday.mp3": {}})
    filled.make_catalogue()
    filled.close()
    shutil.copy(backup, path)
    filled = FilledLibrary(path)
    filled.add({"Today.mp3": {}})
    filled.browser = Browser(catalogue=Shelf(tmp_path / "catalogue"))
    assert _catalogue(filled).moment.state == filled.metadata("0").update_id
    assert filled.search("vma", YESTERDAY).total_matches == 1
    filled.close()


def test_a_catalogue_outlives_a_restart(tmp_path: Path) -> None:
    filled = FilledLibrary(tmp_path / "index.sqlite")
    filled.add(SAMPLE)
    filled.make_catalogue()
    filled.add({"Yesterday.mp3": {}})
    filled.close()
    filled = FilledLibrary(tmp_path / "index.sqlite")
    changed = _changed_since(filled)
    assert changed is not None
    assert len(changed[touched.ITEM]) == 1
    filled.close()


def test_a_mended_index_is_more_than_is_noted(own_library: FilledLibrary) -> None:
    with own_library.database.begin() as connection:
        driver_of(connection).execute("UPDATE items SET shown = 0 WHERE title = 'Yesterday'")
    assert own_library.indexer.check()
    assert _changed_since(own_library) is None
    assert own_library.search("vma", YESTERDAY).total_matches == 1


def test_a_row_without_texts_keeps_no_other_from_the_catalogue(own_library: FilledLibrary) -> None:
    with own_library.database.begin() as connection:
        driver_of(connection).execute("DELETE FROM item_text WHERE title = 'yesterday'")
    own_library.make_catalogue()
    assert own_library.search("vma", YESTERDAY).total_matches == 0
    assert own_library.search("vma", Everything(), sort=[SortKey("dc:date")]).total_matches == 8


def test_a_catalogue_of_a_later_state_is_not_asked(own_library: FilledLibrary) -> None:
    """A reader may have begun before the change that the catalogue knows already."""

    def look_again(connection: Connection) -> int:
        before = own_library.browser.search(connection, "vma", YESTERDAY, start=0, count=0)
        own_library.remove("Beatles/Help!/Yesterday.flac")
        building.build(own_library.database.path, own_library.database.path.with_name("catalogue"))
        assert own_library.browser.search(connection, "vma", YESTERDAY, start=0, count=0) == before
        return before.total_matches

    assert own_library.read(look_again) == 1
    assert own_library.search("vma", YESTERDAY).total_matches == 0


def _catalogue(library: FilledLibrary) -> Catalogue:
    return Catalogue(library.database.path.with_name("catalogue"))


def _changed_since(library: FilledLibrary) -> dict[str, list[int]] | None:
    """What has changed since the catalogue was made."""
    moment = _catalogue(library).moment
    return library.read(lambda connection: touched.since(driver_of(connection), moment))


def test_a_new_catalogue_is_asked_as_soon_as_it_is_there(own_library: FilledLibrary) -> None:
    shelf = Shelf(own_library.database.path.with_name("catalogue"))
    old = shelf.newest()
    own_library.remove("Beatles/Help!/Yesterday.flac")
    assert shelf.newest() is old
    building.build(own_library.database.path, shelf.path)
    new = shelf.newest()
    assert new is not None
    assert new.moment.state == own_library.metadata("0").update_id
    shelf.path.unlink()
    assert shelf.newest() is None


_NAMES = st.sampled_from([*SAMPLE, "New.mp3", "Mixed/New.jpg", "Björk/Debut/04 New.mp3", "N/N.mp4"])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_lists_after_changes_are_what_sql_makes_of_them(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    filled = FilledLibrary(tmp_path_factory.mktemp("changed") / "index.sqlite")
    filled.add(SAMPLE)
    filled.add({f"Many/{n}.mp3": _song(n) for n in range(20)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "MANY", 1)
        filled.make_catalogue()
    there = set(SAMPLE)
    for name in data.draw(st.lists(_NAMES, min_size=1, max_size=5)):
        if name in there and data.draw(st.booleans()):
            filled.remove(name)
            there.remove(name)
        else:
            facts = _song(data.draw(st.integers(0, 59))) if name.endswith(".mp3") else {}
            filled.add({name: facts})
            there.add(name)
    with_catalogue, without = filled.browser, Browser()
    assert _changed_since(filled) is not None
    for _ in range(8):
        criteria, container = data.draw(_OWN_CRITERIA), data.draw(st.sampled_from(_CONTAINERS))
        sort = data.draw(_SORTS)
        filled.browser = without
        whole = filled.search(container, criteria, sort=sort)
        children = filled.children(container, sort=sort)
        filled.browser = with_catalogue
        found = []
        for start in range(0, len(whole.objects) + 1, 7):
            page = filled.search(container, criteria, start, 7, sort)
            assert page.total_matches == whole.total_matches
            found += page.objects
        assert [hit.object_id for hit in found] == [hit.object_id for hit in whole.objects]
        assert filled.children(container, sort=sort) == children
    filled.close()


def test_the_order_of_places_is_that_of_titles(library: FilledLibrary) -> None:
    overlay = Overlay(_catalogue(library), {})
    chosen = choosing.whole(overlay, choosing.Extent("audio items"), touched.ITEM)
    assert chosen is not None
    keys = chosen.keys(0, 1000)
    hits = library.search("vma", Everything()).objects
    assert keys == [getattr(hit, "key", None) for hit in hits]
    assert all(one != other for one, other in pairwise(keys))
