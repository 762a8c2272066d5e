"""Reading in worker processes: a file that hangs, crashes or eats memory costs itself only.

A worker (:mod:`.worker`) gets about a hundred paths at a time and answers them one by one, so
that the file it died of is known. That file is tried once more, alone in a new worker (the one
before may have left the heap broken), then it gets facts that hold its suffix's type and the
reason.
A worker without an answer for ``timeout`` seconds is killed, its file not tried again.

A worker that does not even end when it is killed waits in the kernel for a disk or a share. It is
left there and replaced; when too many wait, there is nothing to be read before one is back.
"""

import asyncio
import contextlib
import logging
import selectors
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mediaserver.library.disks import NO_ANSWER
from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.objects import MediaFacts
from mediaserver.library.readers.jobs import Failed, Picture, ReadJob, RenderJob
from mediaserver.library.readers.process import (
    COMMAND,
    END_SECONDS,
    WorkerDiedError,
    WorkerProcess,
)
from mediaserver.library.readers.unreadable import facts_by_name

logger = logging.getLogger(__name__)

BATCH = 128
"""Files in one message: enough to do while the parent writes what it has to the index."""
BATCH_BYTES = 32 << 10
"""Bytes of paths in one message; less than a pipe holds, so that sending never waits."""
GATHER_SECONDS = 0.005
GATHERED = 16
"""Answers that are worth waking up for: while more than these are to come, those of some
milliseconds are waited for together. Workers do not wait: a pipe holds a hundred answers."""
CLOSED_SECONDS = 1.0
"""How soon it is noticed that the pool was closed while a worker hangs."""
MAX_HANGING = 8
"""Workers that cannot be ended; with so many none is started. Each holds some 60 MB."""
IDLE_SECONDS = 30.0
"""A worker that has had nothing to do for so long is ended: it holds some 60 MB."""


TOO_LONG = "reading took longer than"
"""How the reason of a file begins that was given up."""


class ReaderPoolError(Exception):
    """The workers cannot work at all; no file is to blame."""


@dataclass(eq=False)
class _Busy:
    """A worker at work in :meth:`ReaderPool.map`."""

    worker: WorkerProcess
    alone: bool
    """It has one file, tried for the second time, and gets no other."""
    pending: deque[bytes] = field(default_factory=deque)
    newest: int = 0
    """Files in the newest message."""
    deadline: float = 0.0

    def wants_more(self) -> bool:
        # When half of the newest message is answered the worker has read all of it: one more
        # fits into the pipe, and is there before the worker runs dry.
        return not self.alone and len(self.pending) <= self.newest // 2


