"""A file's name as a title, and text as it may be shown (security.md M1, M2)."""

import re

MAX_TEXT_BYTES = 1024
"""Of one value, in UTF-8."""

# XML 1.0 §2.2 allows none of these but the C1 controls, which nobody means either, and the byte
# order mark that programs leave in front of a text.
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")


def clean(text: str) -> str:
    """Valid Unicode without control characters, one line, stripped, at most 1 KB."""
    if not text.isprintable():
        text = _BREAKS.sub(" ", text)
        text = _FORBIDDEN.sub("", text)
        text = _SURROGATES.sub("\ufffd", text)
    text = text.strip()
    if len(text) * 4 > MAX_TEXT_BYTES:
        text = text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore").rstrip()
    return text


def title_of(path: bytes) -> str:
    """The file's name without its suffix, as a title of last resort; never empty."""
    name = path.rpartition(b"/")[2]
    stem, dot, _ = name.rpartition(b".")
    return (
        clean((stem if dot and stem else name).decode(errors="replace"))
        or clean(name.decode(errors="replace"))
        or "\ufffd"
    )
