"""Records that are kept in one file, split by cue sheets (scans with real files)."""

import os
import sqlite3
import struct
import wave
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import mutagen.flac
import mutagen.id3
import mutagen.mp3
import mutagen.wavpack
import pytest

from mediaserver.library.browsing.browser import Browser
from mediaserver.library.criteria import SortKey
from mediaserver.library.database import driver_of
from mediaserver.library.errors import NoSuchObject
from mediaserver.library.explaining.explanation import Explanation, explain
from mediaserver.library.indexer import Indexer
from mediaserver.library.indexing.details import details_of
from mediaserver.library.lookup import MediaFile, media_file
from mediaserver.library.objects import Container, Details, Item, Object, Span
from tests.library.index_check import problems
from tests.library.scanning import Scene
from tests.make_media import picture, sound

SHEET = (
    'PERFORMER "Band"',
    'TITLE "Record"',
    "REM DATE 1999",
    'FILE "record.wav" WAVE',
    "  TRACK 01 AUDIO",
    '    TITLE "Zebra"',
    "    INDEX 01 00:00:00",
    "  TRACK 02 AUDIO",
    '    TITLE "Apple"',
    '    PERFORMER "Guest"',
    "    INDEX 00 00:19:00",
    "    INDEX 01 00:20:00",
    "  TRACK 03 AUDIO",
    '    TITLE "Mango"',
    "    INDEX 01 00:40:00",
)
TITLES = ["Zebra", "Apple", "Mango"]


class Records(Scene):
    """A scene with a view on what control points see of it."""

    def record(self, path: str, *, seconds: int = 60, value: int = 1) -> Path:
        """A WAV file of this length, in a sample rate that keeps it small."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(target), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(1)
            file.setframerate(1000)
            file.writeframes(struct.pack("B", value) * 1000 * seconds)
        return target

    def write(self, path: str, *lines: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines), encoding="utf-8")
        return target

    def children(self, object_id: str, sort: tuple[SortKey, ...] = ()) -> list[Object]:
        return self.database.read_now(
            lambda connection: (
                Browser().children(connection, object_id, start=0, count=0, sort=sort).objects
            )
        )

    def titles(self, object_id: str) -> list[str]:
        return [found.title for found in self.children(object_id)]

    def folder(self, path: str) -> str:
        """The object id of a folder; of the root's own that of the view."""
        object_id = "vfo"
        for name in path.split("/") if path else ():
            object_id = next(
                found.object_id for found in self.children(object_id) if found.title == name
            )
        return object_id

    def tracks(self, path: str = "") -> list[Item]:
        """The items of a folder."""
        return [found for found in self.children(self.folder(path)) if isinstance(found, Item)]

    def ids(self, path: str = "") -> dict[str, str]:
        return {track.title: track.object_id for track in self.tracks(path)}

    def file_of(self, track: Item) -> MediaFile:
        found = self.database.read_now(lambda connection: media_file(connection, track.key))
        assert found is not None
        return found

    def why(self, path: str) -> Explanation:
        index = self.root.parent / "index.sqlite"
        return explain(self.root / path, index=index, roots=self.roots)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Records]:
    scene = Records(tmp_path)
    yield scene
    with scene.database.begin() as connection:
        assert problems(driver_of(connection)) == []
    assert scene.indexer.check() == {}
    scene.close()


@pytest.fixture
def record(scene: Records) -> Records:
    scene.record("Album/record.wav")
    scene.write("Album/record.cue", *SHEET)
    scene.scan()
    return scene


# ---- what is seen


def test_a_record_is_listed_as_its_tracks_in_their_order(record: Records) -> None:
    assert [
        (track.title, track.track, track.artists, track.span, track.duration_ms)
        for track in record.tracks("Album")
    ] == [
        ("Zebra", 1, ("Band",), Span(0, 20_000_000), 20_000),
        ("Apple", 2, ("Guest",), Span(20_000_000, 40_000_000), 20_000),
        ("Mango", 3, ("Band",), Span(40_000_000, 60_000_000), 20_000),
    ]


