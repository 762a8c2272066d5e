"""RAW photos: what a camera notes beside the sensor's data, and the JPEG it put in for looking.

Nothing is developed. Every camera writes at least one finished JPEG into its RAW files, often of
full size; the largest of them stands for the photo. Most formats are TIFF structures (CR2, NEF,
ARW, DNG, PEF, SRW; ORF and RW2 under a magic number of their own), CR3 is an ISO base media file,
RAF has a short head of its own. What points outside of the file, or in circles, is left aside.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.objects import Kind
from mediaserver.library.readers import tiff
from mediaserver.library.readers.boxes import boxes
from mediaserver.library.readers.contents import Contents
from mediaserver.library.readers.found import Found
from mediaserver.library.readers.image import camera_of, text_of
from mediaserver.library.readers.jpeg import frame_at
from mediaserver.library.readers.values import date

MAX_PREVIEW_BYTES = 64 << 20
MAX_PREVIEW_PIXELS = 64_000_000
"""A larger picture would not be unpacked (:mod:`mediaserver.library.pictures`)."""
MAX_CANDIDATES = 64

NO_PREVIEW = "a RAW photo without a preview that could be shown"

# Tags of TIFF 6.0, EXIF 2.3, and of Panasonic's RW2.
_COMPRESSION, _MAKE, _MODEL, _STRIPS, _ORIENTATION = 0x0103, 0x010F, 0x0110, 0x0111, 0x0112
_STRIP_BYTES, _DATE_TIME, _JPEG, _JPEG_BYTES = 0x0117, 0x0132, 0x0201, 0x0202
_ORIGINAL, _DIGITIZED, _MAKER_NOTE, _JPEG_FROM_RAW = 0x9003, 0x9004, 0x927C, 0x002E
_JPEG_COMPRESSIONS = (6, 7)

# Olympus and OM System: places in the maker note count from its own beginning.
_OLYMPUS = {b"OLYMPUS\0II": ("<", 12), b"OLYMPUS\0MM": (">", 12), b"OM SYSTEM\0\0\0II": ("<", 16)}
_CAMERA_SETTINGS, _PREVIEW_START, _PREVIEW_LENGTH = 0x2020, 0x0101, 0x0102

# Canon's extended types of boxes in CR3.
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_CANON_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")

_BASELINE_TO_PROGRESSIVE = (0xC0, 0xC1, 0xC2)
"""Frames that are for looking; the sensor's own data may be a lossless JPEG."""

