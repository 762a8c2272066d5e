"""Pictures of every format: size, date, camera, orientation, DLNA profile."""

import io
import zlib
from pathlib import Path

import piexif
import pillow_heif
import pytest
from PIL import Image, ImageFile

from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.library.readers import read
from tests import make_media

pillow_heif.register_heif_opener()


def facts_of(path: Path, data: bytes) -> MediaFacts:
    path.write_bytes(data)
    facts = read(bytes(path))
    assert facts.reason is None
    assert facts.kind is Kind.IMAGE
    return facts


@pytest.mark.parametrize(
    ("name", "image_format", "mime_type"),
    [
        ("a.jpg", "JPEG", "image/jpeg"),
        ("a.JPEG", "JPEG", "image/jpeg"),
        ("a.png", "PNG", "image/png"),
        ("a.gif", "GIF", "image/gif"),
        ("a.bmp", "BMP", "image/bmp"),
        ("a.tiff", "TIFF", "image/tiff"),
        ("a.webp", "WEBP", "image/webp"),
        ("a.heic", "HEIF", "image/heic"),
        ("a.heif", "HEIF", "image/heif"),
        ("a.avif", "AVIF", "image/avif"),
    ],
)
def test_type_and_size_of_every_format_are_read(
    tmp_path: Path, name: str, image_format: str, mime_type: str
) -> None:
    facts = facts_of(tmp_path / name, make_media.picture(image_format, (318, 202)))
    assert facts.mime_type == mime_type
    assert (facts.width, facts.height) == (318, 202)
    assert facts.title == "a"
    assert facts.duration_ms is None


@pytest.mark.parametrize(
    ("image_format", "mode", "colour", "depth"),
    [
        ("JPEG", "RGB", (1, 2, 3), 24),
        ("JPEG", "L", 7, 8),
        ("PNG", "RGBA", (1, 2, 3, 4), 32),
        ("PNG", "1", 1, 1),
        ("PNG", "I;16", 900, 16),
        ("GIF", "P", 3, 8),
        ("BMP", "RGB", (1, 2, 3), 24),
    ],
)
def test_the_colour_depth_is_bits_of_a_pixel(
    tmp_path: Path, image_format: str, mode: str, colour: int | tuple[int, ...], depth: int
) -> None:
    """CDS:1 Appendix B.1.2: res@colorDepth."""
    data = make_media.picture(image_format, (20, 20), mode=mode, colour=colour)
    assert facts_of(tmp_path / "a.jpg", data).color_depth == depth


# ---- EXIF


def exif(
    *,
    make: str = "Canon",
    model: str = "Canon EOS 80D",
    original: str | None = "2019:07:05 14:30:59",
    digitized: str | None = None,
    changed: str | None = None,
    orientation: int | None = None,
    description: str | None = None,
) -> bytes:
    first: dict[int, object] = {}
    second: dict[int, object] = {}
    for table, tag, value in (
        (first, piexif.ImageIFD.Make, make),
        (first, piexif.ImageIFD.Model, model),
        (first, piexif.ImageIFD.DateTime, changed),
        (first, piexif.ImageIFD.Orientation, orientation),
        (first, piexif.ImageIFD.ImageDescription, description),
        (second, piexif.ExifIFD.DateTimeOriginal, original),
        (second, piexif.ExifIFD.DateTimeDigitized, digitized),
    ):
        if value is not None:
            table[tag] = value
    return bytes(piexif.dump({"0th": first, "Exif": second}))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_exif_is_read_in_every_format_that_holds_it(tmp_path: Path, image_format: str) -> None:
    data = make_media.picture(image_format, (64, 48), exif=exif(orientation=1))
    facts = facts_of(tmp_path / "a.jpg", data)
    assert facts.date == "2019-07-05T14:30:59"
    assert facts.camera == "Canon EOS 80D"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_kept_beside_the_size_as_stored(
    tmp_path: Path, orientation: int
) -> None:
    data = make_media.picture("JPEG", (64, 48), exif=exif(orientation=orientation))
    facts = facts_of(tmp_path / "a.jpg", data)
    assert facts.orientation == orientation
    assert (facts.width, facts.height) == (64, 48)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_exif_does_not_know_is_none(tmp_path: Path, orientation: int) -> None:
    """EXIF 2.3 table 4: 1 to 8, everything else is reserved."""
    data = make_media.picture("JPEG", (64, 48), exif=exif(orientation=orientation))
    assert facts_of(tmp_path / "a.jpg", data).orientation is None


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS 80D", "Canon EOS 80D"),
        ("NIKON CORPORATION", "NIKON D750", "NIKON D750"),
        ("Apple", "iPhone 12", "Apple iPhone 12"),
        ("SONY", "ILCE-7M3", "SONY ILCE-7M3"),
        ("Canon\0   ", "Canon EOS\0\0", "Canon EOS"),
        ("", "Lone model", "Lone model"),
        ("Lone make", "", "Lone make"),
        ("", "", None),
    ],
)
def test_the_camera_names_its_make_once(
    tmp_path: Path, make: str, model: str, camera: str | None
) -> None:
    data = make_media.picture("JPEG", (64, 48), exif=exif(make=make, model=model))
    assert facts_of(tmp_path / "a.jpg", data).camera == camera


