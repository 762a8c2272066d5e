"""Video, and audio that mutagen does not know, through FFmpeg's libraries (PyAV).

The demuxer is named by what the contents are, or chosen among a few; protocols are limited to
files: a playlist under the name of a film opens no address (security.md T8).
"""

import contextlib
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mediaserver.library.demuxers import GUESSED, PROTOCOLS, is_known
from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.objects import Kind
from mediaserver.library.readers import boxes, chapters, dlna_profiles, embedded, tags
from mediaserver.library.readers.contents import PACKET_192, Contents
from mediaserver.library.readers.found import Found
from mediaserver.library.readers.picture_header import MAX_ART_BYTES
from mediaserver.library.readers.values import charset_of_bytes, date, decoded, first, number

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

DEMUXERS = {
    "mp4": "mov",
    "matroska": "matroska",
    "avi": "avi",
    "mpegts": "mpegts",
    "m2ts": "mpegts",
    "mpegps": "mpeg",
    "mpegvideo": "mpegvideo",
    "flv": "flv",
    "asf": "asf",
    "ogg": "ogg",
    "wav": "wav",
    "aiff": "aiff",
    "flac": "flac",
    "mp3": "mp3",
    "adts": "aac",
    "latm": "loas",
    "amr": "amr",
    "tta": "tta",
    "ape": "ape",
    "wv": "wv",
    "mpc": "mpc",
    "dsf": "dsf",
    "dff": "iff",
}
"""FFmpeg's name of what :func:`contents.format_of` names."""

_GUESSED = {
    "mov,mp4,m4a,3gp,3g2,mj2": "mp4",
    "matroska,webm": "matroska",
    "avi": "avi",
    "mpegts": "mpegts",
    "mpeg": "mpegps",
    "mpegvideo": "mpegvideo",
    "flv": "flv",
    "asf": "asf",
    "ogg": "ogg",
    "mp3": "mp3",
    "aac": "adts",
}
"""FFmpeg's name of what it found to our name of the format."""

_UNTIMED = {"aac", "loas", "dts", "dtshd", "ac3", "eac3", "mp3", "amr"}
"""Demuxers of bare streams: their duration is an estimate of the first frames' bit rate."""

_COVER_CODECS = {"mjpeg", "png", "gif", "bmp", "webp", "tiff"}

_MACHINE_TITLES = {"", "untitled", "no title", "video", "unknown", "default", "movie", "title"}

MAX_PACKETS = 4_000_000


def open_container(contents: Contents, name: str | None) -> "InputContainer":
    """Open with the demuxer for a format. Raises UnreadableMedia, OSError."""
    # Deferred: FFmpeg's libraries take 40 MB and 0.1 s; a worker may never need them.
    import av

    options = {"protocol_whitelist": PROTOCOLS}
    demuxer = DEMUXERS.get(name or "")
    if demuxer is None:
        options["format_whitelist"] = GUESSED
    try:
        return av.open(
            # The file that is open and was looked at, whatever its path leads to by now; and
            # without the suffix, which FFmpeg would believe where contents prove nothing.
            f"file:/dev/fd/{contents.file.fileno()}",
            format=demuxer,
            options=options,
            metadata_errors="surrogateescape",
        )
    except av.error.FFmpegError as error:
        raise UnreadableMedia(str(error.strerror or error)) from error


