"""What is judged of server, interfaces, port, searches, and what is heard."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

import pytest

from mediaserver.app.doctor import hearing, network, searches
from mediaserver.app.doctor.findings import Verdict
from mediaserver.app.doctor.hearing import Hearing
from mediaserver.app.doctor.others import OtherServer
from mediaserver.app.doctor.probing import Answer, Probe
from mediaserver.app.doctor.server import HttpAnswer, Knock, Running
from mediaserver.data_directory import Holder
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.ssdp import Response
from mediaserver.web.status import HeardSearch, Status, TaskFailure
from tests.upnp.fakes import ETH0, ETH1, UDN

OK, UNKNOWN, WARNING, FAILURE = Verdict.OK, Verdict.UNKNOWN, Verdict.WARNING, Verdict.FAILURE
PORT = 8200
RUNNING = Running(udn=UDN, port=PORT, version="1.2.3")
OTHER_UDN = "uuid:00000000-0000-4000-8000-000000000001"
LO = Interface("lo", 1, ip_address("127.0.0.1"), 8)
AUTO_IP = Interface("eth0", 2, ip_address("169.254.7.8"), 16)
GLOBAL_6 = Interface("eth0", 2, ip_address("2001:db8::5"), 64)
LINK_LOCAL_6 = Interface("eth0", 2, ip_address("fe80::5"), 64)


# ---- the server


@pytest.mark.parametrize(
    ("holder", "running", "own_udn", "verdict", "said"),
    [
        (Holder(42, PORT), RUNNING, UDN, OK, "process 42, port 8200, version 1.2.3"),
        (Holder(None, PORT), RUNNING, None, OK, "it runs (port 8200"),
        (None, RUNNING, UDN, OK, "it runs"),
        (None, RUNNING, OTHER_UDN, WARNING, "another data directory"),
        (None, None, UDN, WARNING, "not running"),
        (Holder(42, None), None, UDN, WARNING, "starts or scans"),
        (Holder(42, PORT), None, UDN, FAILURE, "does not answer at port 8200"),
    ],
)
def test_whether_it_runs(
    holder: Holder | None, running: Running | None, own_udn: str, verdict: Verdict, said: str
) -> None:
    found = network.server(holder, running, own_udn, port=PORT)
    assert found.verdict is verdict
    assert said in found.found


def test_parts_that_failed_in_the_running_server_are_told() -> None:
    failed = TaskFailure(task="announcing", error="x", count=2, seconds_ago=5)
    status = Status(
        name="x", version="1", udn=UDN, uptime_seconds=1, system_update_id=1, failures=(failed,)
    )
    found = network.server(Holder(1, PORT), replace(RUNNING, status=status), UDN, port=PORT)
    assert found.verdict is WARNING
    assert "announcing" in found.found


# ---- interfaces


@pytest.mark.parametrize(
    ("found", "wanted", "announced", "expected"),
    [
        ([ETH0, ETH1], [], None, {"eth0 192.0.2.5": OK, "eth1 198.51.100.5": OK}),
        ([ETH0], ["eth0"], ["192.0.2.5"], {"eth0 192.0.2.5": OK}),
        ([ETH0], ["192.0.2.5"], None, {"eth0 192.0.2.5": OK}),
        ([], [], None, {"": FAILURE}),
        ([], ["eth7"], None, {"eth7": FAILURE}),
        ([ETH0], ["eth0", "eth7"], None, {"eth0 192.0.2.5": OK, "eth7": FAILURE}),
        ([ETH0], [], ["198.51.100.5"], {"eth0 192.0.2.5": WARNING}),
        ([replace(ETH0, running=False)], [], None, {"eth0 192.0.2.5": WARNING}),
        ([AUTO_IP], [], None, {"eth0 169.254.7.8": WARNING}),
        ([LINK_LOCAL_6], [], None, {"eth0 fe80::5": OK}),
        ([LO], ["lo"], [], {"lo 127.0.0.1": OK}),
    ],
)
def test_interfaces(
    found: Sequence[Interface],
    wanted: Sequence[str],
    announced: Sequence[str] | None,
    expected: dict[str, Verdict],
) -> None:
    findings = network.interfaces(found, wanted, [LO, *found], announced)
    assert {each.about: each.verdict for each in findings} == expected
    assert all(each.next_step for each in findings if each.verdict is not OK)


def test_a_bridge_for_containers_needs_no_cable_and_has_no_television() -> None:
    docker = Interface("docker0", 4, ip_address("172.17.0.1"), 16, running=False)
    findings = network.interfaces(
        [ETH0, docker], [], [ETH0, docker], None, is_inner=lambda name: name == "docker0"
    )
    assert [each.verdict for each in findings] == [OK, OK]
    assert ["no television" in each.found for each in findings] == [False, True]


def test_a_wrong_name_is_answered_with_the_right_ones() -> None:
    [finding] = network.interfaces([], ["eth7"], [LO, ETH0], None)
    assert "eth0 (192.0.2.5)" in finding.next_step


@pytest.mark.parametrize(
    ("found", "verdict", "said"),
    [
        ([ETH0], OK, "none"),
        ([ETH0, GLOBAL_6], OK, "beside IPv4"),
        ([ETH0, LINK_LOCAL_6], OK, "link-local addresses only"),
        ([LINK_LOCAL_6], WARNING, "IPv6 only"),
        ([GLOBAL_6], WARNING, "IPv6 only"),
    ],
)
def test_ipv6(found: Sequence[Interface], verdict: Verdict, said: str) -> None:
    finding = network.ipv6(found)
    assert finding.verdict is verdict
    assert said in finding.found


# ---- the port

DESCRIPTION = f"<root><device><UDN>{UDN}</UDN></device></root>".encode()


@pytest.mark.parametrize(
    ("knock", "verdict", "step"),
    [
        (Knock(ETH0, HttpAnswer(200, DESCRIPTION)), OK, ""),
        (Knock(ETH0, refused=True), FAILURE, "restart"),
        (Knock(ETH0, error="no answer in time"), FAILURE, "sudo ufw allow 8200/tcp"),
        (Knock(ETH0, HttpAnswer(403, b"")), FAILURE, "allowed_networks"),
        (Knock(ETH0, HttpAnswer(404, b"")), FAILURE, "another program"),
        (Knock(ETH0, HttpAnswer(200, b"<html>")), FAILURE, "another program"),
        (
            Knock(ETH0, HttpAnswer(200, DESCRIPTION.replace(UDN.encode(), OTHER_UDN.encode()))),
            FAILURE,
            "another program",
        ),
    ],
)
def test_the_port(knock: Knock, verdict: Verdict, step: str) -> None:
    found = network.port(knock, UDN, PORT)
    assert (found.verdict, found.about) == (verdict, "eth0 192.0.2.5 port 8200")
    assert step in found.next_step


def test_an_address_that_has_just_come_is_told_of_by_one_check_alone() -> None:
    """The check of interfaces warns of it; the server takes it up within seconds."""
    knock = Knock(ETH0, refused=True)
    assert network.port(knock, UDN, PORT, served=False).verdict is UNKNOWN
    assert searches.search_multicast(probe(), UDN, PORT, served=False).verdict is UNKNOWN
    assert searches.search_unicast(probe(), UDN, served=False).verdict is UNKNOWN


def test_a_port_that_another_program_has() -> None:
    assert network.free_port(ETH0, PORT, None).verdict is OK
    assert network.free_port(ETH0, PORT, "the port is in use").verdict is FAILURE


# ---- searches


def answer(
    location: str = "http://192.0.2.5:8200/description.xml",
    *,
    udn: str = UDN,
    source: str = "192.0.2.5",
) -> Answer:
    return Answer(Response(udn, udn, location), ip_address(source))


def probe(
    *answers: Answer,
    unicast: Sequence[Answer] = (),
    loop: bool = True,
    error: str | None = None,
    forbidden: bool = False,
    listening_error: str | None = None,
    interface: Interface = ETH0,
) -> Probe:
    return Probe(
        interface,
        error=error,
        forbidden=forbidden,
        listening_error=listening_error,
        multicast=list(answers),
        unicast=list(unicast),
        loop_heard=loop,
    )


@pytest.mark.parametrize(
    ("made", "verdict", "step"),
    [
        (probe(), OK, ""),
        (probe(loop=False), FAILURE, "UDP port 1900"),
        (probe(error="Network is unreachable"), FAILURE, "ip route"),
        (probe(error="Network is unreachable", interface=LO), UNKNOWN, ""),
        (probe(error="Operation not permitted", forbidden=True), FAILURE, "ufw allow out 1900/udp"),
        (probe(loop=False, listening_error="Address already in use"), FAILURE, "ss -ulpn"),
    ],
)
def test_our_own_multicast_comes_back(made: Probe, verdict: Verdict, step: str) -> None:
    found = searches.multicast_loop(made)
    assert found.verdict is verdict
    assert step in found.next_step


@pytest.mark.parametrize(
    ("made", "verdict", "step"),
    [
        (probe(answer()), OK, ""),
        (probe(answer(), answer("http://198.51.100.5:8200/description.xml")), OK, ""),
        (probe(), FAILURE, "restart the server"),
        (probe(loop=False), FAILURE, "UDP port 1900"),
        (probe(answer(udn=OTHER_UDN)), FAILURE, "restart the server"),
        (probe(answer("http://198.51.100.5:8200/description.xml")), WARNING, "--interface"),
        (probe(answer("http://192.0.2.5:9999/description.xml")), WARNING, "--interface"),
        (probe(error="Network is unreachable"), UNKNOWN, ""),
    ],
)
def test_our_server_answers_searches_with_the_right_location(
    made: Probe, verdict: Verdict, step: str
) -> None:
    found = searches.search_multicast(made, UDN, PORT)
    assert found.verdict is verdict
    assert step in found.next_step


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (probe(answer(), unicast=[answer()]), OK),
        (probe(unicast=[answer()]), OK),
        (probe(answer()), WARNING),
        (probe(), UNKNOWN),  # told by the other check
    ],
)
def test_our_server_answers_searches_by_unicast(made: Probe, verdict: Verdict) -> None:
    assert searches.search_unicast(made, UDN).verdict is verdict


OWN = [ETH0.address, ETH1.address]


@pytest.mark.parametrize(
    ("made", "number", "verdict"),
    [
        ([probe(answer())], PORT, OK),
        ([probe(answer("http://198.51.100.5:8200/d.xml"))], PORT, OK),
        ([probe(answer(udn=OTHER_UDN, source="192.0.2.9"))], PORT, OK),
        ([probe(answer(), answer("http://192.0.2.9:8200/d.xml"))], PORT, FAILURE),
        ([probe(answer()), probe(answer("http://192.0.2.9/d.xml"))], PORT, FAILURE),
        ([probe(answer(), answer("http://192.0.2.5:8300/d.xml"))], PORT, FAILURE),
        ([probe(answer())], None, FAILURE),  # none of ours runs
        ([probe(answer("http://nas.local:8200/d.xml"))], PORT, OK),  # cannot be told
    ],
)
def test_another_server_with_our_identity(
    made: Sequence[Probe], number: int | None, verdict: Verdict
) -> None:
    found = searches.same_udn(made, UDN, OWN, number)
    assert found.verdict is verdict
    assert ("identity.json" in found.next_step) is (verdict is FAILURE)


def test_a_server_without_identity_has_no_twin() -> None:
    assert searches.same_udn([probe(answer())], None, OWN, PORT).verdict is UNKNOWN


def test_another_server_with_our_name() -> None:
    others = [OtherServer(ip_address("192.0.2.9"), "NAS")]
    assert searches.same_name(others, "NAS").verdict is WARNING
    assert "192.0.2.9" in searches.same_name(others, "NAS").found
    assert searches.same_name(others, "Living room").verdict is OK


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("http://192.0.2.9:8200/d.xml", (ip_address("192.0.2.9"), 8200)),
        ("http://192.0.2.9/d.xml", (ip_address("192.0.2.9"), 80)),
        ("http://[2001:db8::9]:80/", (ip_address("2001:db8::9"), 80)),
        ("http://[::ffff:192.0.2.9]/", (ip_address("192.0.2.9"), 80)),
        ("http://nas/", None),
        ("http://192.0.2.9:99999/", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_the_place_of_a_location(location: str, expected: object) -> None:
    assert searches.place(location) == expected


# ---- what is heard


def searched(address: str, seconds_ago: float = 10) -> HeardSearch:
    return HeardSearch(address=address, target="ssdp:all", answered=True, seconds_ago=seconds_ago)


def test_who_searched_is_named_once_the_latest_first() -> None:
    heard = [searched("192.0.2.20", 3), searched("192.0.2.21", 5), searched("192.0.2.20", 60)]
    found = hearing.searches_heard(Hearing(seconds=100, searches=heard), running=True)
    assert found.verdict is OK
    assert found.found == "from 192.0.2.20 (3 s ago), 192.0.2.21 (5 s ago)"


def test_of_many_who_searched_some_are_named() -> None:
    heard = [searched(f"192.0.2.{number}", number) for number in range(10, 18)]
    found = hearing.searches_heard(Hearing(seconds=100, searches=heard), running=True)
    assert found.found.endswith("192.0.2.14 (14 s ago) and 3 more")


@pytest.mark.parametrize(
    ("heard", "running", "verdict"),
    [
        (Hearing(seconds=30), True, UNKNOWN),
        (Hearing(seconds=3600), True, WARNING),
        (Hearing(seconds=3), False, UNKNOWN),
        (Hearing(seconds=3600, loopback_only=True), True, UNKNOWN),
    ],
)
def test_silence_means_something_after_a_while(
    heard: Hearing, running: bool, verdict: Verdict
) -> None:
    assert hearing.searches_heard(heard, running=running).verdict is verdict


DAY = 86400.0


@pytest.mark.parametrize(
    ("heard", "verdict"),
    [
        (Hearing(seconds=DAY, multicasts=1, neighbours=5), OK),
        (Hearing(seconds=3, multicasts=1), OK),
        (Hearing(seconds=DAY, neighbours=5), WARNING),
        (Hearing(seconds=DAY, answered=2), WARNING),
        (Hearing(seconds=600, neighbours=5), UNKNOWN),
        (Hearing(seconds=DAY), UNKNOWN),
        (Hearing(seconds=DAY, neighbours=5, loop_heard=False), UNKNOWN),
        (Hearing(seconds=DAY, neighbours=5, loopback_only=True), UNKNOWN),
    ],
)
def test_snooping_is_suspected_after_long_silence_among_others(
    heard: Hearing, verdict: Verdict
) -> None:
    found = hearing.igmp_snooping(heard)
    assert found.verdict is verdict
    assert ("IGMP snooping" in found.next_step) is (verdict is WARNING)
