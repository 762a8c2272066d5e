"""Files as bytes: opened safely, their fingerprint, and what format they are by their contents."""

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import IO

from mediaserver.library.errors import UnreadableMedia

SAMPLE = 16 << 10
"""Bytes read from each end."""

PACKET_188 = "mpegts"
PACKET_192 = "m2ts"


MAX_READS = 500_000
"""Of one file by a reader of others: what is read so often has been read before. An Ogg file with
100 MB of pictures takes a tenth."""


class BoundedFile:
    """A file for readers of others, which make room for as many bytes as a header claims before
    they read them, and follow a length that leads back for ever: it is asked for no more than
    there are, and only so often. Raises UnreadableMedia."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.seek = file.seek
        self.tell = file.tell
        self._read = file.read
        self._size = size
        self._left = MAX_READS

    def read(self, size: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise UnreadableMedia("its lengths lead in a circle")
        if size > SAMPLE:
            size = max(0, min(size, self._size - self.tell()))
        return self._read(size)


@dataclass(frozen=True, slots=True)
class Contents:
    """An open regular file with its first and last bytes."""

    path: bytes
    file: IO[bytes]
    size: int
    head: bytes
    tail: bytes

    def at(self, offset: int, size: int) -> bytes:
        """Bytes from anywhere, the file's position untouched."""
        if size > SAMPLE:
            # Room is made for as many as are asked for.
            size = max(0, min(size, self.size - offset))
        return os.pread(self.file.fileno(), size, offset)

    def bounded(self) -> BoundedFile:
        """The file, from its beginning."""
        self.file.seek(0)
        return BoundedFile(self.file, self.size)

    def fingerprint(self) -> bytes:
        """16 bytes over size, head and tail: what a file keeps when it is renamed or moved."""
        digest = hashlib.blake2b(self.size.to_bytes(8, "big"), digest_size=16)
        digest.update(self.head)
        digest.update(self.tail)
        return digest.digest()


def open_contents(path: bytes, *, exact: bool = False) -> Contents:
    """Open for reading; the caller closes ``.file``. Raises OSError, UnreadableMedia.

    Without waiting for the other end of a FIFO (security.md M5). ``exact``: only if nothing on
    the way is a link, which a path that was looked at before may have become (T2).
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableMedia("not a regular file")
        if exact and os.readlink(b"/proc/self/fd/%d" % descriptor) != path:  # noqa: PTH115
            raise UnreadableMedia("it is somewhere else by now")
        file = open(descriptor, "rb")  # noqa: PTH123, SIM115 - a descriptor; the caller closes
    except BaseException:
        os.close(descriptor)
        raise
    try:
        head = os.pread(descriptor, SAMPLE, 0)
        tail = os.pread(descriptor, SAMPLE, max(status.st_size - SAMPLE, 0))
    except BaseException:
        file.close()
        raise
    return Contents(path, file, status.st_size, head, tail)


RAW = "raw"
"""A RAW photo of a format with a magic number of its own; others are TIFF by their contents."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"\x1aE\xdf\xa3", "matroska"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"MAC ", "ape"),
    (b"wvpk", "wv"),
    (b"MPCK", "mpc"),
    (b"MP+", "mpc"),
    (b"DSD ", "dsf"),
    (b"FRM8", "dff"),
    (b"TTA", "tta"),
    (b"#!AMR", "amr"),
    (b"FLV\x01", "flv"),
    (b"\x00\x00\x01\xba", "mpegps"),
    (b"\x00\x00\x01\xb3", "mpegvideo"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"IIU\x00", RAW),
    (b"IIRO", RAW),
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"BM", "bmp"),
    (b"\x7f\xfe\x80\x01", "dts"),
    (b"\x0b\x77", "ac3"),
)

_BRANDS = {
    b"heic": "heif",
    b"heix": "heif",
    b"heim": "heif",
    b"heis": "heif",
    b"hevc": "heif",
    b"mif1": "heif",
    b"msf1": "heif",
    b"avif": "avif",
    b"avis": "avif",
    b"crx ": RAW,
}

_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot")


def format_of(head: bytes) -> str | None:
    """The format that the first bytes prove; None where they prove none."""
    if head[:4] == b"II*\x00" and head[8:10] == b"CR":  # Canon's CR2
        return RAW
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    kind = head[8:12]
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return {b"WAVE": "wav", b"AVI ": "avi", b"WEBP": "webp"}.get(kind)
    if head[:4] == b"FORM" and kind in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] in _MP4_BOXES:
        # A brand of mif1 alone may be either; the compatible ones tell.
        if head[4:8] != b"ftyp":
            return "mp4"
        if kind in (b"mif1", b"msf1") and b"avif" in head[16:64]:
            return "avif"
        return _BRANDS.get(kind, "mp4")
    if _repeats(head, 0, 188):
        return PACKET_188
    if _repeats(head, 4, 192):
        return PACKET_192
    if len(head) > 3 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        if head[1] & 0xF6 == 0xF0:
            return "adts"
        if head[1] & 0x18 != 0x08 and head[1] & 0x06 and head[2] & 0xF0 != 0xF0:
            return "mp3"
    if len(head) > 3 and head[0] == 0x56 and head[1] & 0xE0 == 0xE0:
        length = (head[1] & 0x1F) << 8 | head[2]
        if head[length + 3 : length + 4] == b"\x56":
            return "latm"
    return None


def _repeats(head: bytes, start: int, step: int) -> bool:
    """Transport stream sync bytes, four packets in a row."""
    sample = head[start : start + 3 * step + 1 : step]
    return sample == b"GGGG"


def id3_size(head: bytes) -> int:
    """Length of the ID3v2 tag in front of everything else; 0 without one (ID3v2.4 §3.1)."""
    if len(head) < 10 or head[:3] != b"ID3" or head[3] == 0xFF or max(head[6:10]) > 0x7F:
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)
