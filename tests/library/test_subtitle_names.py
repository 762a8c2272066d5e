"""Which files are subtitles of which video, and what their names say."""

import pytest

from mediaserver.library.names.subtitles import home_of, is_subtitle, subtitles_of


@pytest.mark.parametrize(
    ("name", "language", "note", "written"),
    [
        (b"Film.srt", "", "", "srt"),
        (b"FILM.SRT", "", "", "srt"),
        # ISO 639-1, 639-2/B, 639-2/T, a name, RFC 5646 regions and scripts
        (b"Film.en.srt", "en", "", "srt"),
        (b"Film.ger.ass", "de", "", "ssa"),
        (b"Film.deu.ssa", "de", "", "ssa"),
        (b"Film.German.vtt", "de", "", "vtt"),
        (b"Film.pt-BR.srt", "pt-BR", "", "srt"),
        (b"Film.pt-br.srt", "pt-BR", "", "srt"),
        (b"Film.zh-Hans.srt", "zh-Hans", "", "srt"),
        (b"Film_fr.sub", "fr", "", "sub"),
        (b"Film-fr.idx", "fr", "", "idx"),
        (b"Film.sami", "", "", "smi"),
        # Kodi and Plex: what it is for stands behind the language
        (b"Film.en.forced.srt", "en", "forced", "srt"),
        (b"Film.forced.srt", "", "forced", "srt"),
        (b"Film.eng.sdh.srt", "en", "sdh", "srt"),
        (b"Film.en.hi.srt", "en", "sdh", "srt"),
        (b"Film.hi.srt", "hi", "", "srt"),
        (b"Film.hi.forced.srt", "hi", "forced", "srt"),
        # Anything else says nothing
        (b"Film.director.srt", "", "", "srt"),
        (b"Film.caf\xe9.srt", "", "", "srt"),
    ],
)
def test_a_name_tells_language_and_purpose(
    name: bytes, language: str, note: str, written: str
) -> None:
    [found] = subtitles_of([name], [], [b"Film.mkv"])[b"Film.mkv"]
    assert (found.name, found.language, found.note, found.format) == (name, language, note, written)


def test_a_subtitle_belongs_to_the_longest_name_it_goes_on_from() -> None:
    found = subtitles_of(
        [b"Film.srt", b"Film.part2.srt", b"Film.part2.en.srt"], [], [b"Film.avi", b"Film.part2.avi"]
    )
    assert {video: [one.name for one in names] for video, names in found.items()} == {
        b"Film.avi": [b"Film.srt"],
        b"Film.part2.avi": [b"Film.part2.srt", b"Film.part2.en.srt"],
    }


@pytest.mark.parametrize("name", [b"Film 2.srt", b"Films.srt", b"Fil.srt", b"English.srt"])
def test_a_subtitle_of_another_name_is_of_none(name: bytes) -> None:
    assert subtitles_of([name], [], [b"Film.mkv"]) == {}


def test_in_the_folder_of_subtitles_a_single_video_has_them_all() -> None:
    found = subtitles_of([], [b"Subs/2_English.srt", b"Subs/Film.de.srt"], [b"Film.mkv"])
    assert [(one.name, one.language) for one in found[b"Film.mkv"]] == [
        (b"Subs/Film.de.srt", "de"),
        (b"Subs/2_English.srt", "en"),
    ]


def test_in_the_folder_of_subtitles_several_videos_have_those_of_their_name() -> None:
    found = subtitles_of([], [b"Subs/English.srt", b"Subs/B.srt"], [b"A.mkv", b"B.mkv"])
    assert list(found) == [b"B.mkv"]


def test_a_folder_of_a_videos_name_holds_its_subtitles() -> None:
    """As packs of a series have them."""
    names = [b"Subs/Show.S01E01/2_English.srt", b"Subs/show.s01e02/3_French.srt"]
    found = subtitles_of([], names, [b"Show.S01E01.mkv", b"Show.S01E02.mkv"])
    assert {video: [(one.name, one.language) for one in some] for video, some in found.items()} == {
        b"Show.S01E01.mkv": [(names[0], "en")],
        b"Show.S01E02.mkv": [(names[1], "fr")],
    }


@pytest.mark.parametrize(
    ("path", "home"),
    [
        (b"A/Subs", b"A"),
        (b"subtitles", b""),
        (b"A/Subs/Show.S01E01", b"A"),
        (b"Subs/x", b""),
        (b"A/B", None),
        (b"A/Subs/x/y", None),
        (b"", None),
    ],
)
def test_a_folder_of_subtitles_is_told_by_its_path(path: bytes, home: bytes | None) -> None:
    assert home_of(path) == home


def test_two_files_of_one_film_share_its_subtitles() -> None:
    found = subtitles_of([b"Film.srt"], [], [b"Film.mkv", b"Film.mp4"])
    assert set(found) == {b"Film.mkv", b"Film.mp4"}


def test_plain_ones_come_before_those_for_the_deaf_and_forced_ones() -> None:
    """Many televisions take the first."""
    names = [b"A.en.forced.srt", b"A.en.sdh.srt", b"A.en.ass", b"A.en.srt", b"A.fr.srt", b"A.srt"]
    found = subtitles_of(names, [], [b"A.mkv"])[b"A.mkv"]
    assert [one.name for one in found] == [
        b"A.srt", b"A.en.srt", b"A.en.ass", b"A.fr.srt", b"A.en.sdh.srt", b"A.en.forced.srt",
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["srt", "ass", "ssa", "vtt", "sub", "idx", "smi", "SRT"])
def test_the_formats_that_players_know_are_subtitles(suffix: str) -> None:
    assert is_subtitle(f"a.{suffix}".encode())
    assert not is_subtitle(f"a.{suffix}x".encode())
