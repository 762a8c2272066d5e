"""A small library as its worst enemy would fill it."""

import io
import os
import socket
import wave
from pathlib import Path

from mutagen.flac import FLAC

from tests.make_media import picture, sound

CANARY = b"this is nobody's business\n"
"""What lies outside of the media root and must never come out."""

NAMES: tuple[bytes, ...] = (
    b"<script>&amp;\"'>",
    b"]]><!--",
    b"line\nfeed",
    b"carriage\rreturn",
    b"tab\tstop",
    b"escape \x1b[2J\x1b[31m",
    b"controls \x01\x02\x08\x0c\x1f\x7f",
    "c1 controls \x80\x85\x9f".encode(),
    b"latin-1 caf\xe9",
    b"not utf-8 \xff\xfe\xc0\xaf",
    b"surrogate \xed\xa0\x80\xed\xbf\xbf",
    "not characters \ufffe\uffff\U0001fffe\ufdd0".encode(),
    "\ufeffbyte order mark\u2028line\u2029paragraph".encode(),
    "\u202edrowkcab\u202c \u200b\u200d".encode(),
    "astral \U0001f600\U00010000\U0010fffd".encode(),
    b"%2e%2e%2fpercent%00%0d%0a",
    rb"C:\..\..\backslash",
    b"'; DROP TABLE items; --",
    b"-option --help",
    b" blanks at both ends ",
    b"${jndi:x} $(id) {{7*7}} %s%n",
    b"a" * 251,
    ("\u00e9" * 125).encode(),
    "e\u0301\u0301\u0301 combining".encode() + "\u0316".encode() * 50,
)
"""Stems of file names: all that a file system takes. With ``.wav`` none is over 255 bytes."""

VALUES: tuple[str, ...] = (
    "<b>&amp;\"'</b>",
    "]]>",
    "two\nlines\r\nand\rmore",
    "\x1b]0;title\x07",
    "".join(map(chr, range(1, 32))),
    "\x7f\x80\x9f",
    "\ufffe\uffff",
    "\ufeff\u202e\u2028",
    "\U0001f600\U0010ffff",
    "&#0;&#xD800;&bomb;",
    "long " * 20_000,
    "\u00e9" * 5_000,
    "'; DROP TABLE items; --",
    "*",
    "%_\\",
)
"""Values of tags."""


def wav(number: int) -> bytes:
    """A second of sound that no other number has."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(1)
        writer.setframerate(8000)
        writer.writeframes(number.to_bytes(4, "big") * 2000)
    return file.getvalue()


def write(path: bytes, content: bytes) -> None:
    with open(path, "wb") as file:  # noqa: PTH123 - a path of bytes
        file.write(content)


def fill(root: Path, outside: Path) -> dict[bytes, bytes]:
    """The content of all files that are to be served, by path below ``root``, of which there is
    no other; beside them all that must not be."""
    served: dict[bytes, bytes] = {}
    base = os.fsencode(root)
    for number, name in enumerate(NAMES):
        for path in (name + b".wav", name + b"/inside.wav"):
            where = base + b"/" + path
            os.makedirs(os.path.dirname(where), exist_ok=True)  # noqa: PTH103, PTH120 - bytes
            served[path] = wav(2 * number + (b"/" in path))
            write(where, served[path])
    for number, value in enumerate(VALUES):
        song = sound(root / f"tagged {number}.flac", seconds=0.1 + number / 100)
        tags = FLAC(song)
        for key in ("title", "artist", "album", "albumartist", "genre", "composer", "comment"):
            tags[key] = [value]
        tags["date"] = [value[:10]]
        tags.save()
        served[os.fsencode(song.name)] = song.read_bytes()
    (root / "photo.jpg").write_bytes(picture(size=(640, 480)))
    served[b"photo.jpg"] = (root / "photo.jpg").read_bytes()
    (root / "Album").mkdir()
    (root / "Album" / "cover.jpg").write_bytes(picture(size=(320, 320)))
    served[b"Album/song.wav"] = wav(2 * len(NAMES))
    write(base + b"/Album/song.wav", served[b"Album/song.wav"])
    _not_to_be_served(root, outside)
    return served


def _not_to_be_served(root: Path, outside: Path) -> None:
    (outside / "secret.wav").write_bytes(CANARY)
    (root / "link.wav").symlink_to(outside / "secret.wav")
    (root / "linked folder").symlink_to(outside)
    (root / "passwords.mp3").symlink_to("/etc/passwd")
    (root / "loop").symlink_to(root)
    (root / ".hidden.wav").write_bytes(CANARY)
    (root / ".private").mkdir()
    (root / ".private" / "song.wav").write_bytes(CANARY)
    (root / "notes.txt").write_bytes(CANARY)
    (root / "page.html").write_bytes(CANARY)
    (root / "drawing.svg").write_bytes(CANARY)
    os.mkfifo(root / "fifo.wav")
    with socket.socket(socket.AF_UNIX) as sock:
        before = Path.cwd()
        os.chdir(root)  # the path of a socket is short
        try:
            sock.bind("socket.wav")
        finally:
            os.chdir(before)
