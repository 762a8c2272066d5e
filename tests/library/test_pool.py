"""Worker processes: whatever a file does to one, every path is answered once (security.md M3)."""

import asyncio
import itertools
import os
import select
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mediaserver.library.disks import NO_ANSWER
from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.objects import Kind
from mediaserver.library.readers import jobs, process
from mediaserver.library.readers.jobs import RenderJob
from mediaserver.library.readers.pool import MAX_HANGING, ReaderPool, ReaderPoolError
from mediaserver.library.scanning.walk import REFUSALS
from tests import make_media
from tests.patience import PATIENCE

WORKER = r"""
import os, pickle, signal, sys, time
from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.library.readers import jobs

class Hostile:
    def __reduce__(self):
        return os.system, ("touch " + os.path.join(folder, "owned"),)

folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(folder, "pids"), "a") as log:
    log.write(f"{os.getpid()}\n")
out = os.dup(1)
if os.path.exists(os.path.join(folder, "stillborn")):
    sys.exit(7)
jobs.write(out, jobs.frame(jobs.READY))

def answer(path):
    with open(os.path.join(folder, "tried"), "ab") as log:
        log.write(path + b"\n")
    match os.path.basename(path).split(b".")[0]:
        case b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"crash-once":
            mark = os.path.join(folder, "crashed")
            if not os.path.exists(mark):
                open(mark, "w").close()
                os.kill(os.getpid(), signal.SIGKILL)
        case b"exit":
            os._exit(3)
        case b"hang":
            time.sleep(600)
        case b"dribble":
            jobs.write(out, b"\0\0\1\0")
            while True:
                time.sleep(0.01)
                jobs.write(out, b".")
        case b"hostile":
            jobs.write(out, jobs.frame(Hostile()))
        case b"noise":
            jobs.write(out, jobs.frame("x")[:4] + b"noise" * 10)
        case b"huge":
            jobs.write(out, b"\xff\xff\xff\xff")
        case b"text":
            return "no facts"
    return MediaFacts(kind=Kind.AUDIO, mime_type="audio/mpeg", title=path.decode())

while (job := jobs.read_job(0)) is not None:
    if isinstance(job, jobs.RenderJob):
        facts = answer(job.path)
        if job.path.startswith(b"bad"):
            jobs.write(out, jobs.frame(jobs.Failed("a bad picture")))
        else:
            jobs.write(out, jobs.frame(jobs.Picture(job.path, "image/jpeg", os.getpid(), 1)))
    else:
        for path in job.paths:
            jobs.write(out, jobs.frame(answer(path)))
"""


@pytest.fixture
def command(tmp_path: Path) -> Sequence[str]:
    """A worker that does what the names of its files say."""
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    return (sys.executable, "-P", str(script))


class Pools:
    """Makes pools; afterwards none of their processes may be left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[ReaderPool] = []

    def __call__(self, command: Sequence[str], workers: int = 1, timeout: float = 5) -> ReaderPool:
        self._made.append(ReaderPool(workers, timeout, command=command))
        return self._made[-1]

    def pids(self) -> list[int]:
        """Every process that was ever started."""
        log = self._folder / "pids"
        return [int(line) for line in log.read_text().split()] if log.exists() else []

    def close(self) -> None:
        for pool in self._made:
            pool.close()
        for pid in self.pids():
            assert not Path(f"/proc/{pid}").exists()


@pytest.fixture
def pools(tmp_path: Path) -> Iterator[Pools]:
    made = Pools(tmp_path)
    yield made
    made.close()


def reasons(pool: ReaderPool, *names: bytes) -> dict[bytes, str | None]:
    """Names to reasons; every name must come exactly once."""
    answers = list(pool.map(names))
    assert sorted(path for path, _ in answers) == sorted(names)
    return {path: facts.reason for path, facts in answers}


def ended(pid: int, seconds: float = 10) -> bool:
    """Wait for the end of a process, which is not ours to reap; whether it came."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_path_is_answered_once(pools: Pools, command: Sequence[str], workers: int) -> None:
    names = [b"%d.mp3" % number for number in range(500)]
    answers = dict(pools(command, workers).map(iter(names)))
    assert {name: answers[name].title for name in names} == {name: name.decode() for name in names}
    assert len(pools.pids()) == workers


def test_no_paths_give_no_facts_and_start_nothing(pools: Pools, command: Sequence[str]) -> None:
    assert list(pools(command).map([])) == []
    assert pools.pids() == []


