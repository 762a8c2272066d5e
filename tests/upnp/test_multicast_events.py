"""Events by multicast (UDA 1.1 §4.3.3), of the switch; the fields are those of its table."""

import socket
import struct
from ipaddress import ip_address

import pytest
from lxml import etree

from mediaserver.upnp import multicast_events
from mediaserver.upnp.description import service_document
from mediaserver.upnp.eventing import Eventing
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.multicast_events import MulticastEvents
from mediaserver.upnp.service import Service, StateVariable
from tests.upnp.fakes import ETH0, ETH1, UDN, FakeClock
from tests.upnp.switch import SERVER, TYPE

STATUS = StateVariable("Status", "boolean", evented=True, multicast=True, default="0")
QUIET = StateVariable("Quiet", evented=True, default="")
SLOW = StateVariable("Slow", "ui4", evented=True, multicast=True, default="0", moderation=2.0)
EVENT = "{urn:schemas-upnp-org:event-1-0}"
IPV6 = Interface("eth0", 2, ip_address("fd00::5"), 64)
LOOPBACK = Interface("lo", socket.if_nametoindex("lo"), ip_address("127.0.0.1"), 8)


def switch() -> Service:
    """A switch whose state is for everybody to hear."""
    return Service(
        name="SwitchPower",
        service_type=TYPE,
        service_id="urn:upnp-org:serviceId:SwitchPower",
        actions={},
        variables=[STATUS, QUIET, SLOW],
    )


class Listener:
    """Keeps what is sent, by interface."""

    def __init__(self, service: Service, *interfaces: Interface, clock: FakeClock) -> None:
        self.messages: list[tuple[Interface, bytes]] = []
        events = MulticastEvents(
            service,
            udn=UDN,
            interfaces=lambda: interfaces,
            boot_id=lambda: 7,
            send=lambda interface, data: self.messages.append((interface, data)),
        )
        self.eventing = Eventing(
            server=SERVER, interfaces=lambda: interfaces, clock=clock, sleep=clock.sleep
        )
        self.eventing.route("/event", service, multicast=events.tell)

    def take(self) -> list[tuple[dict[str, str], dict[str, str | None]]]:
        """Headers and variables of the messages since the last time."""
        found = []
        for _, data in self.messages:
            head, _, body = data.partition(b"\r\n\r\n")
            parts = (line.partition(": ") for line in head.decode("ascii").split("\r\n")[1:])
            properties = etree.fromstring(body).iter(f"{EVENT}property")
            values = {str(each[0].tag): each[0].text for each in properties}
            found.append(({name: value for name, _, value in parts}, values))
        self.messages.clear()
        return found


async def test_a_message_has_the_fields_of_its_table() -> None:
    service = switch()
    listener = Listener(service, ETH0, clock=FakeClock())
    service.set({STATUS: True})
    [(interface, data)] = listener.messages
    assert interface == ETH0
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.decode("ascii").split("\r\n") == [
        "NOTIFY * HTTP/1.0",
        "HOST: 239.255.255.246:7900",
        'CONTENT-TYPE: text/xml; charset="utf-8"',
        f"USN: {UDN}::{TYPE}",
        "SVCID: urn:upnp-org:serviceId:SwitchPower",
        "NT: upnp:event",
        "NTS: upnp:propchange",
        "SEQ: 0",
        "LVL: upnp:/general",
        "BOOTID.UPNP.ORG: 7",
        f"CONTENT-LENGTH: {len(body)}",
    ]
    [(_, values)] = listener.take()
    assert values == {"Status": "1"}


async def test_only_variables_declared_so_are_told() -> None:
    service = switch()
    listener = Listener(service, ETH0, clock=FakeClock())
    service.set({QUIET: "x"})
    assert listener.messages == []
    service.set({QUIET: "y", STATUS: True})
    [(_, values)] = listener.take()
    assert values == {"Status": "1"}


async def test_the_event_key_counts_messages_not_interfaces() -> None:
    service = switch()
    listener = Listener(service, ETH0, ETH1, IPV6, clock=FakeClock())
    for value in (True, False):
        service.set({STATUS: value})
    assert [headers["SEQ"] for headers, _ in listener.take()] == ["0"] * 3 + ["1"] * 3


async def test_each_family_has_its_group() -> None:
    """UDA 2.0 Annex A."""
    service = switch()
    listener = Listener(service, ETH0, IPV6, clock=FakeClock())
    service.set({STATUS: True})
    assert [headers["HOST"] for headers, _ in listener.take()] == [
        "239.255.255.246:7900",
        "[FF02::130]:7900",
    ]


async def test_moderation_holds_for_multicast_too() -> None:
    clock = FakeClock()
    service = switch()
    listener = Listener(service, ETH0, clock=clock)
    for number in (1, 2, 3):
        service.set({SLOW: number})
    assert [values for _, values in listener.take()] == [{"Slow": "1"}]
    await clock.advance(2)
    assert [values for _, values in listener.take()] == [{"Slow": "3"}]
    await listener.eventing.stop()


@pytest.mark.parametrize(("minor", "expected"), [(0, None), (1, "yes")])
def test_the_description_of_a_uda_1_1_device_says_so(minor: int, expected: str | None) -> None:
    """UDA 1.1 §2.5; UDA 1.0 has no such attribute."""
    root = etree.fromstring(service_document(switch(), minor=minor))
    namespace = "{urn:schemas-upnp-org:service-1-0}"
    assert {
        each.findtext(f"{namespace}name"): (each.get("sendEvents"), each.get("multicast"))
        for each in root.iter(f"{namespace}stateVariable")
    } == {
        "Status": ("yes", expected),
        "Quiet": ("yes", None),
        "Slow": ("yes", expected),
    }


def test_a_variable_that_is_not_evented_is_not_by_multicast_either() -> None:
    with pytest.raises(ValueError, match="only evented"):
        StateVariable("Target", multicast=True)


def test_it_goes_out_through_the_interface_that_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((str(multicast_events.GROUP), multicast_events.PORT))
        listener.setsockopt(
            socket.IPPROTO_IP,
            socket.IP_ADD_MEMBERSHIP,
            struct.pack("@4s4si", multicast_events.GROUP.packed, bytes(4), LOOPBACK.index),
        )
        listener.settimeout(10)
        multicast_events.send(LOOPBACK, b"an event")
        data, source = listener.recvfrom(4096)
    assert (data, source[0]) == (b"an event", "127.0.0.1")


def test_an_interface_that_is_gone_harms_nothing() -> None:
    multicast_events.send(Interface("gone", 9999, ip_address("192.0.2.1"), 24), b"an event")
