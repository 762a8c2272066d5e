"""The head of a response as bytes: spelling of names, framing, no room for a second response.

Header names are written the way the application spells them; names that come all in lower case,
as frameworks like to give them, get the spelling of their specification, because some devices
compare letters (dlna-http 2). Framing follows RFC 9112 §6.
"""

import http
from collections.abc import Iterable
from typing import NamedTuple


def _status_line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")


STATUS_LINES = {status: _status_line(status) for status in range(100, 600)}

_IRREGULAR = (
    b"ETag",
    b"EXT",
    b"NTS",
    b"SEQ",
    b"SERVER",
    b"SID",
    b"TIMEOUT",
    b"WWW-Authenticate",
    b"contentFeatures.dlna.org",
    b"transferMode.dlna.org",
    b"realTimeInfo.dlna.org",
    b"availableSeekRange.dlna.org",
    b"MediaInfo.sec",
    b"CaptionInfo.sec",
    b"BOOTID.UPNP.ORG",
    b"CONFIGID.UPNP.ORG",
)
_SPELLINGS = {name.lower(): name for name in _IRREGULAR}
_BODYLESS = frozenset({204, 304})


class Head(NamedTuple):
    """A response head and how its body is delimited."""

    data: bytes
    length: int | None
    """Content-Length, as far as the body may go; None: chunked, or until the connection closes."""
    chunked: bool
    keep_alive: bool
    has_body: bool


class BadHead(ValueError):  # noqa: N818 - says what happened
    """The application gave a header that cannot be sent."""


def spelling(name: bytes) -> bytes:
    """The spelling of a name that is given all in lower case; any other stays as it is."""
    if name != name.lower():
        return name
    known = _SPELLINGS.get(name)
    if known is None:
        known = b"-".join([part.capitalize() for part in name.split(b"-")])
        if len(_SPELLINGS) < 256:
            _SPELLINGS[name] = known
    return known


def write_head(
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    *,
    method: str,
    http_1_1: bool,
    keep_alive: bool,
    date: bytes,
    server: bytes,
) -> Head:
    """Build a response head. Raises BadHead for names or values with line breaks in them.

    ``date`` and ``server`` are whole header lines, left out where the application says them
    itself. HTTP/1.0 requests get an HTTP/1.1 status line (DLNA 7.5.4.3.2.7.2), never chunks.
    """
    lines = [STATUS_LINES[status]]
    ends = 1
    length: int | None = None
    for name, value in headers:
        match name.lower():
            case b"content-length":
                if not value.isdigit():
                    raise BadHead("Content-Length")
                length = int(value)
            case b"transfer-encoding":
                continue  # ours to decide
            case b"connection":
                if b"close" in value.lower():
                    keep_alive = False
                continue
            case b"date":
                date = b""
            case b"server":
                server = b""
        lines += (spelling(name), b": ", value, b"\r\n")
        ends += 1
    has_body = method != "HEAD" and status not in _BODYLESS
    chunked = has_body and length is None and http_1_1
    if has_body and length is None and not http_1_1:
        keep_alive = False
    lines += (date, server)
    if chunked:
        lines.append(b"Transfer-Encoding: chunked\r\n")
    if not keep_alive:
        lines.append(b"Connection: close\r\n")
    lines.append(b"\r\n")
    data = b"".join(lines)
    _check(data, ends + bool(date) + bool(server) + chunked + (not keep_alive) + 1)
    return Head(data, length if has_body else 0, chunked, keep_alive, has_body)


def _check(data: bytes, ends: int) -> None:
    """One look at the whole: as many line ends as we wrote, nothing hidden (security.md N17)."""
    if data.count(b"\n") != ends or data.count(b"\r") != ends or b"\0" in data:
        raise BadHead("a line break or NUL in a header")
