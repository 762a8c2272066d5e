"""Pictures made smaller, upright and sRGB, as DLNA's image profiles want them (dlna-http 8).

Runs in worker processes. Input is hostile (security.md M4): formats are a fixed list, the size in
the header is looked at before anything is unpacked, nothing is ever enlarged.
"""

import contextlib
import io
import warnings
from typing import TYPE_CHECKING

from mediaserver.library.demuxers import is_known
from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.readers import dispatch, image, raw, streams
from mediaserver.library.readers.contents import format_of, open_contents
from mediaserver.library.readers.jobs import ORIGINAL, PROFILES, ImageProfile, Picture, RenderJob
from mediaserver.library.readers.picture_header import measure

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from PIL import Image

MAX_PIXELS = 64_000_000
"""Of a picture that may be unpacked (security.md 2)."""
MAX_FILE_BYTES = 64 << 20
QUALITY = 85
FRAME_AT = 0.1
"""Where in a video its picture is taken, as part of its length: behind black and logos."""
MAX_FRAMES = 200
"""Decoded in search of one picture."""
DARK = 24
"""Mean brightness, of 255, below which a picture shows nothing."""

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
"""EXIF orientations in which width and height change places."""


def render(job: RenderJob) -> Picture:
    """Do a job. Raises UnreadableMedia, OSError, and whatever decoders raise."""
    if job.source == "frame":
        frame = _video_frame(job.path)
        return _encoded(frame, frame.size, PROFILES[job.profile])
    orientation = None
    if job.source == "embedded":
        data = dispatch.embedded_art(job.path)
    else:
        data, orientation = _file_picture(job.path)
    if job.profile == ORIGINAL:
        measured = measure(data)
        if measured is None:
            raise UnreadableMedia("a picture of another kind")
        return Picture(data, *measured)
    profile = PROFILES[job.profile]
    return _encoded(*_decoded(data, profile, orientation), profile)


def _file_picture(path: bytes) -> tuple[bytes, int | None]:
    """A picture file; of a RAW photo the preview in it, and how that is to be turned."""
    contents = open_contents(path, exact=True)
    with contents.file:
        if dispatch.is_raw(path, format_of(contents.head)):
            return raw.preview(contents)
        if contents.size > MAX_FILE_BYTES:
            raise UnreadableMedia(f"a picture of {contents.size} bytes")
        return contents.file.read(MAX_FILE_BYTES), None


def _decoded(
    data: bytes, profile: ImageProfile, orientation: int | None
) -> tuple["Image.Image", tuple[int, int]]:
    """The picture upright, in sRGB, not much larger than needed; and its own size, upright.

    ``orientation``: the EXIF orientation, where it is known from elsewhere.
    """
    # Deferred with all of Pillow: a worker that only reads music never loads it.
    from PIL import Image, ImageOps, UnidentifiedImageError

    name = format_of(data[:64])
    if name not in image.PLUGINS:
        raise UnreadableMedia("a picture of another kind")
    pillow_name = image.prepare(name)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture: Image.Image = Image.open(io.BytesIO(data), formats=(pillow_name,))
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise UnreadableMedia("more pixels than we unpack") from None
        except UnidentifiedImageError:
            raise UnreadableMedia(f"not a readable {pillow_name} picture") from None
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise UnreadableMedia("more pixels than we unpack")
        # A JPEG is unpacked at 1/2, 1/4 or 1/8 where that is enough, for either orientation.
        longest = max(profile.width, profile.height)
        picture.draft(None, (longest, longest))
        colour = picture.info.get("icc_profile")
        picture.load()
        exif = picture.getexif()
        if orientation is not None:
            exif[_ORIENTATION] = orientation
        if exif.get(_ORIENTATION) in _TURNED:
            width, height = height, width
        picture.thumbnail((2 * longest, 2 * longest), Image.Resampling.BOX)
        picture = ImageOps.exif_transpose(picture)
        return _srgb(picture, colour), (width, height)


