"""Audio through mutagen: tags and stream properties, a function for each format.

Formats that mutagen does not know, and files that it does not understand, go to
:mod:`.streams`. Durations come from what the file itself counts; where it counts nothing, its
frames are counted (:mod:`.frames`).
"""

import contextlib
import struct
from collections.abc import Callable

from mutagen.aiff import AIFF
from mutagen.apev2 import APENoHeaderError, APEv2
from mutagen.asf import ASF
from mutagen.dsdiff import DSDIFF
from mutagen.dsf import DSF
from mutagen.flac import FLAC
from mutagen.monkeysaudio import MonkeysAudio
from mutagen.mp3 import BitrateMode, MPEGInfo
from mutagen.mp4 import MP4
from mutagen.musepack import Musepack
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis
from mutagen.trueaudio import TrueAudio
from mutagen.wavpack import WavPack

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.readers import (
    boxes,
    chapters,
    details,
    dlna_profiles,
    frames,
    id3,
    id3_tag,
    riff,
    tags,
)
from mediaserver.library.readers.contents import Contents, id3_size
from mediaserver.library.readers.cue_sheets import flac_sheet
from mediaserver.library.readers.found import Found
from mediaserver.library.readers.id3_tag import Tag
from mediaserver.library.readers.riff import MAX_CHUNKS, MAX_TAG_BYTES

SMALL = 1 << 20
"""Bytes; the frames of a smaller file are counted without asking first whether they vary."""


def mp3(contents: Contents, found: Found) -> None:
    """MPEG audio, layers I to III."""
    start = id3_size(contents.head)
    info = MPEGInfo(contents.file, start)
    found.audio_codec = f"mp{info.layer}"
    found.sample_rate, found.channels = info.sample_rate, info.channels
    found.duration, found.bitrate = info.length, info.bitrate
    # No Xing or VBRI header: mutagen took the first frame's rate for the whole.
    if info.bitrate_mode == BitrateMode.UNKNOWN and (
        contents.size < SMALL or frames.mpeg_bitrate_varies(contents, start)
    ):
        counted = frames.count_mpeg(contents, start)
        if counted.samples and info.sample_rate:
            found.duration = counted.scaled(contents.size - start) / info.sample_rate
            found.bitrate = round(counted.frame_bytes * 8 * info.sample_rate / counted.samples)
    id3.apply(found, id3_tag.read(contents))
    _ape_behind(contents, found, known=found.title is not None or bool(found.artists))
    if info.track_gain is not None or info.album_gain is not None:
        details.of_header(found, info.track_gain, info.track_peak, info.album_gain)
    found.dlna_profile = dlna_profiles.mpeg_audio(found, mpeg1=info.version == 1)


def _ape_behind(contents: Contents, found: Found, *, known: bool = False) -> None:
    """APEv2 at the end of a file of another format; perhaps before an ID3v1 tag.

    Where all else is ``known`` by then, it is only there for gains: mp3gain's.
    """
    if b"APETAGEX" not in contents.tail[-160:]:
        return
    with contextlib.suppress(APENoHeaderError):
        tag = APEv2(fileobj=contents.bounded())
        if known:
            details.named(found, tags.ape_texts(tag))
        else:
            tags.ape(found, tag)


def flac(contents: Contents, found: Found) -> None:
    file = FLAC(fileobj=contents.bounded())
    info = file.info
    found.audio_codec = "flac"
    _stream(found, info)
    found.bits_per_sample = info.bits_per_sample
    if id3_size(contents.head):
        id3.apply(found, id3_tag.read(contents))
    if file.tags is not None:
        tags.vorbis(found, list(file.tags))
    if file.cuesheet is not None and info.sample_rate:
        found.sheet = flac_sheet(file.cuesheet.tracks, info.sample_rate)
    if file.pictures:
        found.picture = (
            tags.choose((int(picture.type), picture.data) for picture in file.pictures)
            or found.picture
        )


def _stream(found: Found, info: object) -> None:
    """The properties that most of mutagen's formats share."""
    found.sample_rate = getattr(info, "sample_rate", None)
    found.channels = getattr(info, "channels", None)
    found.duration = getattr(info, "length", None)
    found.bitrate = int(getattr(info, "bitrate", 0) or 0)


_OGG = (
    (b"\x01vorbis", OggVorbis, "vorbis"),
    (b"OpusHead", OggOpus, "opus"),
    (b"\x7fFLAC", OggFLAC, "flac"),
    (b"Speex   ", OggSpeex, "speex"),
)


