"""Bringing the tables of an index to the present schema, with Alembic.

The migrations are in ``migrations/versions``, numbered; each is a statement of what changed and
never edited again. All that are due run as one transaction.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

import mediaserver


def migrations_folder() -> Path:
    """Inside of the package where it is installed, beside it in a checkout."""
    package = Path(mediaserver.__file__).parent
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def tables_of(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


def revision_of(connection: sqlite3.Connection) -> str | None:
    """The migration an index is at; None where there never was one.

    Revisions are numbers of four digits, so that they compare.
    """
    if "alembic_version" not in tables_of(connection):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def migrate(
    connection: sqlite3.Connection, migrations: Path | None = None, *, revision: str = "head"
) -> None:
    """Run the migrations that are due, up to ``revision``, all of them or none.

    The connection leaves transactions to us (``isolation_level=None``) and has foreign keys
    switched off, because SQLite changes a table by making it anew.
    """
    # Imported here: a start without migrations is not to pay a tenth of a second for Alembic.
    from alembic import command
    from alembic.config import Config

    config = Config()
    folder = migrations or migrations_folder()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    engine = create_engine("sqlite+pysqlite://", creator=lambda: connection, poolclass=StaticPool)
    with engine.connect() as wrapped, wrapped.begin():
        # Alembic leaves a transaction alone that it did not begin; SQLAlchemy ends this one.
        connection.execute("BEGIN IMMEDIATE")
        config.attributes["connection"] = wrapped
        command.upgrade(config, revision)
