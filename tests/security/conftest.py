"""The program on a library of hostile files, for everything that attacks it from outside."""

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.program import Program
from tests.make_media import settle
from tests.security import hostile
from tests.security.paths import families


@dataclass(frozen=True)
class Besieged:
    """A running program, its media root, and what of that is to be served, by path."""

    program: Program
    root: Path
    served: dict[bytes, bytes]


@pytest.fixture(scope="session")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    """For tests that leave it as they found it. It must survive them all without an error."""
    root = tmp_path_factory.mktemp("media")
    outside = tmp_path_factory.mktemp("outside")
    served = hostile.fill(root, outside)
    settle(root)
    options = ("--log-level", "debug", "--name", "<Besieged> & 'brave'")
    with Program(root, home=tmp_path_factory.mktemp("home"), options=options) as program:
        program.wait_until_scanned(items=len(served))
        yield Besieged(program, root, served)


@pytest.fixture(scope="session")
def urls(besieged: Besieged) -> dict[str, tuple[str, str]]:
    """Method and path of every family of URLs."""
    return families(besieged.program)


@pytest.fixture
def program(besieged: Besieged) -> Program:
    return besieged.program


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def media_root(tmp_path: Path) -> Path:
    """Three small files for a program of the test's own."""
    root = tmp_path / "Media"
    root.mkdir()
    for number in range(3):
        (root / f"track {number}.wav").write_bytes(hostile.wav(number))
    settle(root)
    return root


def descriptors(program: Program) -> int:
    """How many the program has open."""
    return len(os.listdir(f"/proc/{program.process.pid}/fd"))  # noqa: PTH208


def limit_descriptors(program: Program, soft: int) -> int:
    """Set the limit of a running program; what it was."""
    before, hard = resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    return before


def cpu_seconds(program: Program) -> float:
    """What the program itself, without its workers, has used of the processor."""
    with open(f"/proc/{program.process.pid}/stat") as file:  # noqa: PTH123
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
