"""The argument SortCriteria (CDS:1 §2.5.8)::

    sortCriteria = "" | sortKey *( "," sortKey )
    sortKey      = ( "+" | "-" ) property

The modifiers ``TIME+`` and ``TIME-`` of version 2 are not offered, so not understood either.
"""

import re

from mediaserver.av.errors import UnsupportedSortCriteria
from mediaserver.library.criteria import SortKey

MAX_LENGTH = 256
"""Characters (security.md 2)."""

_BLANKS = " \t\r\n"
_KEY = re.compile(r"(?P<sign>[+-])(?P<property>[@A-Za-z][A-Za-z0-9:_@.#-]*)", re.ASCII)
_IGNORED = "microsoft:sourceURL"
"""The Xbox 360 appends it to every order; there is nothing to sort by."""


def parse(text: str) -> tuple[SortKey, ...]:
    """Read sort criteria; without any, the order is the library's.

    Blanks around the commas do no harm; a property named again adds nothing. Raises
    UnsupportedSortCriteria for anything else that is not of the grammar.
    """
    if len(text) > MAX_LENGTH:
        raise UnsupportedSortCriteria(f"{len(text)} characters")
    text = text.strip(_BLANKS)
    if not text:
        return ()
    keys: dict[str, SortKey] = {}
    for part in text.split(","):
        match = _KEY.fullmatch(part.strip(_BLANKS))
        if match is None:
            raise UnsupportedSortCriteria(f"not a sort key: {part!r}")
        name = match["property"]
        if name != _IGNORED:
            keys.setdefault(name, SortKey(name, match["sign"] == "+"))
    return tuple(keys.values())
