"""The argument SearchCriteria, read into the tree of :mod:`mediaserver.library.criteria`.

The grammar (CDS:1 §2.5.5.1)::

    searchCrit = searchExp | "*"
    searchExp  = relExp | searchExp logOp searchExp | "(" searchExp ")"
    logOp      = "and" | "or"                          "and" binds closer
    relExp     = property binOp quotedVal | property "exists" boolVal
    binOp      = "=" | "!=" | "<" | "<=" | ">" | ">=" | "contains" | "doesNotContain"
               | "derivedfrom" | "startsWith"
    quotedVal  = '"' text '"'                          with \\" and \\\\ for " and \\

Beyond it, keywords are understood in any letter case, and blanks around operators and brackets
may be missing, as control points write both. No criteria at all are taken as ``*``.

A tokenizer by hand and a parser of bounded depth: the time grows with the length only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mediaserver.av.errors import UnsupportedSearchCriteria
from mediaserver.library.criteria import And, Compare, Criteria, Everything, Exists, Operator, Or

MAX_LENGTH = 8192
"""Characters."""
MAX_TERMS = 64
MAX_NESTING = 32
"""Limits of security.md 2."""

_BLANKS = " \t\n\v\f\r"
_SIGNS = "=!<>"
_WORD = re.compile(r"[^ \t\n\v\f\r()\"=!<>]+")
_PROPERTY = re.compile(r"[@A-Za-z][A-Za-z0-9:_@.-]*", re.ASCII)
_OPERATORS = {operator.value.lower(): operator for operator in Operator}
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """``(``, ``)``, ``word``, ``sign``, ``text``, or ``end``."""
    value: str
    place: int


def parse(text: str) -> Criteria:
    """Read search criteria.

    Raises UnsupportedSearchCriteria, with the place, for what is not of the grammar or larger
    than the limits.
    """
    if len(text) > MAX_LENGTH:
        raise UnsupportedSearchCriteria(f"{len(text)} characters")
    if text.strip(_BLANKS) in ("", "*"):
        return Everything()
    parser = _Parser(text)
    criteria = parser.expression(0)
    parser.take("end")
    return criteria


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._token = next(self._tokens)
        self._terms = 0

    def take(self, kind: str) -> str:
        """The value of the token that stands here, which has to be of this kind."""
        token = self._token
        if token.kind != kind:
            raise UnsupportedSearchCriteria(
                f"{kind} expected at {token.place}, there is {token.value[:40]!r}"
            )
        if kind != "end":
            self._token = next(self._tokens)
        return token.value

    def expression(self, depth: int) -> Criteria:
        """Terms joined by ``or``, each of them terms joined by ``and``."""
        terms = [self._all_of(depth)]
        while self._keyword("or"):
            terms.append(self._all_of(depth))
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def _all_of(self, depth: int) -> Criteria:
        terms = [self._term(depth)]
        while self._keyword("and"):
            terms.append(self._term(depth))
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _term(self, depth: int) -> Criteria:
        if self._token.kind != "(":
            return self._relation()
        if depth >= MAX_NESTING:
            raise UnsupportedSearchCriteria(f"brackets nested deeper than {MAX_NESTING}")
        self.take("(")
        inner = self.expression(depth + 1)
        self.take(")")
        return inner

    def _relation(self) -> Criteria:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise UnsupportedSearchCriteria(f"more than {MAX_TERMS} terms")
        place = self._token.place
        name = self.take("word")
        if _PROPERTY.fullmatch(name) is None:
            raise UnsupportedSearchCriteria(f"no property at {place}: {name[:40]!r}")
        place = self._token.place
        word = self.take("sign" if self._token.kind == "sign" else "word").lower()
        if word == "exists":
            return self._exists(name)
        operator = _OPERATORS.get(word)
        if operator is None:
            raise UnsupportedSearchCriteria(f"no operator at {place}: {word[:40]!r}")
        return Compare(name, operator, self.take("text"))

    def _exists(self, name: str) -> Exists:
        place = self._token.place
        wanted = _BOOLEANS.get(self.take("word").lower())
        if wanted is None:
            raise UnsupportedSearchCriteria(f"true or false expected at {place}")
        return Exists(name, wanted)

    def _keyword(self, word: str) -> bool:
        """Step over a keyword if it stands here."""
        if self._token.kind != "word" or self._token.value.lower() != word:
            return False
        self.take("word")
        return True


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        character = text[at]
        if character in _BLANKS:
            at += 1
        elif character in "()":
            yield _Token(character, character, at)
            at += 1
        elif character == '"':
            value, stop = _quoted(text, at)
            yield _Token("text", value, at)
            at = stop
        elif character in _SIGNS:
            stop = at + 2 if text[at : at + 2] in ("!=", "<=", ">=") else at + 1
            yield _Token("sign", text[at:stop], at)
            at = stop
        else:
            match = _WORD.match(text, at)
            assert match is not None  # noqa: S101 - every other character was met above
            yield _Token("word", match[0], at)
            at = match.end()
    yield _Token("end", "", at)


def _quoted(text: str, start: int) -> tuple[str, int]:
    """The value of the quoted text that begins here, and where it stops.

    A backslash before anything but ``"`` and ``\\`` is one: titles hold them, and few control
    points escape them.
    """
    parts: list[str] = []
    at = start + 1
    while at < len(text):
        character = text[at]
        if character == '"':
            return "".join(parts), at + 1
        if character == "\\" and text[at + 1 : at + 2] in ('"', "\\"):
            at += 1
            character = text[at]
        parts.append(character)
        at += 1
    raise UnsupportedSearchCriteria(f"the text at {start} has no end")
