"""Sound of every format, written by FFmpeg's encoders, read back."""

import struct
from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest
from mutagen.mp3 import MP3

from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.library.readers import read
from tests import make_media

Read = Callable[[Path], MediaFacts]


def facts_of(path: Path) -> MediaFacts:
    facts = read(bytes(path))
    assert facts.reason is None
    return facts


FORMATS = [
    # suffix, codec, rate, channels, MIME type, codec name, bits, profile
    (".mp3", None, 44100, 2, "audio/mpeg", "mp3", None, "MP3"),
    (".mp3", None, 22050, 1, "audio/mpeg", "mp3", None, None),  # MPEG-2: not in profile MP3
    (".mp2", None, 48000, 2, "audio/mpeg", "mp2", None, None),
    (".flac", None, 44100, 1, "audio/flac", "flac", 16, None),
    (".ogg", None, 44100, 2, "audio/ogg", "vorbis", None, None),
    (".oga", "flac", 44100, 2, "audio/ogg", "flac", 16, None),
    (".opus", None, 48000, 1, "audio/ogg", "opus", None, None),
    (".ogg", "libopus", 48000, 2, "audio/ogg", "opus", None, None),
    (".m4a", None, 44100, 1, "audio/mp4", "aac", None, "AAC_ISO_320"),
    (".m4a", None, 48000, 6, "audio/mp4", "aac", None, "AAC_MULT5_ISO"),
    (".m4a", "alac", 44100, 2, "audio/mp4", "alac", 16, None),
    (".aac", None, 44100, 1, "audio/vnd.dlna.adts", "aac", None, "AAC_ADTS_320"),
    (".aac", None, 22050, 1, "audio/aac", "aac", None, None),  # may hide SBR
    (".wav", None, 44100, 2, "audio/x-wav", "pcm_s16le", 16, None),
    (".wav", "pcm_u8", 11025, 1, "audio/x-wav", "pcm_u8", 8, None),
    (".wav", "pcm_s24le", 96000, 2, "audio/x-wav", "pcm_s24le", 24, None),
    (".wav", "pcm_f32le", 44100, 1, "audio/x-wav", "pcm_f32le", 32, None),
    (".wav", "pcm_mulaw", 8000, 1, "audio/x-wav", "pcm_mulaw", 8, None),
    (".wav", "adpcm_ms", 44100, 2, "audio/x-wav", "adpcm_ms", None, None),
    (".wav", "adpcm_ima_wav", 22050, 1, "audio/x-wav", "adpcm_ima_wav", None, None),
    (".wav", "libmp3lame", 44100, 2, "audio/x-wav", "mp3", None, None),
    (".aiff", None, 44100, 2, "audio/x-aiff", "pcm_s16be", 16, None),
    (".wma", None, 44100, 2, "audio/x-ms-wma", "wmav2", None, "WMABASE"),
    (".wv", None, 44100, 2, "audio/x-wavpack", "wavpack", None, None),
    (".tta", None, 44100, 1, "audio/x-tta", "tta", None, None),
    (".ac3", None, 48000, 2, "audio/vnd.dolby.dd-raw", "ac3", None, "AC3"),
    (".eac3", None, 48000, 2, "audio/eac3", "eac3", None, None),
    (".mka", None, 48000, 1, "audio/x-matroska", "opus", None, None),
    (".mka", "flac", 44100, 2, "audio/x-matroska", "flac", None, None),
    (".weba", None, 48000, 2, "audio/webm", "opus", None, None),
    (".amr", None, 8000, 1, "audio/amr", "amrnb", None, None),
]


@pytest.mark.parametrize(
    ("suffix", "codec", "rate", "channels", "mime_type", "codec_name", "bits", "profile"), FORMATS
)
def test_sound_of_every_format_is_read(
    tmp_path: Path,
    suffix: str,
    codec: str | None,
    rate: int,
    channels: int,
    mime_type: str,
    codec_name: str,
    bits: int | None,
    profile: str | None,
) -> None:
    path = make_media.sound(
        tmp_path / f"A tone{suffix}", codec=codec, rate=rate, channels=channels, seconds=2.5
    )
    facts = facts_of(path)
    assert facts.kind is Kind.AUDIO
    assert facts.mime_type == mime_type
    assert facts.title == "A tone"
    assert facts.audio_codec == codec_name
    assert facts.video_codec is None
    assert (facts.sample_rate, facts.channels) == (rate, channels)
    assert facts.duration_ms == pytest.approx(2500, abs=100)
    assert facts.dlna_profile == profile
    if bits is not None:
        assert facts.bits_per_sample == bits
    size = path.stat().st_size * 8 / 2.5
    assert facts.bitrate == pytest.approx(size, rel=0.35)
    assert len(facts.fingerprint) == 16


def test_the_duration_of_a_variable_bit_rate_without_xing_header_is_counted(
    tmp_path: Path,
) -> None:
    path = make_media.sound(
        tmp_path / "a.mp3",
        seconds=9,
        noise_from=3,
        rate=22050,
        channels=1,
        options={"flags": "+qscale", "global_quality": str(8 * 118)},
        container_options={"write_xing": "0"},
    )
    # mutagen takes the first frames for all: that this file needs counting is part of the test.
    assert abs(MP3(path).info.length - 9) > 1
    assert facts_of(path).duration_ms == pytest.approx(9000, abs=100)


