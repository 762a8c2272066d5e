"""The sound in a media file, frame by frame, from a place on (FFmpeg's libraries).

Times are those of the samples that come out, the first of a file at 0: silence that encoders put
before it is taken away by FFmpeg, which counts it in its own times.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer

from mediaserver.library.demuxers import GUESSED, PROTOCOLS, is_known

INDEPENDENT = frozenset({"flac", "alac", "ape", "wavpack", "tta"})
"""Codecs of which every packet stands for itself, as it does in all of PCM."""
FORGETFUL = frozenset({"mp3", "vorbis"})
"""Codecs of which some packets after decoding began the samples are the same, to the bit, wherever
that was. MP3 borrows bits from up to nine frames before, Vorbis overlaps with one. In others what
was before only fades (Opus), or there is noise that goes on as it began (AAC)."""
PRE_ROLL = Fraction(1)
"""Seconds that others than independent codecs have to be ahead; a quarter of it would do."""


class NoSound(Exception):  # noqa: N818 - says what is wrong with the file
    """Nothing in the file can be decoded. The text is for people."""


class Sound:
    """The sound in the file at ``path``; to be closed. Raises NoSound."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._container = _open(path)
        audios = self._container.streams.audio
        streams = list(filter(is_known, audios))
        if not streams:
            reason = "its codec is not known" if audios else "there is no sound in it"
            raise NoSound(reason)
        measured = (each for each in streams if each.codec_context.sample_rate)
        self._stream = next(measured, streams[0])
        self._stream.codec_context.thread_count = 1
        self._start = (self._stream.start_time or 0) * self._tick

    @property
    def restartable(self) -> bool:
        """Whether a sample is the same wherever decoding began."""
        return self.timed and (self._independent or self._codec in FORGETFUL)

    @property
    def timed(self) -> bool:
        """Whether times are precise to the sample: Matroska has but milliseconds."""
        return self._tick * (self._stream.codec_context.sample_rate or 1) <= 1

    @property
    def _independent(self) -> bool:
        return self._codec in INDEPENDENT or self._codec.startswith("pcm_")

    @property
    def _codec(self) -> str:
        return self._stream.codec_context.codec.canonical_name

    @property
    def _tick(self) -> Fraction:
        return self._stream.time_base or Fraction(1)

    def close(self) -> None:
        self._container.close()

    def time(self, frame: AudioFrame) -> Fraction | None:
        """Seconds from the beginning; None: it is not told, or not precisely."""
        if frame.pts is None or frame.time_base is None or not self.timed:
            return None
        return frame.pts * frame.time_base - self._start

    def frames(self, begin: Fraction) -> Iterator[AudioFrame]:
        """Frames from ``begin`` (seconds) or an earlier place on; what is broken is left out.

        From the very beginning where times do not tell a place precisely, or lead to a wrong one.
        """
        wanted = begin if self._independent else begin - PRE_ROLL
        if wanted <= 0 or not self.timed:
            return self._decoded()
        try:
            ticks = int((wanted + self._start) / self._tick)
            self._container.seek(ticks, stream=self._stream)
        except (av.error.FFmpegError, OverflowError):
            return self._again()
        frames = self._decoded()
        first = next(frames, None)
        time = None if first is None else self.time(first)
        if first is None or time is None or time > begin:
            return self._again()
        return chain((first,), frames)

    def _again(self) -> Iterator[AudioFrame]:
        self.close()
        Sound.__init__(self, self._path)
        return self._decoded()

    def _decoded(self) -> Iterator[AudioFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError):
                return
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            for frame in frames:
                if isinstance(frame, AudioFrame) and frame.samples:
                    yield frame


def _open(path: str) -> InputContainer:
    options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": GUESSED}
    try:
        return av.open(path, options=options, metadata_errors="ignore")
    except av.error.FFmpegError as error:
        raise NoSound(str(error.strerror or error)) from error
