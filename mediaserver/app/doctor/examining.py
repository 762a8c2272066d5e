"""All checks in order: first whether a server runs, then everything else at the same time."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from mediaserver.app.doctor import (
    disk,
    hearing,
    library,
    machine,
    network,
    others,
    probing,
    searches,
    server,
)
from mediaserver.app.doctor.findings import Check, Finding, in_order, unknown
from mediaserver.app.doctor.firewall import FirewallFacts, firewall
from mediaserver.app.doctor.hearing import Hearing
from mediaserver.app.doctor.library import DataDirectoryFacts, IndexFacts, RootFacts
from mediaserver.app.doctor.probing import Probe
from mediaserver.app.doctor.server import Running
from mediaserver.app.doctor.system import System
from mediaserver.config import Settings
from mediaserver.data_directory import IDENTITY_NAME, INDEX_NAME, Holder, read_holder, read_udn
from mediaserver.library.watching.mounts import max_watches, why_none_here
from mediaserver.patience import bounded
from mediaserver.server.listening import CannotListen, Endpoint, listen
from mediaserver.upnp import interfaces
from mediaserver.upnp.interfaces import Interface
from mediaserver.web.status import Status

PATIENCE = 4.0
"""Seconds for anything of the system that may hang. With the seconds that a server may take
before, and others after, all is done in less than ten."""

T = TypeVar("T")

ProbeAll = Callable[[Sequence[Interface], str | None], Awaitable[list[Probe]]]


@dataclass(frozen=True, slots=True)
class _Basis:
    """What everything else builds on."""

    interfaces: tuple[Interface, ...]
    """Those the server would use."""
    present: tuple[Interface, ...]
    """All there are."""
    holder: Holder | None
    own_udn: str | None
    """Of the data directory."""
    running: Running | None

    @property
    def udn(self) -> str | None:
        return self.running.udn if self.running is not None else self.own_udn

    @property
    def port(self) -> int | None:
        """Of the server that runs, or holds the data directory and does not answer."""
        if self.running is not None:
            return self.running.port
        return self.holder.port if self.holder is not None else None

    def serves(self, interface: Interface) -> bool:
        """Whether the running server serves an interface, as far as it tells."""
        if self.status is None:
            return True
        return str(interface.address) in [each.address for each in self.status.interfaces]

    @property
    def status(self) -> Status | None:
        return self.running.status if self.running is not None else None


async def examine(
    settings: Settings,
    file: Path | None,
    *,
    system: System | None = None,
    probe: ProbeAll = probing.probe,
    patience: float = PATIENCE,
) -> list[Finding]:
    """Every check, in the order of the report. ``file``: where the settings came from."""
    system = system or System()
    basis = await _basis(settings)
    findings = await asyncio.gather(
        _library(settings, basis, patience),
        _network(settings, basis, system, probe, patience),
        _machine(settings, basis, system, patience),
    )
    return in_order(
        [
            *library.configuration(file),
            *(each for part in findings for each in part),
        ]
    )


async def _basis(settings: Settings) -> _Basis:
    data_dir = settings.server.data_dir
    found = _look(settings.server.interfaces)
    present = _look([name for _, name in socket.if_nameindex()])
    try:
        holder, closed = read_holder(data_dir), False
    except OSError:
        holder, closed = None, True
    port = holder.port if holder is not None and holder.port else settings.server.port
    loopback = [each for each in present if each.address.is_loopback and each not in found]
    running = await server.find([*found, *loopback], port) if port else None
    if closed and running is not None:
        # A server that runs as a user of its own; what it holds is not for us to see.
        holder = Holder(None, running.port)
    return _Basis(
        interfaces=found,
        present=present,
        holder=holder,
        own_udn=_try(lambda: read_udn(data_dir)),
        running=running,
    )


def _look(wanted: Sequence[str]) -> tuple[Interface, ...]:
    return _try(lambda: interfaces.current(wanted)) or ()


def _try(work: Callable[[], T]) -> T | None:
    try:
        return work()
    except OSError:
        return None


# ---- the disks


async def _library(settings: Settings, basis: _Basis, patience: float) -> list[Finding]:
    data_dir, poll_seconds = settings.server.data_dir, settings.library.poll_seconds
    held = basis.holder is not None
    directory, index = await asyncio.gather(
        _within(
            lambda: disk.look_at_data_directory(data_dir),
            patience,
            DataDirectoryFacts(path=data_dir, error="its file system does not answer"),
        ),
        _within(
            lambda: disk.look_at_index(data_dir / INDEX_NAME, held=held, seconds=patience / 2),
            patience,
            IndexFacts(path=data_dir / INDEX_NAME, error="its file system does not answer"),
        ),
    )
    running = basis.running
    if running is not None:
        index = replace(index, items=running.items, unreadable=running.unreadable)
    told = {root.path: root.reason for root in basis.status.roots} if basis.status else None
    paths = list(told) if told is not None else [str(root.path) for root in settings.library.roots]
    roots = await asyncio.gather(*(_root(path, told, index, patience / 2) for path in paths))
    return [
        library.data_directory(directory, held=held),
        library.disk_space(directory),
        library.index(index),
        *library.media_roots(roots, poll_seconds=poll_seconds),
        library.items(index, scanning=running is not None and running.scanning),
        library.unreadable_files(index.unreadable),
        await _watches(paths, index, basis.status, poll_seconds, patience / 2),
    ]


async def _root(
    path: str, told: dict[str, str | None] | None, index: IndexFacts, patience: float
) -> RootFacts:
    raw = os.fsencode(path)
    indexed = next((each for each in index.roots if each.path == raw), None)
    facts = await _within(
        lambda: disk.look_at_root(raw, indexed), patience, RootFacts(path=path, answered=False)
    )
    # What counts is what the server sees; it may run as another user.
    return facts if told is None else replace(facts, reason=told[path], told_by_server=True)


async def _watches(
    paths: Sequence[str],
    index: IndexFacts,
    status: Status | None,
    poll_seconds: int,
    patience: float,
) -> Finding:
    indexed = {each.path: each for each in index.roots}

    def count() -> dict[bytes, int]:
        raw = [os.fsencode(path) for path in paths]
        return {path: disk.count_folders(path, indexed.get(path)) for path in raw}

    folders = await _within(count, patience, None)
    if folders is None:
        return unknown(Check.WATCHES, "the folders could not be counted in time")
    return library.watches(
        folders,
        max_watches(),
        told={each.path: each.polled for each in status.roots if each.polled} if status else None,
        refusal=why_none_here() if folders else None,
        poll_seconds=poll_seconds,
    )


async def _within(work: Callable[[], T], seconds: float, otherwise: T) -> T:
    try:
        return await bounded(work, seconds)
    except TimeoutError:
        return otherwise


# ---- the machine


async def _machine(
    settings: Settings, basis: _Basis, system: System, patience: float
) -> list[Finding]:
    identity = settings.server.data_dir / IDENTITY_NAME
    written = _try(lambda: identity.stat().st_mtime)
    filters = await _within(system.firewall, patience, FirewallFacts())
    container = machine.ContainerFacts(
        inside=system.in_container(), interfaces=basis.interfaces, gateway=system.gateway()
    )
    return [
        machine.clock(system.now(), written),
        machine.host_name(system.hostname, settings.server.friendly_name),
        machine.container(container),
        firewall(filters, basis.port or settings.server.port),
    ]


# ---- the network


async def _network(
    settings: Settings, basis: _Basis, system: System, probe: ProbeAll, patience: float
) -> list[Finding]:
    running, status = basis.running, basis.status
    served = [each.address for each in status.interfaces] if status is not None else None
    probes, ports = await asyncio.gather(
        probe(basis.interfaces, basis.udn), _ports(settings, basis)
    )
    found_others = await others.ask(probes, basis.udn)
    own = {each.address for each in (*basis.present, *basis.interfaces)}
    name = status.name if status is not None else settings.server.friendly_name
    findings = [
        network.server(basis.holder, running, basis.own_udn, port=settings.server.port),
        *network.interfaces(
            basis.interfaces,
            settings.server.interfaces,
            basis.present,
            served,
            is_inner=interfaces.is_inner,
        ),
        *ports,
    ]
    findings += map(searches.multicast_loop, probes)
    if running is None:
        findings += searches.not_running()
    else:
        tried = [(each, basis.serves(each.interface)) for each in probes]
        findings += (
            searches.search_multicast(each, running.udn, running.port, served=served)
            for each, served in tried
        )
        findings += (
            searches.search_unicast(each, running.udn, served=served) for each, served in tried
        )
    if basis.interfaces:
        heard = _hearing(basis, probes, system)
        findings += [
            network.ipv6(basis.interfaces),
            searches.same_udn(probes, basis.udn, own, basis.port),
            searches.same_name(found_others, name),
            hearing.searches_heard(heard, running=status is not None),
            hearing.igmp_snooping(heard),
        ]
    return findings


async def _ports(settings: Settings, basis: _Basis) -> list[Finding]:
    port = basis.port
    if port is not None:
        knocks = await asyncio.gather(*(server.knock(each, port) for each in basis.interfaces))
        udn = basis.udn or ""
        return [
            network.port(each, udn, port, served=basis.serves(each.interface)) for each in knocks
        ]
    return [_free(each, settings.server.port) for each in basis.interfaces]


def _free(interface: Interface, port: int) -> Finding:
    try:
        listen(Endpoint(interface.address, interface.scope_id), port).close()
    except CannotListen as error:
        return network.free_port(interface, port, str(error))
    return network.free_port(interface, port, None)


def _hearing(basis: _Basis, probes: Sequence[Probe], system: System) -> Hearing:
    status = basis.status
    own = {str(each.address) for each in (*basis.present, *basis.interfaces)}
    searched = [each for each in status.searches if each.address not in own] if status else []
    announcing = [each.address for each in status.devices] if status else []
    heard = {
        *(each.address for each in searched),
        *announcing,
        *(str(source) for each in probes for source in each.heard),
    }
    answered = {str(answer.source) for each in probes for answer in each.multicast}
    return Hearing(
        seconds=status.uptime_seconds if status else probing.SECONDS,
        searches=searched,
        multicasts=len(heard - own),
        answered=len(answered - own),
        neighbours=len(system.neighbours(basis.interfaces)),
        loop_heard=any(each.loop_heard for each in probes),
        loopback_only=all(each.address.is_loopback for each in basis.interfaces),
    )