def _srgb(picture: "Image.Image", colour: object) -> "Image.Image":
    """Converted from its ICC profile; a broken profile is as none."""
    from PIL import ImageCms

    if isinstance(colour, bytes) and colour and picture.mode in ("RGB", "CMYK", "L", "RGBA"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(colour))
            converted = ImageCms.profileToProfile(
                picture,
                source,
                ImageCms.createProfile("sRGB"),
                outputMode="RGBA" if picture.mode == "RGBA" else "RGB",
            )
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
        else:
            if converted is not None:
                return converted
    if picture.mode in ("I", "I;16", "I;16B", "F"):
        # Pillow's own conversion cuts 16 bits at 255.
        picture = picture.convert("I").point(lambda value: value / 256)
        return picture.convert("L")
    if picture.mode in ("RGB", "L", "RGBA"):
        return picture
    if picture.mode in ("LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        return picture.convert("RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture.convert("RGB")


def _encoded(picture: "Image.Image", size: tuple[int, int], profile: ImageProfile) -> Picture:
    """``size`` is the whole picture's: what comes out is as large as ``profile.fit`` of it says,
    and so as ``res@resolution`` promised, however the picture was made smaller meanwhile."""
    from PIL import Image

    size = profile.fit(*size)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    target = io.BytesIO()
    if profile.image_format == "PNG":
        picture.save(target, "PNG", icc_profile=None)
        return Picture(target.getvalue(), "image/png", *picture.size)
    if picture.mode == "RGBA":
        # Transparent parts become white; what is below them is arbitrary.
        white = Image.new("RGB", picture.size, (255, 255, 255))
        white.paste(picture, mask=picture.getchannel("A"))
        picture = white
    # Without its EXIF: the orientation is applied, and where it was taken is nobody's business.
    picture.save(
        target, "JPEG", quality=QUALITY, subsampling="4:2:0", progressive=False, exif=b"",
        icc_profile=None, comment=b"",
    )  # fmt: skip
    return Picture(_jfif_1_02(target.getvalue()), "image/jpeg", *picture.size)


def _jfif_1_02(data: bytes) -> bytes:
    """DLNA wants JFIF 1.02; libjpeg says 1.01 of the same bytes (1.02 added thumbnails)."""
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"
    return head + b"\x02" + data[len(head) + 1 :] if data.startswith(head + b"\x01") else data


def _image(frame: "av.VideoFrame") -> "Image.Image":
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # av leaves it out
    # What a telephone noted when it was held upright.
    return picture.rotate(frame.rotation, expand=True) if frame.rotation else picture


def _video_frame(path: bytes) -> "Image.Image":
    """A picture from a tenth into a video; a later one if that is nearly black."""
    contents = open_contents(path, exact=True)
    with (
        contents.file,
        streams.open_container(contents, format_of(contents.head)) as container,
    ):
        known = filter(is_known, container.streams.video)
        stream = next((one for one in known if one.codec_context.width), None)
        if stream is None:
            raise UnreadableMedia("no moving pictures in it")
        if stream.codec_context.width * stream.codec_context.height > MAX_PIXELS:
            raise UnreadableMedia("more pixels than we unpack")
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        first = container.start_time or 0
        # From the very beginning if that gave none: behind it there may be no other key frame.
        for at in (first + int((container.duration or 0) * FRAME_AT), 0):
            with contextlib.suppress(OSError, ValueError):  # no index to seek with
                container.seek(at)
            picture = _first_bright(container, stream)
            if picture is not None:
                return picture
    raise UnreadableMedia("no frame could be decoded")


def _first_bright(container: "InputContainer", stream: "av.VideoStream") -> "Image.Image | None":
    """Every 25th frame from here is looked at; the last of them if all are dark."""
    from PIL import ImageStat

    best = None
    with contextlib.suppress(OSError, ValueError):  # what was decoded before damage counts
        for number, frame in enumerate(container.decode(stream)):
            if number % 25 == 0:
                best = _image(frame)
                if ImageStat.Stat(best.convert("L")).mean[0] > DARK:
                    break
            if number >= MAX_FRAMES:
                break
    return best
