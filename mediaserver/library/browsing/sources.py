"""Sources: what lists are made of, each a question to one table in an order an index keeps.

The children of a container are one or two sources (folders, then items), the hits of a search
several. A source gives the keys of a page; a page of keys becomes objects by its ``render``.

Statements name the tables ``i`` (items), ``f`` (folders), ``v`` (facets: the values of views),
``l`` (playlists), ``e`` (playlist_entries), and ``x`` (item_facets), ``p`` (facet_pairs) for what
they are found through. They are put together of parts written in this package; all values are
bound (security.md S5).
"""

import json
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import chain
from typing import NamedTuple

from mediaserver.library.browsing import choosing, merging, sorting
from mediaserver.library.browsing.choosing import Chosen, Extent
from mediaserver.library.browsing.snapshot import Row, Snapshot
from mediaserver.library.criteria import SortKey
from mediaserver.library.indexing import touched
from mediaserver.library.object_ids import Parsed
from mediaserver.library.objects import Object


class Form(Enum):
    """Which table the objects of a source are in; the name it has in statements."""

    ITEM = "i"
    FOLDER = "f"
    VALUE = "v"
    PLAYLIST = "l"
    ENTRY = "e"


FEW = 10_000
"""Rows of a source that has few."""

TEXTS = {Form.ITEM: "item_text", Form.FOLDER: "folder_text", Form.VALUE: "facet_text"}
"""The full text index of each form that has one; the rowid is the id."""
TABLES = {
    Form.ITEM: "items AS i",
    Form.FOLDER: "folders AS f",
    Form.VALUE: "facets AS v",
    Form.PLAYLIST: "playlists AS l",
    Form.ENTRY: "playlist_entries AS e",
}


_TOUCHED = {Form.ITEM: touched.ITEM, Form.FOLDER: touched.FOLDER, Form.VALUE: touched.VALUE}


class Condition(NamedTuple):
    """Something that is true of a row or not: SQL, and the values of its parameters."""

    text: str
    parameters: tuple[object, ...] = ()