@pytest.mark.parametrize(
    ("original", "digitized", "changed", "expected"),
    [
        ("2019:07:05 14:30:59", "2020:01:01 00:00:00", None, "2019-07-05T14:30:59"),
        (None, "2020:01:02 03:04:05", "2021:01:01 00:00:00", "2020-01-02T03:04:05"),
        (None, None, "2021:06:07 08:09:10", "2021-06-07T08:09:10"),
        ("0000:00:00 00:00:00", None, "2021:06:07 08:09:10", "2021-06-07T08:09:10"),
        ("    :  :     :  :  ", None, None, None),
        ("2019:07:05", None, None, "2019-07-05"),
        (None, None, None, None),
    ],
)
def test_the_date_is_when_the_picture_was_taken(
    tmp_path: Path,
    original: str | None,
    digitized: str | None,
    changed: str | None,
    expected: str | None,
) -> None:
    """EXIF 2.3 §4.6.5: DateTimeOriginal before DateTimeDigitized before DateTime."""
    tags = exif(original=original, digitized=digitized, changed=changed)
    assert facts_of(tmp_path / "a.jpg", make_media.picture(exif=tags)).date == expected


def test_without_exif_the_date_is_that_of_xmp(tmp_path: Path) -> None:
    xmp = b"<x:xmpmeta><rdf:Description exif:DateTimeOriginal='2018-02-03T04:05:06+01:00'/>"
    facts = facts_of(tmp_path / "a.jpg", make_media.picture(xmp=xmp))
    assert facts.date == "2018-02-03T04:05:06"


@pytest.mark.parametrize(
    "description",
    [
        b"<rdf:Description tiff:Make='NIKON CORPORATION' tiff:Model='NIKON D750'/>",
        b"<rdf:Description><tiff:Make>Nikon</tiff:Make><tiff:Model>NIKON D750</tiff:Model>",
    ],
)
def test_without_exif_the_camera_is_that_of_xmp(tmp_path: Path, description: bytes) -> None:
    xmp = b"<x:xmpmeta>" + description
    assert facts_of(tmp_path / "a.jpg", make_media.picture(xmp=xmp)).camera == "NIKON D750"


@pytest.mark.parametrize(
    ("description", "expected"),
    [("Grandma's garden", "Grandma's garden"), ("OLYMPUS DIGITAL CAMERA", None), ("  ", None)],
)
def test_a_description_is_one_unless_a_camera_wrote_it(
    tmp_path: Path, description: str, expected: str | None
) -> None:
    data = make_media.picture(exif=exif(description=description))
    assert facts_of(tmp_path / "a.jpg", data).description == expected


def test_damaged_exif_does_not_hide_the_picture(tmp_path: Path) -> None:
    tags = bytearray(exif())
    # The offset of the first directory points far behind the end (TIFF 6.0 §2).
    tags[10:14] = b"\xff\xff\xff\x7f"
    facts = facts_of(tmp_path / "a.jpg", make_media.picture(exif=bytes(tags)))
    assert (facts.width, facts.height, facts.camera) == (64, 48, None)


def test_the_size_is_that_of_the_pixels_whatever_exif_says(tmp_path: Path) -> None:
    tags = piexif.dump(
        {"Exif": {piexif.ExifIFD.PixelXDimension: 4000, piexif.ExifIFD.PixelYDimension: 3000}}
    )
    facts = facts_of(tmp_path / "a.jpg", make_media.picture("JPEG", (64, 48), exif=tags))
    assert (facts.width, facts.height) == (64, 48)


# ---- DLNA profiles (dlna-http 8, dlna-profiles 2)


@pytest.mark.parametrize(
    ("size", "profile"),
    [
        ((160, 160), "JPEG_TN"),
        ((161, 100), "JPEG_SM"),
        ((640, 480), "JPEG_SM"),
        # No allowance for turned ones.
        ((480, 640), "JPEG_MED"),
        ((1024, 768), "JPEG_MED"),
        ((1025, 768), "JPEG_LRG"),
        ((4096, 4096), "JPEG_LRG"),
        ((4097, 16), None),
    ],
)
def test_a_baseline_jpeg_has_the_smallest_profile_it_fits(
    tmp_path: Path, size: tuple[int, int], profile: str | None
) -> None:
    assert facts_of(tmp_path / "a.jpg", make_media.picture("JPEG", size)).dlna_profile == profile


