"""What the head of a request must be like, beside what the parser of messages sees to."""

from collections.abc import Callable, Mapping, Sequence

import httptools

from mediaserver.server.limits import Limits

NOTED = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"content-encoding", b"expect"}
)
"""Headers that we decide by; each may be there once."""


class RequestRefused(Exception):  # noqa: N818 - says what happened to the request
    """A request that is answered here, with a status and nothing else."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def check_sizes(url: bytes, headers: Sequence[tuple[bytes, bytes]], limits: Limits) -> None:
    """Refuse a target or headers that are too long or too many (security.md N14)."""
    if len(url) > limits.request_line:
        raise RequestRefused(414)
    if len(headers) > limits.headers:
        raise RequestRefused(431)
    total = 0
    for name, value in headers:
        size = len(name) + len(value) + len(b": \r\n")
        total += size
        if size > limits.header:
            raise RequestRefused(431)
    if total > limits.head:
        raise RequestRefused(431)


def check_noted(noted: Mapping[bytes, bytes], limits: Limits) -> bool:
    """Refuse a body we do not take; whether the client waits for 100 before it sends one."""
    length = noted.get(b"content-length")
    if length is not None and int(length) > limits.body:
        raise RequestRefused(413)
    if noted.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise RequestRefused(501)
    if noted.get(b"content-encoding", b"identity").lower() != b"identity":
        raise RequestRefused(415)
    expected = noted.get(b"expect")
    if expected is not None and expected.lower() != b"100-continue":
        raise RequestRefused(417)
    return expected is not None and length != b"0"


def target(url: bytes, is_ours: Callable[[bytes], bool]) -> tuple[bytes, bytes]:
    """Path and query of a request target (RFC 9112 §3.2).

    Refuses one for another host: we are nobody's proxy (security.md N18).
    """
    if b"#" in url:
        raise RequestRefused(400)
    if url.startswith(b"/") or url == b"*":
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    if parsed.schema != b"http" or parsed.userinfo or not parsed.host:
        raise RequestRefused(400)
    authority = url[len(b"http://") :].partition(b"/")[0].partition(b"?")[0]
    if not is_ours(authority):
        raise RequestRefused(421)
    return parsed.path or b"/", parsed.query or b""
