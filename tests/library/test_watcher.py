"""Changes on disk to folders to scan: security.md M9, section 7; peers.md 2, rows 3 and 4."""

import asyncio
import ctypes
import errno
import logging
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from watchdog.observers import inotify_c
from watchdog.observers.inotify_c import InotifyConstants, InotifyEvent, InotifyFD

from mediaserver.library.roots import Exclusion, Rules
from mediaserver.library.watcher import Watcher
from mediaserver.library.watching import mounts
from mediaserver.library.watching.gathering import Gathered, Gathering
from mediaserver.library.watching.mounts import Silence
from tests.leaks import nothing_left
from tests.library.privileges import permissions_count
from tests.patience import PATIENCE


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


# ---- until it is quiet


def test_folders_are_due_when_it_has_been_quiet(clock: Clock) -> None:
    gathering = Gathering(2.0, clock)
    assert gathering.due() is None
    gathering.add(b"/a")
    clock.now += 1.5
    gathering.add(b"/b")
    assert gathering.due() == 103.5
    assert gathering.take() == Gathered(frozenset({b"/a", b"/b"}))
    assert gathering.due() is None


def test_folders_are_due_after_thirty_seconds_however_busy_it_is(clock: Clock) -> None:
    gathering = Gathering(2.0, clock)
    gathering.add(b"/a")
    for _ in range(40):
        clock.now += 1.0
        gathering.add(b"/a")
    assert gathering.due() == 130.0


def test_only_the_first_change_asks_for_a_timer(clock: Clock) -> None:
    gathering = Gathering(2.0, clock)
    assert gathering.add(b"/a")
    assert not gathering.add(b"/b")
    gathering.take()
    assert gathering.add(b"/c")


def test_lost_events_mean_everything(clock: Clock) -> None:
    gathering = Gathering(2.0, clock)
    gathering.add(b"/a")
    gathering.add_everything()
    gathering.add(b"/b")
    assert gathering.take() == Gathered(everything=True)


def test_more_folders_than_are_kept_mean_everything(clock: Clock) -> None:
    gathering = Gathering(2.0, clock)
    for number in range(10_001):
        gathering.add(b"/%d" % number)
    assert gathering.take() == Gathered(everything=True)


# ---- what can be watched

MOUNTS = b"""\
/dev/sda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
nas:/music /mnt/music nfs4 rw,vers=4.2 0 0
//nas/films /mnt/My\\040films cifs rw 0 0
/dev/sdb1 /mnt/usb fuseblk rw 0 0
seedbox:/ /mnt/seedbox fuse.sshfs rw,user_id=1000 0 0
tmpfs /mnt/seedbox/local tmpfs rw 0 0
disk1:disk2 /srv/pool fuse.mergerfs rw,relatime,user_id=0,allow_other 0 0
shfs /mnt/user fuse.shfs rw,nosuid,nodev,noatime,allow_other 0 0
nas:/music /mnt/user/remote nfs4 rw 0 0
"""
"""In the form of proc_pid_mounts(5)."""


@pytest.mark.parametrize(
    ("root", "silence"),
    [
        (b"/home/music", Silence()),
        (b"/mnt/music/Album", Silence("nfs4")),
        (b"/mnt/musical", Silence()),
        (b"/mnt/My films", Silence("cifs")),
        (b"/mnt/usb", Silence()),
        (b"/mnt/seedbox", Silence("fuse.sshfs")),
        (b"/mnt/seedbox/local", Silence()),
        (b"/srv/pool", Silence(some="fuse.mergerfs")),
        (b"/srv", Silence(some="fuse.mergerfs")),
        (b"/mnt/user/music", Silence(some="fuse.shfs")),
        (b"/mnt/user", Silence(below="nfs4", some="fuse.shfs")),
        (b"/mnt/user/remote", Silence("nfs4")),
    ],
)
def test_network_and_fuse_file_systems_tell_of_no_changes_or_of_some(
    root: bytes, silence: Silence
) -> None:
    assert mounts.silence(root, MOUNTS) == silence


