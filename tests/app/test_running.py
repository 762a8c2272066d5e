"""The life of a server within the process of the tests, where a moment in it is to be met."""

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediaserver.app import running
from mediaserver.config import Settings
from mediaserver.config.settings import LibrarySettings, MediaRoot, ServerSettings
from mediaserver.data_directory import DataDirectory


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """The program sets up the log of its whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


class At(logging.Handler):
    """Does something when something is logged, before anything else happens."""

    def __init__(self, text: str, act: Callable[[], None]) -> None:
        super().__init__()
        self._text = text
        self._act = act

    def emit(self, record: logging.LogRecord) -> None:
        if self._text in record.getMessage():
            self._act()


def settings(root: Path, data: Path, port: int) -> Settings:
    return Settings(
        server=ServerSettings(interfaces=("lo",), port=port, data_dir=data),
        library=LibrarySettings(roots=(MediaRoot(path=root),)),
    )


async def test_a_port_that_is_lost_while_starting_anew_brings_the_old_server_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody takes it after it was found to be free, and before it is ours."""
    root = tmp_path / "Media"
    root.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    others: list[socket.socket] = []
    reloads = 0

    def reload() -> Settings:
        nonlocal reloads
        reloads += 1
        if reloads == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return new

    logger = logging.getLogger("mediaserver.app.running")
    acts = (
        At("starting version", lambda: os.kill(os.getpid(), signal.SIGHUP)),
        At("starting anew", lambda: others.append(socket.create_server(("127.0.0.1", port)))),
    )
    for each in (*acts, caplog.handler):
        logger.addHandler(each)
    try:
        with DataDirectory(tmp_path / "data") as data:
            old, new = (settings(root, data.path, each) for each in (0, port))
            await running.serve(old, data, reload=reload)
    finally:
        for each in (*acts, caplog.handler):
            logger.removeHandler(each)
        for other in others:
            other.close()
    assert reloads == 2
    assert f"configuration not taken: cannot listen on 127.0.0.1:{port}: the port is" in caplog.text