def read(contents: Contents, found: Found, name: str | None) -> str | None:
    """Fill in streams and tags, and correct the kind. Raises UnreadableMedia.

    ``name`` is the format that the first bytes prove; without one FFmpeg looks further. Returned
    is the format that it was in the end, if we have a name for it.
    """
    with open_container(contents, name) as container:
        name = name or _GUESSED.get(container.format.name)
        covers = [stream for stream in container.streams.video if _is_cover(stream, found.kind)]
        videos = [stream for stream in container.streams.video if stream not in covers]
        video = next((one for one in videos if is_known(one) and one.codec_context.width), None)
        # Renderers may know what FFmpeg does not.
        unknown = video is None and not all(map(is_known, videos)) and found.kind is Kind.VIDEO
        audios = container.streams.audio
        audio = next(
            (one for one in audios if is_known(one) and one.codec_context.sample_rate),
            next(iter(audios), None),
        )
        if video is None and audio is None and not unknown:
            raise UnreadableMedia("neither sound nor picture in it")
        metadata = _metadata(container, audio)
        tags.named(found, metadata)
        chapters.put(found, chapters.of_container(container))
        _times(container, found)
        if audio is not None and is_known(audio):
            _audio(audio, found)
        if video is not None or unknown:
            found.kind = Kind.VIDEO
            if video is not None:
                _video(video, found)
            if found.title is not None and found.title.strip().lower() in _MACHINE_TITLES:
                found.title = None
            found.date = found.date or _recorded(metadata)
            found.series = first(metadata.get("SHOW"))
            found.season = number(first(metadata.get("SEASON_NUMBER")))
            found.episode = number(first(metadata.get("EPISODE_SORT")))
            embedded.read(container, found)
            if name == "mp4":
                found.orientation = boxes.orientation(boxes.movie(contents))
            found.mime_type = _mime_type(found, name, contents)
            if video is not None and (audio is None or is_known(audio)):
                found.dlna_profile = dlna_profiles.video(
                    _profile_facts(contents, container, found, video, audio, name)
                )
        else:
            found.kind = Kind.AUDIO
            found.mime_type = _mime_type(found, name, contents)
            if container.format.name in _UNTIMED:
                _count(container, audio, found)
            if found.audio_codec in ("ac3", "eac3") and container.format.name == "ac3":
                dlna_profiles.dolby(found)
        if not found.bitrate and found.duration:
            found.bitrate = round(contents.size * 8 / found.duration)
        if found.picture is None and covers:
            found.picture = tags.choose((0, data) for data in _pictures(container, covers))
    return name


def _is_cover(stream: "av.VideoStream", kind: Kind) -> bool:
    import av

    if av.stream.Disposition.attached_pic in stream.disposition:
        return True
    # Audio books show a picture with each chapter, in a track of their own.
    if kind is not Kind.AUDIO or not is_known(stream):
        return False
    return stream.codec_context.codec.canonical_name in _COVER_CODECS


def _metadata(container: "InputContainer", audio: "av.AudioStream | None") -> dict[str, list[str]]:
    # Ogg keeps its comments with the stream, the others with the file.
    raw = {
        name.upper(): value.encode("utf-8", "surrogateescape")
        for source in (audio.metadata if audio is not None else {}, container.metadata)
        for name, value in source.items()
    }
    charset = charset_of_bytes(raw.values())
    found = {name: [decoded(value, charset)] for name, value in raw.items()}
    found.pop("ENCODER", None)
    return found


def _recorded(metadata: Mapping[str, list[str]]) -> str | None:
    """When a camera recorded it. Without a camera the date is when somebody converted a film."""
    apple = first(metadata.get("COM.APPLE.QUICKTIME.CREATIONDATE"))
    if apple is not None:
        return date(apple)
    camera = any(
        name in metadata
        for name in ("COM.ANDROID.VERSION", "COM.APPLE.QUICKTIME.MAKE", "MAKE", "MODEL")
    )
    return date(first(metadata.get("CREATION_TIME"))) if camera else None


def _times(container: "InputContainer", found: Found) -> None:
    if container.duration and container.duration > 0:
        found.duration = container.duration / 1_000_000
    else:
        lengths = [
            float(stream.duration * stream.time_base)
            for stream in container.streams
            if stream.duration and stream.time_base and stream.duration > 0
        ]
        found.duration = max(lengths, default=None)
    found.bitrate = container.bit_rate or None


def _audio(stream: "av.AudioStream", found: Found) -> None:
    context = stream.codec_context
    found.audio_codec = _codec_name(context)
    found.sample_rate = context.sample_rate or None
    found.channels = context.channels or None
    if found.audio_codec is not None and found.audio_codec.startswith(("pcm_", "flac", "alac")):
        found.bits_per_sample = getattr(context, "bits_per_coded_sample", None) or None


def _video(stream: "av.VideoStream", found: Found) -> None:
    context = stream.codec_context
    found.video_codec = _codec_name(context)
    found.width, found.height = context.width, context.height
    rate = stream.average_rate or stream.guessed_rate
    if rate is not None and 0 < rate <= 1000:
        found.frame_rate = round(float(rate), 3)


def _codec_name(context: "av.CodecContext") -> str | None:
    """FFmpeg's name of the codec itself: not ``libdav1d`` or ``mp3float``."""
    return context.codec.canonical_name or None


def _count(container: "InputContainer", stream: "av.AudioStream | None", found: Found) -> None:
    """The duration of a bare stream: the sum of its packets'."""
    if stream is None or stream.time_base is None:
        return
    ticks = size = 0
    with contextlib.suppress(OSError, ValueError):  # the end may be cut off
        for number, packet in enumerate(container.demux(stream)):
            ticks += packet.duration or 0
            size += packet.size
            if number > MAX_PACKETS:
                break
    if ticks:
        found.duration = float(ticks * stream.time_base)
        found.bitrate = round(size * 8 / found.duration)


