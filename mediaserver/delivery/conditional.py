"""Conditional requests: what preconditions make of a GET or HEAD (RFC 9110 §13).

A file's entity tag is strong: it is made of inode, size and time of the last change in nanoseconds.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from enum import Enum, auto
from functools import lru_cache

MAX_HEADER = 4096
"""Characters of a precondition that are looked at; a longer one is as if absent."""


class Outcome(Enum):
    PROCEED = auto()
    NOT_MODIFIED = auto()
    """304."""
    FAILED = auto()
    """412."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one state of a representation from another (RFC 9110 §8.8)."""

    etag: str
    """With its quotes; always strong."""
    modified: int | None
    """Seconds since 1970; None: not told."""

    @property
    def last_modified(self) -> str | None:
        """As an HTTP date."""
        return None if self.modified is None else _http_date(self.modified)


@lru_cache(maxsize=256)
def _http_date(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


def validators(
    inode: int, size: int, mtime_ns: int, *, variant: str = "", now: float | None = None
) -> Validators:
    """Of a file. A time in the future is not told (RFC 9110 §8.8.2.1), nor is one without a date.

    ``variant`` tells what is made of the file from the file and from other things made of it, in
    letters, digits and ``-``. ``now`` is seconds since 1970.
    """
    modified: int | None = mtime_ns // 1_000_000_000
    latest = time.time() if now is None else now
    if not 0 <= mtime_ns // 1_000_000_000 <= latest:
        modified = None
    tag = f"{inode:x}-{size:x}-{mtime_ns:x}" + (f"-{variant}" if variant else "")
    return Validators(f'"{tag}"', modified)


def evaluate(headers: Mapping[str, str], current: Validators) -> Outcome:
    """Preconditions in their order of precedence (RFC 9110 §13.2.2); names in lower case."""
    if_match = _short(headers.get("if-match"))
    unmodified = _date(headers.get("if-unmodified-since"))
    if if_match is not None:
        if not _names(if_match, current.etag, weakly=False):
            return Outcome.FAILED
    elif unmodified is not None and current.modified is not None and current.modified > unmodified:
        return Outcome.FAILED
    if_none_match = _short(headers.get("if-none-match"))
    modified = _date(headers.get("if-modified-since"))
    if if_none_match is not None:
        if _names(if_none_match, current.etag, weakly=True):
            return Outcome.NOT_MODIFIED
    elif modified is not None and current.modified is not None and current.modified <= modified:
        return Outcome.NOT_MODIFIED
    return Outcome.PROCEED


def range_holds(if_range: str | None, current: Validators) -> bool:
    """Whether Range is still to be honoured (RFC 9110 §13.1.5): same tag, or the very same date."""
    if if_range is None:
        return True
    value = if_range.strip()
    if value.startswith(('"', "W/")):
        return value == current.etag
    return current.modified is not None and _date(value) == current.modified


def _short(value: str | None) -> str | None:
    return value if value is not None and len(value) <= MAX_HEADER else None


def _names(header: str, etag: str, *, weakly: bool) -> bool:
    """Whether a list of entity tags, or ``*``, names ours. Tags of ours hold no commas."""
    tags = [tag.strip() for tag in header.split(",")]
    if tags == ["*"]:
        return True
    return etag in tags or (weakly and f"W/{etag}" in tags)


def _date(value: str | None) -> int | None:
    """Seconds since 1970; None for what is no HTTP date (to be ignored)."""
    if value is None or len(value) > 64:
        return None
    try:
        date = parsedate_to_datetime(value)
        return int(date.timestamp()) if date.tzinfo is not None else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
