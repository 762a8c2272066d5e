"""Networks for a test: hosts that are network namespaces, on bridges that lead nowhere else."""

import ctypes
import itertools
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.patience import PATIENCE

_CHECKOUT = Path(__file__).parents[2]
_CABLES = itertools.count()
GROUP = ("239.255.255.250", 1900)
_LIBC = ctypes.CDLL(None, use_errno=True)

T = TypeVar("T")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Host:
    """A host; interfaces are named by the bridge they hang on."""

    def __init__(self, network: "Network", name: str) -> None:
        self.namespace = f"{network.name}-{name}"
        self._network = network
        ip("netns", "add", self.namespace)
        # The addresses of a test are unique: nobody has to wait until the system is sure of it.
        self.set("ipv6/conf/default/accept_dad", "0")
        self.ip("link", "set", "lo", "up")

    def ip(self, *words: str) -> None:
        """Run ``ip`` on this host."""
        ip("-n", self.namespace, *words)

    def set(self, name: str, value: str) -> None:
        """Set a value of the system below ``net`` (``ip-sysctl``) on this host."""
        self.inside(lambda: Path("/proc/sys/net", name).write_text(value, "ascii"))

    def run(self, *command: str) -> str:
        """What a command that ends by itself says on this host."""
        return subprocess.run(
            [*self.prefix, *command], check=True, capture_output=True, text=True, timeout=PATIENCE
        ).stdout

    def plug(self, interface: str, bridge: str, *addresses: str) -> None:
        """A cable from a new interface to a bridge, and the interface's addresses."""
        port = f"v{next(_CABLES)}"
        switch = self._network.switch
        ip("-n", switch, "link", "add", port, "type", "veth", "peer", "name", interface,
           "netns", self.namespace)  # fmt: skip
        ip("-n", switch, "link", "set", port, "master", bridge, "up")
        for address in addresses:
            self.address(interface, address)
        self.ip("link", "set", interface, "up")

    def address(self, interface: str, address: str) -> None:
        more = ["nodad"] if ":" in address else []
        self.ip("address", "add", address, "dev", interface, *more)

    @property
    def prefix(self) -> tuple[str, ...]:
        """Begins a command that is to run on this host."""
        return ("ip", "netns", "exec", self.namespace)

    def start(self, module: str, *arguments: str) -> "subprocess.Popen[str]":
        """Run a Python module of the checkout on this host."""
        return subprocess.Popen(
            [*self.prefix, sys.executable, "-m", module, *arguments],
            cwd=_CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def inside(self, make: Callable[[], T]) -> T:
        """What ``make`` gives when it runs on this host; a socket made there stays there."""
        results: list[T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                with Path("/run/netns", self.namespace).open("rb") as namespace:
                    if _LIBC.setns(namespace.fileno(), 0) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                results.append(make())
            except BaseException as error:  # handed to the caller below
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def control_point(self, address: str, *, seconds: float = PATIENCE) -> socket.socket:
        """A UDP socket that searches from one of the host's addresses."""

        def make() -> socket.socket:
            version = 6 if ":" in address else 4
            sock = socket.socket(
                socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM
            )
            sock.settimeout(seconds)
            if version == 6:
                index = socket.if_nametoindex("eth0")
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
                sock.bind((address, 0, 0, index if address.startswith("fe80") else 0))
            else:
                sock.setsockopt(
                    socket.IPPROTO_IP,
                    socket.IP_MULTICAST_IF,
                    struct.pack("@4s4si", bytes(4), bytes(4), socket.if_nametoindex("eth0")),
                )
                sock.bind((address, 0))
            return sock

        return self.inside(make)

    def listener(self, group: str = GROUP[0], *, seconds: float = PATIENCE) -> socket.socket:
        """A UDP socket that hears what is announced to a group on ``eth0``."""

        def make() -> socket.socket:
            index = socket.if_nametoindex("eth0")
            packed = socket.inet_pton(socket.AF_INET6 if ":" in group else socket.AF_INET, group)
            if ":" in group:
                sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
                sock.setsockopt(
                    socket.IPPROTO_IPV6,
                    socket.IPV6_JOIN_GROUP,
                    struct.pack("@16sI", packed, index),
                )
            else:
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                sock.setsockopt(
                    socket.IPPROTO_IP,
                    socket.IP_ADD_MEMBERSHIP,
                    struct.pack("@4s4si", packed, bytes(4), index),
                )
            sock.settimeout(seconds)
            sock.bind(("", 1900))
            return sock

        return self.inside(make)


class Network:
    """Hosts on bridges."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.switch = f"{name}-switch"
        self._hosts: list[Host] = []
        ip("netns", "add", self.switch)

    def bridge(self, name: str) -> None:
        ip("-n", self.switch, "link", "add", name, "type", "bridge", "mcast_snooping", "0")
        ip("-n", self.switch, "link", "set", name, "up")

    def host(self, name: str) -> Host:
        host = Host(self, name)
        self._hosts.append(host)
        return host

    def close(self) -> None:
        for namespace in (*(host.namespace for host in self._hosts), self.switch):
            ip("netns", "delete", namespace)


@contextmanager
def made(name: str) -> Iterator[Network]:
    """A network that is gone at the end. Where none can be made (root in a container that may do
    little) the test is skipped."""
    try:
        network = Network(name)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"network namespaces cannot be made: {error.stderr.decode().strip()}")
    try:
        yield network
    finally:
        network.close()


class Lan:
    """``server`` hangs on two bridges; ``player`` and ``third`` on one, ``far`` on the other."""

    def __init__(self, network: Network) -> None:
        self.network = network
        for bridge in ("br0", "br1"):
            network.bridge(bridge)
        self.server, self.player, self.third, self.far = map(
            network.host, ("server", "player", "third", "far")
        )
        self.server.plug("eth0", "br0", "10.91.0.1/24", "fd91::1/64")
        self.server.plug("eth1", "br1", "10.92.0.1/24")
        self.player.plug("eth0", "br0", "10.91.0.2/24", "fd91::2/64", "198.51.100.2/32")
        self.third.plug("eth0", "br0", "10.91.0.3/24")
        self.far.plug("eth0", "br1", "10.92.0.2/24")
