"""How much the owner likes a track: what players write, in hundredths; a star is 20.

0 means "not rated" everywhere. There is no standard: each player counts in its own way, and which
one wrote a number is told by the name it stands under, and by how large it is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from mediaserver.library.readers.values import first

STAR = 20
PREFIX = "RATING:"
"""What Quod Libet names them: with an address behind."""
NAMES = frozenset({"RATING", "FMPS_RATING", "RATING WMP", "WM SHAREDUSERRATING"})

_NUMBER = re.compile(r"\s*([0-9]{1,6}(?:[.,][0-9]{1,12})?)\s*")

# What players write into POPM for 1/2, 1, 1 1/2 ... stars: Windows, Winamp, Picard and foobar2000
# write 1, 64, 128, 196, 255; MusicBee and MediaMonkey those between them as well.
_POPM = (
    (1, 20), (13, 10), (54, 30), (64, 40), (118, 50), (128, 60), (186, 70), (196, 80), (242, 90),
    (255, 100),
)  # fmt: skip
_LINEAR = ("quodlibet", "traktor", "banshee")
"""In the address of those that count evenly from 0 to 255."""
_SHARED = ((1, 20), (25, 40), (50, 60), (75, 80), (99, 100))
"""WM/SharedUserRating: what Windows writes for one to five stars."""


def popularimeter(data: bytes) -> int | None:
    """An ID3 frame POPM (ID3v2.4 §4.17): an address, one byte, a counter."""
    address, _, rest = data.partition(b"\0")
    if not rest or not rest[0]:
        return None
    who = address.decode("latin-1").lower()
    if any(name in who for name in _LINEAR):
        return max(1, round(rest[0] * 100 / 255))
    return _nearest(_POPM, rest[0])


def named(tags: Mapping[str, Sequence[str]]) -> int | None:
    """Tags by upper-case names: ``RATING``, ``RATING:me@here``, ``FMPS_RATING``, Windows' own."""
    found = (
        _fraction(_number(tags.get("FMPS_RATING"))),
        _any_scale(_number(tags.get("RATING"))),
        _shared(_number(tags.get("WM SHAREDUSERRATING"))),
        _byte(_number(tags.get("RATING WMP"))),
        _first_of(_fraction(_number(tags[name])) for name in tags if name.startswith(PREFIX)),
    )
    return _first_of(found)


def hundredths(texts: Sequence[str]) -> int | None:
    """The MP4 atom ``rate``: 20 for each star."""
    return _any_scale(_number(texts))


def _any_scale(number: float | None) -> int | None:
    """1 to 5 are stars (foobar2000, Mp3tag), up to 10 half stars, up to 100 hundredths (MusicBee,
    MediaMonkey); beyond it is what would stand in POPM."""
    if number is None or not 0 < number <= 255:
        return None
    if number > 100:
        return _byte(number)
    scale = STAR if number <= 5 else STAR // 2 if number <= 10 else 1
    return max(1, round(number * scale))


def _byte(number: float | None) -> int | None:
    return _nearest(_POPM, round(number)) if number is not None and 0 < number <= 255 else None


def _fraction(number: float | None) -> int | None:
    """0.0 to 1.0 (the specification of FMPS; Quod Libet)."""
    return max(1, round(number * 100)) if number is not None and 0 < number <= 1 else None


def _shared(number: float | None) -> int | None:
    return _nearest(_SHARED, round(number)) if number is not None and 0 < number <= 100 else None


def _nearest(scale: Iterable[tuple[int, int]], number: int) -> int:
    return min(scale, key=lambda pair: abs(pair[0] - number))[1]


def _number(texts: Sequence[str] | None) -> float | None:
    match = _NUMBER.fullmatch(first(texts) or "")
    return float(match[1].replace(",", ".")) if match else None


def _first_of(values: Iterable[int | None]) -> int | None:
    return next((value for value in values if value is not None), None)
