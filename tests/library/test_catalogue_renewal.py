"""When the catalogue is made: after many changes, at rest, not too often, only for many items."""

import asyncio
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from mediaserver.library.browsing import sources
from mediaserver.library.catalogue import layout, renewal
from mediaserver.library.catalogue.renewal import (
    LONGEST_RETRY_SECONDS,
    MANY,
    QUIET_SECONDS,
    RETRY_SECONDS,
    ROWS,
    SHARE,
    Renewal,
    in_process,
)
from mediaserver.library.catalogue.section_file import SectionWriter, draft_of
from mediaserver.library.catalogue.shelf import Shelf
from mediaserver.library.criteria import SortKey
from mediaserver.library.errors import IndexUnusable
from mediaserver.library.indexing.touched import Moment
from tests.factories import SAMPLE, FilledLibrary, titles
from tests.library.test_library import Living, sound
from tests.patience import PATIENCE


class Scene:
    """A library at rest, whose clock moves when something sleeps."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.items = ROWS
        self.busy = False
        self.moment = Moment(log=5, state=7)
        self.fault: str | None = None
        self.index_fault: str | None = None
        self.rows: int | None = None
        """That have changed since the last one was made, as far as it is known."""
        self.told: list[Moment] = []
        self.looks = 0
        self.seconds = 1.0
        self.made: list[float] = []
        self.asleep: asyncio.Queue[float] = asyncio.Queue()
        self.shelf = Shelf(folder / "catalogue", lambda: self.renewal.changed())
        self.renewal = Renewal(
            folder / "index.sqlite",
            self.shelf,
            items=self._count,
            busy=lambda: self.busy,
            changed_since=self._changed_since,
            made=self._tell,
            make=self._make,
            clock=lambda: self.now,
            sleep=self._sleep,
        )
        self._woken: asyncio.Future[None] | None = None

    async def rest(self, seconds: float) -> None:
        """Let time go by."""
        stop = self.now + seconds
        await _turns()
        while self._woken is not None and self._until <= stop:
            self.now = self._until
            woken, self._woken = self._woken, None
            woken.set_result(None)
            await _turns()
        self.now = stop

    async def _count(self) -> int:
        return self.items

    async def _changed_since(self, _moment: Moment) -> int | None:
        self.looks += 1
        if self.index_fault is not None:
            raise IndexUnusable(self.index_fault)
        return self.rows

    async def _tell(self, moment: Moment) -> None:
        self.told.append(moment)

    async def _make(self, _index: Path, catalogue: Path) -> str | None:
        self.made.append(self.now)
        self.now += self.seconds
        if self.fault is None:
            with SectionWriter(catalogue) as file:
                file.add(layout.VERSION, (layout.version(),))
                file.add(layout.MOMENT, (array("Q", self.moment).tobytes(),))
            self.rows = 0
        return self.fault

    async def _sleep(self, seconds: float) -> None:
        self._until = self.now + seconds
        self._woken = asyncio.get_running_loop().create_future()
        await self._woken


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def running(scene: Scene) -> AsyncIterator[None]:
    task = asyncio.create_task(scene.renewal.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def play(folder: Path, story: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        scene = Scene(folder)
        async with running(scene):
            await story(scene)

    asyncio.run(whole())


def test_it_is_made_once_when_the_library_has_come_to_rest(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.rest(QUIET_SECONDS - 1)
        assert scene.made == []
        await scene.rest(1000)
        assert scene.made == [QUIET_SECONDS]

    play(tmp_path, story)


def test_changes_put_it_off(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        for _ in range(5):
            await scene.rest(QUIET_SECONDS - 1)
            scene.renewal.changed()
        assert scene.made == []
        await scene.rest(3 * QUIET_SECONDS)
        assert len(scene.made) == 1

    play(tmp_path, story)


def test_it_waits_for_the_end_of_a_scan(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.busy = True
        await scene.rest(1000)
        assert scene.made == []
        scene.busy = False
        await scene.rest(QUIET_SECONDS)
        assert len(scene.made) == 1

    play(tmp_path, story)


def test_it_takes_no_more_than_its_share_of_the_time(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.seconds = 60.0
        await scene.rest(QUIET_SECONDS)
        for _ in range(2000):
            scene.rows = None
            scene.renewal.changed()
            await scene.rest(QUIET_SECONDS)
            await scene.rest(QUIET_SECONDS)
        waits = [later - earlier for earlier, later in pairwise(scene.made)]
        assert len(waits) > 10
        assert min(waits) >= SHARE * 60

    play(tmp_path, story)


def test_few_changes_need_no_new_one(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.rest(1000)
        for scene.rows in (1, MANY - 1):
            scene.renewal.changed()
            await scene.rest(100_000)
        assert len(scene.made) == 1
        scene.rows = MANY
        scene.renewal.changed()
        await scene.rest(QUIET_SECONDS)
        assert len(scene.made) == 2

    play(tmp_path, story)


def test_while_nothing_changes_nothing_is_looked_at(tmp_path: Path) -> None:
    """README, Plain promises: so that disks may sleep."""

    async def story(scene: Scene) -> None:
        scene.seconds = 60.0
        await scene.rest(1000)
        for scene.rows in (10, None):
            scene.renewal.changed()
            await scene.rest((SHARE + 1) * 60)
            looks, made = scene.looks, len(scene.made)
            await scene.rest(1_000_000)
            assert (scene.looks, len(scene.made)) == (looks, made)
        assert len(scene.made) == 2

    play(tmp_path, story)


def test_one_that_is_lost_is_made_again(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.rest(1000)
        (tmp_path / "catalogue").unlink()
        assert scene.shelf.newest() is None
        await scene.rest(1000)
        assert len(scene.made) == 2

    play(tmp_path, story)


def test_the_moment_of_a_new_one_is_told(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.rest(1000)
        assert scene.told == [scene.moment]

    play(tmp_path, story)


def test_a_small_library_has_none(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.items = ROWS - 1
        await scene.rest(1000)
        assert scene.made == []

    play(tmp_path, story)


def test_one_that_cannot_be_made_is_tried_again_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(scene: Scene) -> None:
        scene.fault = "the disk is full"
        await scene.rest(9 * LONGEST_RETRY_SECONDS)
        assert scene.renewal.failure == "the disk is full"
        waits = [later - earlier for earlier, later in pairwise(scene.made)]
        assert waits[0] >= RETRY_SECONDS
        assert waits == sorted(waits)
        assert LONGEST_RETRY_SECONDS <= waits[-1] < LONGEST_RETRY_SECONDS + 60
        scene.fault = None
        await scene.rest(2 * LONGEST_RETRY_SECONDS)
        assert len(scene.made) == len(waits) + 2
        assert scene.renewal.failure is None

    play(tmp_path, story)
    assert caplog.text.count("the disk is full") == 1


def test_an_index_that_does_not_answer_is_asked_again_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(scene: Scene) -> None:
        await scene.rest(1000)
        scene.index_fault, scene.rows = "another program has locked it", None
        scene.renewal.changed()
        await scene.rest(QUIET_SECONDS)
        assert scene.renewal.failure == scene.index_fault
        scene.index_fault = None
        await scene.rest(2 * RETRY_SECONDS)
        assert len(scene.made) == 2

    play(tmp_path, story)
    assert "another program has locked it" in caplog.text


def test_one_of_the_present_state_is_kept(tmp_path: Path) -> None:
    filled = FilledLibrary(tmp_path / "index.sqlite")
    filled.add(SAMPLE)
    filled.make_catalogue()

    async def story(scene: Scene) -> None:
        scene.rows = 0
        await scene.rest(1000)
        assert scene.made == []
        scene.rows = None
        scene.renewal.changed()
        await scene.rest(1000)
        assert len(scene.made) == 1

    play(tmp_path, story)
    filled.close()


def test_a_process_of_its_own_makes_it(tmp_path: Path) -> None:
    filled = FilledLibrary(tmp_path / "index.sqlite")
    filled.add(SAMPLE)
    expected = filled.children("vma", sort=[SortKey("dc:date")])
    path = tmp_path / "catalogue"
    assert asyncio.run(in_process(filled.database.path, path)) is None
    catalogue = Shelf(path).newest()
    assert catalogue is not None
    assert catalogue.moment.state == filled.metadata("0").update_id
    listing = catalogue.listing("audio items")
    assert listing is not None
    assert listing.size == expected.total_matches
    filled.close()


def test_why_it_could_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"nothing of the kind" * 100)
    reason = asyncio.run(in_process(tmp_path / "index.sqlite", tmp_path / "catalogue"))
    assert reason is not None
    assert "not a database" in reason


def test_the_process_ends_when_it_is_not_waited_for_any_more(tmp_path: Path) -> None:
    filled = FilledLibrary(tmp_path / "index.sqlite")
    filled.add(SAMPLE)

    draft = draft_of(tmp_path / "catalogue")
    # What a process leaves that is killed in the middle.
    draft.write_bytes(b"half a catalogue")

    async def impatient() -> None:
        task = asyncio.create_task(in_process(filled.database.path, tmp_path / "catalogue"))
        await _turns()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(impatient())
    assert not (tmp_path / "catalogue").exists()
    assert not draft.exists()
    filled.close()


def test_a_running_library_has_one_and_answers_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "ROWS", 2)
    monkeypatch.setattr(renewal, "QUIET_SECONDS", 0.01)
    asked: list[str] = []
    monkeypatch.setattr(sources, "_order", lambda *_: asked.append("SQL"))

    async def live() -> list[str]:
        made = asyncio.Event()

        async def make(index: Path, catalogue: Path) -> str | None:
            reason = await in_process(index, catalogue)
            made.set()
            return reason

        monkeypatch.setattr(renewal, "in_process", make)
        async with Living(tmp_path) as living:
            for number, name in enumerate(("b", "c", "a")):
                sound(living.root / f"{name}.wav", number)
            await living.started()
            async with asyncio.timeout(PATIENCE):
                await made.wait()
            page = await living.library.children(
                "vma", start=0, count=0, sort=[SortKey("dc:title", ascending=False)]
            )
            by_size = await living.library.children(
                "vma", start=1, count=1, sort=[SortKey("res@size")]
            )
            return [*titles(page), *titles(by_size)]

    assert asyncio.run(live()) == ["c", "b", "a", "b"]
    assert asked == []
