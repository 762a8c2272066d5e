"""All checks together, on the loopback interface; and that nothing that hangs is waited for."""

import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mediaserver.app.doctor.examining import examine
from mediaserver.app.doctor.findings import Check, Finding, Verdict
from mediaserver.app.doctor.firewall import FirewallFacts
from mediaserver.app.doctor.probing import Answer, Probe
from mediaserver.app.doctor.system import System
from mediaserver.config import Settings
from mediaserver.data_directory import DataDirectory, read_holder
from mediaserver.patience import bounded
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.ssdp import Response
from tests.patience import PATIENCE
from tests.upnp.test_on_loopback import free_port


async def unheard(interfaces: Sequence[Interface], udn: str | None) -> list[Probe]:
    """A network where nobody says anything."""
    return [Probe(interface) for interface in interfaces]


def settings(data_dir: Path, *roots: Path, port: int | None = None) -> Settings:
    return Settings.model_validate(
        {
            "server": {
                "data_dir": data_dir,
                "interfaces": ["127.0.0.1"],
                "port": free_port() if port is None else port,
            },
            "library": {"roots": list(map(str, roots))},
        }
    )


def bare(root: Path) -> System:
    return System(root, run=lambda command: None, is_root=True, hostname="nas")


async def examined(
    settings: Settings, system: System, *, patience: float = 4.0
) -> dict[Check, list[Finding]]:
    found: dict[Check, list[Finding]] = {}
    for each in await examine(settings, None, system=system, probe=unheard, patience=patience):
        found.setdefault(each.check, []).append(each)
    return found


async def test_every_check_is_made(tmp_path: Path) -> None:
    found = await examined(settings(tmp_path / "data", tmp_path), bare(tmp_path))
    assert set(found) == set(Check)


async def test_nothing_is_left_where_no_server_has_been(tmp_path: Path) -> None:
    root = tmp_path / "Media"
    root.mkdir()
    await examined(settings(tmp_path / "data", root), bare(tmp_path))
    assert os.listdir(tmp_path) == ["Media"]  # noqa: PTH208


async def test_a_port_that_another_program_has_is_a_failure(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        wanted = settings(tmp_path / "data", tmp_path, port=other.getsockname()[1])
        found = await examined(wanted, bare(tmp_path), patience=1)
    [port] = found[Check.PORT]
    assert port.verdict is Verdict.FAILURE
    assert "in use" in port.found


async def test_a_server_that_holds_the_data_directory_and_is_deaf_is_a_failure(
    tmp_path: Path,
) -> None:
    with DataDirectory(tmp_path / "data") as directory:
        directory.note_port(free_port())
        found = await examined(settings(tmp_path / "data", tmp_path), bare(tmp_path))
    [server] = found[Check.SERVER]
    [port] = found[Check.PORT]
    assert (server.verdict, port.verdict) == (Verdict.FAILURE, Verdict.FAILURE)


async def test_a_server_that_is_deaf_is_no_second_one_with_its_identity(tmp_path: Path) -> None:
    """It answers searches still; its owner must not be told to delete identity.json."""
    with DataDirectory(tmp_path / "data") as directory:
        directory.note_port(free_port())
        udn, port = directory.next_identity().udn, read_holder(tmp_path / "data")
        assert port is not None
        location = f"http://127.0.0.1:{port.port}/description.xml"

        async def answered(interfaces: Sequence[Interface], _: str | None) -> list[Probe]:
            answer = Answer(Response(udn, udn, location), interfaces[0].address)
            return [Probe(interfaces[0], multicast=[answer])]

        [same_udn] = [
            each
            for each in await examine(
                settings(tmp_path / "data", tmp_path), None, system=bare(tmp_path), probe=answered
            )
            if each.check is Check.SAME_UDN
        ]
    assert same_udn.verdict is Verdict.OK


class Stuck(System):
    """A machine where nothing comes back until it is let go."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, run=lambda command: None, is_root=True, hostname="nas")
        self.let_go = threading.Event()

    def firewall(self) -> FirewallFacts:
        self.let_go.wait()
        return FirewallFacts([])


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[Stuck]:
    system = Stuck(tmp_path)
    yield system
    system.let_go.set()


async def test_what_hangs_is_unknown_and_holds_up_nothing(stuck: Stuck, tmp_path: Path) -> None:
    began = time.monotonic()
    found = await examined(settings(tmp_path / "data", tmp_path), stuck, patience=1)
    assert time.monotonic() - began < PATIENCE
    assert found[Check.FIREWALL][0].verdict is Verdict.UNKNOWN
    assert found[Check.CLOCK][0].verdict is Verdict.OK


async def test_work_in_a_thread_gives_its_result_or_its_error() -> None:
    def fail() -> int:
        raise FileNotFoundError("gone")

    assert await bounded(lambda: 7, 5) == 7
    with pytest.raises(FileNotFoundError, match="gone"):
        await bounded(fail, 5)


async def test_work_that_does_not_end_is_a_timeout() -> None:
    let_go = threading.Event()
    with pytest.raises(TimeoutError):
        await bounded(let_go.wait, 0.05)
    let_go.set()
