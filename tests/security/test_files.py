"""T2, M5 to M9, F6, F7: files that change, or become something else, after they were indexed."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.end_to_end.program import Program
from tests.make_media import picture, settle
from tests.security import hostile
from tests.security.conftest import descriptors
from tests.security.hostile import CANARY
from tests.security.paths import streams
from tests.security.wire import ask, browse, connected, everything, objects, request, rest

pytestmark = pytest.mark.end_to_end

LARGE = 32 << 20
"""Bytes of a file that does not fit into the buffers of a socket."""


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    (folder / "Album").mkdir(parents=True)
    (folder / "secret.wav").write_bytes(CANARY)
    (folder / "secret.jpg").write_bytes(picture(size=(800, 600)))
    (folder / "Album" / "song.wav").write_bytes(CANARY)
    return folder


@pytest.fixture
def running(media_root: Path, home: Path) -> Iterator[Program]:
    (media_root / "Album").mkdir()
    (media_root / "Album" / "song.wav").write_bytes(hostile.wav(7))
    (media_root / "Album" / "cover.jpg").write_bytes(picture(size=(500, 500)))
    (media_root / "photo.jpg").write_bytes(picture(size=(1200, 900)))
    settle(media_root)
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=5)
        yield program


def paths(program: Program, title: str) -> list[str]:
    """Of everything that an item of this title offers: file, smaller pictures, art."""
    found = []
    for container in ("vma", "vpa"):
        for each in objects(browse(program, ObjectID=container)):
            if each.findtext("{*}title") == title:
                found += [str(each_url.text) for each_url in each.iterfind("{*}res")]
                found += [str(each_url.text) for each_url in each.iterfind("{*}albumArtURI")]
    assert found
    return [urlsplit(url).path for url in found]


def swap(path: Path, target: Path) -> None:
    """Put a link in the place of a file, at once."""
    link = path.with_name(".link")
    link.symlink_to(target)
    link.rename(path)


def test_a_link_put_in_place_of_an_indexed_file_is_not_followed(
    running: Program, media_root: Path, outside: Path
) -> None:
    """T2: neither the file nor a picture made of it."""
    photo, track = paths(running, "photo"), paths(running, "track 1")
    assert len(photo) > 1
    swap(media_root / "photo.jpg", outside / "secret.jpg")
    swap(media_root / "track 1.wav", outside / "secret.wav")

    for path in (*photo, *track):
        answer = ask(running, path)
        assert answer.status == 404, path
        assert CANARY not in answer.body


def test_a_folder_that_became_a_link_is_not_entered(
    running: Program, media_root: Path, outside: Path
) -> None:
    song = paths(running, "song")
    assert len(song) > 1  # its art is from the folder
    (media_root / "Album").rename(outside / "moved")
    (media_root / "Album").symlink_to(outside / "Album")

    for path in song:
        answer = ask(running, path)
        assert answer.status == 404, path
        assert CANARY not in answer.body


@pytest.mark.parametrize("kind", ["fifo", "socket", "folder", "device", "loop", "proc"])
def test_whatever_else_takes_the_place_of_a_file_is_404_and_keeps_nobody_waiting(
    running: Program, media_root: Path, kind: str
) -> None:
    """M5."""
    (path,) = paths(running, "track 1")
    place = media_root / "track 1.wav"
    place.unlink()
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    elif kind == "socket":
        before = Path.cwd()
        os.chdir(media_root)
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(place.name)
        finally:
            os.chdir(before)
    elif kind == "device":
        try:
            os.mknod(place, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero
        except PermissionError:
            pytest.skip("needs root, to make a device")
    elif kind == "loop":
        place.symlink_to(place)
    else:
        place.symlink_to("/proc/self/environ")

    assert ask(running, path).status == 404


def test_a_file_that_goes_between_index_and_request_is_404(
    running: Program, media_root: Path
) -> None:
    (path,) = paths(running, "track 1")
    (media_root / "track 1.wav").unlink()

    assert ask(running, path).status == 404


# ---- while it is streamed


@pytest.fixture
def streaming(
    tmp_path: Path, media_root: Path, home: Path
) -> Iterator[tuple[Program, Path, socket.socket]]:
    """A program, a large file of its, and a client that has asked for it and reads nothing."""
    large = media_root / "large.wav"
    with large.open("wb") as file:
        for number in range(LARGE // 8):
            file.write(number.to_bytes(8, "big"))
    settle(media_root)
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=4)
        (path,) = paths(program, "large")
        with connected(program.port, receive_buffer=4096) as client:
            client.sendall(request(program.port, path, "Connection: close"))
            head = client.recv(12, socket.MSG_WAITALL)
            assert head == b"HTTP/1.1 200"
            yield program, large, client


def body_of(client: socket.socket) -> tuple[int, bytes]:
    """Content-Length and what came of the body."""
    head, _, body = rest(client).partition(b"\r\n\r\n")
    (length,) = [
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length")
    ]
    return length, body


def content() -> bytes:
    return b"".join(number.to_bytes(8, "big") for number in range(LARGE // 8))


Streaming = tuple[Program, Path, socket.socket]


def test_a_file_that_grows_is_sent_as_long_as_it_was(streaming: Streaming) -> None:
    """F6."""
    _, large, client = streaming
    with large.open("ab") as file:
        file.write(CANARY * 1000)

    length, body = body_of(client)

    assert (length, body) == (LARGE, content())


def test_a_file_that_is_cut_ends_the_connection_and_nothing_is_made_up(
    streaming: Streaming,
) -> None:
    """F6: the receiver sees that something is missing; what came is right."""
    program, large, client = streaming
    os.truncate(large, LARGE // 2)

    length, body = body_of(client)

    assert length == LARGE
    assert len(body) < length
    assert content().startswith(body)
    assert ask(program, "/health").status == 200


@pytest.mark.parametrize("how", ["replaced", "removed"])
def test_a_file_that_is_replaced_or_removed_is_sent_to_its_end(
    streaming: Streaming, how: str
) -> None:
    """F6: one descriptor for the whole answer."""
    _, large, client = streaming
    if how == "replaced":
        other = large.with_name("other.tmp")
        other.write_bytes(CANARY)
        other.replace(large)
    else:
        large.unlink()

    assert body_of(client) == (LARGE, content())


def test_a_hundred_files_replaced_while_they_are_fetched(
    running: Program, media_root: Path
) -> None:
    """Each answer is one of the two contents, whole."""
    (path,) = paths(running, "track 1")
    place = media_root / "track 1.wav"
    contents = [hostile.wav(100), hostile.wav(200)[:-1000]]
    done = threading.Event()

    def churn() -> None:
        number = 0
        while not done.is_set():
            draft = media_root / ".draft"
            draft.write_bytes(contents[number % 2])
            draft.replace(place)
            number += 1

    place.write_bytes(contents[0])
    writer = threading.Thread(target=churn)
    writer.start()
    try:
        for _ in range(100):
            answer = ask(running, path)
            assert answer.status == 200
            assert answer.body in contents
    finally:
        done.set()
        writer.join()


def test_a_media_root_that_goes_is_503_and_comes_back_under_the_same_urls(
    running: Program, media_root: Path
) -> None:
    """F7."""
    (path,) = paths(running, "track 1")
    before = descriptors(running)
    away = media_root.rename(media_root.with_name("away"))
    try:
        for _ in range(50):
            assert ask(running, path).status in (404, 503)
        assert running.library()["items"] in (0, 5)
    finally:
        away.rename(media_root)
    running.process.send_signal(1)

    running.wait_for(lambda: ask(running, path).status == 200, "the file")
    assert running.wait_until_scanned(items=5)
    assert descriptors(running) < before + 20


def test_thousands_of_changes_end_in_what_is_on_the_disk(
    running: Program, media_root: Path
) -> None:
    """M9."""
    folder = media_root / "churn"
    folder.mkdir()
    for number in range(3000):
        path = folder / f"{number % 60}.wav"
        if number % 3 == 2:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(hostile.wav(number))
    left = {path.stem for path in folder.iterdir()}
    settle(media_root)

    def titles() -> set[str]:
        listed = {
            str(each.findtext("{*}title")) for each in objects(browse(running, ObjectID="vma"))
        }
        return listed - {"song", "track 0", "track 1", "track 2"}

    running.wait_for(lambda: titles() == left, "the end of all changes")


def test_playlists_and_sidecars_bring_nothing_in_from_outside(
    media_root: Path, home: Path, outside: Path
) -> None:
    """M7, T8: neither files nor other hosts; a listener hears nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x.mp3"
        entries = [
            str(outside / "secret.wav"),
            "../outside/secret.wav",
            f"file://{outside}/secret.wav",
            url,
            "/etc/passwd",
            "concat:/etc/passwd|/etc/group",
            "\\\\127.0.0.1\\share\\x.mp3",
        ]
        text = "#EXTM3U\n" + "\n".join(entries) + "\n"
        for suffix in ("m3u", "m3u8", "strm", "txt"):
            (media_root / f"list.{suffix}").write_text(text)
        lines = [f"File{number}={entry}" for number, entry in enumerate(entries, 1)]
        (media_root / "list.pls").write_text("[playlist]\n" + "\n".join(lines))
        (media_root / "track 0.cue").write_text(f'FILE "{outside}/secret.wav" WAVE\n')
        (media_root / "track 0.nfo").write_text(
            f'<!DOCTYPE x [<!ENTITY f SYSTEM "{url}">]><movie><title>&f;</title></movie>'
        )
        # Playlists in the clothes of media: FFmpeg would follow them.
        (media_root / "evil.mp4").write_text(text)
        (media_root / "evil.ts").write_text(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}\n"
        )
        (media_root / "evil.mkv").write_text("ffconcat version 1.0\nfile /etc/passwd\n")
        settle(media_root)
        with Program(media_root, home=home) as program:
            program.wait_until_scanned()
            program.wait_for(lambda: program.library()["items"] >= 6, "the films")
            seen: list[bytes] = []
            everything(program, lambda answer: seen.append(answer.body))
            for path in streams(program):
                assert CANARY not in ask(program, path).body
        assert not any(b"secret" in answer or b"passwd" in answer for answer in seen)
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
