"""One URL of every family that the program answers on, and the methods that reach it."""

from urllib.parse import urlsplit

from tests.end_to_end.program import Program
from tests.security.wire import ask, everything

FIXED = {
    "page": ("GET", "/"),
    "health": ("GET", "/health"),
    "metrics": ("GET", "/metrics"),
    "static": ("GET", "/static/style.css"),
    "description": ("GET", "/description.xml"),
    "scpd": ("GET", "/service/ContentDirectory/scpd.xml"),
    "control": ("POST", "/service/ContentDirectory/control"),
    "event": ("SUBSCRIBE", "/service/ContentDirectory/event"),
    "cancel": ("UNSUBSCRIBE", "/service/ContentDirectory/event"),
    "nothing": ("GET", "/no/such/thing"),
    "scan now": ("POST", "/scan"),
    "wrong method": ("DELETE", "/health"),
    "asterisk": ("OPTIONS", "*"),
}


def families(program: Program) -> dict[str, tuple[str, str]]:
    """Method and path by a name; with media and pictures that are really there."""
    found = dict(FIXED)
    for each in everything(program, lambda answer: None).values():
        for resource in each.iterfind("{*}res"):
            path = urlsplit(str(resource.text)).path
            found.setdefault(path.split("/")[1], ("GET", path))
        art = each.findtext("{*}albumArtURI")
        if art is not None:
            found.setdefault(urlsplit(art).path.split("/")[1], ("GET", urlsplit(art).path))
    found["icon"] = ("GET", _icon(program))
    assert {"media", "image", "art"} <= found.keys(), found
    return found


def _icon(program: Program) -> str:
    description = ask(program, "/description.xml").body.decode()
    return description.split("<icon>")[1].split("<url>")[1].split("</url>")[0]


def streams(program: Program) -> set[str]:
    """The paths of all files as they are."""
    found = set()
    for each in everything(program, lambda answer: None).values():
        resource = each.find("{*}res")
        if resource is not None:
            found.add(urlsplit(str(resource.text)).path)
    return found
