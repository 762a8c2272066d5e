"""``mediaserver doctor`` on a host of a network that is well, and of some that are not."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.program import Program, environment
from tests.lan.messages import headers
from tests.lan.network import Host, Lan, made
from tests.lan.program import served
from tests.lan.test_discovery import Device
from tests.make_media import sound
from tests.patience import PATIENCE
from tests.upnp.fakes import m_search

pytestmark = [
    pytest.mark.lan,
    pytest.mark.end_to_end,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="ip (iproute2) is missing"),
]

LONGEST = 30.0
"""Seconds that the whole may take on a busy machine; five are usual."""


@dataclass(frozen=True)
class Report:
    """What doctor said."""

    code: int
    seconds: float
    findings: Sequence[dict[str, str]]

    def verdicts(self, check: str) -> dict[str, str]:
        return {each["about"]: each["verdict"] for each in self.findings if each["check"] == check}

    def only(self, check: str) -> dict[str, str]:
        [finding] = [each for each in self.findings if each["check"] == check]
        return finding

    def failures(self) -> set[tuple[str, str]]:
        return {
            (each["check"], each["about"]) for each in self.findings if each["verdict"] == "failure"
        }


def doctor(host: Host, home: Path, *options: str | Path) -> Report:
    began = time.monotonic()
    ended = subprocess.run(
        [*host.prefix, sys.executable, "-m", "mediaserver", "doctor", "--json",
         "--data-dir", str(home / "data"), *map(str, options)],
        env=environment(home), capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ended.stderr == ""
    return Report(ended.returncode, time.monotonic() - began, json.loads(ended.stdout)["findings"])


@pytest.fixture(scope="module")
def media_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("Media")
    os.utime(sound(root / "track.wav", seconds=1), (1_000_000_000, 1_000_000_000))
    return root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def program(lan: Lan, media_root: Path, home: Path) -> Iterator[Program]:
    with served(media_root, host=lan.server, home=home) as program:
        yield program


# ---- a network that is well


@dataclass(frozen=True)
class Well:
    """What came of examining a server with a neighbour that searches all the time."""

    report: Report
    port: int
    asked: int
    """Unicast searches of the neighbour meanwhile."""
    answered: int


@pytest.fixture(scope="module")
def well(media_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Well:
    home = tmp_path_factory.mktemp("well") / "home"
    with made(f"well{os.getpid()}") as network:
        lan = Lan(network)
        with (
            served(media_root, host=lan.server, home=home) as program,
            Device(lan.player) as neighbour,
            ThreadPoolExecutor(1) as pool,
        ):
            neighbour.serves()
            examination = pool.submit(doctor, lan.server, home)
            asked = answered = 0
            while not examination.done():
                asked += 1
                answered += is_answered(lan.player)
            return Well(examination.result(), program.port, asked, answered)


def is_answered(host: Host) -> bool:
    """Whether a unicast search to our server is answered (UDA 1.1 §1.3.2)."""
    with host.control_point("10.91.0.2") as sock:
        sock.sendto(m_search("upnp:rootdevice", mx=None), ("10.91.0.1", 1900))
        try:
            return bool(sock.recv(4096))
        except TimeoutError:
            return False


def test_where_all_is_well_nothing_fails(well: Well) -> None:
    assert well.report.failures() == set()
    assert well.report.code == 0


def test_it_takes_less_than_ten_seconds(well: Well) -> None:
    assert well.report.seconds < LONGEST


def test_the_running_server_is_found_at_whatever_port(well: Well) -> None:
    assert well.report.only("server")["verdict"] == "ok"
    assert f"port {well.port}" in well.report.only("server")["found"]
    assert well.report.verdicts("port")[f"eth1 10.92.0.1 port {well.port}"] == "ok"


@pytest.mark.parametrize("check", ["multicast-loop", "search-multicast", "search-unicast"])
def test_searches_are_tried_on_every_address(well: Well, check: str) -> None:
    verdicts = well.report.verdicts(check)
    assert set(verdicts.values()) == {"ok"}
    assert {"eth0 10.91.0.1", "eth0 fd91::1", "eth1 10.92.0.1"} <= set(verdicts)


def test_who_searches_is_named(well: Well) -> None:
    assert well.report.only("searches-heard")["found"].startswith("from 10.91.0.2 (")


def test_announcements_of_a_neighbour_rule_snooping_out(well: Well) -> None:
    assert well.report.only("igmp-snooping")["verdict"] == "ok"


def test_our_own_answers_are_no_second_server(well: Well) -> None:
    assert well.report.only("same-udn")["verdict"] == "ok"


def test_a_running_server_loses_no_search_to_it(well: Well) -> None:
    """Sockets that share a port take unicast datagrams from each other."""
    assert well.asked > 3
    assert well.answered == well.asked


# ---- others


def test_without_a_server_the_network_can_still_be_tried_and_nothing_is_left(
    lan: Lan, media_root: Path, home: Path
) -> None:
    """On the interfaces that the server would use, and on no other."""
    home.mkdir()
    with lan.far.listener(seconds=0.5) as elsewhere, lan.player.listener() as here:
        report = doctor(lan.server, home, media_root, "--interface", "eth0")
        assert headers(here.recv(4096))["MAN"] == '"ssdp:discover"'
        with pytest.raises(TimeoutError):
            elsewhere.recv(4096)
    assert report.code == 0
    assert report.only("server")["verdict"] == "warning"
    assert "eth0 10.91.0.1" in report.verdicts("multicast-loop")
    assert "eth1 10.92.0.1" not in report.verdicts("multicast-loop")
    assert set(report.verdicts("multicast-loop").values()) == {"ok"}
    assert report.only("search-multicast")["verdict"] == "unknown"
    assert list(home.iterdir()) == []


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft (nftables) is missing")
def test_a_firewall_that_drops_searches_is_found_and_named(
    lan: Lan, program: Program, home: Path
) -> None:
    lan.server.run(
        "nft",
        "add table inet filter; add chain inet filter input "
        "{ type filter hook input priority 0; policy accept; }; "
        "add rule inet filter input udp dport 1900 drop",
    )
    report = doctor(lan.server, home)
    assert report.code == 1
    assert ("multicast-loop", "eth0 10.91.0.1") in report.failures()
    assert ("search-multicast", "eth0 10.91.0.1") in report.failures()
    assert report.only("firewall")["verdict"] == "warning"
    assert report.only("firewall")["found"] == "the firewall keeps out UDP port 1900"
    assert report.verdicts("port")[f"eth0 10.91.0.1 port {program.port}"] == "ok"


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft (nftables) is missing")
def test_a_firewall_that_closes_the_port_is_found_and_nobody_else_accused(
    lan: Lan, program: Program, home: Path
) -> None:
    """The server answers searches still, which makes it no second one with its identity."""
    lan.server.run(
        "nft",
        "add table inet filter; add chain inet filter input "
        "{ type filter hook input priority 0; policy accept; }; "
        f"add rule inet filter input tcp dport {program.port} drop",
    )
    report = doctor(lan.server, home)
    assert report.failures() >= {("server", ""), ("port", f"eth0 10.91.0.1 port {program.port}")}
    assert report.only("same-udn")["verdict"] == "ok"
    assert report.only("firewall")["found"] == f"the firewall keeps out TCP port {program.port}"
    assert "1900" not in report.only("firewall")["next_step"]


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft (nftables) is missing")
def test_a_firewall_that_lets_nothing_out_and_a_bridge_of_containers(
    lan: Lan, media_root: Path, home: Path
) -> None:
    """A bridge that no container hangs on has no carrier, which is no reason to plug a cable."""
    lan.server.ip("link", "add", "docker0", "type", "bridge")
    lan.server.ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth1")
    lan.server.ip("link", "set", "veth0", "master", "docker0")
    lan.server.address("docker0", "172.17.0.1/16")
    for name in ("docker0", "veth0"):
        lan.server.ip("link", "set", name, "up")
    lan.server.run(
        "nft",
        "add table inet filter; add chain inet filter output "
        "{ type filter hook output priority 0; policy accept; }; "
        "add rule inet filter output udp dport 1900 drop",
    )
    home.mkdir()
    report = doctor(lan.server, home, media_root)
    interfaces = report.verdicts("interface")
    assert interfaces["docker0 172.17.0.1"] == "ok"
    assert not [about for about in interfaces if about.startswith("veth")]
    [loop] = [each for each in report.findings if each["about"] == "eth0 10.91.0.1"
              and each["check"] == "multicast-loop"]  # fmt: skip
    assert "a firewall on this machine lets no multicast out" in loop["found"]
    assert "ufw allow out 1900/udp" in loop["next_step"]


def test_servers_with_our_identity_or_our_name_are_found(
    lan: Lan, program: Program, media_root: Path, home: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    (copied / "data").mkdir(parents=True)
    shutil.copy(program.data_dir / "identity.json", copied / "data")
    with (
        served(media_root, host=lan.player, home=copied) as twin,
        served(media_root, host=lan.third, home=tmp_path / "namesake"),
    ):
        assert twin.udn == program.udn
        report = doctor(lan.server, home)

    assert report.code == 1
    assert report.only("same-udn")["verdict"] == "failure"
    assert f"10.91.0.2 port {twin.port}" in report.only("same-udn")["found"]
    assert "10.91.0.1" not in report.only("same-udn")["found"]
    assert report.only("same-name")["verdict"] == "warning"
    assert "10.91.0.3" in report.only("same-name")["found"]
