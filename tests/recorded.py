"""What real control points sent (``recordings/README.md``), as parameters of tests."""

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

RECORDINGS = Path(__file__).parent / "recordings"


def recorded(name: str) -> list[ParameterSet]:
    """Every control point's recordings of this name (a glob pattern)."""
    found = [
        pytest.param(path.read_bytes(), id=f"{path.parent.name}-{path.stem}")
        for path in sorted(RECORDINGS.glob(f"*/{name}"))
    ]
    assert found, f"no recordings of {name}"
    return found


def headers_of(message: bytes) -> list[tuple[str, str]]:
    """The headers of a recorded HTTP request."""
    lines = message.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
