"""What the machine tells, from files as Linux writes them (proc_net(5), arp(7))."""

from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest

from mediaserver.app.doctor.packet_filter import Passage, passage
from mediaserver.app.doctor.system import System, run
from tests.upnp.fakes import ETH0, ETH1

ARP = """\
IP address       HW type     Flags       HW address            Mask     Device
192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0
192.0.2.77       0x1         0x0         00:00:00:00:00:00     *        eth0
192.0.2.20       0x1         0x6         02:fc:00:00:00:06     *        eth0
203.0.113.1      0x1         0x2         02:fc:00:00:00:07     *        wlan0
nonsense
"""
ROUTE = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
"""
NFT = """\
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
	}
}
"""
IPTABLES = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"


def write(root: Path, path: str, text: str = "") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def system(root: Path, *, is_root: bool = True, **programs: str) -> System:
    """A machine with these programs, and what they print."""

    def run(command: Sequence[str]) -> str | None:
        return programs.get(command[0].replace("-", "_"))

    return System(root, run=run, is_root=is_root, hostname="nas")


def test_neighbours_are_those_that_answered_on_our_interfaces(tmp_path: Path) -> None:
    write(tmp_path, "proc/net/arp", ARP)
    found = system(tmp_path).neighbours([ETH0, ETH1])
    assert found == [ip_address("192.0.2.1"), ip_address("192.0.2.20")]


def test_the_gateway_of_the_default_route(tmp_path: Path) -> None:
    assert system(tmp_path).gateway() is None
    write(tmp_path, "proc/net/route", ROUTE)
    assert system(tmp_path).gateway() == ip_address("192.0.2.1")


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (".dockerenv", "", True),
        ("run/.containerenv", "", True),
        ("proc/1/cgroup", "0::/system.slice/docker-0123abcd.scope\n", True),
        ("proc/1/cgroup", "11:cpu:/kubepods/besteffort/pod1\n", True),
        ("proc/1/cgroup", "0::/init.scope\n", False),
    ],
)
def test_containers_leave_marks(path: str, text: str, expected: bool, tmp_path: Path) -> None:
    write(tmp_path, path, text)
    assert system(tmp_path).in_container() is expected


def test_rules_come_from_nft_if_it_is_there(tmp_path: Path) -> None:
    facts = system(tmp_path, nft=NFT, iptables_save=IPTABLES.replace("DROP", "ACCEPT")).firewall()
    assert facts.tables is not None
    assert passage(facts.tables, "udp", 1900) is Passage.CLOSED


def test_rules_come_from_iptables_otherwise(tmp_path: Path) -> None:
    facts = system(tmp_path, iptables_save=IPTABLES).firewall()
    assert facts.tables is not None
    assert passage(facts.tables, "udp", 1900) is Passage.CLOSED


def test_without_programs_and_tables_of_the_kernel_there_are_no_rules(tmp_path: Path) -> None:
    assert system(tmp_path).firewall().tables == []
    write(tmp_path, "proc/modules", "nf_tables 303104 0 - Live 0x0\n")
    assert system(tmp_path).firewall().tables is None


def test_who_is_not_root_knows_no_rules_but_perhaps_the_program(tmp_path: Path) -> None:
    facts = system(tmp_path, is_root=False, nft=NFT).firewall()
    assert (facts.tables, facts.program) == (None, None)
    write(tmp_path, "etc/ufw/ufw.conf", "# comment\nENABLED=yes\nLOGLEVEL=low\n")
    assert system(tmp_path, is_root=False).firewall().program == "ufw"


def test_firewalld_leaves_its_mark(tmp_path: Path) -> None:
    write(tmp_path, "etc/ufw/ufw.conf", "ENABLED=no\n")
    write(tmp_path, "run/firewalld.pid", "123\n")
    assert system(tmp_path, is_root=False).firewall().program == "firewalld"


def test_a_command_gives_its_output_or_nothing() -> None:
    assert run(("echo", "well")) == "well\n"
    assert run(("false",)) is None
    assert run(("no-such-program-anywhere",)) is None
