"""Names of episodes and films: in order, as released, and those that are neither."""

import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.library.names import videos
from mediaserver.library.names.videos import VideoName, of_path


def named(path: str) -> VideoName:
    return of_path(b"/media/" + path.encode())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "Dark River/Season 01/Dark River - S01E02 - The Door.mkv",
            VideoName("The Door", series="Dark River", season=1, episode=2),
        ),
        (
            "Dark River/Season 01/S01E02 - The Door.mkv",
            VideoName("The Door", series="Dark River", season=1, episode=2),
        ),
        (
            "Dark River/Staffel 2/03 - What? Mark & Co. 36.avi",
            VideoName("What? Mark & Co. 36", series="Dark River", season=2, episode=3),
        ),
        (
            "Dark River/Staffel 2/Folge 3 - Der Fall.avi",
            VideoName("Der Fall", series="Dark River", season=2, episode=3),
        ),
        (
            "Dark River/Specials/01 - Christmas.avi",
            VideoName("Christmas", series="Dark River", season=0, episode=1),
        ),
        (
            "Dark River/S05/Dark River - 5x03 - The End.mkv",
            VideoName("The End", series="Dark River", season=5, episode=3),
        ),
        ("TV/24 - S01E05.mkv", VideoName(series="24", season=1, episode=5)),
        ("Dark River/S01E02.mkv", VideoName(series="Dark River", season=1, episode=2)),
        (
            "TV/Friends - S01E01-E02 - The One.mkv",
            VideoName("The One", series="Friends", season=1, episode=1, last_episode=2),
        ),
    ],
)
def test_names_of_episodes_in_order_are_taken_as_they_are(path: str, expected: VideoName) -> None:
    assert named(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Video/Heat (1995).mkv", VideoName("Heat", "1995", film=True)),
        ("Video/Heat (1995)/heat.mkv", VideoName("Heat", "1995", film=True)),
        ("Video/1917 (2019).mkv", VideoName("1917", "2019", film=True)),
        ("Movies/Kill Bill Vol. 1.mkv", VideoName(film=True)),
        ("Filme/2001 A Space Odyssey.mkv", VideoName(film=True)),
    ],
)
def test_names_of_films_in_order_are_taken_as_they_are(path: str, expected: VideoName) -> None:
    assert named(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "TV/Dark.River.S01E02.The.Door.1080p.WEB-DL.x264-GRP.mkv",
            VideoName("The Door", series="Dark River", season=1, episode=2),
        ),
        (
            "Dark River (2005)/Season 01/dark.river.s01e02.hdtv.mkv",
            VideoName(series="Dark River (2005)", season=1, episode=2),
        ),
        (
            "Films/Am\u00e9lie.2001.FRENCH.720p.BluRay.mkv",
            VideoName("Am\u00e9lie", "2001", film=True),
        ),
        ("Video/The_Matrix_1999_1080p.mkv", VideoName("The Matrix", "1999", film=True)),
    ],
)
def test_names_of_releases_are_understood(path: str, expected: VideoName) -> None:
    assert named(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "DCIM/IMG_1234.MOV",
        "DCIM/MVI_0012.AVI",
        "DCIM/VID_20190704_120000.mp4",
        "DCIM/DSCN0012.MOV",
        "DCIM/00001.m2ts",
        "Home/2019-07-04 Garden party.mp4",
        "Home/Holiday 2012 (1).mp4",
        "Home/Wedding Anna & Tom part 2.mp4",
        "Home/trip.2019.mp4",
        "Video/Blade Runner 2049.mkv",
        "Video/Tatort - 1023 - Der Fall.mkv",
        "Season 1/01.mkv"[9:],
    ],
)
def test_all_other_videos_are_neither(path: str) -> None:
    assert named(path) == VideoName()


def test_what_is_in_order_does_not_need_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "guessit", None)
    assert named("TV/X - S03E04 - Y.mkv").episode == 4
    assert named("DCIM/IMG_1235.MOV") == VideoName()


@settings(max_examples=200)
@given(st.lists(st.text(st.characters(exclude_characters="/\0"), max_size=60), max_size=3))
def test_no_path_is_too_much(parts: list[str]) -> None:
    of_path("/".join(parts).encode(errors="replace"))


@pytest.mark.parametrize(
    "stem", ["a " * 120, "1" * 240, "s1e" * 80, ("x" + " " * 30) * 7, "S01E01" + "." * 240]
)
def test_long_names_take_little_time(stem: str) -> None:
    named("warm.up.S01E01.mkv")
    begin = time.thread_time()
    named(f"Season 1/{stem}.mkv")
    assert time.thread_time() - begin < 2


@pytest.mark.parametrize(
    ("tag", "title"),
    [
        ("The Door", "The Door"),
        ("Dark River - S01E02 - The Door", "The Door"),
        ("Dark.River.S01E02.1080p", None),
        ("The.Matrix.1999", None),
        ("Vol. 1", "Vol. 1"),
    ],
)
def test_titles_in_tags_count_unless_they_are_names_of_files(tag: str, title: str | None) -> None:
    assert videos.title_in(tag) == title
