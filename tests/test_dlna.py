"""DLNA's words. Expected values are those of dlna-http and of the servers it was read from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver import dlna
from mediaserver.dlna import TransferMode, TransferRequest


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        # minidlna and dms, stored audio and video.
        (
            dlna.content_features(kind="video"),
            "DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=01700000000000000000000000000000",
        ),
        (
            dlna.content_features(kind="audio", profile="MP3"),
            "DLNA.ORG_PN=MP3;DLNA.ORG_OP=01;DLNA.ORG_CI=0;"
            "DLNA.ORG_FLAGS=01700000000000000000000000000000",
        ),
        # minidlna, an image.
        (
            dlna.content_features(kind="image"),
            "DLNA.ORG_OP=01;DLNA.ORG_FLAGS=00F00000000000000000000000000000",
        ),
        # A scaled image; with OP, as its bytes can be had in parts.
        (
            dlna.content_features(kind="image", profile="JPEG_SM", converted=True),
            "DLNA.ORG_PN=JPEG_SM;DLNA.ORG_OP=01;DLNA.ORG_CI=1;"
            "DLNA.ORG_FLAGS=00F00000000000000000000000000000",
        ),
        # Transcoded, not seekable.
        (
            dlna.content_features(kind="video", converted=True, byte_seek=False),
            "DLNA.ORG_CI=1;DLNA.ORG_FLAGS=01700000000000000000000000000000",
        ),
    ],
)
def test_content_features_are_written_as_other_servers_write_them(
    features: str, expected: str
) -> None:
    assert features == expected


def test_protocol_info_has_four_fields() -> None:
    # CM:1 §2.5.2
    assert dlna.protocol_info("audio/mpeg", "DLNA.ORG_OP=01") == (
        "http-get:*:audio/mpeg:DLNA.ORG_OP=01"
    )
    assert dlna.protocol_info("audio/mpeg") == "http-get:*:audio/mpeg:*"


@pytest.mark.parametrize(
    ("mode", "tos"),
    [
        (TransferMode.STREAMING, 0xA0),
        (TransferMode.INTERACTIVE, 0),
        (TransferMode.BACKGROUND, 0x20),
    ],
)
def test_a_mode_has_its_traffic_class(mode: TransferMode, tos: int) -> None:
    # dlna-http 7, QoS
    assert mode.traffic_class == tos


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_av_is_streamed_unless_the_request_says_otherwise(kind: str) -> None:
    # DLNA 7.5.4.3.2.33.2
    assert dlna.read_request({}, kind) == TransferRequest(TransferMode.STREAMING)


def test_an_image_is_fetched_interactively_unless_the_request_says_otherwise() -> None:
    assert dlna.read_request({}, "image").mode is TransferMode.INTERACTIVE


@pytest.mark.parametrize("kind", ["audio", "video", "image"])
@pytest.mark.parametrize("mode", ["Interactive", "Background", "background"])
def test_a_mode_that_is_offered_or_tolerated_is_taken(mode: str, kind: str) -> None:
    # Interactive for films: Samsung televisions (dlna-http 3).
    assert dlna.read_request({"transfermode.dlna.org": mode}, kind).mode == mode.capitalize()


def test_what_is_asked_for_is_told() -> None:
    asked = dlna.read_request(
        {
            "getcontentfeatures.dlna.org": "1",
            "realtimeinfo.dlna.org": "DLNA.ORG_TLAG=*",
            "getavailableseekrange.dlna.org": "1",
            "getmediainfo.sec": "1",
            "getcaptioninfo.sec": "1",
        },
        "video",
    )
    assert asked == TransferRequest(TransferMode.STREAMING, True, True, True, True, True)


@pytest.mark.parametrize(
    ("headers", "kind", "status"),
    [
        ({"transfermode.dlna.org": "Streaming"}, "image", 406),
        ({"transfermode.dlna.org": "Slow"}, "video", 400),
        ({"transfermode.dlna.org": ""}, "video", 400),
        ({"getcontentfeatures.dlna.org": "0"}, "video", 400),
        ({"getcontentfeatures.dlna.org": ""}, "video", 400),
        ({"getavailableseekrange.dlna.org": "2"}, "video", 400),
        ({"timeseekrange.dlna.org": "npt=10.0-"}, "video", 406),  # 7.3.33.4
        ({"playspeed.dlna.org": "speed=2"}, "video", 406),  # 7.5.4.3.3.16.5
        ({"playspeed.dlna.org": "speed=-1/2"}, "video", 406),
        ({"playspeed.dlna.org": "fast"}, "video", 400),  # 7.5.4.3.3.16.3
        ({"playspeed.dlna.org": "speed=1/0"}, "video", 400),
        ({"playspeed.dlna.org": "speed=\u0661"}, "video", 400),
        (
            {"transfermode.dlna.org": "Interactive", "realtimeinfo.dlna.org": "DLNA.ORG_TLAG=*"},
            "image",
            400,
        ),
    ],
)
def test_nonsense_is_400_and_what_is_not_supported_is_406(
    headers: dict[str, str], kind: str, status: int
) -> None:
    # dlna-http 3 to 5, 10
    with pytest.raises(dlna.Refused) as caught:
        dlna.read_request(headers, kind)
    assert caught.value.status == status


@pytest.mark.parametrize(
    "headers",
    [
        {"playspeed.dlna.org": "speed=1"},
        {"playspeed.dlna.org": "speed=2", "range": "bytes=0-"},  # 7.5.4.3.3.19.2
        {"timeseekrange.dlna.org": "npt=1-", "range": "bytes=0-"},
        {"peermanager.dlna.org": "uuid:1", "scid.dlna.org": "5", "future.dlna.org": "x"},
        {"getmediainfo.sec": "0", "getcaptioninfo.sec": "0"},
    ],
)
def test_what_means_nothing_here_is_ignored(headers: dict[str, str]) -> None:
    assert dlna.read_request(headers, "video") == TransferRequest(TransferMode.STREAMING)


NAMES = st.sampled_from(
    ["transfermode.dlna.org", "getcontentfeatures.dlna.org", "playspeed.dlna.org", "range",
     "timeseekrange.dlna.org", "realtimeinfo.dlna.org", "getavailableseekrange.dlna.org"]
)  # fmt: skip


@given(st.dictionaries(NAMES, st.text(max_size=40)), st.sampled_from(["audio", "video", "image"]))
def test_any_headers_are_read_or_refused(headers: dict[str, str], kind: str) -> None:
    try:
        asked = dlna.read_request(headers, kind)
    except dlna.Refused as refused:
        assert refused.status in (400, 406)  # noqa: PT017 - either is right
    else:
        assert asked.mode in TransferMode


def test_samsung_is_told_the_duration_in_milliseconds() -> None:
    assert dlna.media_info(187_500) == "SEC_Duration=187500;"


def test_the_seek_range_of_stored_content_is_all_of_it() -> None:
    # dlna-http 3: <mode> npt=S-E [bytes=a-b], times as %.3f seconds (dlna-http 4)
    assert dlna.available_seek_range(187_500, 1000) == "1 npt=0.000-187.500 bytes=0-999"
