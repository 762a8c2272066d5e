"""N17: nothing from the network or from files forges a line of the log, or moves a cursor."""

import logging
import re
import socket
import sys
from pathlib import Path

import pytest

from mediaserver.app.logs import FORMAT, OneLine
from tests.end_to_end.program import Program, run
from tests.security.conftest import Besieged
from tests.security.hostile import NAMES
from tests.security.wire import ask, browse, envelope, post, search, talk

pytestmark = pytest.mark.end_to_end

FORGERY = "2026-01-01 00:00:00,000 ERROR   mediaserver.cli: forged"
LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|WARNING|ERROR) +[a-z0-9_.]+: .*"
    r"|ready http://\S+ uuid:\S+"
)
TROUBLE = ("\n", "\r\n", "\r", "\x85", "\u2028", "\x0b", "\x0c", "\x1b[1A\x1b[2K", "\x08" * 40)


def proper(log: str) -> None:
    """Fails unless every line is one record, or the line of the contract."""
    assert log
    for line in log.removesuffix("\n").split("\n"):
        assert line.isprintable(), ascii(line)
        assert LINE.fullmatch(line), line
        assert not line.startswith(FORGERY)


@pytest.mark.parametrize("trouble", TROUBLE, ids=ascii)
def test_every_input_is_one_line_of_the_log_each(besieged: Besieged, trouble: str) -> None:
    program = besieged.program
    text = f"x{trouble}{FORGERY}"
    escaped = "".join(f"%{byte:02x}" for byte in text.encode())
    raw = text.encode()
    before = len(program.log)

    for target in (f"/{escaped}", f"/media/{escaped}", f"/health?{escaped}"):
        ask(program, target)
        ask(program, target, method="SUBSCRIBE")
    for name in (b"Host", b"User-Agent", b"SOAPACTION", b"NT", b"Callback", b"Origin", b"Range"):
        for path in (b"/", b"/service/ContentDirectory/control"):
            head = b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\n%b: %b\r\n\r\n" % (path, name, raw)
            talk(program.port, head)
            spelled = b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\n%b%b: 1\r\n\r\n" % (path, name, raw)
            talk(program.port, spelled)
    talk(program.port, b"GET /" + raw + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    talk(program.port, raw + b" / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    browse(program, ObjectID=text.replace("\x1b", "").replace("\x08", ""))
    search(program, SearchCriteria=text.replace("\x1b", "").replace("\x08", ""))
    post(program, envelope("Browse", raw.decode()))
    post(program, raw, action=escaped)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        search_message = b'M-SEARCH * HTTP/1.1\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: %b\r\n\r\n'
        sock.sendto(search_message % raw, ("127.0.0.1", 1900))
        sock.sendto(raw, ("127.0.0.1", 1900))
    ask(program, "/end-of-test")

    proper(program.log)
    assert len(program.log) > before


def test_names_of_files_are_one_line_each_however_broken_the_files(
    tmp_path: Path, home: Path
) -> None:
    root = tmp_path / "line\nfeed"
    root.mkdir()
    for name in NAMES:
        path = bytes(root) + b"/" + name + b".mp3"
        with open(path, "wb") as file:  # noqa: PTH123 - a path of bytes
            file.write(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(100))
    with Program(root, home=home, options=("--log-level", "debug")) as program:
        program.wait_until_scanned(items=len(NAMES))
        log = program.log

    proper(log)


def test_a_scan_shows_names_of_files_without_their_control_characters(
    tmp_path: Path, home: Path
) -> None:
    """The owner's terminal is no place for what somebody called a file; nor is markup."""
    root = tmp_path / "media"
    root.mkdir()
    for name in (*NAMES, b"[red]x", b"[", b"[/]"):
        with open(bytes(root) + b"/" + name.replace(b"/", b"|") + b".mp3", "wb") as file:  # noqa: PTH123
            file.write(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(100))

    ended = run("scan", root, "--data-dir", home / "data", home=home)

    assert ended.returncode == 0, ended.stderr
    for line in ended.stdout.removesuffix("\n").split("\n"):
        assert line.isprintable(), ascii(line)


def test_a_traceback_cannot_pass_for_a_record() -> None:
    try:
        raise ValueError(f"x\n{FORGERY}\x1b[2J\r\u2028{FORGERY}")
    except ValueError:
        record = logging.LogRecord("a", 40, "", 1, "failed", None, sys.exc_info())

    first, *lines = OneLine(FORMAT).format(record).split("\n")

    assert LINE.fullmatch(first)
    assert lines
    for line in lines:
        assert line.isprintable()
        assert line.startswith("    ")