@pytest.mark.parametrize(
    ("line", "told"),
    [
        # How each stands in /proc/mounts: nfs(5), mount.cifs(8), mount.fuse(8), the kernel's
        # Documentation/filesystems, and the projects' own manuals.
        (b"nas:/v /m nfs rw,vers=3,hard 0 0", "nothing"),
        (b"nas:/v /m nfs4 rw,vers=4.2 0 0", "nothing"),
        (b"//nas/v /m cifs rw,vers=3.1.1 0 0", "nothing"),
        (b"//nas/v /m smb3 rw,vers=3.1.1 0 0", "nothing"),
        (b"host:/ /m fuse.sshfs rw,nosuid,nodev 0 0", "nothing"),
        (b"drive: /m fuse.rclone rw,nosuid,nodev 0 0", "nothing"),
        (b"s3fs /m fuse.s3fs rw 0 0", "nothing"),
        (b"gvfsd-fuse /m fuse.gvfsd-fuse rw 0 0", "nothing"),
        (b"something /m fuse rw 0 0", "nothing"),
        (b"C:\134 /m 9p rw,dirsync,aname=drvfs 0 0", "nothing"),
        (b"share /m virtiofs rw 0 0", "nothing"),
        (b"media /m vboxsf rw 0 0", "nothing"),
        (b"/etc/auto.nas /m autofs rw,fd=6 0 0", "nothing"),
        (b"10.0.0.1:/v /m fuse.glusterfs rw 0 0", "nothing"),
        (b"10.0.0.1:6789:/ /m ceph rw 0 0", "nothing"),
        (b"1:2 /m fuse.mergerfs rw 0 0", "some"),
        (b"shfs /m fuse.shfs rw 0 0", "some"),
        (b"/srv/.crypt /m fuse.gocryptfs rw 0 0", "some"),
        (b"/run/host_mark/Users /m fakeowner rw 0 0", "some"),
        (b"overlay /m overlay rw,lowerdir=/l,upperdir=/u 0 0", "all"),
        (b"tank/media /m zfs rw,xattr,posixacl 0 0", "all"),
        (b"/dev/md0 /m btrfs rw,subvol=/@media 0 0", "all"),
        (b"/dev/sda1 /m ext4 rw 0 0", "all"),
        (b"/dev/sda1 /m xfs rw 0 0", "all"),
        (b"/dev/sda1 /m fuseblk rw,allow_other 0 0", "all"),
        (b"/dev/sda1 /m ntfs3 rw 0 0", "all"),
        (b"/dev/sda1 /m exfat rw 0 0", "all"),
        (b"/dev/sda1 /m vfat rw 0 0", "all"),
        (b"none /m aufs rw 0 0", "all"),
    ],
)
def test_what_each_file_system_tells_of(line: bytes, told: str) -> None:
    silence = mounts.silence(b"/m/Music", b"/dev/root / ext4 rw 0 0\n" + line + b"\n")
    assert told == ("nothing" if silence.root else "some" if silence.some else "all")


def test_of_two_mounts_at_one_place_the_later_one_shows() -> None:
    table = b"nas:/a /mnt nfs rw 0 0\n/dev/sda /mnt ext4 rw 0 0\n"
    assert mounts.silence(b"/mnt", table) == mounts.Silence()


def test_roots_with_too_many_folders_are_told_which_limit_to_raise() -> None:
    refused = mounts.too_many({b"/large": 9000, b"/small": 500}, 8192)
    assert list(refused) == [b"/large"]
    assert "9000 folders" in refused[b"/large"]
    assert "`sysctl -w fs.inotify.max_user_watches=524288`" in refused[b"/large"]


def test_the_suggested_limit_leaves_room_to_grow() -> None:
    refused = mounts.too_many({b"/huge": 600_000}, 524_288)
    assert "max_user_watches=2097152" in refused[b"/huge"]


def test_folders_are_counted_and_links_are_not(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "c").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "file").touch()
    assert mounts.count_folders(os.fsencode(tmp_path), 100) == 4


def test_folders_that_may_not_be_read_are_not_counted_as_they_cannot_be_watched(
    tmp_path: Path,
) -> None:
    """inotify_add_watch(2): EACCES. Every ext4 disk has a lost+found of root's."""
    (tmp_path / "Music").mkdir()
    (tmp_path / "lost+found").mkdir(mode=0)
    with permissions_count():
        assert mounts.count_folders(os.fsencode(tmp_path), 100) == 2


def test_the_limit_of_watches_is_read(tmp_path: Path) -> None:
    file = tmp_path / "max_user_watches"
    file.write_text("8192\n", encoding="ascii")
    assert mounts.max_watches(file) == 8192
    assert mounts.max_watches(tmp_path / "missing") is None


