"""What goes between the pool and its workers: jobs one way, answers the other.

Frames on pipes, each a length of four bytes (big-endian) and a pickle. A worker trusts its parent.
The parent does not trust the worker, which a hostile file may have taken over: its answers may
name no class outside :data:`ANSWERS`, so that loading them runs no code of the worker's choice.
"""

import io
import os
import pickle
import struct
from collections.abc import Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Literal

from mediaserver.library.objects import (
    Chapter,
    Details,
    EmbeddedArt,
    EmbeddedStream,
    Kind,
    MediaFacts,
    Sheet,
    SheetTrack,
)

MAX_FRAME = 64 << 20
"""Bytes; more than any picture we hand over."""

READY = "ready"
"""A worker's first answer, before it has read any file."""


@dataclass(frozen=True, slots=True)
class ReadJob:
    """Files to read, absolute paths; each is answered by its own frame, in this order."""

    paths: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class RenderJob:
    """A picture to be made: of a picture file, of art inside a media file, of a video's frame.

    ``path`` leads through no link: what became one since it was looked at is not followed.
    ``profile`` is a key of :data:`PROFILES`, or ``original`` for embedded art as it is.
    """

    path: bytes
    profile: str
    source: Literal["file", "embedded", "frame"] = "file"


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture and what it is."""

    data: bytes
    mime_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer to a job that could not be done; why, for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class ImageProfile:
    """A DLNA image profile as a target: picture format and the largest size, in pixels."""

    image_format: Literal["JPEG", "PNG"]
    width: int
    height: int

    def holds(self, width: int, height: int) -> bool:
        """Whether a picture of this size needs no change; width and height count apart."""
        return width <= self.width and height <= self.height

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """A picture's size at this profile: its proportions kept, never enlarged."""
        if self.holds(width, height):
            return width, height
        if width * self.height >= self.width * height:
            return self.width, max(1, round(height * self.width / width))
        return max(1, round(width * self.height / height)), self.height


PROFILES: dict[str, ImageProfile] = {
    "JPEG_TN": ImageProfile("JPEG", 160, 160),
    "JPEG_SM": ImageProfile("JPEG", 640, 480),
    "JPEG_MED": ImageProfile("JPEG", 1024, 768),
    "JPEG_LRG": ImageProfile("JPEG", 4096, 4096),
    "PNG_TN": ImageProfile("PNG", 160, 160),
    "PNG_LRG": ImageProfile("PNG", 4096, 4096),
}
"""By name (dlna-http 8)."""

ORIGINAL = "original"

ANSWERS = {
    (found.__module__, found.__qualname__): found
    for found in (
        *(Chapter, Details, EmbeddedArt, EmbeddedStream, Kind, Sheet, SheetTrack),
        *(Picture, Failed),
    )
}
"""The classes that an answer may consist of, beside Python's plain values."""

_LENGTH = struct.Struct(">I")

# Facts go as a tuple of their values: dataclasses with slots pickle slowly, and there are as many
# as files.
_FACTS = tuple(field.name for field in fields(MediaFacts))
_values = attrgetter(*_FACTS)


def frame(message: object) -> bytes:
    plain = _values(message) if isinstance(message, MediaFacts) else message
    data = pickle.dumps(plain, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(data)) + data


def write(descriptor: int, data: bytes) -> None:
    """All of the bytes, to a blocking descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read_job(descriptor: int) -> ReadJob | RenderJob | None:
    """The next job from a blocking descriptor; None at its end."""
    head = _exactly(descriptor, _LENGTH.size)
    if head is None:
        return None
    data = _exactly(descriptor, _LENGTH.unpack(head)[0])
    if data is None:
        return None
    job = pickle.loads(data)  # noqa: S301 - written by our own parent process
    if not isinstance(job, ReadJob | RenderJob):
        raise TypeError(f"not a job: {type(job).__name__}")
    return job


def _exactly(descriptor: int, size: int) -> bytes | None:
    pieces = []
    while size:
        piece = os.read(descriptor, min(size, 1 << 20))
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


class _AnswerUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> type[object]:
        try:
            return ANSWERS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} in an answer") from None


class AnswerBuffer:
    """Bytes of a worker, as they come, to answers."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[object]:
        """The answers that are complete now. ValueError at what is no frame of an answer."""
        self._data += data
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            if length > MAX_FRAME:
                raise ValueError(f"an answer of {length} bytes")
            stop = _LENGTH.size + length
            if len(self._data) < stop:
                return
            body = io.BytesIO(self._data[_LENGTH.size : stop])
            del self._data[:stop]
            try:
                answer = _AnswerUnpickler(body).load()
                if isinstance(answer, tuple):
                    answer = MediaFacts(**dict(zip(_FACTS, answer, strict=True)))
            except Exception as error:  # whatever damaged bytes make pickle raise
                raise ValueError(f"not an answer: {error}") from error
            yield answer
