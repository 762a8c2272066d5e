"""Media roots that are no longer configured: not served, forgotten in steps, and remembered."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from mediaserver.library.database import Database
from mediaserver.library.indexer import ArtFile
from mediaserver.library.objects import Change, PlaylistEntry, PlaylistFacts
from mediaserver.library.roots import Rules
from mediaserver.library.upkeep import Timing, Upkeep
from mediaserver.library.views import DEFAULT_VIEWS
from tests.leaks import nothing_left
from tests.library.an_index import COVER, Index, file_status, song
from tests.library.index_check import problems
from tests.library.scanning import Readers, Scene

# ---- in the index


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """Of two roots with the same album, of which three items at most are removed at once."""
    monkeypatch.setattr("mediaserver.library.indexer.AT_ONCE", 3)
    index = Index(tmp_path / "index.sqlite")
    for path in (b"/former", b"/stays"):
        fill(index, path)
    index.changes.clear()
    return index


def fill(index: Index, path: bytes) -> list[int]:
    """The keys of the items."""
    root_id, top = index.root(path)
    album = index.folder(root_id, b"Red", top)
    discs = [index.folder(root_id, b"Red/CD%d" % number, album) for number in (1, 2)]
    with index.indexer.batch() as batch:
        batch.set_folder_art(album, ArtFile(b"cover.jpg", "image/jpeg", 30, 20, 5))
        batch.put_item(top, b"x.mp3", file_status(), song("x", art=COVER))
        entries = (PlaylistEntry("Red/CD1/0.mp3"), PlaylistEntry("/former/Red/CD1/0.mp3"))
        batch.put_playlist(top, b"p.m3u", file_status(), PlaylistFacts(entries=entries))
        for disc in discs:
            for number in range(5):
                facts = song(f"{disc} {number}", artists=("Ann",), album="Red")
                batch.put_item(disc, b"%d.mp3" % number, file_status(), facts)
    return [key for (key,) in index.ask("SELECT id FROM items ORDER BY id")]


def test_a_root_of_many_files_is_removed_in_steps_that_all_agree_with_themselves(
    index: Index,
) -> None:
    left = []

    def note(change: Change) -> None:
        assert index.problems() == []
        left.append(index.ask("SELECT count(*) FROM items")[0][0])

    index.indexer.on_change = note
    assert index.indexer.remove_root(1)
    assert left[-1] == 11
    assert all(0 <= before - after <= 3 for before, after in pairwise(left))
    assert [root.path for root in index.indexer.roots()] == [b"/stays"]
    assert index.ask("SELECT count(*) FROM folders") == [(4,)]
    assert index.indexer.check() == {}
    index.close()


def test_a_hidden_root_leads_nowhere_although_views_have_its_items_yet(index: Index) -> None:
    index.indexer.hide_root(1, reason="it is no longer configured", device=1)
    assert index.ask("SELECT count(*) FROM folders WHERE shown AND root_id = 1") == [(0,)]
    assert index.ask("SELECT count(*) FROM items WHERE shown") == [(22,)]
    assert index.indexer.remove_root(1)
    assert index.problems() == []
    index.close()


def test_a_removal_that_was_cut_short_is_gone_on_with(index: Index) -> None:
    answers = iter((False, False, True))
    assert not index.indexer.remove_root(1, stopped=lambda: next(answers))
    assert 11 < index.ask("SELECT count(*) FROM items")[0][0] < 22
    assert index.problems() == []
    assert index.indexer.remove_root(1)
    assert index.ask("SELECT count(*) FROM items") == [(11,)]
    index.close()


@pytest.mark.parametrize("steps", [1, 100])
def test_what_was_in_a_former_root_has_its_ids_again_when_that_is_back(
    index: Index, steps: int
) -> None:
    """architecture.md, object ids: stable; also where the removal was cut short."""
    before = index.ask("SELECT id, added FROM items ORDER BY id")
    answers = iter([False] * steps + [True] * 100)
    index.indexer.remove_root(1, stopped=lambda: next(answers))
    fill(index, b"/former")
    assert index.ask("SELECT id, added FROM items ORDER BY id") == before
    index.close()


# ---- with files, over restarts


@pytest.fixture
async def nothing_is_left() -> AsyncIterator[None]:
    async with nothing_left():
        yield
        await asyncio.get_running_loop().shutdown_default_executor()


def upkeep_of(scene: Scene, *roots: Path) -> Upkeep:
    paths = [bytes(root) for root in roots]
    return Upkeep(
        Database(scene.database.path),
        Readers(),
        {path: path.decode() for path in paths},
        Rules(paths),
        DEFAULT_VIEWS,
        timing=Timing(quiet=0.0),
        on_change=lambda change: None,
    )


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Two roots that have been scanned."""
    scene = Scene(tmp_path, roots=("first", "second"))
    for number, root in enumerate(scene.roots):
        for track in range(4):
            scene.sound(f"Album/{track}.wav", root=root, value=10 * number + track)
    scene.scan()
    scene.close()
    return scene


async def test_what_is_in_a_former_root_is_not_served_from_the_start(
    scene: Scene, nothing_is_left: None
) -> None:
    """Before any scan; another process looks at what is committed."""
    upkeep = upkeep_of(scene, scene.roots[1])
    await upkeep.open()
    with closing(sqlite3.connect(scene.database.path)) as reader:
        rows = reader.execute("SELECT available, reason FROM roots ORDER BY id").fetchall()
        assert rows == [(0, "it is no longer configured"), (1, None)]
        shown = reader.execute("SELECT DISTINCT root_id FROM folders WHERE shown").fetchall()
        assert shown == [(2,)]
    await upkeep.scan_once(lambda progress: None)
    await upkeep.close()
    with closing(sqlite3.connect(scene.database.path)) as reader:
        assert reader.execute("SELECT count(*) FROM items").fetchone() == (4,)
        assert problems(reader) == []


async def test_a_root_that_is_configured_as_part_of_another_keeps_the_ids_of_its_files(
    scene: Scene, nothing_is_left: None
) -> None:
    """The same paths, of another root now."""
    with closing(sqlite3.connect(scene.database.path)) as reader:
        before = reader.execute("SELECT id FROM items ORDER BY id").fetchall()
    upkeep = upkeep_of(scene, scene.root.parent)
    await upkeep.open()
    await upkeep.scan_once(lambda progress: None)
    await upkeep.close()
    with closing(sqlite3.connect(scene.database.path)) as reader:
        assert reader.execute("SELECT id FROM items ORDER BY id").fetchall() == before