def test_paths_are_taken_only_a_little_ahead(pools: Pools, command: Sequence[str]) -> None:
    counter = itertools.count()
    paths = (b"%d.mp3" % next(counter) for _ in range(10_000))
    answers = pools(command, 2).map(paths)
    for _ in range(10):
        next(answers)
    answers.close()
    assert next(counter) <= 300


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"crash", "the reader crashed (signal 11)"),
        (b"exit", "the reader crashed (exit code 3)"),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_kills_a_worker_costs_itself_only(
    pools: Pools, command: Sequence[str], name: bytes, reason: str, workers: int, tmp_path: Path
) -> None:
    good = [b"%d.mp3" % number for number in range(80)]
    names = [*good[:40], name + b".flac", *good[40:]]
    pool = pools(command, workers)
    answers = dict(pool.map(names))
    assert [answers[path].reason for path in good] == [None] * 80
    broken = answers[name + b".flac"]
    assert (broken.reason, broken.mime_type, broken.title) == (reason, "audio/flac", name.decode())
    # Once among others, and once more alone.
    assert (tmp_path / "tried").read_bytes().split().count(name + b".flac") == 2


def test_several_such_files_one_after_the_other_end_the_scan_neither(
    pools: Pools, command: Sequence[str]
) -> None:
    names = [b"crash.1.mp3", b"crash.2.mp3", b"exit.3.mp3", b"good.mp3", b"crash.4.mp3"]
    found = reasons(pools(command), *names)
    assert [name for name, reason in found.items() if reason is None] == [b"good.mp3"]


def test_a_file_that_was_not_to_blame_is_read_at_the_second_try(
    pools: Pools, command: Sequence[str]
) -> None:
    assert reasons(pools(command), b"crash-once.mp3", b"a.mp3") == {
        b"crash-once.mp3": None,
        b"a.mp3": None,
    }


@pytest.mark.parametrize("name", [b"hang.mkv", b"dribble.mkv"])
def test_a_file_that_takes_too_long_is_given_up_after_one_try(
    pools: Pools, command: Sequence[str], name: bytes, tmp_path: Path
) -> None:
    pool = pools(command, timeout=1)
    assert reasons(pool, b"a.mp3", name, b"b.mp3") == {
        b"a.mp3": None,
        b"b.mp3": None,
        name: "reading took longer than 1 s",
    }
    assert (tmp_path / "tried").read_bytes().split().count(name) == 1


@pytest.mark.parametrize("name", [b"hostile.mp3", b"noise.mp3", b"huge.mp3"])
def test_an_answer_that_is_none_is_refused_and_its_worker_ended(
    pools: Pools, command: Sequence[str], name: bytes, tmp_path: Path
) -> None:
    """A file may have taken the worker over: what it says must not run here."""
    found = reasons(pools(command), b"a.mp3", name, b"b.mp3")
    assert found == {b"a.mp3": None, b"b.mp3": None, name: "the reader lost its way"}
    assert not (tmp_path / "owned").exists()


def test_an_answer_of_another_kind_leaves_the_file_with_its_name(
    pools: Pools, command: Sequence[str]
) -> None:
    assert reasons(pools(command), b"text.mp3") == {b"text.mp3": "no facts came"}


def test_workers_that_do_not_start_are_the_pool_s_error(
    pools: Pools, command: Sequence[str], tmp_path: Path
) -> None:
    (tmp_path / "stillborn").touch()
    with pytest.raises(ReaderPoolError, match=r"exit code 7"):
        list(pools(command).map([b"a.mp3"]))
    with pytest.raises(ReaderPoolError, match="No such file"):
        list(pools([str(tmp_path / "missing")]).map([b"a.mp3"]))
    with pytest.raises(ReaderPoolError, match="lost its way"):
        list(pools(["/bin/sh", "-c", "printf '\\0\\0\\0\\5N.....'; cat"]).map([b"a.mp3"]))


def test_workers_are_used_again(pools: Pools, command: Sequence[str]) -> None:
    pool = pools(command, 2)
    for _ in range(3):
        reasons(pool, b"a.mp3", b"b.mp3")
    assert len(pools.pids()) <= 2


def test_closing_ends_a_map_that_waits_for_a_file(pools: Pools, command: Sequence[str]) -> None:
    pool = pools(command, timeout=60)
    answers = pool.map([b"a.mp3", b"hang.mp3", b"b.mp3"])
    assert next(answers)[0] == b"a.mp3"
    closing = threading.Timer(0.05, pool.close)
    closing.start()
    began = time.monotonic()
    assert list(answers) == []
    assert time.monotonic() - began < 10
    closing.join()


