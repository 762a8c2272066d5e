"""The type and size of a picture, from its first bytes.

Four formats in a few lines, so that reading the tags of a song does not need Pillow.
"""

import hashlib
import struct

from mediaserver.library.objects import EmbeddedArt

MAX_ART_BYTES = 64 << 20
"""security.md 2: a larger picture is no art."""

# Start of frame, all coding processes (ISO/IEC 10918-1 Table B.1): C0 to CF without DHT, JPG, DAC.
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


def measure(data: bytes) -> tuple[str, int, int] | None:
    """MIME type, width and height in pixels; None if this is no JPEG, PNG, GIF or WebP."""
    size: tuple[int, int] | None = None
    mime_type = ""
    if data[:3] == b"\xff\xd8\xff":
        mime_type, size = "image/jpeg", _jpeg(data)
    elif data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR" and len(data) >= 24:
        mime_type, size = "image/png", struct.unpack_from(">II", data, 16)
    elif data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        mime_type, size = "image/gif", struct.unpack_from("<HH", data, 6)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        mime_type, size = "image/webp", _webp(data)
    if size is None or not size[0] or not size[1]:
        return None
    return mime_type, size[0], size[1]


def art_of(data: bytes) -> EmbeddedArt | None:
    """A picture as art; None if it is none that we could show."""
    if len(data) > MAX_ART_BYTES:
        return None
    measured = measure(data)
    if measured is None:
        return None
    return EmbeddedArt(*measured, hashlib.blake2b(data, digest_size=16).digest())


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        elif marker in _JPEG_BARE:
            at += 2
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return (
            int.from_bytes(data[24:27], "little") + 1,
            int.from_bytes(data[27:30], "little") + 1,
        )
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
