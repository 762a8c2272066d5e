"""A media root on a share whose server does not answer any more (security.md F2)."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mediaserver.library import lookup
from mediaserver.library.database import Database, driver_of
from mediaserver.library.disks import NO_ANSWER
from mediaserver.library.objects import MediaFacts
from mediaserver.library.readers.pool import TOO_LONG
from mediaserver.library.readers.unreadable import facts_by_name
from mediaserver.library.roots import Rules
from mediaserver.library.scanner import ScanSummary
from mediaserver.library.scanning.requests import Requests
from mediaserver.library.upkeep import Timing, Upkeep
from mediaserver.library.views import DEFAULT_VIEWS
from tests.library.scanning import Readers, Scene
from tests.patience import PATIENCE

PROGRAM = """
import asyncio, os, sys, threading
from pathlib import Path
from mediaserver.library.library import Library, Root

data, share = Path(sys.argv[1]), Path(sys.argv[2])
hanging, stat = [], os.stat

def hangs(path, *args, **kwargs):
    if not isinstance(path, int) and os.fsencode(path).startswith(os.fsencode(share)):
        hanging.append(path)
        threading.Event().wait()
    return stat(path, *args, **kwargs)

async def main():
    library = Library(data, [Root(share, "Share")])
    await library.open()
    os.stat = hangs
    library.start()
    pictures = [
        asyncio.create_task(library.artwork.picture(os.fsencode(share / f"{at}.jpg"), "JPEG_TN"))
        for at in range(100)
    ]
    while len(hanging) <= len(pictures):
        await asyncio.sleep(0.01)
    assert await library.metadata("0")
    for picture in pictures:
        picture.cancel()
    await library.close()

asyncio.run(main())
print("ended")
"""
"""What is called so little, and by so many modules, that a file system cannot be made to do it
without privileges: ``stat``."""


def test_a_share_that_hangs_neither_blocks_the_rest_nor_the_end(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "data").mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "data", tmp_path / "share"],
        timeout=PATIENCE,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (ended.stdout, ended.returncode) == ("ended\n", 0), ended.stderr


# ---- other media roots go on

SHORT = 0.2
"""Seconds after which a share is taken to hang here."""


class Share:
    """Calls that look at a folder wait, while its server is off, until it is on again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = threading.Event()
        self.on.set()
        self.folder = b"/nowhere"
        self.waiting = 0
        for name in ("stat", "lstat", "scandir", "open"):
            monkeypatch.setattr(os, name, self._hanging(getattr(os, name)))

    def _hanging(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any = b".", *args: Any, **kwargs: Any) -> Any:
            if not isinstance(path, int) and not self.on.is_set():
                name = os.fsencode(path)
                if name == self.folder or name.startswith(self.folder + b"/"):
                    self.waiting += 1
                    assert self.on.wait(PATIENCE)
            return real(path, *args, **kwargs)

        return call

    def off(self, folder: Path) -> None:
        self.folder = os.fsencode(folder)
        self.on.clear()


@pytest.fixture
def share(monkeypatch: pytest.MonkeyPatch) -> Iterator[Share]:
    """Afterwards no thread waits for it any more."""
    before = set(threading.enumerate())
    share = Share(monkeypatch)
    yield share
    share.on.set()
    for thread in set(threading.enumerate()) - before:
        if thread.name == "disk":
            thread.join(PATIENCE)
            assert not thread.is_alive()