def test_a_closed_pool_reads_nothing(pools: Pools, command: Sequence[str]) -> None:
    pool = pools(command)
    pool.close()
    pool.close()
    assert list(pool.map([b"a.mp3"])) == []
    assert pools.pids() == []


def test_a_map_that_is_given_up_leaves_no_process(pools: Pools, command: Sequence[str]) -> None:
    pool = pools(command, 2, timeout=60)
    answers = pool.map([b"a.mp3", *[b"hang.mp3"] * 100])
    next(answers)
    answers.close()
    assert all(ended(pid) for pid in pools.pids())


def test_a_worker_without_work_is_ended_after_a_while(
    command: Sequence[str], tmp_path: Path
) -> None:
    pool = ReaderPool(1, command=command, idle=0.05)
    assert len(list(pool.map([b"a.mp3"]))) == 1
    (pid,) = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert ended(pid)
    assert len(list(pool.map([b"b.mp3"]))) == 1
    pool.close()


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_comes_as_it_went(kind: Kind) -> None:
    """Enumerations are pickled in several ways, some of which no answer may hold: Python 3.11.2,
    that of Debian 12, would call ``getattr``."""
    assert list(jobs.AnswerBuffer().feed(jobs.frame(kind))) == [kind]


# ---- pictures


async def test_a_picture_comes_from_a_worker(pools: Pools, command: Sequence[str]) -> None:
    pool = pools(command)
    picture = await pool.render(RenderJob(b"a.jpg", "JPEG_TN"))
    assert (picture.data, picture.width) == (b"a.jpg", pools.pids()[0])


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (b"bad.jpg", "a bad picture"),
        (b"crash.jpg", r"the reader crashed \(signal 11\)"),
        (b"hostile.jpg", "the reader lost its way"),
        (b"hang.jpg", "it took longer than 1 s"),
    ],
)
async def test_a_picture_that_cannot_be_made_has_a_reason_and_the_next_is_made(
    pools: Pools, command: Sequence[str], path: bytes, reason: str
) -> None:
    pool = pools(command, timeout=1)
    with pytest.raises(UnreadableMedia, match=reason):
        await pool.render(RenderJob(path, "JPEG_TN"))
    assert (await pool.render(RenderJob(b"a.jpg", "JPEG_TN"))).data == b"a.jpg"


async def test_pictures_take_no_more_processes_than_workers(
    pools: Pools, command: Sequence[str]
) -> None:
    pool = pools(command, 2)
    jobs = [pool.render(RenderJob(b"%d.jpg" % number, "JPEG_TN")) for number in range(30)]
    pictures = await asyncio.gather(*jobs)
    assert [picture.data for picture in pictures] == [b"%d.jpg" % n for n in range(30)]
    assert len({picture.width for picture in pictures}) <= 2


async def test_a_closed_pool_makes_no_picture(pools: Pools, command: Sequence[str]) -> None:
    pool = pools(command)
    pool.close()
    with pytest.raises(ReaderPoolError):
        await pool.render(RenderJob(b"a.jpg", "JPEG_TN"))


# ---- the real worker


def compressed_bomb() -> bytes:
    """ID3v2.4 frames that inflate to a gigabyte each (ID3v2.4 §4.1.2, the flag k)."""
    packer = zlib.compressobj(9)
    packed = b"".join([packer.compress(bytes(1 << 20)) for _ in range(1024)]) + packer.flush()
    body = (1 << 30).to_bytes(4, "big") + packed

    def size(number: int) -> bytes:
        return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))

    frame = b"TIT2" + size(len(body)) + b"\x00\x09" + body
    frames = frame * 3
    return b"ID3\x04\x00\x00" + size(len(frames)) + frames


def test_a_real_file_that_inflates_without_end_is_stopped_by_the_limit_of_memory(
    tmp_path: Path,
) -> None:
    bomb = tmp_path / "bomb.mp3"
    sound = make_media.sound(tmp_path / "good.mp3").read_bytes()
    bomb.write_bytes(compressed_bomb() + sound)
    pool = ReaderPool(1, timeout=20, memory=200 << 20)
    try:
        answers = dict(pool.map([bytes(bomb), bytes(tmp_path / "good.mp3")]))
    finally:
        pool.close()
    assert answers[bytes(tmp_path / "good.mp3")].reason is None
    facts = answers[bytes(bomb)]
    assert facts.kind is Kind.AUDIO
    assert (facts.title, facts.reason) == ("bomb", "it needs too much memory")


