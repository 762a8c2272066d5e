"""F1, F2, F12, M3, M4: parts of the program that fail, and files made to make them fail."""

import contextlib
import io
import os
import random
import select
import signal
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.end_to_end.program import Program
from tests.make_media import film, picture, settle, sound
from tests.patience import PATIENCE
from tests.security import hostile
from tests.security.wire import ask, browse, connected, objects, request

pytestmark = pytest.mark.end_to_end


def workers(program: Program) -> list[int]:
    """The processes that read files for the program."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == program.process.pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def ids(program: Program) -> dict[str, str]:
    return {
        str(each.findtext("{*}title")): str(each.get("id"))
        for each in objects(browse(program, ObjectID="vma"))
    }


@pytest.fixture
def many_files(media_root: Path) -> Path:
    for number in range(600):
        (media_root / f"file {number}.wav").write_bytes(hostile.wav(1000 + number))
    settle(media_root)
    return media_root


def test_readers_that_die_cost_no_file(many_files: Path, home: Path) -> None:
    """F12, M3: neither while they read nor later; the scan is done all the same."""
    with Program(many_files, home=home) as program:
        killed: list[int] = []
        while not killed:
            killed = workers(program)
            for pid in killed:
                os.kill(pid, signal.SIGSEGV)
        library = program.wait_until_scanned(items=603)

        assert library["audio"] == 603
        assert ask(program, "/health").status == 200
        assert not set(killed) & set(workers(program))


def test_a_killed_program_leaves_no_reader_and_goes_on_where_it_was(
    many_files: Path, home: Path
) -> None:
    """F1: at any moment of a scan; ids and the SystemUpdateID survive."""
    rng = random.Random(4)  # noqa: S311 - the same each time
    known: dict[str, str] = {}
    update_id = 0
    for _ in range(4):
        program = Program(many_files, home=home)
        select.select([], [], [], rng.uniform(0.0, 0.4))
        pids = workers(program)
        now = program.health()["system_update_id"]
        assert isinstance(now, int)
        assert now >= update_id
        update_id = now
        for title, object_id in ids(program).items():
            assert known.setdefault(title, object_id) == object_id
        program.kill()
        deadline = time.monotonic() + PATIENCE
        while any(_runs(pid) for pid in pids):
            assert time.monotonic() < deadline
            select.select([], [], [], 0.05)
    with Program(many_files, home=home) as program:
        program.wait_until_scanned(items=603)
        assert len(ids(program)) == 603
        assert known.items() <= ids(program).items()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_sigterm_during_a_scan_with_streams_and_slow_clients_ends_it_in_time(
    many_files: Path, home: Path
) -> None:
    """F2."""
    with Program(many_files, home=home) as program, contextlib.ExitStack() as ends:
        for number in range(40):
            sock = ends.enter_context(connected(program.port, source=f"127.0.4.{number + 1}"))
            sock.sendall((b"", b"GET / HT", request(program.port, "/"))[number % 3])
        started = time.monotonic()

        assert program.stop() == 0

        assert time.monotonic() - started < 30


# ---- hostile media


def _png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG of a claimed size, with as much data as is given."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


def _bomb_png() -> bytes:
    """20000 x 20000 pixels, really there: 1.2 GB out of some MB."""
    packer = zlib.compressobj(9)
    line = b"\0" * (1 + 20_000 * 3)
    data = b"".join([*(packer.compress(line * 100) for _ in range(200)), packer.flush()])
    plain = _png(20_000, 20_000)
    start = plain.index(b"IDAT") - 4
    content = b"IDAT" + data
    whole = struct.pack(">I", len(data)) + content + struct.pack(">I", zlib.crc32(content))
    return plain[:start] + whole + plain[plain.index(b"IEND") - 4 :]


def _gif_frames() -> bytes:
    file = io.BytesIO()
    frames = [Image.new("P", (2000, 2000), number) for number in range(50)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def _box(kind: bytes, content: bytes, size: int | None = None) -> bytes:
    return struct.pack(">I", len(content) + 8 if size is None else size) + kind + content


def _nested_boxes() -> bytes:
    content = b""
    for _ in range(5000):
        content = _box(b"moov", content)
    return _box(b"ftyp", b"isom\0\0\0\0isom") + content


def _id3(frame: bytes) -> bytes:
    size = len(frame)
    coded = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + coded + frame


def _packed_id3() -> bytes:
    """A frame of 200 MB, packed into 0.2."""
    packed = zlib.compress(b"\0" * 200_000_000, 9)
    content = struct.pack(">I", 200_000_000) + packed
    return _id3(b"TIT2" + struct.pack(">I", len(content)) + b"\x00\x80" + content)


MADE: dict[str, Callable[[], bytes]] = {
    "claims.png": lambda: _png(2**31 - 1, 2**31 - 1),
    "zero.png": lambda: _png(0, 0),
    "bomb.png": _bomb_png,
    "frames.gif": _gif_frames,
    "cut.jpg": lambda: picture(size=(400, 300))[:500],
    "lie.jpg": lambda: picture(size=(400, 300)).replace(
        struct.pack(">HH", 300, 400), b"\xff\xff\xff\xff"
    ),
    "page.jpg": lambda: b"<html><script>alert(1)</script>",
    "drawing.png": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "nested.mp4": _nested_boxes,
    "huge box.mp4": lambda: _box(b"ftyp", b"isom", 0xFFFFFFFF),
    "endless box.m4a": lambda: _box(b"ftyp", b"M4A ") + _box(b"moov", b"", 1) + b"\xff" * 8,
    "packed.mp3": _packed_id3,
    "endless.mp3": lambda: b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f",
    "zeros.mp3": lambda: bytes(1 << 20),
    "noise.ogg": lambda: b"OggS" + random.Random(5).randbytes(1 << 16),  # noqa: S311
    "noise.mkv": lambda: b"\x1aE\xdf\xa3" + random.Random(6).randbytes(1 << 16),  # noqa: S311
    "noise.flac": lambda: b"fLaC" + random.Random(7).randbytes(1 << 16),  # noqa: S311
    "pictures.flac": lambda: b"fLaC" + (b"\x06\xff\xff\xff" + bytes(100)) * 50,
    "riff.wav": lambda: b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff",
    "sizes.avi": lambda: b"RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\xffhdrl" + bytes(100),
}


def test_the_worst_files_are_listed_and_the_good_one_after_them_too(
    tmp_path: Path, home: Path
) -> None:
    """M3, M4, M6: nothing ends, nothing grows, everything is answered meanwhile."""
    root = tmp_path / "Media"
    root.mkdir()
    for name, make in MADE.items():
        (root / name).write_bytes(make())
    for suffix, make_file in ((".mp3", sound), (".mkv", film), (".m4a", sound)):
        whole = make_file(tmp_path / f"whole{suffix}", seconds=1).read_bytes()
        for part in (10, 50, 90):
            cut = root / f"cut {part}{suffix}"
            cut.write_bytes(whole[: len(whole) * part // 100])
    with (root / "sparse.mp4").open("wb") as file:
        file.write(_box(b"ftyp", b"isom"))
        file.truncate(1 << 40)
    (root / "zzz good.wav").write_bytes(hostile.wav(1))
    settle(root)
    count = len(MADE) + 9 + 1 + 1
    with Program(root, home=home) as program:
        program.wait_until_scanned(items=count)

        assert "zzz good" in ids(program)
        for container in ("vpa", "vva"):
            for each in objects(browse(program, ObjectID=container)):
                for resource in list(each.iterfind("{*}res"))[1:]:
                    path = "/" + str(resource.text).split("/", 3)[3]
                    answer = ask(program, path)
                    assert answer.status in (200, 404)
                    assert b"<script" not in answer.body
                    assert b"<svg" not in answer.body
        status = Path(f"/proc/{program.process.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        assert int(peak.split()[1]) < 300_000  # kB, in the program itself
        first = program.library()
        program.process.send_signal(signal.SIGHUP)
        program.wait_for(lambda: program.log.count("scan done") >= 2, "another scan")
        assert ", 0 changed," in program.log.splitlines()[-1]
        assert program.wait_until_scanned(items=count)["unreadable"] == first["unreadable"]
