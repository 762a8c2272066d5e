"""Bytes of files from the page cache to the socket (``sendfile``), without Python between them.

The kernel may have to wait for a disk, so ``sendfile`` runs in a few threads; the socket never
makes it wait, since that is non-blocking: when the receiver takes no more, the thread is given back
and the event loop waits for the socket. Short stretches that are in memory already are sent without
any thread. Works on a duplicate of the socket, which the transport knows nothing of.
"""

import asyncio
import errno
import os
import socket
from typing import Protocol

from mediaserver.server.threads import Threads

SMALL = 128 << 10
"""Bytes that are read and sent at once if they are in memory."""
PIECE = 4 << 20
"""Bytes for which a thread is kept at most."""
READ = 256 << 10
"""Bytes read at a time where there is no sendfile."""
THREADS = 8

_NO_SENDFILE = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)


class Disconnected(OSError):  # noqa: N818 - says what happened
    """The receiver has gone."""


class FileFailed(OSError):  # noqa: N818 - says what happened
    """The file ended before all that was announced had been sent, or its disk failed."""


class Link(Protocol):
    """The connection that a file is sent on."""

    @property
    def transport(self) -> asyncio.Transport: ...

    @property
    def gone(self) -> bool: ...

    def write(self, *pieces: bytes | bytearray) -> None:
        """Send by the transport."""

    def sent_directly(self, count: int) -> None:
        """Told whenever bytes went past the transport."""

    def waits_for_receiver(self, waiter: asyncio.Future[None] | None) -> None:
        """Given what to finish when the connection is lost; None when no longer waiting."""

    async def flushed(self) -> None:
        """Return when the transport has nothing left to send."""


class FileSender:
    """The threads, shared by all connections of a server."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = Threads(threads, "send")

    def close(self) -> None:
        """End the threads."""
        self._threads.close()

    async def send(self, link: Link, head: bytes, file: int, offset: int, count: int) -> None:
        """Send ``head`` and then ``count`` bytes of a file from ``offset``.

        Returns when the kernel has taken everything. Raises Disconnected or FileFailed.
        """
        await link.flushed()
        if link.gone:
            raise Disconnected
        if count <= SMALL:
            data = _in_memory(file, offset, count)
            if data is not None:
                link.write(head, data)
                return
        with _duplicate(link.transport) as duplicate:
            stretch = _Stretch(duplicate, head, file, offset, count)
            while not stretch.done:
                sent = await self._threads.run(stretch.push)
                link.sent_directly(sent)
                if link.gone:
                    raise Disconnected
                if stretch.blocked:
                    await _writable(link, duplicate)


class _Stretch:
    """Part of a file on its way to a socket; ``push`` is called in threads, one at a time."""

    def __init__(
        self, sock: socket.socket, head: bytes, file: int, offset: int, count: int
    ) -> None:
        self._socket = sock
        self._head = memoryview(head)
        self._file = file
        self._offset = offset
        self._count = count
        self._by_reading = not hasattr(os, "sendfile")
        self.blocked = False
        """Whether the receiver takes no more at the moment."""

    @property
    def done(self) -> bool:
        return not self._head and not self._count

    def push(self) -> int:
        """Send until all is sent, a piece is, or the socket is full; how many bytes went."""
        total = 0
        self.blocked = False
        try:
            while not self.done and total < PIECE:
                total += self._push_head() if self._head else self._push_file()
        except BlockingIOError:
            self.blocked = True
        except ConnectionError as error:
            raise Disconnected from error
        except FileFailed:
            raise
        except OSError as error:
            raise FileFailed(error.strerror) from error
        return total

    def _push_head(self) -> int:
        # Held back by the kernel until something of the file is there to go with it.
        more = getattr(socket, "MSG_MORE", 0) if self._count else 0
        sent = self._socket.send(self._head, more)
        self._head = self._head[sent:]
        return sent

    def _push_file(self) -> int:
        if not self._by_reading:
            try:
                sent = os.sendfile(
                    self._socket.fileno(), self._file, self._offset, min(self._count, PIECE)
                )
            except OSError as error:
                if error.errno not in _NO_SENDFILE:
                    raise
                self._by_reading = True  # a file system without it
        if self._by_reading:
            data = os.pread(self._file, min(self._count, READ), self._offset)
            sent = self._socket.send(data) if data else 0
        if not sent:
            raise FileFailed("it has become shorter")
        self._offset += sent
        self._count -= sent
        return sent


def _duplicate(transport: asyncio.Transport) -> socket.socket:
    """The transport's socket under another descriptor. Raises FileFailed if there is none left."""
    try:
        return socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
    except OSError as error:
        raise FileFailed(error.strerror) from error


def _in_memory(file: int, offset: int, count: int) -> bytearray | None:
    """Bytes of a file if all of them are in the page cache; None if a disk had to be asked."""
    if not _NOWAIT:
        return None
    data = bytearray(count)
    try:
        if count and os.preadv(file, [data], offset, _NOWAIT) != count:
            return None
    except OSError:
        return None  # not in memory, or a file system that cannot tell
    return data


async def _writable(link: Link, sock: socket.socket) -> None:
    """Return when the socket takes bytes again. Raises Disconnected."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    loop.add_writer(sock, _finish, waiter)
    link.waits_for_receiver(waiter)
    try:
        await waiter
    finally:
        loop.remove_writer(sock)
        link.waits_for_receiver(None)
    if link.gone:
        raise Disconnected


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
