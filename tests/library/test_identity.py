"""Object ids stay, whatever happens to the files (architecture.md, "object ids").

Bookmarks, play counts and playlists of control points hang on them (peers.md 2, rows 8 and 25).
"""

import os
import random
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from mediaserver.library.database import driver_of
from mediaserver.library.objects import MediaFacts
from tests.library.scanning import Readers, Scene
from tests.make_media import picture


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Two roots, of which the first has an album, and what stands beside it."""
    scene = Scene(tmp_path, roots=("media", "more"))
    scene.sound("Artist/Album/one.wav", value=1)
    scene.sound("Artist/Album/two.wav", value=2)
    scene.sound("three.wav", value=3)
    scene.sound("four.wav", value=4, root=scene.roots[1])
    (scene.root / "Artist" / "Album" / "cover.jpg").write_bytes(picture("JPEG"))
    (scene.root / "Artist" / "list.m3u").write_text("Album/one.wav\nAlbum/two.wav\n")
    yield scene
    scene.close()


def all_ids(scene: Scene) -> dict[str, list[tuple[object, ...]]]:
    """Every number that an object id is made of, and what it stands for."""
    questions = {
        "items": "SELECT id, folder_id, name FROM items ORDER BY id",
        "folders": "SELECT id, root_id, path FROM folders ORDER BY id",
        "playlists": "SELECT id, folder_id, name FROM playlists ORDER BY id",
        "entries": "SELECT playlist_id, position, item_id FROM playlist_entries ORDER BY 1, 2",
        "values": "SELECT id, kind, key FROM facets ORDER BY id",
        "pictures": "SELECT id, name FROM art ORDER BY id",
    }
    with scene.database.begin() as connection:
        driver = driver_of(connection)
        found = {what: driver.execute(question).fetchall() for what, question in questions.items()}
    assert all(found.values())
    return found


def again(scene: Scene, folder: Path, *, rebuilt: bool = False) -> Scene:
    """The program ends and starts, perhaps without its index."""
    scene.close()
    if rebuilt:
        for path in folder.glob("index.sqlite*"):
            path.unlink()
    return Scene(folder, roots=tuple(root.name for root in scene.roots))


# ---- nothing happens to the files


@pytest.mark.parametrize("rebuilt", [False, True])
def test_ids_outlive_a_restart_and_the_index(scene: Scene, tmp_path: Path, rebuilt: bool) -> None:
    scene.scan()
    before = all_ids(scene)
    other = again(scene, tmp_path, rebuilt=rebuilt)
    other.scan()
    assert all_ids(other) == before
    other.close()


# ---- something does


def touched(scene: Scene, path: Path) -> Path:
    os.utime(path)
    return path


def read_only(scene: Scene, path: Path) -> Path:
    path.chmod(0o444)
    return path


def retagged(scene: Scene, path: Path) -> Path:
    """In place, as a tagger does: another size, other bytes."""
    tags = b"INFOINAM" + (6).to_bytes(4, "little") + b"Title\0"
    whole = path.read_bytes() + b"LIST" + len(tags).to_bytes(4, "little") + tags
    path.write_bytes(whole[:4] + (len(whole) - 8).to_bytes(4, "little") + whole[8:])
    return path


def saved_anew(scene: Scene, path: Path) -> Path:
    """A new file takes the place of the old one, as many editors do."""
    new = retagged(scene, Path(shutil.copy(path, path.with_suffix(".new"))))
    assert new.stat().st_ino != path.stat().st_ino
    return new.replace(path)


def renamed(scene: Scene, path: Path) -> Path:
    return path.rename(path.with_name("other.wav"))


def renamed_in_case(scene: Scene, path: Path) -> Path:
    return path.rename(path.with_name(path.name.upper()))


def moved(scene: Scene, path: Path) -> Path:
    return path.rename(scene.root / "moved.wav")


def moved_to_new_folder(scene: Scene, path: Path) -> Path:
    (scene.root / "New" / "er").mkdir(parents=True)
    return path.rename(scene.root / "New" / "er" / path.name)


def moved_to_other_root(scene: Scene, path: Path) -> Path:
    return path.rename(scene.roots[1] / path.name)


def moved_to_other_disk(scene: Scene, path: Path) -> Path:
    """Copied, and removed: another inode, and with some programs another time."""
    new = Path(shutil.copyfile(path, scene.roots[1] / path.name))
    path.unlink()
    return new


def moved_with_its_folder(scene: Scene, path: Path) -> Path:
    path.parent.rename(scene.roots[1] / "Moved")
    return scene.roots[1] / "Moved" / path.name


def moved_with_its_folder_to_other_disk(scene: Scene, path: Path) -> Path:
    shutil.copytree(path.parent, scene.roots[1] / "Moved")
    shutil.rmtree(path.parent)
    return scene.roots[1] / "Moved" / path.name


DEEDS = (
    *(touched, read_only, retagged, saved_anew, renamed, renamed_in_case, moved),
    *(moved_to_new_folder, moved_to_other_root, moved_to_other_disk),
    *(moved_with_its_folder, moved_with_its_folder_to_other_disk),
)


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("deed", DEEDS)
def test_a_file_is_the_same_one_whatever_is_done_with_it(
    scene: Scene, tmp_path: Path, deed: Callable[[Scene, Path], Path], running: bool
) -> None:
    """``running`` or not: the program sees it now, or at its next start."""
    scene.scan()
    before = {path: file.key for path, file in scene.known().items()}
    path = deed(scene, scene.root / "Artist" / "Album" / "one.wav")
    after = scene if running else again(scene, tmp_path)
    after.scan()
    known = {path: file.key for path, file in after.known().items()}
    assert sorted(known.values()) == sorted(before.values())
    assert known[str(path.relative_to(tmp_path))] == before["media/Artist/Album/one.wav"]
    if not running:
        after.close()


def test_two_files_that_change_places_are_the_same_ones(scene: Scene) -> None:
    scene.scan()
    before = scene.known()
    one, two = (scene.root / "Artist" / "Album" / f"{name}.wav" for name in ("one", "two"))
    other = one.rename(one.with_name("x"))
    two.rename(one)
    other.rename(two)
    scene.scan()
    after = scene.known()
    # Whoever stands at a path is the one of that path: it may just have been retagged.
    for path in ("media/Artist/Album/one.wav", "media/Artist/Album/two.wav"):
        assert after[path].key == before[path].key


def test_a_file_that_was_away_is_the_same_one_wherever_it_comes_back(scene: Scene) -> None:
    scene.scan()
    path = scene.root / "Artist" / "Album" / "one.wav"
    key = scene.known()["media/Artist/Album/one.wav"].key
    away = Path(shutil.move(path, scene.root.parent / "one.wav"))
    scene.scan()
    assert key not in {file.key for file in scene.known().values()}
    shutil.copyfile(away, scene.roots[1] / "uno.wav")
    scene.scan()
    assert scene.known()["more/uno.wav"].key == key


def test_a_folder_that_is_renamed_and_all_its_files_retagged_is_the_same_one(scene: Scene) -> None:
    """As taggers do that move files to where their tags say."""
    scene.scan()
    before, folder = scene.known(), scene.folders()["Artist/Album"]
    album = (scene.root / "Artist" / "Album").rename(scene.root / "Artist" / "1999 - Album")
    for path in album.glob("*.wav"):
        retagged(scene, path)
    scene.scan()
    assert scene.folders()["Artist/1999 - Album"] == folder
    after = scene.known()
    for name in ("one.wav", "two.wav"):
        old, new = f"media/Artist/Album/{name}", f"media/Artist/1999 - Album/{name}"
        assert after[new].key == before[old].key


def test_a_new_folder_that_got_the_inode_of_one_that_is_gone_is_another_one(scene: Scene) -> None:
    """ext4 gives it to the next folder that is made; names such as one.wav are in many."""
    scene.scan()
    before = {file.key for file in scene.known().values()}
    shutil.rmtree(scene.root / "Artist")
    new = scene.sound("New/one.wav", value=50)
    scene.sound("New/two.wav", value=51)
    with scene.database.begin() as connection:
        driver_of(connection).execute(
            "UPDATE folders SET inode = ? WHERE path = ?",
            (new.parent.stat().st_ino, b"Artist/Album"),
        )
    scene.scan()
    assert scene.known()["media/New/one.wav"].key not in before


# ---- files of the same contents


class AnyOrder(Readers):
    """Answers in any order, as several processes do; some files are read before others ask."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)  # noqa: S311 - chance, not secrecy

    def map(self, paths: Iterable[bytes]) -> Generator[tuple[bytes, MediaFacts], None, None]:
        source = iter(paths)
        while some := list(islice(source, self.random.randint(1, 9))):
            answers = list(super().map(some))
            self.random.shuffle(answers)
            yield from answers


