"""What fits search criteria, put together of parts: known already, found by full text, or both."""

from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.library.browsing.sources import TEXTS, Condition, Form


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a form that fit: those that are found quickly, as far as a condition is true.

    So what the quick way cannot answer exactly is asked of what it finds only, not of all rows.
    At most one of ``match`` and ``keys`` is given.
    """

    form: Form
    match: str | None = None
    """A query of FTS5 that finds them."""
    keys: Condition | None = None
    """A statement that gives their keys as ``id``, each once."""
    condition: Condition | None = None
    """None: all that are found fit."""

    def as_keys(self) -> Condition | None:
        """The quick way as a statement; None if there is none."""
        if self.match is None:
            return self.keys
        texts = TEXTS[self.form]
        return Condition(f"SELECT rowid AS id FROM {texts} WHERE {texts} MATCH ?", (self.match,))  # noqa: S608

    def as_condition(self) -> Condition:
        """The same as a condition alone."""
        keys = self.as_keys()
        if keys is None:
            return self.condition or Condition("1")
        found = Condition(f"{self.form.value}.id IN ({keys.text})", keys.parameters)
        return found if self.condition is None else _joined(" AND ", [found, self.condition])


Fit = Found | bool
"""What fits; True and False: everything, nothing."""


def all_of(fits: Sequence[Fit]) -> Fit:
    """What fits all of several, found by the quickest of their ways."""
    if any(fit is False for fit in fits):
        return False
    found = [fit for fit in fits if isinstance(fit, Found)]
    if len(found) <= 1:
        return found[0] if found else True
    first = next((fit for fit in found if fit.keys is not None), None)
    if first is not None:
        conditions = [fit.as_condition() for fit in found if fit is not first]
        match = None
    else:
        conditions = [fit.condition for fit in found if fit.condition is not None]
        match = _matches("AND", [fit.match for fit in found if fit.match is not None])
        first = Found(found[0].form)
    if first.condition is not None:
        conditions.insert(0, first.condition)
    return Found(
        first.form, match, first.keys, _joined(" AND ", conditions) if conditions else None
    )


def any_of(fits: Sequence[Fit]) -> Fit:
    """What fits one of several; found quickly if each of them is."""
    if any(fit is True for fit in fits):
        return True
    found = [fit for fit in fits if isinstance(fit, Found)]
    if len(found) <= 1:
        return found[0] if found else False
    form, condition, keys = found[0].form, None, None
    if any(fit.condition is not None for fit in found):
        condition = _joined(" OR ", [fit.as_condition() for fit in found])
    matches = [fit.match for fit in found if fit.match is not None]
    if len(matches) == len(found):
        return Found(form, _matches("OR", matches), None, condition)
    ways = [way for fit in found if (way := fit.as_keys()) is not None]
    if len(ways) == len(found):
        keys = Condition(
            " UNION ".join(way.text for way in ways),
            tuple(value for way in ways for value in way.parameters),
        )
    return Found(form, None, keys, condition)


def none_of(fit: Fit) -> Fit:
    """What does not fit; what is unknown (NULL) does not."""
    if isinstance(fit, bool):
        return not fit
    text, parameters = fit.as_condition()
    return Found(fit.form, condition=Condition(f"NOT coalesce(({text}), 0)", parameters))


def can_be_told(value: str) -> bool:
    """Whether anything in the index may have it, and SQLite can be told of it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _matches(word: str, matches: Sequence[str]) -> str | None:
    if len(matches) <= 1:
        return matches[0] if matches else None
    return f" {word} ".join(f"({match})" for match in matches)


def _joined(word: str, conditions: Sequence[Condition]) -> Condition:
    return Condition(
        word.join(f"({condition.text})" for condition in conditions),
        tuple(value for condition in conditions for value in condition.parameters),
    )
