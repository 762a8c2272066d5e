"""Data types of state variables: text of a message to Python values and back (UDA 1.1 §2.5).

========================================================  =========
UDA                                                       Python
========================================================  =========
ui1 ui2 ui4 ui8 i1 i2 i4 i8 int                           int
r4 r8 number float fixed.14.4                             float
boolean                                                   bool
bin.base64 bin.hex                                        bytes
char string uri uuid date dateTime[.tz] time[.tz]         str
========================================================  =========

Reading is strict. Python's own ``int()`` would also take ``+1``, ``1_0``, blanks and the digits
of other scripts.
"""

import binascii
import math
import re
from collections.abc import Callable

_INTEGERS: dict[str, tuple[int, int]] = {
    "ui1": (0, 2**8 - 1),
    "ui2": (0, 2**16 - 1),
    "ui4": (0, 2**32 - 1),
    "ui8": (0, 2**64 - 1),
    "i1": (-(2**7), 2**7 - 1),
    "i2": (-(2**15), 2**15 - 1),
    "i4": (-(2**31), 2**31 - 1),
    "i8": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
}
"""``int`` has no bounds in UDA; control points keep it in 32 bits."""
_FLOATS = frozenset(("r4", "r8", "number", "float", "fixed.14.4"))
_FIXED_LIMIT = 10**14
"""fixed.14.4 has at most 14 digits left of the point."""
_TRUE = frozenset(("1", "true", "yes"))
_FALSE = frozenset(("0", "false", "no"))

_UNSIGNED = re.compile(r"[0-9]{1,20}", re.ASCII)
_SIGNED = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[Ee][+-]?[0-9]{1,3})?")
_BLANKS = re.compile(rb"[ \t\r\n]+")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
_ZONE = r"(?:Z|[+-][0-9]{2}:[0-9]{2})?"
_TEXTS: dict[str, re.Pattern[str] | None] = {
    "string": None,
    "uri": None,
    "char": re.compile(r".", re.DOTALL),
    "uuid": re.compile(r"(?:uuid:)?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    "date": re.compile(_DATE),
    "dateTime": re.compile(rf"{_DATE}(?:T{_TIME})?"),
    "dateTime.tz": re.compile(rf"{_DATE}(?:T{_TIME}{_ZONE})?"),
    "time": re.compile(_TIME),
    "time.tz": re.compile(_TIME + _ZONE),
}

DATA_TYPES = frozenset((*_INTEGERS, *_FLOATS, *_TEXTS, "boolean", "bin.base64", "bin.hex"))


class Escaped(str):
    """Text that is already XML-escaped for use as element content: passed through as it is."""

    __slots__ = ()


class EscapedUTF8(bytes):
    """The same in UTF-8: for long results, which would cost more to encode than to send."""

    __slots__ = ()


def bounds(data_type: str) -> tuple[int, int] | None:
    """Smallest and largest value of an integer type, None for other types."""
    return _INTEGERS.get(data_type)


def reader(data_type: str) -> Callable[[str], object]:
    """The function that turns the text of an argument into a value.

    It raises ValueError for text that is not of the type. Raises KeyError for no such type.
    """
    if data_type in _INTEGERS:
        return _integer_reader(*_INTEGERS[data_type])
    if data_type in _FLOATS:
        return _read_float
    match data_type:
        case "boolean":
            return _read_boolean
        case "bin.base64":
            return _read_base64
        case "bin.hex":
            return _read_hex
    pattern = _TEXTS[data_type]
    return str if pattern is None else _text_reader(pattern)


def write(data_type: str, value: object) -> str:
    """The text of a value; an :class:`Escaped` stays one.

    Raises TypeError or ValueError for a value that is not of the type: a mistake of ours.
    """
    if data_type in _TEXTS:
        if not isinstance(value, str):
            raise TypeError(f"{data_type}: {type(value).__name__}")
        pattern = _TEXTS[data_type]
        if pattern is not None and pattern.fullmatch(value) is None:
            raise ValueError(f"{data_type}: {value!r}")
        return value if isinstance(value, Escaped) else str(value)
    if data_type in _INTEGERS:
        low, high = _INTEGERS[data_type]
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{data_type}: {type(value).__name__}")
        if not low <= value <= high:
            raise ValueError(f"{data_type}: {value}")
        return str(int(value))
    if data_type == "boolean":
        if not isinstance(value, bool):
            raise TypeError(f"{data_type}: {type(value).__name__}")
        return "1" if value else "0"
    if data_type in _FLOATS:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise TypeError(f"{data_type}: {type(value).__name__}")
        if not math.isfinite(value):
            raise ValueError(f"{data_type}: {value}")
        if data_type != "fixed.14.4":
            return repr(float(value))
        if abs(value) >= _FIXED_LIMIT:
            raise ValueError(f"{data_type}: {value}")
        return f"{value:.4f}"
    if not isinstance(value, bytes):
        raise TypeError(f"{data_type}: {type(value).__name__}")
    if data_type == "bin.base64":
        return binascii.b2a_base64(value, newline=False).decode("ascii")
    return value.hex()


def _integer_reader(low: int, high: int) -> Callable[[str], int]:
    pattern = _UNSIGNED if low == 0 else _SIGNED

    def read(text: str) -> int:
        if pattern.fullmatch(text) is None:
            raise ValueError("not a number")
        value = int(text)
        if not low <= value <= high:
            raise ValueError("number too large")
        return value

    return read


def _text_reader(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError("not of the data type")
        return text

    return read


def _read_float(text: str) -> float:
    if _FLOAT.fullmatch(text) is None:
        raise ValueError("not a number")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("number too large")
    return value


def _read_boolean(text: str) -> bool:
    """0 and 1 are sent, the four words are accepted (UDA 1.1 §2.5)."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("not a boolean")


def _read_base64(text: str) -> bytes:
    try:
        return binascii.a2b_base64(_BLANKS.sub(b"", text.encode("ascii")), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error


def _read_hex(text: str) -> bytes:
    try:
        return binascii.unhexlify(text.encode("ascii"))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not hexadecimal") from error