def test_a_real_worker_is_nice_and_bounded_and_ends_with_its_input(tmp_path: Path) -> None:
    from mediaserver.library.readers.process import COMMAND, WorkerProcess

    worker = WorkerProcess(COMMAND, 20, 300 << 20)
    try:
        while not worker.started:
            worker.receive()
        limits = Path(f"/proc/{worker.pid}/limits").read_text()
        data = next(line for line in limits.splitlines() if line.startswith("Max data size"))
        assert data.split()[3] == str(300 << 20)
        core = next(line for line in limits.splitlines() if line.startswith("Max core"))
        assert core.split()[4] == "0"
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) >= 10
        assert worker.alive
    finally:
        worker.stop()
    assert not worker.alive


def test_a_real_worker_reads_and_draws(tmp_path: Path) -> None:
    song = make_media.sound(tmp_path / "a.flac", metadata={"title": "Song"})
    photo = tmp_path / "b.jpg"
    photo.write_bytes(make_media.picture("JPEG", (640, 480)))
    pool = ReaderPool(2)
    try:
        answers = dict(pool.map([bytes(song), bytes(photo), bytes(tmp_path / "gone.mp3")]))
        picture = asyncio.run(pool.render(RenderJob(bytes(photo), "JPEG_TN")))
    finally:
        pool.close()
    assert answers[bytes(song)].title == "Song"
    assert answers[bytes(photo)].width == 640
    assert answers[bytes(tmp_path / "gone.mp3")].reason == "No such file or directory"
    assert (picture.mime_type, picture.width, picture.height) == ("image/jpeg", 160, 120)


def test_a_worker_found_dead_when_it_is_sent_work_keeps_its_pipe_until_it_is_discarded() -> None:
    """Its owner waits on the pipe still; closed, its number would soon be another worker's."""
    from mediaserver.library.readers.process import WorkerDiedError, WorkerProcess

    worker = WorkerProcess([sys.executable, "-c", ""], 20, 300 << 20)
    try:
        assert ended(worker.pid)
        descriptor = worker.fileno()
        with pytest.raises(WorkerDiedError):
            worker.send(RenderJob(b"/file", "JPEG_TN"))
        assert worker.fileno() == descriptor
        assert worker.wait_readable(10)
        with pytest.raises(WorkerDiedError, match="exit code 0"):
            worker.receive()
    finally:
        worker.discard()


# ---- readers that cannot be ended


@pytest.fixture
def immortal(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Readers wait in the kernel, where no signal reaches them (signal(7)), until the end."""
    killed: list[subprocess.Popen[bytes]] = []
    kill = subprocess.Popen.kill
    monkeypatch.setattr(process, "END_SECONDS", 0.05)
    monkeypatch.setattr(subprocess.Popen, "kill", lambda reader: killed.append(reader))
    yield killed
    for reader in killed:
        kill(reader)
        reader.wait()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reader_that_cannot_be_ended_is_replaced(
    pools: Pools,
    command: Sequence[str],
    immortal: list[subprocess.Popen[bytes]],
    workers: int,
) -> None:
    """A process in uninterruptible sleep outlives SIGKILL: a disk that fails, a share that is away.

    It is not the file's fault, so the file is worth another try.
    """
    found = reasons(pools(command, workers, timeout=0.5), b"hang.mp3", b"a.mp3", b"b.mp3")
    assert found == {b"hang.mp3": NO_ANSWER, b"a.mp3": None, b"b.mp3": None}
    assert NO_ANSWER in REFUSALS
    assert len(set(immortal)) == 1


def test_readers_that_cannot_be_ended_are_bounded(
    pools: Pools, command: Sequence[str], immortal: list[subprocess.Popen[bytes]]
) -> None:
    names = [b"hang.%d.mp3" % number for number in range(MAX_HANGING + 1)]
    with pytest.raises(ReaderPoolError, match="does not answer"):
        list(pools(command, workers=4, timeout=0.1).map(names))
    assert len(set(immortal)) == MAX_HANGING


def test_a_pool_with_a_reader_that_cannot_be_ended_closes_in_time(
    pools: Pools, command: Sequence[str], immortal: list[subprocess.Popen[bytes]]
) -> None:
    pool = pools(command, workers=2, timeout=600)
    ended = threading.Event()

    def read() -> None:
        assert list(pool.map([b"hang.mp3"])) == []
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    while not pools.pids():
        assert not ended.wait(0.01)
    pool.close()
    # CLOSED_SECONDS to notice it, and none to wait for a process that was waited for.
    assert ended.wait(PATIENCE)
    assert immortal
