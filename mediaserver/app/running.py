"""The life of a server: put together, started, followed through changes, stopped.

Order matters twice. Nothing is announced before it is served, and an index that is there is
served before anything is scanned; in the end byebye goes out first, while we still answer.
"""

import asyncio
import contextlib
import errno
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence

import uvloop

from mediaserver import __version__
from mediaserver.app import logs
from mediaserver.app.building import Parts, build
from mediaserver.app.failures import StartFailed
from mediaserver.app.libraries import open_library
from mediaserver.config import ConfigError, Settings
from mediaserver.data_directory import DataDirectory
from mediaserver.server.listening import CannotListen, Endpoint, listen_on_all
from mediaserver.supervision import Supervisor
from mediaserver.upnp import interfaces
from mediaserver.upnp.interfaces import Change, Interface

logger = logging.getLogger(__name__)

NETWORK_SECONDS = 2.0
"""Between looks for a first interface, when there is none at the start."""


class _Wishes:
    """What signals ask for: to stop, or to read the configuration again."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.reload = asyncio.Event()

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        wanted = {
            signal.SIGTERM: self.stop,
            signal.SIGINT: self.stop,
            signal.SIGHUP: self.reload,
        }
        for number, event in wanted.items():
            loop.add_signal_handler(number, event.set)
        try:
            yield
        finally:
            for number in wanted:
                loop.remove_signal_handler(number)

    async def next(self) -> None:
        """Until either is wanted."""
        waiting = [asyncio.create_task(each.wait()) for each in (self.stop, self.reload)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()


def run(work: Coroutine[object, object, None]) -> None:
    """Run to the end on uvloop, which costs a server half of what asyncio's own loop does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


async def serve(
    settings: Settings, directory: DataDirectory, *, reload: Callable[[], Settings]
) -> None:
    """Serve until SIGTERM or SIGINT.

    On SIGHUP, ``reload`` reads the configuration and the media roots are scanned. Another name
    of the server or level of the log is taken as it serves, for anything else it starts anew
    within the process. With mistakes in the configuration, or where it asks for an interface or
    port that cannot be had, it goes on as before. Raises StartFailed.
    """
    wishes = _Wishes()
    served = settings
    with wishes.heard():
        while not wishes.stop.is_set():
            logs.configure(settings.log.level)
            logger.info("starting version=%s data_dir=%s", __version__, directory.path)
            try:
                served, settings = await _serve_once(settings, directory, reload, wishes)
            except StartFailed as error:
                if settings == served:
                    raise
                logger.error("configuration not taken: %s", error)
                settings = served
    logger.info("stopped")


async def _serve_once(
    settings: Settings,
    directory: DataDirectory,
    reload: Callable[[], Settings],
    wishes: _Wishes,
) -> tuple[Settings, Settings]:
    """One server from start to stop: its settings in the end, and those wanted for the next."""
    async with contextlib.AsyncExitStack() as ends:
        supervisor = Supervisor()
        library = await open_library(settings, directory, supervisor)
        ends.push_async_callback(library.close)
        found = await _first_interfaces(settings, wishes)
        if not found:
            stopping = wishes.stop.is_set()
            return settings, settings if stopping else _next(settings, directory, reload, wishes)
        parts = build(settings, directory, library, found, supervisor)
        try:
            port = await parts.http.start(_endpoints(found), settings.server.port)
        except CannotListen as error:
            hint = "" if error.errno == errno.EADDRNOTAVAIL else "; another one: --port N"
            raise StartFailed(f"{error}{hint}") from error
        directory.note_port(port)
        ends.callback(parts.delivery.close)
        ends.push_async_callback(parts.http.stop)
        ends.push_async_callback(parts.eventing.stop)
        parts.discovery.start(found)
        ends.push_async_callback(parts.discovery.stop)
        library.start()
        watching = _follow_interfaces(settings, parts, found)
        ends.push_async_callback(_cancelled, watching)
        _say_ready(found[0], port, parts.udn)
        while True:
            await wishes.next()
            if wishes.stop.is_set():
                logger.info("stopping")
                return settings, settings
            wanted = _next(settings, directory, reload, wishes)
            if not _is_taken_while_serving(settings, wanted):
                if (obstacle := _obstacle(wanted, parts)) is None:
                    logger.info("configuration changed, starting anew")
                    return settings, wanted
                logger.error("configuration not taken: %s", obstacle)
                continue
            logs.configure(wanted.log.level)
            if wanted.server.name != settings.server.name:
                logger.info("called %s from now on", wanted.server.friendly_name)
                parts.rename(wanted.server.friendly_name)
            settings = wanted
            library.rescan()


