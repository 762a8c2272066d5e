"""The properties that Search knows (CDS:1 §2.5.5), and how each form of object has them.

Texts are compared without regard to case and accents. They are looked for in the full text
index where it can find anything, which takes three characters; for shorter ones all texts of
the source are read. Of several values of a property any may fit, but only the first is less or
greater than something. Ids are opaque: one "contains" or "starts with" nothing but itself, and
none is less than another.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from mediaserver.library.browsing import playlist_sources
from mediaserver.library.browsing.fitting import Fit, Found
from mediaserver.library.browsing.snapshot import Snapshot
from mediaserver.library.browsing.sources import Condition, Form, Source
from mediaserver.library.criteria import Operator
from mediaserver.library.folding import fold
from mediaserver.library.indexing.records import FILM, UPNP_CLASSES
from mediaserver.library.object_ids import Parsed, parse
from mediaserver.library.objects import Item, Kind, Station

CLASS = "upnp:class"
SEARCH_CAPABILITIES: tuple[str, ...] = (
    "dc:title",
    "dc:creator",
    "dc:date",
    CLASS,
    "upnp:artist",
    "upnp:album",
    "upnp:genre",
    "upnp:originalTrackNumber",
    "res@duration",
    "res@size",
    "@id",
    "@parentID",
    "@refID",
)
"""The properties that can be searched by."""

TRIGRAM = 3
"""Characters that full text needs to find anything."""

_SIGNS = {
    Operator.EQUAL: "=",
    Operator.LESS: "<",
    Operator.LESS_OR_EQUAL: "<=",
    Operator.GREATER: ">",
    Operator.GREATER_OR_EQUAL: ">=",
}
_PARTS = (Operator.CONTAINS, Operator.STARTS_WITH)


def phrase(column: str, text: str) -> str:
    """A query of FTS5: the text is a part of what is in the column."""
    return '{} : "{}"'.format(column, text.replace('"', '""'))


class Property(Protocol):
    """A property as the objects of one source have it."""

    def exists(self) -> Fit: ...

    def compare(self, operator: Operator, value: str) -> Fit:
        """What fits an operator that is not a negation. ``value`` is valid Unicode, no NUL."""


def properties_of(snapshot: Snapshot, source: Source) -> dict[str, Property]:
    """All properties of SearchCapabilities."""
    found = dict.fromkeys(SEARCH_CAPABILITIES, _ABSENT)
    found |= _OF_FORM[source.form]
    if source.facet_kind == "album":
        found |= _OF_ALBUMS
    elif source.upnp_class == UPNP_CLASSES[Kind.AUDIO]:
        found |= _OF_AUDIO
    if source.form is Form.ITEM and source.upnp_class == UPNP_CLASSES[Kind.VIDEO]:
        found[CLASS] = VIDEO_CLASS
    else:
        found[CLASS] = Known(source.upnp_class)
    if source.few:
        found = {name: _without_full_text(own) for name, own in found.items()}
    found |= {
        "@id": ObjectId(snapshot, source),
        "@parentID": ParentId(snapshot, source),
        "@refID": RefId(snapshot, source),
    }
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """A property that is the same for all, such as the class; None: they do not have it."""

    value: str | None

    def exists(self) -> Fit:
        return self.value is not None

    def compare(self, operator: Operator, value: str) -> Fit:
        if self.value is None:
            return False
        own, other = self.value.casefold(), value.casefold()
        match operator:
            case Operator.EQUAL:
                return own == other
            case Operator.CONTAINS:
                return other in own
            case Operator.STARTS_WITH:
                return own.startswith(other)
            case Operator.DERIVED_FROM:
                return own == other or own.startswith(f"{other}.")
            case Operator.LESS:
                return own < other
            case Operator.LESS_OR_EQUAL:
                return own <= other
            case Operator.GREATER:
                return own > other
            case _:
                return own >= other


_ABSENT: Property = Known(None)


@dataclass(frozen=True, slots=True)
class OneOf:
    """The class of items of which some are of one class and some of another."""

    classes: tuple[str, ...]

    def exists(self) -> Fit:
        return True

    def compare(self, operator: Operator, value: str) -> Fit:
        fitting = self.fitting(operator, value)
        if len(fitting) in (0, len(self.classes)):
            return bool(fitting)
        places = ", ".join("?" for _ in fitting)
        return Found(Form.ITEM, condition=Condition(f"i.upnp_class IN ({places})", tuple(fitting)))

    def fitting(self, operator: Operator, value: str) -> list[str]:
        """Those of the classes that fit."""
        return [each for each in self.classes if Known(each).compare(operator, value)]


VIDEO_CLASS: Property = OneOf((UPNP_CLASSES[Kind.VIDEO], FILM))


@dataclass(frozen=True, slots=True)
class Texts:
    """A text in a column that is folded already; several values stand one a line."""

    form: Form
    expression: str
    column: str | None
    """Of the full text index. None: it is in none."""
    exact: bool = True
    """Whether all that is found in the column is in the text."""

    def exists(self) -> Fit:
        return self._found(None, Condition(f"{self._text} <> ''"))

    def compare(self, operator: Operator, value: str) -> Fit:
        text = fold(value)
        if operator not in (*_PARTS, Operator.EQUAL):
            first = f"substr({self._text}, 1, instr({self._text} || char(10), char(10)) - 1)"
            condition = f"{self._text} <> '' AND {first} {_SIGNS[operator]} ?"
            return self._found(None, Condition(condition, (text,)))
        if not text:
            return self.exists() if operator in _PARTS else False
        match = None
        if self.column is not None and len(text) >= TRIGRAM:
            match = phrase(self.column, text)
        if match is not None and self.exact and operator is Operator.CONTAINS:
            return self._found(match, None)
        before = "" if operator is Operator.CONTAINS else "\n"
        after = "\n" if operator is Operator.EQUAL else ""
        lines = f"char(10) || {self._text} || char(10)"
        return self._found(match, Condition(f"instr({lines}, ?) > 0", (f"{before}{text}{after}",)))

    @property
    def _text(self) -> str:
        return f"coalesce({self.expression}, '')"

    def _found(self, match: str | None, condition: Condition | None) -> Fit:
        return Found(self.form, match, condition=condition)


@dataclass(frozen=True, slots=True)
class ByValues:
    """Texts that are titles of values in views as well: artists, albums, genres.

    There are fewer values than items, so what has a value is found through them.
    """

    texts: Texts
    keys: str
    """A statement for the keys of what has a value whose title has a phrase of FTS5 in it."""
    kinds: tuple[str, ...]
    """Of values."""
    parts: bool
    """Whether parts are looked for like this too; otherwise full text is as quick."""

    def exists(self) -> Fit:
        return self.texts.exists()

    def compare(self, operator: Operator, value: str) -> Fit:
        fit = self.texts.compare(operator, value)
        text = fold(value)
        quick = operator is Operator.EQUAL or (self.parts and operator in _PARTS)
        if not quick or len(text) < TRIGRAM or not isinstance(fit, Found):
            return fit
        kinds = ", ".join("?" for _ in self.kinds)
        keys = Condition(
            f"{self.keys} WHERE facet_text MATCH ? AND a.kind IN ({kinds})",
            (phrase("title", text), *self.kinds),
        )
        if operator is Operator.EQUAL:
            keys = Condition(f"{keys.text} AND facet_text.title = ?", (*keys.parameters, text))
        return Found(fit.form, keys=keys, condition=fit.condition)


def _without_full_text(own: Property) -> Property:
    """The same property, asked of row after row."""
    if isinstance(own, ByValues):
        own = own.texts
    return replace(own, column=None) if isinstance(own, Texts) else own


_ITEMS_WITH = (
    "SELECT DISTINCT x.item_id AS id FROM facet_text"
    " CROSS JOIN facets AS a ON a.id = facet_text.rowid"
    " CROSS JOIN item_facets AS x ON x.facet_id = a.id"
)
_ALBUMS_WITH = (
    "SELECT DISTINCT c.child_id AS id FROM facet_text"
    " CROSS JOIN facets AS a ON a.id = facet_text.rowid"
    " CROSS JOIN facet_pairs AS c ON c.facet_id = a.id AND c.child_kind = 'album'"
)


@dataclass(frozen=True, slots=True)
class Plain:
    """A number or date in a column, and how it is written."""

    form: Form
    expression: str
    read: Callable[[str], object | None]
    """From what is asked for to what is in the column; None: nothing can be it."""
    written: str
    """How the property is written, in SQL."""
    characters: re.Pattern[str]
    """What it is written with: what has others is in none of them."""

    def exists(self) -> Fit:
        return Found(self.form, condition=Condition(f"{self.expression} IS NOT NULL"))

    def compare(self, operator: Operator, value: str) -> Fit:
        if operator in _PARTS:
            if not self.characters.fullmatch(value):
                return False
            sign = "> 0" if operator is Operator.CONTAINS else "= 1"
            return self._found(f"instr({self.written}, ?) {sign}", value)
        wanted = self.read(value)
        if wanted is None:
            return False
        return self._found(f"{self.expression} {_SIGNS[operator]} ?", wanted)

    def _found(self, text: str, value: object) -> Fit:
        return Found(self.form, condition=Condition(text, (value,)))


# ---- ids


def _is_same(operator: Operator) -> bool:
    return operator is Operator.EQUAL or operator in _PARTS


@dataclass(frozen=True, slots=True)
class ObjectId:
    snapshot: Snapshot
    source: Source

    def exists(self) -> Fit:
        return True

    def compare(self, operator: Operator, value: str) -> Fit:
        if not value:
            return operator in _PARTS
        return _is_same(operator) and _of_object(self.snapshot, self.source, value)


def _of_object(snapshot: Snapshot, source: Source, object_id: str) -> Fit:
    """The object of this id, if the source gives it this one."""
    parsed = parse(object_id)
    if parsed is None:
        return False
    key = _key_in(snapshot, source.form, parsed)
    if key is None or not any(
        found.object_id == object_id for found in source.render(snapshot, [key])
    ):
        return False
    return Found(source.form, condition=Condition(f"{source.form.value}.id = ?", (key,)))


def _key_in(snapshot: Snapshot, form: Form, parsed: Parsed) -> int | None:
    """The row of the table of a form that an id may be about."""
    if form is Form.ITEM:
        return parsed.item
    if form is Form.ENTRY:
        return playlist_sources.entry_key(snapshot, parsed) if parsed.is_item else None
    if parsed.is_item:
        return None
    if form is Form.VALUE:
        return parsed.facets[-1] if parsed.facets else None
    return parsed.playlist if form is Form.PLAYLIST else parsed.folder


@dataclass(frozen=True, slots=True)
class ParentId:
    snapshot: Snapshot
    source: Source

    def exists(self) -> Fit:
        return True

    def compare(self, operator: Operator, value: str) -> Fit:
        if not value:
            return operator in _PARTS
        parsed = parse(value)
        if parsed is None or not _is_same(operator):
            return False
        fit = self.source.is_child(self.snapshot, parsed)
        return fit if isinstance(fit, bool) else Found(self.source.form, condition=fit)


@dataclass(frozen=True, slots=True)
class RefId:
    snapshot: Snapshot
    source: Source

    def exists(self) -> Fit:
        return self.source.references

    def compare(self, operator: Operator, value: str) -> Fit:
        if not self.source.references:
            return False
        if not value:
            return operator in _PARTS
        parsed = parse(value)
        if parsed is None or not parsed.is_item or not _is_same(operator):
            return False
        form = self.source.form
        key = _key_in(self.snapshot, form, parsed)
        if key is None:
            return False
        found = self.source.render(self.snapshot, [key])
        if not any(isinstance(item, Item | Station) and item.ref_id == value for item in found):
            return False
        return Found(form, condition=Condition(f"{form.value}.id = ?", (key,)))


# ---- tables


def _text_of(form: Form, table: str, column: str, *, first: bool = False) -> Texts:
    text = f"(SELECT t.{column} FROM {table} AS t WHERE t.rowid = {form.value}.id)"  # noqa: S608
    if first:
        text = (
            f"(SELECT substr(t.{column}, 1, instr(t.{column} || char(10), char(10)) - 1)"  # noqa: S608
            f" FROM {table} AS t WHERE t.rowid = {form.value}.id)"
        )
    return Texts(form, text, column, exact=not first)


def _date(form: Form) -> Plain:
    column = f"{form.value}.date"
    return Plain(form, column, str, column, re.compile(r"[0-9T:.+Z-]*", re.ASCII))


def _number(column: str) -> Plain:
    return Plain(
        Form.ITEM, column, _read_number, f"CAST({column} AS TEXT)", re.compile("[0-9]*", re.ASCII)
    )


_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{0,9})?", re.ASCII)
_DURATION = re.compile(
    r"(?:(?P<hours>[0-9]{1,5}):)?(?P<minutes>[0-9]{1,2}):(?P<seconds>[0-9]{1,2}(?:\.[0-9]{1,6})?)",
    re.ASCII,
)


def _read_number(text: str) -> float | None:
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def _read_duration(text: str) -> float | None:
    """``H+:MM:SS[.F+]`` (CDS:1 §B.2.1.4), or seconds; in milliseconds."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        seconds = _read_number(text)
    else:
        hours, minutes, rest = match.group("hours", "minutes", "seconds")
        seconds = int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)
    return None if seconds is None else round(seconds * 1000)


