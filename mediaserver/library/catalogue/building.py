"""The index read once, and written as a catalogue.

A program of its own, ``python -m mediaserver.library.catalogue.building <index> <catalogue>``, so
that the server goes on undisturbed. Needs some four hundred bytes of memory for each row of the
longest list while it runs: 325 MB for a million files.
"""

import os
import sqlite3
import sys
import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import accumulate, groupby
from pathlib import Path

from mediaserver.library import index_file
from mediaserver.library.catalogue import bitmaps, layout
from mediaserver.library.catalogue.layout import SPELLED, Listing, Sort
from mediaserver.library.catalogue.section_file import SectionWriter, draft_of
from mediaserver.library.catalogue.words import Postings, write_rows, write_terms
from mediaserver.library.folding import fold_lines
from mediaserver.library.indexing import touched

NICE = 10
OOM_SCORE = 500
"""Half of all memory, added to what it has: so that no other is ended before it."""
MANY = 512
"""Rows of a value that has a set of its own; those of others are found in the index at once."""

Value = int | str | bytes


def build(index: Path, catalogue: Path) -> None:
    """Make the catalogue of an index as it is now. Raises OSError and sqlite3.Error."""
    with closing(index_file.connect(index)) as connection, SectionWriter(catalogue) as file:
        connection.execute("PRAGMA query_only = ON")
        connection.create_function("fold", 1, fold_lines, deterministic=True)
        connection.execute("BEGIN")
        file.add(layout.VERSION, (layout.version(),))
        file.add(layout.MOMENT, (array("Q", touched.moment(connection)).tobytes(),))
        kinds = [row[0] for row in connection.execute("SELECT DISTINCT kind FROM facets")]
        folders = {
            key: layout.path_key(root, path)
            for key, root, path in connection.execute("SELECT id, root_id, path FROM folders")
        }
        lists = [_List(connection, listing, folders) for listing in layout.listings(kinds)]
        for each in lists:
            each.write(file)
        for name, sort in layout.names_of_columns(each.listing for each in lists):
            _write_column(file, name, sort, [each for each in lists if name in each.columns])


class _List:
    """One list of the catalogue, being made."""

    def __init__(
        self, connection: sqlite3.Connection, listing: Listing, folders: dict[int, bytes]
    ) -> None:
        self.listing = listing
        self.columns = {column.name: column for column in listing.columns}
        self._connection = connection
        self._folders = folders
        alias = listing.alias
        order = f"{alias}.sort_key, {alias}.id"
        self._ids = array("q", (row[0] for row in self._select(f"{alias}.id", order)))
        self._by_id = array("I", sorted(range(len(self._ids)), key=self._ids.__getitem__))
        """The places in the order of the ids, as the rows stand in their table."""

    def __len__(self) -> int:
        return len(self._ids)

    def write(self, file: SectionWriter) -> None:
        """All but its columns."""
        name = self.listing.name
        file.add(f"{name}/ids", (self._ids.tobytes(),))
        keys = array("q", (self._ids[place] for place in self._by_id))
        file.add(f"{name}/keys", (keys.tobytes(),))
        file.add(f"{name}/by key", (self._by_id.tobytes(),))
        facets = array("q")

        def rows() -> "Iterator[array[int]]":
            for facet, places in self._under_values(keys):
                facets.append(facet)
                yield places

        write_rows(file, f"{name}/values", rows(), len(self))
        file.add(f"{name}/values", (facets.tobytes(),))

    def values(self, name: str) -> Iterator[Value | None]:
        """The values of a column, in the order of the ids."""
        column = self.columns[name]
        rows = self._select(column.expression, f"{self.listing.alias}.id")
        if column.sort is Sort.PATH:
            return (self._folders.get(row[0]) for row in rows)
        return (None if row[0] == "" else row[0] for row in rows)

    def placed(self, numbers: "array[int]") -> "array[int]":
        """Numbers in the order of the ids, in that of the places."""
        found = array("I", bytes(4 * len(self)))
        for place, number in zip(self._by_id, numbers, strict=True):
            found[place] = number
        return found

    def _select(self, expression: str, order: str) -> sqlite3.Cursor:
        listing = self.listing
        texts = listing.texts if "t." in expression else ""
        return self._connection.execute(
            f"SELECT {expression} FROM {listing.table}{texts}"  # noqa: S608 - constants
            f" WHERE {listing.where} ORDER BY {order}"
        )

    def _under_values(self, keys: "array[int]") -> "Iterator[tuple[int, array[int]]]":
        """The values of views that many rows are under, and the places of these rows.

        ``keys``: the ids in order.
        """
        if self.listing.under is None:
            return
        wanted = "SELECT id FROM facets WHERE item_count >= ? ORDER BY id"
        for (facet,) in self._connection.execute(wanted, (MANY,)).fetchall():
            places = array("I")
            for (key,) in self._connection.execute(self.listing.under, (facet,)):
                at = bisect_left(keys, key)
                if at == len(keys) or keys[at] != key:
                    break  # of another kind
                places.append(self._by_id[at])
            if len(places) >= MANY:
                yield facet, places