Render = Callable[[Snapshot, Sequence[int]], Sequence[Object]]
IsChild = Callable[[Snapshot, Parsed], Condition | bool]
Sort = tuple[SortKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Objects of one form, in an order that is total: by ``order``, then by ``key``."""

    form: Form
    upnp_class: str | None
    """The class of all of them, but that a video may be a film; None where they are of several."""
    references: bool = False
    """Whether these are items at another place than home."""
    facet_kind: str | None = None
    """Of values: what they are."""
    render: Render
    """The objects of keys, in the order of the keys."""
    is_child: IsChild
    """What is true of a row of the table of the form if its object is a child of another."""
    tables: str
    """What to select keys from: the table itself, or one that leads to it by an index."""
    where: str
    parameters: tuple[object, ...] = ()
    join: str = ""
    """What to add to ``tables`` before other columns of the objects can be asked for."""
    key: str
    order: str
    by_title: bool = True
    """Whether ``order`` is the order of the titles."""
    indexed: bool = True
    """Whether an index keeps this order, so that a page can be read without the rest."""
    known_total: int | None = None
    members: Condition | None = None
    """What is true of a row of the table of the form if its object is of the source, for those
    who start from that table; None: ``where`` says so."""
    few: bool = False
    """Whether it is quicker to look at each of its rows than at all that have a text."""
    extent: Extent | None = None
    """What part of the catalogue it is, in the order of titles; None: of none."""
    chosen: Chosen | None = None
    """What the catalogue has found to be in it: that is quicker than asking the index."""
    fresh: "Source | None" = None
    """With ``chosen``: those few of its rows that have changed since the catalogue was made."""

    def total(self, snapshot: Snapshot) -> int:
        if self.known_total is not None:
            return self.known_total
        if self.chosen is not None:
            fresh = 0 if self.fresh is None else self.fresh.total(snapshot)
            return self.chosen.total + fresh
        if not self.indexed:
            return len(_order(snapshot, (self,), ())) // 2
        statement = f"SELECT count(*) FROM {self.tables} WHERE {self.where}"  # noqa: S608
        return snapshot.memory.total(
            snapshot.state,
            (statement, *self.parameters),
            lambda: snapshot.number(statement, self.parameters),
        )

    def keys(self, snapshot: Snapshot, start: int, count: int, total: int) -> list[int]:
        """The keys at ``start`` and after, ``count`` at most, of a source an index keeps in order.

        It is read from its nearer end, or from where a page before ended: pages cost the same
        wherever they are.
        """
        count = min(count, total - start)
        if count <= 0:
            return []
        if self.chosen is not None:
            if self.fresh is None:
                return self.chosen.keys(start, count)
            return [key for _, key in _merged(snapshot, (self,), (), start, count)]
        rest = total - start - count
        if rest < start:
            rows = self._read(snapshot, "DESC", rest, count)
            rows.reverse()
        else:
            rows = self._read(snapshot, "ASC", start, count)
        return [row[1] for row in rows]

    def _read(self, snapshot: Snapshot, direction: str, start: int, count: int) -> list[Row]:
        select = f"SELECT {self.order}, {self.key} FROM {self.tables} WHERE {self.where}"  # noqa: S608
        question = (select, direction, *self.parameters)
        known, row = snapshot.memory.position(snapshot.state, question, start)
        parameters = self.parameters
        if row is not None:
            select += f" AND ({self.order}, {self.key}) {'>' if direction == 'ASC' else '<'} (?, ?)"
            parameters += row
        # The row in front is read as well: it tells where this page begins.
        before = 1 if start > known else 0
        rows = snapshot.rows(
            f"{select} ORDER BY {self.order} {direction}, {self.key} {direction} LIMIT ? OFFSET ?",
            (*parameters, count + before, start - known - before),
        )
        if before and rows:
            snapshot.memory.note_position(snapshot.state, question, start, rows.pop(0))
        if rows:
            snapshot.memory.note_position(snapshot.state, question, start + len(rows), rows[-1])
        return rows

    def contains(self, snapshot: Snapshot, key: int) -> bool:
        text, parameters = self.members or Condition(self.where, self.parameters)
        statement = f"SELECT 1 FROM {TABLES[self.form]} WHERE {self.form.value}.id = ? AND {text}"  # noqa: S608
        return snapshot.row(statement, (key, *parameters)) is not None

    def narrowed(self, condition: Condition) -> "Source":
        """Those for which a condition on the columns of their table is true as well."""
        return replace(
            self,
            where=f"{self.where} AND ({condition.text})",
            parameters=self.parameters + condition.parameters,
            tables=self.tables + self.join,
            join="",
            indexed=False,
            known_total=None,
            extent=None,
            chosen=None,
            fresh=None,
        )

    def found_first(
        self, tables: str, key: str, where: str, parameters: tuple[object, ...]
    ) -> "Source":
        """Those whose keys are found first: from there to the rows, not from the rows of the source
        to what is known of them."""
        alias = self.form.value
        members = self.members or Condition(self.where, self.parameters)
        name = tables.rpartition(" ")[2]
        return replace(
            self,
            tables=f"{tables} CROSS JOIN {TABLES[self.form]} ON {alias}.id = {name}.{key}",
            join="",
            where=f"{where} AND {members.text}",
            parameters=(*parameters, *members.parameters),
            key=f"{alias}.id",
            # What ordered a source through another table is out of reach here.
            order=self.order if self.members is None else f"{alias}.sort_key",
            members=None,
            indexed=False,
            known_total=None,
            extent=None,
            chosen=None,
            fresh=None,
        )


def from_catalogue(snapshot: Snapshot, source: Source) -> Source:
    """The same source, told by the catalogue if it can."""
    chosen = choosing.whole(snapshot.overlay, source.extent, touched_form(source.form))
    if chosen is None:
        return source
    return replace(source, chosen=chosen, fresh=touched_of(snapshot, source))


def touched_of(snapshot: Snapshot, source: Source) -> Source | None:
    """The rows of a source that may have changed since the catalogue was made."""
    keys = snapshot.overlay.touched(touched_form(source.form)) if snapshot.overlay else ()
    if not keys:
        return None
    return source.found_first(
        "(SELECT value AS id FROM json_each(?)) AS k", "id", "1", (json.dumps(keys),)
    )


def touched_form(form: Form) -> str:
    """What rows of a form are called among those that were touched."""
    return _TOUCHED.get(form, "")


def total(snapshot: Snapshot, sources: Sequence[Source]) -> int:
    return sum(source.total(snapshot) for source in sources)


def page(
    snapshot: Snapshot, sources: Sequence[Source], *, start: int, count: int, sort: Sort
) -> list[Object]:
    """Part of the list that the sources make: one after the other, or all sorted together.

    Raises UnsupportedSort.
    """
    sorting.check(sort)
    alone = len(sources) == 1
    if sort:
        sources = _with_few(snapshot, sources)
    if not sources:
        return []
    if len(sources) == 1:
        source = sources[0]
        if sorting.is_of_one_class(source.upnp_class):
            sort = tuple(key for key in sort if key.property != sorting.CLASS)
        titles = len(sort) == 1 and sort[0].property == sorting.TITLE
        if alone and source.indexed and source.by_title and titles:
            return _by_title(snapshot, source, start, count, ascending=sort[0].ascending)
    if sort and all(each.chosen is not None for each in sources):
        pairs = _merged(snapshot, sources, sort, start, count)
        order = array("q", chain.from_iterable(pairs))
        return _mixed(snapshot, sources, order, 0, len(pairs))
    if sort:
        return _mixed(snapshot, sources, _order(snapshot, sources, sort), start, count)
    return _chained(snapshot, sources, start, count)


def _with_few(snapshot: Snapshot, sources: Sequence[Source]) -> Sequence[Source]:
    """Where the catalogue knows some sources, few rows of others, such as playlists, are put in
    between them like rows that have changed."""
    known = next((each.chosen for each in sources if each.chosen is not None), None)
    if known is None:
        return sources
    found = []
    for each in sources:
        number = 0 if each.chosen is not None else each.total(snapshot)
        if each.by_title and 0 < number <= touched.LIMIT:
            found.append(replace(each, chosen=replace(known, bits=0), fresh=each))
        elif each.chosen is not None or number:
            found.append(each)
    return found


def _by_title(
    snapshot: Snapshot, source: Source, start: int, count: int, *, ascending: bool
) -> list[Object]:
    total = source.total(snapshot)
    if ascending:
        return list(source.render(snapshot, source.keys(snapshot, start, count, total)))
    count = max(0, min(count, total - start))
    keys = source.keys(snapshot, total - start - count, count, total)
    keys.reverse()
    return list(source.render(snapshot, keys))


def _chained(snapshot: Snapshot, sources: Sequence[Source], start: int, count: int) -> list[Object]:
    objects: list[Object] = []
    for source in sources:
        total = source.total(snapshot)
        if start < total and count > 0:
            if source.indexed or source.chosen is not None:
                found = source.render(snapshot, source.keys(snapshot, start, count, total))
            else:
                order = _order(snapshot, (source,), ())
                found = _mixed(snapshot, (source,), order, start, count)
            objects += found
            count -= min(count, total - start)
        start = max(0, start - total)
    return objects


def _mixed(
    snapshot: Snapshot, sources: Sequence[Source], order: "array[int]", start: int, count: int
) -> list[Object]:
    """Objects of several sources in the order of pairs of source and key."""
    part = order[2 * start : 2 * (start + count)]
    numbers, keys = part[0::2], part[1::2]
    rendered = []
    for number, source in enumerate(sources):
        own = [key for at, key in zip(numbers, keys, strict=True) if at == number]
        rendered.append(iter(source.render(snapshot, own) if own else ()))
    return [next(rendered[number]) for number in numbers]


def _merged(
    snapshot: Snapshot, sources: Sequence[Source], sort: Sort, start: int, count: int
) -> list[tuple[int, int]]:
    """Numbers of sources and keys in an order, where all is known by the catalogue but for what
    is fresh."""
    parts = [
        merging.Part(each.chosen, each.upnp_class) for each in sources if each.chosen is not None
    ]
    fresh: list[merging.Fresh] = []
    if any(each.fresh is not None for each in sources):
        numbered = [(at, each.fresh) for at, each in enumerate(sources) if each.fresh is not None]
        statement, parameters = _in_order(numbered, sort, values=True)
        snapshot.allow_folding()
        rows = snapshot.rows(statement, parameters)
        fresh = [merging.Fresh(row[0], row[1], row[2:]) for row in rows]
    return merging.in_order(parts, sort, fresh, start, count)


def _order(snapshot: Snapshot, sources: Sequence[Source], sort: Sort) -> "array[int]":
    """All keys of the sources in order, as pairs of the source's number and the key."""
    statement, parameters = _in_order(list(enumerate(sources)), sort)

    def find() -> "array[int]":
        snapshot.allow_folding()
        return array("q", chain.from_iterable(snapshot.rows(statement, parameters)))

    return snapshot.memory.order(snapshot.state, (statement, *parameters), find)


def _in_order(
    sources: Sequence[tuple[int, Source]], sort: Sort, *, values: bool = False
) -> tuple[str, tuple[object, ...]]:
    """A statement for numbers of sources and keys in an order, and its parameters.

    ``values``: what they are ordered by as well, the title last.
    """
    columns = sorting.directions(sort)
    parts = []
    for number, source in sources:
        by = sorting.expressions(source.form.value, source.upnp_class, sort)
        named = "".join(f", {expression} AS s{at}" for at, expression in enumerate(by))
        parts.append(
            f"SELECT {number} AS source, {source.key} AS key, {source.order} AS title{named}"  # noqa: S608
            f" FROM {source.tables}{source.join} WHERE {source.where}"
        )
    by_columns = "".join(f"s{at} {direction}, " for at, direction in enumerate(columns))
    named = "".join(f", s{at}" for at in range(len(columns))) + ", title" if values else ""
    statement = (
        f"SELECT source, key{named} FROM ({' UNION ALL '.join(parts)})"  # noqa: S608
        f" ORDER BY {by_columns}title, source, key"
    )
    return statement, tuple(value for _, source in sources for value in source.parameters)