def ogg(contents: Contents, found: Found) -> None:
    """Ogg with one sound stream. UnreadableMedia for all others: video, skeletons."""
    # The first page holds the first packet; its length is 27 and one byte a segment
    # (RFC 3533 §6).
    start = 27 + contents.head[26]
    first = contents.head[start : start + 8]
    kind, codec = next(
        ((kind, codec) for magic, kind, codec in _OGG if first.startswith(magic)), (None, "")
    )
    if kind is None:
        raise UnreadableMedia("Ogg of another kind")
    file = kind(fileobj=contents.bounded())
    found.audio_codec = codec
    _stream(found, file.info)
    if codec == "opus":
        # Opus always decodes to 48 kHz (RFC 7845 §4).
        found.sample_rate = 48000
    found.bits_per_sample = getattr(file.info, "bits_per_sample", None)
    if not found.bitrate and found.duration:
        found.bitrate = round(contents.size * 8 / found.duration)
    if file.tags is not None:
        tags.vorbis(found, list(file.tags))
    pictures = getattr(file, "pictures", None)
    if pictures and found.picture is None:
        found.picture = tags.choose((int(one.type), one.data) for one in pictures)


def mp4(contents: Contents, found: Found) -> None:
    """MP4 with sound. UnreadableMedia where the length is in fragments."""
    file = MP4(fileobj=contents.bounded())
    info = file.info
    _stream(found, info)
    codec = str(info.codec)
    if codec.startswith("mp4a.40"):
        found.audio_codec = "aac"
    elif codec.startswith("mp4a.6"):
        found.audio_codec = "mp3"
    else:
        found.audio_codec = {"ac-3": "ac3", "ec-3": "eac3", "fLaC": "flac", "Opus": "opus"}.get(
            codec, codec or None
        )
    if codec == "alac":
        found.bits_per_sample = info.bits_per_sample
    movie = boxes.movie(contents)
    if codec == "mp4a.40.2" and info.channels == 2:
        found.channels = boxes.aac_channels(movie) or info.channels
    if found.duration:
        # Encoders of lossless sound write the rate of the original.
        found.bitrate = min(info.bitrate, round(contents.size * 8 / found.duration))
    mp4_tags(found, file)
    if boxes.has_tracks(movie):
        chapters.put(found, chapters.of_mp4(contents))
    if file.chapters and not found.chapters:
        chapters.put(found, ((one.start, one.title) for one in file.chapters))
    if not info.length:
        raise UnreadableMedia("a length that is not in its header")
    found.dlna_profile = dlna_profiles.aac_iso(found, low_complexity=codec == "mp4a.40.2")


def mp4_tags(found: Found, file: MP4) -> None:
    if file.tags is not None:
        tags.mp4(found, file.tags)


_ASF_AUDIO = bytes.fromhex("409E69F84D5BCF11A8FD00805F5C442B")
_ASF_CODECS = {
    0x160: "wmav1",
    0x161: "wmav2",
    0x162: "wmapro",
    0x163: "wmalossless",
    0xA: "wmavoice",
}


def wma(contents: Contents, found: Found) -> None:
    """ASF with sound only."""
    file = ASF(fileobj=contents.bounded())
    _stream(found, file.info)
    tag = asf_format_tag(contents.head)
    found.audio_codec = _ASF_CODECS.get(tag)
    tags.asf(found, list(file.tags or ()))
    found.dlna_profile = dlna_profiles.windows_audio(found)


def asf_format_tag(head: bytes) -> int:
    """wFormatTag of the first audio stream (ASF §3.3: type-specific data after 54 bytes)."""
    at = head.find(_ASF_AUDIO)
    if at < 0 or len(head) < at + 56:
        return 0
    (tag,) = struct.unpack_from("<H", head, at + 54)
    return int(tag)


def aiff(contents: Contents, found: Found) -> None:
    file = AIFF(fileobj=contents.bounded())
    _stream(found, file.info)
    found.bits_per_sample = file.info.bits_per_sample
    if contents.head[8:12] == b"AIFF" and found.bits_per_sample:
        found.audio_codec = f"pcm_s{(found.bits_per_sample + 7) // 8 * 8}be"
    id3.apply(found, _tag_in_chunk(contents, 12, struct.Struct(">4sL")))


def dsf(contents: Contents, found: Found) -> None:
    file = DSF(fileobj=contents.bounded())
    _stream(found, file.info)
    found.audio_codec, found.bits_per_sample = "dsd_lsbf_planar", 1
    # The tag is at the end; where, is told behind the size of the file (DSF 1.01, DSD chunk).
    (start,) = struct.unpack("<Q", contents.head[20:28])
    if 0 < start < contents.size:
        id3.apply(found, Tag(contents.at(start, min(contents.size - start, MAX_TAG_BYTES))))


def dff(contents: Contents, found: Found) -> None:
    file = DSDIFF(fileobj=contents.bounded())
    _stream(found, file.info)
    found.audio_codec, found.bits_per_sample = "dsd_msbf", 1
    id3.apply(found, _tag_in_chunk(contents, 16, struct.Struct(">4sQ")))


