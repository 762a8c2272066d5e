"""What tags of every family mean: numbers, dates, flags, text in a wrong character set."""

import codecs
import datetime
import re
from collections.abc import Iterable, Sequence

from mediaserver.library.readers import charsets

_NUMBER = re.compile(r"\s*([0-9]{1,9})(?![0-9])")
_DATE = re.compile(
    r"(?P<year>[0-9]{4})"
    r"(?:[-/.:]?(?P<month>[0-9]{2})(?:[-/.:]?(?P<day>[0-9]{2})"
    r"(?:[T ]\s*(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?)?)?)?"
    r"(?![0-9])",
)
_DAY_FIRST = re.compile(r"(?P<day>[0-9]{1,2})[-/.](?P<month>[0-9]{1,2})[-/.](?P<year>[0-9]{4})\b")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_YEAR = re.compile(r"(?<![0-9])([12][0-9]{3})(?![0-9])")


def number(text: str | int | None) -> int | None:
    """A track or disc: ``1``, ``01``, ``1/02`` and ``1 of 12`` are 1; 0 and ``A1`` are nothing."""
    if text is None:
        return None
    if isinstance(text, int):
        return text if 0 < text < 1_000_000_000 else None
    match = _NUMBER.match(text)
    return (int(match[1]) or None) if match else None


def date(text: str | None) -> str | None:
    """A date as precise as it says, ISO 8601: ``2004``, ``2004-05``, ``2004-05-06``, with time.

    Time zones are dropped: the day is the day where it happened. None for what is no date.
    """
    if not text:
        return None
    text = text.strip()
    match = _DATE.match(text)
    if match is None:
        other = _DAY_FIRST.match(text)
        if other is not None and _valid(other["year"], other["month"], other["day"]):
            return f"{other['year']}-{int(other['month']):02d}-{int(other['day']):02d}"
        year = _YEAR.search(text)
        return year[1] if year else None
    year_text, month, day = match["year"], match["month"], match["day"]
    if year_text == "0000":
        return None
    if month is None or not _valid(year_text, month, "01"):
        return year_text
    if day is None or not _valid(year_text, month, day):
        return f"{year_text}-{month}"
    found = f"{year_text}-{month}-{day}"
    if match["hour"] is None:
        return found
    hour, minute, second = match["hour"], match["minute"], match["second"] or "00"
    if hour < "24" and minute < "60" and second < "60":
        return f"{found}T{hour}:{minute}:{second}"
    return found


def _valid(year: str, month: str, day: str) -> bool:
    try:
        datetime.date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def flag(text: object) -> bool:
    """A yes in a tag: ``1``, ``true``, ``yes``."""
    return str(text).strip().lower() in ("1", "true", "yes", "y")


def release_id(text: str | None) -> str | None:
    """MusicBrainz's id of a release, a UUID."""
    text = (text or "").strip().lower()
    return text if _UUID.fullmatch(text) else None


def charset_of(texts: Iterable[str]) -> str | None:
    """What texts of one tag that were read as Latin-1 are written in; None for what
    :func:`decoded` finds without help."""
    return charset_of_bytes(
        text.encode("latin-1", "replace") for text in texts if not text.isascii()
    )


def charset_of_bytes(texts: Iterable[bytes]) -> str | None:
    """The same for bytes of no declared character set."""
    foreign = [text for text in texts if not text.isascii() and _utf_8(text) is None]
    return charsets.guess(foreign) if foreign else None


def repaired(text: str, charset: str | None = None) -> str:
    """Text read as Latin-1 that is something else: UTF-8, Windows' own (quotes, dashes, €), or
    the ``charset`` that was guessed for its tag.

    UTF-8 can be told from Latin-1 with near certainty; the C1 controls that Windows-1252 puts
    letters on occur in no text.
    """
    if text.isascii():
        return text
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        return text
    return decoded(data, charset)


def decoded(data: bytes, charset: str | None = None) -> str:
    """Bytes of no declared character set: UTF-8 if they can be, else what was guessed, else
    Windows-1252, Latin-1."""
    text = _utf_8(data)
    if text is not None:
        return text
    if charset is not None:
        return charsets.decoded(data, charset)
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _utf_8(data: bytes) -> str | None:
    """A last character that was cut off (ID3v1 holds 30 bytes) does not count against UTF-8
    where others before it are whole; ``Caf\\xe9`` alone is Latin-1."""
    try:
        text, used = codecs.utf_8_decode(data, "strict", False)
    except UnicodeDecodeError:
        return None
    return text if used == len(data) or not text.isascii() else None


def first(values: Sequence[str] | None) -> str | None:
    """The first of several values; the others of a title or an album have no place."""
    for value in values or ():
        if value and not value.isspace():
            return value
    return None
