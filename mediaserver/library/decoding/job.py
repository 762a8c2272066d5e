"""What a decoder is told on its command line. A leaf: both sides know it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

STALL_SECONDS = 30.0
"""Without any sample, however slow the disk, a decoder hangs."""
SLACK_SECONDS = 1.0
"""So much of a part may be missing at the end of its file, and is silence then: how long a file is
may have been estimated. Of what misses more the end has been cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeJob:
    """Which samples, and how they are wanted. Positions are samples from the file's beginning, at
    ``rate``."""

    rate: int
    channels: int
    bits: int
    """16 or 24."""
    big_endian: int
    """0 or 1."""
    origin: int
    """Where the part begins that is asked for. What a codec makes of sound may depend on all that
    went before: then every decoder begins there, so that a sample is the same for everybody."""
    first: int
    stop: int
    """Not included."""

    def arguments(self) -> list[str]:
        return [str(value) for value in dataclasses.astuple(self)]

    @classmethod
    def read(cls, arguments: Sequence[str]) -> Self:
        """What :meth:`arguments` has made. Raises ValueError."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(**dict(zip(names, map(int, arguments), strict=True)))