def test_watches_are_counted_as_the_kernel_tells_them(tmp_path: Path) -> None:
    """The form of proc_pid_fdinfo(5)."""
    (tmp_path / "4").write_text(
        "pos:\t0\nflags:\t00\nmnt_id:\t15\n"
        "inotify wd:2 ino:7ef82a sdev:800001 mask:800afff ignored_mask:0 fhandle-bytes:8\n"
        "inotify wd:1 ino:192627 sdev:800001 mask:800afff ignored_mask:0 fhandle-bytes:8\n"
    )
    (tmp_path / "5").write_text("pos:\t0\nflags:\t02\n")
    assert mounts.watches_in_use(tmp_path) == 2
    assert mounts.watches_in_use(tmp_path / "missing") is None


def test_too_few_programs_that_may_watch_are_told_which_limit_to_raise() -> None:
    """inotify_init(2): EMFILE, for the limit of instances."""
    reason = mounts.why_none(OSError(errno.EMFILE, "Too many open files"))
    assert "`sysctl -w fs.inotify.max_user_instances=" in reason
    given = int(reason.split("max_user_instances=")[1].rstrip("`"))
    limit = mounts.max_instances()
    assert limit is not None
    assert given > limit


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare (util-linux) is missing")
def test_a_program_that_may_not_watch_finds_that_out_by_trying() -> None:
    """In a user namespace of its own, which has a limit of its own (namespaces(7))."""
    program = "from mediaserver.library.watching import mounts; print(mounts.why_none_here())"
    limited = "echo 0 > /proc/sys/user/max_inotify_instances && exec "
    ended = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c",
         f'{limited} "$0" -c "$1"', sys.executable, program],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    if ended.returncode != 0:
        pytest.skip(f"no namespaces of users here: {ended.stderr.strip()}")
    assert "sysctl -w fs.inotify.max_user_instances=" in ended.stdout


def test_too_many_open_files_of_our_own_are_no_limit_of_inotify() -> None:
    """inotify_init(2): the same EMFILE, for the limit of open files."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        reason = mounts.why_none(OSError(errno.EMFILE, "Too many open files"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert reason == "the system does not let us watch (Too many open files)"


# ---- the real thing


class Kernel:
    """The kernel's inotify, with a limit of its own (inotify_add_watch(2): ENOSPC)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
        self.limit = limit
        self._real = inotify_c.inotify_add_watch
        monkeypatch.setattr(inotify_c, "inotify_add_watch", self.add_watch)
        monkeypatch.setattr(mounts, "max_watches", lambda: self.limit)

    def add_watch(self, descriptor: int, path: bytes, mask: int) -> int:
        if (mounts.watches_in_use() or 0) < self.limit:
            return int(self._real(descriptor, path, mask))
        ctypes.set_errno(errno.ENOSPC)
        return -1