def test_tracks_stand_in_views_as_others_do(record: Records) -> None:
    assert record.titles("vma") == ["Apple", "Mango", "Zebra"]
    (album,) = record.children("vml")
    assert isinstance(album, Container)
    assert (album.title, album.artists, album.date) == ("Record", ("Band",), "1999")
    assert record.titles(album.object_id) == TITLES
    assert record.titles("vmr") == ["Band", "Guest"]
    assert record.titles("vmp") == []


def test_a_list_that_is_to_be_sorted_by_title_is(record: Records) -> None:
    found = record.children(record.folder("Album"), (SortKey("dc:title"),))
    assert [track.title for track in found] == ["Apple", "Mango", "Zebra"]


def test_the_file_of_a_track_is_its_records(record: Records) -> None:
    first = record.tracks("Album")[1]
    found = record.file_of(first)
    assert found.path == os.fsencode(record.root / "Album" / "record.wav")
    assert (found.key, found.span, found.sample_rate) == (first.key, first.span, 1000)
    assert (found.channels, found.bits_per_sample) == (1, 16)


def test_a_track_is_told_as_it_is_sent_decoded_to_wav(record: Records) -> None:
    first = record.tracks("Album")[0]
    assert (first.mime_type, first.audio_codec) == ("audio/x-wav", "pcm_s16le")
    # A header of 44 bytes, and 20 s of 1000 samples a second of 16 bits.
    assert (first.size, first.bitrate) == (44 + 40_000, 16_000)


def test_who_plays_the_whole_file_is_not_cut_off(scene: Records) -> None:
    scene.record("record.wav")
    scene.scan()
    (whole,) = scene.tracks()
    scene.write("record.cue", *SHEET)
    scene.scan()
    assert scene.titles("vfo") == TITLES
    assert scene.file_of(whole).span is None


def test_records_and_files_of_one_folder_keep_apart(scene: Records) -> None:
    for number, name in enumerate(("b", "a")):
        scene.record(f"{name}.wav", value=number)
        scene.write(f"{name}.cue", *(line.replace("record", name) for line in SHEET))
    scene.sound("anchor.wav")
    scene.sound("bridge.wav")
    scene.scan()
    assert scene.titles("vfo") == [*TITLES, "anchor", *TITLES, "bridge"]


def test_what_the_sheet_does_not_say_the_tags_do(scene: Records) -> None:
    tags = {"artist": "Tagged", "album": "Album", "genre": "Jazz", "date": "1959", "title": "All"}
    sound(scene.root / "record.flac", seconds=3, rate=8000, metadata=tags)
    scene.write(
        "record.cue",
        *('FILE "record.flac" WAVE', "TRACK 01 AUDIO", "INDEX 01 00:00:00"),
        *("TRACK 02 AUDIO", 'PERFORMER "Guest"', "INDEX 01 00:01:00"),
    )
    scene.scan()
    first, second = scene.tracks()
    assert (first.title, first.artists, first.album) == ("Track 01", ("Tagged",), "Album")
    assert (first.genres, first.date) == (("Jazz",), "1959")
    assert (second.title, second.artists, second.album) == ("Track 02", ("Guest",), "Album")


def test_loudness_and_code_of_a_track_are_kept(scene: Records) -> None:
    scene.record("record.wav")
    scene.write(
        "record.cue",
        "REM REPLAYGAIN_ALBUM_GAIN -5.48 dB",
        *SHEET[:6],
        "ISRC GB-AAN-94-00001",
        "REM REPLAYGAIN_TRACK_GAIN -6.00 dB",
        "REM REPLAYGAIN_TRACK_PEAK 0.987",
        *SHEET[6:],
    )
    scene.scan()
    first, second, _ = scene.tracks()

    def known(track: Item) -> Details | None:
        return scene.database.read_now(
            lambda connection: details_of(driver_of(connection), track.key)
        )

    assert known(first) == Details(
        track_gain_db=-6.0, track_peak=0.987, album_gain_db=-5.48, isrc="GBAAN9400001"
    )
    assert known(second) == Details(album_gain_db=-5.48)
    assert "ISRC GBAAN9400001" in scene.why("record.wav").reasons[1]


def test_the_art_of_the_file_is_that_of_its_tracks(scene: Records) -> None:
    scene.record("record.wav")
    (scene.root / "cover.jpg").write_bytes(picture())
    scene.write("record.cue", *SHEET)
    scene.scan()
    assert len({track.art for track in scene.tracks()}) == 1
    assert scene.tracks()[0].art is not None
    (scene.root / "cover.jpg").unlink()
    scene.scan()
    assert {track.art for track in scene.tracks()} == {None}


