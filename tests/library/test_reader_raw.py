"""RAW photos: their previews, dates, cameras, orientations."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.library.pictures import render
from mediaserver.library.readers import read
from mediaserver.library.readers.jobs import RenderJob
from tests import make_media, make_raw

Maker = Callable[[bytes, bytes], bytes]

FORMATS: dict[str, tuple[Maker, str, str]] = {
    "cr2": (make_raw.cr2, "image/x-canon-cr2", "Canon EOS R5"),
    "cr3": (make_raw.cr3, "image/x-canon-cr3", "Canon EOS R5"),
    "nef": (make_raw.nef, "image/x-nikon-nef", "NIKON D750"),
    "arw": (make_raw.arw, "image/x-sony-arw", "SONY ILCE-7M3"),
    "pef": (make_raw.arw, "image/x-pentax-pef", "SONY ILCE-7M3"),
    "srw": (make_raw.nef, "image/x-samsung-srw", "NIKON D750"),
    "dng": (make_raw.dng, "image/x-adobe-dng", "Apple iPhone 12 Pro"),
    "rw2": (make_raw.rw2, "image/x-panasonic-rw2", "Panasonic DMC-GH4"),
    "orf": (make_raw.orf, "image/x-olympus-orf", "OLYMPUS E-M10MarkII"),
    "raf": (make_raw.raf, "image/x-fuji-raf", "FUJIFILM X-T30"),
}


@pytest.fixture(scope="module")
def preview() -> bytes:
    return make_media.picture("JPEG", (1600, 1000))


@pytest.fixture(scope="module")
def thumbnail() -> bytes:
    return make_media.picture("JPEG", (160, 120), colour=(0, 255, 0))


def facts_of(path: Path, data: bytes) -> MediaFacts:
    path.write_bytes(data)
    return read(bytes(path))


@pytest.mark.parametrize("suffix", FORMATS)
def test_date_camera_and_orientation_of_every_format_are_read(
    tmp_path: Path, suffix: str, preview: bytes, thumbnail: bytes
) -> None:
    make, mime_type, camera = FORMATS[suffix]
    facts = facts_of(tmp_path / f"IMG_1.{suffix.upper()}", make(preview, thumbnail))
    assert facts.reason is None
    assert (facts.kind, facts.mime_type, facts.camera) == (Kind.IMAGE, mime_type, camera)
    assert (facts.date, facts.orientation) == ("2019-07-05T14:30:59", 6)
    assert (facts.width, facts.height, facts.dlna_profile) == (1600, 1000, None)


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_largest_preview_is_shown_upright(
    tmp_path: Path, suffix: str, preview: bytes, thumbnail: bytes
) -> None:
    """EXIF orientation 6: what is left in the file is on top."""
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(FORMATS[suffix][0](preview, thumbnail))
    made = render(RenderJob(bytes(path), "JPEG_SM"))
    assert (made.mime_type, made.width, made.height) == ("image/jpeg", 300, 480)
    picture = Image.open(io.BytesIO(made.data))
    top, bottom = picture.getpixel((150, 60)), picture.getpixel((150, 420))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert max(abs(a - b) for a, b in zip(top, (20, 30, 90), strict=True)) < 12
    assert max(abs(a - b) for a, b in zip(bottom, (200, 60, 30), strict=True)) < 12


@pytest.mark.parametrize(
    "suffix", [name for name in FORMATS if name not in ("nef", "arw", "pef", "srw", "dng")]
)
def test_a_magic_number_counts_more_than_the_name(
    tmp_path: Path, suffix: str, preview: bytes, thumbnail: bytes
) -> None:
    make, mime_type, _ = FORMATS[suffix]
    assert facts_of(tmp_path / "a.jpg", make(preview, thumbnail)).mime_type == mime_type


def test_a_plain_tiff_is_no_raw_photo(tmp_path: Path) -> None:
    facts = facts_of(tmp_path / "a.tif", make_media.picture("TIFF", (30, 20)))
    assert (facts.mime_type, facts.width, facts.reason) == ("image/tiff", 30, None)


def test_newer_notes_of_om_system_are_understood(
    tmp_path: Path, preview: bytes, thumbnail: bytes
) -> None:
    data = make_raw.orf(preview, thumbnail, b"OM SYSTEM\0\0\0II\4\0")
    assert facts_of(tmp_path / "a.orf", data).width == 1600


def test_what_the_preview_says_of_its_orientation_counts(tmp_path: Path) -> None:
    """A camera that stores it upright says so in its own EXIF block."""
    tiff = make_raw.Tiff()
    block = b"Exif\0\0" + tiff.finished(tiff.directory({0x0112: 1}))
    plain = make_media.picture("JPEG", (300, 200))
    upright = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain[2:]
    facts = facts_of(tmp_path / "a.arw", make_raw.arw(upright, plain))
    assert facts.orientation == 1
    made = render(RenderJob(bytes(tmp_path / "a.arw"), "JPEG_TN"))
    assert (made.width, made.height) == (160, 107)


# ---- without a preview


def no_preview(tmp_path: Path, data: bytes) -> None:
    facts = facts_of(tmp_path / "a.nef", data)
    assert facts.reason == "a RAW photo without a preview that could be shown"
    assert (facts.kind, facts.mime_type) == (Kind.IMAGE, "image/x-nikon-nef")
    assert facts.width is None
    with pytest.raises(UnreadableMedia):
        render(RenderJob(bytes(tmp_path / "a.nef"), "JPEG_TN"))


def test_a_photo_without_preview_says_so_and_keeps_its_date(tmp_path: Path) -> None:
    tiff = make_raw.Tiff()
    no_preview(tmp_path, tiff.finished(tiff.directory(make_raw.camera())))
    assert read(bytes(tmp_path / "a.nef")).date == "2021-01-01T00:00:00"


def test_directories_in_a_circle_end_the_walk(tmp_path: Path) -> None:
    tiff = make_raw.Tiff()
    first = len(tiff.data)
    tiff.directory({0x014A: (first, first), 0x8769: first}, first)
    no_preview(tmp_path, tiff.finished(first))


def test_thousands_of_directories_are_not_all_read(tmp_path: Path) -> None:
    """Each names a preview of its own; the one behind the bound is not found."""
    tiff = make_raw.Tiff()
    picture = tiff.block(make_media.picture("JPEG", (40, 30)))
    following = tiff.directory({0x0201: picture, 0x0202: 5000})
    for _ in range(3000):
        following = tiff.directory({}, following)
    no_preview(tmp_path, tiff.finished(following))


@pytest.mark.parametrize(
    ("offset", "length"),
    [(1 << 31, 1000), (0, 1000), (8, 0), (8, 0xFFFFFFFF), (4, 100)],
)
def test_a_preview_outside_of_the_file_is_none(tmp_path: Path, offset: int, length: int) -> None:
    tiff = make_raw.Tiff()
    no_preview(tmp_path, tiff.finished(tiff.directory({0x0201: offset, 0x0202: length})))


def test_a_preview_of_too_many_pixels_is_none(tmp_path: Path) -> None:
    """A decompression bomb (security.md M4)."""
    jpeg = make_media.picture("JPEG", (40, 30))
    at = jpeg.index(b"\xff\xc0") + 5
    bomb = jpeg[:at] + struct.pack(">HH", 60_000, 60_000) + jpeg[at + 4 :]
    no_preview(tmp_path, make_raw.arw(bomb, bomb))


def test_sensor_data_in_lossless_jpeg_is_no_preview(tmp_path: Path) -> None:
    """ISO/IEC 10918-1 Table B.1: SOF3."""
    jpeg = make_media.picture("JPEG", (40, 30))
    at = jpeg.index(b"\xff\xc0")
    no_preview(tmp_path, make_raw.arw(jpeg[: at + 1] + b"\xc3" + jpeg[at + 2 :], b"\xff\xd8\xff"))


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_cut_off_anywhere_does_no_harm(
    tmp_path: Path, suffix: str, thumbnail: bytes
) -> None:
    whole = FORMATS[suffix][0](thumbnail, thumbnail)
    path = tmp_path / f"a.{suffix}"
    for length in range(1, len(whole), 31):
        facts = facts_of(path, whole[:length])
        assert facts.kind is Kind.IMAGE
        assert facts.reason is None or facts.width is None
