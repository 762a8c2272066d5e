"""Files opened in threads: disks that sleep take seconds, lost network shares much longer."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from mediaserver.delivery import answers
from mediaserver.delivery.answers import Scope, Send
from mediaserver.library.opening import FileGone, FileUnavailable, OpenFile, open_media
from mediaserver.server.threads import Threads

T = TypeVar("T")

THREADS = 8
RETRY_SECONDS = 30


class Files:
    """The threads. ``roots`` are media roots that links may lead to, besides a file's own."""

    def __init__(self, roots: Sequence[bytes] = ()) -> None:
        self._roots = tuple(roots)
        self._threads = Threads(THREADS, "open")

    def close(self) -> None:
        """End the threads; after the last request."""
        self._threads.close()

    async def open(self, path: bytes, root: bytes) -> OpenFile:
        """Open a file below a root; the caller closes it. Raises FileGone, FileUnavailable."""
        work = partial(open_media, path, root, *self._roots)
        return await self._threads.run(work, abandoned=OpenFile.close)

    async def run(self, work: Callable[[], T]) -> T:
        """Work with an open file in a thread. When cancelled it returns after the work is over."""
        return await self._threads.run(work)

    async def open_or_refuse(
        self, path: bytes, root: bytes, scope: Scope, send: Send
    ) -> OpenFile | None:
        """Open a file; if that cannot be, answer 404 or 503 and return None."""
        try:
            return await self.open(path, root)
        except FileGone:
            await answers.refuse(scope, send, 404)
        except FileUnavailable:
            await answers.refuse(scope, send, 503, [("Retry-After", str(RETRY_SECONDS))])
        return None