def test_a_track_is_found_by_searching_and_by_its_id(record: Records) -> None:
    track = record.tracks("Album")[0]
    page = record.database.read_now(
        lambda connection: Browser().metadata(connection, track.object_id)
    )
    assert page.objects == [track]


# ---- which file


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("record.wav", "record.wav"),
        ("record.wav", "RECORD.WAV"),
        ("Record.Wav", "record.wav"),
        ("record.wav", "record.flac"),
        ("record.wav", "record.bin"),
        ("record.wav", "D:\\Rips\\Band\\record.wav"),
        ("record.wav", "\\\\server\\share\\record.ape"),
        ("record.wav", "/home/somebody/record.wav"),
        ("record.wav", ".\\record.wav"),
        ("Größe.wav", "Größe.wav"),
        ("Größe.wav", "Gro\u0308\u00dfe.wav"),
        # The sheet is called as the file is.
        ("sheet.wav", "CDImage.wav"),
        ("SHEET.wav", "CDImage.wav"),
    ],
)
def test_a_file_is_found_by_names_that_are_not_quite_right(
    scene: Records, file: str, named: str
) -> None:
    scene.record(file)
    scene.write("sheet.cue", *(line.replace("record.wav", named) for line in SHEET))
    scene.scan()
    assert scene.titles("vfo") == TITLES


def test_a_sheet_may_have_the_whole_name_of_its_file(scene: Records) -> None:
    scene.record("a.b.wav")
    scene.write("a.b.wav.cue", *(line.replace("record", "CDImage") for line in SHEET))
    scene.scan()
    assert scene.titles("vfo") == TITLES


def test_a_sheet_in_the_character_set_of_its_country_finds_its_file(scene: Records) -> None:
    scene.record("лучшие песни.wav")
    text = "\r\n".join(line.replace("record", "лучшие песни") for line in SHEET)
    (scene.root / "sheet.cue").write_bytes(text.encode("cp1251"))
    scene.scan()
    assert scene.titles("vfo") == TITLES


def test_the_two_sides_of_a_record_are_one_list(scene: Records) -> None:
    scene.record("side b.wav", value=1)
    scene.record("side a.wav", value=2)
    other = [line.replace("TRACK 0", "TRACK 1") for line in SHEET if "TITLE" not in line]
    scene.write(
        "lp.cue",
        *(line.replace("record.wav", "side b.wav") for line in SHEET),
        *(line.replace("record.wav", "side a.wav") for line in other[2:]),
    )
    scene.scan()
    assert scene.titles("vfo") == [*TITLES, "Track 11", "Track 12", "Track 13"]
    assert {track.album for track in scene.tracks()} == {"Record"}


def test_a_sheet_of_single_files_is_a_playlist_and_leaves_their_tags(scene: Records) -> None:
    for name in ("one", "two"):
        scene.sound(f"{name}.wav")
    scene.write(
        "list.cue",
        *('FILE "two.flac" WAVE', "TRACK 01 AUDIO", 'TITLE "Second"', "INDEX 01 00:00:00"),
        *('FILE "one.flac" WAVE', "TRACK 02 AUDIO", 'TITLE "First"', "INDEX 01 00:00:00"),
    )
    scene.scan()
    found, *files = scene.children("vfo")
    assert found.title == "list"
    assert scene.titles(found.object_id) == ["two", "one"]
    assert [each.title for each in files] == ["one", "two"]


# ---- inside of files


def test_a_sheet_in_the_tags_of_a_file_splits_it(scene: Records) -> None:
    path = sound(scene.root / "record.flac", seconds=3, rate=8000)
    file = mutagen.flac.FLAC(path)
    file["CUESHEET"] = SHORT
    file.save()
    scene.scan()
    assert scene.titles("vfo") == TITLES
    assert [track.duration_ms for track in scene.tracks()] == [1000, 1000, 1000]


SHORT = "\n".join(SHEET).replace("00:20", "00:01").replace("00:40", "00:02")


