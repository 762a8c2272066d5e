"""Names of tracks and their folders, as programs that copy discs and people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.library.names.tracks import AlbumName, TrackName, of_file, of_folders


@pytest.mark.parametrize(
    "stem",
    [
        "07 - Blue Train",
        "07. Blue Train",
        "07.Blue Train",
        "07 Blue Train",
        "(07) Blue Train",
        "[07] Blue Train",
        "07-Blue Train",
        "07_Blue_Train",
        "07_-_Blue_Train",
        "007 - Blue Train",
        "7. Blue Train",
        "7 - Blue Train",
        "07 \u2013 Blue Train",
    ],
)
def test_a_number_in_front_is_the_track(stem: str) -> None:
    assert of_file(stem) == TrackName("Blue Train", track=7)


@pytest.mark.parametrize("stem", ["12 Blue Train", "12. Blue Train", "12-Blue Train"])
def test_a_number_of_two_digits_without_a_zero_is_the_track(stem: str) -> None:
    assert of_file(stem) == TrackName("Blue Train", track=12)


@pytest.mark.parametrize(
    "stem", ["1-03 Blue Train", "1-03 - Blue Train", "1.03 Blue Train", "01-03. Blue Train"]
)
def test_a_disc_may_stand_in_front_of_the_track(stem: str) -> None:
    assert of_file(stem) == TrackName("Blue Train", track=3, disc=1)


@pytest.mark.parametrize(
    "title",
    [
        "99 Luftballons",
        "7 Seconds",
        "1999",
        "50 Ways to Leave Your Lover",
        "2 Become 1",
        "21 guns",
        "20th Century Boy",
        "9 to 5",
        "100 Years",
        "1-800-273-8255",
        "08-15",
        "2+2=5",
        "50-50 Clown",
        "5.1 Test",
        "03",
    ],
)
def test_numbers_of_titles_stay(title: str) -> None:
    assert of_file(title) == TrackName(title)


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("Miles Davis - 02 - Freddie", TrackName("Freddie", 2, None, "Miles Davis")),
        ("Miles Davis - 1-02 - Freddie", TrackName("Freddie", 2, 1, "Miles Davis")),
        (
            "Miles Davis - Kind of Blue - 02 - Freddie",
            TrackName("Freddie", 2, None, "Miles Davis", "Kind of Blue"),
        ),
        ("02 - Miles Davis - Freddie", TrackName("Freddie", 2, None, "Miles Davis")),
        ("Jay-Z - 99 Problems", TrackName("99 Problems", artist="Jay-Z")),
    ],
)
def test_an_artist_may_stand_in_front(stem: str, expected: TrackName) -> None:
    assert of_file(stem) == expected


@pytest.mark.parametrize(
    "title",
    [
        "Respect - Live",
        "Respect - Remastered 2011",
        "Symphony No. 5 - Allegro con brio",
        "Suite BWV 1007 - Prelude",
    ],
)
def test_a_dash_within_a_title_names_no_artist(title: str) -> None:
    assert of_file(title) == TrackName(title)
    assert of_file(f"01 - {title}") == TrackName(title, track=1)


def test_a_title_that_is_a_number_only_keeps_its_word() -> None:
    assert of_file("Track 03") == TrackName("Track 03", track=3)
    assert of_file("AudioTrack 03") == TrackName("AudioTrack 03", track=3)


@given(st.text(min_size=1, max_size=60))
def test_no_name_is_without_a_title(stem: str) -> None:
    assert of_file(stem).title


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("ABBA/Arrival", AlbumName("Arrival", "ABBA")),
        ("Music/ABBA/1976 - Arrival", AlbumName("Arrival", "ABBA", "1976")),
        ("Music/ABBA/Arrival (1976)/CD2", AlbumName("Arrival", "ABBA", "1976")),
        ("A/ABBA/[1976] Arrival", AlbumName("Arrival", "ABBA", "1976")),
        ("Music/ABBA - Arrival", AlbumName("Arrival", "ABBA")),
        ("ABBA/ABBA - Gold", AlbumName("Gold", "ABBA")),
        ("Music/Arrival", AlbumName("Arrival")),
        ("Arrival", AlbumName("Arrival")),
        ("Music", AlbumName()),
        ("Music/A", AlbumName()),
        ("", AlbumName()),
    ],
)
def test_folders_tell_album_artist_and_year(inside: str, expected: AlbumName) -> None:
    assert of_folders(inside) == expected
