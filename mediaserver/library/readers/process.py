"""One worker process, seen from its parent."""

import logging
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import mediaserver
from mediaserver.library.readers import jobs

logger = logging.getLogger(__name__)

COMMAND = (sys.executable, "-P", "-m", "mediaserver.library.readers.worker")
"""``-P``: modules of the current directory are not looked at."""

LOST = "the reader lost its way"

END_SECONDS = 1.0
"""What a killed process may take to end. One that waits for a disk or a share in the kernel may
take for ever (signal(7): signals wait, too); nobody waits with it."""


class WorkerDiedError(Exception):
    """The worker is gone or talks nonsense. ``reason`` is a sentence's end, for people."""

    def __init__(self, reason: str, *, started: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.started = started
        """Whether it had ever been ready for work."""


class WorkerProcess:
    """Owned by one thread at a time; :meth:`kill` may be called from any."""

    def __init__(self, command: Sequence[str], timeout: float, memory: int) -> None:
        environment = dict(os.environ)
        # The package may be run from a checkout that only our own sys.path knows of.
        home = str(Path(mediaserver.__file__).parents[1])
        inherited = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([home, inherited] if inherited else [home])
        environment.pop("PYTHONINSPECT", None)
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*command, str(timeout), str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Decoders complain about every broken file; facts.reason has what matters.
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
        )
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise TypeError("Popen without its pipes")
        self._stdin, self._stdout = stdin, stdout
        self._answers = jobs.AnswerBuffer()
        self._started = False
        self._lost = False
        self._waited = False
        self.last_used = time.monotonic()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def started(self) -> bool:
        """Whether it has said that it is ready for work."""
        return self._started

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def fileno(self) -> int:
        """Readable when :meth:`receive` has something to say."""
        return self._stdout.fileno()

    def send(self, job: jobs.ReadJob | jobs.RenderJob) -> None:
        try:
            jobs.write(self._stdin.fileno(), jobs.frame(job))
        except BrokenPipeError:
            raise self._death() from None

    def receive(self) -> list[object]:
        """Answers that have come; waits for some bytes. Raises WorkerDiedError."""
        if self._lost:
            raise WorkerDiedError(LOST, started=True)
        data = os.read(self._stdout.fileno(), 1 << 18)
        if not data:
            raise self._death()
        self.last_used = time.monotonic()
        answers = []
        try:
            for answer in self._answers.feed(data):
                if self._started:
                    answers.append(answer)
                elif answer == jobs.READY:
                    self._started = True
                else:
                    raise ValueError("it is not a reader of ours")
        except ValueError as error:
            self.kill()
            logger.warning("reader %d: %s", self.pid, error)
            # What it said before counts, so that the file it was at is known.
            self._lost = True
            if not answers:
                raise WorkerDiedError(LOST, started=self._started) from error
        return answers

    def wait_readable(self, timeout: float) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self, selectors.EVENT_READ)
            return bool(selector.select(timeout))

    def _death(self) -> WorkerDiedError:
        """Told after the pipe broke: the process is ending.

        Its pipes stay open until the owner discards it: the owner waits on them still, and a
        descriptor closed here might be another worker's by then.
        """
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            self.kill()
            return WorkerDiedError("the reader stopped talking", started=self._started)
        reason = f"signal {-code}" if code < 0 else f"exit code {code}"
        return WorkerDiedError(f"the reader crashed ({reason})", started=self._started)

    def stop(self) -> bool:
        """End an idle worker: it leaves when its input ends. Answers like :meth:`discard`."""
        self._stdin.close()
        ended = self._ends_within(2) or self.kill()
        self._close_pipes()
        return ended

    def order_to_die(self) -> None:
        """Kill it, and do not wait for its end."""
        self._process.kill()

    def kill(self, patience: float | None = None) -> bool:
        """End it whatever it does; whether it has ended within END_SECONDS, or ``patience``.

        Its owner then finds the pipe broken.
        """
        self._process.kill()
        # Waited for once: what has not ended by then is not about to.
        waited, self._waited = self._waited, True
        return self._ends_within(0.0 if waited else END_SECONDS if patience is None else patience)

    def discard(self) -> bool:
        """Kill and close; for the owner. False: it hangs in the kernel, and is to be kept until
        it is no longer :attr:`alive`, which takes it from the system's table of processes."""
        ended = self.kill()
        self._close_pipes()
        return ended

    def _ends_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _close_pipes(self) -> None:
        self._stdin.close()
        self._stdout.close()