def test_a_sheet_in_a_tag_of_apev2_splits_a_file(scene: Records) -> None:
    """As foobar2000 and others write it into WavPack and Monkey's Audio."""
    path = sound(scene.root / "record.wv", seconds=3, rate=8000)
    file = mutagen.wavpack.WavPack(path)
    file["Cuesheet"] = SHORT
    file.save()
    scene.scan()
    assert scene.titles("vfo") == TITLES


def test_a_sheet_in_a_tag_of_id3_splits_a_file(scene: Records) -> None:
    path = sound(scene.root / "record.mp3", seconds=3)
    file = mutagen.mp3.MP3(path)
    file["TXXX:CUESHEET"] = mutagen.id3.TXXX(encoding=3, desc="CUESHEET", text=[SHORT])
    file.save()
    scene.scan()
    assert scene.titles("vfo") == TITLES


def cue_sheet_block(*starts: int) -> bytes:
    """Of tracks that begin at these samples, and a lead-out (RFC 9639 §8.7)."""
    tracks = b""
    for number, start in enumerate(starts, 1):
        tracks += struct.pack(">QB12s14xB", start, number, b"GBAAN9400001", 1)
        tracks += struct.pack(">QB3x", 0, 1)
    tracks += struct.pack(">QB12s14xB", 24_000, 255, b"", 0)
    head = struct.pack(">128sQ259xB", b"", 0, len(starts) + 1)
    return head + tracks


def with_cue_sheet(path: Path, *starts: int) -> Path:
    """A FLAC file with that block behind STREAMINFO, which is 38 bytes long (RFC 9639 §8.1)."""
    data = sound(path, seconds=3, rate=8000).read_bytes()
    assert data[:4] == b"fLaC"
    block = cue_sheet_block(*starts)
    head = struct.pack(">I", 5 << 24 | len(block))
    path.write_bytes(data[:42] + head + block + data[42:])
    return path


def test_a_cue_sheet_block_splits_a_flac_file(scene: Records) -> None:
    with_cue_sheet(scene.root / "record.flac", 0, 8_000, 18_000)
    scene.scan()
    assert [(track.title, track.span) for track in scene.tracks()] == [
        ("Track 01", Span(0, 1_000_000)),
        ("Track 02", Span(1_000_000, 2_250_000)),
        ("Track 03", Span(2_250_000, 3_000_000)),
    ]
    assert {track.album for track in scene.tracks()} == {"record"}


def test_a_sheet_beside_a_file_is_believed_before_that_inside(scene: Records) -> None:
    with_cue_sheet(scene.root / "record.flac", 0, 8_000, 18_000)
    sheet = scene.write("record.cue", *(SHEET[n].replace(":20:", ":01:") for n in range(12)))
    scene.scan()
    assert scene.titles("vfo") == TITLES[:2]
    ids = scene.ids()
    sheet.unlink()
    scene.scan()
    assert scene.readers.names == []
    assert scene.titles("vfo") == ["Track 01", "Track 02", "Track 03"]
    assert {*ids.values()} < {*scene.ids().values()}


# ---- what changes


def test_the_file_is_listed_again_when_its_sheet_is_gone(scene: Records) -> None:
    scene.record("record.wav")
    scene.scan()
    whole = scene.ids()["record"]
    sheet = scene.write("record.cue", *SHEET)
    scene.scan()
    ids = scene.ids()
    assert whole not in ids.values()
    with pytest.raises(NoSuchObject):
        scene.database.read_now(lambda connection: Browser().metadata(connection, whole))
    sheet.unlink()
    scene.scan()
    assert scene.readers.names == []
    assert scene.ids() == {"record": whole}
    scene.write("record.cue", *SHEET)
    scene.scan()
    assert scene.ids() == ids


def test_a_sheet_that_was_there_first_splits_its_file_when_it_comes(scene: Records) -> None:
    scene.write("record.cue", *SHEET)
    scene.scan()
    scene.record("record.wav")
    scene.scan()
    assert scene.titles("vfo") == TITLES


def test_a_scan_of_unchanged_records_reads_and_tells_nothing(record: Records) -> None:
    record.changes.clear()
    summary = record.scan()
    assert (summary.added, summary.changed, summary.removed) == (0, 0, 0)
    assert record.readers.names == []
    assert record.changes == []


