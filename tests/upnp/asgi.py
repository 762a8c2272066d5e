"""Requests to an ASGI application as a server makes them: the answer is there while the
application still works in the background."""

import asyncio
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette

Header = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    raw_headers: tuple[Header, ...]
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.raw_headers)


class Server:
    """Serves an application without a network."""

    def __init__(self, app: Starlette, address: tuple[str, int] = ("10.77.0.1", 8200)) -> None:
        self._app = app
        self._address = address
        self._tasks: set[asyncio.Task[None]] = set()

    async def request(
        self, method: str, path: str, headers: Iterable[Header] = (), *, peer: str = "10.77.0.2"
    ) -> Answer:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode("latin-1"),
            "query_string": b"",
            "scheme": "http",
            "root_path": "",
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
            ],
            "client": (peer, 54321),
            "server": self._address,
        }
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        status = 0
        answer_headers: tuple[Header, ...] = ()

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status, answer_headers
            if message["type"] == "http.response.start":
                status = message["status"]
                answer_headers = tuple(
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in message["headers"]
                )
            elif not message.get("more_body"):
                answered.set_result(Answer(status, answer_headers, message.get("body", b"")))

        async def serve() -> None:
            await self._app(scope, receive, send)

        task = asyncio.create_task(serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        waiting: tuple[asyncio.Future[Any], ...] = (task, answered)
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not answered.done():
            await task  # raises what went wrong
        return answered.result()

    async def close(self) -> None:
        """Wait for what still works in the background."""
        await asyncio.gather(*self._tasks)
