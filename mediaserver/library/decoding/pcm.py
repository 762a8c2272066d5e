"""The sound of a part of a file as plain samples (PCM): the forms it is had in, and their sizes.

A part is sent as a WAV file, which every device plays, and where DLNA has it so as bare samples
(LPCM: RFC 2586, 16 bits, the high byte first), which every DLNA renderer must play. Both are cut
at whole samples, so that the parts of a file join without a gap, and the number of bytes is known
before any is decoded. Pure functions and values.
"""

import struct
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from mediaserver.library.objects import Span
from mediaserver.media_types import MEDIA_TYPES

WAV_TYPE = MEDIA_TYPES["wav"].mime_type
L16_TYPE = "audio/L16"
LPCM_PROFILE = "LPCM"
LPCM_RATES = (44_100, 48_000)
LPCM_CHANNELS = 2
"""At most; DLNA's LPCM (dlna-profiles: media format profile of that name)."""

MAX_RATE = 192_000
"""Of what devices play. Beyond it are the streams of single bits of DSD, too."""
MAX_CHANNELS = 8
_CD_RATE = 44_100
_UINT32 = (1 << 32) - 1

_SPEAKERS = {3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
"""By the number of channels, the speakers in a WAVE header: FLAC's (RFC 9639 §9.1.3)."""
_PCM_GUID = bytes.fromhex("0100000000001000800000AA00389B71")
_PLAIN, _EXTENSIBLE = 1, 0xFFFE


class Form(StrEnum):
    """How samples are packed."""

    WAV = "wav"
    L16 = "l16"


@dataclass(frozen=True, slots=True)
class Format:
    """What samples are: so many a second, of so many channels, of so many bits (16 or 24)."""

    rate: int
    channels: int
    bits: int

    @property
    def block(self) -> int:
        """Bytes of one sample of all channels."""
        return self.channels * self.bits // 8

    @property
    def bitrate(self) -> int:
        """Bits a second."""
        return self.rate * self.block * 8

    @property
    def codec(self) -> str:
        """FFmpeg's name of it in a WAV file."""
        return f"pcm_s{self.bits}le"


def format_of(sample_rate: int | None, channels: int | None, bits: int | None) -> Format:
    """As what the sound of a file is sent, by what is known of it: unchanged wherever it can be.

    What is asked of the decoder, which converts what turns out to be otherwise.
    """
    rate = sample_rate or _CD_RATE
    precise = (bits or 16) > 16
    if rate > MAX_RATE:
        rate, precise = (88_200 if rate % _CD_RATE == 0 else 96_000), True
    return Format(rate, min(channels or 2, MAX_CHANNELS), 24 if precise else 16)


class Part(Protocol):
    """A part of a file: an Item or a MediaFile with a span."""

    @property
    def span(self) -> Span | None: ...
    @property
    def sample_rate(self) -> int | None: ...
    @property
    def channels(self) -> int | None: ...
    @property
    def bits_per_sample(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class PcmStream:
    """A part of a file in one form. Positions are samples from the beginning of the file."""

    form: Form
    format: Format
    first: int
    stop: int
    """Not included."""

    @property
    def data_size(self) -> int:
        """Bytes of the samples alone."""
        return (self.stop - self.first) * self.format.block

    @property
    def size(self) -> int:
        """Bytes of all."""
        size = len(self.header()) + self.data_size
        # Chunks of RIFF are of even length.
        return size + size % 2 if self.form is Form.WAV else size

    @property
    def mime_type(self) -> str:
        """Ours, without parameters."""
        return WAV_TYPE if self.form is Form.WAV else L16_TYPE

    @property
    def parameters(self) -> str:
        """Of the MIME type (RFC 2586 §3.1)."""
        if self.form is Form.WAV:
            return ""
        return f";rate={self.format.rate};channels={self.format.channels}"

    @property
    def dlna_profile(self) -> str | None:
        return None if self.form is Form.WAV else LPCM_PROFILE

    @property
    def big_endian(self) -> bool:
        return self.form is Form.L16

    def header(self) -> bytes:
        """What stands before the samples."""
        return _wav_header(self.format, self.data_size) if self.form is Form.WAV else b""


def streams(part: Part) -> tuple[PcmStream, ...]:
    """The forms in which a part can be had, the one that suits most devices first; none of what is
    no part.

    Programs take the first, and need no more than its header; renderers choose what they play.
    """
    if part.span is None:
        return ()
    own = format_of(part.sample_rate, part.channels, part.bits_per_sample)
    wav = wav_of(part.span, own)
    if own.rate not in LPCM_RATES or own.channels > LPCM_CHANNELS:
        return (wav,)
    return (wav, replace(wav, form=Form.L16, format=replace(own, bits=16)))


def wav_of(span: Span, own: Format) -> PcmStream:
    """A part as a WAV file."""
    first, stop = sample_at(span.begin_us, own.rate), sample_at(span.end_us, own.rate)
    return PcmStream(Form.WAV, own, first, max(first, stop))


def sample_at(microseconds: int, rate: int) -> int:
    """The sample nearest to a time; the same for the end of a part and the beginning of the next.

    A time that was a sample's before it was rounded to microseconds is that sample again.
    """
    return (microseconds * rate + 500_000) // 1_000_000


def _wav_header(own: Format, size: int) -> bytes:
    """RIFF WAVE. The plain form of 1991, which everything reads, even of 24 bits; that with
    the places of speakers where two channels are not all (Multiple channel audio data, 2001)."""
    plain = own.channels <= 2
    head = struct.pack(
        "<HHIIHH",
        _PLAIN if plain else _EXTENSIBLE,
        own.channels,
        own.rate,
        own.bitrate // 8,
        own.block,
        own.bits,
    )
    if not plain:
        head += struct.pack("<HHI", 22, own.bits, _SPEAKERS[own.channels]) + _PCM_GUID
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data"
    # Players take the largest length for "as much as there is".
    whole = min(len(body) + 4 + size + size % 2, _UINT32)
    return b"RIFF" + struct.pack("<I", whole) + body + struct.pack("<I", min(size, _UINT32))
