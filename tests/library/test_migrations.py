"""The migrations of the index give the tables that the program reads and writes."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from mediaserver.library import schema
from mediaserver.library.index_file import connect
from mediaserver.library.migrating import migrate, migrations_folder, revision_of


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "index.sqlite"
    path.touch()
    with closing(connect(path, foreign_keys=False)) as connection:
        yield connection


def statements(connection: sqlite3.Connection) -> dict[str, str]:
    """What made each table and index, but for line breaks. Full text tables have tables below."""
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'"
    )
    return {name: re.sub(r"\s+", "", sql) for name, sql in rows}


def test_the_migrations_give_exactly_the_schema(connection: sqlite3.Connection) -> None:
    migrate(connection)
    with closing(sqlite3.connect(":memory:")) as fresh:
        engine = create_engine("sqlite://", creator=lambda: fresh, poolclass=StaticPool)
        schema.metadata.create_all(engine)
        for table in schema.TEXTS:
            fresh.execute(schema.create_texts(table))
        assert statements(connection) == statements(fresh)


def test_the_newest_migration_is_the_one_the_schema_names(connection: sqlite3.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.REVISION]
    migrate(connection)
    assert revision_of(connection) == schema.REVISION


def test_an_index_without_migrations_has_no_revision(connection: sqlite3.Connection) -> None:
    assert revision_of(connection) is None


def test_migrating_again_changes_nothing(connection: sqlite3.Connection) -> None:
    migrate(connection)
    connection.execute("INSERT INTO settings VALUES ('system_update_id', 7)")
    before = list(connection.iterdump())
    migrate(connection)
    assert list(connection.iterdump()) == before


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """Migrations of which the second fails half way."""
    folder = tmp_path / "migrations %d"
    (folder / "versions").mkdir(parents=True)
    for name in ("env.py", "versions/0001_the_index.py"):
        (folder / name).write_text((migrations_folder() / name).read_text("utf-8"), "utf-8")
    (folder / "versions" / "0002_fails.py").write_text(
        "from alembic import op\n"
        'revision = "0002"\n'
        'down_revision = "0001"\n'
        "def upgrade():\n"
        '    op.execute("CREATE TABLE half (way INTEGER)")\n'
        '    op.execute("INSERT INTO nowhere VALUES (1)")\n',
        "utf-8",
    )
    return folder


def test_a_migration_that_fails_is_undone_with_all_that_were_due(
    connection: sqlite3.Connection, failing: Path
) -> None:
    with pytest.raises(Exception, match="nowhere"):
        migrate(connection, failing)
    assert statements(connection) == {}
    assert not connection.in_transaction
    migrate(connection, failing, revision="0001")
    before = list(connection.iterdump())
    with pytest.raises(Exception, match="nowhere"):
        migrate(connection, failing)
    assert list(connection.iterdump()) == before
