"""``mediaserver doctor`` as its owner runs it, on the loopback interface."""

import json
import os
from pathlib import Path

import pytest

from tests.end_to_end.program import Program, run
from tests.make_media import sound

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def media_root(tmp_path: Path) -> Path:
    root = tmp_path / "Media"
    root.mkdir()
    os.utime(sound(root / "track.wav", seconds=1), (1_000_000_000, 1_000_000_000))
    return root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def verdicts(output: str) -> dict[str, str]:
    findings = json.loads(output)["findings"]
    return {each["check"]: each["verdict"] for each in findings}


def test_a_running_server_is_well(media_root: Path, home: Path) -> None:
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=1)
        # Neither the port nor the media root is told: the running server knows better.
        ended = run(
            *("doctor", "--json", "--interface", "127.0.0.1", "--data-dir", program.data_dir),
            home=home,
        )
    assert (ended.returncode, ended.stderr) == (0, "")
    found = verdicts(ended.stdout)
    assert "failure" not in found.values()
    for check in ("server", "index", "media-root", "items", "port", "search-multicast"):
        assert found[check] == "ok", ended.stdout


def test_a_missing_media_root_is_told_with_what_to_do(home: Path, tmp_path: Path) -> None:
    ended = run(
        *("doctor", tmp_path / "gone", "--interface", "127.0.0.1", "--data-dir", home / "data"),
        *("--port", "0"),
        home=home,
    )
    assert ended.returncode == 1
    lines = ended.stdout.splitlines()
    [at] = [number for number, line in enumerate(lines) if line.startswith("FAILURE")]
    assert f"media-root ({tmp_path / 'gone'}): it does not exist" in lines[at]
    assert lines[at + 1].lstrip().startswith("-> correct its path")
    assert "\x1b" not in ended.stdout
    assert ended.stderr == ""


def test_mistakes_in_the_configuration_are_findings(home: Path) -> None:
    file = home / "config.toml"
    file.write_text('[server]\nport = "many"\nnmae = "NAS"\n')
    ended = run("doctor", "--json", "--config", file, home=home)
    assert ended.returncode == 1
    findings = json.loads(ended.stdout)["findings"]
    assert [each["check"] for each in findings] == ["configuration", "configuration"]
    assert "did you mean name?" in ended.stdout