_MAGIC = (
    (0, b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (4, b"ftypcrx ", "image/x-canon-cr3"),
    (8, b"CR", "image/x-canon-cr2"),
    (0, b"IIU\0", "image/x-panasonic-rw2"),
    (0, b"IIRO", "image/x-olympus-orf"),
    (0, b"IIRS", "image/x-olympus-orf"),
    (0, b"MMOR", "image/x-olympus-orf"),
)

Span = tuple[int, int]
"""Offset and length in the file."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A finished JPEG in a RAW file: where it stands, its size in pixels as stored."""

    offset: int
    length: int
    width: int
    height: int
    orientation: int | None
    """EXIF orientation: what the JPEG itself says, or else the photo's."""


@dataclass(slots=True)
class _Notes:
    """What the walk over a file gathers."""

    spans: list[Span]
    make: bytes = b""
    model: bytes = b""
    orientation: int | None = None
    taken: bytes = b""
    digitized: bytes = b""
    changed: bytes = b""


def mime_type(contents: Contents, named: str) -> str:
    """By the magic number, where the format has one of its own; else the name's."""
    head = contents.head
    return next((own for at, magic, own in _MAGIC if head.startswith(magic, at)), named)


def read(contents: Contents, found: Found) -> None:
    """Fill in date, camera, orientation, and the size of the preview, as it is what is shown.

    A photo without a preview has a reason.
    """
    found.kind = Kind.IMAGE
    notes = _notes(contents)
    preview = _largest(contents, notes)
    if preview is None:
        found.reason = NO_PREVIEW
    else:
        found.width, found.height = preview.width, preview.height
        found.orientation = preview.orientation
    found.camera = camera_of(text_of(notes.make), text_of(notes.model))
    for value in (notes.taken, notes.digitized, notes.changed):
        found.date = found.date or date(text_of(value))


def preview(contents: Contents) -> tuple[bytes, int | None]:
    """The largest JPEG, and its EXIF orientation. Raises UnreadableMedia."""
    found = _largest(contents, _notes(contents))
    if found is None:
        raise UnreadableMedia(NO_PREVIEW)
    return contents.at(found.offset, found.length), found.orientation


def _largest(contents: Contents, notes: _Notes) -> Preview | None:
    best: Preview | None = None
    for offset, length in dict.fromkeys(notes.spans[:MAX_CANDIDATES]):
        # Some cameras count a few bytes more than there are.
        length = min(length, contents.size - offset)
        if offset <= 0 or not 4 < length <= MAX_PREVIEW_BYTES:
            continue
        found = frame_at(contents, offset)
        if found is None or found.marker not in _BASELINE_TO_PROGRESSIVE or found.bits != 8:
            continue
        pixels = found.width * found.height
        if not 0 < pixels <= MAX_PREVIEW_PIXELS:
            continue
        if best is None or pixels > best.width * best.height:
            best = Preview(offset, length, found.width, found.height, notes.orientation)
    if best is None:
        return None
    own = _Notes([])
    _of_jpeg(contents, best.offset, own)
    return replace(best, orientation=own.orientation) if own.orientation is not None else best


def _notes(contents: Contents) -> _Notes:
    notes = _Notes([])
    head = contents.head
    if head.startswith(b"FUJIFILMCCD-RAW"):
        _of_raf(contents, notes)
    elif head[4:8] == b"ftyp":
        _of_cr3(contents, notes)
    else:
        _of_tiff(contents, 0, notes)
    return notes


# ---- TIFF


def _of_tiff(contents: Contents, start: int, notes: _Notes) -> None:
    """A structure that begins at ``start``; the first directory that says something counts."""
    read_at = partial(_read_at, contents, start)
    for directory in tiff.directories(read_at):
        notes.spans += [(start + offset, length) for offset, length in _jpegs(directory)]
        notes.make = notes.make or directory.text(_MAKE)
        notes.model = notes.model or directory.text(_MODEL)
        notes.taken = notes.taken or directory.text(_ORIGINAL)
        notes.digitized = notes.digitized or directory.text(_DIGITIZED)
        notes.changed = notes.changed or directory.text(_DATE_TIME)
        orientation = directory.number(_ORIENTATION)
        if notes.orientation is None and orientation is not None and 1 <= orientation <= 8:
            notes.orientation = orientation


def _read_at(contents: Contents, start: int, offset: int, size: int) -> bytes:
    """From memory where it can: directories mostly stand at the beginning."""
    offset += start
    if offset + size <= len(contents.head):
        return contents.head[offset : offset + size]
    return contents.at(offset, size) if offset < contents.size else b""


def _jpegs(directory: tiff.Directory) -> Iterator[Span]:
    offset, length = directory.number(_JPEG), directory.number(_JPEG_BYTES)
    if offset and length:
        yield offset, length
    if directory.number(_COMPRESSION) in _JPEG_COMPRESSIONS:
        strips, lengths = directory.numbers(_STRIPS), directory.numbers(_STRIP_BYTES)
        # A JPEG in several strips is no file of its own.
        if len(strips) == len(lengths) == 1:
            yield strips[0], lengths[0]
    span = directory.span(_JPEG_FROM_RAW)
    if span is not None:
        yield span
    note = directory.span(_MAKER_NOTE)
    if note is not None:
        yield from _of_maker_note(directory, note[0])


def _of_maker_note(directory: tiff.Directory, start: int) -> Iterator[Span]:
    """The preview of ORF, which stands nowhere else."""
    head = directory.read_at(start, 16)
    known = next((value for magic, value in _OLYMPUS.items() if head.startswith(magic)), None)
    if known is None:
        return
    byte_order, first = known

    def read_at(offset: int, size: int) -> bytes:
        return directory.read_at(start + offset, size)

    note, _ = tiff.directory_at(read_at, first, byte_order)
    settings = note.number(_CAMERA_SETTINGS)
    if settings is None:
        return
    values, _ = tiff.directory_at(read_at, settings, byte_order)
    offset, length = values.number(_PREVIEW_START), values.number(_PREVIEW_LENGTH)
    if offset and length:
        yield start + offset, length


# ---- Fujifilm


def _of_raf(contents: Contents, notes: _Notes) -> None:
    """Its head names the place of a whole JPEG, whose EXIF block is the photo's."""
    if len(contents.head) < 92:
        return
    offset, length = struct.unpack_from(">II", contents.head, 84)
    notes.spans.append((offset, length))
    _of_jpeg(contents, offset, notes)


def _of_jpeg(contents: Contents, start: int, notes: _Notes) -> None:
    """The EXIF block of a JPEG that begins with it, as cameras write (EXIF 2.3 §4.5.2)."""
    head = contents.at(start, 12)
    if head[:4] == b"\xff\xd8\xff\xe1" and head[6:] == b"Exif\0\0":
        spans = len(notes.spans)
        _of_tiff(contents, start + 12, notes)
        # The thumbnail of a preview is of no use.
        del notes.spans[spans:]


# ---- Canon's CR3


def _of_cr3(contents: Contents, notes: _Notes) -> None:
    for name, start, end in boxes(contents, 0, contents.size):
        if name == b"moov":
            for inner, first, last in boxes(contents, start, end):
                if inner == b"uuid" and contents.at(first, 16) == _CANON:
                    for block, at, _ in boxes(contents, first + 16, last):
                        if block in (b"CMT1", b"CMT2"):
                            _of_tiff(contents, at, notes)
                elif inner == b"trak":
                    notes.spans += _first_sample(contents, first, last)
        elif name == b"uuid" and contents.at(start, 16) == _CANON_PREVIEW:
            notes.spans += _canon_preview(contents, start + 16, end)


def _canon_preview(contents: Contents, start: int, end: int) -> Iterable[Span]:
    """Eight bytes, then a box PRVW: the JPEG stands behind sixteen bytes that end in its length."""
    for name, first, _ in boxes(contents, start + 8, end):
        if name == b"PRVW":
            head = contents.at(first, 16)
            if len(head) == 16:
                yield first + 16, struct.unpack_from(">I", head, 12)[0]


def _first_sample(contents: Contents, start: int, end: int) -> Iterable[Span]:
    """Where the only sample of a track stands: one of the tracks is a JPEG of full size."""
    for name in (b"mdia", b"minf", b"stbl"):
        box = next((box for box in boxes(contents, start, end) if box[0] == name), None)
        if box is None:
            return
        _, start, end = box
    tables = {name: contents.at(first, 24) for name, first, _ in boxes(contents, start, end)}
    # ISO/IEC 14496-12 §8.7.3 and §8.7.5: version and flags; size of all samples, or 0 and a table.
    sizes, offsets = tables.get(b"stsz", b""), tables.get(b"co64") or tables.get(b"stco", b"")
    wide = b"co64" in tables
    if len(sizes) < 12 or len(offsets) < (16 if wide else 12):
        return
    size, count = struct.unpack_from(">II", sizes, 4)
    if not size and count and len(sizes) >= 16:
        (size,) = struct.unpack_from(">I", sizes, 12)
    yield struct.unpack_from(">Q" if wide else ">I", offsets, 8)[0], size
