"""When what the system refused is tried again (security.md F9)."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaserver.library.troubles import MAX_WAIT, MAX_WATCHED, Troubles
from tests.library.privileges import permissions_count

MINUTES = 60.0
DENIED = "Permission denied"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """A folder with a file that may not be read, and its troubles."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.folder = os.fsencode(folder)
        self.file = folder / "closed.mp3"
        self.file.touch()
        self.troubles = Troubles(5 * MINUTES, clock=self.clock)
        self.note()

    def note(self, scanned: Callable[[bytes], bool] = lambda folder: True) -> dict[bytes, str]:
        """The next scan meets the same."""
        refused = {self.folder: [os.fsencode(self.file)]}
        return self.troubles.note({self.folder: DENIED}, refused, scanned)

    def due_after(self, seconds: float) -> bool:
        self.clock.now += seconds
        return self.troubles.due() == {self.folder}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_what_is_refused_again_and_again_is_tried_more_and_more_seldom(scene: Scene) -> None:
    waits = []
    for _ in range(9):
        waited = 0.0
        while not scene.due_after(MINUTES):
            waited += MINUTES
        waits.append((waited + MINUTES) / MINUTES)
        scene.note()
    assert waits == [5, 10, 20, 40, 80, 160, 240, 240, 240]
    assert MAX_WAIT == 240 * MINUTES


def test_it_is_tried_at_once_when_its_mode_has_changed(scene: Scene) -> None:
    for _ in range(6):
        scene.note()
    scene.file.chmod(0o600)
    assert scene.due_after(0)
    scene.note()
    assert not scene.due_after(0)


def test_it_is_tried_at_once_when_its_time_has_changed(scene: Scene) -> None:
    os.utime(scene.file, (1, 1))
    assert scene.due_after(0)


def test_after_a_change_it_is_tried_often_again(scene: Scene) -> None:
    for _ in range(6):
        scene.note()
    scene.file.chmod(0o640)
    assert scene.due_after(0)
    assert not scene.due_after(4 * MINUTES)
    assert scene.due_after(MINUTES)


def test_a_folder_that_can_be_entered_again_is_tried_at_once(tmp_path: Path) -> None:
    inner = tmp_path / "above" / "Album"
    inner.mkdir(parents=True)
    troubles = Troubles(5 * MINUTES, clock=Clock())
    with permissions_count():
        inner.parent.chmod(0)
        troubles.note({os.fsencode(inner): DENIED}, {}, lambda folder: True)
        assert troubles.due() == set()
        inner.parent.chmod(0o700)
        assert troubles.due() == {os.fsencode(inner)}


def test_what_could_be_read_is_no_trouble_any_more(scene: Scene) -> None:
    assert scene.troubles.note({}, {}, lambda folder: True) == {}
    assert scene.troubles.reasons == {}
    assert not scene.due_after(MAX_WAIT)


def test_what_was_not_looked_at_stays_as_it_is(scene: Scene) -> None:
    scene.troubles.note({}, {}, lambda folder: False)
    assert scene.troubles.reasons == {scene.folder: DENIED}
    assert scene.due_after(5 * MINUTES)


def test_only_what_is_new_is_told(scene: Scene) -> None:
    assert scene.note() == {}
    other = {scene.folder: "Input/output error"}
    assert scene.troubles.note(other, {}, lambda folder: True) == other


def test_of_very_many_some_are_watched_for_all(tmp_path: Path) -> None:
    """``chmod -R`` on a tree that came with the wrong owner."""
    troubles = Troubles(5 * MINUTES, clock=Clock())
    folders = [os.fsencode(tmp_path / str(number)) for number in range(MAX_WATCHED + 10)]
    for folder in folders:
        Path(os.fsdecode(folder)).mkdir()
    troubles.note(dict.fromkeys(folders, DENIED), {}, lambda folder: True)
    assert troubles.due() == set()
    Path(os.fsdecode(folders[0])).chmod(0o750)
    assert troubles.due() == {folders[0], *folders[MAX_WATCHED:]}
