"""RAW photos as cameras write them, as far as anybody looks: directories and a JPEG in them.

The sensor's data is left out or is some bytes. Places follow the descriptions of TIFF 6.0,
EXIF 2.3, TIFF/EP, ISO/IEC 14496-12, and of the formats as ExifTool documents their tags.
"""

import struct
from collections.abc import Mapping, Sequence

Value = bytes | str | int | Sequence[int]
"""Bytes are of type undefined, text is ASCII, numbers are LONG."""


class Tiff:
    """A TIFF structure that grows: blocks of bytes, directories that name their places."""

    def __init__(self, order: str = "<", magic: bytes | None = None) -> None:
        self.order = order
        own = b"II*\0" if order == "<" else b"MM\0*"
        self.data = bytearray((magic or own) + bytes(4))
        if magic is not None and len(magic) > 4:
            self.data = bytearray(magic)

    def block(self, data: bytes) -> int:
        """Append bytes; their place."""
        place = len(self.data)
        self.data += data + b"\0" * (len(data) & 1)
        return place

    def directory(self, entries: Mapping[int, Value], following: int = 0) -> int:
        """Append a directory; its place."""
        table = b""
        for tag, value in sorted(entries.items()):
            kind, count, packed = self._packed(value)
            if len(packed) > 4:
                packed = struct.pack(f"{self.order}I", self.block(packed))
            table += struct.pack(f"{self.order}HHI", tag, kind, count) + packed.ljust(4, b"\0")
        head = struct.pack(f"{self.order}H", len(entries))
        return self.block(head + table + struct.pack(f"{self.order}I", following))

    def finished(self, first: int) -> bytes:
        """The whole, beginning with the directory at ``first``."""
        struct.pack_into(f"{self.order}I", self.data, 4, first)
        return bytes(self.data)

    def _packed(self, value: Value) -> tuple[int, int, bytes]:
        if isinstance(value, bytes):
            return 7, len(value), value
        if isinstance(value, str):
            text = value.encode() + b"\0"
            return 2, len(text), text
        numbers = (value,) if isinstance(value, int) else value
        return 4, len(numbers), struct.pack(f"{self.order}{len(numbers)}I", *numbers)


def camera(
    make: str = "Canon", model: str = "Canon EOS R5", orientation: int = 6
) -> dict[int, Value]:
    """The entries of a first directory."""
    return {0x010F: make, 0x0110: model, 0x0112: orientation, 0x0132: "2021:01:01 00:00:00"}


def _exif(tiff: Tiff, more: Mapping[int, Value] | None = None) -> int:
    return tiff.directory({0x9003: "2019:07:05 14:30:59", **(more or {})})


def cr2(preview: bytes, thumbnail: bytes) -> bytes:
    """The preview in the only strip of the first directory, the sensor's data in a later one."""
    tiff = Tiff(magic=b"II*\0\x10\0\0\0CR\x02\0\0\0\0\0")
    # Lossless JPEG: also compression 6.
    sensor = tiff.block(b"\xff\xd8\xff\xc3\x00\x0b\x0e\x17\x70\x23\x28\x01\x00\x11\x00" + bytes(50))
    third = tiff.directory({0x0103: 6, 0x0111: sensor, 0x0117: 64})
    second = tiff.directory({0x0201: tiff.block(thumbnail), 0x0202: len(thumbnail)}, third)
    strip = {0x0103: 6, 0x0111: tiff.block(preview), 0x0117: len(preview)}
    return tiff.finished(tiff.directory({**camera(), **strip, 0x8769: _exif(tiff)}, second))


def nef(preview: bytes, thumbnail: bytes, order: str = ">") -> bytes:
    """Previews in sub-directories; big-endian, as Nikon writes."""
    tiff = Tiff(order)
    large = tiff.directory({0x0201: tiff.block(preview), 0x0202: len(preview)})
    small = tiff.directory({0x0201: tiff.block(thumbnail), 0x0202: len(thumbnail)})
    sensor = tiff.directory({0x0103: 34713, 0x0111: tiff.block(bytes(64)), 0x0117: 64})
    below: dict[int, Value] = {0x014A: (small, sensor, large), 0x8769: _exif(tiff)}
    return tiff.finished(tiff.directory({**camera("NIKON CORPORATION", "NIKON D750"), **below}))