@pytest.mark.parametrize(
    ("mode", "colour", "save", "profile"),
    [
        ("RGB", (1, 2, 3), {"subsampling": "4:2:0"}, "JPEG_TN"),
        ("RGB", (1, 2, 3), {"subsampling": "4:2:2"}, "JPEG_TN"),
        ("RGB", (1, 2, 3), {"subsampling": "4:4:4"}, None),
        ("RGB", (1, 2, 3), {"progressive": True}, None),
        ("CMYK", (1, 2, 3, 4), {}, None),
        ("L", 7, {}, "JPEG_TN"),
    ],
)
def test_a_jpeg_that_is_not_as_dlna_wants_it_has_no_profile(
    tmp_path: Path,
    mode: str,
    colour: int | tuple[int, ...],
    save: dict[str, object],
    profile: str | None,
) -> None:
    data = make_media.picture("JPEG", (64, 48), mode=mode, colour=colour, **save)
    assert facts_of(tmp_path / "a.jpg", data).dlna_profile == profile


def test_a_large_exif_thumbnail_is_not_taken_for_the_picture(tmp_path: Path) -> None:
    thumbnail = make_media.picture("JPEG", (160, 120), subsampling="4:4:4")
    tags = piexif.dump({"0th": {}, "Exif": {}, "1st": {}, "thumbnail": thumbnail})
    data = make_media.picture("JPEG", (800, 600), exif=tags)
    facts = facts_of(tmp_path / "a.jpg", data)
    assert (facts.width, facts.height, facts.dlna_profile) == (800, 600, "JPEG_MED")


@pytest.mark.parametrize(
    ("size", "mode", "profile"),
    [
        ((160, 160), "RGB", "PNG_TN"),
        ((161, 160), "RGBA", "PNG_LRG"),
        ((4096, 4096), "L", "PNG_LRG"),
        ((4097, 10), "L", None),
        ((10, 10), "I;16", "PNG_TN"),
        ((10, 10), "P", "PNG_TN"),
    ],
)
def test_a_png_has_a_profile_by_its_size(
    tmp_path: Path, size: tuple[int, int], mode: str, profile: str | None
) -> None:
    target = io.BytesIO()
    Image.new(mode, size).save(target, "PNG")
    assert facts_of(tmp_path / "a.png", target.getvalue()).dlna_profile == profile


def test_an_interlaced_png_or_one_of_48_bits_has_no_profile(tmp_path: Path) -> None:
    """PNG §11.2.2: bits, colour type and interlace method are bytes 24, 25 and 28."""
    for at, value in ((28, 1), (24, 16)):
        data = bytearray(make_media.picture("PNG", (10, 10)))
        data[at] = value
        path = tmp_path / "a.png"
        path.write_bytes(data)
        assert read(bytes(path)).dlna_profile is None


@pytest.mark.parametrize(
    ("size", "version", "profile"),
    [
        ((1600, 1200), b"GIF89a", "GIF_LRG"),
        ((1601, 10), b"GIF89a", None),
        ((10, 10), b"GIF87a", None),
    ],
)
def test_a_gif_has_a_profile_in_the_newer_version_only(
    tmp_path: Path, size: tuple[int, int], version: bytes, profile: str | None
) -> None:
    data = make_media.picture("GIF", size, mode="P", colour=3)
    assert facts_of(tmp_path / "a.gif", version + data[6:]).dlna_profile == profile


@pytest.mark.parametrize("image_format", ["BMP", "TIFF", "WEBP", "HEIF", "AVIF"])
def test_formats_that_dlna_does_not_know_have_no_profile(tmp_path: Path, image_format: str) -> None:
    data = make_media.picture(image_format, (64, 48))
    assert facts_of(tmp_path / "a.jpg", data).dlna_profile is None


@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "WEBP", "BMP", "GIF", "JPEG"])
def test_a_picture_is_measured_and_not_unpacked(
    tmp_path: Path, image_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """security.md M4: pixels stay packed, whatever they would unpack to."""
    data = make_media.picture(image_format, (300, 200))

    def refuse(image: ImageFile.ImageFile) -> None:
        raise AssertionError("unpacked")

    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse)
    with pytest.raises(AssertionError, match="unpacked"):
        Image.open(io.BytesIO(data)).copy()
    exif_of = make_media.picture(image_format, (300, 200), exif=exif())
    for written in (data, exif_of):
        assert facts_of(tmp_path / "a.jpg", written).width == 300


def test_a_picture_of_any_number_of_pixels_is_measured(tmp_path: Path) -> None:
    data = bytearray(make_media.picture("PNG", (10, 10)))
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    facts = facts_of(tmp_path / "bomb.png", bytes(data))
    assert (facts.width, facts.height) == (30_000, 30_000)
