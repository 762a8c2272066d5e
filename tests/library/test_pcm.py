"""Parts of files as PCM: their forms, and sizes that are known before anything is decoded."""

import io
import struct
import wave
from dataclasses import dataclass
from itertools import pairwise

import pytest

from mediaserver.library.decoding import pcm
from mediaserver.library.decoding.pcm import Form, Format, PcmStream, sample_at
from mediaserver.library.objects import Span

SECOND = Span(0, 1_000_000)


@dataclass(frozen=True)
class Part:
    span: Span | None = SECOND
    sample_rate: int | None = 44_100
    channels: int | None = 2
    bits_per_sample: int | None = 16


def forms(part: Part) -> list[Form]:
    return [stream.form for stream in pcm.streams(part)]


def wav(part: Part) -> PcmStream:
    return pcm.streams(part)[0]


def test_a_whole_file_has_no_forms() -> None:
    assert forms(Part(span=None)) == []


def test_wav_comes_first_and_lpcm_second() -> None:
    assert forms(Part()) == [Form.WAV, Form.L16]


@pytest.mark.parametrize(
    "part", [Part(sample_rate=96_000), Part(sample_rate=32_000), Part(channels=6)]
)
def test_lpcm_is_had_only_as_dlna_has_it(part: Part) -> None:
    # dlna-profiles: LPCM at 44.1 and 48 kHz, one or two channels.
    assert forms(part) == [Form.WAV]


def test_lpcm_of_finer_sound_has_16_bits() -> None:
    first, second = pcm.streams(Part(bits_per_sample=24))
    assert (first.format.bits, second.format.bits) == (24, 16)
    assert (second.size, second.mime_type, second.dlna_profile) == (176_400, "audio/L16", "LPCM")
    # RFC 2586 §3.1
    assert second.parameters == ";rate=44100;channels=2"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ((44_100, 2, 16), Format(44_100, 2, 16)),
        ((48_000, 1, None), Format(48_000, 1, 16)),  # of lossy sound no bits are known
        ((8_000, 1, 8), Format(8_000, 1, 16)),
        ((96_000, 6, 20), Format(96_000, 6, 24)),
        ((192_000, 2, 32), Format(192_000, 2, 24)),
        ((2_822_400, 2, 1), Format(88_200, 2, 24)),  # DSD64
        ((384_000, 2, 32), Format(96_000, 2, 24)),
        ((None, None, None), Format(44_100, 2, 16)),
        ((48_000, 16, 16), Format(48_000, 8, 16)),
    ],
)
def test_sound_stays_what_it_is_where_devices_play_that(
    known: tuple[int | None, int | None, int | None], expected: Format
) -> None:
    assert pcm.format_of(*known) == expected
    assert pcm.format_of(expected.rate, expected.channels, expected.bits) == expected


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 88_200, 96_000, 192_000])
def test_a_time_that_was_a_samples_is_that_sample_again(rate: int) -> None:
    for sample in (*range(1000), rate * 3600 + 1, rate * 4711 - 1):
        assert sample_at(round(sample * 1_000_000 / rate), rate) == sample


def test_a_frame_of_a_cd_is_588_samples() -> None:
    # Red Book: 75 frames a second of 588 samples each, at 44.1 kHz; times are rounded to 1 us.
    for frame in range(0, 75 * 60, 7):
        assert sample_at(round(frame * 1_000_000 / 75), 44_100) == frame * 588


def test_the_parts_of_a_file_join() -> None:
    times = [0, 1, 3_333_333, 7_654_321, 7_654_322, 60_000_001]
    streams = [wav(Part(span=Span(begin, end))) for begin, end in pairwise(times)]
    for before, after in pairwise(streams):
        assert before.stop == after.first


@pytest.mark.parametrize("part", [Part(), Part(channels=1), Part(bits_per_sample=24)])
def test_a_header_is_what_others_read(part: Part) -> None:
    stream = wav(part)
    with wave.open(io.BytesIO(stream.header() + bytes(stream.data_size))) as file:
        assert file.getnframes() == 44_100
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth() * 8) == (
            44_100,
            part.channels,
            part.bits_per_sample,
        )
    assert stream.size == 44 + stream.data_size


def test_the_header_of_more_than_two_channels_tells_their_speakers() -> None:
    stream = wav(Part(channels=6, bits_per_sample=24))
    # WAVEFORMATEXTENSIBLE: 40 bytes, tag FFFE, valid bits, mask 3F (5.1), GUID of PCM.
    size, tag, channels = struct.unpack_from("<IHH", stream.header(), 16)
    assert (size, tag, channels) == (40, 0xFFFE, 6)
    assert struct.unpack_from("<HHI", stream.header(), 36) == (22, 24, 0x3F)
    assert stream.header()[44:60].hex() == "0100000000001000800000aa00389b71"


def test_an_odd_number_of_bytes_is_filled_up() -> None:
    # RIFF: chunks are padded to an even length, which is not part of theirs.
    stream = wav(Part(span=Span(0, 100_000), sample_rate=11_010, channels=1, bits_per_sample=24))
    assert stream.data_size == 3303
    assert stream.size == 44 + 3304
    riff, data = struct.unpack_from("<I", stream.header(), 4), stream.header()[-4:]
    assert riff == (stream.size - 8,)
    assert int.from_bytes(data, "little") == 3303


def test_more_than_a_header_can_tell_is_as_much_as_it_can() -> None:
    day = Part(span=Span(0, 86_400_000_000), sample_rate=192_000, bits_per_sample=24)
    assert wav(day).header()[4:8] == wav(day).header()[-4:] == b"\xff" * 4
    assert wav(day).size == 44 + 86_400 * 192_000 * 6
