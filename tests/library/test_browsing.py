"""Browse on an index (CDS:1 §2.7.4; content-directory.md 4, 6, 8 and 15)."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mediaserver.library.browsing.browser import MAX_PAGE, SORT_CAPABILITIES, Browser
from mediaserver.library.criteria import SortKey
from mediaserver.library.database import driver_of
from mediaserver.library.errors import NoSuchObject, NotAContainer, UnsupportedSort
from mediaserver.library.indexer import ArtFile, Sidecars, SubtitleFile
from mediaserver.library.object_ids import folder_id, parse
from mediaserver.library.objects import Container, EmbeddedArt, Item, Kind, Object, Subtitle
from mediaserver.library.views import DEFAULT_VIEWS
from tests.factories import (
    SAMPLE,
    FilledLibrary,
    container_of,
    item_of,
    titles,
    walk,
)

SECOND_ROOT = {
    "Radio/News.mp3": {"artists": ("Björk",), "album": "Debut"},
    "Loose.mp3": {},
}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[FilledLibrary]:
    filled = FilledLibrary(tmp_path / "index.sqlite")
    filled.add(SAMPLE)
    yield filled
    filled.close()


@pytest.fixture
def two_roots(library: FilledLibrary) -> FilledLibrary:
    library.add(SECOND_ROOT, root="/more")
    return library


@pytest.fixture(params=["one root", "two roots"])
def tree(request: pytest.FixtureRequest, library: FilledLibrary) -> FilledLibrary:
    if request.param == "two roots":
        library.add(SECOND_ROOT, root="/more")
    return library


def containers(library: FilledLibrary) -> list[Container]:
    root = container_of(library.metadata("0").objects[0])
    return [root, *(found for found in walk(library) if isinstance(found, Container))]


# ---- what the Device Validator asks of every tree (content-directory.md 15)


def test_ids_are_unique_over_the_tree(tree: FilledLibrary) -> None:
    counts = Counter(found.object_id for found in walk(tree))
    assert [object_id for object_id, count in counts.items() if count > 1] == []


def test_ids_are_short_and_of_few_characters(tree: FilledLibrary) -> None:
    assert [
        found.object_id
        for found in walk(tree)
        if not re.fullmatch(r"[0-9a-z]{1,32}", found.object_id)
    ] == []


def test_child_count_is_total_matches_is_the_number_of_children(tree: FilledLibrary) -> None:
    for container in containers(tree):
        page = tree.children(container.object_id)
        assert container.child_count == page.total_matches == len(page.objects), container


def test_children_name_the_container_that_was_browsed(tree: FilledLibrary) -> None:
    for container in containers(tree):
        parents = {child.parent_id for child in tree.children(container.object_id).objects}
        assert parents <= {container.object_id}


def test_metadata_is_the_same_in_both_kinds_of_browse(tree: FilledLibrary) -> None:
    for found in walk(tree):
        page = tree.metadata(found.object_id)
        assert page.objects == [found]
        assert page.total_matches == 1


def test_the_update_id_of_metadata_is_that_of_the_children(tree: FilledLibrary) -> None:
    for container in containers(tree):
        update_id = tree.children(container.object_id).update_id
        assert tree.metadata(container.object_id).update_id == update_id
        assert container.update_id == update_id


def test_the_update_id_of_an_item_is_that_of_its_parent(tree: FilledLibrary) -> None:
    for found in walk(tree):
        if isinstance(found, Item):
            parent = tree.metadata(found.parent_id)
            assert tree.metadata(found.object_id).update_id == parent.update_id


def test_every_reference_names_an_item_at_home(tree: FilledLibrary) -> None:
    items = [found for found in walk(tree) if isinstance(found, Item)]
    home = {item.object_id: item for item in items if item.ref_id is None}
    references = [item for item in items if item.ref_id is not None]
    assert len(references) > len(home)
    for item in references:
        assert home[item.ref_id or item.object_id].key == item.key


def test_each_file_has_one_home(tree: FilledLibrary) -> None:
    keys = Counter(
        found.key for found in walk(tree) if isinstance(found, Item) and found.ref_id is None
    )
    assert set(keys.values()) == {1}
    assert len(keys) in (len(SAMPLE), len(SAMPLE) + len(SECOND_ROOT))


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_neither_repeat_nor_skip(tree: FilledLibrary, size: int) -> None:
    for container in containers(tree):
        whole = tree.children(container.object_id).objects
        pages: list[Object] = []
        for start in range(0, len(whole), size):
            page = tree.children(container.object_id, start, size)
            assert page.total_matches == len(whole)
            pages += page.objects
        assert pages == whole


def test_pages_are_the_same_in_whatever_order_they_are_asked_for(tree: FilledLibrary) -> None:
    whole = tree.children("vma").objects
    for start in (5, 1, 6, 0, 3, 2, 4, 1, 5):
        assert tree.children("vma", start, 2).objects == whole[start : start + 2]


@pytest.mark.parametrize("start", [11, 12, 4_294_967_295])
def test_a_page_beyond_the_end_is_empty_and_tells_the_total(
    library: FilledLibrary, start: int
) -> None:
    page = library.children("vma", start, 5)
    assert page.objects == []
    assert page.total_matches == 8


def test_a_page_over_the_end_holds_what_there_is(library: FilledLibrary) -> None:
    assert len(library.children("vma", 6, 4_294_967_295).objects) == 2


def test_no_page_is_longer_than_the_limit(library: FilledLibrary) -> None:
    library.add({f"Many/{number}.mp3": {} for number in range(MAX_PAGE + 1)})
    page = library.children("vma", 0, 0)
    assert len(page.objects) == MAX_PAGE
    assert page.total_matches == MAX_PAGE + 1 + 8


# ---- the tree


def test_the_root_holds_the_views_in_their_order(library: FilledLibrary) -> None:
    assert library.titles() == ["Music", "Video", "Pictures", "Folders"]


def test_the_root_has_the_parent_the_standard_gives_it(library: FilledLibrary) -> None:
    root = library.metadata("0").objects[0]
    assert (root.object_id, root.parent_id) == ("0", "-1")


def test_the_folders_of_the_only_media_root_stand_in_the_view_itself(
    library: FilledLibrary,
) -> None:
    expected = ["Beatles", "Björk", "Mixed", "100%_sure", "Nameless"]
    assert library.titles("Folders") == expected
    assert library.titles("Music", "Folders") == expected


def test_several_media_roots_stand_in_the_view_of_folders(two_roots: FilledLibrary) -> None:
    assert two_roots.titles("Folders") == ["Media", "More"]
    assert two_roots.titles("Folders", "More") == ["Radio", "Loose"]
    assert two_roots.titles("Music", "Folders", "More") == ["Radio", "Loose"]


def test_the_folder_of_the_only_media_root_is_the_view(library: FilledLibrary) -> None:
    key = library.read(
        lambda connection: (
            driver_of(connection)
            .execute("SELECT id FROM folders WHERE parent_id IS NULL")
            .fetchone()[0]
        )
    )
    assert library.metadata(folder_id(key)).objects == library.metadata("vfo").objects
    assert library.children(folder_id(key)) == library.children("vfo")


def test_an_item_has_its_rating_its_languages_and_what_stands_around_them(
    library: FilledLibrary,
) -> None:
    facts = {
        "description": "d",
        "rating": 80,
        "series": "S",
        "camera": "X100",
        "languages": ("de", "pt-BR"),
    }
    library.add({"Mixed/Spoken.mkv": facts})
    item = item_of(library.at("Folders", "Mixed", "Spoken"))
    assert {name: getattr(item, name) for name in facts} == facts
    assert item.span is None


def test_a_folder_holds_folders_then_items_by_title(library: FilledLibrary) -> None:
    library.add({"Mixed/Zebra/x.mp3": {}, "Mixed/apple/x.mp3": {}})
    expected = ["apple", "Zebra", "Beach", "Clip", "Notes", "Scan"]
    assert library.titles("Folders", "Mixed") == expected


def test_a_folder_in_the_view_of_a_kind_holds_that_kind_alone(library: FilledLibrary) -> None:
    assert library.titles("Pictures", "Folders", "Mixed") == ["Beach", "Scan"]
    assert library.titles("Video", "Folders", "Mixed") == ["Clip"]
    assert library.titles("Music", "Folders", "Mixed") == ["Notes"]


def test_folders_without_items_of_the_kind_are_not_listed(library: FilledLibrary) -> None:
    assert library.titles("Pictures", "Folders") == ["Mixed"]


def test_folders_without_any_items_are_not_listed(library: FilledLibrary) -> None:
    library.remove("Beatles/Help!/Yesterday.flac")
    library.remove("Beatles/Help!/The Night Before.flac")
    assert "Beatles" not in library.titles("Folders")


def test_artists_hold_their_albums(library: FilledLibrary) -> None:
    assert library.titles("Music", "Artists") == [
        "The Beatles",
        "Björk",
        "David Arnold",
        'The "Quoted"',
        "Zoë",
        "Unknown artist",
    ]
    assert library.titles("Music", "Artists", "David Arnold") == ["Debut"]


def test_an_album_below_an_artist_holds_his_tracks_alone(library: FilledLibrary) -> None:
    assert library.titles("Music", "Artists", "David Arnold", "Debut") == ["Play Dead"]


def test_an_album_is_in_the_order_of_discs_and_tracks(library: FilledLibrary) -> None:
    assert library.titles("Music", "Albums", "Debut") == ["Human Behaviour", "Crying", "Play Dead"]
    assert library.titles("Music", "Albums", "Help!") == ["Yesterday", "The Night Before"]


def test_the_third_level_holds_what_has_all_three_values(library: FilledLibrary) -> None:
    assert library.titles("Music", "Genres", "Electronic") == ["Björk"]
    assert library.titles("Music", "Genres", "Electronic", "Björk", "Debut") == ["Human Behaviour"]
    assert library.titles("Music", "Genres", "Soundtrack") == ["Björk", "David Arnold"]


def test_values_that_never_meet_in_one_item_are_not_below_each_other(
    library: FilledLibrary,
) -> None:
    # Both genres have the artist, and the artist both albums, but no track has all three.
    library.add(
        {
            "a.mp3": {"artists": ("X",), "genres": ("G",), "album": "One"},
            "b.mp3": {"artists": ("X",), "genres": ("H",), "album": "Two"},
            "c.mp3": {"artists": ("Y",), "genres": ("G",), "album": "Two"},
        }
    )
    assert library.titles("Music", "Genres", "G", "X") == ["One"]


def test_months_stand_below_their_year_in_order(library: FilledLibrary) -> None:
    library.add({"a.jpg": {"date": "2004-12-24"}, "b.jpg": {"date": "2004-02-01"}})
    assert library.titles("Pictures", "Date taken", "2004") == [
        "February 2004",
        "May 2004",
        "December 2004",
        "2004, month unknown",
    ]


def test_recently_added_holds_the_newest_first_and_no_more_than_it_may(tmp_path: Path) -> None:
    views = tuple(
        view if view.limit is None else type(view)(**{**_fields(view), "limit": 2})
        for view in DEFAULT_VIEWS
    )
    library = FilledLibrary(tmp_path / "index.sqlite", views)
    for number in range(3):
        library.now += 60
        library.add({f"{number}.mp3": {}})
    assert library.titles("Music", "Recently added") == ["2", "1"]
    assert container_of(library.at("Music", "Recently added")).child_count == 2
    library.close()


def _fields(view: object) -> dict[str, Any]:
    return {name: getattr(view, name) for name in type(view).__slots__}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "upnp_class"),
    [
        # CDS:1 Appendix C; didl-lite.md on classes.
        (("Music",), "object.container"),
        (("Music", "Albums"), "object.container"),
        (("Music", "Artists", "Björk"), "object.container.person.musicArtist"),
        (("Music", "Album artists", "Björk"), "object.container.person.musicArtist"),
        (("Music", "Albums", "Debut"), "object.container.album.musicAlbum"),
        (("Music", "Artists", "Björk", "Debut"), "object.container.album.musicAlbum"),
        (("Music", "Genres", "Pop"), "object.container.genre.musicGenre"),
        (("Music", "Years", "1965"), "object.container"),
        (("Folders", "Mixed"), "object.container.storageFolder"),
        (("Folders", "Mixed", "Clip"), "object.item.videoItem"),
        (("Folders", "Mixed", "Beach"), "object.item.imageItem.photo"),
        (("Folders", "Mixed", "Notes"), "object.item.audioItem.musicTrack"),
    ],
)
def test_objects_have_the_class_of_what_they_are(
    library: FilledLibrary, path: tuple[str, ...], upnp_class: str
) -> None:
    assert library.at(*path).upnp_class == upnp_class


def test_an_item_holds_what_is_known_of_its_file(library: FilledLibrary) -> None:
    item = item_of(library.at("Folders", "Björk", "Debut", "Play Dead"))
    assert item.file_name == "03 Play Dead.mp3"
    assert (item.title, item.album, item.track, item.disc) == ("Play Dead", "Debut", 1, 2)
    assert item.artists == ("Björk", "David Arnold")
    assert item.genres == ("Soundtrack",)
    assert (item.mime_type, item.date, item.duration_ms) == ("audio/mpeg", "1993-07-05", None)
    assert (item.size, item.modified) == (1000, 1_700_000_000)


def test_items_are_equal_hashable_and_frozen_as_others_are(library: FilledLibrary) -> None:
    item = item_of(library.at("Music", "All music", "Crying"))
    again = Item(**{name: getattr(item, name) for name in Item.__slots__})
    assert item == again
    assert hash(item) == hash(again)
    with pytest.raises(AttributeError):
        item.title = "Laughing"  # type: ignore[misc]


def test_art_comes_with_items_and_their_albums(library: FilledLibrary) -> None:
    cover = EmbeddedArt("image/png", 500, 400, b"c" * 16)
    library.add({"Cover/a.mp3": {"album": "Cover", "art": cover}})
    item = item_of(library.at("Folders", "Cover", "a"))
    assert item.art is not None
    assert (item.art.mime_type, item.art.width, item.art.height) == ("image/png", 500, 400)
    assert container_of(library.at("Music", "Albums", "Cover")).art == item.art


def test_a_picture_of_an_artist_stands_for_the_artist(library: FilledLibrary) -> None:
    """In whatever letter case the folder is called; nothing else has that art."""
    library.add({"BJÖRK/a.mp3": {"artists": ("Björk",), "fingerprint": b"y" * 16}})
    picture = ArtFile(b"artist.jpg", "image/jpeg", 300, 200, 5)
    library.set_sidecars("BJÖRK", Sidecars(artist=picture))
    for view in ("Artists", "Album artists"):
        artist = container_of(library.at("Music", view, "Björk"))
        assert artist.art is not None
        assert (artist.art.width, artist.art.height) == (300, 200)
    assert container_of(library.at("Music", "Artists", "The Beatles")).art is None
    assert container_of(library.at("Folders", "BJÖRK")).art is None


def test_a_picture_of_an_artist_in_a_root_that_is_away_gives_way_to_another_or_none(
    library: FilledLibrary,
) -> None:
    library.add({"Björk/c.mp3": {"artists": ("Björk",), "fingerprint": b"y" * 16}}, root="/more")
    pictures = {"/media": 300, "/more": 200}
    for root, width in pictures.items():
        picture = ArtFile(b"artist.jpg", "image/jpeg", width, width, 5)
        library.set_sidecars("Björk", Sidecars(artist=picture), root=root)
    seen = {}
    for away in ("/media", "/more"):
        library.set_available(available=False, root=away)
        artist = container_of(library.at("Music", "Artists", "Björk"))
        assert artist.art is not None
        seen[away] = artist.art.width
        assert artist.update_id == library.changes[-1].system_update_id
        library.set_available(available=True, root=away)
    assert seen == {"/media": 200, "/more": 300}


def test_a_picture_of_a_single_file_is_its_own(library: FilledLibrary) -> None:
    """Whether the file or its picture was known first."""
    library.add({"F/a.mkv": {"kind": Kind.VIDEO, "fingerprint": b"1" * 16}})
    art = ArtFile(b"a.jpg", "image/jpeg", 300, 200, 5), ArtFile(b"b.jpg", "image/jpeg", 30, 20, 5)
    library.set_sidecars("F", Sidecars(art=((b"a.mkv", art[0]), (b"b.mkv", art[1]))))
    library.add({"F/b.mkv": {"kind": Kind.VIDEO, "fingerprint": b"2" * 16}})
    page = library.children(library.at("Folders", "F").object_id)
    found = [item_of(each).art for each in page.objects]
    assert [each and each.width for each in found] == [300, 30]


def test_a_video_comes_with_its_subtitles(library: FilledLibrary) -> None:
    library.add(
        {
            "F/a.mkv": {"kind": Kind.VIDEO, "fingerprint": b"1" * 16},
            "F/b.mkv": {"kind": Kind.VIDEO, "fingerprint": b"2" * 16},
        }
    )
    files = (
        SubtitleFile(b"a.mkv", b"a.srt", "", "srt", ""),
        SubtitleFile(b"a.mkv", b"Subs/a.pt-BR.ass", "pt-BR", "ssa", "forced"),
    )
    library.set_sidecars("F", Sidecars(subtitles=files))
    with_some, without = library.children(library.at("Folders", "F").object_id).objects
    assert item_of(with_some).subtitles == (
        Subtitle(files[0].number, "srt", None, None),
        Subtitle(files[1].number, "ssa", "pt-BR", "forced"),
    )
    assert item_of(without).subtitles == ()


def test_an_album_tells_its_artists_genres_and_date(library: FilledLibrary) -> None:
    album = container_of(library.at("Music", "Albums", "Help!"))
    assert (album.artists, album.genres, album.date) == (("The Beatles",), ("Pop",), "1965")


def test_a_name_that_is_not_unicode_is_made_valid(library: FilledLibrary) -> None:
    library.add({"b\udcffd.mp3": {"title": "Bad", "fingerprint": b"x" * 16}})
    assert item_of(library.at("Folders", "Bad")).file_name == "b\ufffdd.mp3"


# ---- what cannot be asked


@pytest.mark.parametrize(
    "object_id",
    [
        "",
        "-1",
        "1",
        "A",
        "00",
        "f0000000000",
        "i0000000000",
        "vzz",
        "vmr000000",
        "vml000000i0000000000",
        "vma000000",
        "vmaf0000000000",
        "vmff0000000000",
        "vfof0000000000",
        "0' OR '1'='1",
        "i000000000\u0660",
        "x" * 1000,
    ],
)
def test_what_is_not_there_is_no_such_object(library: FilledLibrary, object_id: str) -> None:
    with pytest.raises(NoSuchObject):
        library.metadata(object_id)
    with pytest.raises(NoSuchObject):
        library.children(object_id)


def test_an_item_is_not_to_be_found_where_it_is_not_listed(library: FilledLibrary) -> None:
    item = item_of(library.at("Folders", "Björk", "Debut", "Crying"))
    assert item.object_id.startswith("i")
    elsewhere = [
        *(container.object_id for container in containers(library)),
    ]
    listed = {
        found.object_id
        for found in walk(library)
        if isinstance(found, Item) and found.key == item.key
    }
    tried = 0
    for container in elsewhere:
        reference = f"{container}{item.object_id}"
        if reference not in listed and parse(reference) is not None:
            tried += 1
            with pytest.raises(NoSuchObject):
                library.metadata(reference)
    assert tried > 10


def test_a_value_is_not_to_be_found_below_one_it_does_not_occur_with(
    library: FilledLibrary,
) -> None:
    artist = library.at("Music", "Artists", "Zoë").object_id
    album = library.at("Music", "Albums", "Debut").object_id.removeprefix("vml")
    with pytest.raises(NoSuchObject):
        library.metadata(artist + album)


def test_an_item_has_no_children(library: FilledLibrary) -> None:
    for path in (("Folders", "Nameless"), ("Music", "All music", "Nameless")):
        with pytest.raises(NotAContainer):
            library.children(library.at(*path).object_id)


def test_views_without_a_home_for_items_are_refused() -> None:
    with pytest.raises(ValueError, match="home"):
        Browser([view for view in DEFAULT_VIEWS if view.code != "fo"])


# ---- media roots that are away


def test_what_is_in_a_media_root_that_is_away_is_not_to_be_seen(two_roots: FilledLibrary) -> None:
    item = item_of(two_roots.at("Folders", "More", "Radio", "News"))
    two_roots.set_available(available=False, root="/more")
    seen = walk(two_roots)
    assert item.key not in {found.key for found in seen if isinstance(found, Item)}
    assert two_roots.titles("Folders") == ["Media"]
    with pytest.raises(NoSuchObject):
        two_roots.metadata(item.object_id)
    two_roots.set_available(available=True, root="/more")
    assert two_roots.metadata(item.object_id).objects == [item]


def test_the_only_media_root_being_away_leaves_an_empty_tree(library: FilledLibrary) -> None:
    library.set_available(available=False)
    assert [found for found in walk(library) if isinstance(found, Item)] == []
    assert library.titles("Folders") == []
    for container in containers(library):
        page = library.children(container.object_id)
        assert container.child_count == page.total_matches == len(page.objects), container


# ---- order


def _numbers(item: Object) -> tuple[Any, ...]:
    return (getattr(item, "disc", None), getattr(item, "track", None))


VALUES: dict[str, Callable[[Any], Any]] = {
    "dc:date": lambda found: found.date,
    "upnp:class": lambda found: found.upnp_class,
    "upnp:album": lambda found: _plain(getattr(found, "album", None)),
    "upnp:genre": lambda found: _plain(*found.genres[:1]),
    "res@duration": lambda found: getattr(found, "duration_ms", None),
    "res@size": lambda found: getattr(found, "size", None),
}
"""What a property is in an object, as far as Python can compare it."""


def _plain(text: str | None = None) -> str | None:
    return None if text is None else text.casefold()


def test_every_list_can_be_ordered_by_every_property(tree: FilledLibrary) -> None:
    for container in containers(tree):
        whole = tree.children(container.object_id).objects
        for name in SORT_CAPABILITIES:
            for ascending in (True, False):
                sort = (SortKey(name, ascending),)
                page = tree.children(container.object_id, sort=sort)
                assert len(page.objects) == page.total_matches
                assert {found.object_id for found in page.objects} == {
                    found.object_id for found in whole
                }


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("ascending", [True, False])
def test_missing_values_come_first_then_the_order_of_values(
    tree: FilledLibrary, name: str, ascending: bool
) -> None:
    """content-directory.md 6: missing before present when ascending, numbers as numbers."""
    tree.add({"Mixed/Big.mp3": {"duration_ms": 9}}, size=70_000)
    for container in containers(tree):
        page = tree.children(container.object_id, sort=(SortKey(name, ascending),))
        values = [VALUES[name](found) if hasattr(found, "date") else None for found in page.objects]
        present = [value for value in values if value is not None]
        missing: list[Any] = [None] * (len(values) - len(present))
        ordered = sorted(present, reverse=not ascending)
        assert values == (missing + ordered if ascending else ordered + missing)


def test_track_numbers_are_ordered_as_numbers_disc_by_disc(library: FilledLibrary) -> None:
    library.add({"10.mp3": {"track": 10, "disc": 1}, "9.mp3": {"track": 9, "disc": 1}})
    page = library.children("vma", sort=(SortKey("upnp:originalTrackNumber"),))
    numbers = [_numbers(found) for found in page.objects]
    assert numbers == sorted(numbers, key=lambda pair: [-1 if n is None else n for n in pair])
    assert numbers.index((1, 9)) < numbers.index((1, 10)) < numbers.index((2, 1))


def test_titles_are_ordered_without_case_accents_and_articles(library: FilledLibrary) -> None:
    page = library.children("vmr", sort=(SortKey("dc:title", ascending=False),))
    assert titles(page) == [
        "Unknown artist",
        "Zoë",
        'The "Quoted"',
        "David Arnold",
        "Björk",
        "The Beatles",
    ]


def test_what_has_the_same_title_is_ordered_by_what_else_was_asked_for(
    library: FilledLibrary,
) -> None:
    """CDS:1 §2.5.8: the first property counts most, not alone."""
    library.add({f"Many/{n}.mp3": {"title": "Intro", "date": f"{1990 + n}"} for n in range(9)})
    sort = [SortKey("dc:title"), SortKey("dc:date", ascending=False)]
    found = library.children("vma", sort=sort).objects
    dates = [hit.date for hit in found if isinstance(hit, Item) and hit.title == "Intro"]
    assert dates == [f"{year}" for year in range(1998, 1989, -1)]


def test_an_album_can_be_ordered_by_title(library: FilledLibrary) -> None:
    album = library.at("Music", "Albums", "Debut").object_id
    ascending = library.children(album, sort=(SortKey("dc:title"),))
    assert titles(ascending) == ["Crying", "Human Behaviour", "Play Dead"]
    descending = library.children(album, sort=(SortKey("dc:title", ascending=False),))
    assert titles(descending) == ["Play Dead", "Human Behaviour", "Crying"]


RECORD = {
    "New/1 Zebra.mp3": {"title": "Zebra"},
    "New/02 - Apple.mp3": {"title": "Apple"},
    "New/10. Mango.mp3": {"title": "Mango"},
}


def test_music_in_a_folder_stands_in_the_order_of_its_files(library: FilledLibrary) -> None:
    """peers.md 2, 17: an album that is played from its folder is not in alphabetical order."""
    library.add(RECORD)
    assert library.titles("Folders", "New") == ["Zebra", "Apple", "Mango"]
    assert library.titles("Music", "Folders", "New") == ["Zebra", "Apple", "Mango"]


@pytest.mark.parametrize("ascending", [True, False])
def test_music_in_a_folder_can_be_ordered_by_title(library: FilledLibrary, ascending: bool) -> None:
    library.add(RECORD)
    folder = library.at("Folders", "New").object_id
    page = library.children(folder, sort=(SortKey("dc:title", ascending),))
    assert titles(page) == sorted(["Apple", "Mango", "Zebra"], reverse=not ascending)


def test_pictures_in_a_folder_stand_in_the_order_of_titles(library: FilledLibrary) -> None:
    library.add({"New/2.jpg": {"title": "Apple"}, "New/1.jpg": {"title": "Zebra"}})
    assert library.titles("Pictures", "Folders", "New") == ["Apple", "Zebra"]


def test_class_and_title_bring_folders_to_the_front(library: FilledLibrary) -> None:
    """gupnp-av-cp sends +upnp:class,+dc:title for every container."""
    sort = (SortKey("upnp:class"), SortKey("dc:title"))
    assert library.children("vfo", sort=sort).objects == library.children("vfo").objects


def test_folders_and_items_are_ordered_together_when_asked_for(library: FilledLibrary) -> None:
    page = library.children("vfo", sort=(SortKey("dc:title"),))
    assert titles(page) == ["100%_sure", "Beatles", "Björk", "Mixed", "Nameless"]


def test_albums_are_ordered_by_their_artists_without_case_and_accents(tmp_path: Path) -> None:
    filled = FilledLibrary(tmp_path / "albums.sqlite")
    for number, artist in enumerate(("Zoë", "émile", "Frank", "adam")):
        filled.add({f"{number}/a.mp3": {"album": f"of {artist}", "album_artists": (artist,)}})
    page = filled.children("vml", sort=(SortKey("upnp:artist"),))
    assert titles(page) == ["of adam", "of émile", "of Frank", "of Zoë"]
    filled.close()


@pytest.mark.parametrize("name", SORT_CAPABILITIES)
@pytest.mark.parametrize("ascending", [True, False])
def test_sorted_pages_neither_repeat_nor_skip(
    library: FilledLibrary, name: str, ascending: bool
) -> None:
    sort = (SortKey(name, ascending),)
    for container in ("vfo", "vma", "vml", "vmn", "vmu"):
        whole = library.children(container, sort=sort).objects
        pages = [
            found
            for start in range(0, len(whole), 3)
            for found in library.children(container, start, 3, sort).objects
        ]
        assert pages == whole


@pytest.mark.parametrize("name", ["upnp:nothing", "dc:title; DROP TABLE items", "i.id", ""])
def test_an_unknown_property_is_refused_as_order(library: FilledLibrary, name: str) -> None:
    for container in ("0", "vma", "vfo", "vml"):
        with pytest.raises(UnsupportedSort):
            library.children(container, sort=(SortKey(name),))


# ---- update ids (content-directory.md 8)


def test_the_root_has_the_system_update_id(library: FilledLibrary) -> None:
    library.add({"new.mp3": {}})
    assert library.metadata("0").update_id == library.indexer.system_update_id


def test_a_change_is_seen_in_its_containers_and_in_no_others(library: FilledLibrary) -> None:
    watched = {
        path: library.at(*path).object_id
        for path in (
            ("Music",),
            ("Music", "All music"),
            ("Music", "Albums", "Debut"),
            ("Music", "Artists", "Björk", "Debut"),
            ("Folders", "Björk", "Debut"),
            ("Music", "Albums", "Help!"),
            ("Music", "Artists", "The Beatles"),
            ("Folders", "Beatles", "Help!"),
            ("Pictures", "All pictures"),
            ("Video",),
        )
    }
    before = {path: library.metadata(watched[path]).update_id for path in watched}
    library.add(
        {"Björk/Debut/04 New.mp3": {"artists": ("Björk",), "album": "Debut", "genres": ("Pop",)}}
    )
    changed = {
        path for path in watched if library.metadata(watched[path]).update_id != before[path]
    }
    assert changed == {path for path in watched if "Björk" in path or "Debut" in path} | {
        ("Music",),
        ("Music", "All music"),
    }


def test_what_a_change_tells_of_containers_is_what_browsing_them_gives(
    two_roots: FilledLibrary,
) -> None:
    two_roots.add({"Mixed/More.jpg": {"date": "2004-05-01", "camera": "X100"}})
    told = two_roots.changes[-1].containers
    assert len(told) > 5
    for object_id, update_id in told.items():
        assert two_roots.metadata(object_id).update_id == update_id


def test_lists_are_not_remembered_beyond_a_change(library: FilledLibrary) -> None:
    sort = (SortKey("dc:date"),)
    for arguments in (("vma", 0, 0, sort), ("vml", 0, 0, ()), ("vmn", 0, 0, ())):
        before = library.children(*arguments)
        library.add({f"{arguments[0]}.mp3": {"album": f"new {arguments[0]}"}})
        after = library.children(*arguments)
        assert after.total_matches == before.total_matches + 1 == len(after.objects)


# ---- cost: every list is read from an index


def _plans(library: FilledLibrary, question: Callable[[FilledLibrary], object]) -> list[str]:
    """How SQLite answers each statement of a question, one step a line."""
    statements: list[str] = []

    def trace(connection: Any) -> None:
        driver_of(connection).set_trace_callback(statements.append)

    library.read(trace)
    question(library)
    library.read(lambda connection: driver_of(connection).set_trace_callback(None))
    return [
        row[3]
        for statement in statements
        if statement.startswith("SELECT")
        for row in library.read(
            lambda connection, statement=statement: (
                driver_of(connection)  # type: ignore[misc]
                .execute(f"EXPLAIN QUERY PLAN {statement}")
                .fetchall()
            )
        )
    ]


LARGE_TABLES = re.compile(
    r"SCAN (i|f|v|x|p|items|folders|facets|item_facets|facet_pairs)\b(?! USING COVERING)"
)


@pytest.mark.parametrize(
    "path",
    [
        ("Music", "All music"),
        ("Music", "Artists"),
        ("Music", "Artists", "Björk"),
        ("Music", "Artists", "Björk", "Debut"),
        ("Music", "Albums", "Debut"),
        ("Music", "Genres", "Pop"),
        ("Music", "Genres", "Pop", "Björk"),
        ("Music", "Genres", "Pop", "Björk", "Debut"),
        ("Folders", "Mixed"),
        ("Pictures", "Folders", "Mixed"),
        ("Pictures", "Date taken", "2004"),
    ],
)
def test_no_list_reads_a_table_from_end_to_end_or_sorts(
    library: FilledLibrary, path: tuple[str, ...]
) -> None:
    object_id = library.at(*path).object_id
    for start in (0, 1):
        plans = _plans(library, lambda library, start=start: library.children(object_id, start, 1))  # type: ignore[misc]
        assert plans
        assert [step for step in plans if LARGE_TABLES.match(step)] == []
        assert [step for step in plans if "TEMP B-TREE" in step] == []


@pytest.mark.parametrize("path", [("Folders", "Mixed", "Clip"), ("Music", "All music", "Crying")])
def test_no_metadata_reads_a_table_from_end_to_end(
    library: FilledLibrary, path: tuple[str, ...]
) -> None:
    object_id = library.at(*path).object_id
    plans = _plans(library, lambda library: library.metadata(object_id))
    assert plans
    assert [step for step in plans if LARGE_TABLES.match(step)] == []