def _write_column(file: SectionWriter, name: str, sort: Sort, lists: "list[_List]") -> None:
    """A column of all lists that have it: the numbers of their values are the same in all."""
    known: dict[Value | None, int] = {None: 0}
    numbers = [
        array("I", (known.setdefault(value, len(known)) for value in each.values(name)))
        for each in lists
    ]
    del known[None]
    values: list[Value] = sorted(known)  # type: ignore[arg-type]  # all of one type
    codes = array("I", bytes(4 * (len(known) + 1)))
    for code, value in enumerate(values, 1):
        codes[known[value]] = code
    known.clear()
    for each, own in zip(lists, numbers, strict=True):
        coded = each.placed(array("I", map(codes.__getitem__, own)))
        section = f"{each.listing.name}/{name}"
        planes = bitmaps.planes_of(coded, max(coded, default=0))
        file.add(f"{section}/planes", (bitmaps.stored(plane, len(each)) for plane in planes))
        if sort is Sort.FOLDED:
            _write_words(file, section, values, coded)
        elif name in SPELLED:
            _write_numbers(file, section, SPELLED[name], values, coded)
    if sort is Sort.NUMBER:
        file.add(f"{name}/values", (array("q", map(int, values)).tobytes(),))
    else:
        _write_texts(file, name, values)


def _write_numbers(
    file: SectionWriter,
    section: str,
    spelled: Callable[[int], str],
    numbers: "list[Value]",
    codes: "array[int]",
) -> None:
    """Numbers as they are written, for those who look for digits in them."""
    order = sorted(range(len(codes)), key=codes.__getitem__)

    def groups() -> "Iterator[tuple[int, Iterator[int]]]":
        return ((code, places) for code, places in groupby(order, codes.__getitem__) if code)

    terms = (spelled(int(numbers[code - 1])) for code, _ in groups())
    rows = (array("I", places) for _, places in groups())
    write_terms(file, f"{section}/words", terms, rows, len(codes))


def _write_words(
    file: SectionWriter, section: str, texts: "list[Value]", codes: "array[int]"
) -> None:
    words, lines = Postings(len(codes)), Postings(len(codes))
    several = any("\n" in str(text) for text in texts)
    order = sorted(range(len(codes)), key=codes.__getitem__)
    for code, group in groupby(order, key=codes.__getitem__):
        if code:
            text, places = str(texts[code - 1]), array("I", group)
            words.add(text.split(), places)
            if several:
                lines.add(text.split("\n"), places)
    words.write(file, f"{section}/words")
    words.write_letters(file, f"{section}/letters")
    if several:
        lines.write(file, f"{section}/lines")


def _write_texts(file: SectionWriter, name: str, texts: "Sequence[Value]") -> None:
    data = [text if isinstance(text, bytes) else str(text).encode() for text in texts]
    file.add(f"{name}/ends", (array("Q", accumulate(map(len, data), initial=0)).tobytes(),))
    file.add(f"{name}/texts", data)


def main(index: Path, catalogue: Path) -> None:
    """As a process of its own, which everything else comes before."""
    os.nice(NICE)
    with suppress(OSError):
        # Where memory runs out, this is what can be missed (proc(5); Linux alone has it).
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")
    threading.Thread(target=_end_with_parent, args=(catalogue,), daemon=True).start()
    build(index, catalogue)


def _end_with_parent(catalogue: Path) -> None:
    """The parent holds the other end of standard input, and may go away in any way."""
    os.read(0, 1)
    draft_of(catalogue).unlink(missing_ok=True)
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
