"""What a catalogue holds: its lists, and the columns of each.

A list holds the rows of one table of the index in the order of their titles; the place of a row
is its number there, counted from 0. Columns are named as the properties that Search knows
(CDS:1 §2.5.5) where they are what such a property is compared with.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b

from mediaserver.library.objects import Kind


class Sort(Enum):
    """What is in a column."""

    NUMBER = "number"
    TEXT = "text"
    """As it is; short, and of few characters: dates, classes."""
    FOLDED = "folded"
    """As :func:`.folding.fold` leaves it; several values stand one a line."""
    PATH = "path"
    """Of a folder: the media root and the path in it, :func:`path_key`."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    sort: Sort
    expression: str
    """In SQL, of the row of the table; NULL and the empty text count as none."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: rows of ``table`` of which ``where`` is true."""

    name: str
    table: str
    """With the name it has in statements."""
    where: str
    columns: tuple[Column, ...]
    texts: str = ""
    """What to join for the columns of full text."""
    under: str | None = None
    """What gives the ids of the rows under a value of views: a statement with one parameter."""

    @property
    def alias(self) -> str:
        return self.table.rpartition(" ")[2]


VERSION = "version"
MOMENT = "moment"
"""Sections of their own: :func:`version`, and the state of the index (:mod:`.touched`)."""

FOLDER = "folder"
DISC = "disc"
TITLE = "dc:title"
TITLE_ORDER = "title order"
"""The sort keys of titles: what is the same for two rows where nothing but ids tells them apart."""

# The columns of a full text table are kept in a plain one: FTS5 manual, 4.4.
_FIRST = "substr(t.c1, 1, instr(t.c1 || char(10), char(10)) - 1)"

_OF_ITEMS = (
    Column(TITLE_ORDER, Sort.TEXT, "i.sort_key"),
    Column(TITLE, Sort.FOLDED, "t.c0"),
    Column("dc:creator", Sort.FOLDED, _FIRST),
    Column("upnp:artist", Sort.FOLDED, "t.c1"),
    Column("upnp:album", Sort.FOLDED, "t.c2"),
    Column("upnp:genre", Sort.FOLDED, "t.c3"),
    Column("dc:date", Sort.TEXT, "i.date"),
    Column("upnp:class", Sort.TEXT, "i.upnp_class"),
    Column("upnp:originalTrackNumber", Sort.NUMBER, "i.track"),
    Column(DISC, Sort.NUMBER, "i.disc"),
    Column("res@duration", Sort.NUMBER, "i.duration_ms"),
    Column("res@size", Sort.NUMBER, "i.size"),
    Column(FOLDER, Sort.PATH, "i.folder_id"),
)
_OF_VALUES = (
    Column(TITLE_ORDER, Sort.TEXT, "v.sort_key"),
    Column(TITLE, Sort.FOLDED, "t.c0"),
)
_OF_ALBUMS = (
    *_OF_VALUES,
    Column(
        "dc:creator",
        Sort.FOLDED,
        "fold(substr(v.artists, 1, instr(v.artists || char(10), char(10)) - 1))",
    ),
    Column("upnp:artist", Sort.FOLDED, "fold(v.artists)"),
    Column("upnp:genre", Sort.FOLDED, "fold(v.genres)"),
    Column("dc:date", Sort.TEXT, "v.date"),
)
_OF_FOLDERS = (
    Column(TITLE_ORDER, Sort.TEXT, "f.sort_key"),
    Column(TITLE, Sort.FOLDED, "t.c0"),
    Column(FOLDER, Sort.PATH, "f.id"),
    *(Column(kind.value, Sort.NUMBER, f"nullif(f.{kind.value}_below, 0)") for kind in Kind),
)


def _duration(milliseconds: int) -> str:
    """As Search sees it: ``H:MM:SS.FFF`` (CDS:1 §B.2.1.4)."""
    seconds, fraction = divmod(milliseconds, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:03}"


SPELLED: dict[str, Callable[[int], str]] = {
    "upnp:originalTrackNumber": str,
    "res@size": str,
    "res@duration": _duration,
}
"""How numbers are written, of columns in which parts of them may be looked for."""


def items_of(kind: Kind) -> str:
    """The name of the list of all items of a kind."""
    return f"{kind.value} items"


def values_of(facet_kind: str) -> str:
    """The name of the list of all values of a kind of facets."""
    return f"{facet_kind} values"


FOLDERS = "folders"
"""The list of all folders that are shown."""


def listings(facet_kinds: Iterable[str]) -> tuple[Listing, ...]:
    """All lists, where there are values of these kinds."""
    return (
        *(
            Listing(
                items_of(kind),
                "items AS i",
                f"i.shown = 1 AND i.kind = '{kind.value}'",
                _OF_ITEMS,
                texts=" LEFT JOIN item_text_content AS t ON t.id = i.id",
                under="SELECT item_id FROM item_facets WHERE facet_id = ?",
            )
            for kind in Kind
        ),
        *(
            Listing(
                values_of(kind),
                "facets AS v",
                f"v.kind = '{kind}'",
                _OF_ALBUMS if kind == "album" else _OF_VALUES,
                texts=" LEFT JOIN facet_text_content AS t ON t.id = v.id",
                under=(
                    "SELECT child_id FROM facet_pairs"  # noqa: S608 - constants
                    f" WHERE facet_id = ? AND child_kind = '{kind}'"
                ),
            )
            for kind in facet_kinds
        ),
        Listing(
            FOLDERS,
            "folders AS f",
            "f.shown = 1",
            _OF_FOLDERS,
            texts=" LEFT JOIN folder_text_content AS t ON t.id = f.id",
        ),
    )


def version() -> bytes:
    """Another one for each other layout: a catalogue that was made by another version of this
    program may have other columns, or other things in them."""
    return blake2b(repr(listings(["album", ""])).encode(), digest_size=16).digest()


def having_text(listing: str, column: str) -> str:
    """A statement for the rows of a list that have a text in a column, of those with some ids;
    its parameters are the ids in JSON, and the text. Gives ids."""
    kinds = [listing.removesuffix(values_of(""))]
    found = next(each for each in listings(kinds) if each.name == listing)
    expression = next(each.expression for each in found.columns if each.name == column)
    key = f"{found.alias}.id"
    return (
        f"SELECT {key} FROM {found.table}{found.texts}"  # noqa: S608 - constants
        f" WHERE {key} IN (SELECT value FROM json_each(?)) AND instr({expression}, ?) > 0"
    )


def names_of_columns(lists: Iterable[Listing]) -> Iterable[tuple[str, Sort]]:
    """The names of all columns of some lists, and what is in them."""
    found = {column.name: column.sort for listing in lists for column in listing.columns}
    return found.items()


def path_key(root: int, path: bytes) -> bytes:
    """A folder as it is told in columns of paths; what is below it comes right behind it."""
    return root.to_bytes(8, "big") + path
