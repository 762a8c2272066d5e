"""Art and thumbnails: made once, kept on disk within bounds.

A rendition is kept under what it was made of (file and time of its last change), so a changed
picture is another rendition and the old one goes when room is needed. Pictures are made in
worker processes (:mod:`.pictures`).
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.readers.jobs import ORIGINAL, PROFILES, Picture, RenderJob
from mediaserver.library.readers.picture_header import measure
from mediaserver.library.readers.pool import ReaderPoolError
from mediaserver.patience import bounded

logger = logging.getLogger(__name__)

KEEP = 0.9
"""Part of the limit that stays when the cache is cut."""
FAILED_KEPT = 4096
"""Renditions known to be impossible, remembered so that nobody tries them again and again."""


class Renderer(Protocol):
    """What makes pictures: :class:`mediaserver.library.readers.pool.ReaderPool`.

    ``render`` raises UnreadableMedia where the file is to blame, else ReaderPoolError.
    """

    async def render(self, job: RenderJob) -> Picture: ...


@dataclass(frozen=True, slots=True)
class Rendition:
    """A picture ready to be sent."""

    path: Path
    mime_type: str
    width: int
    height: int


Source = Literal["file", "embedded", "frame"]
"""What a rendition was made of: :class:`.readers.jobs.RenderJob`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """How many files of the cache were kept, and removed: what they were made of is no longer
    there, or is another picture now; they are no whole pictures."""

    kept: int = 0
    vanished: int = 0
    broken: int = 0


class Artwork:
    """The cache of renditions under ``cache_dir/art``; used on the event loop."""

    def __init__(self, cache_dir: Path, pool: Renderer, limit_bytes: int = 512 << 20) -> None:
        self._directory = cache_dir / "art"
        self._pool = pool
        self._limit = limit_bytes
        self._jobs: dict[str, asyncio.Task[Rendition | None]] = {}
        self._failed: dict[str, None] = {}
        self._slots = asyncio.Semaphore(os.cpu_count() or 1)
        self._size: int | None = None
        self._cutting = asyncio.Lock()

    async def picture(self, path: bytes, profile: str) -> Rendition | None:
        """A picture file at a profile (a key of PROFILES). None if it cannot be made."""
        return await self._rendition(RenderJob(path, profile, "file"))

    async def embedded(self, path: bytes, profile: str) -> Rendition | None:
        """The art inside a media file at a profile, or ``original`` as it is."""
        return await self._rendition(RenderJob(path, profile, "embedded"))

    async def frame(self, path: bytes, profile: str) -> Rendition | None:
        """A picture out of a video at a profile."""
        return await self._rendition(RenderJob(path, profile, "frame"))

    async def tidy(self, sources: Iterable[tuple[bytes, Source]]) -> Tidied:
        """Remove what can be of no use any more; ``sources`` are all there are."""
        return await asyncio.to_thread(_tidy, self._directory, sources)

    async def _rendition(self, job: RenderJob) -> Rendition | None:
        if job.profile not in PROFILES and not (
            job.profile == ORIGINAL and job.source == "embedded"
        ):
            return None
        name = await bounded(lambda: _name(job), None)
        if name is None or name in self._failed:
            return None
        task = self._jobs.get(name)
        if task is None:
            # All who ask for the same meanwhile wait for the same; none of them can cancel it.
            task = asyncio.create_task(self._made(job, name))
            self._jobs[name] = task
            task.add_done_callback(lambda _: self._jobs.pop(name, None))
        return await asyncio.shield(task)

    async def _made(self, job: RenderJob, name: str) -> Rendition | None:
        path = self._directory / name[:2] / name
        kept = await asyncio.to_thread(_kept, path)
        if kept is not None:
            return kept
        try:
            async with self._slots:
                picture = await self._pool.render(job)
        except ReaderPoolError as error:
            # No fault of the picture's: the next request tries again.
            logger.warning("no %s of %s: %s", job.profile, os.fsdecode(job.path), error)
            return None
        except UnreadableMedia as error:
            logger.info("no %s of %s: %s", job.profile, os.fsdecode(job.path), error.reason)
            if len(self._failed) >= FAILED_KEPT:
                del self._failed[next(iter(self._failed))]
            self._failed[name] = None
            return None
        try:
            await asyncio.to_thread(_write, path, picture.data)
        except OSError as error:
            logger.warning("cannot keep %s: %s", path, error)
            return None
        await self._bound(len(picture.data))
        return Rendition(path, picture.mime_type, picture.width, picture.height)

    async def _bound(self, added: int) -> None:
        async with self._cutting:
            if self._size is None:
                self._size = await asyncio.to_thread(_total, self._directory)
            else:
                self._size += added
            if self._size > self._limit:
                target = int(self._limit * KEEP)
                self._size = await asyncio.to_thread(_cut, self._directory, target)


def _name(job: RenderJob) -> str | None:
    """The name of a rendition in the cache; None where the file is gone."""
    try:
        status = os.stat(job.path)  # noqa: PTH116 - a path of bytes
    except OSError:
        return None
    digest = hashlib.blake2b(digest_size=16)
    for part in (job.path, job.source.encode(), job.profile.encode()):
        digest.update(len(part).to_bytes(4, "big") + part)
    digest.update(status.st_mtime_ns.to_bytes(12, "big", signed=True))
    digest.update(status.st_size.to_bytes(8, "big"))
    return digest.hexdigest()


def _kept(path: Path) -> Rendition | None:
    try:
        measured = _measured(path)
        # Noted as used: access times are switched off on many file systems.
        os.utime(path)
    except OSError:
        return None
    if measured is None:
        # Cut off by a full disk or a crash of the machine.
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    return Rendition(path, *measured)


def _measured(path: Path) -> tuple[str, int, int] | None:
    with path.open("rb") as file:
        return measure(file.read(256 << 10))


def _write(path: Path, data: bytes) -> None:
    """At once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _files(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                yield path, path.stat()


def _total(directory: Path) -> int:
    return sum(status.st_size for _, status in _files(directory))


def _cut(directory: Path, target: int) -> int:
    """Remove what was not used for the longest time; how many bytes are left.

    The newest stays, whatever its size: somebody is about to be sent it.
    """
    files = sorted(_files(directory), key=lambda found: found[1].st_mtime_ns)
    total = sum(status.st_size for _, status in files)
    for path, status in files[:-1]:
        if total <= target:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            total -= status.st_size
    return total


def _tidy(directory: Path, sources: Iterable[tuple[bytes, Source]]) -> Tidied:
    useful = {name for path, source in sources for name in _names(path, source)}
    kept = vanished = broken = 0
    for path, _ in _files(directory):
        if path.name not in useful:
            vanished += 1
        elif _measured(path) is None:
            broken += 1
        else:
            kept += 1
            continue
        path.unlink(missing_ok=True)
    return Tidied(kept=kept, vanished=vanished, broken=broken)


def _names(path: bytes, source: Source) -> Iterator[str]:
    """Of all renditions that a picture may have."""
    for profile in (*PROFILES, *((ORIGINAL,) if source == "embedded" else ())):
        name = _name(RenderJob(path, profile, source))
        if name is not None:
            yield name
