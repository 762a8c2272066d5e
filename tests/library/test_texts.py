"""Texts for searching: what a batch leaves in the tables of full text search."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from mediaserver.library import schema
from mediaserver.library.indexing.texts import Texts


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(schema.create_texts("folder_text"))
        yield connection


def rows(connection: sqlite3.Connection) -> list[tuple[int, str]]:
    connection.execute("INSERT INTO folder_text(folder_text) VALUES ('integrity-check')")
    return connection.execute("SELECT rowid, title FROM folder_text ORDER BY rowid").fetchall()


def write(connection: sqlite3.Connection, **texts: str) -> None:
    first = Texts(connection, "folder_text")
    for number, text in texts.items():
        first.add(int(number[1:]), text)
    first.write()


def test_what_came_can_be_found_and_what_went_cannot(connection: sqlite3.Connection) -> None:
    write(connection, n1="abba", n2="beatles")
    texts = Texts(connection, "folder_text")
    texts.remove(1)
    texts.add(3, "clash")
    texts.write()
    assert rows(connection) == [(2, "beatles"), (3, "clash")]


def test_a_text_that_came_and_went_in_one_batch_was_never_there(
    connection: sqlite3.Connection,
) -> None:
    texts = Texts(connection, "folder_text")
    texts.add(1, "abba")
    texts.remove(1)
    texts.write()
    assert rows(connection) == []


def test_a_text_that_changes_twice_in_one_batch_is_the_last_one(
    connection: sqlite3.Connection,
) -> None:
    write(connection, n1="abba")
    texts = Texts(connection, "folder_text")
    for text in ("beatles", "clash"):
        texts.remove(1)
        texts.add(1, text)
    texts.write()
    assert rows(connection) == [(1, "clash")]


def test_a_text_that_changes_and_goes_in_one_batch_is_gone(connection: sqlite3.Connection) -> None:
    write(connection, n1="abba")
    texts = Texts(connection, "folder_text")
    texts.remove(1)
    texts.add(1, "beatles")
    texts.remove(1)
    texts.write()
    assert rows(connection) == []


def test_texts_that_come_in_any_order_are_one_segment(connection: sqlite3.Connection) -> None:
    # FTS5 ends a segment at an id that is lower than the one before; "segid" tells them apart.
    connection.execute("BEGIN")
    write(connection, **{f"n{number * 7919 % 1000}": "abba" for number in range(1, 1000)})
    connection.execute("COMMIT")
    segments = connection.execute("SELECT count(DISTINCT segid) FROM folder_text_idx").fetchone()
    assert segments == (1,)
    assert len(rows(connection)) == 999
