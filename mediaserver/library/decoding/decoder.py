"""A decoder: ``python -m mediaserver.library.decoding.decoder <job>``, the file as standard input.

Samples go to standard output. It ends with 0 when all are written, otherwise with a line on
standard error that says why; and when nobody reads any more. What keeps a broken file in bounds:
so much memory and no more, nothing can be written to a disk, an alarm clock that ends even a
native loop shortly after the server should have.
"""

import os
import resource
import signal
import sys
from collections.abc import Iterator
from fractions import Fraction

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from mediaserver.library.decoding.job import SLACK_SECONDS, STALL_SECONDS, DecodeJob
from mediaserver.library.decoding.sound import NoSound, Sound

MEMORY = 512 << 20
"""Bytes of data: the largest frames that lossless codecs make take a tenth."""
ALARM_AFTER = 5.0
"""Seconds beyond the time-out: the server is first, if it still lives."""
WRITTEN = 64 << 10
"""Bytes that are written at a time: what a pipe holds."""
JITTER = 0.001
"""Seconds by which times of frames may differ from the sum of the samples before: rounding."""

_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")


def main() -> int:
    # Libraries that print must not disturb the samples.
    samples, complaints = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    # The server decides when we end; a signal to the whole group is meant for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit()
    reason: str | None
    try:
        job = DecodeJob.read(sys.argv[1:])
        # The file that is open, whatever its path leads to by now; and without its suffix.
        reason = _decode(job, "file:/dev/fd/0", Output(job, samples))
    except BrokenPipeError:
        return 0
    except NoSound as error:
        reason = str(error)
    except MemoryError:
        reason = "it needs too much memory"
    except Exception as error:  # decoders raise anything at broken files
        reason = f"{type(error).__name__}: {error}"
    if reason is not None:
        os.write(complaints, reason.encode("utf-8", "replace")[:1000])
        return 1
    return 0


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # Data, not address space: libraries and thread stacks reserve far more than they use.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or hard > MEMORY:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


class Output:
    """Samples of a job on their way out: cut where it begins and ends, packed as it wants them."""

    def __init__(self, job: DecodeJob, descriptor: int) -> None:
        self._job = job
        self._descriptor = descriptor
        self._bytes = job.bits // 8
        self._order = _order(job)
        self._buffer = bytearray()
        self.at = 0
        """The sample that comes next."""
        _alarm()

    @property
    def done(self) -> bool:
        return self.at >= self._job.stop

    def put(self, data: memoryview, samples: int) -> None:
        """Take samples as they are decoded: integers of 16 or 32 bits, in the machine's order."""
        job = self._job
        first = min(max(job.first - self.at, 0), samples)
        stop = min(max(job.stop - self.at, 0), samples)
        block = len(data) // samples
        self._take(self._packed(data[first * block : stop * block]))
        self.at += samples

    def go_on_at(self, position: int) -> int:
        """The next samples belong there: what is missing is silence. Returns how many of them have
        been there already."""
        missing = position - self.at
        if abs(missing) <= JITTER * self._job.rate:
            return 0
        if missing > 0:
            self.silence(missing)
        return max(-missing, 0)

    def silence(self, samples: int) -> None:
        stop = min(self.at + samples, self._job.stop)
        block = self._bytes * self._job.channels
        left = max(stop - max(self.at, self._job.first), 0) * block
        while left:
            piece = min(left, WRITTEN)
            self._take(bytes(piece))
            left -= piece
        self.at = max(self.at, stop)

    def flush(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        view = memoryview(self._buffer)
        while view:
            view = view[os.write(self._descriptor, view) :]
        view.release()
        self._buffer = bytearray()
        _alarm()

    def _take(self, data: bytes | bytearray | memoryview) -> None:
        self._buffer += data
        if len(self._buffer) >= WRITTEN:
            self.flush()

    def _packed(self, data: memoryview) -> memoryview | bytearray:
        width = 2 if self._bytes == 2 else 4
        if self._order == tuple(range(width)):
            return data
        packed = bytearray(len(data) // width * self._bytes)
        for number, offset in enumerate(self._order):
            packed[number :: self._bytes] = data[offset::width]
        return packed


def _alarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, STALL_SECONDS + ALARM_AFTER)


def _order(job: DecodeJob) -> tuple[int, ...]:
    """Which bytes of a sample as decoded are wanted, in this order."""
    width = 2 if job.bits == 16 else 4
    lowest_first = range(width) if sys.byteorder == "little" else range(width)[::-1]
    wanted = tuple(lowest_first)[-(job.bits // 8) :]
    return wanted[::-1] if job.big_endian else wanted


def _decode(job: DecodeJob, path: str, output: Output) -> str | None:
    """Decode a job; why it could not be done, for people, or None."""
    sound = Sound(path)
    try:
        begin = job.first if sound.restartable else job.origin
        _put_all(job, sound, sound.frames(Fraction(begin, job.rate)), output)
    finally:
        sound.close()
    missing = job.stop - output.at
    if missing > SLACK_SECONDS * job.rate or not output.at:
        output.flush()
        return f"it ends {missing / job.rate:.1f} s early"
    output.silence(missing)
    output.flush()
    return None


def _put_all(job: DecodeJob, sound: Sound, frames: Iterator[AudioFrame], output: Output) -> None:
    conversion = _Conversion(job)
    begun = False
    for frame in frames:
        time = sound.time(frame)
        skipped = 0
        if time is not None and not begun:
            output.at = max(round(time * job.rate), 0)
        elif time is not None and frame.sample_rate == job.rate:
            skipped = output.go_on_at(round(time * job.rate))
        begun = True
        for converted in conversion.of(frame):
            samples = converted.samples
            data = memoryview(converted.planes[0]).cast("B")
            block = job.channels * (2 if job.bits == 16 else 4)
            passed = min(skipped, samples)
            skipped -= passed
            if passed < samples:
                output.put(data[passed * block : samples * block], samples - passed)
        if output.done:
            return
    for converted in conversion.rest():
        block = job.channels * (2 if job.bits == 16 else 4)
        data = memoryview(converted.planes[0]).cast("B")
        output.put(data[: converted.samples * block], converted.samples)


class _Conversion:
    """Frames to what the job wants. Samples whose number is the same stay as many as they are."""

    def __init__(self, job: DecodeJob) -> None:
        self._job = job
        self._source: tuple[object, ...] | None = None
        self._resampler: AudioResampler | None = None

    def of(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        if source != self._source:
            yield from self.rest()
            self._source = source
            own = frame.layout.nb_channels == self._job.channels
            self._resampler = AudioResampler(
                format="s16" if self._job.bits == 16 else "s32",
                layout=frame.layout.name if own else _LAYOUTS[self._job.channels - 1],
                rate=self._job.rate,
            )
        if self._resampler is not None:
            frame.pts = None
            yield from self._resampler.resample(frame)

    def rest(self) -> Iterator[AudioFrame]:
        """What a change of the rate has held back."""
        if self._resampler is not None:
            yield from self._resampler.resample(None)
            self._resampler = None


if __name__ == "__main__":
    # At once: what is broken in the heap by then harms nobody.
    os._exit(main())
