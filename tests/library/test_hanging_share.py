"""A media root on a share whose server does not answer any more (security.md F2)."""

import os
import subprocess
import sys
from pathlib import Path

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
