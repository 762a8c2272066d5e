"""What is asked of the library by number: files, art, figures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaserver.library import lookup
from mediaserver.library.indexer import ArtFile, Sidecars, SubtitleFile
from mediaserver.library.object_ids import parse
from mediaserver.library.objects import Container, EmbeddedArt, Kind, LibraryCounts
from tests.factories import SAMPLE, FilledLibrary, item_of, walk

COVER = EmbeddedArt("image/jpeg", 600, 500, b"c" * 16)
FAR = (-1, 0, 1 << 50, 1 << 63, 1 << 200)
"""Numbers that no object has; some do not fit into SQLite's."""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[FilledLibrary]:
    filled = FilledLibrary(tmp_path / "index.sqlite")
    filled.add(SAMPLE)
    yield filled
    filled.close()


def test_the_file_of_an_item_is_found_by_its_key(library: FilledLibrary) -> None:
    item = item_of(library.at("Folders", "Mixed", "Clip"))
    media = library.read(lambda connection: lookup.media_file(connection, item.key))
    assert media == lookup.MediaFile(
        key=item.key,
        root=b"/media",
        path=b"/media/Mixed/Clip.mp4",
        kind=Kind.VIDEO,
        mime_type="video/mp4",
        dlna_profile=None,
        size=1000,
        mtime_ns=1_700_000_000 * 10**9,
        title="Clip",
        duration_ms=60_000,
        width=640,
        height=480,
        orientation=None,
        art_id=None,
    )


def test_a_file_directly_in_its_media_root_has_the_right_path(library: FilledLibrary) -> None:
    key = item_of(library.at("Folders", "Nameless")).key
    media = library.read(lambda connection: lookup.media_file(connection, key))
    assert media is not None
    assert media.path == b"/media/Nameless.mp3"


def test_the_bytes_of_a_path_are_those_of_the_file_system(library: FilledLibrary) -> None:
    library.add({"\udcff/\udcfe.mp3": {"title": "Bytes"}})
    key = item_of(library.at("Music", "All music", "Bytes")).key
    media = library.read(lambda connection: lookup.media_file(connection, key))
    assert media is not None
    assert media.path == b"/media/\xff/\xfe.mp3"


def test_a_media_root_that_is_the_file_system_itself_is_no_trouble(tmp_path: Path) -> None:
    filled = FilledLibrary(tmp_path / "slash.sqlite")
    filled.add({"a.mp3": {}}, root="/")
    key = item_of(filled.at("Folders", "a")).key
    media = filled.read(lambda connection: lookup.media_file(connection, key))
    assert media is not None
    assert (media.root, media.path) == (b"/", b"/a.mp3")
    filled.close()


@pytest.mark.parametrize("key", FAR)
def test_a_key_that_nothing_has_finds_nothing(library: FilledLibrary, key: int) -> None:
    assert library.read(lambda connection: lookup.media_file(connection, key)) is None
    assert library.read(lambda connection: lookup.art_source(connection, key)) is None


def test_files_and_art_of_a_media_root_that_is_away_are_not_found(library: FilledLibrary) -> None:
    library.add({"With art.mp3": {"art": COVER}})
    item = item_of(library.at("Folders", "With art"))
    assert item.art is not None
    art_id = item.art.art_id
    library.set_available(available=False)
    assert library.read(lambda connection: lookup.media_file(connection, item.key)) is None
    assert library.read(lambda connection: lookup.art_source(connection, art_id)) is None
    library.set_available(available=True)
    assert library.read(lambda connection: lookup.media_file(connection, item.key)) is not None
    assert library.read(lambda connection: lookup.art_source(connection, art_id)) is not None


def test_embedded_art_comes_from_the_media_file(library: FilledLibrary) -> None:
    library.add({"Covers/With art.mp3": {"art": COVER}})
    item = item_of(library.at("Folders", "Covers", "With art"))
    assert item.art is not None
    art_id = item.art.art_id
    assert library.read(
        lambda connection: lookup.art_source(connection, art_id)
    ) == lookup.ArtSource(
        art_id=art_id,
        root=b"/media",
        path=b"/media/Covers/With art.mp3",
        embedded=True,
        mime_type="image/jpeg",
    )


def test_a_picture_in_files_of_several_roots_comes_from_one_that_is_there(
    library: FilledLibrary,
) -> None:
    """Held by the first of them (:mod:`mediaserver.library.indexing.art`)."""
    library.add({"One.mp3": {"art": COVER}})
    library.add({"Two.mp3": {"art": COVER}}, root="/more")
    item = item_of(library.at("Music", "All music", "Two"))
    assert item.art is not None
    art_id = item.art.art_id
    library.set_available(available=False)
    source = library.read(lambda connection: lookup.art_source(connection, art_id))
    assert source is not None
    assert (source.root, source.path, source.embedded) == (b"/more", b"/more/Two.mp3", True)
    library.set_available(available=False, root="/more")
    assert library.read(lambda connection: lookup.art_source(connection, art_id)) is None


