"""SSDP messages as bytes and values (UDA 1.1 §1)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.upnp import ssdp
from mediaserver.upnp.ssdp import Advertisement, Answer, Identity, Response, Search, Target
from tests.recorded import recorded

UDN = "uuid:2fac1234-31f8-11b4-a222-08002b34c003"
DEVICE = "urn:schemas-upnp-org:device:MediaServer:2"
CONTENT_DIRECTORY = "urn:schemas-upnp-org:service:ContentDirectory:2"
REGISTRAR = "urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1"
GROUP = "239.255.255.250:1900"
LOCATION = "http://192.0.2.5:8200/description.xml"
IDENTITY = Identity("Linux/6.1 UPnP/1.0 mediaserver/1.0", boot_id=1700000000, config_id=4711)


@dataclass(frozen=True)
class FakeService:
    service_type: str


@dataclass(frozen=True)
class FakeDevice:
    udn: str
    device_type: str
    services: Sequence[FakeService]


MEDIA_SERVER = FakeDevice(UDN, DEVICE, [FakeService(CONTENT_DIRECTORY), FakeService(REGISTRAR)])
TARGETS = ssdp.targets(MEDIA_SERVER)


def search(**changed: str | None) -> bytes:
    """An M-SEARCH with some headers exchanged, or left out if None."""
    headers = {"HOST": GROUP, "MAN": '"ssdp:discover"', "MX": "3", "ST": "ssdp:all", **changed}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join(["M-SEARCH * HTTP/1.1", *lines, "", ""]).encode("latin-1")


def lines_of(message: bytes) -> list[str]:
    assert message.endswith(b"\r\n\r\n")
    return message.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")


# Reading searches


def test_a_search_is_read() -> None:
    assert ssdp.read_search(search(ST=DEVICE)) == Search(st=DEVICE, mx=3)


@pytest.mark.parametrize("message", recorded("*.ssdp"))
def test_searches_of_real_clients_are_read(message: bytes) -> None:
    found = ssdp.read_search(message)
    assert found is not None
    assert found.mx in (1, 2, 3, 4, 5)


def test_who_searches_is_read_for_people_to_see() -> None:
    message = search(**{"USER-AGENT": "TV\x1b[31m/1 UPnP/1.1", "CPFN.UPNP.ORG": "K\xc3\xbcche"})
    found = ssdp.read_search(message)
    assert found is not None
    assert found.user_agent == "TV [31m/1 UPnP/1.1"
    assert found.friendly_name == "Küche"


@pytest.mark.parametrize(("mx", "counts_as"), [("0", 0), ("1", 1), ("5", 5), ("6", 5), ("120", 5)])
def test_an_mx_above_five_counts_as_five(mx: str, counts_as: int) -> None:
    found = ssdp.read_search(search(MX=mx))
    assert found is not None
    assert found.mx == counts_as


def test_a_unicast_search_needs_no_mx() -> None:
    assert ssdp.read_search(search(MX=None), multicast=False) == Search(st="ssdp:all", mx=None)


def test_names_of_headers_are_read_without_regard_to_case_and_spaces() -> None:
    message = b'M-SEARCH * HTTP/1.1\r\nman:"ssdp:discover"\r\nmX:2\r\nSt:\t ssdp:all \r\n\r\n'
    assert ssdp.read_search(message) == Search(st="ssdp:all", mx=2)


@pytest.mark.parametrize(
    "message",
    [
        search().replace(b"M-SEARCH *", b"M-SEARCH"),
        search().replace(b"M-SEARCH *", b"M-SEARCH /"),
        search().replace(b"HTTP/1.1", b"HTTP/1.0"),
        search().replace(b" HTTP/1.1", b""),
        search(MAN=None),
        search(MAN="ssdp:discover"),
        search(MX=None),
        search(MX=""),
        search(MX="Z"),
        search(MX="-1"),
        search(MX="+1"),
        search(MX="1_0"),
        search(MX="\xb2"),
        search(ST=None),
        search(ST=""),
        search(ST="ssdp:all\rX: y"),
        search() + b"x" * ssdp.MAX_MESSAGE,
        search().replace(b"MX", b"ST: upnp:rootdevice\r\nMX"),
        search().replace(b"HOST", b"no header\r\nHOST"),
        b"",
    ],
)
def test_what_is_not_a_proper_search_is_none(message: bytes) -> None:
    assert ssdp.read_search(message) is None


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    assert ssdp.read_search(data) is None
    assert ssdp.read_advertisement(data) is None


@settings(deadline=None)
@given(
    start=st.sampled_from([b"M-SEARCH * HTTP/1.1", b"NOTIFY * HTTP/1.1"]),
    headers=st.lists(
        st.tuples(
            st.sampled_from([b"MAN", b"MX", b"ST", b"NT", b"NTS", b"USN", b"USER-AGENT", b"X"]),
            st.one_of(
                st.sampled_from([b'"ssdp:discover"', b"ssdp:all", b"ssdp:alive", b"3"]),
                st.binary(max_size=40),
            ),
        ),
        max_size=8,
    ),
)
def test_arbitrary_headers_never_raise(start: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    message = b"\r\n".join([start, *(name + b": " + value for name, value in headers), b"", b""])
    found = ssdp.read_search(message)
    if found is not None:
        assert found.mx is not None
        assert 0 <= found.mx <= ssdp.MAX_MX
        assert not any(ord(letter) < 0x20 for letter in found.user_agent)
        ssdp.answers(found, TARGETS)
    ssdp.read_advertisement(message)


# What is announced


def test_a_plain_media_server_announces_root_uuid_type_and_services() -> None:
    assert [(target.nt, target.usn) for target in TARGETS] == [
        ("upnp:rootdevice", f"{UDN}::upnp:rootdevice"),
        (UDN, UDN),
        (DEVICE, f"{UDN}::{DEVICE}"),
        (CONTENT_DIRECTORY, f"{UDN}::{CONTENT_DIRECTORY}"),
        (REGISTRAR, f"{UDN}::{REGISTRAR}"),
    ]


def test_embedded_devices_add_two_each_and_their_services() -> None:
    embedded = FakeDevice("uuid:e", "urn:x:device:Light:1", [FakeService("urn:x:service:Dim:1")])
    nts = [target.nt for target in ssdp.targets(MEDIA_SERVER, [embedded])]
    assert nts[5:] == ["uuid:e", "urn:x:device:Light:1", "urn:x:service:Dim:1"]


def test_a_service_type_that_a_device_has_twice_is_announced_once() -> None:
    twice = replace(MEDIA_SERVER, services=[FakeService(REGISTRAR), FakeService(REGISTRAR)])
    assert len(ssdp.targets(twice)) == 4


# Which answers a search deserves


def answers(target: str) -> list[Answer]:
    return ssdp.answers(Search(st=target, mx=1), TARGETS)


def test_a_search_for_all_is_answered_once_for_each_announced() -> None:
    assert answers("ssdp:all") == [Answer(target.nt, target.usn) for target in TARGETS]


def test_a_search_for_root_devices_is_answered_once() -> None:
    assert answers("upnp:rootdevice") == [Answer("upnp:rootdevice", f"{UDN}::upnp:rootdevice")]


def test_a_search_for_our_uuid_is_answered_once() -> None:
    assert answers(UDN) == [Answer(UDN, UDN)]


def test_hexadecimal_digits_of_a_uuid_compare_without_case() -> None:
    assert answers(UDN.upper().replace("UUID", "uuid")) == [
        Answer(UDN.upper().replace("UUID", "uuid"), UDN)
    ]


@pytest.mark.parametrize("version", ["1", "2"])
def test_an_older_version_is_answered_as_asked_for(version: str) -> None:
    asked = f"urn:schemas-upnp-org:service:ContentDirectory:{version}"
    assert answers(asked) == [Answer(asked, f"{UDN}::{asked}")]


@pytest.mark.parametrize(
    "target",
    [
        "urn:schemas-upnp-org:service:ContentDirectory:3",
        "urn:schemas-upnp-org:service:ContentDirectory:0",
        "urn:schemas-upnp-org:service:ContentDirectory:01",
        "urn:schemas-upnp-org:service:ContentDirectory:",
        "urn:schemas-upnp-org:service:ContentDirectory",
        "urn:schemas-upnp-org:device:ContentDirectory:1",
        "urn:schemas-upnp-org:device:MediaRenderer:1",
        "uuid:00000000-0000-4000-8000-00000000dead",
        "ABCDEFG",
        "upnp:rootdevices",
        "ssdp:ALL",
    ],
)
def test_a_search_for_anything_else_is_not_answered(target: str) -> None:
    assert answers(target) == []


def test_more_than_the_announced_version_is_answered_if_implemented() -> None:
    targets = ssdp.targets(
        MEDIA_SERVER, answered={"urn:schemas-upnp-org:service:ContentDirectory": 4}
    )
    asked = "urn:schemas-upnp-org:service:ContentDirectory:4"
    assert ssdp.answers(Search(asked, 1), targets) == [Answer(asked, f"{UDN}::{asked}")]
    assert ssdp.answers(Search(asked[:-1] + "5", 1), targets) == []


# Messages


def test_alive_has_the_headers_of_its_table() -> None:
    message = ssdp.alive(TARGETS[2], IDENTITY, host=GROUP, location=LOCATION)
    assert lines_of(message) == [
        "NOTIFY * HTTP/1.1",
        "HOST: 239.255.255.250:1900",
        "CACHE-CONTROL: max-age=1800",
        "LOCATION: http://192.0.2.5:8200/description.xml",
        f"NT: {DEVICE}",
        "NTS: ssdp:alive",
        "SERVER: Linux/6.1 UPnP/1.0 mediaserver/1.0",
        f"USN: {UDN}::{DEVICE}",
        "BOOTID.UPNP.ORG: 1700000000",
        "CONFIGID.UPNP.ORG: 4711",
    ]


def test_byebye_has_the_headers_of_its_table() -> None:
    assert lines_of(ssdp.byebye(TARGETS[1], IDENTITY, host=GROUP)) == [
        "NOTIFY * HTTP/1.1",
        "HOST: 239.255.255.250:1900",
        f"NT: {UDN}",
        "NTS: ssdp:byebye",
        f"USN: {UDN}",
        "BOOTID.UPNP.ORG: 1700000000",
        "CONFIGID.UPNP.ORG: 4711",
    ]


def test_update_names_the_next_boot_id() -> None:
    message = ssdp.update(
        TARGETS[1], IDENTITY, host=GROUP, location=LOCATION, next_boot_id=1700000001
    )
    assert lines_of(message) == [
        "NOTIFY * HTTP/1.1",
        "HOST: 239.255.255.250:1900",
        "LOCATION: http://192.0.2.5:8200/description.xml",
        f"NT: {UDN}",
        "NTS: ssdp:update",
        f"USN: {UDN}",
        "BOOTID.UPNP.ORG: 1700000000",
        "CONFIGID.UPNP.ORG: 4711",
        "NEXTBOOTID.UPNP.ORG: 1700000001",
    ]


def test_a_response_has_the_headers_of_its_table() -> None:
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    message = ssdp.response(Answer(UDN, UDN), IDENTITY, location=LOCATION, date=date)
    assert lines_of(message) == [
        "HTTP/1.1 200 OK",
        "CACHE-CONTROL: max-age=1800",
        "DATE: Sun, 06 Nov 1994 08:49:37 GMT",
        "EXT:",
        "LOCATION: http://192.0.2.5:8200/description.xml",
        "SERVER: Linux/6.1 UPnP/1.0 mediaserver/1.0",
        f"ST: {UDN}",
        f"USN: {UDN}",
        "BOOTID.UPNP.ORG: 1700000000",
        "CONFIGID.UPNP.ORG: 4711",
    ]


def test_the_search_port_is_told_where_it_belongs() -> None:
    identity = replace(IDENTITY, search_port=50000)
    line = "SEARCHPORT.UPNP.ORG: 50000"
    target = TARGETS[0]
    assert line in lines_of(ssdp.alive(target, identity, host=GROUP, location=LOCATION))
    assert line in lines_of(
        ssdp.update(target, identity, host=GROUP, location=LOCATION, next_boot_id=1800000000)
    )
    assert line in lines_of(
        ssdp.response(Answer(UDN, UDN), identity, location=LOCATION, date="today")
    )
    assert line not in lines_of(ssdp.byebye(target, identity, host=GROUP))


def test_ipv6_messages_have_the_forerunner_of_bootid_too() -> None:
    host = "[FF02::C]:1900"
    expected = ['OPT: "http://schemas.upnp.org/upnp/1/0/"; ns=01', "01-NLS: 1700000000"]
    response = ssdp.response(Answer(UDN, UDN), IDENTITY, location="x", date="y", ipv6=True)
    for message in (
        ssdp.alive(TARGETS[0], IDENTITY, host=host, location=LOCATION),
        ssdp.byebye(TARGETS[0], IDENTITY, host=host),
        response,
    ):
        assert lines_of(message)[-2:] == expected


def test_every_message_fits_the_buffers_of_small_devices() -> None:
    # minidlna and miniupnpd build in 512 octets.
    longest = max(TARGETS, key=lambda target: len(target.usn))
    location = "http://[2001:db8:1111:2222:3333:4444:5555:6666]:65535/description.xml"
    identity = replace(IDENTITY, boot_id=2**31 - 2, config_id=2**24 - 1)
    for message in (
        ssdp.alive(longest, identity, host=GROUP, location=location),
        ssdp.update(longest, identity, host=GROUP, location=location, next_boot_id=2**31 - 1),
        ssdp.response(
            Answer(longest.nt, longest.usn),
            identity,
            location=location,
            date="Sun, 06 Nov 1994 08:49:37 GMT",
        ),
    ):
        assert len(message) < 512


def test_a_line_end_in_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="LOCATION with a line end"):
        ssdp.alive(TARGETS[0], IDENTITY, host=GROUP, location="http://x/\r\nEVIL: 1")


@pytest.mark.parametrize("next_boot_id", [1699999999, 1700000000, 2**31])
def test_the_next_boot_id_must_be_higher(next_boot_id: int) -> None:
    with pytest.raises(ValueError, match="NEXTBOOTID"):
        ssdp.update(TARGETS[0], IDENTITY, host=GROUP, location=LOCATION, next_boot_id=next_boot_id)


@pytest.mark.parametrize(
    ("boot_id", "config_id", "search_port"),
    [(-1, 0, None), (2**31, 0, None), (0, -1, None), (0, 2**24, None), (0, 0, 1900)],
)
def test_numbers_out_of_their_range_are_refused(
    boot_id: int, config_id: int, search_port: int | None
) -> None:
    with pytest.raises(ValueError, match=r"UDA 1\.1"):
        Identity("x", boot_id, config_id, search_port=search_port)


# Reading advertisements


def test_what_is_sent_is_what_is_read() -> None:
    for target in TARGETS:
        message = ssdp.alive(target, IDENTITY, host=GROUP, location=LOCATION)
        assert ssdp.read_advertisement(message) == Advertisement(
            nt=target.nt, nts="ssdp:alive", usn=target.usn, server=IDENTITY.server
        )
        assert ssdp.read_search(message) is None


@pytest.mark.parametrize(
    "message",
    [
        search(),
        b"NOTIFY * HTTP/1.1\r\nNT: a\r\nNTS: ssdp:other\r\nUSN: b\r\n\r\n",
        b"NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nUSN: b\r\n\r\n",
        b"NOTIFY * HTTP/1.1\r\nNT: a\r\nNTS: ssdp:alive\r\n\r\n",
        b"NOTIFY / HTTP/1.1\r\nNT: a\r\nNTS: ssdp:alive\r\nUSN: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nST: a\r\nUSN: b\r\n\r\n",
    ],
)
def test_what_is_no_proper_advertisement_is_none(message: bytes) -> None:
    assert ssdp.read_advertisement(message) is None


def test_a_target_for_a_uuid_is_its_own_usn() -> None:
    assert Target(UDN, UDN).usn == UDN


# Searching


def test_a_search_of_ours_is_one_of_the_standard() -> None:
    """UDA 1.1 §1.3.2, in the order of its example."""
    assert lines_of(ssdp.search(DEVICE, host=GROUP, mx=2)) == [
        "M-SEARCH * HTTP/1.1",
        f"HOST: {GROUP}",
        'MAN: "ssdp:discover"',
        "MX: 2",
        f"ST: {DEVICE}",
    ]


def test_a_unicast_search_of_ours_has_no_mx() -> None:
    """UDA 1.1 §1.3.2: MX is of multicast searches alone."""
    message = ssdp.search(DEVICE, host="192.0.2.5:1900", mx=None)
    assert ssdp.read_search(message, multicast=False) == Search(st=DEVICE, mx=None)
    assert b"MX" not in message


def test_an_answer_is_read() -> None:
    answer = Answer(DEVICE, f"{UDN}::{DEVICE}")
    message = ssdp.response(answer, IDENTITY, location=LOCATION, date="")
    found = ssdp.read_response(message)
    assert found == Response(DEVICE, f"{UDN}::{DEVICE}", LOCATION, IDENTITY.server)
    assert found is not None
    assert found.udn == UDN


@pytest.mark.parametrize(
    "message",
    [
        b"",
        search(),
        b"HTTP/1.1 404 Not Found\r\nST: a\r\nUSN: b\r\nLOCATION: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nST: a\r\nUSN: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nST: a\r\nUSN: b c\r\nLOCATION: d\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nST: a\r\nST: b\r\nUSN: c\r\nLOCATION: d\r\n\r\n",
    ],
)
def test_anything_else_is_no_answer(message: bytes) -> None:
    assert ssdp.read_response(message) is None


@given(st.binary(max_size=400))
def test_reading_an_answer_never_fails(data: bytes) -> None:
    ssdp.read_response(b"HTTP/1.1 200 OK\r\n" + data)
    ssdp.read_response(data)