class Watching:
    """A watcher of ``root``; what it tells is waited for, at most some seconds."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.told: asyncio.Queue[Gathered] = asyncio.Queue()
        path = os.fsencode(root)
        self.watcher = Watcher(
            [path], Rules([path], ignore=["*.skip.mp3"]), self.told.put_nowait, quiet_seconds=0.02
        )

    async def close(self) -> None:
        await self.watcher.close()
        # Its threads are the loop's, which would keep them.
        await asyncio.get_running_loop().shutdown_default_executor()

    async def next(self) -> Gathered:
        async with asyncio.timeout(PATIENCE):
            return await self.told.get()

    async def folders(self, *expected: Path) -> None:
        """Fails if these folders, and at least these, are not told of."""
        missing = {os.fsencode(path) for path in expected}
        while missing:
            missing -= (await self.next()).folders


@pytest.fixture
async def watching(tmp_path: Path) -> AsyncIterator[Watching]:
    root = tmp_path / "media"
    (root / "Album").mkdir(parents=True)
    (root / "Other").mkdir()
    async with nothing_left():
        watching = Watching(root)
        await watching.watcher.start()
        yield watching
        await watching.close()


async def test_a_local_root_is_watched_by_events(watching: Watching) -> None:
    (watched,) = watching.watcher.watched.values()
    assert watched.events
    assert not watched.polled


async def test_every_folder_of_a_root_is_watched(watching: Watching) -> None:
    used = mounts.watches_in_use()
    assert used is not None
    assert used >= mounts.count_folders(os.fsencode(watching.root), 100)


async def test_a_new_file_is_told_by_its_folder(watching: Watching) -> None:
    (watching.root / "Album" / "one.mp3").write_bytes(b"x")
    assert (await watching.next()).folders == {os.fsencode(watching.root / "Album")}


async def test_a_new_playlist_is_told_by_its_folder(watching: Watching) -> None:
    (watching.root / "Album" / "one.m3u").write_bytes(b"x")
    assert (await watching.next()).folders == {os.fsencode(watching.root / "Album")}


@pytest.mark.parametrize("name", ["film.en.srt", "film.tbn"])
async def test_what_belongs_to_a_file_is_told_by_its_folder(watching: Watching, name: str) -> None:
    (watching.root / "Album" / name).write_bytes(b"x")
    assert (await watching.next()).folders == {os.fsencode(watching.root / "Album")}


async def test_a_moved_file_is_told_by_both_folders(watching: Watching) -> None:
    path = watching.root / "Album" / "one.mp3"
    path.write_bytes(b"x")
    await watching.folders(path.parent)
    path.rename(watching.root / "Other" / "one.mp3")
    await watching.folders(watching.root / "Album", watching.root / "Other")


async def test_a_copy_that_gets_its_name_is_told(watching: Watching) -> None:
    """As rsync(1) copies: under a hidden name first."""
    path = watching.root / "Album" / ".one.mp3.Ab3dE1"
    path.write_bytes(b"x")
    path.rename(path.with_name("one.mp3"))
    assert (await watching.next()).folders == {os.fsencode(path.parent)}


async def test_a_removed_file_is_told(watching: Watching) -> None:
    path = watching.root / "Album" / "one.mp3"
    path.write_bytes(b"x")
    await watching.folders(path.parent)
    path.unlink()
    await watching.folders(path.parent)


async def test_a_renamed_folder_is_told_by_the_one_it_is_in(watching: Watching) -> None:
    (watching.root / "Album").rename(watching.root / "Record")
    await watching.folders(watching.root)


async def test_files_in_a_new_folder_are_told(watching: Watching) -> None:
    folder = watching.root / "New" / "Deeper"
    folder.mkdir(parents=True)
    await watching.folders(watching.root)
    (folder / "one.mp3").write_bytes(b"x")
    await watching.folders(folder)


async def test_what_is_not_in_the_library_is_not_told(watching: Watching) -> None:
    (watching.root / "notes.txt").write_text("no media")
    (watching.root / ".hidden.mp3").write_bytes(b"x")
    (watching.root / "one.skip.mp3").write_bytes(b"x")
    (watching.root / "@eaDir").mkdir()
    (watching.root / "Album" / "one.mp3").write_bytes(b"x")
    assert (await watching.next()).folders == {os.fsencode(watching.root / "Album")}


async def test_names_that_are_no_unicode_are_told_as_they_are(watching: Watching) -> None:
    path = watching.root / os.fsdecode(b"caf\xe9")
    path.mkdir()
    await watching.folders(watching.root)
    (path / "one.mp3").write_bytes(b"x")
    await watching.folders(path)


async def test_events_that_the_kernel_dropped_mean_everything(watching: Watching) -> None:
    """The event of inotify(7) for an overflow, through the code of watchdog that gets it."""
    reader = InotifyFD()
    overflow = InotifyEvent(-1, InotifyConstants.IN_Q_OVERFLOW, 0, b"")  # type: ignore[arg-type]  # a NewType
    reader.handle_event(overflow)
    reader.close()
    reader.read_events()
    assert (await watching.next()).everything


async def test_lost_events_are_heard_of_at_any_level_of_logging(tmp_path: Path) -> None:
    logging.getLogger("watchdog").setLevel(logging.ERROR)
    try:
        async with nothing_left():
            watching = Watching(tmp_path)
            await watching.watcher.start()
            logging.getLogger("watchdog.observers.inotify_c").warning("queue overflowed")
            assert (await watching.next()).everything
            await watching.close()
    finally:
        logging.getLogger("watchdog").setLevel(logging.NOTSET)
        logging.getLogger("watchdog.observers").setLevel(logging.NOTSET)


async def test_a_root_that_was_replaced_is_watched_anew(watching: Watching) -> None:
    away = watching.root.with_name("away")
    watching.root.rename(away)
    (watching.root / "Album").mkdir(parents=True)
    assert await watching.watcher.refresh() == {os.fsencode(watching.root)}
    (watching.root / "Album" / "one.mp3").write_bytes(b"x")
    await watching.folders(watching.root / "Album")


async def test_a_root_that_is_there_is_not_watched_twice(watching: Watching) -> None:
    assert await watching.watcher.refresh() == set()


async def test_a_missing_root_is_watched_when_it_comes(tmp_path: Path) -> None:
    async with nothing_left():
        watching = Watching(tmp_path / "later")
        await watching.watcher.start()
        watching.root.mkdir()
        assert await watching.watcher.refresh() == {os.fsencode(watching.root)}
        (watching.root / "one.mp3").write_bytes(b"x")
        await watching.folders(watching.root)
        await watching.close()


async def test_folders_made_beyond_the_limit_of_watches_are_noticed_and_polled(
    watching: Watching, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """watchdog does not say that it may not watch a folder."""
    Kernel(monkeypatch, 3)
    root = os.fsencode(watching.root)
    (watching.root / "New").mkdir()
    await watching.folders(watching.root)
    grown = watching.watcher.has_grown
    assert grown
    assert await watching.watcher.refresh() == {root}
    assert not watching.watcher.has_grown
    watched = watching.watcher.watched[root]
    assert watched.events
    assert watched.polled
    assert watched.reason == (
        "3 of 4 folders are watched, and no more may be; "
        "allow it with `sysctl -w fs.inotify.max_user_watches=524288`"
    )
    assert watched.reason in caplog.text


async def test_folders_made_within_the_limit_of_watches_change_nothing(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    Kernel(monkeypatch, 5)
    (watching.root / "New").mkdir()
    await watching.folders(watching.root)
    assert await watching.watcher.refresh() == set()
    (watched,) = watching.watcher.watched.values()
    assert not watched.polled
    assert not watching.watcher.may_do_better


async def test_more_is_watched_once_the_limit_has_been_raised(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = Kernel(monkeypatch, 3)
    (watching.root / "New").mkdir()
    await watching.folders(watching.root)
    await watching.watcher.refresh()
    better = [watching.watcher.may_do_better]
    kernel.limit = 500
    better.append(watching.watcher.may_do_better)
    assert better == [False, True]

    await watching.watcher.restart()

    (watched,) = watching.watcher.watched.values()
    assert not watched.polled
    assert not watching.watcher.may_do_better
    (watching.root / "New" / "one.mp3").write_bytes(b"x")
    await watching.folders(watching.root / "New")


async def test_roots_are_polled_while_others_use_all_watches_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Kernel(monkeypatch, 0)
    monkeypatch.setattr(mounts, "max_watches", lambda: 8192)
    async with nothing_left():
        watching = Watching(tmp_path)
        await watching.watcher.start()
        (watched,) = watching.watcher.watched.values()
        await watching.close()
    assert watched.polled
    assert not watched.events
    assert "`sysctl -w fs.inotify.max_user_watches=524288`" in (watched.reason or "")


async def test_roots_are_polled_while_too_many_programs_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> int:
        ctypes.set_errno(errno.EMFILE)
        return -1

    monkeypatch.setattr(inotify_c, "inotify_init", refused)
    async with nothing_left():
        watching = Watching(tmp_path)
        await watching.watcher.start()
        (watched,) = watching.watcher.watched.values()
        assert watching.watcher.alive
        await watching.close()
    assert watched.polled
    assert not watched.events
    assert "`sysctl -w fs.inotify.max_user_instances=1024`" in (watched.reason or "")


async def test_a_folder_put_off_is_told_after_the_next_quiet(watching: Watching) -> None:
    watching.watcher.later(b"/growing")
    assert (await watching.next()).folders == {b"/growing"}


class FailingRules(Rules):
    """Fails the first time that an event asks, which ends watchdog's thread."""

    failed = False

    def by_path(self, path: bytes) -> Exclusion | None:
        if not self.failed:
            self.failed = True
            raise ValueError("nobody thought of that")
        return super().by_path(path)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_watcher_whose_thread_has_ended_says_so_and_can_begin_anew(
    watching: Watching,
) -> None:
    """security.md F12."""
    root = os.fsencode(watching.root)
    await watching.watcher.close()
    watching.watcher = Watcher(
        [root], FailingRules([root]), watching.told.put_nowait, quiet_seconds=0.02
    )
    await watching.watcher.start()
    (watching.root / "Album" / "one.mp3").write_bytes(b"x")
    async with asyncio.timeout(PATIENCE):
        while watching.watcher.alive:
            await asyncio.to_thread(os.stat, root)

    await watching.watcher.restart()

    (watching.root / "Other" / "two.mp3").write_bytes(b"x")
    assert (await watching.next()).folders == {os.fsencode(watching.root / "Other")}
