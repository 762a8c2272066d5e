"""A network for each test that wants one."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.lan.network import Lan, Network


@pytest.fixture
def network() -> Iterator[Network]:
    """No hosts and no bridges yet."""
    try:
        network = Network(f"lan{os.getpid()}")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"network namespaces cannot be made: {error.stderr.decode().strip()}")
    try:
        yield network
    finally:
        network.close()


@pytest.fixture
def lan(network: Network) -> Lan:
    return Lan(network)
