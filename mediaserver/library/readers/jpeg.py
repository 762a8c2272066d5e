"""The frame header of a JPEG somewhere in a file (ISO/IEC 10918-1 §B.2.2)."""

from dataclasses import dataclass

from mediaserver.library.readers.contents import Contents
from mediaserver.library.readers.picture_header import JPEG_FRAMES

MAX_SEGMENTS = 200
"""Before the frame; more are no picture's."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Which coding process, bits a sample, size in pixels, sampling factors of the components."""

    marker: int
    bits: int
    width: int
    height: int
    factors: list[tuple[int, int]]


def frame_at(contents: Contents, start: int = 0) -> Frame | None:
    """The first frame of the JPEG that begins at ``start``; None if there is none."""
    if contents.at(start, 2) != b"\xff\xd8":
        return None
    at = start + 2
    for _ in range(MAX_SEGMENTS):
        part = contents.head[at : at + 32]
        if len(part) < 32:
            part = contents.at(at, 32)
        if len(part) < 10 or part[0] != 0xFF:
            return None
        if part[1] in JPEG_FRAMES:
            return Frame(
                marker=part[1],
                bits=part[4],
                width=int.from_bytes(part[7:9], "big"),
                height=int.from_bytes(part[5:7], "big"),
                factors=[
                    (part[11 + 3 * n] >> 4, part[11 + 3 * n] & 15)
                    for n in range(min(part[9], 4))
                    if 11 + 3 * n < len(part)
                ],
            )
        at += 1 if part[1] == 0xFF else 2 + max(2, int.from_bytes(part[2:4], "big"))
    return None
