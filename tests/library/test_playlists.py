"""Playlists in the index: what they show, and how they follow the library."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from mediaserver.library.browsing.browser import Browser
from mediaserver.library.criteria import (
    And,
    Compare,
    Criteria,
    Everything,
    Exists,
    Operator,
    SortKey,
)
from mediaserver.library.database import driver_of
from mediaserver.library.errors import NoSuchObject, NotAContainer
from mediaserver.library.objects import (
    Change,
    Container,
    EmbeddedArt,
    Item,
    Object,
    PlaylistEntry,
    PlaylistFacts,
    Station,
)
from tests.factories import SAMPLE, FilledLibrary, container_of, titles, walk
from tests.library.index_check import problems

PLAYLIST = "object.container.playlistContainer"
STATION = "object.item.audioItem.audioBroadcast"

SUNDAY = (
    "../Björk/Debut/02 Crying.mp3",
    "../Nameless.mp3",
    "../Björk/Debut/02 Crying.mp3",
    "http://radio.example/live",
    "../gone.mp3",
    "../Mixed/Clip.mp4",
    "../Björk/Debut/02 Crying.mp3",
    "http://radio.example/live",
)
MUSIC = ("Music", "Playlists")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[FilledLibrary]:
    filled = FilledLibrary(tmp_path / "index.sqlite")
    filled.add(SAMPLE)
    filled.add_playlist("Lists/Sunday.m3u", *SUNDAY, title="On Sunday")
    filled.add_playlist("Mixed/films.m3u", "Clip.mp4")
    yield filled
    with filled.database.begin() as connection:
        assert problems(driver_of(connection)) == []
    filled.close()


def said_of(change: Change, found: Object) -> int:
    return change.containers[found.object_id]


# ---- what is to be seen


def test_a_playlist_stands_in_its_folder_between_folders_and_items(library: FilledLibrary) -> None:
    library.add({"Mixed/Zebra/x.mp3": {}})
    assert library.titles("Folders", "Mixed") == [
        *("Zebra", "films", "Beach", "Clip", "Notes", "Scan")
    ]
    assert library.titles("Folders", "Lists") == ["On Sunday"]


def test_playlists_with_sound_stand_in_the_view_of_music(library: FilledLibrary) -> None:
    library.add_playlist("another.pls", "Nameless.mp3")
    assert library.titles(*MUSIC) == ["another", "On Sunday"]


def test_a_playlist_is_a_playlist_container(library: FilledLibrary) -> None:
    """CDS:1 Appendix C; didl-lite.md 2."""
    for path in (("Folders", "Lists", "On Sunday"), (*MUSIC, "On Sunday")):
        found = container_of(library.at(*path))
        assert found.upnp_class == PLAYLIST
        assert found.child_count == 5


def test_entries_are_in_the_order_of_the_file_as_often_as_it_has_them(
    library: FilledLibrary,
) -> None:
    expected = ["Crying", "Nameless", "Crying", "Clip", "Crying"]
    assert library.titles("Folders", "Lists", "On Sunday") == expected
    assert library.titles(*MUSIC, "On Sunday") == expected


def test_an_entry_is_a_reference_to_the_item_at_home(library: FilledLibrary) -> None:
    home = library.at("Folders", "Björk", "Debut", "Crying")
    for path in (("Folders", "Lists", "On Sunday"), (*MUSIC, "On Sunday")):
        playlist = library.at(*path)
        entries = library.children(playlist.object_id).objects
        assert isinstance(entries[0], Item)
        assert entries[0].ref_id == home.object_id
        assert {entry.parent_id for entry in entries} == {playlist.object_id}


def test_a_folder_with_playlists_alone_is_shown(library: FilledLibrary) -> None:
    assert "Lists" in library.titles("Folders")
    assert "Lists" not in library.titles("Music", "Folders")
    library.remove_playlist("Lists/Sunday.m3u")
    assert "Lists" not in library.titles("Folders")


def test_a_playlist_without_anything_to_play_is_not_shown(library: FilledLibrary) -> None:
    library.add_playlist("empty.m3u", "nothing.mp3", "http://radio.example/", "/etc/passwd")
    assert "empty" not in library.titles("Folders")
    assert "empty" not in library.titles(*MUSIC)


def test_a_playlist_has_the_picture_of_its_first_entry_that_has_one(library: FilledLibrary) -> None:
    library.add({"art.mp3": {"art": EmbeddedArt("image/jpeg", 600, 600, b"c" * 16)}})
    library.add_playlist("With art.m3u", "Nameless.mp3", "art.mp3")
    song = library.at("Folders", "art")
    assert isinstance(song, Item)
    assert song.art is not None
    assert container_of(library.at(*MUSIC, "With art")).art == song.art
    assert container_of(library.at(*MUSIC, "On Sunday")).art is None


def test_a_playlist_is_called_by_its_file_if_it_has_no_title(library: FilledLibrary) -> None:
    library.add_playlist("My list.m3u8", "Nameless.mp3")
    assert "My list" in library.titles(*MUSIC)


# ---- what the Device Validator asks of every tree (content-directory.md 15)


def containers(library: FilledLibrary) -> list[Container]:
    root = container_of(library.metadata("0").objects[0])
    return [root, *(found for found in walk(library) if isinstance(found, Container))]


@pytest.fixture(params=["one root", "two roots", "with radio"])
def tree(request: pytest.FixtureRequest, library: FilledLibrary) -> FilledLibrary:
    if request.param == "two roots":
        library.add({"a.mp3": {}}, root="/more")
        library.add_playlist("both.m3u", "a.mp3", "/media/Nameless.mp3", root="/more")
    elif request.param == "with radio":
        library.allow_internet_radio()
    return library


def test_ids_are_unique_short_and_of_few_characters(tree: FilledLibrary) -> None:
    counts = Counter(found.object_id for found in walk(tree))
    assert [object_id for object_id, count in counts.items() if count > 1] == []
    assert [found for found in counts if not re.fullmatch(r"[0-9a-z]{1,32}", found)] == []


def test_child_count_is_total_matches_is_the_number_of_children(tree: FilledLibrary) -> None:
    for container in containers(tree):
        page = tree.children(container.object_id)
        assert container.child_count == page.total_matches == len(page.objects), container
        assert {child.parent_id for child in page.objects} <= {container.object_id}


def test_metadata_is_the_same_in_both_kinds_of_browse(tree: FilledLibrary) -> None:
    for found in walk(tree):
        page = tree.metadata(found.object_id)
        assert page.objects == [found]
        assert page.update_id == tree.metadata(found.parent_id).update_id or isinstance(
            found, Container
        )
        if isinstance(found, Container):
            assert page.update_id == tree.children(found.object_id).update_id == found.update_id


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_neither_repeat_nor_skip(tree: FilledLibrary, size: int) -> None:
    for container in containers(tree):
        whole = tree.children(container.object_id).objects
        pages: list[Object] = []
        for start in range(0, len(whole), size):
            pages += tree.children(container.object_id, start, size).objects
        assert pages == whole


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
        lambda text: text + "n001" if "n" not in text[1:] else text[:-4],
        lambda text: "vma" + text,
        lambda text: "vxx" + text,
    ],
)
def test_ids_that_were_changed_name_nothing(
    library: FilledLibrary, change: Callable[[str], str]
) -> None:
    """security.md T4."""
    known = {found.object_id for found in walk(library)}
    playlist = library.at("Folders", "Lists", "On Sunday")
    for object_id in (
        playlist.object_id,
        library.children(playlist.object_id).objects[1].object_id,
    ):
        made = change(object_id)
        if made not in known:
            with pytest.raises(NoSuchObject):
                library.metadata(made)
            with pytest.raises(NoSuchObject):
                library.children(made)


def test_an_entry_has_no_children(library: FilledLibrary) -> None:
    library.allow_internet_radio()
    playlist = library.at("Folders", "Lists", "On Sunday")
    for entry in library.children(playlist.object_id).objects:
        with pytest.raises(NotAContainer):
            library.children(entry.object_id)


# ---- how entries name items


@pytest.mark.parametrize(
    "location",
    [
        "Björk/Debut/02 Crying.mp3",
        "./Beatles/../Björk//Debut/02 Crying.mp3",
        "/media/Björk/Debut/02 Crying.mp3",
        "file:///media/Bj%C3%B6rk/Debut/02%20Crying.mp3",
        "Bj%C3%B6rk/Debut/02%20Crying.mp3",
        "Björk\\Debut\\02 Crying.mp3",
        "BJÖRK/debut/02 CRYING.MP3",
        "Bjo\u0308rk/Debut/02 Crying.mp3",
    ],
)
def test_a_path_may_be_written_in_many_ways(library: FilledLibrary, location: str) -> None:
    library.add_playlist("x.m3u", location)
    assert library.titles(*MUSIC, "x") == ["Crying"]


def test_the_very_letters_count_before_others(library: FilledLibrary) -> None:
    library.add({"Mixed/notes.mp3": {"title": "small"}, "mixed/Notes.mp3": {"title": "other"}})
    library.add_playlist("x.m3u", "Mixed/Notes.mp3", "Mixed/notes.mp3", "mixed/Notes.mp3")
    assert library.titles(*MUSIC, "x") == ["Notes", "small", "other"]


@pytest.mark.parametrize(
    "location",
    [
        "/etc/passwd",
        "../../etc/passwd",
        "/media2/Nameless.mp3",
        "Mixed",
        "",
        ".",
        "Mixed/films.m3u",
        "C:\\Nameless.mp3",
        "file:///etc/passwd",
        "a/" * 2000,
    ],
)
def test_what_is_no_item_is_left_out(library: FilledLibrary, location: str) -> None:
    library.add_playlist("x.m3u", location, "Nameless.mp3")
    assert library.titles(*MUSIC, "x") == ["Nameless"]


def test_items_of_another_media_root_are_found(library: FilledLibrary) -> None:
    library.add({"a.mp3": {}}, root="/more")
    library.add_playlist("both.m3u", "a.mp3", "/media/Nameless.mp3", root="/more")
    assert library.titles(*MUSIC, "both") == ["a", "Nameless"]


# ---- how they follow the library


def test_an_entry_whose_file_comes_later_is_found_then(library: FilledLibrary) -> None:
    library.add({"gone.mp3": {}})
    assert library.titles(*MUSIC, "On Sunday") == [
        *("Crying", "Nameless", "Crying", "gone", "Clip", "Crying")
    ]
    playlist = library.at(*MUSIC, "On Sunday")
    home = library.at("Folders", "Lists", "On Sunday")
    change = library.changes[-1]
    assert said_of(change, playlist) == said_of(change, home) == change.system_update_id
    assert library.metadata(playlist.object_id).update_id == change.system_update_id


def test_a_playlist_appears_with_its_first_item(library: FilledLibrary) -> None:
    library.add_playlist("Later/later.m3u", "../Deep/er/LATER.mp3")
    assert "later" not in library.titles(*MUSIC)
    library.add({"deep/er/Later.mp3": {}})
    assert library.titles(*MUSIC) == ["later", "On Sunday"]
    view = library.at(*MUSIC)
    assert said_of(library.changes[-1], view) == library.metadata(view.object_id).update_id


def test_an_entry_goes_with_its_item(library: FilledLibrary) -> None:
    library.remove("Björk/Debut/02 Crying.mp3")
    assert library.titles(*MUSIC, "On Sunday") == ["Nameless", "Clip"]
    library.remove("Nameless.mp3")
    library.remove("Mixed/Clip.mp4")
    assert library.titles(*MUSIC) == []


def test_ids_of_entries_stay_when_others_come_and_go(library: FilledLibrary) -> None:
    def ids() -> list[str]:
        playlist = library.at(*MUSIC, "On Sunday")
        return [found.object_id for found in library.children(playlist.object_id).objects]

    before = ids()
    library.add({"gone.mp3": {}})
    assert [found for found in ids() if found in before] == before
    library.add_playlist("Lists/Sunday.m3u", "../100%_sure.mp3", *SUNDAY, title="On Sunday")
    assert [found for found in ids() if found in before] == before


def test_a_change_of_an_item_is_a_change_of_its_playlists(library: FilledLibrary) -> None:
    library.add({"Nameless.mp3": {"title": "Named"}})
    assert library.titles(*MUSIC, "On Sunday")[1] == "Named"
    playlist = library.at(*MUSIC, "On Sunday")
    assert library.metadata(playlist.object_id).update_id == library.changes[-1].system_update_id
    others = library.at("Folders", "Mixed", "films")
    assert others.object_id not in library.changes[-1].containers


def test_a_change_elsewhere_is_none_of_a_playlist(library: FilledLibrary) -> None:
    playlist = library.at(*MUSIC, "On Sunday")
    view = library.at(*MUSIC)
    library.add({"Nowhere/x.mp3": {}, "unlisted.mp3": {}})
    assert library.at(*MUSIC, "On Sunday") == playlist
    assert library.at(*MUSIC) == view
    assert not {playlist.object_id, view.object_id} & library.changes[-1].containers.keys()


def test_an_edited_playlist_has_other_entries_and_keeps_its_id(library: FilledLibrary) -> None:
    before = library.at(*MUSIC, "On Sunday")
    library.add_playlist("Lists/Sunday.m3u", "../Nameless.mp3", title="Renamed")
    after = library.at(*MUSIC, "Renamed")
    assert after.object_id == before.object_id
    assert library.titles(*MUSIC, "Renamed") == ["Nameless"]
    assert said_of(library.changes[-1], after) == library.metadata(after.object_id).update_id


def test_the_same_playlist_again_is_no_change(library: FilledLibrary) -> None:
    changes = len(library.changes)
    library.add_playlist("Lists/Sunday.m3u", *SUNDAY, title="On Sunday")
    assert len(library.changes) == changes


def test_a_playlist_that_is_gone_is_gone(library: FilledLibrary) -> None:
    object_id = library.at(*MUSIC, "On Sunday").object_id
    library.remove_playlist("Lists/Sunday.m3u")
    assert library.titles(*MUSIC) == []
    with pytest.raises(NoSuchObject):
        library.metadata(object_id)
    assert object_id not in library.changes[-1].containers


def test_ids_are_the_same_in_an_index_made_anew(library: FilledLibrary, tmp_path: Path) -> None:
    other = FilledLibrary(tmp_path / "other.sqlite")
    other.add_playlist("Mixed/films.m3u", "Clip.mp4")
    other.add_playlist("Lists/Sunday.m3u", *SUNDAY, title="On Sunday")
    other.add(SAMPLE)
    ids = [[found.object_id for found in walk(each)] for each in (library, other)]
    other.close()
    assert ids[0] == ids[1]


def test_a_root_that_is_not_there_takes_its_entries_with_it(library: FilledLibrary) -> None:
    library.add({"a.mp3": {}}, root="/more")
    library.add_playlist("both.m3u", "a.mp3", "/media/Nameless.mp3", root="/more")
    library.set_available(available=False)
    assert library.titles(*MUSIC) == ["both"]
    assert library.titles(*MUSIC, "both") == ["a"]
    library.set_available(available=True)
    assert library.titles(*MUSIC, "both") == ["a", "Nameless"]
    library.set_available(available=False, root="/more")
    assert library.titles(*MUSIC) == ["On Sunday"]


def test_an_entry_tells_why_there_is_nothing_as_roots_come_and_go(library: FilledLibrary) -> None:
    def reasons() -> list[str]:
        with library.database.begin() as connection:
            rows = driver_of(connection).execute(
                "SELECT entries.reason FROM playlist_entries AS entries JOIN playlists "
                "ON playlists.id = playlist_id WHERE name = ? AND NOT entries.shown",
                (b"x.m3u",),
            )
            return [reason for (reason,) in rows]

    library.add_playlist("x.m3u", "/more/a.mp3", "Nameless.mp3")
    assert reasons() == ["outside of the media roots"]
    library.add({"b.mp3": {}}, root="/more")
    assert reasons() == ["no such file in the library"]
    library.set_available(available=False, root="/more")
    assert reasons() == ["its media root is not available"]
    library.set_available(available=True, root="/more")
    assert reasons() == ["no such file in the library"]
    assert library.indexer.check() == {}


def test_a_folder_that_moves_takes_its_playlists_along(library: FilledLibrary) -> None:
    playlist = library.at("Folders", "Lists", "On Sunday")
    root_id = library.indexer.roots()[0].root_id
    folders = library.indexer.known_folders(root_id)
    with library.indexer.batch() as batch:
        batch.move_folder(folders[b"Lists"].key, root_id, b"Mixed/Lists", folders[b"Mixed"].key)
    # Its relative paths lead elsewhere now.
    assert "On Sunday" not in library.titles(*MUSIC)
    library.add({"Mixed/Nameless.mp3": {"title": "here"}})
    assert library.titles("Folders", "Mixed", "Lists", "On Sunday") == ["here"]
    assert library.at("Folders", "Mixed", "Lists", "On Sunday").object_id == playlist.object_id


def test_a_folder_of_items_that_moves_is_followed(library: FilledLibrary) -> None:
    root_id = library.indexer.roots()[0].root_id
    folders = library.indexer.known_folders(root_id)
    library.add_playlist("there.m3u", "Moved/Debut/02 Crying.mp3")
    with library.indexer.batch() as batch:
        batch.move_folder(folders["Björk".encode()].key, root_id, b"Moved", folders[b""].key)
    assert library.titles(*MUSIC, "there") == ["Crying"]
    assert library.titles(*MUSIC, "On Sunday") == ["Nameless", "Clip"]


def test_a_folder_that_is_gone_takes_its_playlists_with_it(library: FilledLibrary) -> None:
    root_id = library.indexer.roots()[0].root_id
    folders = library.indexer.known_folders(root_id)
    with library.indexer.batch() as batch:
        batch.remove_folder(folders[b"Lists"].key)
        batch.remove_folder(folders["Björk".encode()].key)
    assert library.titles(*MUSIC) == []


def test_a_playlist_that_moves_keeps_its_id(library: FilledLibrary) -> None:
    root_id = library.indexer.roots()[0].root_id
    folders = library.indexer.known_folders(root_id)
    before = library.at(*MUSIC, "On Sunday")
    [known] = library.indexer.known_playlists(folders[b"Lists"].key).values()
    facts = PlaylistFacts(entries=(PlaylistEntry("Clip.mp4"), PlaylistEntry("Notes.mp3")))
    with library.indexer.batch() as batch:
        batch.put_playlist(folders[b"Mixed"].key, b"Monday.m3u", known.status, facts, key=known.key)
    assert library.at(*MUSIC, "Monday").object_id == before.object_id
    assert library.titles("Folders", "Mixed", "Monday") == ["Clip", "Notes"]
    assert "Lists" not in library.titles("Folders")


# ---- internet radio (security.md M7)


def test_addresses_are_shown_only_if_the_owner_wants_it(library: FilledLibrary) -> None:
    before = library.titles(*MUSIC, "On Sunday")
    library.allow_internet_radio()
    shown = ["radio.example/live"]
    assert library.titles(*MUSIC, "On Sunday") == [*before[:3], *shown, *before[3:], *shown]
    library.allow_internet_radio(allowed=False)
    assert library.titles(*MUSIC, "On Sunday") == before


def test_a_station_is_a_broadcast_with_its_own_address(library: FilledLibrary) -> None:
    library.allow_internet_radio()
    home = library.children(library.at("Folders", "Lists", "On Sunday").object_id).objects[3]
    listed = library.children(library.at(*MUSIC, "On Sunday").object_id).objects[3]
    assert isinstance(home, Station)
    assert isinstance(listed, Station)
    assert home.ref_id is None
    assert listed.ref_id == home.object_id
    assert (home.upnp_class, home.mime_type) == (STATION, "audio/mpeg")
    assert home.url == "http://radio.example/live"


def test_a_playlist_of_stations_alone_is_music(library: FilledLibrary) -> None:
    library.allow_internet_radio()
    library.add_playlist("radio.pls", "http://radio.example/a", "https://radio.example/b.ogg")
    assert library.titles(*MUSIC, "radio") == ["radio.example/a", "radio.example/b.ogg"]


# ---- order


@pytest.mark.parametrize("ascending", [True, False])
def test_entries_can_be_ordered_by_title(library: FilledLibrary, ascending: bool) -> None:
    library.allow_internet_radio()
    playlist = library.at(*MUSIC, "On Sunday").object_id
    page = library.children(playlist, sort=(SortKey("dc:title", ascending),))
    expected = ["Clip", "Crying", "Crying", "Crying", "Nameless", *["radio.example/live"] * 2]
    assert titles(page) == (expected if ascending else expected[::-1])


# ---- search


def is_a(upnp_class: str) -> Criteria:
    return Compare("upnp:class", Operator.DERIVED_FROM, upnp_class)


def test_search_finds_playlists_at_home(library: FilledLibrary) -> None:
    home = [library.at("Folders", "Mixed", "films"), library.at("Folders", "Lists", "On Sunday")]
    assert library.search("0", is_a(PLAYLIST)).objects == home
    # As Windows Media Player asks (content-directory 9).
    asked = And((Compare("upnp:class", Operator.EQUAL, PLAYLIST), Exists("@refID", wanted=False)))
    assert library.search("0", asked).objects == home
    assert library.search(home[1].parent_id, is_a(PLAYLIST)).objects == home[1:]


def test_search_in_music_finds_playlists_as_they_are_listed_there(library: FilledLibrary) -> None:
    for container in ("vmu", "vmp"):
        assert library.search(container, is_a(PLAYLIST)).objects == [
            library.at(*MUSIC, "On Sunday")
        ]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (Compare("dc:title", Operator.CONTAINS, "sund"), ["On Sunday"]),
        (Compare("dc:title", Operator.EQUAL, "ON SUNDAY"), ["On Sunday"]),
        (Compare("dc:title", Operator.STARTS_WITH, "fi"), ["films"]),
        (Compare("dc:title", Operator.CONTAINS, "monday"), []),
        (Exists("upnp:artist", wanted=True), []),
    ],
)
def test_search_finds_playlists_by_title(
    library: FilledLibrary, criteria: Criteria, expected: list[str]
) -> None:
    assert titles(library.search("0", And((is_a(PLAYLIST), criteria)))) == expected


def test_search_in_a_playlist_finds_each_item_once(library: FilledLibrary) -> None:
    library.allow_internet_radio()
    playlist = library.at(*MUSIC, "On Sunday").object_id
    entries = library.children(playlist).objects
    found = library.search(playlist, Everything()).objects
    assert titles(library.search(playlist, is_a("object.item.audioItem.musicTrack"))) == [
        "Crying",
        "Nameless",
    ]
    assert [hit.title for hit in found] == [
        *("Crying", "Nameless", "Clip", "radio.example/live", "radio.example/live")
    ]
    assert all(hit in entries for hit in found)


def test_hits_are_objects_of_the_tree_below_the_container(library: FilledLibrary) -> None:
    library.allow_internet_radio()
    for container in ["0", *(hit.object_id for hit in walk(library) if isinstance(hit, Container))]:
        below = {hit.object_id: hit for hit in walk(library, container)}
        hits = library.search(container, Everything()).objects
        ids = [hit.object_id for hit in hits]
        assert len(ids) == len(set(ids))
        for hit in hits:
            assert below[hit.object_id] == hit


def test_objects_are_found_by_their_ids(library: FilledLibrary) -> None:
    library.allow_internet_radio()
    for container in ("0", "vmp", library.at("Folders", "Lists", "On Sunday").object_id):
        hits = library.search(container, Everything()).objects
        for hit in hits:
            by_id = Compare("@id", Operator.EQUAL, hit.object_id)
            assert library.search(container, by_id).objects == [hit]
            by_parent = Compare("@parentID", Operator.EQUAL, hit.parent_id)
            expected = [each for each in hits if each.parent_id == hit.parent_id]
            assert library.search(container, by_parent).objects == expected
            if isinstance(hit, Item | Station) and hit.ref_id is not None:
                by_ref = Compare("@refID", Operator.EQUAL, hit.ref_id)
                assert library.search(container, by_ref).objects == [hit]


def test_stations_are_found_by_title_and_class(library: FilledLibrary) -> None:
    library.allow_internet_radio()
    for container in ("0", "vmu", "vmp"):
        found = library.search(container, is_a(STATION))
        assert titles(found) == ["radio.example/live"] * 2
        assert all(isinstance(hit, Station) for hit in found.objects)
        by_title = Compare("dc:title", Operator.CONTAINS, "RADIO.")
        assert library.search(container, by_title).objects == found.objects
        ordered = library.search(container, is_a(STATION), sort=(SortKey("res@size", True),))
        assert len(ordered.objects) == 2
    library.allow_internet_radio(allowed=False)
    assert library.search("0", is_a(STATION)).objects == []


# ---- what it costs


def plans(library: FilledLibrary, object_id: str) -> list[str]:
    """How SQLite finds a page of a list (EXPLAIN QUERY PLAN)."""
    statements: list[str] = []

    def ask(connection: Connection) -> list[str]:
        driver = driver_of(connection)
        driver.set_trace_callback(statements.append)
        Browser().children(connection, object_id, start=2, count=2)
        driver.set_trace_callback(None)
        return [
            row[3]
            for statement in statements
            for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]

    return library.read(ask)


@pytest.mark.parametrize(
    ("path", "index"),
    [
        (("Folders", "Lists"), "playlists_of_folder"),
        (MUSIC, "playlists_by_title"),
        ((*MUSIC, "On Sunday"), "entries_of_playlist"),
        (("Folders", "Lists", "On Sunday"), "entries_of_playlist"),
    ],
)
def test_a_page_is_read_from_an_index(
    library: FilledLibrary, path: tuple[str, ...], index: str
) -> None:
    for number in range(5):
        library.add_playlist(f"Lists/{number}.m3u", "../Nameless.mp3")
    found = plans(library, library.at(*path).object_id)
    assert any(index in step for step in found)
    assert [step for step in found if "TEMP B-TREE FOR ORDER BY" in step] == []
    assert [step for step in found if re.fullmatch(r"SCAN (l|e|i|f)", step)] == []