COPIES = ("b.wav", "a.wav", "B/a.wav", "B/c.wav", "B/A/x.wav", "A/z.wav", "C/a.wav")
"""The first of the walk is a.wav: files before folders, by their names."""


def copies(scene: Scene) -> None:
    for path in COPIES:
        scene.sound(path, value=7)
    for number in range(9):
        scene.sound(f"B/other {number}.wav", value=100 + number)


def keys_of_copies(scene: Scene) -> dict[str, int]:
    known = scene.known()
    return {path: known[path].key for path in COPIES}


def test_copies_have_ids_of_their_own_that_do_not_depend_on_who_is_read_first(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path)
    scene.sound("a.wav", value=7)
    scene.scan()
    alone = scene.known()["a.wav"].key
    found = []
    for seed in range(12):
        scene = again(scene, tmp_path, rebuilt=True)
        copies(scene)
        scene.scanner.pool = AnyOrder(seed)
        scene.scan()
        found.append(keys_of_copies(scene))
    assert all(keys == found[0] for keys in found)
    assert len(set(found[0].values())) == len(COPIES)
    assert found[0]["a.wav"] == alone
    scene.close()


@pytest.mark.parametrize("read", range(1, 12, 3))
def test_a_scan_that_was_cut_short_gives_copies_the_same_ids(tmp_path: Path, read: int) -> None:
    scene = Scene(tmp_path)
    copies(scene)
    scene.scan()
    before = keys_of_copies(scene)
    scene = again(scene, tmp_path, rebuilt=True)
    scene.scanner.pool = readers = AnyOrder(read)
    scene.scan(stopped=lambda: len(readers.names) >= read)
    assert len(scene.files()) < len(COPIES) + 9
    scene.scan()
    assert keys_of_copies(scene) == before
    scene.close()


