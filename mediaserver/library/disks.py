"""The disks and shares that media roots lie on, asked without waiting for ever.

A share whose server is off keeps whoever looks at it until the server is back (security.md F2).
So whatever may hang is done in a thread that waits in place of who asked: when nothing moves
there for long, the question is given up and its thread is left where it is. From then on nothing
at or below that path is asked, and what was asked counts as unknown, until the thread has come
back, or another one, sent after it from time to time, is answered.
"""

import errno
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds without any progress; a disk that was asleep takes ten."""
IMPATIENCE = 0.2
"""Part of that, in a root where something hangs already."""
RETRY_SECONDS = 60.0
"""Between two threads sent to what hangs; doubled each time."""
MAX_HANGING = 8
"""Threads of one root that hang; with so many nothing is asked of the root any more."""
END_SECONDS = 1.0
"""What threads that do not hang may take to end."""

NO_ANSWER = "it does not answer"


class NoAnswer(OSError):  # noqa: N818 - says what happened
    """A disk or share does not answer: nothing is known of what is there."""

    def __init__(self, path: bytes) -> None:
        super().__init__(errno.ETIMEDOUT, NO_ANSWER, path)


class Disks:
    """Thread-safe. ``roots`` are absolute paths; ``patience`` None: whoever asks waits himself,
    for ever if need be. By ``clock`` it is told when what hangs is tried again."""

    def __init__(
        self,
        roots: Iterable[bytes] = (),
        *,
        patience: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._disks = {root: _Disk() for root in roots}
        self._elsewhere = _Disk()
        self._lock = threading.Lock()
        self._open: dict[_Question, _Thread] = {}
        """Questions somebody waits for."""
        self._closed = False

    def ask(self, path: bytes, work: Callable[[], T], *, hurry: bool = False) -> T:
        """What ``work`` gives, which looks at an absolute path and what is below, and calls
        :func:`moved` where that takes long. ``hurry``: it has been waited for before.

        Raises what ``work`` raises, and NoAnswer. What is given up may come to its end later, in
        a thread of its own: ``work`` must not change anything that others use.
        """
        if self._patience is None:
            return work()
        results: list[T] = []
        question = _Question(path, lambda: results.append(work()))
        with self._lock:
            disk = self._disk(path)
            if self._closed or disk.is_silent(path, self._clock()):
                raise NoAnswer(path)
            thread = disk.idle.pop() if disk.idle else _Thread()
            patience = self._patience * (IMPATIENCE if hurry or disk.hanging else 1)
            self._open[question] = thread
        thread.ask(question)
        answered = question.wait(patience)
        with self._lock:
            del self._open[question]
            if answered:
                disk.answered(path)
                self._keep(disk, thread)
            else:
                thread.stop()  # once it has come back
                disk.gave_up(question, self._clock())
        if not answered:
            raise NoAnswer(path)
        if question.error is not None:
            raise question.error
        return results[0]

    def hangs(self, root: bytes) -> bool:
        """Whether nothing is asked of a root at the moment."""
        with self._lock:
            return self._disk(root).is_waited_for(root)

    def close(self) -> None:
        """No more is asked, and who waits is told that there is no answer. Idempotent."""
        with self._lock:
            self._closed = True
            waiting = dict(self._open)
            idle = [thread for disk in self._all() for thread in disk.idle]
            for disk in self._all():
                disk.idle.clear()
        for question in waiting:
            question.give_up()
        for thread in idle:
            thread.stop()
        threads = [*idle, *waiting.values()]
        deadline = time.monotonic() + END_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _all(self) -> list["_Disk"]:
        return [*self._disks.values(), self._elsewhere]

    def _disk(self, path: bytes) -> "_Disk":
        for root, disk in self._disks.items():
            if _lies_in(path, root):
                return disk
        return self._elsewhere

    def _keep(self, disk: "_Disk", thread: "_Thread") -> None:
        if self._closed:
            thread.stop()
        else:
            disk.idle.append(thread)


def _lies_in(path: bytes, above: bytes) -> bool:
    return path == above or path.startswith(above.rstrip(b"/") + b"/")


def moved() -> None:
    """Tell from inside of a question that the disk answers. Raises NoAnswer where nobody waits
    for it any more."""
    thread = threading.current_thread()
    if isinstance(thread, _Thread) and thread.question is not None:
        thread.question.note_progress()


class _Question:
    def __init__(self, path: bytes, work: Callable[[], None]) -> None:
        self.path = path
        self.error: Exception | None = None
        self.outlived = False
        """The same was asked again, and answered."""
        self._work = work
        self._given_up = False
        self._moved = time.monotonic()
        self._ended = threading.Event()
        """Or given up."""
        self.is_answered = False

    def answer(self) -> None:
        """In a thread that may hang in it."""
        try:
            self._work()
        except Exception as error:
            self.error = error
        self.is_answered = True
        self._ended.set()

    def note_progress(self) -> None:
        if self._given_up:
            raise NoAnswer(self.path)
        self._moved = time.monotonic()

    def wait(self, patience: float) -> bool:
        """Until it is answered, or nothing has moved for so many seconds; which of the two."""
        while not self._ended.wait(max(0.0, self._moved + patience - time.monotonic())):
            if self._moved + patience <= time.monotonic():
                self.give_up()
        return not self._given_up

    def give_up(self) -> None:
        self._given_up = True
        self._ended.set()


@dataclass(slots=True)
class _Disk:
    """What is known of the answers of one root."""

    idle: list["_Thread"] = field(default_factory=list)
    hanging: list[_Question] = field(default_factory=list)
    """Given up, and their threads not back yet."""
    retry_at: float = 0.0
    wait: float = RETRY_SECONDS

    def is_silent(self, path: bytes, now: float) -> bool:
        """Whether a path is not to be asked about; if it is the turn of another try, the one who
        is told so makes it."""
        if not self.is_waited_for(path):
            return False
        if now < self.retry_at or len(self.hanging) >= MAX_HANGING:
            return True
        self._put_off(now)
        return False

    def is_waited_for(self, path: bytes) -> bool:
        self.hanging = [one for one in self.hanging if not one.is_answered]
        return len(self.hanging) >= MAX_HANGING or any(
            not one.outlived and _lies_in(path, one.path) for one in self.hanging
        )

    def gave_up(self, question: _Question, now: float) -> None:
        if not self.hanging:
            self.wait = RETRY_SECONDS
        self.hanging.append(question)
        if self.retry_at <= now:
            self._put_off(now)

    def answered(self, path: bytes) -> None:
        """What hangs at and above the path hangs for reasons of its own: in a mount of before."""
        for question in self.hanging:
            if _lies_in(path, question.path):
                question.outlived = True

    def _put_off(self, now: float) -> None:
        self.retry_at = now + self.wait
        self.wait *= 2


class _Thread(threading.Thread):
    """Answers one question after the other. A daemon: it may hang in one of them for good."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="disk")
        self.question: _Question | None = None
        self._questions: SimpleQueue[_Question | None] = SimpleQueue()
        self.start()

    def ask(self, question: _Question) -> None:
        self._questions.put(question)

    def stop(self) -> None:
        """After the questions it has been asked."""
        self._questions.put(None)

    def run(self) -> None:
        while (question := self._questions.get()) is not None:
            self.question = question
            question.answer()
            self.question = question = None
