"""Events by multicast, for whoever listens without a subscription (UDA 1.1 §4.3.3).

Only for variables that are declared so, which a device of UDA 1.0 cannot do: no service of a
MediaServer has any.
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address

from mediaserver.upnp import gena, sockets
from mediaserver.upnp.headers import XML
from mediaserver.upnp.interfaces import Address, Interface
from mediaserver.upnp.service import Service

logger = logging.getLogger(__name__)
traffic = logging.getLogger("mediaserver.traffic.gena")

GROUP = IPv4Address("239.255.255.246")
GROUP_IPV6 = IPv6Address("ff02::130")
PORT = 7900
TTL = 2
"""UDA 1.1 §1."""
LEVEL = "upnp:/general"
"""LVL of events that neither warn of nor report anything in particular."""

Send = Callable[[Interface, bytes], None]


def group(interface: Interface) -> Address:
    return GROUP_IPV6 if interface.version == 6 else GROUP


def send(interface: Interface, data: bytes) -> None:
    """One datagram to the group of an interface; that it could not be sent is logged.

    Events are few: a socket for each spares following the interfaces as they come and go.
    """
    rng = random.Random()  # noqa: S311 - spreads port numbers, no secret
    try:
        with sockets.sending_socket(interface, ttl=TTL, hop_limit=1, rng=rng) as sock:
            sock.sendto(data, sockets.socket_address(group(interface), PORT, interface))
    except OSError as error:
        logger.debug("event not sent on %s: %s", interface.name, error)


def message(
    interface: Interface,
    *,
    usn: str,
    service_id: str,
    seq: int,
    boot_id: int,
    body: bytes,
    level: str = LEVEL,
) -> bytes:
    """NOTIFY by multicast (UDA 1.1 §4.3.3), all in one datagram."""
    address = group(interface)
    host = f"[{str(address).upper()}]:{PORT}" if address.version == 6 else f"{address}:{PORT}"
    head = (
        "NOTIFY * HTTP/1.0\r\n"
        f"HOST: {host}\r\n"
        f"CONTENT-TYPE: {XML.decode('ascii')}\r\n"
        f"USN: {usn}\r\n"
        f"SVCID: {service_id}\r\n"
        "NT: upnp:event\r\n"
        "NTS: upnp:propchange\r\n"
        f"SEQ: {seq}\r\n"
        f"LVL: {level}\r\n"
        f"BOOTID.UPNP.ORG: {boot_id}\r\n"
        f"CONTENT-LENGTH: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


class MulticastEvents:
    """The events of one service of the device ``udn``; :meth:`tell` is for ``Eventing.route``.

    ``interfaces`` and ``boot_id`` tell those in use.
    """

    def __init__(
        self,
        service: Service,
        *,
        udn: str,
        interfaces: Callable[[], Sequence[Interface]],
        boot_id: Callable[[], int],
        send: Send = send,
    ) -> None:
        self._usn = f"{udn}::{service.service_type}"
        self._service_id = service.service_id
        self._names = {each.name for each in service.variables if each.multicast}
        self._interfaces = interfaces
        self._boot_id = boot_id
        self._send = send
        self._seq = 0

    def tell(self, values: Mapping[str, str]) -> None:
        """Send those of the values by name that are declared for it, on every interface."""
        told = [(name, value) for name, value in values.items() if name in self._names]
        if not told:
            return
        body = gena.property_set(told)
        for interface in self._interfaces():
            data = message(
                interface,
                usn=self._usn,
                service_id=self._service_id,
                seq=self._seq,
                boot_id=self._boot_id(),
                body=body,
            )
            traffic.debug("event by multicast on %s: %r", interface.name, data)
            self._send(interface, data)
        self._seq = gena.next_seq(self._seq)
