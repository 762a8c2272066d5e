"""Decoders as processes of their own: what they refuse, and how they end."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from mediaserver.library.decoding.job import DecodeJob
from mediaserver.library.decoding.process import COMMAND
from tests.make_media import film, sound, unknown_codec
from tests.patience import PATIENCE

RATE = 44_100


def started(path: Path, *, seconds: int = 1) -> "subprocess.Popen[bytes]":
    """A decoder of the first seconds of a file."""
    job = DecodeJob(
        rate=RATE, channels=2, bits=16, big_endian=0, origin=0, first=0, stop=RATE * seconds
    )
    with path.open("rb") as file:
        return subprocess.Popen(
            [*COMMAND, *job.arguments()],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def ended(path: Path) -> tuple[int, bytes, str]:
    """Exit code, samples, and the reason that a decoder gave."""
    with started(path) as process:
        samples, reason = process.communicate(timeout=PATIENCE)
    return process.returncode, samples, reason.decode()


@pytest.mark.parametrize(
    "lines",
    [
        ("#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", "{other}"),
        ("ffconcat version 1.0", "file {other}"),
        ("[playlist]", "File1={other}"),
    ],
)
def test_a_file_that_names_another_is_not_followed(tmp_path: Path, lines: Sequence[str]) -> None:
    # security.md T8
    other = sound(tmp_path / "other.wav")
    path = tmp_path / "record.flac"
    path.write_text("\n".join(lines).format(other=other), encoding="utf-8")
    code, samples, _ = ended(path)
    assert (code, samples) == (1, b"")


def test_a_film_without_sound_has_nothing_to_decode(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", audio_codec=None)
    assert ended(path) == (1, b"", "there is no sound in it")


def test_sound_of_an_unknown_codec_cannot_be_decoded(tmp_path: Path) -> None:
    path = unknown_codec(film(tmp_path / "film.mkv"), "audio")
    assert ended(path) == (1, b"", "its codec is not known")


def test_a_decoder_ends_when_nobody_reads_any_more(tmp_path: Path) -> None:
    path = sound(tmp_path / "record.flac", seconds=20)
    with started(path, seconds=20) as process:
        assert process.stdout is not None
        process.stdout.read(1000)
        process.stdout.close()
        assert process.wait(PATIENCE) == 0


def test_a_decoder_reads_the_file_that_is_open_whatever_is_at_its_path(tmp_path: Path) -> None:
    path = sound(tmp_path / "record.wav")
    expected = path.read_bytes()[-RATE * 4 :]
    with started(path) as process:
        sound(tmp_path / "other.wav", seconds=0.1).replace(path)
        samples, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, samples) == (0, expected)


def test_a_job_is_read_as_it_was_written() -> None:
    job = DecodeJob(rate=8000, channels=1, bits=24, big_endian=1, origin=5, first=7, stop=9)
    assert DecodeJob.read(job.arguments()) == job


@pytest.mark.parametrize("arguments", [[], ["1"] * 6, ["1"] * 8, ["x"] * 7])
def test_other_arguments_are_no_job(arguments: list[str]) -> None:
    with pytest.raises(ValueError, match=r"argument|literal"):
        DecodeJob.read(arguments)
