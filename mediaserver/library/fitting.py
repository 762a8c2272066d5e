"""What fits search criteria, put together of parts: known already, found by full text, or both."""

from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.library.sources import TEXTS, Condition, Form


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a form that fit: those that full text finds, as far as a condition is true.

    So what full text cannot answer exactly is asked of what it finds only, not of all rows.
    """

    form: Form
    match: str | None = None
    """A query of FTS5. None: all rows."""
    condition: Condition | None = None
    """None: all that are found fit."""

    def as_condition(self) -> Condition:
        """The same as a condition alone."""
        parts: list[str] = []
        parameters: tuple[object, ...] = ()
        if self.match is not None:
            texts = TEXTS[self.form]
            parts.append(
                f"{self.form.value}.id IN (SELECT rowid FROM {texts} WHERE {texts} MATCH ?)"  # noqa: S608
            )
            parameters += (self.match,)
        if self.condition is not None:
            parts.append(f"({self.condition.text})")
            parameters += self.condition.parameters
        return Condition(" AND ".join(parts) or "1", parameters)


Fit = Found | bool
"""What fits; True and False: everything, nothing."""


def all_of(fits: Sequence[Fit]) -> Fit:
    if any(fit is False for fit in fits):
        return False
    found = [fit for fit in fits if isinstance(fit, Found)]
    if len(found) <= 1:
        return found[0] if found else True
    matches = [fit.match for fit in found if fit.match is not None]
    conditions = [fit.condition for fit in found if fit.condition is not None]
    return Found(
        found[0].form,
        _joined(" AND ", matches) if matches else None,
        _combined(" AND ", conditions) if conditions else None,
    )


def any_of(fits: Sequence[Fit]) -> Fit:
    if any(fit is True for fit in fits):
        return True
    found = [fit for fit in fits if isinstance(fit, Found)]
    if len(found) <= 1:
        return found[0] if found else False
    matches = [fit.match for fit in found if fit.match is not None]
    exact = len(matches) == len(found) and all(fit.condition is None for fit in found)
    return Found(
        found[0].form,
        _joined(" OR ", matches) if len(matches) == len(found) else None,
        None if exact else _combined(" OR ", [fit.as_condition() for fit in found]),
    )


def none_of(fit: Fit) -> Fit:
    """What does not fit; what is unknown (NULL) does not."""
    if isinstance(fit, bool):
        return not fit
    text, parameters = fit.as_condition()
    return Found(fit.form, None, Condition(f"NOT coalesce({text}, 0)", parameters))


def _joined(word: str, matches: Sequence[str]) -> str:
    return matches[0] if len(matches) == 1 else word.join(f"({match})" for match in matches)


def _combined(word: str, conditions: Sequence[Condition]) -> Condition:
    return Condition(
        word.join(f"({condition.text})" for condition in conditions),
        tuple(value for condition in conditions for value in condition.parameters),
    )
