"""Disks and shares that hang keep nobody waiting for ever (security.md F2)."""

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaserver.library.disks import (
    MAX_HANGING,
    NO_ANSWER,
    RETRY_SECONDS,
    Disks,
    NoAnswer,
    moved,
)
from tests.patience import PATIENCE

SHORT = 0.05
"""Seconds after which a disk is taken to hang here."""


class Hanging:
    """A share whose server is off: whoever looks at it waits until it is back."""

    def __init__(self) -> None:
        self.back = threading.Event()
        self.waiting = 0

    def look(self) -> str:
        self.waiting += 1
        assert self.back.wait(PATIENCE)
        return "late"


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """Afterwards no thread may be left."""
    before = set(threading.enumerate())
    hanging = Hanging()
    yield hanging
    hanging.back.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
    assert set(threading.enumerate()) <= before


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def disks(hanging: Hanging, clock: Clock) -> Iterator[Disks]:
    disks = Disks([b"/share", b"/disk"], patience=SHORT, clock=clock)
    yield disks
    disks.close()


def test_what_is_asked_is_answered_in_another_thread(disks: Disks) -> None:
    assert disks.ask(b"/disk", lambda: threading.current_thread()) != threading.current_thread()


def test_errors_are_those_of_the_disk(disks: Disks, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        disks.ask(b"/disk", (tmp_path / "missing").stat)


def test_a_disk_that_hangs_is_given_up_as_one_that_timed_out(
    disks: Disks, hanging: Hanging
) -> None:
    with pytest.raises(NoAnswer) as told:
        disks.ask(b"/share", hanging.look)
    assert (told.value.errno, told.value.strerror) == (errno.ETIMEDOUT, NO_ANSWER)
    assert disks.hangs(b"/share")


def test_what_hangs_is_not_asked_again_and_all_else_is(disks: Disks, hanging: Hanging) -> None:
    with pytest.raises(NoAnswer):
        disks.ask(b"/share/Music", hanging.look)
    for path in (b"/share/Music", b"/share/Music/Album"):
        with pytest.raises(NoAnswer):
            disks.ask(path, hanging.look)
    assert hanging.waiting == 1
    for path in (b"/share", b"/share/Musical", b"/disk", b"/elsewhere"):
        assert disks.ask(path, lambda: "here") == "here"
    assert not disks.hangs(b"/share")


def test_a_disk_that_is_slow_and_goes_on_is_waited_for(disks: Disks) -> None:
    pause = threading.Event()

    def work() -> str:
        for _ in range(4):
            moved()
            pause.wait(SHORT / 2)
        return "slowly"

    assert disks.ask(b"/disk", work) == "slowly"


def test_who_has_been_given_up_goes_no_further(disks: Disks, hanging: Hanging) -> None:
    """Nobody waits for it any more, and the index is somebody else's by then."""
    reached: list[str] = []
    ended = threading.Event()

    def work() -> None:
        try:
            hanging.look()
            moved()
            reached.append("too far")
        finally:
            ended.set()

    with pytest.raises(NoAnswer):
        disks.ask(b"/share", work)
    hanging.back.set()
    assert ended.wait(PATIENCE)
    assert reached == []


def test_a_disk_that_is_back_is_asked_again(disks: Disks, hanging: Hanging) -> None:
    with pytest.raises(NoAnswer):
        disks.ask(b"/share", hanging.look)
    hanging.back.set()
    while disks.hangs(b"/share"):
        hanging.back.wait(SHORT)
    assert disks.ask(b"/share", lambda: "here") == "here"


def test_what_was_mounted_anew_answers_although_threads_hang_in_what_it_was(
    disks: Disks, clock: Clock, hanging: Hanging
) -> None:
    """``umount --lazy``, ``mount``: who waits for the first server waits on."""
    with pytest.raises(NoAnswer):
        disks.ask(b"/share", hanging.look)
    clock.now += RETRY_SECONDS
    assert disks.ask(b"/share", lambda: "here") == "here"
    assert not disks.hangs(b"/share")
    assert disks.ask(b"/share", lambda: "here") == "here"


def test_what_hangs_is_tried_again_ever_more_seldom_by_few_threads(
    disks: Disks, clock: Clock, hanging: Hanging
) -> None:
    tried = []
    for minute in range(24 * 60):
        clock.now = minute * 60.0
        before = hanging.waiting
        with pytest.raises(NoAnswer):
            disks.ask(b"/share", hanging.look)
        if hanging.waiting > before:
            tried.append(minute)
    assert tried == [0, 1, 3, 7, 15, 31, 63, 127]
    assert len(tried) == MAX_HANGING
    assert disks.ask(b"/disk", lambda: "here") == "here"


def test_a_root_with_many_folders_that_hang_is_not_asked_any_more(
    disks: Disks, hanging: Hanging
) -> None:
    for number in range(MAX_HANGING):
        with pytest.raises(NoAnswer):
            disks.ask(b"/share/%d" % number, hanging.look)
    assert disks.hangs(b"/share")
    with pytest.raises(NoAnswer):
        disks.ask(b"/share/other", lambda: "here")


def test_who_waits_for_a_disk_is_let_go_when_all_ends(hanging: Hanging) -> None:
    disks = Disks([b"/share"], patience=PATIENCE)
    told: list[str] = []

    def ask() -> None:
        with pytest.raises(NoAnswer):
            disks.ask(b"/share", hanging.look)
        told.append("no answer")

    asking = threading.Thread(target=ask)
    asking.start()
    while not hanging.waiting:
        hanging.back.wait(SHORT / 10)
    disks.close()
    asking.join(PATIENCE / 2)
    assert told == ["no answer"]
    with pytest.raises(NoAnswer):
        disks.ask(b"/share", lambda: "too late")


def test_without_patience_who_asks_looks_himself() -> None:
    assert Disks().ask(b"/share", threading.current_thread) == threading.current_thread()
