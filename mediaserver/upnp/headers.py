"""Header fields of requests and answers, as the server hands them over and takes them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import formatdate
from typing import TypeVar, overload

RawHeaders = Sequence[tuple[bytes, bytes]]

XML = b'text/xml; charset="utf-8"'
"""CONTENT-TYPE of every document and answer, quotes and all (UDA 1.1 §2.1, §3.2)."""

LANGUAGE = (b"CONTENT-LANGUAGE", b"en")
"""Owed to a request with ACCEPT-LANGUAGE (UDA 1.1 §2.11). What people read is in English."""

_T = TypeVar("_T")


class RequestHeaders(Mapping[str, str]):
    """The header fields of an ASGI request by name, in any case. Of repeated ones the first."""

    __slots__ = ("_values",)

    def __init__(self, raw: RawHeaders) -> None:
        self._values = dict(reversed(raw))

    def __getitem__(self, name: str) -> str:
        return self._values[_key(name)].decode("latin-1")

    @overload
    def get(self, key: str, /) -> str | None: ...
    @overload
    def get(self, key: str, /, default: str) -> str: ...
    @overload
    def get(self, key: str, /, default: _T) -> str | _T: ...
    def get(self, key: str, /, default: object = None) -> object:
        # Mapping's own would raise and catch for every field that is not there: most are not.
        value = self._values.get(_key(key))
        return default if value is None else value.decode("latin-1")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _key(name) in self._values

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"RequestHeaders({dict(self)!r})"


class ResponseHeaders:
    """Makes the header fields that every answer carries: DATE, SERVER, CONTENT-LENGTH.

    Names keep the spelling of the Device Architecture, as some devices compare case. ``clock``
    gives seconds since 1970.
    """

    def __init__(self, server: str, clock: Callable[[], float] = time.time) -> None:
        self._server = (b"SERVER", server.encode("ascii"))
        self._clock = clock
        self._second = -1
        self._date = (b"DATE", b"")

    def make(self, length: int | None, *more: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """For an answer with a body of so many octets, or one that has none by its status (None).

        ``more`` comes first.
        """
        now = int(self._clock())
        if now != self._second:
            self._second = now
            self._date = (b"DATE", formatdate(now, usegmt=True).encode("ascii"))
        fields = [*more, self._date, self._server]
        if length is not None:
            fields.append((b"CONTENT-LENGTH", b"%d" % length))
        return fields


def _key(name: str) -> bytes:
    return name.lower().encode("latin-1", "replace")
