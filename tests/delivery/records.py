"""Parts of records: where they are, and what FFmpeg's libraries make of all of a file at once."""

from pathlib import Path

import av
from av.audio.frame import AudioFrame

from mediaserver.library.lookup import MediaFile

RATE = 44_100
BLOCK = 4
"""Bytes of a sample of both channels."""
HEADER = 44
"""Bytes before the samples of a WAV file."""
SECOND_US = 1_000_000


def url(part: MediaFile, form: str = "wav") -> str:
    return f"/converted/{part.key:x}-{form}.{form}"


def decoded(path: Path, packing: str = "s16") -> bytes:
    """All of a file at once, in the machine's order."""
    pieces = []
    with av.open(str(path)) as file:
        resampler = av.AudioResampler(format=packing)
        for frame in file.decode(audio=0):
            assert isinstance(frame, AudioFrame)
            frame.pts = None
            for each in resampler.resample(frame):
                width = each.format.bytes * each.layout.nb_channels
                pieces.append(bytes(each.planes[0])[: each.samples * width])
    return b"".join(pieces)
