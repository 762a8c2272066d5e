"""The catalogue as a file: whole or not there, for its owner alone, and never trusted blindly."""

import asyncio
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.library.browsing.browser import Browser
from mediaserver.library.catalogue import building, layout
from mediaserver.library.catalogue.reading import Catalogue
from mediaserver.library.catalogue.renewal import COMMAND
from mediaserver.library.catalogue.section_file import (
    CatalogueError,
    SectionFile,
    SectionWriter,
    draft_of,
)
from mediaserver.library.catalogue.shelf import Shelf
from mediaserver.library.criteria import Compare, Criteria, Everything, Operator, SortKey
from tests.factories import SAMPLE, FilledLibrary

DAY = Compare("dc:title", Operator.CONTAINS, "day")
BY_DATE = [SortKey("dc:date")]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[FilledLibrary]:
    filled = FilledLibrary(tmp_path / "index.sqlite")
    filled.add(SAMPLE)
    filled.make_catalogue()
    yield filled
    filled.close()


@pytest.fixture
def path(library: FilledLibrary) -> Path:
    return library.database.path.with_name("catalogue")


# ---- written


def test_a_catalogue_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    with SectionWriter(path) as file:
        file.add("old", [b"1"])
    with pytest.raises(ZeroDivisionError), SectionWriter(path) as file:
        file.add("new", (bytes([1 // number]) for number in (1, 0)))
    assert SectionFile(path).read("old") == b"1"
    assert [each.name for each in tmp_path.iterdir()] == ["catalogue"]


@pytest.mark.parametrize("room", [100_000, 1000])
def test_a_full_disk_gets_its_space_back(tmp_path: Path, room: int) -> None:
    """Whether it is full in the middle or only at the end: what was written is in a buffer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(OSError, match="File too large"), SectionWriter(tmp_path / "c") as file:
            file.add("much", [b"x" * 990] * (room // 1000 + 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_can_read_it(library: FilledLibrary, path: Path) -> None:
    """It tells what the index tells; see ``index_file.create``."""
    draft_of(path).touch(mode=0o644)
    building.build(library.database.path, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_not_in_the_file_is_an_error_of_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    with SectionWriter(path) as file:
        file.add("one", [b"123"])
    file_read = SectionFile(path)
    for name, offset, length in (("two", 0, 1), ("one", 2, 2), ("one", -1, 1)):
        with pytest.raises(CatalogueError):
            file_read.read(name, offset, length)
    with pytest.raises(CatalogueError):
        Catalogue(path)


# ---- damaged


def test_a_catalogue_that_is_damaged_is_passed_over(library: FilledLibrary, path: Path) -> None:
    expected = library.search("0", DAY)
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole[:100], b"x" * len(whole), whole[:8] + whole[-24:]):
        path.write_bytes(damaged)
        library.browser = Browser(catalogue=Shelf(path))
        assert library.search("0", DAY) == expected


def test_a_catalogue_that_becomes_unreadable_is_asked_no_more(
    library: FilledLibrary, path: Path
) -> None:
    expected = library.search("vma", Everything(), sort=BY_DATE)
    os.truncate(path, 100)
    by_album = [SortKey("upnp:album")]
    assert library.search("vma", Everything(), sort=by_album).total_matches == 8
    assert library.search("vma", Everything(), sort=BY_DATE) == expected


@pytest.fixture(scope="module")
def module_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledLibrary]:
    filled = FilledLibrary(tmp_path_factory.mktemp("damaged") / "index.sqlite")
    filled.add(SAMPLE)
    filled.make_catalogue()
    yield filled
    filled.close()


_QUESTIONS: tuple[tuple[Criteria, str], ...] = (
    (DAY, "dc:title"),
    (Compare("upnp:artist", Operator.EQUAL, "the beatles"), "upnp:artist"),
    (Compare("dc:date", Operator.STARTS_WITH, "19"), "dc:date"),
    (Compare("res@size", Operator.CONTAINS, "1"), "res@size"),
    (Compare("dc:title", Operator.CONTAINS, "a"), "upnp:class"),
    (Everything(), "upnp:album"),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 0.999), st.sampled_from([1, 8, 4096]), st.sampled_from([0, 255])),
        min_size=1,
        max_size=20,
    )
)
def test_no_damage_keeps_a_question_from_being_answered(
    module_library: FilledLibrary, damage: list[tuple[float, int, int]]
) -> None:
    library = module_library
    sound = library.database.path.with_name("catalogue").read_bytes()
    damaged = bytearray(sound)
    for place, size, value in damage:
        at = int(place * len(sound))
        damaged[at : at + size] = bytes([value]) * size
    path = library.database.path.with_name("damaged")
    path.unlink(missing_ok=True)
    path.write_bytes(damaged[: len(sound)])
    library.browser = Browser(catalogue=Shelf(path))
    for criteria, order in _QUESTIONS:
        for container in ("0", "vma"):
            assert library.search(container, criteria, sort=[SortKey(order)]).total_matches >= 0
            library.children("vma", 2, 3, [SortKey(order)])


def test_a_fault_of_the_program_is_not_taken_for_damage(
    library: FilledLibrary, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(path)
    library.browser = Browser(catalogue=shelf)

    def fail(*_: object) -> None:
        raise IndexError("a fault of the program")

    monkeypatch.setattr("mediaserver.library.catalogue.reading.List.ids", fail)
    with pytest.raises(IndexError):
        library.search("vma", Everything(), sort=BY_DATE)
    assert shelf.newest() is not None


def test_a_catalogue_of_another_layout_is_not_asked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Shelf(path).newest() is not None
    monkeypatch.setattr(layout, "_OF_ITEMS", layout._OF_ITEMS[1:])
    assert Shelf(path).newest() is None


def test_the_loss_of_a_catalogue_is_told_once(library: FilledLibrary, path: Path) -> None:
    lost: list[None] = []
    shelf = Shelf(path, lambda: lost.append(None))
    old = shelf.newest()
    assert old is not None
    building.build(library.database.path, path)
    new = shelf.newest()
    assert new is not None
    shelf.condemn(old, CatalogueError("of the old one"))
    assert shelf.newest() is new
    assert lost == []
    shelf.condemn(new, CatalogueError("it is cut short"))
    shelf.condemn(new, CatalogueError("it is cut short"))
    assert shelf.newest() is None
    assert len(lost) == 1
    building.build(library.database.path, path)
    assert shelf.newest() is not None
    path.unlink()
    assert shelf.newest() is shelf.newest() is None
    assert len(lost) == 2


def test_a_check_removes_what_is_not_as_it_was_written(path: Path) -> None:
    assert Shelf(path).check() is True
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    assert Shelf(path).check() is False
    assert Shelf(path).check() is None


def test_a_process_whose_parent_is_gone_leaves_nothing_behind(
    library: FilledLibrary, path: Path
) -> None:
    async def orphan() -> int:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, str(library.database.path), str(path), stdin=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        process.stdin.close()
        return await process.wait()

    draft_of(path).write_bytes(b"half")
    asyncio.run(orphan())
    assert not draft_of(path).exists()
