"""The table in README.md: complete, and about tests that exist."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
ROW = re.compile(r"\| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
PLACE = re.compile(r"`([a-z_]+/test_[a-z0-9_]+)`: ([a-z0-9_, ]+)")

NUMBERED = {"N": 20, "S": 9, "T": 8, "M": 9, "F": 12}
"""Rows of the threats and faults, by their letter."""


def rows() -> dict[str, str]:
    """Where each row is tested."""
    found = {}
    for line in (HERE / "README.md").read_text().splitlines():
        row = ROW.fullmatch(line)
        if row and row[1].strip() not in ("", "---"):
            assert row[1] not in found
            found[row[1]] = row[3]
    return found


def functions_of(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_threat_and_fault_has_its_row() -> None:
    wanted = {f"{letter}{n}" for letter, last in NUMBERED.items() for n in range(1, last + 1)}

    assert wanted <= rows().keys()


def test_every_row_names_tests_that_exist() -> None:
    for name, where in rows().items():
        places = PLACE.findall(where)
        assert "; ".join(f"`{file}`: {tests}" for file, tests in places) == where, name
        for file, tests in places:
            existing = functions_of(HERE.parent / f"{file}.py")
            missing = {f"test_{test}" for test in tests.split(", ")} - existing
            assert not missing, (name, file)
