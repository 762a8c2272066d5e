"""F8: no timer or expiry hangs on the wall clock, which may jump.

Behaviour is tested where it is (subscriptions, deadlines, searches); here, that nothing was
forgotten: the wall clock is read only where its value is a date to be told or stored.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import mediaserver

PACKAGE = Path(mediaserver.__file__).parent

DATES = {
    "data_directory.py": "BOOTID follows the clock, and rises all the same (UDA 1.1 §1.2.2)",
    "app/doctor/machine.py": "the date that the clock shows, to be told",
    "app/doctor/system.py": "whether the clock is right is one of its questions",
    "app/overview.py": "how long ago something was heard; never less than none",
    "delivery/conditional.py": "a date of a file that lies in the future is not told",
    "library/index_file.py": "the first SystemUpdateID after an index was lost",
    "library/indexer.py": "when an item was added, how long its id is kept",
    "library/roots.py": "compared with times of folders, which are of that clock",
    "library/scanner.py": "compared with times of files, which are of that clock",
    "upnp/control.py": "the header DATE",
    "upnp/description.py": "the header DATE",
    "upnp/discovery.py": "the header DATE, and when somebody was last heard",
    "upnp/eventing.py": "the header DATE",
    "upnp/headers.py": "the header DATE",
}
"""Files that read the wall clock, and what for."""

WALL = {"time", "time_ns", "localtime", "gmtime", "strftime", "ctime"}


def wall_clock_reads(tree: ast.AST) -> Iterator[int]:
    """Lines that name a function of the wall clock."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "time" and node.attr in WALL:
                yield node.lineno
            if node.attr in ("now", "utcnow", "today") and node.value.id in ("datetime", "date"):
                yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (node.lineno for name in node.names if name.name in WALL)


def test_the_wall_clock_is_read_for_dates_only() -> None:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        lines = list(wall_clock_reads(ast.parse(path.read_text())))
        if lines:
            found[path.relative_to(PACKAGE).as_posix()] = lines

    assert found.keys() - DATES.keys() == set(), found


def test_no_file_is_excused_that_does_not_need_it() -> None:
    for name in DATES:
        assert any(wall_clock_reads(ast.parse((PACKAGE / name).read_text()))), name


def test_a_read_of_the_wall_clock_is_found() -> None:
    for text in ("time.time()", "f(clock=time.time)", "datetime.now()", "from time import time"):
        assert list(wall_clock_reads(ast.parse(text))) == [1]
    for text in ("time.monotonic()", "loop.time()", "item.date", "from time import monotonic"):
        assert list(wall_clock_reads(ast.parse(text))) == []
