"""``mediaserver why``: the rule that leaves a file out, or what it is served as."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from mutagen.flac import FLAC

from mediaserver.library.explaining.explanation import Explanation, explain
from mediaserver.library.object_ids import folder_id, item_id
from tests.library.privileges import permissions_count
from tests.library.scanning import Scene
from tests.make_media import film, picture, sound

IGNORE = ("*.sample.wav", "Backup")


class Explained(Scene):
    def why(self, path: str | Path, *, follow_links: bool = False) -> Explanation:
        return explain(
            self.root / path,
            index=self.root.parent / "index.sqlite",
            roots=self.roots,
            ignore=IGNORE,
            follow_links=follow_links,
        )


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Explained]:
    scene = Explained(tmp_path, ignore=IGNORE)
    yield scene
    scene.close()


def test_a_file_is_served_as_what_it_is(scene: Explained) -> None:
    sound(scene.root / "song.mp3", metadata={"title": "River", "artist": "Rosa", "album": "Sea"})
    scene.scan()
    key = scene.known()["song.mp3"].key
    found = scene.why("song.mp3")
    assert found.reasons == ()
    assert found.served is not None
    assert found.served.object_id == item_id(key)
    assert found.served.title == "River"
    assert found.served.upnp_class == "object.item.audioItem.musicTrack"
    assert found.served.mime_type == "audio/mpeg"
    assert found.served.dlna_profile == "MP3"
    assert found.served.url_path == f"/media/{key:x}.mp3"
    facts = dict(found.served.facts)
    assert (facts["artists"], facts["album"]) == ("Rosa", "Sea")
    assert "title: River" in found.lines()
    assert found.lines()[1] == "is served"


def test_the_rating_the_languages_and_what_is_inside_are_told(scene: Explained) -> None:
    path = sound(scene.root / "song.flac", metadata={"rating": "4"})
    file = FLAC(path)
    file["MUSICBRAINZ_ALBUMID"] = "fe7ddd48-a5fb-4ed7-8f0d-8c0d1c7d1c3e"
    file["REPLAYGAIN_TRACK_GAIN"], file["CHAPTER001"] = "-3.25 dB", "00:00:00.500"
    file.save()
    scene.scan()
    lines = scene.why("song.flac").lines()
    assert "rating: 4 of 5 stars" in lines
    assert "MusicBrainz release: fe7ddd48-a5fb-4ed7-8f0d-8c0d1c7d1c3e" in lines
    assert "track gain: -3.25 dB" in lines
    assert "chapter: 0:00:00" in lines


def test_roots_that_were_named_to_the_server_alone_count(scene: Explained) -> None:
    scene.sound("one.wav")
    scene.scan()
    found = explain(scene.root / "one.wav", index=scene.root.parent / "index.sqlite", roots=())
    assert found.served is not None


def test_a_folder_is_served_with_what_is_below_it(scene: Explained) -> None:
    scene.sound("Artist/Album/one.wav")
    scene.scan()
    found = scene.why("Artist")
    assert found.served is not None
    assert found.served.object_id == folder_id(scene.folders()["Artist"])
    assert found.served.facts == (("audio", "1 file"),)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Film.jpg", "it is the picture of Film.mkv, not a photo"),
        ("Film-fanart.jpg", "it is decoration for programs"),
        ("poster.jpg", "it is the art of its folder"),
        ("artist.jpg", "it is the picture of the artist that its folder is named after"),
        ("Film.de.forced.srt", "it is a subtitle of Film.mkv (de, forced), sent with it"),
        ("Subs/English.srt", "it is a subtitle of Film.mkv (en), sent with it"),
        ("Subs/Film/2_French.srt", "it is a subtitle of Film.mkv (fr), sent with it"),
    ],
)
def test_a_file_that_belongs_to_another_says_to_which(
    scene: Explained, path: str, reason: str
) -> None:
    film(scene.root / "Film.mkv")
    (scene.root / "Subs" / "Film").mkdir(parents=True)
    for name in ("Film.jpg", "Film-fanart.jpg", "poster.jpg", "artist.jpg"):
        (scene.root / name).write_bytes(picture())
    for name in ("Film.de.forced.srt", "Subs/English.srt", "Subs/Film/2_French.srt"):
        (scene.root / name).write_text("")
    scene.scan()
    found = scene.why(path)
    assert found.served is None
    assert len(found.reasons) == 1
    assert found.reasons[0].startswith(reason)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (".hidden.wav", "hidden"),
        (".private/one.wav", "the folder '.private'"),
        ("@eaDir/one.wav", "a system keeps for itself"),
        ("one.sample.wav", "'*.sample.wav'"),
        ("Backup/one.wav", "'Backup'"),
        ("notes.xyz", "no media type is known for its suffix (.xyz)"),
        ("notes.doc", "a document"),
        ("film.zip", "an archive"),
        ("song.mid", "MIDI holds notes and no sound"),
        ("song.xm", "holds notes"),
        ("film.nfo", "belongs to others"),
        ("README", "no media type is known for its suffix (none)"),
        ("film.srt", "a subtitle, but no video of its name is beside it"),
        ("missing.wav", "does not exist"),
        ("../outside.wav", "in no media root"),
    ],
)
def test_the_rule_that_leaves_a_file_out_is_named(scene: Explained, path: str, reason: str) -> None:
    if "missing" not in path:
        scene.sound(path)
    scene.scan()
    found = scene.why(path)
    assert found.served is None
    assert len(found.reasons) == 1
    assert reason in found.reasons[0]
    assert found.lines()[1:] == ["is not served", f"because: {found.reasons[0]}"]


def test_a_cover_is_art_of_its_folder(scene: Explained) -> None:
    scene.sound("one.wav")
    (scene.root / "cover.jpg").write_bytes(picture("JPEG"))
    scene.scan()
    assert "art of its folder" in scene.why("cover.jpg").reasons[0]


def test_a_fifo_is_no_file(scene: Explained) -> None:
    os.mkfifo(scene.root / "pipe.mp3")
    assert scene.why("pipe.mp3").reasons == ("neither a regular file nor a folder",)


def test_a_link_is_not_followed_or_leads_out(scene: Explained, tmp_path: Path) -> None:
    outside = scene.sound("one.wav").rename(tmp_path / "secret.wav")
    (scene.root / "link.wav").symlink_to(outside)
    assert "follow_links is off" in scene.why("link.wav").reasons[0]
    assert "out of the media roots" in scene.why("link.wav", follow_links=True).reasons[0]


def test_a_file_that_no_scan_has_seen_is_not_served_yet(scene: Explained) -> None:
    scene.sound("one.wav")
    assert "not been scanned yet" in scene.why("one.wav").reasons[0]


def test_without_an_index_nothing_has_been_scanned(scene: Explained, tmp_path: Path) -> None:
    path = scene.sound("one.wav")
    found = explain(path, index=tmp_path / "none.sqlite", roots=scene.roots)
    assert "nothing has been scanned" in found.reasons[0]
    assert not (tmp_path / "none.sqlite").exists()


def test_a_file_that_has_changed_since_is_served_as_it_was(scene: Explained) -> None:
    path = scene.sound("one.wav")
    scene.scan()
    with path.open("ab") as file:
        file.write(b"more")
    found = scene.why("one.wav")
    assert found.served is not None
    assert "changed since" in found.reasons[0]
    assert found.lines()[-1].startswith("but: it has changed")


def test_a_file_that_has_been_removed_since_is_served_not_for_long(scene: Explained) -> None:
    scene.sound("one.wav")
    scene.sound("two.wav")
    scene.scan()
    (scene.root / "one.wav").unlink()
    found = scene.why("one.wav")
    assert found.served is not None
    assert found.reasons == ("not for long: it does not exist",)


def test_a_broken_file_is_served_by_its_name_and_the_reason_told(scene: Explained) -> None:
    (scene.root / "broken.flac").write_bytes(b"fLaC" + b"\xff" * 40)
    scene.scan()
    found = scene.why("broken.flac")
    assert found.served is not None
    assert found.served.title == "broken"
    assert found.reasons[0].startswith("its contents could not be read: ")


def test_a_root_that_is_not_there_is_the_reason(scene: Explained) -> None:
    scene.sound("one.wav")
    scene.scan()
    scene.root.rename(scene.root.with_name("away"))
    scene.scan()
    found = scene.why("one.wav")
    assert found.served is None
    assert any("media root" in reason for reason in found.reasons)


def test_a_closed_folder_tells_who_may_look_into_it(scene: Explained) -> None:
    scene.sound("Closed/one.wav")
    (scene.root / "Closed").chmod(0)
    with permissions_count():
        found = [scene.why("Closed/one.wav"), scene.why("Closed")]
    (scene.root / "Closed").chmod(0o755)
    assert all("Permission denied" in each.reasons[0] for each in found)


def test_a_damaged_index_is_a_reason_too(scene: Explained, tmp_path: Path) -> None:
    path = scene.sound("one.wav")
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    found = explain(path, index=damaged, roots=scene.roots)
    assert "the index cannot be read" in found.reasons[0]


def test_names_of_any_bytes_are_shown_printable(scene: Explained) -> None:
    path = os.fsencode(scene.root) + b"/caf\xe9\n\x1b[31m.wav"
    os.rename(scene.sound("one.wav"), path)  # noqa: PTH104 - a path of bytes
    scene.scan()
    found = scene.why(Path(os.fsdecode(path)))
    assert found.served is not None
    assert all(line.isprintable() for line in found.lines())


# ---- playlists


def test_a_playlist_tells_what_is_served_and_what_is_left_out(scene: Explained) -> None:
    scene.sound("one.wav")
    lines = ["one.wav", "gone.wav", "a.wav", "b.wav", "c.wav", "http://radio.example/", "/etc/x"]
    (scene.root / "Mine.m3u").write_text("\n".join(lines))
    scene.scan()
    found = scene.why("Mine.m3u")
    assert found.served is not None
    assert found.served.title == "Mine"
    assert found.served.upnp_class == "object.container.playlistContainer"
    assert dict(found.served.facts) == {"entries": "1"}
    assert found.reasons == (
        "4 of 7 entries left out: no such file in the library (gone.wav, a.wav, b.wav, ...)",
        "1 of 7 entries left out: an address in the internet, and library.internet_radio is off"
        " (http://radio.example/)",
        "1 of 7 entries left out: outside of the media roots (/etc/x)",
    )


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("list.m3u", "gone.wav", "1 of 1 entries left out: no such file"),
        ("list.m3u", "# nothing", "it names nothing"),
        ("list.xspf", "no XML", "it could not be read: not XML"),
        ("stream.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\na.ts", "it could not be read: a stream"),
    ],
)
def test_a_playlist_that_is_not_served_tells_why(
    scene: Explained, name: str, text: str, reason: str
) -> None:
    scene.sound("one.wav")
    (scene.root / name).write_text(text)
    scene.scan()
    found = scene.why(name)
    assert found.served is None
    assert [line for line in found.reasons if line.startswith(reason)] != []


def test_a_playlist_that_has_changed_since_says_so(scene: Explained) -> None:
    scene.sound("one.wav")
    (scene.root / "Mine.m3u").write_text("one.wav")
    scene.scan()
    (scene.root / "Mine.m3u").write_text("one.wav\none.wav")
    assert "it has changed" in scene.why("Mine.m3u").reasons[0]


def test_a_playlist_nobody_has_scanned_is_told_to_be_one(scene: Explained) -> None:
    scene.sound("one.wav")
    scene.scan()
    (scene.root / "Mine.m3u").write_text("one.wav")
    assert scene.why("Mine.m3u").reasons == ("it has not been scanned yet",)
