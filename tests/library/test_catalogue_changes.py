"""A catalogue is asked as long as it is known what has changed since it was made, and no longer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from mediaserver.library.browsing.browser import Browser
from mediaserver.library.catalogue import building
from mediaserver.library.catalogue.reading import Catalogue
from mediaserver.library.catalogue.shelf import Shelf
from mediaserver.library.criteria import Compare, Everything, Operator, SortKey
from mediaserver.library.database import driver_of
from mediaserver.library.indexing import touched
from tests.factories import SAMPLE, FilledLibrary
from tests.library.test_catalogue import CATALOGUE_CRITERIA, CONTAINERS, SORTS, song

YESTERDAY = Compare("dc:title", Operator.EQUAL, "yesterday")


@pytest.fixture
def own_library(tmp_path: Path) -> Iterator[FilledLibrary]:
    filled = FilledLibrary(tmp_path / "index.sqlite")
    filled.add(SAMPLE)
    filled.make_catalogue()
    yield filled
    filled.close()


def _catalogue(library: FilledLibrary) -> Catalogue:
    return Catalogue(library.database.path.with_name("catalogue"))


def _changed_since(library: FilledLibrary) -> dict[str, list[int]] | None:
    """What has changed since the catalogue was made."""
    moment = _catalogue(library).moment
    return library.read(lambda connection: touched.since(driver_of(connection), moment))


def test_what_has_changed_since_a_catalogue_was_made_is_asked_of_the_index(
    own_library: FilledLibrary,
) -> None:
    assert own_library.search("vma", YESTERDAY).total_matches == 1
    own_library.remove("Beatles/Help!/Yesterday.flac")
    assert own_library.search("vma", YESTERDAY).total_matches == 0
    own_library.add({"Yesterday.mp3": {}, "Nameless.mp3": {"title": "Yesterday"}})
    assert own_library.search("vma", YESTERDAY).total_matches == 2


def test_a_catalogue_is_not_asked_when_too_much_has_changed(
    own_library: FilledLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touched, "LIMIT", 12)
    for number in range(10):
        own_library.add({f"New/{number}.mp3": {"title": "Yesterday"}})
        assert own_library.search("vma", YESTERDAY).total_matches == number + 2
    assert _changed_since(own_library) is None


def test_a_moved_folder_is_more_than_is_noted(own_library: FilledLibrary) -> None:
    with own_library.indexer.batch() as batch:
        root = batch.put_root(b"/media", "Media")
        folders = own_library.indexer.known_folders(root)
        batch.move_folder(folders[b"Beatles"].key, root, b"Mixed/Beatles", folders[b"Mixed"].key)
    assert _changed_since(own_library) is None
    folder = own_library.at("Folders", "Mixed").object_id
    assert own_library.search(folder, YESTERDAY).total_matches == 1


def test_what_was_touched_is_forgotten_once_it_is_in_the_catalogue(
    own_library: FilledLibrary,
) -> None:
    own_library.add({"Yesterday.mp3": {}})
    own_library.make_catalogue()
    own_library.indexer.forget_touched(_catalogue(own_library).moment)
    assert own_library.search("vma", YESTERDAY).total_matches == 2
    own_library.remove("Yesterday.mp3")
    assert own_library.search("vma", YESTERDAY).total_matches == 1


def test_a_catalogue_is_not_asked_of_what_was_forgotten(own_library: FilledLibrary) -> None:
    """The rename of a new one may be lost with the power, or a backup of the old one come back."""
    path = own_library.database.path.with_name("catalogue")
    old = path.read_bytes()
    own_library.remove("Beatles/Help!/Yesterday.flac")
    own_library.make_catalogue()
    own_library.indexer.forget_touched(_catalogue(own_library).moment)
    path.write_bytes(old)
    own_library.browser = Browser(catalogue=Shelf(path))
    assert own_library.search("vma", YESTERDAY).total_matches == 0


def test_the_catalogue_of_another_index_is_not_asked(tmp_path: Path) -> None:
    """One that was deleted and built anew counts its states from the beginning again."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        filled = FilledLibrary(tmp_path / name / "index.sqlite")
        filled.add({f"{name}.mp3": {}, "Yesterday.mp3": {"title": f"A {name} song"}})
        filled.make_catalogue()
        filled.close()
    (tmp_path / "old" / "catalogue").replace(tmp_path / "new" / "catalogue")
    again = FilledLibrary(tmp_path / "new" / "index.sqlite")
    again.browser = Browser(catalogue=Shelf(tmp_path / "new" / "catalogue"))
    found = again.search("vma", Compare("dc:title", Operator.CONTAINS, "new song"))
    assert found.total_matches == 1
    assert _changed_since(again) is None
    again.close()


def test_a_catalogue_is_not_asked_when_the_index_was_put_back_from_a_backup(tmp_path: Path) -> None:
    """Its states have numbers that other states had, which the catalogue may be of."""
    path, backup = tmp_path / "index.sqlite", tmp_path / "backup.sqlite"
    filled = FilledLibrary(path)
    filled.add(SAMPLE)
    filled.close()
    shutil.copy(path, backup)
    filled = FilledLibrary(path)
    filled.add({"Yesterday.mp3": {}})
    filled.make_catalogue()
    filled.close()
    shutil.copy(backup, path)
    filled = FilledLibrary(path)
    filled.add({"Today.mp3": {}})
    filled.browser = Browser(catalogue=Shelf(tmp_path / "catalogue"))
    assert _catalogue(filled).moment.state == filled.metadata("0").update_id
    assert filled.search("vma", YESTERDAY).total_matches == 1
    filled.close()


