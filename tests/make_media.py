"""Tiny real media files, made on the spot through FFmpeg's libraries (PyAV) and Pillow.

::

    sound(folder / "song.mp3", seconds=2)                    codec and container by the suffix
    sound(folder / "book.m4a", codec="alac", channels=1)
    film(folder / "film.mkv", seconds=1, audio_codec="ac3")
    (folder / "photo.jpg").write_bytes(picture("JPEG", (640, 480)))

A file takes a few milliseconds; none needs a program to be installed.
"""

import io
import math
import os
import struct
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

AUDIO_CODECS = {
    ".mp3": "libmp3lame",
    ".mp2": "mp2",
    ".flac": "flac",
    ".ogg": "vorbis",
    ".oga": "vorbis",
    ".opus": "libopus",
    ".m4a": "aac",
    ".aac": "aac",
    ".wav": "pcm_s16le",
    ".aiff": "pcm_s16be",
    ".aif": "pcm_s16be",
    ".wma": "wmav2",
    ".wv": "wavpack",
    ".tta": "tta",
    ".ac3": "ac3",
    ".eac3": "eac3",
    ".mka": "libopus",
    ".weba": "libopus",
    ".amr": "libopencore_amrnb",
}
"""What :func:`sound` writes into a file of this suffix."""

FILM_CODECS = {
    ".mp4": ("libx264", "aac"),
    ".m4v": ("libx264", "aac"),
    ".mov": ("libx264", "aac"),
    ".mkv": ("libx264", "aac"),
    ".webm": ("libvpx", "libopus"),
    ".avi": ("mpeg4", "libmp3lame"),
    ".mpg": ("mpeg2video", "mp2"),
    ".vob": ("mpeg2video", "ac3"),
    ".ts": ("libx264", "ac3"),
    ".m2ts": ("libx264", "ac3"),
    ".wmv": ("wmv2", "wmav2"),
    ".asf": ("wmv2", "wmav2"),
    ".3gp": ("mpeg4", "aac"),
    ".flv": ("flv", "libmp3lame"),
    ".ogv": ("libvpx", "vorbis"),
}
"""What :func:`film` writes into a file of this suffix."""

_CONTAINERS = {
    ".m4a": "ipod",
    ".m4v": "mp4",
    ".aac": "adts",
    ".weba": "webm",
    ".mka": "matroska",
    ".aif": "aiff",
    ".wma": "asf",
    ".wmv": "asf",
    ".mpg": "mpeg",
    ".m2ts": "mpegts",
    ".opus": "opus",
    ".oga": "ogg",
    ".ogv": "ogg",
}


