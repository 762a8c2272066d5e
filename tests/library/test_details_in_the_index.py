"""Details, chapters and streams in the index: kept with their item, and told by ``why``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from mediaserver.library.database import driver_of
from mediaserver.library.explaining.details import facts_beside, stars
from mediaserver.library.indexing.details import chapters_of, details_of, streams_of
from mediaserver.library.objects import MAX_CHAPTERS, Chapter, Details, EmbeddedStream
from tests.library.an_index import Index, file_status, film, song

ID = "b84ee12a-09ef-421b-82de-0441a926375b"
ALL = Details(
    release_date="2004",
    track_gain_db=-7.894,
    track_peak=0.98765,
    album_gain_db=1.2,
    album_peak=1.0,
    recording_id=ID,
    track_id=ID.replace("b8", "c8"),
    release_group_id=ID.replace("b8", "d8"),
    artist_ids=(ID, ID.replace("b8", "e8")),
    album_artist_ids=(ID,),
)
CHAPTERS = (Chapter(0, "One"), Chapter(3_723_456), Chapter(4_000_000, "Three"))
STREAMS = (
    EmbeddedStream("audio", "ac3", "de", None, ("default",)),
    EmbeddedStream("subtitle", "subrip", "en", "Full", ("forced", "sdh")),
    EmbeddedStream("subtitle"),
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "index.sqlite")
    yield index
    index.close()


def known(index: Index, item: int) -> tuple[Details | None, list[Chapter], list[EmbeddedStream]]:
    def ask(connection: Connection) -> tuple[Details | None, list[Chapter], list[EmbeddedStream]]:
        driver = driver_of(connection)
        return details_of(driver, item), chapters_of(driver, item), streams_of(driver, item)

    return index.database.read_now(ask)


def put(index: Index, folder: int, **facts: Any) -> int:
    with index.indexer.batch() as batch:
        made = film("Film", **facts) if "streams" in facts else song("Song", **facts)
        return batch.put_item(folder, b"a.mkv", file_status(), made)


def test_what_is_known_of_few_items_is_kept(index: Index) -> None:
    _, folder = index.root()
    item = put(index, folder, details=ALL, chapters=CHAPTERS, streams=STREAMS)
    assert known(index, item) == (ALL, list(CHAPTERS), list(STREAMS))
    assert index.problems() == []


def test_what_a_file_said_before_is_forgotten_when_it_is_read_again(index: Index) -> None:
    _, folder = index.root()
    item = put(index, folder, details=ALL, chapters=CHAPTERS, streams=STREAMS)
    assert put(index, folder, details=Details(track_gain_db=1.0), streams=()) == item
    assert known(index, item) == (Details(track_gain_db=1.0), [], [])


def test_nothing_is_left_of_a_file_that_is_gone(index: Index) -> None:
    _, folder = index.root()
    item = put(index, folder, details=ALL, chapters=CHAPTERS, streams=STREAMS)
    with index.indexer.batch() as batch:
        batch.remove_item(item)
    for table in ("details", "chapters", "streams"):
        assert index.ask(f"SELECT * FROM {table}") == []  # noqa: S608


def test_a_file_that_moves_keeps_what_is_known_of_it(index: Index) -> None:
    root, folder = index.root()
    item = put(index, folder, details=ALL, chapters=CHAPTERS)
    other = index.folder(root, b"other", folder)
    with index.indexer.batch() as batch:
        batch.move_item(item, other, b"b.mkv", file_status())
    assert known(index, item) == (ALL, list(CHAPTERS), [])


def test_no_reader_can_fill_the_index_with_chapters(index: Index) -> None:
    _, folder = index.root()
    many = tuple(Chapter(number, "x" * 10_000 + "\n\0") for number in range(MAX_CHAPTERS + 500))
    item = put(index, folder, chapters=many)
    (rows,) = index.ask("SELECT count(*), max(length(title)) FROM chapters")
    assert rows == (MAX_CHAPTERS, 1024)
    assert known(index, item)[1][0].title == "x" * 1024


def test_all_of_it_is_told_for_people(index: Index) -> None:
    _, folder = index.root()
    item = put(index, folder, details=ALL, chapters=CHAPTERS, streams=STREAMS)
    told = index.database.read_now(lambda connection: facts_beside(driver_of(connection), item))
    assert told == [
        ("release date", "2004"),
        ("track gain", "-7.89 dB, peak 0.98765"),
        ("album gain", "+1.20 dB, peak 1"),
        ("MusicBrainz recording", ID),
        ("MusicBrainz track", ID.replace("b8", "c8")),
        ("MusicBrainz release group", ID.replace("b8", "d8")),
        ("MusicBrainz artist", f"{ID}; {ID.replace('b8', 'e8')}"),
        ("MusicBrainz album artist", ID),
        ("sound", "de, ac3, default"),
        ("subtitles inside", "en, subrip, Full, forced, sdh"),
        ("subtitles inside", "nothing is said of it"),
        ("chapters", "3"),
        ("chapter", "0:00:00 One"),
        ("chapter", "1:02:03"),
        ("chapter", "1:06:40 Three"),
    ]


@pytest.mark.parametrize(
    ("rating", "expected"),
    [(100, "5 of 5 stars"), (70, "3.5 of 5 stars"), (20, "1 of 5 stars"), (84, "4 of 5 stars")],
)
def test_ratings_are_told_in_stars(rating: int, expected: str) -> None:
    assert stars(rating) == expected
