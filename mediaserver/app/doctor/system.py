"""What the machine tells about itself: neighbours, route, container, packet filter (Linux)."""

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, ip_address
from pathlib import Path

from mediaserver.app.doctor.firewall import FirewallFacts
from mediaserver.app.doctor.packet_filter import Chains, read_iptables, read_nft
from mediaserver.upnp.interfaces import Address, Interface

COMMAND_SECONDS = 2.0
_COMPLETE = 0x2
"""Of an entry in the neighbour table (``ATF_COM``, ``linux/if_arp.h``)."""
_CONTAINER_MARKS = (b"docker", b"containerd", b"kubepods", b"lxc", b"libpod")
_GATEWAY = 0x2
"""Of a route (``RTF_GATEWAY``, ``linux/route.h``)."""

Run = Callable[[Sequence[str]], str | None]
"""Runs a command and gives its output; None if there is no such command, or it fails."""


def run(command: Sequence[str]) -> str | None:
    """Like :data:`Run`, for real; at most a few seconds."""
    program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        return None
    try:
        ended = subprocess.run(  # noqa: S603 - our own words
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout if ended.returncode == 0 else None


class System:
    """``root`` is where the file system begins."""

    def __init__(
        self,
        root: Path = Path("/"),
        *,
        run: Run = run,
        is_root: bool | None = None,
        hostname: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._run = run
        self._is_root = os.geteuid() == 0 if is_root is None else is_root
        self.hostname = socket.gethostname() if hostname is None else hostname
        self.now = now

    def neighbours(self, interfaces: Iterable[Interface]) -> list[Address]:
        """Other hosts that this machine has spoken to lately, on these interfaces (IPv4)."""
        names = {interface.name.partition(":")[0] for interface in interfaces}
        found: list[Address] = []
        for line in self._lines("proc/net/arp")[1:]:
            fields = line.split()
            with contextlib.suppress(ValueError, IndexError):
                if int(fields[2], 16) & _COMPLETE and fields[5] in names:
                    found.append(ip_address(fields[0]))
        return found

    def gateway(self) -> Address | None:
        """The router of the default route (IPv4)."""
        for line in self._lines("proc/net/route")[1:]:
            fields = line.split()
            with contextlib.suppress(ValueError, IndexError, struct.error):
                if int(fields[1], 16) == 0 and int(fields[3], 16) & _GATEWAY:
                    return IPv4Address(struct.pack("=I", int(fields[2], 16)))
        return None

    def in_container(self) -> bool:
        """Whether Docker, Podman, Kubernetes or LXC say so."""
        if any((self._root / mark).exists() for mark in (".dockerenv", "run/.containerenv")):
            return True
        groups = self._read("proc/1/cgroup")
        return any(mark in groups for mark in _CONTAINER_MARKS)

    def firewall(self) -> FirewallFacts:
        inside = self.in_container()
        if not self._is_root:
            return FirewallFacts(program=self._firewall_program(), container=inside)
        tables: list[Chains] = []
        read = False
        rules = self._run(("nft", "list", "ruleset"))
        if rules is not None:
            read = True
            tables += read_nft(rules)
        else:
            for command in ("iptables-save", "ip6tables-save"):
                rules = self._run((command,))
                if rules is not None:
                    read = True
                    tables += read_iptables(rules)
        if not read:
            # Without any program to make rules there are none, unless the kernel knows of some.
            read = not self._read("proc/net/ip_tables_names").strip()
            read = read and b"nf_tables" not in self._read("proc/modules")
        return FirewallFacts(tables if read else None, self._firewall_program(), inside)

    def _firewall_program(self) -> str | None:
        if b"ENABLED=yes" in self._read("etc/ufw/ufw.conf").replace(b'"', b""):
            return "ufw"
        if (self._root / "run/firewalld.pid").exists():
            return "firewalld"
        return None

    def _read(self, path: str) -> bytes:
        try:
            return (self._root / path).read_bytes()
        except OSError:
            return b""

    def _lines(self, path: str) -> list[str]:
        return self._read(path).decode("ascii", "replace").splitlines()