def sound(
    path: Path,
    *,
    codec: str | None = None,
    container: str | None = None,
    seconds: float = 1.0,
    rate: int = 44100,
    channels: int = 2,
    bitrate: int | None = None,
    noise_from: float | None = None,
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """A tone; from ``noise_from`` seconds on noise, which takes more bits where bits vary.

    ``options`` are the encoder's, ``container_options`` the muxer's, ``metadata`` FFmpeg's tags.
    """
    codec = codec or AUDIO_CODECS[path.suffix]
    with _output(path, container, container_options) as file:
        file.metadata.update(metadata or {})
        stream = _audio_stream(file, codec, rate, channels, bitrate, options)
        _write_sound(file, stream, seconds, noise_from)
    return path


def film(
    path: Path,
    *,
    video_codec: str | None = None,
    audio_codec: str | None = "",
    container: str | None = None,
    seconds: float = 1.0,
    size: tuple[int, int] = (160, 120),
    frame_rate: int | Fraction = 25,
    rate: int = 48000,
    channels: int = 2,
    bitrate: int | None = None,
    video_bitrate: int | None = None,
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    cover: bytes | None = None,
    dark_until: float = 0,
) -> Path:
    """Moving colours with a tone; ``audio_codec`` None: silent. ``cover``: an attached JPEG.

    ``dark_until`` seconds of black come first; then a key frame comes each second.
    """
    default_video, default_audio = FILM_CODECS[path.suffix]
    with _output(path, container, container_options) as file:
        file.metadata.update(metadata or {})
        video = cast(
            "VideoStream",
            file.add_stream(
                video_codec or default_video, rate=frame_rate, options=dict(options or {})
            ),
        )
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1
        if dark_until:
            video.codec_context.gop_size = round(frame_rate)
        if video_bitrate:
            video.bit_rate = video_bitrate
        audio = None
        if audio_codec is not None:
            audio = _audio_stream(file, audio_codec or default_audio, rate, channels, bitrate, None)
        attached = None
        if cover is not None:
            attached = file.add_stream("mjpeg", rate=1)
            attached.width, attached.height = 16, 16
            attached.pix_fmt = "yuvj420p"
            attached.disposition = av.stream.Disposition.attached_pic
        _write_pictures(file, video, seconds, size, frame_rate, dark_until)
        if audio is not None:
            _write_sound(file, audio, seconds, None)
        if attached is not None and cover is not None:
            packet = av.Packet(cover)
            packet.stream = attached
            packet.pts = packet.dts = 0
            packet.is_keyframe = True
            file.mux(packet)
    return path


def unknown_codec(path: Path, kind: str) -> Path:
    """Give the stream of a kind (``audio``, ``video``) in a Matroska file a codec nobody knows."""
    known = {"audio": b"A_AAC", "video": b"V_MPEG4/ISO/AVC"}[kind]
    data = path.read_bytes()
    assert data.count(known) == 1
    path.write_bytes(data.replace(known, known[:-3] + b"XYZ"))
    return path


def picture(
    image_format: str = "JPEG",
    size: tuple[int, int] = (64, 48),
    *,
    mode: str = "RGB",
    colour: tuple[int, ...] | int = (200, 60, 30),
    **save: object,
) -> bytes:
    """A picture of one colour, left half darker, as Pillow writes it; ``save`` are its options."""
    image = Image.new(mode, size, colour)
    if mode == "RGB":
        image.paste((20, 30, 90), (0, 0, size[0] // 2, size[1]))
    target = io.BytesIO()
    image.save(target, image_format, **save)
    return target.getvalue()


def riff(*chunks: tuple[bytes, bytes], form: bytes = b"WAVE", magic: bytes = b"RIFF") -> bytes:
    """A RIFF file of the chunks."""
    body = form + b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
        for name, data in chunks
    )
    size = 0xFFFFFFFF if magic != b"RIFF" else len(body)
    return magic + struct.pack("<I", size) + body


def _output(
    path: Path, container: str | None, options: Mapping[str, str] | None
) -> OutputContainer:
    return av.open(
        str(path),
        "w",
        format=container or _CONTAINERS.get(path.suffix),
        container_options=dict(options or {}),
    )


def _audio_stream(
    file: OutputContainer,
    codec: str,
    rate: int,
    channels: int,
    bitrate: int | None,
    options: Mapping[str, str] | None,
) -> AudioStream:
    chosen = dict(options or {})
    if codec == "vorbis":
        chosen["strict"] = "-2"
    stream = cast("AudioStream", file.add_stream(codec, rate=rate, options=chosen))
    stream.codec_context.layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    formats = [known.name for known in stream.codec_context.codec.audio_formats or ()]
    stream.codec_context.format = next(
        (name for name in ("s16", "s16p") if name in formats), formats[0] if formats else "s16"
    )
    if bitrate or codec.startswith("wma"):
        stream.bit_rate = bitrate or 96_000
    return stream


def _write_sound(
    file: OutputContainer, stream: AudioStream, seconds: float, noise_from: float | None
) -> None:
    context = stream.codec_context
    rate, channels = context.sample_rate, context.channels
    resampler = av.AudioResampler(context.format, context.layout, rate)
    total, position, noise = round(seconds * rate), 0, 12345
    while position < total:
        count = min(4096, total - position)
        samples = bytearray()
        for at in range(position, position + count):
            if noise_from is not None and at >= noise_from * rate:
                noise = (noise * 1103515245 + 12345) & 0x7FFFFFFF
                value = (noise >> 15) % 30000 - 15000
            else:
                value = int(8000 * math.sin(at * 2 * math.pi * 440 / rate))
            samples += struct.pack("<h", value) * channels
        frame = AudioFrame("s16", context.layout.name, count)
        frame.sample_rate = rate
        frame.pts = position
        frame.time_base = Fraction(1, rate)
        # FFmpeg may give the plane some room behind the samples.
        plane = frame.planes[0]
        plane.update(bytes(samples).ljust(plane.buffer_size, b"\0"))
        for resampled in resampler.resample(frame):
            file.mux(stream.encode(resampled))
        position += count
    for resampled in resampler.resample(None):
        file.mux(stream.encode(resampled))
    file.mux(stream.encode(None))


def _write_pictures(
    file: OutputContainer,
    stream: VideoStream,
    seconds: float,
    size: tuple[int, int],
    frame_rate: int | Fraction,
    dark_until: float,
) -> None:
    for number in range(round(seconds * frame_rate)):
        colour = (80 + number * 5 % 170, 90, 200 - number * 3 % 150)
        if number < dark_until * frame_rate:
            colour = (0, 0, 0)
        image = Image.new("RGB", size, colour)
        frame = VideoFrame.from_image(image)  # type: ignore[no-untyped-call]  # av leaves it out
        frame.pts = number
        frame.time_base = 1 / Fraction(frame_rate)
        file.mux(stream.encode(frame.reformat(format="yuv420p")))
    file.mux(stream.encode(None))


def id3_length(data: bytes) -> int:
    """Bytes of the ID3v2 tag in front (ID3v2.4 §3.1)."""
    if data[:3] != b"ID3":
        return 0
    return 10 + (data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9])


def settle(root: Path) -> Path:
    """Let all files below a folder be old: those just written are waited for. The folder."""
    for folder, _, names in os.walk(os.fsencode(root)):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - bytes
            os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)
    return root
