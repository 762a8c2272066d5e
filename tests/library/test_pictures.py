"""Renditions: DLNA's image profiles out of pictures, art and films (dlna-http 8)."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pillow_heif
import pytest
from mutagen.flac import FLAC, Picture
from PIL import Image, ImageCms

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.pictures import render
from mediaserver.library.readers import jobs
from mediaserver.library.readers.jobs import PROFILES, RenderJob
from tests import make_media

pillow_heif.register_heif_opener()


def file_of(folder: Path, data: bytes) -> bytes:
    path = folder / "picture"
    path.write_bytes(data)
    return bytes(path)


def rendered(folder: Path, data: bytes, profile: str = "JPEG_TN") -> jobs.Picture:
    return render(RenderJob(file_of(folder, data), profile))


def opened(made: jobs.Picture) -> Image.Image:
    picture = Image.open(io.BytesIO(made.data))
    picture.load()
    assert picture.size == (made.width, made.height)
    assert Image.MIME[picture.format or ""] == made.mime_type
    return picture


def near(found: object, expected: tuple[int, ...], off: int = 12) -> bool:
    assert isinstance(found, tuple)
    return all(abs(one - other) <= off for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("profile", "size", "expected"),
    [
        # Width and height each within the limit, proportions kept.
        ("JPEG_TN", (4000, 3000), (160, 120)),
        ("JPEG_TN", (3000, 4000), (120, 160)),
        ("JPEG_SM", (4000, 3000), (640, 480)),
        ("JPEG_SM", (3000, 4000), (360, 480)),
        ("JPEG_MED", (4000, 3000), (1024, 768)),
        ("JPEG_LRG", (5000, 2500), (4096, 2048)),
        ("PNG_TN", (400, 400), (160, 160)),
        ("PNG_LRG", (5000, 100), (4096, 82)),
        # Never enlarged.
        ("JPEG_TN", (100, 60), (100, 60)),
        ("JPEG_LRG", (640, 480), (640, 480)),
        ("JPEG_SM", (1, 1), (1, 1)),
        # Never nothing.
        ("JPEG_TN", (5000, 2), (160, 1)),
    ],
)
def test_a_rendition_fits_its_profile(
    tmp_path: Path, profile: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    made = rendered(tmp_path, make_media.picture("JPEG", size), profile)
    assert opened(made).size == expected
    assert made.mime_type == ("image/png" if profile.startswith("PNG") else "image/jpeg")


@pytest.mark.parametrize(
    "image_format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "HEIF", "AVIF"]
)
def test_every_format_that_is_indexed_can_be_shown(tmp_path: Path, image_format: str) -> None:
    made = rendered(tmp_path, make_media.picture(image_format, (400, 300)))
    picture = opened(made)
    assert picture.size == (160, 120)
    assert near(picture.getpixel((120, 60)), (200, 60, 30))
    assert near(picture.getpixel((20, 60)), (20, 30, 90))


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 90, (90,)),
        ("1", 1, (255,)),
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
        ("I;16", 0x8000, (128,)),
        # Seen through: white.
        ("RGBA", (0, 0, 200, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 200, 255), (0, 0, 200)),
        ("LA", (90, 0), (255, 255, 255)),
    ],
)
def test_every_mode_of_colour_becomes_one_of_jpeg_s(
    tmp_path: Path, mode: str, colour: int | tuple[int, ...], expected: tuple[int, ...]
) -> None:
    image_format = "TIFF" if mode in ("CMYK", "I;16") else "PNG"
    data = make_media.picture(image_format, (40, 30), mode=mode, colour=colour)
    picture = opened(rendered(tmp_path, data))
    found = picture.getpixel((20, 15))
    assert near(found if isinstance(found, tuple) else (found,), expected)


def test_a_png_keeps_what_can_be_seen_through(tmp_path: Path) -> None:
    data = make_media.picture("PNG", (40, 30), mode="RGBA", colour=(10, 20, 30, 99))
    picture = opened(rendered(tmp_path, data, "PNG_TN"))
    assert picture.getpixel((5, 5)) == (10, 20, 30, 99)


def segments(data: bytes) -> dict[int, bytes]:
    """Marker segments before the scan (ISO/IEC 10918-1 §B.1.1.4)."""
    found = {}
    at = 2
    while data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        found[data[at + 1]] = data[at + 4 : at + 2 + length]
        at += 2 + length
    return found


@pytest.mark.parametrize("profile", [name for name in PROFILES if name.startswith("JPEG")])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_is_as_dlna_wants_it(tmp_path: Path, profile: str, progressive: bool) -> None:
    """dlna-http 8: baseline, 8 bits, 4:2:0, JFIF 1.02."""
    source = make_media.picture(
        "JPEG", (5000, 300), progressive=progressive, subsampling="4:4:4", comment=b"secret"
    )
    made = segments(rendered(tmp_path, source, profile).data)
    assert made[0xE0][:7] == b"JFIF\0\x01\x02"
    frame = made[0xC0]
    assert (frame[0], frame[5]) == (8, 3)
    assert [frame[7 + 3 * part] for part in range(3)] == [0x22, 0x11, 0x11]
    assert made.keys() <= {0xE0, 0xDB, 0xC0, 0xC4}


@pytest.mark.parametrize(("orientation", "transposed"), [(1, None), (3, 180), (6, 270), (8, 90)])
def test_a_rendition_stands_upright_and_tells_nothing_of_the_camera(
    tmp_path: Path, orientation: int, transposed: int | None
) -> None:
    upright = Image.new("RGB", (80, 60), (255, 255, 255))
    upright.paste((250, 0, 0), (0, 0, 40, 30))
    # What a camera held otherwise would have written: the inverse of what shows it upright.
    stored = upright.rotate(-(transposed or 0), expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    target = io.BytesIO()
    stored.save(target, "JPEG", quality=95, exif=exif)
    made = rendered(tmp_path, target.getvalue())
    picture = opened(made)
    assert picture.size == (80, 60)
    assert near(picture.getpixel((10, 10)), (250, 0, 0), 30)
    assert near(picture.getpixel((70, 50)), (255, 255, 255), 30)
    assert not picture.getexif()
    assert b"Maker" not in made.data


def test_damaged_exif_costs_the_orientation_only(tmp_path: Path) -> None:
    exif = b"Exif\0\0II*\0\xff\xff\xff\x7f"
    assert opened(rendered(tmp_path, make_media.picture(exif=exif))).size == (64, 48)


@pytest.mark.parametrize("profile", ["JPEG_TN", "PNG_TN"])
def test_a_colour_profile_is_left_out(tmp_path: Path, profile: str) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = rendered(tmp_path, make_media.picture("JPEG", icc_profile=srgb), profile)
    assert "icc_profile" not in opened(made).info


def icc_profile(**columns: tuple[float, float, float]) -> bytes:
    """A matrix profile with a gamma of 2.2 (ICC.1:2010 §7, §8.3)."""

    def xyz(values: tuple[float, float, float]) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(one * 65536) for one in values))

    gamma = b"curv\0\0\0\0" + struct.pack(">IHH", 1, 0x0233, 0)
    tags = [(b"wtpt", xyz((0.9642, 1.0, 0.8249)))]
    for name, values in columns.items():
        tags.append((f"{name}XYZ".encode(), xyz(values)))
        tags.append((f"{name}TRC".encode(), gamma))
    table, body = struct.pack(">I", len(tags)), b""
    start = 132 + 12 * len(tags)
    for signature, data in tags:
        table += struct.pack(">4sII", signature, start + len(body), len(data))
        body += data
    head = struct.pack(
        ">IIIII", start + len(body), 0, 0x02400000, *struct.unpack(">II", b"mntrRGB ")
    )
    head += b"XYZ " + bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def test_colours_of_another_profile_are_converted(tmp_path: Path) -> None:
    """sRGB with red and blue exchanged: what the file calls red is blue."""
    swapped = icc_profile(
        r=(0.1431, 0.0606, 0.7139), g=(0.3851, 0.7169, 0.0971), b=(0.4361, 0.2225, 0.0139)
    )
    data = make_media.picture("PNG", mode="RGBA", colour=(200, 60, 30, 255), icc_profile=swapped)
    found = opened(rendered(tmp_path, data)).getpixel((20, 20))
    assert near(found, (30, 60, 200), 20)


def test_a_dark_beginning_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    make_media.film(path, seconds=4, size=(160, 120), dark_until=2)
    picture = opened(render(RenderJob(bytes(path), "JPEG_TN", "frame")))
    assert near(picture.getpixel((80, 60)), (110, 90, 160), 60)


def test_a_video_of_an_unknown_codec_has_no_picture(tmp_path: Path) -> None:
    path = make_media.unknown_codec(make_media.film(tmp_path / "a.mkv"), "video")
    with pytest.raises(UnreadableMedia, match="no moving pictures"):
        render(RenderJob(bytes(path), "JPEG_TN", "frame"))


def test_a_damaged_colour_profile_is_as_none(tmp_path: Path) -> None:
    """A scan of another server ended at one."""
    data = make_media.picture("JPEG", (64, 48), icc_profile=b"garbage" * 40)
    assert near(opened(rendered(tmp_path, data)).getpixel((48, 24)), (200, 60, 30))


# ---- hostile pictures (security.md M4, T5)


def png_of(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(min(height, 3000))) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(8001, 8000), (30_000, 30_000), (2_000_000, 33)])
def test_a_picture_of_too_many_pixels_is_not_unpacked(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    with pytest.raises(UnreadableMedia, match="more pixels than we unpack"):
        rendered(tmp_path, png_of(*size))


def test_a_picture_at_the_limit_is_made(tmp_path: Path) -> None:
    assert opened(rendered(tmp_path, png_of(20_000, 3000))).size == (160, 24)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"P6 2 2 255\n" + bytes(12),
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n" + bytes(40),
    ],
    ids=["nothing", "SVG", "PostScript", "PPM", "cut JPEG", "false PNG"],
)
def test_what_is_no_picture_of_ours_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnreadableMedia):
        rendered(tmp_path, data)


def test_a_file_too_large_for_a_picture_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(make_media.picture())
    with path.open("r+b") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(UnreadableMedia, match="67108865 bytes"):
        render(RenderJob(bytes(path), "JPEG_TN"))


def test_a_file_that_is_gone_is_the_system_s_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        render(RenderJob(bytes(tmp_path / "gone.jpg"), "JPEG_TN"))


# ---- art inside media files


def song_with(folder: Path, cover: bytes) -> bytes:
    path = make_media.sound(folder / "song.flac", seconds=0.2)
    file = FLAC(path)
    picture = Picture()
    picture.type, picture.mime, picture.data = 3, "image/jpeg", cover
    file.add_picture(picture)
    file.save()
    return bytes(path)


def test_embedded_art_is_made_smaller(tmp_path: Path) -> None:
    path = song_with(tmp_path, make_media.picture("PNG", (900, 900)))
    assert opened(render(RenderJob(path, "JPEG_SM", "embedded"))).size == (480, 480)


def test_embedded_art_is_given_as_it_is_when_asked(tmp_path: Path) -> None:
    cover = make_media.picture("PNG", (900, 900))
    made = render(RenderJob(song_with(tmp_path, cover), "original", "embedded"))
    assert made == jobs.Picture(cover, "image/png", 900, 900)


@pytest.mark.parametrize("profile", ["original", "JPEG_TN"])
def test_a_file_without_art_has_none(tmp_path: Path, profile: str) -> None:
    path = make_media.sound(tmp_path / "song.flac", seconds=0.2)
    with pytest.raises(UnreadableMedia, match="no picture in it"):
        render(RenderJob(bytes(path), profile, "embedded"))


# ---- pictures out of films


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".wmv", ".flv"])
def test_a_film_gives_a_picture(tmp_path: Path, suffix: str) -> None:
    path = make_media.film(tmp_path / f"film{suffix}", seconds=1, size=(320, 240))
    picture = opened(render(RenderJob(bytes(path), "JPEG_TN", "frame")))
    assert picture.size == (160, 120)
    # make_media's colours begin at (80, 90, 200) and change slowly.
    assert near(picture.getpixel((80, 60)), (90, 90, 190), 40)


def test_a_film_held_upright_gives_an_upright_picture(tmp_path: Path) -> None:
    path = make_media.film(tmp_path / "a.mp4", size=(320, 240))
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    struct.pack_into(">9i", data, matrix, 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    path.write_bytes(data)
    assert opened(render(RenderJob(bytes(path), "JPEG_TN", "frame"))).size == (120, 160)


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".avi"])
@pytest.mark.parametrize("damage", [cut])
def test_a_film_that_is_cut_off_gives_a_picture_too(
    tmp_path: Path, suffix: str, damage: Callable[[bytes], bytes]
) -> None:
    path = make_media.film(tmp_path / f"film{suffix}", seconds=2, size=(320, 240))
    path.write_bytes(damage(path.read_bytes()))
    assert opened(render(RenderJob(bytes(path), "JPEG_TN", "frame"))).size == (160, 120)


def test_sound_gives_no_picture(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mka", rate=48000)
    with pytest.raises(UnreadableMedia, match="no moving pictures"):
        render(RenderJob(bytes(path), "JPEG_TN", "frame"))


@pytest.mark.parametrize("source", ["file", "frame", "embedded"])
@pytest.mark.parametrize("where", ["file", "folder"])
def test_what_became_a_link_is_not_followed(
    tmp_path: Path, source: Literal["file", "frame", "embedded"], where: str
) -> None:
    """security.md T2: between the look at a file and the making of its picture."""
    outside = tmp_path / "outside"
    outside.mkdir()
    photo = Path(os.fsdecode(file_of(outside, make_media.picture())))
    if where == "file":
        path = tmp_path / photo.name
        path.symlink_to(photo)
    else:
        (tmp_path / "folder").symlink_to(outside)
        path = tmp_path / "folder" / photo.name

    with pytest.raises(UnreadableMedia, match="somewhere else"):
        render(RenderJob(bytes(path), "JPEG_TN", source))
