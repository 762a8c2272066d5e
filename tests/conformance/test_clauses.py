"""The table of clauses (README.md) names tests that exist, and every test of this folder."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent


def functions_of(folder: Path) -> set[str]:
    """Names of the tests of a folder, without their ``test_``."""
    return {
        node.name.removeprefix("test_")
        for path in folder.glob("test_*.py")
        if path != Path(__file__)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def named() -> set[tuple[str, str]]:
    """Folder and name of each test in the table."""
    found = set()
    for line in (HERE / "README.md").read_text(encoding="utf-8").splitlines():
        if not line.startswith("|") or line.startswith(("| clause", "| ---")):
            continue
        cell = line.split("|")[3]
        for part in cell.split(";"):
            folder = re.match(r"\s*(\w+): `", part)
            names = re.findall(r"`(\w+)`", part)
            found |= {(folder[1] if folder else "conformance", name) for name in names}
    return found


def test_every_test_that_the_table_names_exists() -> None:
    folders = {folder for folder, _ in named()}
    assert {"conformance", "upnp", "av", "library", "lan", "end_to_end"} == folders
    existing = {(folder, name) for folder in folders for name in functions_of(HERE.parent / folder)}
    assert named() - existing == set()


def test_the_table_names_every_test_of_this_folder() -> None:
    assert (
        functions_of(HERE) - {name for folder, name in named() if folder == "conformance"} == set()
    )
