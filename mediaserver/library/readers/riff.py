"""RIFF WAVE, RF64 and BW64: format, true length, and the tags of both kinds.

Read here and not by mutagen, which takes every codec for PCM and does not know RF64
(EBU Tech 3306), ``LIST INFO`` or files that hold both kinds of tags.
"""

import struct
from collections.abc import Iterator

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.readers import id3, tags
from mediaserver.library.readers.contents import Contents
from mediaserver.library.readers.found import Found
from mediaserver.library.readers.id3_tag import Tag

MAX_CHUNKS = 1000
MAX_TAG_BYTES = 64 << 20

_EXTENSIBLE = 0xFFFE
_CODECS = {
    0x0002: "adpcm_ms",
    0x0006: "pcm_alaw",
    0x0007: "pcm_mulaw",
    0x0011: "adpcm_ima_wav",
    0x0031: "gsm_ms",
    0x0050: "mp2",
    0x0055: "mp3",
    0x0161: "wmav2",
    0x2000: "ac3",
    0x2001: "dts",
}
_UNCOMPRESSED = {0x0001, 0x0003, 0x0006, 0x0007}
_UNKNOWN_SIZE = 0xFFFFFFFF


def read(contents: Contents, found: Found) -> None:
    """Fill in what the chunks say. Raises UnreadableMedia without a format chunk."""
    form: bytes | None = None
    data_size = 0
    samples = 0
    large_data = 0
    id3_chunk: tuple[int, int] | None = None
    for name, start, size in _chunks(contents):
        if name == b"fmt ":
            form = contents.at(start, min(size, 64))
        elif name == b"fact" and size >= 4:
            (samples,) = struct.unpack("<I", contents.at(start, 4).ljust(4, b"\0"))
        elif name == b"ds64" and size >= 24:
            _, large_data, large_samples = struct.unpack(
                "<QQQ", contents.at(start, 24).ljust(24, b"\0")
            )
            samples = large_samples or samples
        elif name == b"data":
            data_size = min(size, contents.size - start)
        elif name == b"LIST" and contents.at(start, 4) == b"INFO":
            body = contents.at(start + 4, min(size - 4, MAX_TAG_BYTES))
            tags.riff_info(found, _subchunks(body))
        elif name in (b"id3 ", b"ID3 "):
            id3_chunk = start, min(size, MAX_TAG_BYTES)
    if form is None or len(form) < 16:
        raise UnreadableMedia("a WAVE file without a format chunk")
    _format(found, form, min(large_data, contents.size) or data_size, samples)
    # After INFO: what ID3 says counts more, it can say more.
    if id3_chunk is not None:
        id3.apply(found, Tag(contents.at(*id3_chunk)))


def _format(found: Found, form: bytes, data_size: int, samples: int) -> None:
    tag, channels, rate, byte_rate, align, bits = struct.unpack_from("<HHIIHH", form)
    if tag == _EXTENSIBLE and len(form) >= 26:
        (tag,) = struct.unpack_from("<H", form, 24)
    found.channels, found.sample_rate = channels, rate
    found.bitrate = byte_rate * 8
    if tag in _UNCOMPRESSED:
        found.bits_per_sample = bits
        if align and rate:
            found.duration = data_size / align / rate
            found.bitrate = align * rate * 8
        if tag == 1:
            found.audio_codec = "pcm_u8" if bits <= 8 else f"pcm_s{(bits + 7) // 8 * 8}le"
        elif tag == 3:
            found.audio_codec = "pcm_f64le" if bits == 64 else "pcm_f32le"
        else:
            found.audio_codec = _CODECS[tag]
        return
    found.audio_codec = _CODECS.get(tag)
    # The fact chunk counts samples of each channel; some writers leave it 0 or at its maximum.
    if rate and samples and samples != _UNKNOWN_SIZE:
        found.duration = samples / rate
    elif byte_rate:
        found.duration = data_size / byte_rate
    if found.duration and not byte_rate:
        found.bitrate = round(data_size * 8 / found.duration)


def _chunks(contents: Contents) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each; a data chunk of unknown size goes to the end of the file."""
    position = 12
    large_data = 0
    for _ in range(MAX_CHUNKS):
        head = contents.at(position, 8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        start = position + 8
        if name == b"ds64":
            raw = contents.at(start, 16)
            if len(raw) == 16:
                (large_data,) = struct.unpack_from("<Q", raw, 8)
        if name == b"data" and size == _UNKNOWN_SIZE:
            size = large_data or contents.size - start
        elif name == b"data" and size == 0 and position + 8 < contents.size:
            # A recorder that was switched off: sound until the end.
            following = contents.at(start, 4)
            if not following.isalpha():
                size = contents.size - start
        yield name, start, size
        position = start + size + (size & 1)


def _subchunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, position)
        yield name, body[position + 8 : position + 8 + size]
        position += 8 + size + (size & 1)