def test_the_duration_of_bare_aac_of_changing_bit_rate_is_counted(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.aac", seconds=8, noise_from=4, bitrate=96000)
    assert facts_of(path).duration_ms == pytest.approx(8000, abs=100)


def test_a_fragmented_mp4_has_its_full_duration(tmp_path: Path) -> None:
    path = make_media.sound(
        tmp_path / "a.m4a",
        seconds=7,
        container_options={"movflags": "frag_keyframe+empty_moov", "frag_duration": "1000000"},
        metadata={"title": "In pieces", "artist": "Somebody"},
    )
    assert mutagen.File(path).info.length == 0
    facts = facts_of(path)
    assert facts.duration_ms == pytest.approx(7000, abs=100)
    assert (facts.title, facts.artists) == ("In pieces", ("Somebody",))
    assert facts.mime_type == "audio/mp4"


def test_mono_in_mp4_is_mono(tmp_path: Path) -> None:
    """Its sample entry says 2 channels for both (ISO/IEC 14496-12); the codec's own data counts."""
    path = make_media.sound(tmp_path / "a.m4a", channels=1)
    data = path.read_bytes()
    entry = data.index(b"mp4a") + 4 + 16
    path.write_bytes(data[:entry] + b"\0\2" + data[entry + 2 :])
    assert facts_of(path).channels == 1


def test_sound_in_a_file_named_mp4_is_audio(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp4", codec="aac", metadata={"title": "Only sound"})
    facts = facts_of(path)
    assert facts.kind is Kind.AUDIO
    assert facts.mime_type == "audio/mp4"
    assert facts.title == "Only sound"
    assert facts.dlna_profile == "AAC_ISO_320"


def test_sound_in_a_file_named_3gp_is_audio(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.3gp", codec="aac", container="3gp")
    facts = facts_of(path)
    assert (facts.kind, facts.mime_type) == (Kind.AUDIO, "audio/3gpp")


def test_sound_in_a_file_named_mkv_is_audio(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mkv", codec="flac")
    facts = facts_of(path)
    assert (facts.kind, facts.mime_type) == (Kind.AUDIO, "audio/x-matroska")


def test_sound_in_a_file_named_asf_is_audio(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.asf", codec="wmav2", container="asf")
    facts = facts_of(path)
    assert (facts.kind, facts.mime_type) == (Kind.AUDIO, "audio/x-ms-wma")


def test_a_file_under_a_wrong_suffix_is_what_it_contains(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.flac", seconds=2).rename(tmp_path / "a.mp3")
    facts = facts_of(path)
    assert (facts.mime_type, facts.audio_codec) == ("audio/flac", "flac")
    assert facts.duration_ms == pytest.approx(2000, abs=10)


def test_rf64_has_its_length_in_a_chunk_of_64_bits(tmp_path: Path) -> None:
    """EBU Tech 3306 §4."""
    sound = bytes(2 * 2 * 8000 * 3)
    form = struct.pack("<HHIIHH", 1, 2, 8000, 32000, 4, 16)
    sizes = struct.pack("<QQQI", len(sound) + 100, len(sound), 24000, 0)
    data = make_media.riff(
        (b"ds64", sizes), (b"fmt ", form), (b"data", sound), magic=b"RF64"
    ).replace(b"data" + struct.pack("<I", len(sound)), b"data\xff\xff\xff\xff")
    (tmp_path / "a.wav").write_bytes(data)
    facts = facts_of(tmp_path / "a.wav")
    assert facts.duration_ms == 3000
    assert (facts.sample_rate, facts.channels) == (8000, 2)


def test_gsm_in_wav_has_the_duration_of_its_fact_chunk(tmp_path: Path) -> None:
    """GSM 6.10 packs 320 samples into 65 bytes."""
    form = struct.pack("<HHIIHHHH", 0x31, 1, 8000, 1625, 65, 0, 2, 320)
    data = make_media.riff(
        (b"fmt ", form), (b"fact", struct.pack("<I", 16000)), (b"data", bytes(50 * 65))
    )
    (tmp_path / "a.wav").write_bytes(data)
    facts = facts_of(tmp_path / "a.wav")
    assert (facts.duration_ms, facts.audio_codec) == (2000, "gsm_ms")


def test_latm_is_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.aac", container="latm", seconds=3)
    facts = facts_of(path)
    assert facts.audio_codec == "aac_latm"
    assert facts.duration_ms == pytest.approx(3000, abs=100)


def test_a_fingerprint_stays_when_the_file_is_renamed_and_changes_with_the_contents(
    tmp_path: Path,
) -> None:
    path = make_media.sound(tmp_path / "a.wav")
    before = facts_of(path).fingerprint
    path = path.rename(tmp_path / "b.wav")
    assert facts_of(path).fingerprint == before
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert facts_of(path).fingerprint != before
