"""``scan --now``: ask the server that runs on a data directory to scan.

It is asked over HTTP, at the port that it left a note of beside the lock of the data directory,
and at each address of this machine until one answers: it listens only at those that it serves.
"""

import errno
import http.client
import json
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote_from_bytes

from mediaserver import urls
from mediaserver.app.failures import StartFailed
from mediaserver.app.logs import printable
from mediaserver.data_directory import read_holder
from mediaserver.upnp import interfaces
from mediaserver.upnp.interfaces import Interface

SECONDS = 10.0
"""For an answer: the server looks at the paths before."""
MAX_ANSWER = 1 << 20


def ask(data_dir: Path, paths: Sequence[Path], say: Callable[[str], None]) -> None:
    """Have the server scan these folders, or all media roots; say what it scans.

    Raises StartFailed where no server runs, none answers, or it refuses a path.
    """
    try:
        holder = read_holder(data_dir)
    except OSError as error:
        hint = "; ask as the user that the server runs as" if _is_refused(error) else ""
        raise StartFailed(
            f"data directory {data_dir} cannot be looked at: {error.strerror or error}{hint}"
        ) from error
    if holder is None or holder.port is None:
        raise StartFailed(
            f"no server with the data directory {data_dir} is running (of one with another, name "
            "that with --data-dir or --config)"
        )
    body = "&".join(f"path={quote_from_bytes(os.fsencode(path), safe='/')}" for path in paths)
    for interface in _own():
        answer = _post(interface, holder.port, body)
        if answer is not None:
            _tell(answer, say)
            return
    raise StartFailed(f"the server does not answer at port {holder.port} (process {holder.pid})")


def _is_refused(error: OSError) -> bool:
    return error.errno in {errno.EACCES, errno.EPERM}


def _own() -> Iterator[Interface]:
    """The addresses of this machine; last those that are rarely served."""
    try:
        found = interfaces.current([name for _, name in socket.if_nameindex()])
    except OSError as error:
        raise StartFailed(f"the network cannot be looked at: {error.strerror or error}") from error
    yield from sorted(
        found, key=lambda each: (each.address.is_loopback, each.address.is_link_local)
    )


def _post(interface: Interface, port: int, body: str) -> dict[str, object] | None:
    """What a server of ours answers; None if there is none, as others may have the port here."""
    host = str(interface.address)
    if interface.scope_id:
        host += f"%{interface.scope_id}"
    # From the same address: so the server knows that it is asked by its own machine.
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS, source_address=(host, 0))
    try:
        connection.request(
            "POST",
            urls.SCAN,
            body,
            {
                "Host": interface.host(port),
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
        )
        response = connection.getresponse()
        if response.status == http.client.FORBIDDEN:
            return None
        found = json.loads(response.read(MAX_ANSWER))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) and found.keys() & {"scanning", "error"} else None


def _tell(answer: dict[str, object], say: Callable[[str], None]) -> None:
    if "error" in answer:
        raise StartFailed(printable(f"{answer['error']}"))
    scanning = answer["scanning"]
    for path in scanning if isinstance(scanning, list) else ():
        say(printable(f"the server scans {path}"))