def test_an_edited_sheet_is_followed(record: Records) -> None:
    ids = record.ids("Album")
    lines = [line.replace("Apple", "Pear").replace("00:40", "00:50") for line in SHEET]
    record.write("Album/record.cue", *lines)
    record.scan()
    assert record.readers.names == []
    second, third = record.tracks("Album")[1:]
    assert (second.title, second.object_id) == ("Pear", ids["Apple"])
    assert (third.span, third.object_id) == (Span(50_000_000, 60_000_000), ids["Mango"])
    record.write("Album/record.cue", *lines[:12])
    record.scan()
    assert [track.span for track in record.tracks("Album")] == [
        Span(0, 20_000_000),
        Span(20_000_000, 60_000_000),
    ]


def test_tracks_keep_their_ids_when_the_file_is_touched_or_retagged(scene: Records) -> None:
    path = sound(scene.root / "record.flac", seconds=3, rate=8000)
    lines = [line.replace("00:20", "00:01").replace("00:40", "00:02") for line in SHEET]
    scene.write("record.cue", *lines)
    scene.scan()
    ids = scene.ids()
    os.utime(path, (1_000_000_000, 1_000_000_000))
    scene.scan()
    assert scene.readers.names == ["record.flac"]
    assert scene.ids() == ids
    file = mutagen.flac.FLAC(path)
    file["GENRE"] = "Jazz"
    file.save()
    scene.scan()
    assert scene.ids() == ids
    assert {track.genres for track in scene.tracks()} == {("Jazz",)}


def test_a_file_that_was_cut_short_is_listed_as_a_whole(record: Records) -> None:
    record.record("Album/record.wav", seconds=30)
    record.scan()
    assert [track.title for track in record.tracks("Album")] == ["record"]
    record.record("Album/record.wav", seconds=60)
    record.scan()
    assert [track.title for track in record.tracks("Album")] == TITLES


@pytest.mark.parametrize("name", ["Album/other.wav", "Album/other.cue"])
def test_tracks_keep_their_ids_when_file_or_sheet_are_renamed(record: Records, name: str) -> None:
    ids = record.ids("Album")
    other = record.root / name
    (record.root / "Album" / f"record{other.suffix}").rename(other)
    record.write("Album/other.cue" if name.endswith("cue") else "Album/record.cue", *SHEET)
    record.scan()
    if name.endswith("wav"):
        assert [track.title for track in record.tracks("Album")] == ["other"]
        record.write("Album/record.cue", *(line.replace("record", "other") for line in SHEET))
        record.scan()
    assert record.ids("Album") == ids


def test_tracks_keep_their_ids_when_file_and_sheet_move(record: Records) -> None:
    ids = record.ids("Album")
    (record.root / "Other").mkdir()
    for name in ("record.wav", "record.cue"):
        (record.root / "Album" / name).rename(record.root / "Other" / name)
    record.scan()
    assert record.readers.names == []
    assert record.ids("Other") == ids
    assert record.titles("vfo") == ["Other"]


def test_tracks_keep_their_ids_when_their_folder_moves(record: Records) -> None:
    ids = record.ids("Album")
    (record.root / "Band").mkdir()
    (record.root / "Album").rename(record.root / "Band" / "Renamed")
    record.scan()
    assert record.readers.names == []
    assert record.ids("Band/Renamed") == ids


def test_a_sheet_that_moves_away_no_longer_splits(record: Records) -> None:
    (record.root / "Other").mkdir()
    (record.root / "Album" / "record.cue").rename(record.root / "Other" / "record.cue")
    record.scan()
    assert [track.title for track in record.tracks("Album")] == ["record"]


def test_another_record_under_the_same_name_is_the_same_one(record: Records) -> None:
    """As any file is that was replaced: what is at a path is what was there."""
    ids, sheet = record.ids("Album"), record.root / "Album" / "record.cue"
    record.record("Album/record.wav", seconds=90, value=9)
    record.scan()
    assert record.ids("Album") == ids
    assert record.tracks("Album")[2].duration_ms == 50_000
    sheet.unlink()
    record.scan()
    sheet.write_text("\n".join(SHEET))
    record.scan()
    assert record.ids("Album") == ids


