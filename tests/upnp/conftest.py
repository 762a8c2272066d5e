"""A small device to test with: a switch that can be turned."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.upnp.switch import Switch, http


@pytest.fixture
def switch() -> Switch:
    return Switch()


@pytest.fixture
async def client(switch: Switch) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks HTTP with the switch."""
    async with http(switch.app()) as client:
        yield client
