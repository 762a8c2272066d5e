"""DLNA's words: the fourth field of protocolInfo, and the HTTP headers of a transfer, as values.

The fourth field (*content features*) stands in ``res@protocolInfo``, in SourceProtocolInfo and in
the header ``contentFeatures.dlna.org``: it has to be the same text in all three places, so all
take it from here. Content is stored files and pictures made smaller: Range always works, time seek
and play speeds do not (DLNA 7.5.4.3.2.24, 7.5.4.3.3.16). A leaf: imports nothing of ours.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from functools import lru_cache

IMAGE = "image"
"""The one kind of content that is not streamed; the others are ``audio`` and ``video``."""


class Flag(IntFlag):
    """Primary flags of DLNA.ORG_FLAGS (dlna-http 1); the other 96 bits are zero."""

    STREAMING = 0x0100_0000
    INTERACTIVE = 0x0080_0000
    BACKGROUND = 0x0040_0000
    STALLING = 0x0020_0000
    """The receiver may pause by not reading."""
    DLNA_1_5 = 0x0010_0000
    """Without it all flags above count as zero."""


class TransferMode(StrEnum):
    """What a receiver wants of a transfer (``transferMode.dlna.org``)."""

    STREAMING = "Streaming"
    INTERACTIVE = "Interactive"
    BACKGROUND = "Background"

    @property
    def traffic_class(self) -> int:
        """The IP TOS byte, DSCP in its upper six bits (DLNAQOS_2, _1, _0)."""
        return _TRAFFIC_CLASSES[self]


_TRAFFIC_CLASSES = {
    TransferMode.STREAMING: 0x28 << 2,
    TransferMode.INTERACTIVE: 0,
    TransferMode.BACKGROUND: 0x08 << 2,
}
_MODES = {mode.lower(): mode for mode in TransferMode}


@lru_cache(maxsize=1024)
def content_features(
    *,
    kind: str,
    profile: str | None = None,
    converted: bool = False,
    byte_seek: bool = True,
) -> str:
    """The fourth field for content of one kind (``audio``, ``video``, ``image``).

    ``profile`` is the DLNA.ORG_PN, only for content that truly conforms. Parameters stand in the
    order of DLNA 7.4.1.3.13; those without a value are left out. Of pictures CI is told only when
    they were made from others (dlna-http 1).
    """
    still = kind == IMAGE
    flags = Flag.BACKGROUND | Flag.STALLING | Flag.DLNA_1_5
    flags |= Flag.INTERACTIVE if still else Flag.STREAMING
    parameters = []
    if profile:
        parameters.append(f"DLNA.ORG_PN={profile}")
    if byte_seek:
        parameters.append("DLNA.ORG_OP=01")
    if converted or not still:
        parameters.append(f"DLNA.ORG_CI={int(converted)}")
    parameters.append(f"DLNA.ORG_FLAGS={int(flags):08X}{0:024}")
    return ";".join(parameters)


def protocol_info(mime_type: str, features: str = "*") -> str:
    """The four fields of a resource fetched by HTTP (CM:1 §2.5.2)."""
    return f"http-get:*:{mime_type}:{features}"


def default_mode(kind: str) -> TransferMode:
    """What counts when a request does not say (DLNA 7.5.4.3.2.33.2)."""
    return TransferMode.INTERACTIVE if kind == IMAGE else TransferMode.STREAMING


class Refused(Exception):  # noqa: N818 - says what happened to the request
    """A DLNA header asks what cannot be had: 400 for nonsense, 406 for what is not supported."""

    def __init__(self, status: int, header: str) -> None:
        super().__init__(status, header)
        self.status = status
        self.header = header


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """What the DLNA headers of a GET or HEAD ask for."""

    mode: TransferMode
    content_features: bool = False
    real_time_info: bool = False
    available_seek_range: bool = False
    media_info: bool = False
    """Samsung's ``getMediaInfo.sec``."""
    caption_info: bool = False
    """Samsung's ``getCaptionInfo.sec``."""


def read_request(headers: Mapping[str, str], kind: str) -> TransferRequest:
    """Read the DLNA headers of a request (dlna-http 3); names are in lower case.

    Raises Refused. Headers of DLNA that are not known here are ignored, as they must be.
    """
    mode = _mode(headers, kind)
    real_time_info = "realtimeinfo.dlna.org" in headers
    if real_time_info and headers.get("transfermode.dlna.org", "").lower() == "interactive":
        raise Refused(400, "realTimeInfo.dlna.org")
    if "range" not in headers:
        # With a Range both are ignored: DLNA 7.5.4.3.3.19.2, and Range goes before time seek.
        if "timeseekrange.dlna.org" in headers:
            raise Refused(406, "TimeSeekRange.dlna.org")
        _check_speed(headers.get("playspeed.dlna.org"))
    return TransferRequest(
        mode,
        content_features=_asked(headers, "getcontentFeatures.dlna.org"),
        real_time_info=real_time_info,
        available_seek_range=_asked(headers, "getAvailableSeekRange.dlna.org"),
        media_info=headers.get("getmediainfo.sec") == "1",
        caption_info=headers.get("getcaptioninfo.sec") == "1",
    )


def _mode(headers: Mapping[str, str], kind: str) -> TransferMode:
    value = headers.get("transfermode.dlna.org")
    if value is None:
        return default_mode(kind)
    mode = _MODES.get(value.lower())
    if mode is None:
        raise Refused(400, "transferMode.dlna.org")
    # Samsung televisions ask for films with Interactive: tolerated, though FLAGS do not offer it.
    if mode is TransferMode.STREAMING and kind == IMAGE:
        raise Refused(406, "transferMode.dlna.org")
    return mode


def _asked(headers: Mapping[str, str], name: str) -> bool:
    """Whether a header that may only be ``1`` is there."""
    value = headers.get(name.lower())
    if value not in (None, "1"):
        raise Refused(400, name)
    return value is not None


_SPEED = re.compile(r"speed=-?([0-9]{1,4})(?:/([0-9]{1,4}))?", re.ASCII)


def _check_speed(value: str | None) -> None:
    """``speed=1`` is as if absent; others are not in DLNA.ORG_PS (DLNA 7.5.4.3.3.16.3, .5)."""
    if value is None:
        return
    match = _SPEED.fullmatch(value)
    if match is None or (match[2] is not None and int(match[2]) == 0):
        raise Refused(400, "PlaySpeed.dlna.org")
    if value != "speed=1":
        raise Refused(406, "PlaySpeed.dlna.org")


def available_seek_range(duration_ms: int, size: int) -> str:
    """Value of ``availableSeekRange.dlna.org`` for content that is wholly there (dlna-http 3)."""
    bytes_part = f" bytes=0-{size - 1}" if size else ""
    return f"1 npt=0.000-{duration_ms / 1000:.3f}{bytes_part}"


def media_info(duration_ms: int) -> str:
    """Value of Samsung's ``MediaInfo.sec``; in milliseconds."""
    return f"SEC_Duration={duration_ms};"
