"""What is judged of the machine."""

from ipaddress import ip_address

import pytest

from mediaserver.app.doctor import machine
from mediaserver.app.doctor.findings import Verdict
from mediaserver.app.doctor.machine import ContainerFacts
from mediaserver.upnp.interfaces import Interface

NOW = 1_780_000_000.0  # 2026-05-28


@pytest.mark.parametrize(
    ("now", "written", "verdict"),
    [
        (NOW, None, Verdict.OK),
        (NOW, NOW - 100, Verdict.OK),
        (NOW, NOW + 100, Verdict.OK),
        (NOW, NOW + 86400, Verdict.WARNING),
        (0.0, None, Verdict.WARNING),
        (1_577_836_800.0, None, Verdict.WARNING),  # 2020-01-01, a board without a battery
    ],
)
def test_the_clock(now: float, written: float | None, verdict: Verdict) -> None:
    assert machine.clock(now, written).verdict is verdict


@pytest.mark.parametrize(
    ("hostname", "name", "verdict"),
    [
        ("nas", "mediaserver on nas", Verdict.OK),
        ("localhost", "mediaserver on localhost", Verdict.WARNING),
        ("localhost.localdomain", "mediaserver on localhost", Verdict.WARNING),
        ("localhost", "Living room", Verdict.OK),
    ],
)
def test_a_machine_without_a_name(hostname: str, name: str, verdict: Verdict) -> None:
    found = machine.host_name(hostname, name)
    assert found.verdict is verdict
    assert name in found.found


def container(
    address: str, gateway: str | None, *, inside: bool, name: str = "eth0"
) -> ContainerFacts:
    text, _, length = address.partition("/")
    return ContainerFacts(
        inside=inside,
        interfaces=[Interface(name, 2, ip_address(text), int(length))],
        gateway=ip_address(gateway) if gateway else None,
    )


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        # What Docker 26 and Podman 4 make: "docker run", a second network, Compose, "podman run".
        (container("172.17.0.2/16", "172.17.0.1", inside=True), Verdict.FAILURE),
        (container("172.18.0.3/16", "172.18.0.1", inside=True), Verdict.FAILURE),
        (container("192.168.16.2/20", "192.168.16.1", inside=True), Verdict.FAILURE),
        (container("10.88.0.5/16", "10.88.0.1", inside=True), Verdict.FAILURE),
        (container("10.89.3.2/24", "10.89.3.1", inside=True), Verdict.FAILURE),
        # Nothing else says so, but nobody has such a network at home.
        (container("172.17.0.2/16", "172.17.0.1", inside=False), Verdict.FAILURE),
        # A container on the network of its host, and homes.
        (container("192.168.1.10/24", "192.168.1.1", inside=True), Verdict.OK),
        (container("192.168.178.20/24", "192.168.178.1", inside=False), Verdict.OK),
        (container("10.0.0.5/8", "10.0.0.1", inside=False), Verdict.OK),
        (container("172.18.0.3/16", "172.18.0.1", inside=False), Verdict.OK),
        # The host of containers: its bridge is the gateway of others, not its own.
        (container("172.17.0.1/16", "192.168.1.1", inside=False, name="docker0"), Verdict.OK),
        (container("172.17.0.2/16", None, inside=True), Verdict.OK),
        (container("fd00::2/64", None, inside=True), Verdict.OK),
    ],
)
def test_a_container_with_a_network_of_its_own(facts: ContainerFacts, verdict: Verdict) -> None:
    found = machine.container(facts)
    assert found.verdict is verdict
    assert ("--network host" in found.next_step) is (verdict is Verdict.FAILURE)