class ReaderPool:
    """Worker processes for reading files and for making pictures.

    :meth:`map` is for one thread at a time, :meth:`render` for the event loop; both may run
    at once, with ``workers`` processes each at most. ``memory`` is in bytes and a process,
    ``timeout`` in seconds a file. ``command`` is for tests.
    """

    def __init__(
        self,
        workers: int,
        timeout: float = 20,
        memory: int = 512 << 20,
        *,
        idle: float = IDLE_SECONDS,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._workers = max(1, workers)
        self._timeout = timeout
        self._memory = memory
        self._idle_seconds = idle
        self._command = tuple(command)
        self._lock = threading.Lock()
        self._idle: list[WorkerProcess] = []
        self._at_work: set[WorkerProcess] = set()
        self._hanging: list[WorkerProcess] = []
        """Killed, and not gone yet."""
        self._timer: threading.Timer | None = None
        self._closed = threading.Event()
        self._render_slots = asyncio.Semaphore(self._workers)

    # ---- reading

    def map(self, paths: Iterable[bytes]) -> Generator[tuple[bytes, MediaFacts], None, None]:
        """Facts of every path, in any order, as they come. Reads little ahead in ``paths``.

        Each path comes back exactly once, whatever its file does to a worker. Ends early only
        when the pool is closed. Raises ReaderPoolError when workers do not even start or the
        pool was closed before.
        """
        source = iter(paths)
        again: deque[bytes] = deque()
        suspects: deque[bytes] = deque()
        busy: dict[int, _Busy] = {}
        selector = selectors.DefaultSelector()
        came = 0
        try:
            while True:
                self._feed(source, again, suspects, busy, selector)
                if not busy or self._closed.is_set():
                    return
                if came < GATHERED < sum(len(one.pending) for one in busy.values()):
                    self._closed.wait(GATHER_SECONDS)
                came = 0
                wait = min(one.deadline for one in busy.values()) - time.monotonic()
                wait = min(max(wait, 0), CLOSED_SECONDS)
                ready = {key.fd for key, _ in selector.select(wait)}
                if self._closed.is_set():
                    return
                now = time.monotonic()
                for descriptor, one in list(busy.items()):
                    reason = None
                    started = one.worker.started
                    if descriptor in ready:
                        try:
                            answers = one.worker.receive()
                        except WorkerDiedError as death:
                            if self._closed.is_set():
                                return
                            if not death.started:
                                raise ReaderPoolError(death.reason) from death
                            answers, reason = [], death.reason
                        came += len(answers)
                        for answer in answers[: len(one.pending)]:
                            path = one.pending.popleft()
                            yield path, _facts(path, answer)
                        if answers or not started:
                            # A part of an answer wins no time.
                            one.deadline = time.monotonic() + self._timeout
                    elif now >= one.deadline:
                        reason = f"{TOO_LONG} {self._timeout:g} s"
                    if reason is not None:
                        selector.unregister(descriptor)
                        del busy[descriptor]
                        if not self._drop(one.worker):
                            reason = NO_ANSWER  # not the file's fault
                        culprit = one.pending.popleft()
                        again.extendleft(reversed(one.pending))
                        if descriptor in ready and not one.alone:
                            suspects.append(culprit)
                        else:
                            logger.debug("%r: %s", culprit, reason)
                            yield culprit, facts_by_name(culprit, reason)
                    elif not one.pending:
                        # Not kept for the next round: _feed finds it among the idle ones.
                        selector.unregister(descriptor)
                        del busy[descriptor]
                        self._release(one.worker)
        finally:
            selector.close()
            for one in busy.values():
                self._drop(one.worker)

    def _feed(
        self,
        source: Iterator[bytes],
        again: deque[bytes],
        suspects: deque[bytes],
        busy: dict[int, _Busy],
        selector: selectors.BaseSelector,
    ) -> None:
        for one in busy.values():
            if one.wants_more():
                self._send(one, _batch(again, source))
        while len(busy) < self._workers and not self._closed.is_set():
            alone = bool(suspects)
            batch = [suspects.popleft()] if alone else _batch(again, source)
            if not batch:
                return
            one = _Busy(self._take(fresh=alone), alone)
            selector.register(one.worker, selectors.EVENT_READ)
            busy[one.worker.fileno()] = one
            self._send(one, batch)

    def _send(self, one: _Busy, batch: list[bytes]) -> None:
        if not batch:
            return
        if not one.pending:
            one.deadline = time.monotonic() + self._timeout
        one.pending.extend(batch)
        one.newest = len(batch)
        # When it is gone its output has ended too: map finds that, and knows which file is next.
        with contextlib.suppress(WorkerDiedError):
            one.worker.send(ReadJob(tuple(batch)))

    # ---- pictures

    async def render(self, job: RenderJob) -> Picture:
        """A picture made in a worker. Raises UnreadableMedia; ReaderPoolError as :meth:`map`."""
        async with self._render_slots:
            return await asyncio.to_thread(self._render, job)

    def _render(self, job: RenderJob) -> Picture:
        worker = self._take(fresh=False)
        deadline = time.monotonic() + self._timeout
        try:
            worker.send(job)
            answers: list[object] = []
            while not answers:
                left = max(deadline - time.monotonic(), 0)
                if worker.wait_readable(min(left, CLOSED_SECONDS)):
                    answers = worker.receive()
                elif self._closed.is_set():
                    raise UnreadableMedia("the library is closed")
                elif left <= CLOSED_SECONDS:
                    raise UnreadableMedia(f"it took longer than {self._timeout:g} s")
        except WorkerDiedError as death:
            self._drop(worker)
            if not death.started and not self._closed.is_set():
                raise ReaderPoolError(death.reason) from death
            raise UnreadableMedia(death.reason) from death
        except BaseException:
            self._drop(worker)
            raise
        self._release(worker)
        answer = answers[0]
        if isinstance(answer, Picture):
            return answer
        raise UnreadableMedia(answer.reason if isinstance(answer, Failed) else "no picture came")

    # ---- processes

    def close(self) -> None:
        """End all workers, also those at work; a map that is going on ends. Idempotent."""
        with self._lock:
            self._closed.set()
            idle, self._idle = self._idle, []
            at_work = list(self._at_work)
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join()
        # All at once: what hangs is waited for together.
        for worker in at_work:
            worker.order_to_die()
        deadline = time.monotonic() + END_SECONDS
        for worker in at_work:
            worker.kill(max(0.0, deadline - time.monotonic()))
        for worker in idle:
            worker.stop()

    def _take(self, *, fresh: bool) -> WorkerProcess:
        with self._lock:
            if self._closed.is_set():
                raise ReaderPoolError("closed")
            self._hanging = [worker for worker in self._hanging if worker.alive]
            if len(self._hanging) >= MAX_HANGING:
                raise ReaderPoolError(
                    f"{len(self._hanging)} readers wait for a disk or share that does not answer"
                )
            worker = self._idle.pop() if self._idle and not fresh else None
            if worker is not None and not worker.alive:
                worker.discard()
                worker = None
            if worker is None:
                try:
                    worker = WorkerProcess(self._command, self._timeout, self._memory)
                except OSError as error:
                    raise ReaderPoolError(f"no reader can be started: {error}") from error
            self._at_work.add(worker)
        return worker

    def _release(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._at_work.discard(worker)
            if not self._closed.is_set():
                worker.last_used = time.monotonic()
                self._idle.append(worker)
                if self._timer is None:
                    self._set_timer()
                return
        self._note_end(worker, ended=worker.stop())

    def _drop(self, worker: WorkerProcess) -> bool:
        """Whether it has ended."""
        with self._lock:
            self._at_work.discard(worker)
        ended = worker.discard()
        self._note_end(worker, ended=ended)
        return ended

    def _note_end(self, worker: WorkerProcess, *, ended: bool) -> None:
        if not ended:
            logger.warning("reader %d cannot be ended: it hangs in the kernel", worker.pid)
            with self._lock:
                self._hanging.append(worker)

    def _set_timer(self) -> None:
        self._timer = threading.Timer(self._idle_seconds, self._end_idle)
        self._timer.daemon = True
        self._timer.start()

    def _end_idle(self) -> None:
        with self._lock:
            if self._closed.is_set():
                return
            limit = time.monotonic() - self._idle_seconds * 0.9
            old = [worker for worker in self._idle if worker.last_used <= limit]
            self._idle = [worker for worker in self._idle if worker.last_used > limit]
            self._timer = None
            if self._idle:
                self._set_timer()
        for worker in old:
            self._note_end(worker, ended=worker.stop())


def _batch(again: deque[bytes], source: Iterator[bytes]) -> list[bytes]:
    batch: list[bytes] = []
    size = 0
    while len(batch) < BATCH and size < BATCH_BYTES:
        path = again.popleft() if again else next(source, None)
        if path is None:
            break
        batch.append(path)
        size += len(path)
    return batch


def _facts(path: bytes, answer: object) -> MediaFacts:
    if isinstance(answer, MediaFacts):
        return answer
    return facts_by_name(path, answer.reason if isinstance(answer, Failed) else "no facts came")
