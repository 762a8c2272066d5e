"""The cache of renditions, and which file is a folder's art."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaserver.library.artwork import Artwork, Rendition, Tidied
from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.readers.jobs import Picture, RenderJob
from mediaserver.library.readers.pool import ReaderPool, ReaderPoolError
from tests import make_media

THUMBNAIL = make_media.picture("JPEG", (160, 120))


class FakePool:
    """Gives the same picture for everything and counts; ``hold`` keeps all jobs waiting."""

    def __init__(self) -> None:
        self.jobs: list[RenderJob] = []
        self.begun: asyncio.Queue[RenderJob] = asyncio.Queue()
        self.at_once = 0
        self.most_at_once = 0
        self.go = asyncio.Event()
        self.go.set()
        self.error: Exception | None = None
        self.data = THUMBNAIL

    async def render(self, job: RenderJob) -> Picture:
        self.jobs.append(job)
        self.begun.put_nowait(job)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.go.wait()
        self.at_once -= 1
        if self.error is not None:
            raise self.error
        return Picture(self.data, "image/jpeg", 160, 120)


@pytest.fixture
def pool() -> FakePool:
    return FakePool()


@pytest.fixture
def source(tmp_path: Path) -> bytes:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"photo")
    return bytes(path)


@pytest.fixture
def artwork(tmp_path: Path, pool: FakePool) -> Artwork:
    return Artwork(tmp_path / "cache", pool)


def change(path: bytes) -> None:
    """In the same second, to the same size."""
    status = Path(os.fsdecode(path)).stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


def remove(path: bytes) -> None:
    Path(os.fsdecode(path)).unlink()


def files(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "cache").rglob("*") if path.is_file())


async def test_a_rendition_is_made_once_and_then_kept(
    artwork: Artwork, pool: FakePool, source: bytes, tmp_path: Path
) -> None:
    first = await artwork.picture(source, "JPEG_TN")
    assert first is not None
    assert first.path.read_bytes() == THUMBNAIL
    assert (first.mime_type, first.width, first.height) == ("image/jpeg", 160, 120)
    assert await artwork.picture(source, "JPEG_TN") == first
    assert pool.jobs == [RenderJob(source, "JPEG_TN", "file")]
    # Also by the next program.
    assert await Artwork(tmp_path / "cache", pool).picture(source, "JPEG_TN") == first
    assert len(pool.jobs) == 1


async def test_profiles_and_sources_are_kept_apart(
    artwork: Artwork, pool: FakePool, source: bytes
) -> None:
    found = [
        await artwork.picture(source, "JPEG_TN"),
        await artwork.picture(source, "JPEG_SM"),
        await artwork.embedded(source, "JPEG_TN"),
        await artwork.embedded(source, "original"),
        await artwork.frame(source, "JPEG_TN"),
    ]
    assert len({rendition.path for rendition in found if rendition}) == 5
    assert [(job.profile, job.source) for job in pool.jobs] == [
        ("JPEG_TN", "file"),
        ("JPEG_SM", "file"),
        ("JPEG_TN", "embedded"),
        ("original", "embedded"),
        ("JPEG_TN", "frame"),
    ]


@pytest.mark.parametrize("profile", ["original", "JPEG_RES_9999_9999", "", "../JPEG_TN"])
async def test_sizes_of_others_choosing_are_not_made(
    artwork: Artwork, pool: FakePool, source: bytes, profile: str
) -> None:
    """security.md T5: a fixed set."""
    assert await artwork.picture(source, profile) is None
    assert pool.jobs == []


async def test_a_picture_that_changed_is_made_anew(
    artwork: Artwork, pool: FakePool, source: bytes
) -> None:
    first = await artwork.picture(source, "JPEG_TN")
    change(source)
    second = await artwork.picture(source, "JPEG_TN")
    assert first is not None
    assert second is not None
    assert second.path != first.path
    assert len(pool.jobs) == 2


async def test_a_file_that_is_gone_has_no_picture(
    artwork: Artwork, pool: FakePool, source: bytes
) -> None:
    await artwork.picture(source, "JPEG_TN")
    remove(source)
    assert await artwork.picture(source, "JPEG_TN") is None
    assert len(pool.jobs) == 1


async def test_requests_at_the_same_time_make_one_job(
    artwork: Artwork, pool: FakePool, source: bytes
) -> None:
    pool.go.clear()
    tasks = [asyncio.create_task(artwork.picture(source, "JPEG_TN")) for _ in range(20)]
    await pool.begun.get()
    # One that gives up disturbs nobody, not even if it came first.
    tasks[0].cancel()
    await asyncio.sleep(0)
    pool.go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(isinstance(one, Rendition) for one in found[1:])
    assert len(pool.jobs) == 1


async def test_no_more_pictures_are_made_at_once_than_there_are_processors(
    artwork: Artwork, pool: FakePool, tmp_path: Path
) -> None:
    """security.md 2."""
    pool.go.clear()
    wanted = []
    for number in range(4 * (os.cpu_count() or 1)):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(b"x")
        wanted.append(asyncio.create_task(artwork.picture(bytes(path), "JPEG_TN")))
    for _ in range(os.cpu_count() or 1):
        await pool.begun.get()
    pool.go.set()
    assert None not in await asyncio.gather(*wanted)
    assert len(pool.jobs) == len(wanted)
    assert pool.most_at_once <= (os.cpu_count() or 1)


async def test_what_cannot_be_made_is_not_tried_again(
    artwork: Artwork, pool: FakePool, source: bytes
) -> None:
    pool.error = UnreadableMedia("a bomb")
    for _ in range(3):
        assert await artwork.picture(source, "JPEG_TN") is None
    assert len(pool.jobs) == 1
    # Another file under the same name is.
    pool.error = None
    os.utime(source, ns=(0, 0))
    assert await artwork.picture(source, "JPEG_TN") is not None


async def test_a_pool_that_fails_is_asked_again(
    artwork: Artwork, pool: FakePool, source: bytes
) -> None:
    pool.error = ReaderPoolError("no reader can be started")
    assert await artwork.picture(source, "JPEG_TN") is None
    pool.error = None
    assert await artwork.picture(source, "JPEG_TN") is not None


async def test_the_cache_stays_within_its_limit_and_keeps_what_is_used(
    pool: FakePool, tmp_path: Path
) -> None:
    pool.data = THUMBNAIL + bytes(10_000 - len(THUMBNAIL))
    artwork = Artwork(tmp_path / "cache", pool, limit_bytes=100_000)
    paths = []
    for number in range(40):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(b"x")
        paths.append(bytes(path))
        made = await artwork.picture(bytes(path), "JPEG_TN")
        assert made is not None
        assert made.path.exists()
        # Each was used a second after the one before; the first again and again.
        os.utime(made.path, (number, number))
        favourite = await artwork.picture(paths[0], "JPEG_TN")
        assert favourite is not None
        assert sum(file.stat().st_size for file in files(tmp_path)) <= 100_000
    assert [job.path for job in pool.jobs] == paths


async def test_the_limit_counts_what_an_earlier_program_left(
    pool: FakePool, tmp_path: Path, source: bytes
) -> None:
    old = tmp_path / "cache" / "art" / "00" / "old"
    old.parent.mkdir(parents=True)
    old.write_bytes(bytes(200_000))
    os.utime(old, (1, 1))
    made = await Artwork(tmp_path / "cache", pool, limit_bytes=100_000).picture(source, "JPEG_TN")
    assert made is not None
    assert files(tmp_path) == [made.path]


async def test_a_limit_smaller_than_one_picture_still_gives_the_picture(
    pool: FakePool, tmp_path: Path, source: bytes
) -> None:
    made = await Artwork(tmp_path / "cache", pool, limit_bytes=1).picture(source, "JPEG_TN")
    assert made is not None
    assert made.path.exists()


async def test_the_cache_may_be_deleted_at_any_time(
    artwork: Artwork, pool: FakePool, source: bytes, tmp_path: Path
) -> None:
    first = await artwork.picture(source, "JPEG_TN")
    assert first is not None
    first.path.unlink()
    first.path.parent.rmdir()
    assert await artwork.picture(source, "JPEG_TN") == first
    assert len(pool.jobs) == 2


@pytest.mark.parametrize("damage", [b"", b"\0" * 500, THUMBNAIL[:20]])
async def test_a_rendition_that_was_damaged_is_made_anew(
    artwork: Artwork, pool: FakePool, source: bytes, damage: bytes
) -> None:
    first = await artwork.picture(source, "JPEG_TN")
    assert first is not None
    first.path.write_bytes(damage)
    assert await artwork.picture(source, "JPEG_TN") == first
    assert first.path.read_bytes() == THUMBNAIL


async def test_a_cache_that_cannot_be_written_gives_no_picture_and_no_error(
    pool: FakePool, tmp_path: Path, source: bytes
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    artwork = Artwork(tmp_path / "cache", pool)
    assert await artwork.picture(source, "JPEG_TN") is None


@pytest.fixture
def real_pool() -> Iterator[ReaderPool]:
    pool = ReaderPool(1)
    yield pool
    pool.close()


async def test_a_real_picture_is_made_by_a_real_worker(
    real_pool: ReaderPool, tmp_path: Path
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(make_media.picture("PNG", (800, 600)))
    made = await Artwork(tmp_path / "cache", real_pool).picture(bytes(path), "JPEG_TN")
    assert made is not None
    assert (made.mime_type, made.width, made.height) == ("image/jpeg", 160, 120)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert await Artwork(tmp_path / "cache", real_pool).picture(bytes(broken), "JPEG_TN") is None


async def test_tidying_removes_what_has_no_source_and_what_is_no_picture(
    artwork: Artwork, source: bytes, tmp_path: Path
) -> None:
    kept = await artwork.picture(source, "JPEG_TN")
    cover = await artwork.embedded(source, "original")
    broken = await artwork.picture(source, "JPEG_SM")
    of_another = await artwork.frame(source, "JPEG_TN")
    assert kept
    assert cover
    assert broken
    assert of_another
    broken.path.write_bytes(b"\xff\xd8")
    left_by_a_crash = broken.path.with_name(".half")
    left_by_a_crash.write_bytes(THUMBNAIL)

    tidied = await artwork.tidy([(source, "file"), (source, "embedded"), (b"/gone", "file")])

    assert tidied == Tidied(kept=2, vanished=2, broken=1)
    files = {path for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    assert files == {kept.path, cover.path}


async def test_tidying_removes_renditions_of_a_picture_that_changed(
    artwork: Artwork, source: bytes
) -> None:
    made = await artwork.picture(source, "JPEG_TN")
    assert made
    os.utime(source, ns=(1, 1))
    assert await artwork.tidy([(source, "file")]) == Tidied(vanished=1)
    assert not made.path.exists()
