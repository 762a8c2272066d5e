"""Supervision of background tasks (security.md F12), by a clock that the tests move."""

import asyncio

import pytest

from mediaserver.supervision import LONGEST_WAIT, STEADY_SECONDS, Supervisor
from tests.upnp.fakes import FakeClock, settle


class Fragile:
    """Work that fails when told, and remembers when it was begun."""

    def __init__(self, clock: FakeClock, *, lasts: float = 0.0) -> None:
        self.begun: list[float] = []
        self._clock = clock
        self._lasts = lasts

    async def work(self) -> None:
        self.begun.append(self._clock())
        if self._lasts:
            await self._clock.sleep(self._lasts)
        raise RuntimeError(f"failure {len(self.begun)}")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(0.0)


@pytest.fixture
def supervisor(clock: FakeClock) -> Supervisor:
    return Supervisor(clock=clock, sleep=clock.sleep)


async def ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_work_that_fails_is_begun_again_later_and_later(
    clock: FakeClock, supervisor: Supervisor
) -> None:
    fragile = Fragile(clock)
    task = supervisor.start("fragile", fragile.work)
    await clock.advance(32)
    assert fragile.begun == [0, 1, 3, 7, 15, 31]
    await ended(task)


async def test_the_wait_is_bounded(clock: FakeClock, supervisor: Supervisor) -> None:
    fragile = Fragile(clock)
    task = supervisor.start("fragile", fragile.work)
    await clock.advance(20 * LONGEST_WAIT)
    assert fragile.begun[-1] - fragile.begun[-2] == LONGEST_WAIT
    await ended(task)


async def test_work_that_went_well_for_long_is_begun_again_soon(
    clock: FakeClock, supervisor: Supervisor
) -> None:
    fragile = Fragile(clock, lasts=STEADY_SECONDS)
    task = supervisor.start("fragile", fragile.work)
    await clock.advance(3 * STEADY_SECONDS + 10)
    assert fragile.begun == [turn * (STEADY_SECONDS + 1) for turn in range(4)]
    await ended(task)


async def test_a_failure_is_logged_with_its_traceback(
    clock: FakeClock, supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    task = supervisor.start("fragile", Fragile(clock).work)
    await settle()
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage() == "background task failed task=fragile again_in=1"
    assert record.exc_info is not None
    await ended(task)


async def test_failures_are_counted_for_the_status(
    clock: FakeClock, supervisor: Supervisor
) -> None:
    assert supervisor.failures() == []
    tasks = [
        supervisor.start("first", Fragile(clock).work),
        supervisor.start("second", Fragile(clock, lasts=2.5).work),
    ]
    await clock.advance(2.9)
    second, first = supervisor.failures()
    assert (first.task, first.error, first.at, first.count) == (
        "first",
        "RuntimeError: failure 2",
        1.0,
        2,
    )
    assert (second.task, second.at, second.count) == ("second", 2.5, 1)
    for task in tasks:
        await ended(task)


async def test_work_that_returns_is_done(clock: FakeClock, supervisor: Supervisor) -> None:
    begun: list[float] = []

    async def work() -> None:
        begun.append(clock())

    await supervisor.start("short", work)
    await clock.advance(100)
    assert begun == [0]
    assert supervisor.failures() == []


@pytest.mark.parametrize("when", ["working", "waiting"])
async def test_a_task_that_is_cancelled_ends(
    when: str, clock: FakeClock, supervisor: Supervisor
) -> None:
    fragile = Fragile(clock, lasts=10)
    task = supervisor.start("fragile", fragile.work)
    await clock.advance(5 if when == "working" else 10.5)
    await ended(task)
    assert task.cancelled()
    await clock.advance(100)
    assert fragile.begun == [0]


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ValueError(), "ValueError"),
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device"),
        (ValueError("x" * 9999), "ValueError: " + "x" * 188),
    ],
    ids=["bare", "of the system", "long"],
)
async def test_what_is_shown_of_an_error_is_short(
    error: Exception, shown: str, clock: FakeClock, supervisor: Supervisor
) -> None:
    async def work() -> None:
        raise error

    task = supervisor.start("it", work)
    await settle()
    assert supervisor.failures()[0].error == shown
    await ended(task)
