"""``scan`` and ``why``: the library without a server."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from mediaserver.app import logs
from mediaserver.app.failures import StartFailed
from mediaserver.app.libraries import open_library
from mediaserver.config import Settings
from mediaserver.data_directory import INDEX_NAME, DataDirectory
from mediaserver.library.errors import IndexUnusable
from mediaserver.library.explaining.explanation import explain as explain_path
from mediaserver.library.library import Library
from mediaserver.library.objects import LibraryCounts
from mediaserver.library.readers.pool import ReaderPoolError
from mediaserver.library.scanner import ScanProgress, ScanSummary
from mediaserver.web.wording import duration

UNREADABLE_SHOWN = 20


async def scan(settings: Settings, directory: DataDirectory) -> bool:
    """Scan once, with a progress bar on a terminal; whether every file could be read.

    Raises StartFailed; KeyboardInterrupt if told to stop (what is indexed stays).
    """
    console, errors = Console(soft_wrap=True), Console(stderr=True)
    library = await open_library(settings, directory)
    try:
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            console=errors,
            transient=True,
            disable=not errors.is_terminal,
        ) as bar:
            summary = await _scan_interruptibly(library, bar)
        counts = await library.counts()
        console.print(_told(summary, counts))
        for root in library.status().roots:
            if root.reason is not None:
                _say(console, f"not available: {root.path}: {root.reason}")
        for file in await library.unreadable(UNREADABLE_SHOWN):
            _say(console, f"unreadable: {os.fsdecode(file.path)}: {file.reason}")
        if counts.unreadable > UNREADABLE_SHOWN:
            console.print(f"... and {counts.unreadable - UNREADABLE_SHOWN} more")
        return counts.unreadable == 0
    except (ReaderPoolError, IndexUnusable) as error:
        raise StartFailed(str(error)) from error
    finally:
        await library.close()


def _say(console: Console, line: str) -> None:
    """One line, whatever files are called: no name gets at the owner's terminal."""
    console.print(logs.printable(line), markup=False, highlight=False)


async def _scan_interruptibly(library: Library, bar: Progress) -> ScanSummary:
    task = bar.add_task("Scanning", total=None, rate="")

    def show(progress: ScanProgress) -> None:
        bar.update(
            task,
            description="Listing and reading" if progress.walking else "Reading",
            completed=progress.read,
            total=progress.expected,
            rate=_rate(progress),
        )

    work = asyncio.ensure_future(library.scan_once(show))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(ValueError):
                loop.remove_signal_handler(number)


def _rate(progress: ScanProgress) -> str:
    """How quick it is, and how long it will take, as far as that can be told."""
    rate, left = f"{progress.files_per_second:.0f} files/s", progress.remaining_seconds
    return rate if left is None else f"{rate}, about {duration(left)} left"


def _told(summary: ScanSummary, counts: LibraryCounts) -> str:
    changes = {
        "added": summary.added,
        "changed": summary.changed,
        "moved": summary.moved,
        "removed": summary.removed,
    }
    return (
        f"{counts.audio} music, {counts.video} video, {counts.image} pictures"
        f" ({', '.join(f'{number} {what}' for what, number in changes.items())})"
        f" in {summary.seconds:.1f} s"
    )


def explain(settings: Settings, path: Path, say: Callable[[str], None]) -> bool:
    """Tell what becomes of a file or folder, line by line; whether it is served."""
    explanation = explain_path(
        path,
        index=settings.server.data_dir / INDEX_NAME,
        roots=[root.path for root in settings.library.roots],
        ignore=settings.library.ignore,
        follow_links=settings.library.follow_links,
    )
    for line in explanation.lines():
        say(line)
    return explanation.served is not None
