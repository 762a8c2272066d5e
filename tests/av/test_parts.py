"""DIDL-Lite of parts of files: what is told is what is sent."""

from dataclasses import replace
from typing import Any

import pytest

from mediaserver.av import didl, filter
from mediaserver.av.source_protocol_info import source
from mediaserver.clients import UNKNOWN, ClientProfile
from mediaserver.library.decoding import pcm
from mediaserver.library.objects import Item, Span
from tests.av.library_fake import BASE_URL, TRACK, objects_of

PART: Item = replace(
    TRACK,
    span=Span(60_000_000, 241_500_000),
    duration_ms=181_500,
    sample_rate=44_100,
    channels=2,
    bits_per_sample=16,
)
SAMPLES = 8_004_150  # 181.5 s of 44,100 a second
CONVERTED = "DLNA.ORG_OP=01;DLNA.ORG_CI=1;DLNA.ORG_FLAGS=017" + "0" * 29


def resources(item: Item, wanted: str = "*", profile: ClientProfile = UNKNOWN) -> list[Any]:
    writer = didl.writer(filter.parse(wanted), profile, BASE_URL)
    result, _ = writer.result([item], 1 << 20)
    [element] = objects_of(result)
    return list(element.iter("{*}res"))


def test_a_part_is_told_as_wav_and_as_lpcm() -> None:
    wav, lpcm = resources(PART)
    assert (wav.text, dict(wav.attrib)) == (
        f"{BASE_URL}/converted/{PART.key:x}-wav.wav",
        {
            "protocolInfo": f"http-get:*:audio/x-wav:{CONVERTED}",
            "size": str(44 + SAMPLES * 4),
            "duration": "0:03:01.500",
            "bitrate": "176400",  # bytes a second (CDS:1 Appendix B)
            "sampleFrequency": "44100",
            "bitsPerSample": "16",
            "nrAudioChannels": "2",
        },
    )
    assert lpcm.text == f"{BASE_URL}/converted/{PART.key:x}-l16.l16"
    assert lpcm.get("size") == str(SAMPLES * 4)
    assert lpcm.get("protocolInfo") == (
        f"http-get:*:audio/L16;rate=44100;channels=2:DLNA.ORG_PN=LPCM;{CONVERTED}"
    )


def test_each_resource_tells_its_own_figures() -> None:
    wav, lpcm = resources(replace(PART, bits_per_sample=24))
    names = ("bitsPerSample", "bitrate", "size")
    assert [wav.get(name) for name in names] == ["24", "264600", str(44 + SAMPLES * 6)]
    assert [lpcm.get(name) for name in names] == ["16", "176400", str(SAMPLES * 4)]


@pytest.mark.parametrize("changed", [{"sample_rate": 96_000}, {"channels": 6}])
def test_what_dlna_has_no_lpcm_for_is_wav_alone(changed: dict[str, Any]) -> None:
    [res] = resources(replace(PART, **changed))
    assert "audio/x-wav" in res.get("protocolInfo")


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("dc:title", None),
        ("res", ["protocolInfo"]),
        ("res@size", ["protocolInfo", "size"]),
        ("res@duration,res@bitrate", ["bitrate", "duration", "protocolInfo"]),
    ],
)
def test_the_filter_is_kept(wanted: str, names: list[str] | None) -> None:
    told = [sorted(res.attrib) for res in resources(PART, wanted)]
    assert told == ([] if names is None else [names, names])


def test_a_device_is_told_its_own_names_and_no_profile_that_it_cannot_bear() -> None:
    profile = ClientProfile(
        mime_types={"audio/x-wav": "audio/wav"}, without_dlna_profile=frozenset({"audio/L16"})
    )
    wav, lpcm = resources(PART, profile=profile)
    assert wav.get("protocolInfo").startswith("http-get:*:audio/wav:")
    assert "DLNA.ORG_PN" not in lpcm.get("protocolInfo")


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_what_parts_are_sent_as_is_offered(rate: int, channels: int) -> None:
    entries = source(UNKNOWN).split(",")
    for stream in pcm.streams(replace(PART, sample_rate=rate, channels=channels)):
        told = f"http-get:*:{stream.mime_type}{stream.parameters}:"
        assert f"{told}*" in entries
        if stream.dlna_profile is not None:
            assert f"{told}DLNA.ORG_PN={stream.dlna_profile}" in entries
