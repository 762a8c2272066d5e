"""The program as a subprocess on the loopback interface, as an owner would start it."""

import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

from tests.patience import PATIENCE

T = TypeVar("T")

READY = re.compile(r"^ready (http://\S+/) (uuid:\S+)$", re.MULTILINE)


def environment(home: Path) -> dict[str, str]:
    """The environment of the tests without anything that configures the program."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MEDIASERVER", "XDG_"))
    }
    return kept | {"HOME": str(home)}


def run(*arguments: str | Path, home: Path) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "mediaserver", *map(str, arguments)],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Program:
    """``mediaserver serve``, running. As a context manager it is stopped and must end well.

    ``prefix`` is the command that starts it, if one does; with ``interface`` None it serves all
    there are, with ``port`` None at the usual one, unless ``options`` say otherwise.
    ``configured``: where its data is, a configuration file says. ``url`` ends in a slash. ``log``
    is what it wrote to standard error so far.
    """

    url: str
    udn: str

    def __init__(
        self,
        *media_roots: Path,
        home: Path,
        options: Sequence[str | Path] = (),
        interface: str | None = "lo",
        port: int | None = 0,
        prefix: Sequence[str] = (),
        configured: bool = False,
        wait: bool = True,
    ) -> None:
        self.data_dir = home / "data"
        self._log = home / "log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *prefix,
                    sys.executable,
                    "-m",
                    "mediaserver",
                    "serve",
                    *map(str, media_roots),
                    *(() if interface is None else ("--interface", interface)),
                    *(() if port is None else ("--port", str(port))),
                    *(() if configured else ("--data-dir", str(self.data_dir))),
                    *map(str, options),
                ],
                env=environment(home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if wait:
            try:
                self.wait_until_ready()
            except BaseException:
                self.kill()
                raise

    def wait_until_ready(self) -> None:
        ready = self.wait_for(lambda: READY.search(self.log), "the ready line")
        self.url, self.udn = ready[1], ready[2]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
            return
        code = self.stop()
        assert code == 0, self.log
        assert "Traceback" not in self.log, self.log

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def health(self) -> dict[str, object]:
        with urllib.request.urlopen(f"{self.url}health", timeout=PATIENCE) as answer:  # noqa: S310
            found = json.load(answer)
        assert isinstance(found, dict)
        return found

    def library(self) -> dict[str, int]:
        found = self.health()["library"]
        assert isinstance(found, dict)
        return found

    def wait_until_scanned(self, items: int | None = None) -> dict[str, int]:
        """Wait until no scan runs and (if given) so many items are there."""

        def scanned() -> dict[str, int] | None:
            library = self.library()
            quiet = not library["scanning"] and not library["pending"]
            return library if quiet and items in (None, library["items"]) else None

        return self.wait_for(scanned, f"the scan of {items} items")

    def wait_for(self, look: Callable[[], T | None], what: str) -> T:
        """Look again until there is something; fails when the program ends or time is up."""
        deadline = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as pause:
            while True:
                found = look()
                if found:
                    return found
                if self.process.poll() is not None:
                    raise AssertionError(f"ended while waiting for {what}:\n{self.log}")
                if time.monotonic() > deadline:
                    raise AssertionError(f"waited in vain for {what}:\n{self.log}")
                pause.select(0.05)

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """As power loss would."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
