"""Parts of media files as streams of bytes, decoded meanwhile; only so many at a time.

Used on the event loop. A decoder starts for every stretch that is asked for and ends with it: that
costs 0.06 s, and one kept for the next would cost its 37 MB as long as a player is there.
"""

from collections.abc import AsyncGenerator, Sequence

from mediaserver.library.decoding.job import STALL_SECONDS, DecodeJob
from mediaserver.library.decoding.pcm import PcmStream
from mediaserver.library.decoding.process import COMMAND, DecoderProcess, DecodingFailed
from mediaserver.library.errors import LibraryError
from mediaserver.library.opening import OpenFile

__all__ = ["Decoders", "DecodersBusy", "DecodingFailed"]

DECODERS = 8
"""Processes at once. Each decodes a thousand times as fast as music plays, and holds 37 MB."""


class DecodersBusy(LibraryError):  # noqa: N818 - says what happened
    """As many streams as there may be are being decoded already."""


class Decoders:
    """The decoders of a server. ``command`` and ``stall`` (seconds) are for tests."""

    def __init__(
        self,
        limit: int = DECODERS,
        *,
        command: Sequence[str] = COMMAND,
        stall: float = STALL_SECONDS,
    ) -> None:
        self._limit = limit
        self._command = tuple(command)
        self._stall = stall
        self._running: set[DecoderProcess] = set()

    @property
    def running(self) -> list[int]:
        """The processes that have not ended, by their ids."""
        return [process.pid for process in self._running]

    def close(self) -> None:
        """Wait, though not for long, for those that end; after the last stream."""
        for process in list(self._running):
            process.join()

    async def read(
        self, file: OpenFile, pcm: PcmStream, start: int, stop: int
    ) -> AsyncGenerator[bytes, None]:
        """Bytes ``start`` to ``stop`` (not included) of a part of a file, as they are decoded.

        The file is not to be closed before the first are there; to be closed itself (aclosing), as
        the decoder runs until then. Raises DecodersBusy, before any bytes, and DecodingFailed.
        """
        header = pcm.header()
        before = header[start:stop]
        first = max(start - len(header), 0)
        last = min(stop - len(header), pcm.data_size)
        if first < last:
            process = self._start(file, pcm, first, last)
            skip, left = first % pcm.format.block, last - first
            try:
                while left:
                    data = await process.read(skip + left)
                    ahead = min(skip, len(data))
                    skip -= ahead
                    left -= len(data) - ahead
                    if len(data) > ahead:
                        yield before + data[ahead:]
                        before = b""
            finally:
                process.end()
        padding = bytes(max(stop - max(start, len(header) + pcm.data_size), 0))
        if before or padding:
            yield before + padding

    def _start(self, file: OpenFile, pcm: PcmStream, first: int, last: int) -> DecoderProcess:
        """``first`` and ``last``: bytes of the samples."""
        if len(self._running) >= self._limit:
            raise DecodersBusy
        own = pcm.format
        job = DecodeJob(
            rate=own.rate,
            channels=own.channels,
            bits=own.bits,
            big_endian=int(pcm.big_endian),
            origin=pcm.first,
            first=pcm.first + first // own.block,
            stop=pcm.first - (-last // own.block),
        )
        process = DecoderProcess(
            file.descriptor,
            job,
            ended=self._running.discard,
            command=self._command,
            stall=self._stall,
        )
        self._running.add(process)
        return process