def _say_ready(interface: Interface, port: int, udn: str) -> None:
    """The line of the contract that scripts wait for; not a log line."""
    print(f"ready http://{interface.host(port)}/ {udn}", file=sys.stderr, flush=True)


def _next(
    settings: Settings,
    directory: DataDirectory,
    reload: Callable[[], Settings],
    wishes: _Wishes,
) -> Settings:
    """What the wish to reload brings: the configuration as it is now, or ``settings``."""
    wishes.reload.clear()
    try:
        wanted = reload()
    except ConfigError as error:
        for problem in error.problems:
            logger.error("configuration not taken: %s", problem)
        return settings
    if wanted.server.data_dir not in (settings.server.data_dir, directory.path):
        logger.warning(
            "server.data_dir is another now, used from the next start of the program on: "
            "until then it is %s",
            directory.path,
        )
    return wanted


def _is_taken_while_serving(settings: Settings, wanted: Settings) -> bool:
    """Whether nobody has to be cut off: but for name, log and data directory they are the same."""
    kept = {"name": settings.server.name, "data_dir": settings.server.data_dir}
    server = wanted.server.model_copy(update=kept)
    return wanted.model_copy(update={"server": server, "log": settings.log}) == settings


def _obstacle(wanted: Settings, parts: Parts) -> str | None:
    """Why a server of these settings could not start, as far as can be told while one runs."""
    try:
        found = _look(wanted)
    except OSError as error:
        return str(error)
    if not found:
        return _missing(wanted)
    port, http = wanted.server.port, parts.http
    ours = http.endpoints if port == http.port else ()
    try:
        tried = listen_on_all([each for each in _endpoints(found) if each not in ours], port)
    except CannotListen as error:
        return str(error)
    for sock in tried.values():
        sock.close()
    return None


# ---- the network


def _look(settings: Settings) -> tuple[Interface, ...]:
    return interfaces.current(settings.server.interfaces)


async def _first_interfaces(settings: Settings, wishes: _Wishes) -> tuple[Interface, ...]:
    """The interfaces to begin with; waits for a network, or for a wish (then none).

    To reload is one of them: the name of an interface may be what was wrong.
    """
    told = False
    while not wishes.stop.is_set():
        with contextlib.suppress(OSError):
            if found := _look(settings):
                return found
        if wishes.reload.is_set():
            break
        if not told:
            logger.warning("no network to serve yet, waiting: %s", _missing(settings))
            told = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wishes.next(), NETWORK_SECONDS)
    return ()


def _missing(settings: Settings) -> str:
    """What of the network is not there, and what is: names are mistyped, too."""
    wanted = " or ".join(settings.server.interfaces)
    if not wanted:
        return "no interface is up that can multicast"
    try:
        there = ", ".join(dict.fromkeys(each.name for each in interfaces.current()))
    except OSError:
        there = ""
    return f"there is no {wanted}{f', only {there}' if there else ''}"


def _follow_interfaces(
    settings: Settings, parts: Parts, found: Sequence[Interface]
) -> "asyncio.Task[None]":
    served = tuple(found)

    async def changed(change: Change) -> Sequence[Interface]:
        nonlocal served
        parts.addresses.use(change.interfaces)
        # Listening comes before announcing. What cannot be listened on is not announced either.
        failures = await parts.http.set_endpoints(_endpoints(change.interfaces))
        refused = {failure.endpoint for failure in failures}
        announced = [each for each in change.interfaces if _endpoint(each) not in refused]
        await parts.discovery.update_interfaces(announced)
        served = tuple(announced)
        return served

    async def follow() -> None:
        await interfaces.watch(lambda: _look(settings), changed, known=served)

    return parts.supervisor.start("network interfaces", follow)


def _endpoint(interface: Interface) -> Endpoint:
    return Endpoint(interface.address, interface.scope_id)


def _endpoints(found: Sequence[Interface]) -> list[Endpoint]:
    return [_endpoint(each) for each in found]


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
