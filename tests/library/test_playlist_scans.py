"""Playlist files on disk: found, read, followed (scans with real files)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaserver.library.browsing.browser import Browser
from mediaserver.library.database import driver_of
from mediaserver.library.objects import Container, Object
from mediaserver.library.scanning import playlists
from tests.library.index_check import problems
from tests.library.privileges import permissions_count
from tests.library.scanning import Scene


class Listed(Scene):
    """A scene with a view on its playlists."""

    def write(self, path: str, *lines: str, root: Path | None = None) -> Path:
        target = (root or self.root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines), encoding="utf-8")
        return target

    def children(self, object_id: str) -> list[Object]:
        return self.database.read_now(
            lambda connection: Browser().children(connection, object_id, start=0, count=0).objects
        )

    def lists(self) -> dict[str, list[str]]:
        """Music > Playlists: titles of lists, and of their entries."""
        return {
            found.title: [entry.title for entry in self.children(found.object_id)]
            for found in self.children("vmp")
            if isinstance(found, Container)
        }

    def ids(self) -> dict[str, str]:
        return {found.title: found.object_id for found in self.children("vmp")}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Listed]:
    scene = Listed(tmp_path)
    yield scene
    with scene.database.begin() as connection:
        assert problems(driver_of(connection)) == []
    scene.close()


def test_playlists_of_every_format_are_found(scene: Listed) -> None:
    scene.sound("Album/one.wav")
    scene.sound("Album/two.wav")
    scene.write("Album/a.m3u", "two.wav", "one.wav", "two.wav")
    scene.write("Lists/b.m3u8", "#PLAYLIST:Titled", "../Album/one.wav")
    scene.write("Lists/c.pls", "[playlist]", "File1=..\\Album\\ONE.wav")
    one = (scene.root / "Album" / "one.wav").as_uri()
    scene.write(
        "d.xspf",
        '<playlist xmlns="http://xspf.org/ns/0/" version="1"><trackList>',
        f"<track><location>{one}</location></track></trackList></playlist>",
    )
    scene.write("e.asx", '<asx><entry><ref href="Album/two.wav"/></entry></asx>')
    scene.write("f.wpl", '<smil><body><seq><media src="Album\\two.wav"/></seq></body></smil>')
    summary = scene.scan()
    assert scene.lists() == {
        "a": ["two", "one", "two"],
        "c": ["one"],
        "d": ["one"],
        "e": ["two"],
        "f": ["two"],
        "Titled": ["one"],
    }
    assert (summary.seen, summary.added, summary.complete) == (2, 8, True)


def test_a_scan_of_unchanged_playlists_changes_nothing(scene: Listed) -> None:
    scene.sound("one.wav")
    scene.write("a.m3u", "one.wav", "gone.wav")
    scene.scan()
    scene.changes.clear()
    summary = scene.scan()
    assert (summary.added, summary.changed, scene.changes) == (0, 0, [])


def test_a_playlist_that_was_edited_is_read_again(scene: Listed) -> None:
    scene.sound("one.wav")
    scene.sound("two.wav")
    scene.write("a.m3u", "one.wav")
    scene.scan()
    before = scene.ids()
    scene.write("a.m3u", "two.wav", "one.wav")
    summary = scene.scan("")
    assert scene.lists() == {"a": ["two", "one"]}
    assert scene.ids() == before
    assert summary.changed == 1
    assert scene.readers.names == []


def test_an_entry_is_found_when_its_file_comes(scene: Listed) -> None:
    scene.write("a.m3u", "Album/one.wav", "two.wav")
    scene.sound("two.wav")
    scene.scan()
    assert scene.lists() == {"a": ["two"]}
    scene.sound("Album/one.wav")
    scene.scan("Album")
    assert scene.lists() == {"a": ["one", "two"]}


def test_an_entry_follows_files_that_are_renamed_and_moved(scene: Listed) -> None:
    scene.write("a.m3u", "Album/one.wav", "Other/one.wav")
    path = scene.sound("Album/one.wav")
    scene.scan()
    (scene.root / "Other").mkdir()
    path.rename(scene.root / "Other" / "one.wav")
    scene.scan()
    assert scene.lists() == {"a": ["one"]}
    (scene.root / "Other").rename(scene.root / "Third")
    scene.scan()
    assert scene.lists() == {}
    (scene.root / "Third").rename(scene.root / "Album")
    scene.scan()
    assert scene.lists() == {"a": ["one"]}


def test_a_playlist_that_was_renamed_or_moved_keeps_its_id(scene: Listed) -> None:
    scene.sound("Album/one.wav")
    path = scene.write("a.m3u", "Album/one.wav")
    scene.scan()
    (object_id,) = scene.ids().values()
    path = path.rename(scene.root / "b.m3u")
    summary = scene.scan()
    assert scene.ids() == {"b": object_id}
    assert (summary.moved, summary.added, summary.removed) == (1, 0, 0)
    path.rename(scene.root / "Album" / "b.m3u")
    scene.sound("Album/Album/one.wav")
    scene.scan()
    assert scene.ids() == {"b": object_id}


def test_a_playlist_that_was_deleted_is_gone(scene: Listed) -> None:
    scene.sound("one.wav")
    path = scene.write("Lists/a.m3u", "../one.wav")
    scene.scan()
    path.unlink()
    summary = scene.scan("Lists")
    assert scene.lists() == {}
    assert summary.removed == 1
    assert [found.title for found in scene.children("vfo")] == ["one"]


def test_a_folder_of_playlists_that_was_deleted_is_gone(scene: Listed) -> None:
    scene.sound("one.wav")
    path = scene.write("Lists/a.m3u", "../one.wav")
    scene.scan()
    path.unlink()
    path.parent.rmdir()
    scene.scan()
    assert scene.lists() == {}


def test_a_playlist_that_is_being_written_waits(scene: Listed) -> None:
    scene.sound("one.wav")
    path = scene.write("a.m3u", "one.wav")
    scene.now_ns = path.stat().st_mtime_ns + 1
    summary = scene.scan()
    assert scene.lists() == {}
    assert summary.unsettled == {os.fsencode(scene.root)}


def test_playlists_and_entries_that_rules_leave_out_are_not_shown(tmp_path: Path) -> None:
    """security.md M8, T2: hidden files, ignored ones, links that lead out."""
    scene = Listed(tmp_path, ignore=("secret*",))
    secret = scene.sound("secret.wav")
    scene.sound(".hidden.wav")
    outside = scene.sound("outside.wav", root=tmp_path)
    (scene.root / "link.wav").symlink_to(outside)
    scene.sound("one.wav")
    lines = (secret.name, ".hidden.wav", "../outside.wav", "link.wav", str(outside), "one.wav")
    scene.write("a.m3u", *lines)
    scene.write(".b.m3u", *lines)
    scene.write("secret.m3u", *lines)
    (scene.root / "c.m3u").symlink_to(scene.write("out.m3u", "media/one.wav", root=tmp_path))
    scene.scan()
    assert scene.lists() == {"a": ["one"]}
    scene.close()


def test_hostile_playlists_leave_the_scan_and_the_others_alone(
    scene: Listed, tmp_path: Path
) -> None:
    """security.md M3, M5, M7."""
    scene.sound("one.wav")
    os.mkfifo(scene.root / "pipe.m3u")
    (scene.root / "folder.m3u").mkdir()
    (scene.root / "huge.m3u").touch()
    os.truncate(scene.root / "huge.m3u", 5 << 40)
    (scene.root / "binary.pls").write_bytes(os.urandom(5000))
    scene.write("many.m3u", *["one.wav"] * 12_000)
    scene.write("deep.m3u", "a/" * 2000 + "one.wav", "../" * 1000 + "etc/passwd")
    scene.write("deep.xspf", "<a>" * 10_000)
    canary = tmp_path / "canary"
    canary.write_text("one.wav")
    scene.write(
        "canary.xspf",
        f'<!DOCTYPE x [<!ENTITY c SYSTEM "{canary.as_uri()}">]>',
        "<playlist><trackList><track><location>&c;</location></track></trackList></playlist>",
    )
    (scene.root / os.fsdecode(b"bad \xff name.m3u")).write_text("one.wav")
    assert scene.scan().complete
    lists = scene.lists()
    assert set(lists) == {"many", "bad \ufffd name"}
    assert lists["bad \ufffd name"] == ["one"]
    assert len(scene.children(scene.ids()["many"])) == 2000


def test_a_root_with_playlists_alone_that_is_empty_now_is_not_mounted(scene: Listed) -> None:
    """security.md F7."""
    path = scene.write("a.m3u", "/nowhere/one.wav")
    scene.scan()
    path.unlink()
    summary = scene.scan()
    assert "not mounted" in summary.unavailable[os.fsencode(scene.root)]


def test_a_playlist_that_may_not_be_read_is_tried_again(scene: Listed) -> None:
    scene.sound("one.wav")
    path = scene.write("a.m3u", "one.wav")
    path.chmod(0)
    with permissions_count():
        scene.scan()
    assert scene.lists() == {}
    path.chmod(0o600)
    scene.scan()
    assert scene.lists() == {"a": ["one"]}


def test_a_playlist_that_is_renamed_after_its_disk_was_mounted_anew_keeps_its_id(
    scene: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """st_dev is another number each time (stat(2)); nothing is read again, and nobody told."""
    scene.sound("one.wav")
    path = scene.write("list.m3u", "#PLAYLIST:Titled", "one.wav")
    scene.scan()
    ids, told = scene.ids(), len(scene.changes)
    assert list(ids) == ["Titled"]
    with scene.database.begin() as connection:
        for table in ("items", "folders", "playlists", "roots"):
            driver_of(connection).execute(f"UPDATE {table} SET device = device + 1")  # noqa: S608
    monkeypatch.setattr(playlists, "read_playlist", lambda path: pytest.fail("it is read again"))
    scene.scan()
    assert len(scene.changes) == told
    monkeypatch.undo()
    path.rename(scene.root / "other.m3u")
    scene.scan()
    assert scene.ids() == ids
