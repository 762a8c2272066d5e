"""The index checked against itself: what accidents may have done to it is found and mended."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mediaserver.library.indexer import ArtFile, Sidecars, SubtitleFile
from mediaserver.library.indexing.checking import DamagedError
from tests.library.an_index import COVER, Index, file_status, film, photo, song


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "index.sqlite")
    yield index
    assert index.problems() == []
    index.close()


@pytest.fixture
def filled(index: Index) -> Index:
    """Two roots, one of them away; an album, a film, a photo."""
    root_id, top = index.root()
    album = index.folder(root_id, b"Album", top)
    disc = index.folder(root_id, b"Album/CD1", album)
    with index.indexer.batch() as batch:
        batch.set_folder_art(album, ArtFile(b"cover.jpg", "image/jpeg", 300, 200, 5))
        for number in range(3):
            facts = song(f"Track {number}", artists=("Ann",), album="Red", genres=("Pop", "Rock"))
            batch.put_item(disc, b"%d.mp3" % number, file_status(), facts)
        batch.put_item(top, b"own.mp3", file_status(), song("Own", artists=("ANN",), art=COVER))
        batch.put_item(top, b"film.mp4", file_status(), film("Film"))
        batch.put_item(top, b"photo.jpg", file_status(), photo("Photo"))
    away_id, away = index.root(b"/away")
    index.item(away, b"away.mp3", song("Away", artists=("Bob",)))
    with index.indexer.batch() as batch:
        batch.set_root(away_id, available=False, reason="not there", device=1)
    return index


def damage(index: Index, *statements: str) -> None:
    """What an accident may leave; SQLite's own guards are off for it."""
    with closing(sqlite3.connect(index.database.path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_sound_index_is_left_as_it_is(filled: Index) -> None:
    before, changes = filled.dump(), len(filled.changes)
    assert filled.indexer.check() == {}
    assert filled.dump() == before
    assert len(filled.changes) == changes


def put_sidecars(index: Index) -> None:
    """The picture of an artist, one of a file that is not read yet, a subtitle."""
    (album,) = index.ask("SELECT id FROM folders WHERE title = 'Album'")[0]
    picture = ArtFile(b"artist.jpg", "image/jpeg", 30, 20, 5)
    other = ArtFile(b"other.jpg", "image/jpeg", 30, 20, 5)
    subtitle = SubtitleFile(b"film.mp4", b"film.srt", "en", "srt", "")
    with index.indexer.batch() as batch:
        batch.set_sidecars(album, Sidecars(picture, ((b"other.mp4", other),), (subtitle,)))


def test_files_beside_media_are_left_as_they_are(filled: Index) -> None:
    """Known by names: nothing has to refer to them."""
    put_sidecars(filled)
    before = filled.dump()
    assert filled.indexer.check() == {}
    assert filled.dump() == before


def test_files_beside_media_go_with_their_folder(filled: Index) -> None:
    put_sidecars(filled)
    damage(filled, "DELETE FROM folders WHERE title = 'Album'")
    # Items 3, folder 1, pictures 3, subtitle 1.
    assert filled.indexer.check()["strays"] == 8
    assert filled.ask("SELECT * FROM subtitles") == []
    assert filled.problems() == []
    assert filled.indexer.check() == {}


@pytest.mark.parametrize(
    ("statement", "where", "rows"),
    [
        ("UPDATE folders SET audio_below = 5 WHERE path = x''", "folders", 2),
        ("UPDATE folders SET shown = 0 WHERE path <> x''", "folders", 2),
        ("UPDATE items SET shown = 1 - shown WHERE title = 'Away'", "items", 1),
        ("UPDATE facets SET item_count = 9 WHERE kind = 'artist'", "facets", 1),
        ("DELETE FROM item_facets WHERE facet_kind = 'album'", "item_facets", 4),
        ("UPDATE facet_pairs SET item_count = 7 WHERE child_kind = 'artist'", "facet_pairs", None),
        ("DELETE FROM item_text", "item_text", 6),
        ("UPDATE facet_text SET title = 'x' WHERE title = 'red'", "facet_text", 1),
        ("UPDATE settings SET value = 9 WHERE name = 'counts.audio'", "settings", 1),
        ("DELETE FROM folders WHERE title = 'CD1'", "strays", 3),
    ],
)
def test_what_contradicts_the_rows_is_mended(
    filled: Index, statement: str, where: str, rows: int | None
) -> None:
    before = filled.indexer.system_update_id
    damage(filled, statement)
    mended = filled.indexer.check()
    assert where in mended
    assert rows in (None, mended[where])
    assert filled.problems() == []
    assert filled.indexer.check() == {}
    # CDS:1 §2.5.20: what control points have seen was wrong.
    assert filled.indexer.system_update_id > before


def test_an_inverted_index_that_lost_words_is_made_anew(filled: Index) -> None:
    damage(filled, "DELETE FROM item_text_data WHERE id > 10")
    assert "item_text" in filled.indexer.check()
    assert filled.problems() == []


def test_values_keep_their_ids_and_spelling(filled: Index) -> None:
    values = filled.ask("SELECT id, title FROM facets ORDER BY id")
    damage(filled, "DELETE FROM item_facets", "UPDATE facets SET item_count = 0")
    filled.indexer.check()
    assert filled.ask("SELECT id, title FROM facets ORDER BY id") == values


def test_art_that_is_gone_makes_its_files_be_looked_at_again(filled: Index) -> None:
    damage(filled, "DELETE FROM art")
    assert filled.indexer.check()["art"] > 0
    # A scan compares times: one that cannot be is another one.
    assert filled.ask("SELECT count(*) FROM items WHERE mtime_ns = 0") == [(4,)]
    assert filled.problems() == []


def test_an_index_of_sqlite_that_misses_a_row_is_made_anew(filled: Index) -> None:
    damage(
        filled,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE INDEX items_by_added ON items (title, kind)' "
        "WHERE name = 'items_by_added'",
    )
    filled.database.close()
    with closing(sqlite3.connect(filled.database.path)) as connection:
        faults = connection.execute("PRAGMA integrity_check").fetchall()
        assert faults != [("ok",)]
    filled.database.open()
    assert filled.indexer.check()["indexes"] > 0
    assert filled.problems() == []


def test_a_file_that_cannot_be_mended_is_said_to_be_damaged(filled: Index) -> None:
    damage(
        filled,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master "
        "WHERE name = 'tombstones') WHERE name = 'art'",
    )
    filled.database.close()
    filled.database.open()
    before = filled.ask("SELECT count(*) FROM items")
    with pytest.raises(DamagedError):
        filled.indexer.check()
    assert filled.ask("SELECT count(*) FROM items") == before
    # The fixture looks at a sound one.
    filled.database.condemn("for this test")
    filled.database.close()
    filled.database.open()
