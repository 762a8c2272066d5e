"""Every path the server answers on, built and taken apart in one place.

Only letters, digits, ``-``, ``.``, ``_`` and ``/`` occur: some HTTP clients rewrite everything
else. Paths carry opaque numbers, never names of files.
"""

import re

PRESENTATION = "/"
DESCRIPTION = "/description.xml"
HEALTH = "/health"
METRICS = "/metrics"
STATUS = "/status.json"
SCAN = "/scan"

ICON = "/icon/"
SERVICE = "/service/"
"""Below it: ``<service>/scpd.xml``, ``<service>/control``, ``<service>/event``."""
MEDIA = "/media/"
CONVERTED = "/converted/"
ART = "/art/"
IMAGE = "/image/"
SUBTITLE = "/subtitle/"

_KEY = r"[0-9a-f]{1,16}"
_MEDIA = re.compile(rf"/media/(?P<key>{_KEY})(?:\.[a-z0-9]{{1,8}})?", re.ASCII)
_CONVERTED = re.compile(
    rf"/converted/(?P<key>{_KEY})-(?P<form>[a-z0-9]{{1,8}})(?:\.[a-z0-9]{{1,8}})?", re.ASCII
)
_ART = re.compile(
    rf"/art/(?P<key>{_KEY})-(?P<profile>[A-Z]{{3,4}}_[A-Z]{{2,3}}|original)"
    r"(?:\.[a-z0-9]{1,8})?",
    re.ASCII,
)
_IMAGE = re.compile(
    rf"/image/(?P<key>{_KEY})-(?P<profile>[A-Z]{{3,4}}_[A-Z]{{2,3}})"
    r"(?:\.[a-z0-9]{1,8})?",
    re.ASCII,
)
_SUBTITLE = re.compile(
    rf"/subtitle/(?P<key>{_KEY})-(?P<number>{_KEY})(?:\.[A-Za-z0-9-]{{1,12}}){{0,3}}", re.ASCII
)


def scpd(service: str) -> str:
    return f"{SERVICE}{service}/scpd.xml"


def control(service: str) -> str:
    return f"{SERVICE}{service}/control"


def event(service: str) -> str:
    return f"{SERVICE}{service}/event"


def icon(name: str) -> str:
    return f"{ICON}{name}"


def media(key: int, suffix: str) -> str:
    """The file itself. ``suffix`` with its dot: players look at it, the server does not."""
    return f"{MEDIA}{key:x}{suffix}"


def converted(key: int, form: str) -> str:
    """What is made of an item's file while it is sent. ``form`` (``wav``, ``l16``) is the suffix,
    too: players look at it."""
    return f"{CONVERTED}{key:x}-{form}.{form}"


def art(art_id: int, profile: str) -> str:
    """Art at a DLNA image profile (``JPEG_TN``), or ``original`` as found."""
    return f"{ART}{art_id:x}-{profile}" + ("" if profile == "original" else _suffix(profile))


def image(key: int, profile: str) -> str:
    """A photo, scaled to a DLNA image profile."""
    return f"{IMAGE}{key:x}-{profile}{_suffix(profile)}"


def subtitle(key: int, number: int, *words: str | None) -> str:
    """A subtitle of a video. The words (language, what it is for, format; those there are) stand
    behind it as in names of files: players show them."""
    return f"{SUBTITLE}{key:x}-{number:x}" + "".join(f".{word}" for word in words if word)


def parse_media(path: str) -> int | None:
    """The item's key; None for anything else."""
    match = _MEDIA.fullmatch(path)
    return int(match["key"], 16) if match else None


def parse_converted(path: str) -> tuple[int, str] | None:
    """The item's key and the form; None for anything else."""
    match = _CONVERTED.fullmatch(path)
    return (int(match["key"], 16), match["form"]) if match else None


def parse_art(path: str) -> tuple[int, str] | None:
    """Art id and profile; None for anything else."""
    match = _ART.fullmatch(path)
    return (int(match["key"], 16), match["profile"]) if match else None


def parse_image(path: str) -> tuple[int, str] | None:
    """The item's key and profile; None for anything else."""
    match = _IMAGE.fullmatch(path)
    return (int(match["key"], 16), match["profile"]) if match else None


def parse_subtitle(path: str) -> tuple[int, int] | None:
    """The video's key and the subtitle's number; None for anything else."""
    match = _SUBTITLE.fullmatch(path)
    return (int(match["key"], 16), int(match["number"], 16)) if match else None


def _suffix(profile: str) -> str:
    return ".png" if profile.startswith("PNG") else ".jpg"