def arw(preview: bytes, thumbnail: bytes) -> bytes:
    """The preview beside the camera's name, the thumbnail in the next directory (also PEF)."""
    tiff = Tiff()
    second = tiff.directory({0x0201: tiff.block(thumbnail), 0x0202: len(thumbnail)})
    jpeg = {0x0201: tiff.block(preview), 0x0202: len(preview), 0x8769: _exif(tiff)}
    return tiff.finished(tiff.directory({**camera("SONY", "ILCE-7M3"), **jpeg}, second))


def dng(preview: bytes, thumbnail: bytes) -> bytes:
    """JPEGs as compression 7 in one strip each."""
    tiff = Tiff()
    below = [
        tiff.directory({0x00FE: 1, 0x0103: 7, 0x0111: tiff.block(data), 0x0117: len(data)})
        for data in (thumbnail, preview)
    ]
    parts: dict[int, Value] = {0x014A: below, 0x8769: _exif(tiff), 0xC612: b"\1\4\0\0"}
    return tiff.finished(tiff.directory({**camera("Apple", "iPhone 12 Pro"), **parts}))


def rw2(preview: bytes, thumbnail: bytes) -> bytes:
    """The whole JPEG is the value of one tag."""
    tiff = Tiff(magic=b"IIU\0" + bytes(20))
    parts: dict[int, Value] = {0x002E: preview, 0x8769: _exif(tiff)}
    return tiff.finished(tiff.directory({**camera("Panasonic", "DMC-GH4"), **parts}))


def orf(preview: bytes, thumbnail: bytes, note_head: bytes = b"OLYMPUS\0II\3\0") -> bytes:
    """The preview is found through the maker note, whose places count from its beginning."""
    note = Tiff()
    note.data = bytearray(note_head)
    # Kept free for the directory that must come first: one entry.
    note.data += struct.pack("<HHHIII", 1, 0x2020, 13, 1, 0, 0)
    settings = note.directory({0x0101: note.block(preview), 0x0102: len(preview)})
    struct.pack_into("<I", note.data, len(note_head) + 10, settings)
    tiff = Tiff(magic=b"IIRO")
    exif = _exif(tiff, {0x927C: bytes(note.data)})
    return tiff.finished(tiff.directory({**camera("OLYMPUS", "E-M10MarkII"), 0x8769: exif}))


def raf(preview: bytes, thumbnail: bytes) -> bytes:
    """A head, and a JPEG with the photo's EXIF block."""
    head = b"FUJIFILMCCD-RAW 0201FF383501" + b"X-T30".ljust(32, b"\0") + b"0100" + bytes(20)
    assert len(head) == 84
    tiff = Tiff()
    second = tiff.directory({0x0201: tiff.block(thumbnail), 0x0202: len(thumbnail)})
    first = tiff.directory({**camera("FUJIFILM", "X-T30"), 0x8769: _exif(tiff)}, second)
    block = b"Exif\0\0" + tiff.finished(first)
    jpeg = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(block) + 2) + block + preview[2:]
    return head + struct.pack(">II", 148, len(jpeg)) + bytes(56) + jpeg + bytes(64)


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, name) + body


def cr3(preview: bytes, thumbnail: bytes) -> bytes:
    """The full-size JPEG is the sample of the first track, a smaller one stands in a box."""
    first = Tiff()
    exif = Tiff()
    blocks = box(
        b"uuid",
        bytes.fromhex("85c0b687820f11e08111f4ce462b6a48"),
        box(b"CMT1", first.finished(first.directory(camera()))),
        box(b"CMT2", exif.finished(_exif(exif))),
    )
    ftyp = box(b"ftyp", b"crx ", bytes(4), b"crx isom")

    def moov(place: int) -> bytes:
        def track(size: int, at: int) -> bytes:
            sizes = box(b"stsz", struct.pack(">III", 0, size, 1))
            offsets = box(b"co64", struct.pack(">IIQ", 0, 1, at))
            table = box(b"stbl", box(b"stsd", bytes(8)), sizes, offsets)
            return box(b"trak", box(b"tkhd", bytes(84)), box(b"mdia", box(b"minf", table)))

        return box(b"moov", blocks, track(len(preview), place), track(64, place + len(preview)))

    small = struct.pack(">IHHHHI", 0, 1, 160, 120, 1, len(thumbnail)) + thumbnail
    shown = box(
        b"uuid",
        bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16"),
        bytes(8),
        box(b"PRVW", small),
    )
    place = len(ftyp) + len(moov(0)) + len(shown) + 8
    return ftyp + moov(place) + shown + box(b"mdat", preview, b"\1" * 64)
