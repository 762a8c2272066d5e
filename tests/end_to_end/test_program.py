"""The program as its owner meets it: starting, stopping, mistakes, accidents."""

import os
import re
import signal
import socket
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lxml import etree

from tests.end_to_end.program import Program, run
from tests.make_media import sound
from tests.patience import PATIENCE

pytestmark = pytest.mark.end_to_end


def three_tracks(parent: Path) -> Path:
    root = parent / "Media"
    root.mkdir()
    for number in range(3):
        track = sound(root / f"track {number}.wav", seconds=1)
        os.utime(track, (1_000_000_000, 1_000_000_000))  # a file just written is waited for
    return root


@pytest.fixture
def media_root(tmp_path: Path) -> Path:
    return three_tracks(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def browse(program: Program, object_id: str) -> etree._Element:
    """The DIDL-Lite of a container's children."""
    body = f"""<?xml version="1.0"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
 s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>
<u:Browse xmlns:u="urn:schemas-upnp-org:service:ContentDirectory:1">
<ObjectID>{object_id}</ObjectID><BrowseFlag>BrowseDirectChildren</BrowseFlag><Filter>*</Filter>
<StartingIndex>0</StartingIndex><RequestedCount>0</RequestedCount><SortCriteria></SortCriteria>
</u:Browse></s:Body></s:Envelope>"""
    with urllib.request.urlopen(f"{program.url}description.xml", timeout=PATIENCE) as answer:  # noqa: S310
        description = answer.read().decode()
    found = re.search(r"<controlURL>/([^<]*ContentDirectory[^<]*)</controlURL>", description)
    assert found
    request = urllib.request.Request(  # noqa: S310
        program.url + found[1],
        data=body.encode(),
        headers={
            "Content-Type": 'text/xml; charset="utf-8"',
            "SOAPACTION": '"urn:schemas-upnp-org:service:ContentDirectory:1#Browse"',
        },
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        envelope = etree.fromstring(answer.read())
    result = envelope.findtext(".//Result")
    assert result
    return etree.fromstring(result.encode())


def ids(program: Program) -> dict[str, str]:
    """Object ids of all music by title."""
    didl = browse(program, "vma")
    return {str(each.findtext("{*}title")): str(each.get("id")) for each in didl}


def test_media_roots_and_nothing_else_are_enough(media_root: Path, home: Path) -> None:
    with Program(media_root, home=home) as program:
        library = program.wait_until_scanned(items=3)

    assert library["audio"] == 3
    assert library["unreadable"] == 0


def test_a_second_start_serves_the_same_library_under_the_same_name_and_ids(
    media_root: Path, home: Path
) -> None:
    with Program(media_root, home=home) as first:
        first.wait_until_scanned(items=3)
        udn, known = first.udn, ids(first)

    with Program(media_root, home=home) as second:
        assert second.library()["items"] == 3
        assert (second.udn, ids(second)) == (udn, known)


def test_a_killed_server_starts_again_with_the_same_ids(media_root: Path, home: Path) -> None:
    first = Program(media_root, home=home)
    first.wait_until_scanned(items=3)
    known = ids(first)
    first.kill()

    with Program(media_root, home=home) as second:
        second.wait_until_scanned(items=3)
        assert ids(second) == known


def test_files_that_came_and_went_while_it_was_off_are_noticed(
    media_root: Path, home: Path
) -> None:
    with Program(media_root, home=home) as first:
        first.wait_until_scanned(items=3)
    (media_root / "track 0.wav").unlink()
    sound(media_root / "later.wav", seconds=1)

    with Program(media_root, home=home) as second:
        second.wait_until_scanned(items=3)
        second.wait_for(lambda: "later" in ids(second), "the new file")
        assert set(ids(second)) == {"later", "track 1", "track 2"}


def test_an_unmounted_media_root_hides_its_items_and_forgets_none(
    media_root: Path, home: Path
) -> None:
    with Program(media_root, home=home) as first:
        first.wait_until_scanned(items=3)
        known = ids(first)
    away = media_root.rename(media_root.with_name("elsewhere"))

    with Program(media_root, home=home) as second:
        second.wait_until_scanned(items=0)
        assert str(media_root) in second.log
    away.rename(media_root)

    with Program(media_root, home=home) as third:
        third.wait_until_scanned(items=3)
        assert ids(third) == known


def test_a_broken_file_keeps_its_name_and_stops_nothing(media_root: Path, home: Path) -> None:
    (media_root / "broken.mp3").write_bytes(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(2000))
    (media_root / "empty.flac").write_bytes(b"")

    with Program(media_root, home=home) as program:
        library = program.wait_until_scanned(items=5)

        assert {"broken", "empty"} <= set(ids(program))
    assert library["unreadable"] >= 1


def test_sigint_ends_it_like_sigterm(media_root: Path, home: Path) -> None:
    with Program(media_root, home=home) as program:
        assert program.stop(signal.SIGINT) == 0


def test_it_ends_in_time_while_somebody_fetches_a_file(media_root: Path, home: Path) -> None:
    with (media_root / "long.wav").open("wb") as file:
        file.write((media_root / "track 0.wav").read_bytes())
        file.truncate(64 << 20)
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=4)
        resource = browse(program, "vma").find(".//{*}item[{*}title='long']/{*}res")
        assert resource is not None
        path = str(resource.text).removeprefix(program.url)
        with socket.create_connection(("127.0.0.1", program.port), PATIENCE) as stalled:
            stalled.sendall(
                f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1:{program.port}\r\n\r\n".encode()
            )
            assert stalled.recv(12) == b"HTTP/1.1 200"

            assert program.stop() == 0


@contextmanager
def hearing_ssdp() -> Iterator[socket.socket]:
    """What is announced on the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as group:
        group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        group.bind(("239.255.255.250", 1900))
        member = socket.inet_aton("239.255.255.250") + socket.inet_aton("127.0.0.1")
        group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        group.settimeout(PATIENCE)
        yield group


def test_byebye_is_sent_on_the_way_out(media_root: Path, home: Path) -> None:
    """UDA 1.1 §1.2.3: a device that leaves says so, for everything it announced."""
    with hearing_ssdp() as group:
        with Program(media_root, home=home) as program:
            while True:  # the byebye at the start, for what a crash left, is not meant
                message = group.recv(4096)
                if b"ssdp:alive" in message and program.udn.encode() in message:
                    break
        gone: set[str] = set()
        while len(gone) < 6:
            message = group.recv(4096)
            if b"ssdp:byebye" in message and program.udn.encode() in message:
                found = re.search(rb"\r\nNT: ?([^\r]+)\r\n", message, re.IGNORECASE)
                assert found
                gone.add(found[1].decode())

    assert gone == {
        "upnp:rootdevice",
        program.udn,
        "urn:schemas-upnp-org:device:MediaServer:1",
        "urn:schemas-upnp-org:service:ContentDirectory:1",
        "urn:schemas-upnp-org:service:ConnectionManager:1",
        "urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1",
    }


def test_sighup_looks_at_the_files_again(media_root: Path, home: Path) -> None:
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=3)
        finished = program.log.count("scan done")

        program.process.send_signal(signal.SIGHUP)

        program.wait_for(lambda: program.log.count("scan done") > finished, "another finished scan")


def test_sighup_while_waiting_for_an_interface_brings_the_one_that_is_there(
    media_root: Path, home: Path
) -> None:
    """Who mistyped its name reads so in the log, mends the file and reloads."""
    file = home / "config.toml"
    file.write_text('[server]\ninterfaces = ["nowhere0"]\n')
    with Program(
        media_root, home=home, options=("--config", file), interface=None, wait=False
    ) as program:
        program.wait_for(lambda: "there is no nowhere0" in program.log, "the warning")
        file.write_text('[server]\ninterfaces = ["lo"]\n')

        program.process.send_signal(signal.SIGHUP)

        program.wait_until_ready()
        assert program.url.startswith("http://127.")


def test_a_data_directory_that_is_another_after_sighup_is_told_to_wait(
    media_root: Path, home: Path
) -> None:
    """It is locked for the whole life of the program."""
    file, other = home / "config.toml", home / "other"
    file.write_text(f'[server]\ndata_dir = "{home / "data"}"\n')
    with Program(media_root, home=home, options=("--config", file), configured=True) as program:
        file.write_text(f'[server]\ndata_dir = "{other}"\n')

        program.process.send_signal(signal.SIGHUP)

        program.wait_for(lambda: "server.data_dir is another now" in program.log, "the warning")
        assert program.health()["status"] == "ok"
        assert not other.exists()
    assert program.log.count("ready http") == 1


def friendly_name(program: Program) -> str:
    with urllib.request.urlopen(f"{program.url}description.xml", timeout=PATIENCE) as answer:  # noqa: S310
        name = etree.fromstring(answer.read()).findtext(".//{*}friendlyName")
    assert isinstance(name, str)
    return name


def config_id(group: socket.socket, program: Program, nts: bytes) -> bytes:
    """CONFIGID of the next announcement of the program."""
    while True:
        message = group.recv(4096)
        if nts in message and program.udn.encode() in message:
            return message.partition(b"\r\nCONFIGID.UPNP.ORG: ")[2].partition(b"\r\n")[0]


def test_another_name_is_taken_without_cutting_anybody_off(media_root: Path, home: Path) -> None:
    """UDA 1.1 §1.2.2: other documents have another CONFIGID, and are announced as anew."""
    file = home / "config.toml"
    file.write_text('[server]\nname = "Attic"\n')
    with (
        hearing_ssdp() as group,
        Program(media_root, home=home, options=("--config", file)) as program,
        socket.create_connection(("127.0.0.1", program.port), PATIENCE) as kept,
    ):
        assert friendly_name(program) == "Attic"
        before = config_id(group, program, b"ssdp:alive")
        file.write_text('[server]\nname = "Cellar"\n')

        program.process.send_signal(signal.SIGHUP)

        program.wait_for(lambda: friendly_name(program) == "Cellar", "the other name")
        after = before
        while after == before:
            after = config_id(group, program, b"ssdp:alive")
        kept.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{program.port}\r\n\r\n".encode())
        assert kept.recv(12) == b"HTTP/1.1 200"
        with urllib.request.urlopen(program.url, timeout=PATIENCE) as page:  # noqa: S310
            assert b"Cellar" in page.read()
    assert program.log.count("ready http") == 1


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ("port = {taken}", "cannot listen on 127.0.0.1:{taken}: the port is in use"),
        ('interfaces = ["nowhere0"]', "there is no nowhere0"),
    ],
)
def test_what_cannot_be_had_after_sighup_leaves_the_server_as_it_is(
    wanted: str, reason: str, media_root: Path, home: Path
) -> None:
    file = home / "config.toml"
    file.write_text('[server]\nname = "Attic"\nport = 0\ninterfaces = ["lo"]\n')
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        Program(
            media_root, home=home, options=("--config", file), interface=None, port=None
        ) as program,
        socket.create_connection(("127.0.0.1", program.port), PATIENCE) as kept,
    ):
        taken = other.getsockname()[1]
        file.write_text(
            f'[server]\nname = "Cellar"\n{wanted.format(taken=taken)}\n'
            + ('interfaces = ["lo"]\n' if "port" in wanted else "")
        )

        program.process.send_signal(signal.SIGHUP)

        refused = f"configuration not taken: {reason.format(taken=taken)}"
        program.wait_for(lambda: refused in program.log, "the error")
        kept.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{program.port}\r\n\r\n".encode())
        assert kept.recv(12) == b"HTTP/1.1 200"
        assert friendly_name(program) == "Attic"


def test_another_port_is_taken_after_sighup(media_root: Path, home: Path) -> None:
    file = home / "config.toml"
    file.write_text("[server]\nport = 0\n")
    with Program(media_root, home=home, options=("--config", file), port=None) as program:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        file.write_text(f"[server]\nport = {port}\n")

        program.process.send_signal(signal.SIGHUP)

        ready = f"ready http://127.0.0.1:{port}/ {program.udn}"
        program.wait_for(lambda: ready in program.log, "the second start")


def test_a_second_server_on_the_same_data_directory_is_refused_in_one_line(
    media_root: Path, home: Path
) -> None:
    with Program(media_root, home=home) as program:
        ended = run(
            *("serve", media_root, "--interface", "lo", "--port", "0"),
            *("--data-dir", program.data_dir),
            home=home,
        )

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert f"in use by another mediaserver (process {program.process.pid})" in ended.stderr


def test_a_port_that_is_taken_is_told_in_one_line(media_root: Path, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = run(
            *("serve", media_root, "--interface", "lo", "--port", str(port)),
            *("--data-dir", home / "data", "--log-level", "error"),
            home=home,
        )

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert str(port) in ended.stderr
    assert "in use" in ended.stderr


@pytest.mark.parametrize("command", ["serve", "scan"])
def test_without_a_media_root_nothing_is_begun_and_no_index_emptied(
    command: str, home: Path
) -> None:
    ended = run(command, "--data-dir", home / "data", home=home)

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "no folder to serve" in ended.stderr
    assert not (home / "data").exists()


def test_scan_leaves_it_to_the_server_that_runs(media_root: Path, home: Path) -> None:
    with Program(media_root, home=home) as program:
        ended = run("scan", media_root, "--data-dir", program.data_dir, home=home)

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "mediaserver scan --now" in ended.stderr


def test_a_running_server_scans_now_what_it_is_told_to(media_root: Path, home: Path) -> None:
    """A file whose folder tells of nothing, as on a share, is there at once."""
    (media_root / "Album").mkdir()
    with Program(media_root, home=home) as program:
        items = program.wait_until_scanned()["items"]
        options = ("--data-dir", program.data_dir)

        ended = run("scan", "--now", media_root / "Album", *options, home=home)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout == f"the server scans {media_root}/Album\n"

        ended = run("scan", "--now", *options, home=home)
        assert ended.stdout == f"the server scans {media_root}\n"

        ended = run("scan", "--now", home, *options, home=home)
        assert ended.returncode == 1
        assert ended.stderr == (
            f"mediaserver: {home}: it is in none of the media roots ({media_root})\n"
        )
        assert program.wait_until_scanned()["items"] == items

    ended = run("scan", "--now", *options, home=home)
    assert ended.returncode == 1
    assert "no server with the data directory" in ended.stderr


def test_a_data_directory_that_cannot_be_made_is_told_in_one_line(
    media_root: Path, home: Path
) -> None:
    (home / "file").write_bytes(b"")

    ended = run(
        *("serve", media_root, "--interface", "lo", "--data-dir", home / "file" / "data"),
        home=home,
    )

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "data directory" in ended.stderr


def test_an_unknown_option_is_refused_with_a_suggestion(home: Path) -> None:
    ended = run("serve", "--prot", "8200", home=home)

    assert ended.returncode == 2
    assert "--port" in ended.stderr


def test_an_unknown_key_is_refused_with_a_suggestion(home: Path) -> None:
    file = home / "config.toml"
    file.write_text("[server]\nprot = 8200\n")

    ended = run("check-config", file, home=home)

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "did you mean port" in ended.stderr


def test_a_damaged_index_is_set_aside_and_made_anew(media_root: Path, home: Path) -> None:
    with Program(media_root, home=home) as first:
        first.wait_until_scanned(items=3)
    index = first.data_dir / "index.sqlite"
    index.write_bytes(b"SQLite format 3\x00" + os.urandom(8000))

    with Program(media_root, home=home) as second:
        second.wait_until_scanned(items=3)
        assert "damaged" in second.log
    with sqlite3.connect(index) as connection:
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    connection.close()


def test_scan_indexes_once_and_says_what_it_found(media_root: Path, home: Path) -> None:
    ended = run("scan", media_root, "--data-dir", home / "data", home=home)

    assert ended.returncode == 0
    assert ended.stdout.startswith("3 music, 0 video, 0 pictures (3 added")


def test_strict_scan_fails_if_a_file_cannot_be_read(media_root: Path, home: Path) -> None:
    (media_root / "broken.flac").write_bytes(b"fLaC" + bytes(100))
    options = ("scan", media_root, "--data-dir", home / "data")

    assert run(*options, home=home).returncode == 0
    assert run(*options, "--strict", home=home).returncode == 1


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A media root, known to the index in ``data`` beside it."""
    home = tmp_path_factory.mktemp("scanned")
    media_root = three_tracks(home)
    (media_root / ".hidden.wav").write_bytes(b"")
    (media_root / "notes.doc").write_bytes(b"")
    assert run("scan", media_root, "--data-dir", home / "data", home=home).returncode == 0
    return media_root


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("track 1.wav", 0, "audio/x-wav"),
        (".hidden.wav", 1, "hidden"),
        ("notes.doc", 1, "doc"),
        ("missing.wav", 1, "does not exist"),
    ],
)
def test_why_tells_what_becomes_of_a_file(scanned: Path, name: str, code: int, told: str) -> None:
    home = scanned.parent
    ended = run(*("why", scanned / name, "--root", scanned, "--data-dir", home / "data"), home=home)

    assert (ended.returncode, ended.stderr) == (code, "")
    assert told in ended.stdout.lower()


def test_the_version_is_the_package_s(home: Path) -> None:
    from mediaserver import __version__

    ended = run("--version", home=home)

    assert ended.stdout.split() == ["mediaserver", __version__]
