"""Which values items stand under. Expected values: the tags, as their owner sees them."""

from typing import Any

import pytest

from mediaserver.library.facets import (
    Traits,
    Value,
    album_key,
    disc_of_folder,
    pairs_of,
    values_of,
)
from mediaserver.library.folding import LAST
from mediaserver.library.views import DEFAULT_VIEWS


def traits(kind: str = "audio", **values: Any) -> Traits:
    return Traits(kind=kind, sort_key="title", album_key="1 11 title", **values)


def titles(of: Traits, kind: str) -> set[str]:
    return {value.title for value, _ in values_of(of) if value.kind == kind}


def album(**values: Any) -> Value:
    [value] = [value for value, _ in values_of(traits(**values)) if value.kind == "album"]
    return value


def test_every_tag_is_a_value() -> None:
    song = traits(
        artists=("Ann", "Bob"),
        album_artists=("Cat",),
        composers=("Bach",),
        genres=("Rock", "Pop"),
        album="Red",
        date="1999-03-04",
    )
    assert {
        kind: titles(song, kind)
        for kind in ("artist", "albumartist", "composer", "genre", "album", "year")
    } == {
        "artist": {"Ann", "Bob"},
        "albumartist": {"Cat"},
        "composer": {"Bach"},
        "genre": {"Rock", "Pop"},
        "album": {"Red"},
        "year": {"1999"},
    }


def test_what_is_not_known_is_a_value_of_its_own_ordered_last() -> None:
    found = {value.kind: value for value, _ in values_of(traits())}
    assert {kind: value.title for kind, value in found.items()} == {
        "artist": "Unknown artist",
        "albumartist": "Unknown artist",
        "album": "Unknown album",
        "genre": "Unknown genre",
        "year": "Unknown year",
    }
    assert {(value.key, value.sort_key) for value in found.values()} == {("", LAST)}


def test_a_photo_stands_under_its_year_month_and_camera() -> None:
    found = [
        (value.kind, value.key, value.title, key)
        for value, key in values_of(traits("image", date="2004-05-06T07:08:09", camera="Canon"))
    ]
    assert found == [
        ("photoyear", "2004", "2004", "title"),
        ("photomonth", "2004-05", "May 2004", "2004-05-06T07:08:09 title"),
        ("camera", "canon", "Canon", "title"),
    ]


@pytest.mark.parametrize(
    ("date", "month"),
    [
        (None, "Unknown date"),
        ("2004", "2004, month unknown"),
        ("2004-13", "2004, month unknown"),
        ("0000-00-00", "Unknown date"),
        ("yesterday", "Unknown date"),
        ("2004-12-31", "December 2004"),
    ],
)
def test_a_month_is_as_good_as_the_date(date: str | None, month: str) -> None:
    assert titles(traits("image", date=date), "photomonth") == {month}


def test_months_are_in_order_with_what_is_less_known_last() -> None:
    dates = ["2004-01-01", "2004-12-31", "2004", "2005-02", None]
    keys = [
        next(
            value.sort_key
            for value, _ in values_of(traits("image", date=date))
            if value.kind == "photomonth"
        )
        for date in dates
    ]
    assert keys == sorted(keys)


def test_a_video_stands_under_no_value() -> None:
    assert values_of(traits("video")) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"album_artists": ("Cat",), "artists": ("Ann",)}, {"Cat"}),
        ({"artists": ("Ann", "Bob")}, {"Ann", "Bob"}),
        ({"artists": ("Ann",), "compilation": True}, {"Various artists"}),
        ({"album_artists": ("DJ",), "compilation": True}, {"DJ"}),
        ({}, {"Unknown artist"}),
    ],
)
def test_the_album_artist_falls_back_to_the_artists(
    values: dict[str, Any], expected: set[str]
) -> None:
    assert titles(traits(**values), "albumartist") == expected


def test_spellings_that_are_the_same_count_once_and_the_first_is_shown() -> None:
    assert titles(traits(artists=("Ann", "ANN", " ann")), "artist") == {"Ann"}


def test_values_beyond_a_limit_are_left_out() -> None:
    assert len(titles(traits(artists=tuple(map(str, range(1000)))), "artist")) == 16


# ---- when two albums are one

SAME = [
    ({"album_artists": ("Ann",)}, {"album_artists": ("ANN",), "album_home": 7}),
    ({"album_artists": ("Ann", "Bob")}, {"album_artists": ("Bob", "Ann")}),
    ({"artists": ("Ann",), "album_home": 7}, {"artists": ("Bob",), "album_home": 7}),
    (
        {"compilation": True, "album_artists": ("Ann",), "album_home": 7},
        {"compilation": True, "album_artists": ("Bob",), "album_home": 7},
    ),
]
DIFFERENT = [
    ({"album_artists": ("Ann",)}, {"album_artists": ("Bob",)}),
    ({"artists": ("Ann",), "album_home": 7}, {"artists": ("Ann",), "album_home": 8}),
    ({"compilation": True, "album_home": 7}, {"compilation": True, "album_home": 8}),
    ({"album_artists": ("7",)}, {"album_home": 7}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_album(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert album(album="Greatest hits", **one).key == album(album="GREATEST HITS", **other).key


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_albums_of_one_title(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert album(album="Greatest hits", **one).key != album(album="Greatest hits", **other).key


def test_an_album_is_played_disc_by_disc_track_by_track() -> None:
    tracks = [(None, 1), (1, 2), (1, 10), (1, None), (2, 1), (10, 1)]
    keys = [album_key(disc, track, "title") for disc, track in tracks]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("title", "disc"),
    [
        ("CD1", 1),
        ("cd 02", 2),
        ("Disc 2 - Live", 2),
        ("Disk_3", 3),
        ("The Wall (Disc 2)", 2),
        ("The Wall [CD1]", 1),
        ("Abcd1", None),
        ("CD", None),
        ("CD100", None),
        ("CD 0", None),
        ("Discovery", None),
        ("2001", None),
    ],
)
def test_the_number_of_a_disc_is_read_from_its_folder(title: str, disc: int | None) -> None:
    assert disc_of_folder(title) == disc


def test_pairs_are_those_of_the_views() -> None:
    assert set(pairs_of(DEFAULT_VIEWS)) == {
        ("artist", "album"),
        ("albumartist", "album"),
        ("genre", "artist"),
        ("genre", "album"),
        ("year", "album"),
        ("series", "season"),
        ("photoyear", "photomonth"),
    }
