"""Posters of seasons, pictures of playlists and of artists: from the disk to what is shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaserver.library.browsing.browser import Browser
from mediaserver.library.database import driver_of
from mediaserver.library.explaining.explanation import explain
from mediaserver.library.objects import Container
from mediaserver.library.views import DEFAULT_VIEWS
from tests.factories import container_of
from tests.library.index_check import problems
from tests.library.scanning import Scene
from tests.make_media import film, picture, sound


class Shown(Scene):
    def ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        return self.database.read_now(
            lambda connection: driver_of(connection).execute(statement, values).fetchall()
        )

    def picture(self, path: str, size: tuple[int, int] = (60, 90)) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(picture("JPEG", size))

    def film(self, path: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        film(target)

    def art_of(self, table: str, title: str) -> bytes | None:
        """The name of the picture file that something of a title shows."""
        (name,) = self.ask(
            f"SELECT art.name FROM {table} AS t LEFT JOIN art ON art.id = t.art_id "  # noqa: S608
            "WHERE t.title = ?",
            title,
        )[0]
        assert isinstance(name, bytes | None)
        return name

    def why(self, path: str) -> list[str]:
        found = explain(self.root / path, index=self.root.parent / "index.sqlite", roots=self.roots)
        return found.lines()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Shown]:
    scene = Shown(tmp_path)
    yield scene
    with scene.database.begin() as connection:
        assert problems(driver_of(connection)) == []
    scene.close()


# ---- seasons


def test_the_poster_of_a_season_is_its_folders_and_its_episodes(scene: Shown) -> None:
    scene.film("Show/Season 1/Show S01E01.mkv")
    scene.film("Show/Specials/Show S00E01.mkv")
    scene.picture("Show/poster.jpg")
    scene.picture("Show/season01-poster.jpg")
    scene.picture("Show/season-specials-poster.jpg")
    scene.scan()
    assert scene.art_of("folders", "Show") == b"poster.jpg"
    assert scene.art_of("folders", "Season 1") == b"season01-poster.jpg"
    assert scene.art_of("folders", "Specials") == b"season-specials-poster.jpg"
    assert scene.art_of("items", "Show - S01E01") == b"season01-poster.jpg"
    assert scene.ask("SELECT count(*) FROM items WHERE kind = 'image'") == [(0,)]
    reason = "because: it is the picture of the folder Season 1, not a photo"
    assert reason in scene.why("Show/season01-poster.jpg")


def test_a_series_and_its_seasons_show_their_posters_not_their_episodes(scene: Shown) -> None:
    scene.film("Show/Season 1/Show S01E01.mkv")
    scene.picture("Show/Season 1/Show S01E01-thumb.jpg")
    scene.picture("Show/poster.jpg")
    scene.picture("Show/season01-poster.jpg")
    scene.scan()
    assert scene.art_of("items", "Show - S01E01") == b"Show S01E01-thumb.jpg"
    shown = scene.ask("SELECT kind, art.name FROM facets JOIN art ON art.id = art_id")
    assert set(shown) == {("series", b"poster.jpg"), ("season", b"season01-poster.jpg")}


def test_a_poster_in_the_seasons_own_folder_counts_more(scene: Shown) -> None:
    scene.film("Show/Season 1/Show S01E01.mkv")
    scene.picture("Show/season01-poster.jpg")
    scene.picture("Show/Season 1/folder.jpg")
    scene.scan()
    assert scene.art_of("folders", "Season 1") == b"folder.jpg"
    (scene.root / "Show/Season 1/folder.jpg").unlink()
    scene.scan()
    assert scene.art_of("folders", "Season 1") == b"season01-poster.jpg"


def test_posters_come_change_and_go_with_their_files(scene: Shown) -> None:
    scene.film("Show/Season 1/Show S01E01.mkv")
    scene.scan()
    assert scene.art_of("folders", "Season 1") is None
    scene.picture("Show/season01-poster.jpg")
    scene.scan()
    assert scene.art_of("folders", "Season 1") == b"season01-poster.jpg"
    scene.scan()
    assert scene.art_of("folders", "Season 1") == b"season01-poster.jpg"
    before = len(scene.changes)
    (scene.root / "Show/season01-poster.jpg").unlink()
    scene.scan()
    assert scene.art_of("folders", "Season 1") is None
    assert scene.art_of("items", "Show - S01E01") is None
    assert len(scene.changes) > before


def test_a_season_that_comes_later_or_gets_its_name_later_finds_its_poster(scene: Shown) -> None:
    scene.picture("Show/season02-poster.jpg")
    scene.film("Show/Season 1/Show S01E01.mkv")
    scene.scan()
    scene.film("Show/New/Show S02E01.mkv")
    scene.scan()
    assert scene.art_of("folders", "New") is None
    (scene.root / "Show/New").rename(scene.root / "Show/Season 2")
    scene.scan()
    assert scene.art_of("folders", "Season 2") == b"season02-poster.jpg"
    (scene.root / "Show/Season 2").rename(scene.root / "Show/Other")
    scene.scan()
    assert scene.art_of("folders", "Other") is None


# ---- playlists


def test_the_picture_of_a_playlist_counts_more_than_that_of_its_first_entry(scene: Shown) -> None:
    scene.sound("Album/one.wav")
    scene.picture("Album/cover.jpg")
    (scene.root / "Lists").mkdir()
    (scene.root / "Lists/Party.m3u").write_text("../Album/one.wav\n")
    scene.scan()
    assert scene.art_of("playlists", "Party") == b"cover.jpg"
    scene.picture("Lists/Party.jpg")
    scene.scan()
    assert scene.art_of("playlists", "Party") == b"Party.jpg"
    assert "because: it is the picture of Party.m3u, not a photo" in scene.why("Lists/Party.jpg")
    (scene.root / "Lists/Party.jpg").unlink()
    scene.scan()
    assert scene.art_of("playlists", "Party") == b"cover.jpg"


# ---- artists


def artist_named(scene: Shown, name: str = "Rosa") -> Container:
    browser = Browser(DEFAULT_VIEWS)
    page = scene.database.read_now(
        lambda connection: browser.children(connection, "vmr", start=0, count=0, sort=())
    )
    [found] = [one for one in page.objects if one.title == name]
    return container_of(found)


def test_an_artist_whose_picture_changes_counts_as_changed(scene: Shown) -> None:
    (scene.root / "Rosa").mkdir()
    sound(scene.root / "Rosa/one.mp3", metadata={"artist": "Rosa"})
    scene.scan()
    seen = [artist_named(scene)]
    scene.picture("Rosa/artist.jpg")
    scene.scan()
    seen.append(artist_named(scene))
    scene.picture("Rosa/artist.jpg", (300, 300))
    scene.scan()
    seen.append(artist_named(scene))
    (scene.root / "Rosa/artist.jpg").unlink()
    scene.scan()
    seen.append(artist_named(scene))
    assert [one.art is not None for one in seen] == [False, True, True, False]
    assert len({one.art.art_id for one in seen if one.art is not None}) == 2
    numbers = [one.update_id for one in seen]
    assert numbers == sorted(set(numbers))
    assert scene.changes[-1].containers[seen[-1].object_id] == numbers[-1]


def test_an_artist_whose_folder_goes_or_is_called_otherwise_counts_as_changed(
    scene: Shown,
) -> None:
    (scene.root / "Songs").mkdir()
    sound(scene.root / "Songs/one.mp3", metadata={"artist": "Rosa"})
    scene.picture("Rosa/artist.jpg")
    scene.sound("Rosa/Album/one.wav")
    scene.scan()
    before = artist_named(scene, "Rosa")
    assert before.art is not None
    (scene.root / "Rosa").rename(scene.root / "Ross")
    scene.scan()
    after = artist_named(scene, "Rosa")
    assert after.art is None
    assert after.update_id > before.update_id