class Kept:
    """Two roots that are kept true to the disk, ``share`` and ``disk``."""

    def __init__(self, folder: Path, readers: Readers) -> None:
        self.readers = readers
        self.scene = Scene(folder, roots=("share", "disk"))
        self.scene.close()
        self.share, self.disk = self.scene.roots
        self.upkeep = Upkeep(
            Database(folder / "index.sqlite"),
            readers,
            {os.fsencode(root): root.name for root in self.scene.roots},
            Rules([os.fsencode(root) for root in self.scene.roots]),
            DEFAULT_VIEWS,
            timing=Timing(quiet=0.0, check=0.05, silence=SHORT),
            on_change=lambda change: None,
        )

    async def until(self, right: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not right():  # noqa: ASYNC110 - other threads set what is looked at
                await asyncio.sleep(0.01)

    async def until_shown(self, *names: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while set(await self.shown()) != set(names):  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.01)

    def reasons(self) -> list[str | None]:
        return [root.reason for root in self.upkeep.state.roots]

    async def shown(self) -> dict[str, int]:
        """File names to ids."""
        question = "SELECT name, id FROM items WHERE shown"
        return await self.upkeep._database.read(
            lambda connection: {
                os.fsdecode(name): key for name, key in driver_of(connection).execute(question)
            }
        )


@pytest.fixture
async def kept(tmp_path: Path, share: Share) -> AsyncIterator[Kept]:
    kept = Kept(tmp_path, Readers())
    kept.scene.sound("Album/one.wav")
    kept.scene.sound("Best/two.wav")
    kept.scene.sound("three.wav", root=kept.disk)
    await kept.upkeep.open()
    yield kept
    started = time.monotonic()
    await kept.upkeep.close()
    assert time.monotonic() - started < 5
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_share_that_hangs_from_the_start_is_told_of_and_all_else_is_scanned(
    kept: Kept, share: Share
) -> None:
    share.off(kept.share)
    kept.upkeep.start()
    await kept.upkeep.next_scan()
    assert set(await kept.shown()) == {"three.wav"}
    assert kept.reasons() == [NO_ANSWER, None]
    (kept.disk / "four.wav").write_bytes((kept.disk / "three.wav").read_bytes())
    await kept.until(lambda: (kept.upkeep.state.last_scan or ScanSummary()).added == 1)
    assert share.waiting == 1


async def test_a_share_that_is_back_is_scanned(kept: Kept, share: Share) -> None:
    share.off(kept.share)
    kept.upkeep.start()
    await kept.upkeep.next_scan()
    share.on.set()
    await kept.until(lambda: kept.reasons() == [None, None])
    await kept.until_shown("one.wav", "two.wav", "three.wav")


async def test_a_share_that_comes_to_hang_is_hidden_and_forgets_nothing(
    kept: Kept, share: Share
) -> None:
    kept.upkeep.start()
    await kept.upkeep.next_scan()
    before = await kept.shown()
    share.off(kept.share)
    kept.upkeep.request(Requests(everything=True))
    await kept.until(lambda: kept.reasons() == [NO_ANSWER, None])
    await kept.until_shown("three.wav")
    share.on.set()
    await kept.until(lambda: kept.reasons() == [None, None])
    await kept.until_shown("one.wav", "two.wav", "three.wav")
    assert await kept.shown() == before
    assert sorted(kept.readers.names) == ["one.wav", "three.wav", "two.wav"]


async def test_a_folder_that_hangs_keeps_its_files_and_holds_up_no_other(
    kept: Kept, share: Share
) -> None:
    kept.upkeep.start()
    await kept.upkeep.next_scan()
    share.off(kept.share / "Album")
    kept.scene.sound("Best/four.wav")
    kept.upkeep.request(Requests(everything=True))
    album = os.fsencode(kept.share / "Album")
    await kept.until(lambda: kept.upkeep.state.troubled.get(album) == NO_ANSWER)
    assert kept.reasons() == [None, None]
    assert set(await kept.shown()) == {"one.wav", "two.wav", "three.wav", "four.wav"}


async def test_a_file_that_readers_waited_for_in_vain_is_not_to_blame(
    tmp_path: Path, share: Share
) -> None:
    """It is read as soon as its share is back, and is never taken for a broken one."""

    class Waiting(Readers):
        def map(self, paths: Iterable[bytes]) -> Generator[tuple[bytes, MediaFacts], None, None]:
            for path, facts in super().map(paths):
                if path.startswith(os.fsencode(kept.share)) and first:
                    first.clear()
                    share.off(kept.share)
                    yield path, facts_by_name(path, f"{TOO_LONG} 20 s")
                else:
                    yield path, facts

    first = ["the share goes away while the first file is read"]
    kept = Kept(tmp_path, Waiting())
    kept.scene.sound("Album/one.wav")
    kept.scene.sound("Best/two.wav")
    kept.scene.sound("three.wav", root=kept.disk)
    await kept.upkeep.open()
    kept.upkeep.start()
    await kept.until(lambda: kept.reasons() == [NO_ANSWER, None])
    await kept.until_shown("three.wav")
    share.on.set()
    await kept.until(lambda: kept.reasons() == [None, None])
    await kept.until_shown("one.wav", "two.wav", "three.wav")
    unreadable = await kept.upkeep._database.read(
        lambda connection: lookup.unreadable(connection, 9)
    )
    assert unreadable == []
    await kept.upkeep.close()
    await asyncio.get_running_loop().shutdown_default_executor()
