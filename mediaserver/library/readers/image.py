"""Pictures through Pillow: the header, never the pixels (a bomb stays packed, security.md M4)."""

import contextlib
import html
import importlib
import re
import struct
import warnings
from typing import TYPE_CHECKING

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.objects import Kind
from mediaserver.library.readers import dlna_profiles
from mediaserver.library.readers.contents import Contents
from mediaserver.library.readers.found import Found
from mediaserver.library.readers.jpeg import frame_at
from mediaserver.library.readers.naming import clean
from mediaserver.library.readers.values import date

if TYPE_CHECKING:
    from PIL import Image

PLUGINS = {
    "jpeg": ("JPEG", "PIL.JpegImagePlugin"),
    "png": ("PNG", "PIL.PngImagePlugin"),
    "gif": ("GIF", "PIL.GifImagePlugin"),
    "bmp": ("BMP", "PIL.BmpImagePlugin"),
    "tiff": ("TIFF", "PIL.TiffImagePlugin"),
    "webp": ("WEBP", "PIL.WebPImagePlugin"),
    "avif": ("AVIF", "PIL.AvifImagePlugin"),
    "heif": ("HEIF", "pillow_heif"),
}
"""By format as the contents prove it: Pillow's name and the module that reads it."""

MIME_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "avif": "image/avif",
    "heif": "image/heic",
}

_DEPTHS = {"1": 1, "L": 8, "P": 8, "LA": 16, "I;16": 16, "I;16B": 16, "RGBA": 32, "CMYK": 32}

# EXIF 2.3 tables 4, 5 and 8.
_DESCRIPTION, _MAKE, _MODEL, _ORIENTATION = 0x010E, 0x010F, 0x0110, 0x0112
_DATE_TIME, _EXIF_IFD, _ORIGINAL, _DIGITIZED = 0x0132, 0x8769, 0x9003, 0x9004

_XMP_DATE = re.compile(
    rb"(?:exif:DateTimeOriginal|photoshop:DateCreated|xmp:CreateDate)"
    rb"(?:=[\"']|>)([0-9][0-9T:.+Z-]{3,40})"
)
_XMP_MAKE = re.compile(rb"tiff:Make(?:=[\"']|>)([^\"'<]{1,80})")
_XMP_MODEL = re.compile(rb"tiff:Model(?:=[\"']|>)([^\"'<]{1,80})")
# What cameras write where people would describe the picture.
_MACHINE_DESCRIPTIONS = re.compile(
    r"(?:OLYMPUS|KONICA|MINOLTA|SONY|KODAK|PENTAX|RICOH|CASIO|SAMSUNG|FUJIFILM|DCIM|DSC|"
    r"Exif|default|<?Digimax|ASCII)\b",
    re.IGNORECASE,
)


def prepare(name: str) -> str:
    """Load what reads a format and return Pillow's name for it."""
    pillow_name, module = PLUGINS[name]
    plugin = importlib.import_module(module)
    if name == "heif":
        plugin.register_heif_opener()
    return pillow_name


def read(contents: Contents, found: Found, name: str) -> None:
    """Fill in size, date, camera, orientation. Raises UnreadableMedia."""
    found.kind = Kind.IMAGE
    if MIME_TYPES[name] != "image/heic" or found.mime_type != "image/heif":
        found.mime_type = MIME_TYPES[name]
    with warnings.catch_warnings():
        # Of damaged EXIF: what cannot be read is as if it were not there.
        warnings.simplefilter("ignore")
        _header(contents, found, name)
    _profile(contents, found, name)


def _header(contents: Contents, found: Found, name: str) -> None:
    # Deferred: Pillow, for workers that only meet music.
    from PIL import Image, UnidentifiedImageError

    pillow_name = prepare(name)
    # A size is only read here; pictures.py guards the decoding.
    Image.MAX_IMAGE_PIXELS = None
    try:
        image = Image.open(contents.file, formats=(pillow_name,))
    except UnidentifiedImageError:
        raise UnreadableMedia(f"not a readable {pillow_name} picture") from None
    with image:
        found.width, found.height = image.size
        found.color_depth = _DEPTHS.get(image.mode, 24)
        with contextlib.suppress(Exception):  # damaged EXIF: the picture may be all right
            _exif(image, found)
        if found.date is None or found.camera is None:
            _xmp(image, found)


def _xmp(image: "Image.Image", found: Found) -> None:
    """Date and camera where EXIF does not tell: programs that edit keep them here."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if isinstance(xmp, str):
        xmp = xmp.encode(errors="replace")
    if not isinstance(xmp, bytes):
        return
    if found.date is None and (match := _XMP_DATE.search(xmp)):
        found.date = date(match[1].decode("ascii", "replace"))
    if found.camera is None:
        make, model = (
            text_of(html.unescape(match[1].decode(errors="replace"))) if match else ""
            for match in (_XMP_MAKE.search(xmp), _XMP_MODEL.search(xmp))
        )
        found.camera = camera_of(make, model)


def _exif(image: "Image.Image", found: Found) -> None:
    from PIL import Image

    # A PNG's own method would unpack it, in search of EXIF behind the pixels.
    exif = Image.Image.getexif(image) if image.format == "PNG" else image.getexif()
    if not exif:
        return
    orientation = exif.get(_ORIENTATION)
    if isinstance(orientation, int) and 1 <= orientation <= 8:
        found.orientation = orientation
    found.camera = camera_of(text_of(exif.get(_MAKE)), text_of(exif.get(_MODEL)))
    description = text_of(exif.get(_DESCRIPTION))
    if description and not _MACHINE_DESCRIPTIONS.match(description):
        found.description = description
    inner = exif.get_ifd(_EXIF_IFD)
    for value in (inner.get(_ORIGINAL), inner.get(_DIGITIZED), exif.get(_DATE_TIME)):
        found.date = date(text_of(value))
        if found.date is not None:
            break


def text_of(value: object) -> str:
    """A value of EXIF as text; empty for anything else."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return clean(value.partition("\0")[0]) if isinstance(value, str) else ""


def camera_of(make: str, model: str) -> str | None:
    """Make and model, the make not twice: ``Canon EOS 80D``, ``NIKON D750``, ``Apple iPhone 12``.

    Makes are written as companies ("NIKON CORPORATION"); their first word is the make.
    """
    if not model:
        return make or None
    word = make.split(" ")[0]
    if not word or model.lower().startswith(word.lower()):
        return model
    return f"{make} {model}"


def _profile(contents: Contents, found: Found, name: str) -> None:
    head = contents.head
    width, height = found.width or 0, found.height or 0
    if name == "jpeg":
        frame = frame_at(contents)
        if frame is not None:
            found.dlna_profile = dlna_profiles.jpeg(
                width, height, frame.marker, frame.bits, frame.factors
            )
    elif name == "png" and len(head) >= 29:
        bits, colour, _, _, interlace = struct.unpack_from(">5B", head, 24)
        found.color_depth = bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
        found.dlna_profile = dlna_profiles.png(width, height, bits, colour, interlace)
    elif name == "gif":
        found.dlna_profile = dlna_profiles.gif(width, height, head[:6])
