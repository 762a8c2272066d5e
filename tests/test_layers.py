"""The direction of the imports is part of the design (see ``mediaserver/__init__.py``)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import mediaserver

PACKAGE = Path(mediaserver.__file__).parent

LEVELS: dict[str, int] = {
    "server": 0,
    "urls": 0,
    "dlna": 0,
    "media_types": 0,
    "clients": 0,
    "config": 0,
    "data_directory": 0,
    "supervision": 0,
    "patience": 0,
    "upnp": 1,
    "library": 1,
    "av": 2,
    "delivery": 2,
    "web": 3,
    "app": 4,
    "cli": 5,
    "__main__": 6,
}


def imports(path: Path) -> Iterator[str]:
    """Full names of everything a module imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            yield from (
                [f"{base}.{alias.name}" for alias in node.names]
                if base == "mediaserver"
                else [base]
            )


def wrong_imports(package: Path) -> list[str]:
    wrong = []
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package).parts
        part = place[0].removesuffix(".py")
        if part in ("__init__", "migrations"):
            continue
        for name in imports(path):
            pieces = name.split(".")
            if pieces[0] != "mediaserver" or len(pieces) == 1:
                continue
            target = pieces[1]
            if target == "__version__" or target == part:
                continue
            if LEVELS[target] >= LEVELS[part]:
                wrong.append(f"{'/'.join(place)} imports {target}")
    return wrong


def test_every_part_of_the_package_has_a_level() -> None:
    parts = {
        entry.name.removesuffix(".py")
        for entry in PACKAGE.iterdir()
        if entry.suffix == ".py" or (entry.is_dir() and (entry / "__init__.py").exists())
    }
    assert parts - {"__init__", "migrations"} == set(LEVELS)


def test_imports_point_downwards_only() -> None:
    assert wrong_imports(PACKAGE) == []


def test_an_upward_import_is_found(tmp_path: Path) -> None:
    (tmp_path / "upnp").mkdir()
    (tmp_path / "upnp" / "control.py").write_text("from mediaserver.av import didl\n")
    assert wrong_imports(tmp_path) == ["upnp/control.py imports av"]
