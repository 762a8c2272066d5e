"""Opening, reading and writing the index file; what happens to one that cannot be used."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from mediaserver.library import index_file, schema
from mediaserver.library.database import Database, driver_of
from mediaserver.library.errors import IndexUnusable, TooExpensive
from mediaserver.library.index_place import Place
from mediaserver.library.migrating import migrations_folder

PRESENT = schema.REVISION
NEXT = """
from alembic import op

revision = "8888"
down_revision = "PRESENT"


def upgrade():
    op.execute("UPDATE settings SET value = value + 100 WHERE name = 'marked'")
"""
ENDLESS = (
    "WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up) SELECT count(*) FROM up"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    threads = threading.active_count()
    database = Database(path)
    assert database.open() == []
    yield database
    database.close()
    assert threading.active_count() == threads
    assert {file.name for file in path.parent.iterdir()} == {path.name, f"{path.name}-sound"}


def put(database: Database, name: str, value: int) -> None:
    with database.begin() as connection:
        connection.execute(schema.settings.insert().values(name=name, value=value))


def settings(connection: Connection) -> dict[str, int]:
    return {row.name: row.value for row in connection.execute(schema.settings.select())}


def update_id(database: Database) -> int:
    return database.read_now(settings).get("system_update_id", 0)


# ---- reading and writing


async def test_what_was_written_is_read(database: Database) -> None:
    put(database, "a", 1)
    assert await database.read(settings) == {"a": 1}
    assert database.read_now(settings) == {"a": 1}


def test_what_was_written_is_there_after_a_restart(database: Database, path: Path) -> None:
    put(database, "a", 1)
    database.close()
    assert database.open() == []
    assert database.read_now(settings) == {"a": 1}


def test_a_transaction_that_fails_is_undone(database: Database) -> None:
    name = "mine"

    def change() -> None:
        with database.begin() as connection:
            connection.execute(schema.settings.insert().values(name=name, value=1))
            raise KeyError(name)

    with pytest.raises(KeyError, match=name):
        change()
    assert database.read_now(settings) == {}
    put(database, "b", 2)


def test_a_reader_sees_one_state_from_beginning_to_end(database: Database) -> None:
    put(database, "a", 1)

    def question(connection: Connection) -> tuple[dict[str, int], dict[str, int]]:
        before = settings(connection)
        put(database, "b", 2)
        return before, settings(connection)

    assert database.read_now(question) == ({"a": 1}, {"a": 1})
    assert database.read_now(settings) == {"a": 1, "b": 2}


def test_a_reader_does_not_wait_for_the_writer(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(schema.settings.insert().values(name="a", value=1))
        assert database.read_now(settings) == {}


def test_a_reader_cannot_write(database: Database) -> None:
    statement = schema.settings.insert().values(name="a", value=1)
    with pytest.raises(IndexUnusable):
        database.read_now(lambda connection: connection.execute(statement).rowcount)
    assert database.read_now(settings) == {}


def test_a_question_that_fails_does_not_spoil_the_next(database: Database) -> None:
    def question(connection: Connection) -> None:
        connection.execute(text("SELECT 1")).fetchone()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        database.read_now(question)
    put(database, "a", 1)
    assert database.read_now(settings) == {"a": 1}


def test_a_question_that_takes_too_long_is_given_up(path: Path) -> None:
    with closing(Database(path, read_seconds=0)) as database:
        database.open()
        with pytest.raises(TooExpensive):
            database.read_now(lambda connection: connection.execute(text(ENDLESS)).all())
        assert database.read_now(settings) == {}


async def test_questions_are_answered_side_by_side(path: Path) -> None:
    with closing(Database(path, readers=2)) as database:
        database.open()
        both = threading.Barrier(2, timeout=10)
        waiting = (database.read(lambda connection: both.wait()) for _ in range(2))
        assert sorted(await asyncio.gather(*waiting)) == [0, 1]


async def test_a_closed_index_says_so(path: Path) -> None:
    database = Database(path)
    with pytest.raises(IndexUnusable, match="closed"):
        await database.read(settings)
    with pytest.raises(IndexUnusable, match="closed"):
        database.read_now(settings)
    with pytest.raises(IndexUnusable, match="closed"), database.begin():
        pass


def test_foreign_keys_are_enforced(database: Database) -> None:
    statement = text("INSERT INTO item_facets VALUES (1, '', 2, 'artist')")
    with pytest.raises(Exception, match="FOREIGN KEY"), database.begin() as connection:
        connection.execute(statement)


# ---- the file


def test_nobody_else_can_read_the_index(database: Database, path: Path) -> None:
    """security.md 2: index and configuration 0600 or 0640."""
    put(database, "a", 1)
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file


def test_a_sound_index_stays_as_it_is(database: Database, path: Path) -> None:
    put(database, "system_update_id", 7)
    database.close()
    before = path.read_bytes()
    assert database.open() == []
    database.close()
    assert path.read_bytes() == before


def filled(path: Path) -> None:
    """An index of some hundred pages at SystemUpdateID 41."""
    with closing(Database(path)) as database:
        database.open()
        put(database, "system_update_id", 41)
        with database.begin() as connection:
            driver_of(connection).executemany(
                "INSERT INTO tombstones VALUES (?, ?, x'', 0, 0)",
                [(number, b"x" * 500) for number in range(2000)],
            )


def overwrite(path: Path, start: int, stop: int) -> None:
    data = bytearray(path.read_bytes())
    data[start:stop] = b"\xa5" * len(data[start:stop])
    path.write_bytes(data)


def test_a_damaged_index_is_set_aside_and_made_anew(path: Path) -> None:
    """security.md F5."""
    filled(path)
    size = path.stat().st_size
    overwrite(path, size // 2, size // 2 + 20_000)
    damaged = path.read_bytes()
    database = Database(path)
    [note] = database.open()
    assert "damaged" in note
    assert (path.parent / "index.sqlite.set-aside").read_bytes() == damaged
    assert database.read_now(lambda c: c.execute(text("SELECT count(*) FROM items")).scalar()) == 0
    # CDS:1 §2.5.20: control points rely on it to tell old from new.
    assert update_id(database) > 41
    database.close()
    assert database.open() == []
    database.close()


def test_an_index_that_was_closed_in_good_order_is_not_looked_through_page_by_page(
    path: Path,
) -> None:
    filled(path)
    size = path.stat().st_size
    overwrite(path, size // 2, size // 2 + 20_000)
    index_file.note_sound(path)
    database = Database(path)
    assert database.open() == []
    # As if the program were killed now.
    with closing(Database(path)) as after_a_crash:
        [note] = after_a_crash.open()
        assert "damaged" in note
    database.close()


def test_memory_for_much_writing_is_given_back(database: Database) -> None:
    def cache_size() -> object:
        with database.begin() as connection:
            return connection.execute(text("PRAGMA cache_size")).scalar()

    before = cache_size()
    with database.writing_much():
        assert cache_size() != before
        put(database, "a", 1)
    assert cache_size() == before


@pytest.mark.parametrize(
    "content",
    [
        b"not a database, but some text that is long enough to be looked at" * 10,
        b"SQLite format 3\0" + b"\xff" * 5000,
        b"\0",
    ],
)
def test_what_is_no_index_at_all_is_set_aside(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with closing(Database(path)) as database:
        [note] = database.open()
        assert "set-aside" in note
        # So high that no index before can have told a higher one.
        assert update_id(database) > 0
    assert (path.parent / "index.sqlite.set-aside").read_bytes() == content


def test_an_index_that_was_cut_off_is_set_aside(path: Path) -> None:
    filled(path)
    path.write_bytes(path.read_bytes()[:50_000])
    with closing(Database(path)) as database:
        assert len(database.open()) == 1
        assert update_id(database) > 41


def test_an_empty_file_becomes_an_index(path: Path) -> None:
    path.touch()
    with closing(Database(path)) as database:
        assert database.open() == []
        assert database.read_now(settings) == {}


def test_a_log_without_its_index_is_not_taken_for_one(path: Path) -> None:
    other = path.parent / "other.sqlite"
    with closing(Database(other)) as database:
        database.open()
        put(database, "a", 1)
        stray = (path.parent / "other.sqlite-wal").read_bytes()
    (path.parent / "index.sqlite-wal").write_bytes(stray)
    with closing(Database(path)) as database:
        assert database.open() == []
        assert database.read_now(settings) == {}


def test_somebody_elses_database_is_set_aside(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with closing(Database(path)) as database:
        [note] = database.open()
        assert "not an index" in note


def test_an_index_of_a_newer_version_is_set_aside(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with closing(Database(path)) as database:
        [note] = database.open()
        assert "newer version" in note
        assert update_id(database) == 42


def test_an_index_without_one_of_its_tables_is_set_aside(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE item_facets")
    with closing(Database(path)) as database:
        [note] = database.open()
        assert "incomplete" in note


def test_only_one_file_set_aside_is_kept(path: Path) -> None:
    for content in (b"first " * 100, b"second " * 100):
        path.write_bytes(content)
        with closing(Database(path)) as database:
            database.open()
    assert (path.parent / "index.sqlite.set-aside").read_bytes() == b"second " * 100
    names = {file.name for file in path.parent.iterdir()}
    assert names == {"index.sqlite", "index.sqlite-sound", "index.sqlite.set-aside"}


def test_damage_that_shows_later_is_noticed_and_repaired_by_opening_again(path: Path) -> None:
    filled(path)
    database = Database(path)
    database.open()
    size = path.stat().st_size
    overwrite(path, size // 2, size)
    with pytest.raises(IndexUnusable, match="damaged"):
        database.read_now(
            lambda connection: connection.execute(text("SELECT * FROM tombstones")).all()
        )
    noticed = database.damaged
    database.close()
    assert len(database.open()) == 1
    assert (noticed, database.damaged) == (True, False)
    assert update_id(database) > 41
    database.close()


def test_damage_is_remembered_over_a_restart_even_if_the_check_would_miss_it(path: Path) -> None:
    filled(path)
    index_file.mark_damaged(path)
    with closing(Database(path)) as database:
        assert len(database.open()) == 1
    with closing(Database(path)) as database:
        assert database.open() == []


def test_an_index_that_another_program_has_locked_is_unusable(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_file, "BUSY_MS", 0)
    filled(path)
    with closing(Database(path)) as database:
        database.open()
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(IndexUnusable, match="locked"), database.begin():
                pass
            assert update_id(database) == 41
        put(database, "later", 1)


def test_a_place_that_cannot_be_written_to_is_said_in_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "missing" / "index.sqlite", tmp_path):
        with pytest.raises(IndexUnusable) as raised:
            Database(path).open()
        assert str(path) in raised.value.reason
        assert "\n" not in raised.value.reason


# ---- migrations


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Migrations with one more than there is."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_bytes((migrations_folder() / "env.py").read_bytes())
    for file in (migrations_folder() / "versions").glob("*.py"):
        (folder / "versions" / file.name).write_bytes(file.read_bytes())
    (folder / "versions" / "next.py").write_text(NEXT.replace("PRESENT", PRESENT))
    monkeypatch.setattr(schema, "REVISION", "8888")
    return folder


def test_an_older_index_is_copied_and_brought_up_to_date(
    path: Path, next_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(schema, "REVISION", PRESENT)
        with closing(Database(path)) as database:
            database.open()
            put(database, "marked", 1)
    with closing(Database(path, migrations=next_version)) as database:
        [note] = database.open()
        assert "brought up to date" in note
        assert database.read_now(settings) == {"marked": 101}
    copy = path.parent / "index.sqlite.before-8888"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("SELECT value FROM settings WHERE name = 'marked'").fetchone() == (1,)
    with closing(Database(path, migrations=next_version)) as database:
        assert database.open() == []


# ---- the log


def test_the_log_is_carried_over_into_the_index(database: Database, path: Path) -> None:
    put(database, "x", 1)
    assert database.log_bytes > 0
    assert database.carry_over()
    assert path.with_name("index.sqlite-wal").stat().st_size == database.log_bytes == 0


def test_to_carry_the_log_over_nobody_is_waited_for(database: Database) -> None:
    put(database, "x", 1)
    with closing(index_file.connect(database.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM settings").fetchone()
        put(database, "y", 2)
        began = time.monotonic()
        assert not database.carry_over()
        assert time.monotonic() - began < index_file.BUSY_MS / 1000
        reader.execute("ROLLBACK")
    assert database.carry_over()


# ---- deleted or replaced while it is open


def place(database: Database) -> Place:
    return database.place


def test_an_index_that_was_deleted_is_written_again(database: Database, path: Path) -> None:
    put(database, "x", 1)
    assert place(database) is Place.SAME
    for file in path.parent.iterdir():
        file.unlink()
    assert place(database) is Place.GONE
    assert database.put_back() == []
    assert place(database) is Place.SAME
    assert database.read_now(settings)["x"] == 1
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT value FROM settings WHERE name = 'x'").fetchall() == [(1,)]


def test_who_asks_an_index_that_was_deleted_makes_no_empty_one(path: Path) -> None:
    database = Database(path)
    database.open()
    path.unlink()
    with pytest.raises(IndexUnusable):
        # The only reader is busy, so that another one is needed.
        database.read_now(lambda connection: database.read_now(settings))
    assert not path.exists()
    database.close()


def test_another_file_in_its_place_is_noticed_and_not_taken_for_sound(path: Path) -> None:
    database = Database(path)
    database.open()
    path.rename(path.with_name("earlier"))
    path.write_bytes(b"another")
    assert place(database) is Place.OTHER
    database.close()
    assert not path.with_name("index.sqlite-sound").exists()


def test_an_index_whose_folder_has_gone_cannot_be_written_again(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    database = Database(tmp_path / "data" / "index.sqlite")
    database.open()
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    assert place(database) is Place.GONE
    with pytest.raises(IndexUnusable, match="it was deleted, and cannot be written again"):
        database.put_back()
    (tmp_path / "elsewhere").rename(tmp_path / "data")
    assert place(database) is Place.SAME
    assert database.is_open
    database.close()


def test_an_index_never_tells_of_less_than_was_told_before(path: Path) -> None:
    """CDS:1 §2.5.20: SystemUpdateID rises, also where an earlier copy has been put back."""
    database = Database(path)
    database.open(least_update_id=7)
    assert update_id(database) == 7
    database.close()
    database.open(least_update_id=5)
    assert update_id(database) == 7
    database.close()
