"""Every number of the HTTP edge, in one place (security.md 2)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    request_line: int = 8 << 10
    """The request target, to be exact; beyond it 414."""
    header: int = 8 << 10
    head: int = 32 << 10
    headers: int = 100
    """Beyond these three 431."""
    body: int = 256 << 10
    """Of a request, chunked or not; beyond it 413."""
    pipelined: int = 64
    """Requests waiting on one connection for the answer to another."""

    head_seconds: float = 10.0
    body_seconds: float = 15.0
    """For all of a head or body, from its first byte; then 408."""
    new_seconds: float = 15.0
    """For the first byte on a connection."""
    idle_seconds: float = 30.0
    """For the next request on a connection kept alive."""
    stall_seconds: float = 60.0
    """Without progress of the receiver, unless an answer asks for patience."""
    linger_seconds: float = 2.0
    """For a refused sender to read the answer and close."""

    connections: int = 512
    connections_per_host: int = 64