_WRITTEN_DURATION = (
    "printf('%d:%02d:%02d.%03d', i.duration_ms / 3600000, i.duration_ms / 60000 % 60,"
    " i.duration_ms / 1000 % 60, i.duration_ms % 1000)"
)

_OF_FORM: dict[Form, dict[str, Property]] = {
    Form.ITEM: {
        "dc:title": _text_of(Form.ITEM, "item_text", "title"),
        "dc:creator": _text_of(Form.ITEM, "item_text", "artists", first=True),
        "dc:date": _date(Form.ITEM),
        "upnp:artist": _text_of(Form.ITEM, "item_text", "artists"),
        "upnp:album": _text_of(Form.ITEM, "item_text", "album"),
        "upnp:genre": _text_of(Form.ITEM, "item_text", "genres"),
        "upnp:originalTrackNumber": _number("i.track"),
        "res@duration": Plain(
            Form.ITEM,
            "i.duration_ms",
            _read_duration,
            f"iif(i.duration_ms IS NULL, NULL, {_WRITTEN_DURATION})",
            re.compile("[0-9:.]*", re.ASCII),
        ),
        "res@size": _number("i.size"),
    },
    Form.FOLDER: {"dc:title": _text_of(Form.FOLDER, "folder_text", "title")},
    Form.VALUE: {"dc:title": _text_of(Form.VALUE, "facet_text", "title")},
    # There are few of these: their titles are folded when they are asked for.
    Form.PLAYLIST: {"dc:title": Texts(Form.PLAYLIST, "fold(l.title)", None)},
    Form.ENTRY: {"dc:title": Texts(Form.ENTRY, "fold(e.title)", None)},
}
_OF_AUDIO: dict[str, Property] = {
    name: ByValues(texts, _ITEMS_WITH, kinds, parts=False)
    for name, kinds in (
        ("dc:creator", ("artist", "albumartist")),
        ("upnp:artist", ("artist", "albumartist")),
        ("upnp:album", ("album",)),
        ("upnp:genre", ("genre",)),
    )
    if isinstance(texts := _OF_FORM[Form.ITEM][name], Texts)
}
_FIRST_ARTIST = "fold(substr(v.artists, 1, instr(v.artists || char(10), char(10)) - 1))"
_OF_ALBUMS: dict[str, Property] = {
    "dc:date": _date(Form.VALUE),
    **{
        name: ByValues(Texts(Form.VALUE, text, None), _ALBUMS_WITH, (kind,), parts=True)
        for name, text, kind in (
            ("dc:creator", _FIRST_ARTIST, "albumartist"),
            ("upnp:artist", "fold(v.artists)", "albumartist"),
            ("upnp:genre", "fold(v.genres)", "genre"),
        )
    },
}
