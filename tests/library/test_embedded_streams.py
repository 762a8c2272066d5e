"""Streams of sound and subtitles inside videos, written by FFmpeg."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import pytest
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream

from mediaserver.library.names import languages
from mediaserver.library.objects import EmbeddedStream, MediaFacts
from mediaserver.library.readers import read
from tests import make_media

Wanted = tuple[str, Mapping[str, str], Disposition]
"""What to write: codec, metadata, flags."""
PLAIN = Disposition(0)
STYLES = b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n\n[Events]\n"
"""Without which FFmpeg makes no subtitles of text."""


def facts_of(path: Path) -> MediaFacts:
    facts = read(bytes(path))
    assert facts.reason is None
    return facts


def film(folder: Path, name: str, audio: Sequence[Wanted], subtitles: Sequence[Wanted]) -> Path:
    """A short film with these streams; of the subtitles one packet each."""
    source = make_media.film(folder / f"source{Path(name).suffix}", audio_codec="ac3")
    with av.open(str(source)) as file, av.open(str(folder / name), "w") as out:
        copies: dict[int, list[Stream]] = {}
        for one, (_, metadata, flags) in [
            (file.streams.video[0], ("", {}, PLAIN)),
            *((file.streams.audio[0], wanted) for wanted in audio),
        ]:
            copy = out.add_stream_from_template(one)
            copy.metadata.update(metadata)
            copy.disposition = flags
            copies.setdefault(one.index, []).append(copy)
        titles = []
        for codec, metadata, flags in subtitles:
            stream = cast("SubtitleStream", out.add_stream(codec))
            stream.time_base = Fraction(1, 1000)
            stream.codec_context.subtitle_header = STYLES
            stream.metadata.update(metadata)
            stream.disposition = flags
            titles.append(stream)
        for stream in titles:
            packet = av.Packet(b"Hello" if stream.name != "mov_text" else b"\0\x05Hello")
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts = packet.dts = 0
            packet.duration = 500
            out.mux(packet)
        for packet in file.demux():
            if packet.dts is None:
                continue
            for copy in copies[packet.stream.index]:
                again = av.Packet(bytes(packet))
                again.pts, again.dts, again.duration = packet.pts, packet.dts, packet.duration
                again.time_base, again.is_keyframe = packet.time_base, packet.is_keyframe
                again.stream = copy
                out.mux(again)
    return folder / name


def test_the_languages_of_sound_are_told(tmp_path: Path) -> None:
    path = film(
        tmp_path,
        "a.mkv",
        [
            ("ac3", {"language": "ger"}, Disposition.default),
            ("ac3", {"language": "eng"}, PLAIN),
            ("ac3", {"language": "fre", "title": "Director's commentary"}, PLAIN),
            ("ac3", {"language": "und"}, PLAIN),
        ],
        [],
    )
    facts = facts_of(path)
    # Nobody can hear the film in the language of its commentary.
    assert facts.languages == ("de", "en")
    assert facts.streams == (
        EmbeddedStream("audio", "ac3", "de", None, ("default",)),
        EmbeddedStream("audio", "ac3", "en"),
        EmbeddedStream("audio", "ac3", "fr", "Director's commentary", ("commentary",)),
        EmbeddedStream("audio", "ac3"),
    )


def test_subtitles_of_matroska_are_known_with_what_they_are_for(tmp_path: Path) -> None:
    path = film(
        tmp_path,
        "a.mkv",
        [("ac3", {"language": "eng"}, Disposition.default)],
        [
            ("subrip", {"language": "pt-BR"}, Disposition.default | Disposition.forced),
            ("subrip", {"language": "fre"}, Disposition.hearing_impaired),
            ("subrip", {"language": "eng", "title": "English (SDH)"}, PLAIN),
        ],
    )
    assert facts_of(path).streams[1:] == (
        EmbeddedStream("subtitle", "subrip", "pt-BR", None, ("default", "forced")),
        EmbeddedStream("subtitle", "subrip", "fr", None, ("sdh",)),
        EmbeddedStream("subtitle", "subrip", "en", "English (SDH)", ("sdh",)),
    )


def test_subtitles_of_mp4_are_known(tmp_path: Path) -> None:
    path = film(
        tmp_path,
        "a.mp4",
        [("ac3", {"language": "ger"}, Disposition.default)],
        [("mov_text", {"language": "spa"}, PLAIN)],
    )
    facts = facts_of(path)
    assert facts.languages == ("de",)
    # FFmpeg takes a track that is enabled for the default one.
    assert facts.streams[1] == EmbeddedStream("subtitle", "mov_text", "es", None, ("default",))


def test_pictures_as_subtitles_of_a_transport_stream_are_known(tmp_path: Path) -> None:
    path = film(
        tmp_path,
        "a.ts",
        [("ac3", {"language": "deu"}, PLAIN)],
        [("dvbsub", {"language": "deu"}, Disposition.hearing_impaired)],
    )
    facts = facts_of(path)
    assert facts.languages == ("de",)
    assert facts.streams[1] == EmbeddedStream("subtitle", "dvb_subtitle", "de", None, ("sdh",))


def test_a_film_with_one_stream_that_says_nothing_has_none_worth_keeping(tmp_path: Path) -> None:
    facts = facts_of(make_media.film(tmp_path / "a.mkv"))
    assert (facts.languages, facts.streams) == ((), ())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ger", "de"),
        ("deu", "de"),
        ("en", "en"),
        ("EN_us", "en-US"),
        ("zh-hant", "zh-Hant"),
        ("es-419", "es-419"),
        ("grc", "grc"),
        ("deu,eng", "de"),
        ("und", None),
        ("mul", None),
        ("zxx", None),
        ("english language", None),
        ("", None),
        (None, None),
    ],
)
def test_a_code_becomes_the_shortest_tag_of_its_language(
    code: str | None, expected: str | None
) -> None:
    # RFC 5646 §2.2.1: two letters where ISO 639-1 has them.
    assert languages.tag(code) == expected