def _tag_in_chunk(contents: Contents, at: int, header: struct.Struct) -> Tag:
    """The ID3 tag in the chunks of an IFF file that begin ``at``; each has a name and a size."""
    for _ in range(MAX_CHUNKS):
        head = contents.at(at, header.size)
        if len(head) < header.size:
            break
        name, size = header.unpack(head)
        at += header.size
        if name.upper() == b"ID3 ":
            return Tag(contents.at(at, min(size, MAX_TAG_BYTES)))
        at += size + size % 2
    return Tag(b"")


def tta(contents: Contents, found: Found) -> None:
    file = TrueAudio(fileobj=contents.bounded())
    _stream(found, file.info)
    found.audio_codec = "tta"
    # TTA1, then format, channels and bits in two bytes each; mutagen reads neither of the latter.
    head = contents.at(id3_size(contents.head), 10)
    if len(head) == 10 and head[:4] == b"TTA1":
        found.channels, found.bits_per_sample = struct.unpack_from("<HH", head, 6)
    found.bitrate = round(contents.size * 8 / found.duration) if found.duration else None
    id3.apply(found, id3_tag.read(contents))
    _ape_behind(contents, found)


def monkeys_audio(contents: Contents, found: Found) -> None:
    _with_ape(contents, found, MonkeysAudio(fileobj=contents.bounded()), "ape")


def wavpack(contents: Contents, found: Found) -> None:
    _with_ape(contents, found, WavPack(fileobj=contents.bounded()), "wavpack")


def musepack(contents: Contents, found: Found) -> None:
    file = Musepack(fileobj=contents.bounded())
    _with_ape(contents, found, file, "musepack8" if file.info.version >= 8 else "musepack7")


def _with_ape(
    contents: Contents, found: Found, file: MonkeysAudio | WavPack | Musepack, codec: str
) -> None:
    _stream(found, file.info)
    found.audio_codec = codec
    found.bits_per_sample = getattr(file.info, "bits_per_sample", None)
    if found.duration:
        found.bitrate = round(contents.size * 8 / found.duration)
    if file.tags is not None:
        tags.ape(found, file.tags)


_ADTS_RATES = (
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
)  # fmt: skip
_LOW_COMPLEXITY = 1


def adts(contents: Contents, found: Found) -> None:
    """AAC without a container (ISO/IEC 14496-3 §1.A.2.2)."""
    start = id3_size(contents.head)
    head = contents.at(start, 8)
    if len(head) < 8 or (rate_index := head[2] >> 2 & 15) >= len(_ADTS_RATES):
        raise UnreadableMedia("not an ADTS stream")
    counted = frames.count_adts(contents, start)
    # What looks like a header is not rare in other bytes; frames that follow each other are.
    if not counted.samples or counted.frame_bytes * 2 < counted.walked:
        raise UnreadableMedia("not an ADTS stream")
    configuration = (head[2] & 1) << 2 | head[3] >> 6
    found.audio_codec = "aac"
    found.sample_rate = _ADTS_RATES[rate_index]
    # 0: told inside the frames; 7 is eight channels (ISO/IEC 14496-3 Table 1.19).
    found.channels = {0: None, 7: 8}.get(configuration, configuration)
    found.duration = counted.scaled(contents.size - start) / found.sample_rate
    found.bitrate = round(counted.frame_bytes * 8 * found.sample_rate / counted.samples)
    if start:
        id3.apply(found, id3_tag.read(contents))
    dlna_profiles.aac_adts(found, low_complexity=head[2] >> 6 == _LOW_COMPLEXITY)


def amr(contents: Contents, found: Found) -> None:
    """AMR storage format, one channel (RFC 4867 §5)."""
    wide = contents.head.startswith(b"#!AMR-WB\n")
    if not wide and not contents.head.startswith(b"#!AMR\n"):
        raise UnreadableMedia("AMR of several channels")
    found.audio_codec = "amrwb" if wide else "amrnb"
    found.sample_rate, found.channels = (16000 if wide else 8000), 1
    start = 9 if wide else 6
    counted = frames.count_amr(contents, start, wide=wide)
    found.duration = counted.scaled(contents.size - start) / found.sample_rate
    if found.duration:
        found.bitrate = round((contents.size - start) * 8 / found.duration)


READERS: dict[str, Callable[[Contents, Found], None]] = {
    "mp3": mp3,
    "flac": flac,
    "ogg": ogg,
    "mp4": mp4,
    "asf": wma,
    "wav": riff.read,
    "aiff": aiff,
    "dsf": dsf,
    "dff": dff,
    "tta": tta,
    "ape": monkeys_audio,
    "wv": wavpack,
    "mpc": musepack,
    "adts": adts,
    "amr": amr,
}
"""By format, as :func:`contents.format_of` names them."""
