"""Text made comparable: for searching, for ordering, and for telling whether two are the same.

All three are pure functions of the text, of no language in particular.
"""

import re
import unicodedata
from functools import lru_cache

CACHED = 4096
"""Texts whose forms are remembered: artists, albums and genres come again and again."""

# Combining marks of Latin, Greek, Cyrillic, Hebrew and Arabic; those of Indic and East Asian
# scripts make other letters, not accents.
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u0655\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# Letters that Unicode does not take apart, and marks people cannot type.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "‘": "'",
        "’": "'",
        "ʼ": "'",
        "`": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "−": "-",
    }
)
_DIGITS = re.compile("0*([0-9]+)")
_SIGNS = re.compile(r"[\W_]+")
"""What is neither a letter nor a digit."""
_ARTICLES = re.compile(
    r"\A(?:(?:the|a|an|der|die|das|le|la|les|el|los|las|il|gli|het) |l')(?=.)",
)
LENGTH = 120
"""Characters of a sort key; what differs later is ordered by its id."""
LAST = "\U0010ffff"
"""A sort key behind every other."""


@lru_cache(CACHED)
def fold(text: str) -> str:
    """The form for searching: without case, accents and typographic variants of signs.

    Runs of white space are one space. Folding twice changes nothing.
    """
    if text.isascii():
        return " ".join(text.lower().replace("`", "'").split())
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    text = text.casefold().translate(_LETTERS)
    return " ".join(unicodedata.normalize("NFC", text).split())


def fold_lines(text: str | None) -> str | None:
    """Each line of a text folded."""
    return None if text is None else "\n".join(map(fold, text.split("\n")))


@lru_cache(CACHED)
def same(text: str) -> str:
    """The form that two spellings of one name have in common.

    Letter case, compositions and white space do not matter; accents do: Zoe is not Zoë.
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@lru_cache(CACHED)
def sort_key(text: str) -> str:
    """The form for ordering, compared bytewise.

    Without case, accents, signs and a leading article; numbers by their value ("Track 2" before
    "Track 10"). Of texts that are equal but for those, the order is left to the caller.
    """
    folded = fold(text)
    bare = _SIGNS.sub(" ", _ARTICLES.sub("", folded).replace("'", "")).strip()
    return _DIGITS.sub(_number, bare or folded)[:LENGTH]


def number_key(number: int | None) -> str:
    """A number as part of a sort key; none at all comes last."""
    return ":" if number is None else _number_text(str(max(number, 0)))


def _number(match: re.Match[str]) -> str:
    return _number_text(match[1])


def _number_text(digits: str) -> str:
    # The number of digits in front makes longer numbers larger.
    length = len(digits)
    return f"{length}{digits}" if length < 9 else f"9{length:04d}{digits}"
