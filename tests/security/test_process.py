"""What the process allows itself and leaves to others (security.md 2, "Process")."""

import ipaddress
import os
import resource
import select
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.program import Program, environment, run
from tests.make_media import settle
from tests.patience import PATIENCE
from tests.security.wire import ask

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def running(media_root: Path, home: Path) -> Iterator[Program]:
    (media_root / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    settle(media_root)
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=3)
        yield program


def test_nobody_else_reads_what_it_writes(running: Program) -> None:
    """0600 for the index, 0640 at most for everything else, whatever umask it was started with."""
    for folder, folders, names in os.walk(running.data_dir):
        for name in (*folders, *names):
            path = Path(folder, name)
            mode = stat.S_IMODE(path.stat().st_mode)
            assert not mode & 0o027, (path, oct(mode))
            if name.startswith("index"):
                assert mode == 0o600, (path, oct(mode))
    assert not stat.S_IMODE(running.data_dir.stat().st_mode) & 0o027


def test_its_umask_is_027(running: Program) -> None:
    status = Path(f"/proc/{running.process.pid}/status").read_text()

    assert "Umask:\t0027\n" in status


@pytest.mark.parametrize("hard", [None, 4096, 256])
def test_it_takes_the_descriptors_that_it_may_have(
    media_root: Path, home: Path, hard: int | None
) -> None:
    """None: as many as this machine allows, up to 65536."""
    hard = hard or resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *("prlimit", f"--nofile=128:{hard}"),
                *(sys.executable, "-m", "mediaserver", "serve", str(media_root)),
                *("--interface", "lo", "--port", "0", "--data-dir", str(home / "data")),
            ],
            env=environment(home),
            stdout=log,
            stderr=log,
        )
    try:
        while "ready " not in (home / "log").read_text():
            assert process.poll() is None, (home / "log").read_text()
            select.select([], [], [], 0.05)
        limits = Path(f"/proc/{process.pid}/limits").read_text()
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0

    (line,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
    assert line.split()[3:5] == [str(min(hard, 65536)), str(hard)]


def listening(pid: int) -> set[tuple[str, int]]:
    """Addresses and ports of a process's TCP sockets that listen."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        sockets.add(os.readlink(descriptor))  # noqa: PTH115 - "socket:[1]" is no path
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                host, _, port = fields[1].partition(":")
                words = [int(host[at : at + 8], 16) for at in range(0, len(host), 8)]
                packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
                found.add((str(ipaddress.ip_address(packed)), int(port, 16)))
    return found


def test_it_listens_where_it_was_told_and_nowhere_else(media_root: Path, home: Path) -> None:
    with Program(media_root, home=home, interface="127.0.0.1") as program:
        program.wait_until_scanned(items=3)

        assert listening(program.process.pid) == {("127.0.0.1", program.port)}


def test_its_workers_hold_nothing_of_the_network(media_root: Path, home: Path) -> None:
    """M3: what a broken file takes over has no socket of ours."""
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=3)
        children = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children")
        pids = [int(pid) for pid in children.read_text().split()]
        for pid in pids:
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                name = os.readlink(descriptor)  # noqa: PTH115
                assert not name.startswith("socket:"), name
                assert str(home) not in name


def test_media_are_opened_for_reading_only(running: Program, media_root: Path) -> None:
    """The media root can be read-only, and nothing in it is ever written."""
    before = {path: path.stat().st_mtime_ns for path in media_root.rglob("*")}

    ask(running, "/")
    running.process.send_signal(1)
    running.wait_for(lambda: running.log.count("scan done") >= 2, "another scan")

    assert {path: path.stat().st_mtime_ns for path in media_root.rglob("*")} == before


def test_a_wrong_configuration_ends_it_in_one_line_and_at_once(
    media_root: Path, home: Path
) -> None:
    """F11."""
    (home / "bad.toml").write_text('[server]\nport = "x"\n')

    ended = run("serve", media_root, "--config", home / "bad.toml", home=home)

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1


def test_a_media_root_that_is_missing_is_waited_for(tmp_path: Path, home: Path) -> None:
    """F11, F7: and /health says what is missing, without a path."""
    root = tmp_path / "Later"
    options = ("--log-level", "info")
    with Program(root, home=home, options=options) as program:
        program.wait_until_scanned(items=0)
        program.wait_for(lambda: program.health()["problems"], "a problem")
        (problem,) = list(program.health()["problems"])  # type: ignore[call-overload]
        assert problem.startswith("media root Later: ")
        assert str(tmp_path) not in problem
        root.mkdir()
        (root / "one.wav").write_bytes(b"RIFF")
        settle(root)
        program.process.send_signal(1)

        program.wait_until_scanned(items=1)
        assert program.health()["problems"] == []
