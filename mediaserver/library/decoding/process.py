"""One decoder seen from the server: what it writes, and how it ends. Used on the event loop."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import mediaserver
from mediaserver.library.decoding.job import STALL_SECONDS, DecodeJob
from mediaserver.library.errors import LibraryError

COMMAND = (sys.executable, "-P", "-m", "mediaserver.library.decoding.decoder")
"""``-P``: modules of the current directory are not looked at."""
READ = 64 << 10
"""Bytes taken at a time: what a pipe holds."""
END_SECONDS = 1.0
"""What a process may take to end after its last word."""
REASON_BYTES = 1000


class DecodingFailed(LibraryError):  # noqa: N818 - says what happened
    """The samples cannot be had. ``reason`` is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DecoderProcess:
    """A decoder at work on an open file; :meth:`end` belongs to whoever reads, and comes last.

    ``ended`` is called on the event loop when the process is really gone: one that waits for a
    disk or a share in the kernel stays as long as that does. Raises DecodingFailed if it cannot be
    started.
    """

    def __init__(
        self,
        file: int,
        job: DecodeJob,
        *,
        ended: Callable[["DecoderProcess"], None],
        command: Sequence[str] = COMMAND,
        stall: float = STALL_SECONDS,
    ) -> None:
        self._stall = stall
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        try:
            # Here and not in a thread: it takes a fifth of a millisecond (vfork), and never a
            # disk, since what is started is what runs already.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [*command, *job.arguments()],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=_environment(),
            )
        except OSError as error:
            raise DecodingFailed(f"no decoder can be started: {error.strerror}") from error
        if self._process.stdout is None or self._process.stderr is None:
            raise TypeError("Popen without its pipes")
        self._samples, self._complaints = self._process.stdout, self._process.stderr
        self._reaper = threading.Thread(target=self._reap, name="decoder", daemon=True)
        os.set_blocking(self._samples.fileno(), False)
        os.set_blocking(self._complaints.fileno(), False)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def read(self, count: int) -> bytes:
        """Samples that have been decoded: at least a byte, at most ``count``.

        Raises DecodingFailed when there are none, after all or for too long.
        """
        count = min(count, READ)
        try:
            async with asyncio.timeout(self._stall):
                while True:
                    try:
                        data = os.read(self._samples.fileno(), count)
                        break
                    except BlockingIOError:
                        await self._readable()
        except TimeoutError:
            raise DecodingFailed(f"nothing came of it for {self._stall:g} s") from None
        if not data:
            raise DecodingFailed(await self._last_word())
        return data

    def end(self) -> None:
        """End it whatever it does, without waiting for that."""
        self._process.kill()
        self._samples.close()
        self._complaints.close()
        self._reaper.start()

    def join(self) -> None:
        """Wait until it has ended, though not for long."""
        self._reaper.join(END_SECONDS)

    def _reap(self) -> None:
        self._process.wait()
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(self._reaped)

    def _reaped(self) -> None:
        self._reaper.join()
        self._ended(self)

    async def _readable(self) -> None:
        waiter = self._loop.create_future()
        descriptor = self._samples.fileno()
        self._loop.add_reader(descriptor, _finish, waiter)
        try:
            await waiter
        finally:
            self._loop.remove_reader(descriptor)

    async def _last_word(self) -> str:
        """Why it has ended, or said that it is at its end."""
        code = None
        for _ in range(10):
            code = self._process.poll()
            if code is not None:
                break
            await asyncio.sleep(END_SECONDS / 10)
        if code is None:
            return "the decoder stopped talking"
        if code < 0:
            return f"the decoder crashed (signal {-code})"
        said = b""
        with contextlib.suppress(BlockingIOError):
            said = os.read(self._complaints.fileno(), REASON_BYTES)
        lines = said.decode("utf-8", "replace").split("\n")
        if code == 0:
            return "the decoder thought that all was done"
        return lines[0] if lines[0] else f"the decoder failed (exit code {code})"


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    # The package may be run from a checkout that only our own sys.path knows of.
    home = str(Path(mediaserver.__file__).parents[1])
    inherited = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([home, inherited] if inherited else [home])
    environment.pop("PYTHONINSPECT", None)
    return environment
