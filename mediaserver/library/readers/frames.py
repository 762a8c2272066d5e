"""Streams of frames that carry no duration: MPEG audio without a Xing header, ADTS, AMR.

What matters is counted from the frames' own headers; a large file is sampled.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mediaserver.library.readers.contents import Contents

CHUNK = 1 << 20
WALK_BYTES = 64 << 20
"""So much is walked; the rest of a larger file is taken to be like it."""

_BITRATES = {
    # kbit/s by (MPEG-1, layer), ISO/IEC 11172-3 §2.4.2.3 and 13818-3 §2.4.2.3
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44100, 48000, 32000)


def _mpeg_table() -> dict[int, tuple[int, int]]:
    """Second and third header byte (protection and private bit as they come) to
    (bytes, samples)."""
    table = {}
    for second in range(0xE0, 0x100):
        version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
        if version == 1 or layer == 4:
            continue
        first_version = version == 3
        for third in range(256):
            index, rate_index = third >> 4, third >> 2 & 3
            if index in (0, 15) or rate_index == 3:
                continue
            rate = _RATES[rate_index] >> (0 if first_version else 1 if version == 2 else 2)
            bits = _BITRATES[first_version, layer][index - 1] * 1000
            padding = third >> 1 & 1
            if layer == 1:
                length, samples = (12 * bits // rate + padding) * 4, 384
            else:
                samples = 1152 if layer == 2 or first_version else 576
                length = samples // 8 * bits // rate + padding
            table[second << 8 | third] = (length, samples)
    return table


_MPEG = _mpeg_table()


@dataclass(frozen=True, slots=True)
class Counted:
    """Frames of a stretch of a file."""

    frames: int
    samples: int
    frame_bytes: int
    walked: int
    """Bytes of the stretch that were looked at."""

    def scaled(self, size: int) -> float:
        """Samples of the whole stretch of so many bytes."""
        return self.samples * (size / self.walked) if 0 < self.walked < size else self.samples


def mpeg_bitrate_varies(contents: Contents, start: int) -> bool:
    """Whether MPEG audio frames at a dozen places differ in bit rate."""
    rates = set()
    span = contents.size - start
    for step in range(12):
        data = contents.at(start + span * step // 12, 4096)
        at = data.find(b"\xff")
        while 0 <= at < len(data) - 4:
            entry = _MPEG.get(data[at + 1] << 8 | data[at + 2])
            if entry is not None and data[at + entry[0] : at + entry[0] + 1] == b"\xff":
                rates.add((data[at + 1], data[at + 2] & 0xFC))
                at += entry[0]
            else:
                at = data.find(b"\xff", at + 1)
    # The lowest bits of the third byte (padding, private) change in a constant rate too.
    return len(rates) > 1


def count_mpeg(contents: Contents, start: int) -> Counted:
    """MPEG audio frames from ``start`` on."""

    def measure(data: bytes, at: int) -> tuple[int, int]:
        if data[at] != 0xFF:
            return 0, 0
        return _MPEG.get(data[at + 1] << 8 | data[at + 2], (0, 0))

    return _count(contents, start, measure, b"\xff")


def count_adts(contents: Contents, start: int) -> Counted:
    """ADTS frames (ISO/IEC 14496-3 §1.A.2.2)."""

    def measure(data: bytes, at: int) -> tuple[int, int]:
        if data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
            return 0, 0
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        return (length, 1024 * ((data[at + 6] & 3) + 1)) if length >= 7 else (0, 0)

    return _count(contents, start, measure, b"\xff")


_AMR_NB = (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1)
_AMR_WB = (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1)


def count_amr(contents: Contents, start: int, *, wide: bool) -> Counted:
    """AMR frames of 20 ms: 160 samples, of wide band 320 (RFC 4867 §5)."""
    sizes, samples = (_AMR_WB, 320) if wide else (_AMR_NB, 160)

    def measure(data: bytes, at: int) -> tuple[int, int]:
        return sizes[data[at] >> 3 & 15], samples

    return _count(contents, start, measure, None)


def _count(
    contents: Contents,
    start: int,
    measure: Callable[[bytes, int], tuple[int, int]],
    sync: bytes | None,
) -> Counted:
    """Walk from frame to frame; ``measure`` gives (bytes, samples), 0 bytes for no frame."""
    frames = samples = frame_bytes = 0
    stop = min(contents.size, start + WALK_BYTES)
    position = start
    while position < stop:
        data = contents.at(position, CHUNK)
        if len(data) < 8:
            break
        # A header must be whole: the last bytes come again with the next piece.
        last = len(data) - 8
        at = 0
        while at <= last:
            length, count = measure(data, at)
            if length:
                frames += 1
                samples += count
                frame_bytes += length
                at += length
            elif sync is None:
                return Counted(frames, samples, frame_bytes, position + at - start)
            else:
                at = data.find(sync, at + 1)
                if at < 0:
                    at = last + 1
        position += at
    return Counted(frames, samples, frame_bytes, min(position, contents.size) - start)