def test_a_catalogue_outlives_a_restart(tmp_path: Path) -> None:
    filled = FilledLibrary(tmp_path / "index.sqlite")
    filled.add(SAMPLE)
    filled.make_catalogue()
    filled.add({"Yesterday.mp3": {}})
    filled.close()
    filled = FilledLibrary(tmp_path / "index.sqlite")
    changed = _changed_since(filled)
    assert changed is not None
    assert len(changed[touched.ITEM]) == 1
    filled.close()


def test_a_mended_index_is_more_than_is_noted(own_library: FilledLibrary) -> None:
    with own_library.database.begin() as connection:
        driver_of(connection).execute("UPDATE items SET shown = 0 WHERE title = 'Yesterday'")
    assert own_library.indexer.check()
    assert _changed_since(own_library) is None
    assert own_library.search("vma", YESTERDAY).total_matches == 1


def test_a_row_without_texts_keeps_no_other_from_the_catalogue(own_library: FilledLibrary) -> None:
    with own_library.database.begin() as connection:
        driver_of(connection).execute("DELETE FROM item_text WHERE title = 'yesterday'")
    own_library.make_catalogue()
    assert own_library.search("vma", YESTERDAY).total_matches == 0
    assert own_library.search("vma", Everything(), sort=[SortKey("dc:date")]).total_matches == 8


def test_a_catalogue_of_a_later_state_is_not_asked(own_library: FilledLibrary) -> None:
    """A reader may have begun before the change that the catalogue knows already."""

    def look_again(connection: Connection) -> int:
        before = own_library.browser.search(connection, "vma", YESTERDAY, start=0, count=0)
        own_library.remove("Beatles/Help!/Yesterday.flac")
        building.build(own_library.database.path, own_library.database.path.with_name("catalogue"))
        assert own_library.browser.search(connection, "vma", YESTERDAY, start=0, count=0) == before
        return before.total_matches

    assert own_library.read(look_again) == 1
    assert own_library.search("vma", YESTERDAY).total_matches == 0


def test_a_new_catalogue_is_asked_as_soon_as_it_is_there(own_library: FilledLibrary) -> None:
    shelf = Shelf(own_library.database.path.with_name("catalogue"))
    old = shelf.newest()
    own_library.remove("Beatles/Help!/Yesterday.flac")
    assert shelf.newest() is old
    building.build(own_library.database.path, shelf.path)
    new = shelf.newest()
    assert new is not None
    assert new.moment.state == own_library.metadata("0").update_id
    shelf.path.unlink()
    assert shelf.newest() is None


_NAMES = st.sampled_from([*SAMPLE, "New.mp3", "Mixed/New.jpg", "Björk/Debut/04 New.mp3", "N/N.mp4"])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_lists_after_changes_are_what_sql_makes_of_them(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    filled = FilledLibrary(tmp_path_factory.mktemp("changed") / "index.sqlite")
    filled.add(SAMPLE)
    filled.add({f"Many/{n}.mp3": song(n) for n in range(20)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "MANY", 1)
        filled.make_catalogue()
    there = set(SAMPLE)
    for name in data.draw(st.lists(_NAMES, min_size=1, max_size=5)):
        if name in there and data.draw(st.booleans()):
            filled.remove(name)
            there.remove(name)
        else:
            facts = song(data.draw(st.integers(0, 59))) if name.endswith(".mp3") else {}
            filled.add({name: facts})
            there.add(name)
    with_catalogue, without = filled.browser, Browser()
    assert _changed_since(filled) is not None
    for _ in range(8):
        criteria, container = data.draw(CATALOGUE_CRITERIA), data.draw(st.sampled_from(CONTAINERS))
        sort = data.draw(SORTS)
        filled.browser = without
        whole = filled.search(container, criteria, sort=sort)
        children = filled.children(container, sort=sort)
        filled.browser = with_catalogue
        found = []
        for start in range(0, len(whole.objects) + 1, 7):
            page = filled.search(container, criteria, start, 7, sort)
            assert page.total_matches == whole.total_matches
            found += page.objects
        assert [hit.object_id for hit in found] == [hit.object_id for hit in whole.objects]
        assert filled.children(container, sort=sort) == children
    filled.close()


def test_rows_are_asked_for_by_their_ids(own_library: FilledLibrary) -> None:
    """Texts are read to verify a phrase, and rows that have changed, never all there are."""
    own_library.add({"Beatles/The Day Before Yesterday.mp3": {}})
    statements: list[str] = []
    connection = own_library.read(driver_of)
    connection.set_trace_callback(statements.append)
    own_library.search("vma", Compare("dc:title", Operator.CONTAINS, "the night"))
    own_library.search("vmr", YESTERDAY, sort=[SortKey("dc:date")])
    own_library.children("vfo", sort=[SortKey("dc:title", ascending=False)])
    connection.set_trace_callback(None)
    asked = [each for each in statements if "json_each" in each]
    plans = [row[3] for each in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {each}")]
    assert any(" t " in each and "instr" in each for each in asked)
    assert any(" AS k " in each for each in asked)
    assert [step for step in plans if step in ("SCAN i", "SCAN t", "SCAN f", "SCAN v")] == []
