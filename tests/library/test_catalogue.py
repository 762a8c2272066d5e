"""The catalogue finds, counts and orders what the index does, and never anything else.

Sets of places are held against Python's own sets; pages against SQL and a plain reading of the
standard (:func:`.test_search.assert_finds_what_fits`).
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.library.browsing import choosing, snapshot, sources
from mediaserver.library.browsing.browser import SORT_CAPABILITIES
from mediaserver.library.browsing.snapshot import Snapshot
from mediaserver.library.browsing.sources import Source
from mediaserver.library.catalogue import bitmaps, building
from mediaserver.library.catalogue.overlay import Overlay
from mediaserver.library.catalogue.reading import Catalogue
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
from mediaserver.library.errors import TooExpensive, UnsupportedSort
from mediaserver.library.indexing import touched
from mediaserver.library.objects import Container
from tests.factories import SAMPLE, FilledLibrary, titles, walk
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
    filled.add({f"Many/{n}.mp3": song(n) for n in range(60)})
    filled.add_playlist(PLAYLIST, "Björk/Debut/02 Crying.mp3", "Mixed/Clip.mp4")
    return filled


def song(number: int) -> dict[str, Any]:
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


CONTAINERS = ("0", "vmu", "vma", "vmr", "vml", "vmg", "vmf", "vfo", "vpi", "vva", "vmn")
SORTS = st.lists(st.builds(SortKey, st.sampled_from(SORT_CAPABILITIES), st.booleans()), max_size=3)
_TEXTS = st.sampled_from(
    [
        *("lamp", "la", "l", "the lamp", "lamp in", "in the", "zoe", "zoë\nbjörk", "björk", "pop"),
        *("help!", "day after", "1993", "1993-07-05", "0:00:3", "東", "東京", "", "3", "\x01"),
    ]
)
CATALOGUE_CRITERIA = st.one_of(
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
@given(CATALOGUE_CRITERIA, st.sampled_from(CONTAINERS))
def test_the_catalogue_finds_what_a_plain_reading_finds(
    library: FilledLibrary, criteria: Criteria, container: str
) -> None:
    assert_finds_what_fits(library, criteria, container)


@settings(max_examples=200, deadline=None)
@given(CATALOGUE_CRITERIA, st.sampled_from(CONTAINERS), SORTS)
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
@given(st.data(), SORTS, st.integers(0, 80), st.integers(1, 30))
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


def test_a_playlist_keeps_nothing_else_from_being_ordered_by_the_catalogue(
    plain: FilledLibrary, library: FilledLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    sort = [SortKey("dc:title", ascending=False)]
    whole = plain.search("0", Everything(), sort=sort)
    asked: list[int] = []
    ordered = sources._order

    def note(now: Snapshot, some: Sequence[Source], *rest: Any) -> Any:
        asked.append(len(some))
        return ordered(now, some, *rest)

    monkeypatch.setattr(sources, "_order", note)
    found = library.search("0", Everything(), sort=sort)
    assert [hit.object_id for hit in found.objects] == [hit.object_id for hit in whole.objects]
    assert "Pop music" in titles(found)
    assert max(asked, default=0) <= 1


def test_criteria_that_take_too_long_are_given_up(
    library: FilledLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "SECONDS", -1.0)
    with pytest.raises(TooExpensive):
        library.search("vma", Compare("dc:title", Operator.CONTAINS, "a"))


def test_an_unknown_order_is_refused(library: FilledLibrary) -> None:
    with pytest.raises(UnsupportedSort):
        library.children("vma", sort=[SortKey("upnp:nothing")])


def test_the_order_of_places_is_that_of_titles(library: FilledLibrary) -> None:
    overlay = Overlay(Catalogue(library.database.path.with_name("catalogue")), {})
    chosen = choosing.whole(overlay, choosing.Extent("audio items"), touched.ITEM)
    assert chosen is not None
    keys = chosen.keys(0, 1000)
    hits = library.search("vma", Everything()).objects
    assert keys == [getattr(hit, "key", None) for hit in hits]
    assert all(one != other for one, other in pairwise(keys))
