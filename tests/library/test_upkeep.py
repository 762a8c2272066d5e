"""Scans that fail are tried again, and complained of once (security.md F4, F12)."""

import asyncio
import errno
import logging
import threading
from collections.abc import AsyncIterator, Generator, Iterable
from pathlib import Path

import pytest

from mediaserver.library.database import Database
from mediaserver.library.objects import Change, MediaFacts
from mediaserver.library.readers.pool import ReaderPoolError
from mediaserver.library.roots import Exclusion, Rules
from mediaserver.library.upkeep import Timing, Upkeep
from mediaserver.library.views import DEFAULT_VIEWS
from tests.leaks import nothing_left
from tests.library.scanning import Readers, Scene
from tests.patience import PATIENCE


class FailingReaders(Readers):
    """Fails as a whole so many times, as a pool whose workers do not start."""

    def __init__(self, failures: int, error: Exception) -> None:
        super().__init__()
        self.failures = failures
        self.error = error

    def map(self, paths: Iterable[bytes]) -> Generator[tuple[bytes, MediaFacts], None, None]:
        if self.failures:
            self.failures -= 1
            raise self.error
        yield from super().map(paths)


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    async with nothing_left():
        yield
        # Threads that wait for files are the loop's, which would keep them.
        await asyncio.get_running_loop().shutdown_default_executor()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ReaderPoolError("the reader crashed (exit code 1)"), "the reader crashed (exit code 1)"),
        (OSError(errno.EMFILE, "Too many open files"), "[Errno 24] Too many open files"),
    ],
)
async def test_a_failed_scan_is_tried_again_and_complained_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception, reason: str
) -> None:
    scene = Scene(tmp_path)
    scene.close()
    scene.sound("one.wav")
    changes: list[Change] = []
    root = bytes(scene.root)
    upkeep = Upkeep(
        Database(tmp_path / "index.sqlite"),
        FailingReaders(3, error),
        {root: "Media"},
        Rules([root]),
        DEFAULT_VIEWS,
        timing=Timing(quiet=0.0, retry=0.01),
        on_change=changes.append,
    )
    with caplog.at_level(logging.ERROR):
        await upkeep.open()
        upkeep.start()
        async with asyncio.timeout(PATIENCE):
            summary = await upkeep.next_scan()
    assert summary.added == 1
    assert upkeep.state.failure is None
    assert [record.getMessage() for record in caplog.records] == [f"cannot scan: {reason}"]
    await upkeep.close()


class FailingRules(Rules):
    """Fails the first time that an event asks, which ends watchdog's thread."""

    failed = False

    def by_path(self, path: bytes) -> Exclusion | None:
        ours = ("MainThread", "index-writer")
        if not self.failed and threading.current_thread().name not in ours:
            self.failed = True
            raise ValueError("nobody thought of that")
        return super().by_path(path)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_watching_that_has_ended_begins_anew_and_nothing_is_missed(tmp_path: Path) -> None:
    """security.md F12: the event that killed the watcher is found by looking through all."""
    scene = Scene(tmp_path)
    scene.close()
    root = bytes(scene.root)
    rules = FailingRules([root])
    upkeep = Upkeep(
        Database(tmp_path / "index.sqlite"),
        Readers(),
        {root: "Media"},
        rules,
        DEFAULT_VIEWS,
        timing=Timing(quiet=0.0, check=0.01),
        on_change=lambda change: None,
    )
    await upkeep.open()
    upkeep.start()
    async with asyncio.timeout(PATIENCE):
        await upkeep.next_scan()
        scene.sound("one.wav")
        while not (await upkeep.next_scan()).added:
            pass

    assert rules.failed
    await upkeep.close()