def _pictures(container: "InputContainer", covers: "list[av.VideoStream]") -> list[bytes]:
    """Attached pictures are handed out as the first packets of their streams."""
    found = []
    with contextlib.suppress(OSError, ValueError):
        for stream in covers[:8]:
            for packet in container.demux(stream):
                if 0 < packet.size <= MAX_ART_BYTES:
                    found.append(bytes(packet))
                break
    return found


def _profile_facts(
    contents: Contents,
    container: "InputContainer",
    found: Found,
    video: "av.VideoStream",
    audio: "av.AudioStream | None",
    name: str | None,
) -> dlna_profiles.VideoFile:
    bitrate = found.bitrate or 0
    if not bitrate and found.duration:
        bitrate = math.ceil(contents.size * 8 / found.duration)
    context = video.codec_context
    return dlna_profiles.VideoFile(
        container=_profile_container(contents, found, name),
        timestamps=name == PACKET_192 and any(contents.head[at + 1] for at in range(0, 768, 192)),
        bitrate=bitrate,
        video_codec=found.video_codec or "",
        video_profile=str(context.profile or ""),
        level=int(getattr(context, "level", 0) or 0),
        # Unknown for some: the whole is then the bound.
        video_bitrate=context.bit_rate or bitrate,
        width=found.width or 0,
        height=found.height or 0,
        frame_rate=found.frame_rate or 0.0,
        audio_codec=found.audio_codec or "",
        audio_profile=str((audio.codec_context.profile if audio else None) or ""),
        audio_bitrate=(audio.codec_context.bit_rate if audio else None) or 0,
        sample_rate=found.sample_rate or 0,
        channels=found.channels or 0,
    )


def _profile_container(contents: Contents, found: Found, name: str | None) -> str:
    """The container as profiles tell them apart; empty for one that has none.

    A pack header begins with 0010 in MPEG-1 (ISO/IEC 11172-1 §2.4.3.2), with 01 in MPEG-2
    (13818-1 §2.5.3.3). QuickTime and 3GP are none of MP4's, whatever they share.
    """
    if name == "mpegps" and contents.head[4] >> 4 == 2:
        return "mpeg1ps"
    if name in ("mp4", "asf") and found.mime_type not in ("video/mp4", "video/x-ms-wmv"):
        return ""
    return name or ""


_MIME_TYPES = {
    # (video, audio)
    "mp4": ("video/mp4", "audio/mp4"),
    "matroska": ("video/x-matroska", "audio/x-matroska"),
    "avi": ("video/x-msvideo", "audio/x-wav"),
    "mpegts": ("video/mpeg", "video/mpeg"),
    "m2ts": ("video/vnd.dlna.mpeg-tts", "video/vnd.dlna.mpeg-tts"),
    "mpegps": ("video/mpeg", "video/mpeg"),
    "mpegvideo": ("video/mpeg", "video/mpeg"),
    "flv": ("video/x-flv", "audio/x-flv"),
    "asf": ("video/x-ms-wmv", "audio/x-ms-wma"),
    "ogg": ("video/ogg", "audio/ogg"),
}
_OWN_FAMILY = {
    "mp4": {"video/mp4", "video/quicktime", "video/3gpp", "video/3gpp2", "audio/mp4", "audio/3gpp"},
    "matroska": {"video/x-matroska", "video/webm", "audio/x-matroska", "audio/webm"},
    "asf": {"video/x-ms-wmv", "video/x-ms-asf", "audio/x-ms-wma"},
}
_OTHER_KIND = {
    "video/3gpp": "audio/3gpp",
    "video/3gpp2": "audio/3gpp2",
    "video/webm": "audio/webm",
    "audio/3gpp": "video/3gpp",
    "audio/webm": "video/webm",
}


def _mime_type(found: Found, name: str | None, contents: Contents) -> str:
    """The suffix's type where it fits contents and kind, else that of the contents."""
    if name not in _MIME_TYPES:
        return found.mime_type
    by_contents = _MIME_TYPES[name][0 if found.kind is Kind.VIDEO else 1]
    named_kind = found.mime_type.partition("/")[0]
    if found.mime_type in _OWN_FAMILY.get(name, {by_contents}):
        if named_kind == found.kind.value:
            return found.mime_type
        return _OTHER_KIND.get(found.mime_type, by_contents)
    if name == "matroska" and b"webm" in contents.head[:64]:
        return "video/webm" if found.kind is Kind.VIDEO else "audio/webm"
    return by_contents