def test_tracks_go_with_their_folder(record: Records) -> None:
    ids = record.ids("Album")
    folder = record.root / "Album"
    folder.rename(record.root.parent / "away")
    record.sound("other.wav")
    record.scan()
    assert record.titles("vma") == ["other"]
    (record.root.parent / "away").rename(folder)
    record.scan()
    assert record.ids("Album") == ids


def test_tracks_are_hidden_with_their_root_and_come_back(record: Records) -> None:
    ids = record.ids("Album")
    root = record.indexer.roots()[0].root_id
    record.indexer.set_root(root, available=False, reason="not mounted", device=None)
    assert record.titles("vma") == []
    with record.database.begin() as connection:
        assert problems(driver_of(connection)) == []
    record.indexer.set_root(root, available=True, reason=None, device=1)
    assert record.ids("Album") == ids
    assert record.titles("vma") == ["Apple", "Mango", "Zebra"]


def test_a_playlist_that_names_a_record_lists_its_tracks(record: Records) -> None:
    record.sound("other.wav")
    record.write("list.m3u", "Album/record.wav", "other.wav", "Album/record.wav")
    record.scan()
    found = record.children("vmp")[0]
    assert isinstance(found, Container)
    assert record.titles(found.object_id) == [*TITLES, "other", *TITLES]
    assert found.child_count == 7
    assert len({entry.object_id for entry in record.children(found.object_id)}) == 7
    (record.root / "Album" / "record.cue").unlink()
    record.scan()
    assert record.titles(found.object_id) == ["record", "other", "record"]


def test_the_better_of_two_sheets_counts(record: Records) -> None:
    """The one that is called as the file is, not the first by name."""
    record.write("Album/a.cue", *(line.replace("Zebra", "Ape") for line in SHEET))
    record.scan()
    assert [track.title for track in record.tracks("Album")] == TITLES
    assert record.why("Album/a.cue").reasons == (
        "record.wav is split by the cue sheet record.cue already",
    )
    (record.root / "Album" / "record.cue").unlink()
    record.scan()
    assert [track.title for track in record.tracks("Album")] == ["Ape", "Apple", "Mango"]


def test_a_file_that_is_replaced_takes_the_sheet_that_fits_it(record: Records) -> None:
    """What it was split by goes in the same moment, and what fits did not fit before."""
    short = [line.replace("Zebra", "Ape").replace("00:40", "01:20") for line in SHEET]
    record.write("Album/record.flac.cue", *short)
    record.scan()
    assert [track.title for track in record.tracks("Album")] == TITLES
    (record.root / "Album" / "record.cue").unlink()
    record.record("Album/record.wav", seconds=90)
    record.scan()
    assert [track.title for track in record.tracks("Album")] == ["Ape", "Apple", "Mango"]


# ---- what is wrong


@pytest.mark.parametrize(
    "named",
    ["../record.wav", "..\\record.wav", "Other/record.wav", "../../outside/record.wav"],
)
def test_a_sheet_splits_no_file_of_another_folder(scene: Records, named: str) -> None:
    """Whoever may write to one folder is not to change what is seen of others (M7)."""
    scene.record("record.wav", value=1)
    scene.record("Album/Other/record.wav", value=2)
    scene.record("Album/own.wav", value=3)
    outside = scene.root.parent / "outside"
    outside.mkdir()
    (outside / "record.wav").write_bytes((scene.root / "record.wav").read_bytes())
    scene.write("Album/own.cue", *(line.replace("record.wav", named) for line in SHEET))
    scene.scan()
    assert [track.title for track in scene.tracks()] == ["record"]
    assert [track.title for track in scene.tracks("Album")] == ["own"]
    found = scene.why("Album/own.cue")
    assert found.served is None
    assert found.reasons == (
        f"{named} is not split: a file in another folder: a cue sheet splits those beside it alone",
    )


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (SHEET[:7], "it has a single track: its file is served as it is"),
        (("",), "no tracks"),
        ((*SHEET, "TRACK 04 AUDIO"), "track 4 has no INDEX 01"),
        ((*SHEET, "TRACK 04 AUDIO", "INDEX 01 00:10:00"), "track 4 begins no later"),
        ((*SHEET, "TRACK 04 AUDIO", "INDEX 01 01:00:00"), "track 4 begins at 1:00, its file ends"),
        (("TITLE \0", *SHEET), "not a text"),
    ],
)
def test_a_sheet_that_is_wrong_leaves_its_file_whole_and_says_why(
    scene: Records, lines: tuple[str, ...], reason: str
) -> None:
    scene.record("record.wav")
    scene.write("record.cue", *lines)
    scene.scan()
    assert scene.titles("vfo") == ["record"]
    of_sheet, of_file = scene.why("record.cue"), scene.why("record.wav")
    assert (of_sheet.served, len(of_sheet.reasons)) == (None, 1)
    assert reason in of_sheet.reasons[0]
    assert of_file.served is not None
    assert of_file.reasons[0].startswith(f"its cue sheet record.cue is not used: {reason}")


