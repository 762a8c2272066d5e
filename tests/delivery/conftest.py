"""Delivery over a real server, from a library of a few real files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette

from mediaserver.clients import ClientRegistry
from mediaserver.delivery.routing import Delivery
from mediaserver.library.decoding.decoders import Decoders
from mediaserver.server.serving import HttpServer
from tests.delivery.library_fake import FakeLibrary
from tests.http_server import serving


class Delivering:
    """A server that delivers a library."""

    def __init__(self, library: FakeLibrary, server: HttpServer, delivery: Delivery) -> None:
        self.library = library
        self.server = server
        self.delivery = delivery


@asynccontextmanager
async def delivering(
    library: FakeLibrary,
    *,
    streams_per_host: int = 16,
    roots: tuple[bytes, ...] = (),
    decoders: Decoders | None = None,
) -> AsyncIterator[Delivering]:
    delivery = Delivery(
        library,
        ClientRegistry(),
        streams_per_host=streams_per_host,
        roots=roots,
        decoders=decoders,
    )
    async with serving(Starlette(routes=delivery.routes())) as server:
        try:
            yield Delivering(library, server, delivery)
        finally:
            await server.stop(grace=0.0)
            delivery.close()


@pytest.fixture
def library(tmp_path: Path) -> FakeLibrary:
    root = tmp_path / "root"
    root.mkdir()
    return FakeLibrary(root, tmp_path / "cache")


@pytest.fixture
async def service(library: FakeLibrary) -> AsyncIterator[Delivering]:
    async with delivering(library) as service:
        yield service