def test_subtitles_come_from_files_below_the_folder_of_their_film(library: FilledLibrary) -> None:
    library.add({"Films/A.mkv": {"kind": Kind.VIDEO, "fingerprint": b"a" * 16}})
    files = (
        SubtitleFile(b"A.mkv", b"A.srt", "", "srt", ""),
        SubtitleFile(b"A.mkv", b"Subs/A.de.ass", "de", "ssa", "sdh"),
    )
    library.set_sidecars("Films", Sidecars(subtitles=files))
    key = item_of(library.at("Folders", "Films", "A")).key
    found = library.read(lambda connection: lookup.subtitles(connection, key))
    assert [(one.path, one.number, one.language, one.note) for one in found] == [
        (b"/media/Films/A.srt", files[0].number, None, None),
        (b"/media/Films/Subs/A.de.ass", files[1].number, "de", "sdh"),
    ]
    library.set_available(available=False)
    assert library.read(lambda connection: lookup.subtitles(connection, key)) == []
    assert library.read(lambda connection: lookup.subtitles(connection, -1)) == []


def test_of_a_root_that_has_just_gone_nothing_is_found(library: FilledLibrary) -> None:
    """Its folders are hidden first; its items are still to be hidden (Indexer.set_root)."""
    library.add({"A.mkv": {"kind": Kind.VIDEO, "fingerprint": b"a" * 16}})
    subtitle = SubtitleFile(b"A.mkv", b"A.srt", "", "srt", "")
    library.set_sidecars("", Sidecars(subtitles=(subtitle,)))
    key = item_of(library.at("Folders", "A")).key
    root_id = library.indexer.roots()[0].root_id
    with library.indexer.batch() as batch:
        batch.set_root(root_id, available=False, reason="gone", device=1, with_items=False)
    assert library.read(lambda connection: lookup.media_file(connection, key)) is None
    assert library.read(lambda connection: lookup.subtitles(connection, key)) == []


def test_art_of_a_folder_is_a_file_in_it(library: FilledLibrary) -> None:
    root_id = library.indexer.roots()[0].root_id
    folder = library.indexer.known_folders(root_id)["Björk/Debut".encode()].key
    with library.indexer.batch() as batch:
        batch.set_folder_art(folder, ArtFile(b"cover.png", "image/png", 30, 20, 1))
    item = item_of(library.at("Folders", "Björk", "Debut", "Crying"))
    assert item.art is not None
    art_id = item.art.art_id
    assert library.read(
        lambda connection: lookup.art_source(connection, art_id)
    ) == lookup.ArtSource(
        art_id=art_id,
        root=b"/media",
        path="/media/Björk/Debut/cover.png".encode(),
        embedded=False,
        mime_type="image/png",
    )


def test_counts_are_those_of_what_can_be_seen(library: FilledLibrary) -> None:
    counts = library.read(lookup.counts)
    assert (counts.audio, counts.video, counts.image, counts.items) == (8, 1, 2, 11)
    # The root's own folder is not among them: its view stands for it.
    assert counts.containers == 1 + len(_containers(library))
    library.set_available(available=False)
    away = library.read(lookup.counts)
    assert (away.audio, away.video, away.image, away.containers) == (0, 0, 0, 0)


def _containers(library: FilledLibrary) -> set[tuple[object, ...]]:
    """Folders, playlists and values that can be seen, each once."""
    parsed = [parse(hit.object_id) for hit in walk(library) if isinstance(hit, Container)]
    places = [(each.folder, each.playlist, each.facets[-1:]) for each in parsed if each is not None]
    return {place for place in places if place != (None, None, ())}


def test_an_empty_index_counts_nothing(tmp_path: Path) -> None:
    filled = FilledLibrary(tmp_path / "empty.sqlite")
    assert filled.read(lookup.counts) == LibraryCounts()
    filled.close()


def test_unreadable_files_are_told_with_their_reasons_as_many_as_asked_for(
    library: FilledLibrary,
) -> None:
    library.add({f"Mixed/broken {number}.mp3": {"reason": "not a sound"} for number in range(3)})
    assert library.read(lookup.counts).unreadable == 3
    found = library.read(lambda connection: lookup.unreadable(connection, 10))
    assert {file.path for file in found} == {
        f"/media/Mixed/broken {number}.mp3".encode() for number in range(3)
    }
    assert {file.reason for file in found} == {"not a sound"}
    assert len(library.read(lambda connection: lookup.unreadable(connection, 2))) == 2
