"""A network for each test that wants one."""

import os
from collections.abc import Iterator

import pytest

from tests.lan.network import Lan, Network, made


@pytest.fixture
def network() -> Iterator[Network]:
    """No hosts and no bridges yet."""
    with made(f"lan{os.getpid()}") as network:
        yield network


@pytest.fixture
def lan(network: Network) -> Lan:
    return Lan(network)