def test_a_copy_keeps_its_id_when_others_come_and_go(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    path = scene.sound("m.wav", value=7)
    scene.scan()
    first = scene.known()["m.wav"].key
    scene.sound("a.wav", value=7)
    scene.scan()
    second = scene.known()["a.wav"].key
    assert scene.known()["m.wav"].key == first != second
    path.unlink()
    scene.scan()
    assert scene.known()["a.wav"].key == second
    # Whoever comes now may be the one that went.
    scene.sound("z.wav", value=7)
    scene.scan()
    assert {path: file.key for path, file in scene.known().items()} == {
        "a.wav": second,
        "z.wav": first,
    }
    scene.close()


@pytest.mark.parametrize("seen_gone", [False, True])
def test_copies_that_move_together_to_another_disk_are_told_apart_by_their_names(
    tmp_path: Path, seen_gone: bool
) -> None:
    """``seen_gone``: there is a scan between their going and their coming."""
    scene = Scene(tmp_path)
    names = [f"{number}.wav" for number in range(5)]
    for name in names:
        scene.sound(f"Album/{name}", value=7)
    scene.sound("stays.wav", value=1)
    scene.scan()
    before = [scene.known()[f"Album/{name}"].key for name in names]
    shutil.copytree(scene.root / "Album", tmp_path / "away")
    shutil.rmtree(scene.root / "Album")
    if seen_gone:
        scene.scan()
    scene.scanner.pool = AnyOrder(1)
    shutil.copytree(tmp_path / "away", scene.root / "Other")
    scene.scan()
    assert [scene.known()[f"Other/{name}"].key for name in names] == before
    scene.close()