def test_a_wrong_sheet_inside_a_file_leaves_it_whole_and_says_why(scene: Records) -> None:
    with_cue_sheet(scene.root / "record.flac", 0, 8_000, 24_000)
    scene.scan()
    assert scene.titles("vfo") == ["record"]
    assert scene.why("record.flac").reasons == (
        "the cue sheet inside it is not used: track 3 begins at 0:03, its file ends at 0:03",
    )


def test_a_file_that_cannot_be_read_is_not_split(scene: Records) -> None:
    (scene.root / "record.flac").write_bytes(b"fLaC" + b"\0" * 100)
    scene.write("record.cue", *SHEET)
    scene.scan()
    assert scene.titles("vfo") == ["record"]


def test_a_split_file_and_its_sheet_say_what_they_are(record: Records) -> None:
    ids = record.ids("Album")
    assert record.why("Album/record.wav").reasons == (
        "it is listed as its 3 tracks, by the cue sheet record.cue",
        f"track 1: Zebra, 0:00 to 0:20 ({ids['Zebra']})",
        f"track 2: Apple, 0:20 to 0:40 ({ids['Apple']})",
        f"track 3: Mango, 0:40 to 1:00 ({ids['Mango']})",
    )
    assert record.why("Album/record.cue").reasons == (
        "record.wav is listed as its 3 tracks; it is no list itself",
    )


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM items WHERE part = 2",
        "DELETE FROM items WHERE part > 0",
        "UPDATE items SET split = 0 WHERE part = 0",
        "UPDATE items SET split = 0, shown = 1 WHERE part = 0",
        "UPDATE items SET begin_us = 5 WHERE part = 2",
        "UPDATE playlist_entries SET item_id = NULL",
        "DELETE FROM items WHERE part = 0",
    ],
)
def test_what_accidents_do_to_tracks_is_mended(record: Records, damage: str) -> None:
    ids = record.ids("Album")
    # SQLite's own guards are off for it.
    with closing(sqlite3.connect(record.database.path, isolation_level=None)) as connection:
        connection.execute(damage)
    assert record.indexer.check() != {}
    record.scan()
    assert record.ids("Album") == ids


def test_nobody_asks_for_parts_of_files_that_have_none(scene: Records) -> None:
    """A file costs its own statements, whether records are split elsewhere or not."""
    scene.record("Album/record.wav")
    scene.write("Album/record.cue", *SHEET)
    scene.scan()
    statements: list[str] = []
    with scene.database.begin() as connection:
        driver_of(connection).set_trace_callback(statements.append)
    scene.sound("Other/one.wav")
    scene.scan("Other")
    assert any("INSERT INTO items" in one for one in statements)
    assert [one for one in statements if "part > 0" in one and "FROM items" in one] == []


def test_an_index_made_anew_gives_tracks_the_same_ids(tmp_path: Path) -> None:
    made: list[dict[str, str]] = []
    for _ in range(2):
        scene = Records(tmp_path)
        scene.record("record.wav")
        scene.write("record.cue", *SHEET)
        scene.scan()
        made.append(scene.ids())
        scene.close()
        for path in tmp_path.glob("index.sqlite*"):
            path.unlink()
    assert made[0] == made[1]
    assert len(made[0]) == 3


def test_a_restart_knows_tracks_without_reading(record: Records) -> None:
    ids = record.ids("Album")
    record.indexer = Indexer(record.database, on_change=record.changes.append)
    record.scanner.indexer = record.indexer
    record.scan()
    assert record.readers.names == []
    assert record.ids("Album") == ids
