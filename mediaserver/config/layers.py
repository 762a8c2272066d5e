"""The layers of the configuration put together, and every mistake in them told at once."""

import difflib
import json
import os
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from mediaserver.config.settings import PREFIX, Settings, keys

CONFIG_VARIABLE = "MEDIASERVER_CONFIG"
"""The environment variable that names the configuration file."""

SYSTEM_FILE = Path("/etc/mediaserver/config.toml")

COMMAND_LINE: Mapping[str, str] = {
    "server.name": "--name",
    "server.port": "--port",
    "server.interfaces": "--interface",
    "server.data_dir": "--data-dir",
    "library.roots": "MEDIA_ROOT",
    "log.level": "--log-level",
}
"""The keys that the command line can set, and what they are called there."""

_FOREIGN_SIGN = f"{PREFIX}SERVICE_HOST"
_FOREIGN = (f"{PREFIX}SERVICE_", f"{PREFIX}PORT")
"""What Kubernetes puts into the environment for a service that has our name."""

Values = dict[str, object]
Location = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: ``where`` names the file and key, the variable, or the option."""

    where: str
    reason: str

    def __str__(self) -> str:
        """One line, whatever stands in the names and values."""
        line = f"{self.where}: {self.reason}"
        return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)


class ConfigError(Exception):
    """The configuration cannot be used; every reason at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = list(problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def find_file(environ: Mapping[str, str], system_file: Path = SYSTEM_FILE) -> Path | None:
    """The configuration file if none is named on the command line.

    ``$MEDIASERVER_CONFIG``, which must then exist; else the user's own, else the system's, if
    there is one. What may not even be looked for is not there: ``sudo -u`` leaves ``$HOME`` as
    it was.
    """
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    own = platformdirs.user_config_path("mediaserver", appauthor=False) / "config.toml"
    is_file = os.path.isfile  # unlike Path.is_file, it raises nothing
    return next((file for file in (own, system_file) if is_file(file)), None)


def load(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, object] | None = None,
) -> Settings:
    """Put the layers together: ``file``, over it ``environ``, over it ``options``.

    ``options`` are what the command line says, by key: ``{"server.port": 9000}``. Lists are
    replaced by the higher layer, not joined. Raises :class:`ConfigError`.
    """
    problems: list[Problem] = []
    layers: list[_Layer] = []
    if file is not None:
        layers.append(_read_file(file, problems))
    if environ is not None:
        layers.append(_read_environment(environ, problems))
    layers.append(_CommandLine(_nested(options or {})))
    merged: Values = {}
    for layer in layers:
        merged = _over(merged, layer.values)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            location = _without_inner(details["loc"], merged)
            # An unknown key stands in no layer but the ones that say it; else the highest counts.
            layer = next(one for one in reversed(layers) if one.says(location) or one is layers[0])
            problems.append(Problem(layer.where(location), _reason(details, location)))
        raise ConfigError(_unique(problems)) from error
    if problems:
        raise ConfigError(problems)
    return settings


class _Layer(ABC):
    """Values from one place, and how that place calls a key."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def says(self, location: Location) -> bool:
        """Whether the value, or the table or list that should hold it, comes from here."""
        found: object = self.values
        for step in location[:2]:
            if not isinstance(found, Mapping):
                return True
            if step not in found:
                return False
            found = found[step]
        return True

    @abstractmethod
    def where(self, location: Location) -> str:
        """The key, and the place, as its owner would look for them."""


class _File(_Layer):
    def __init__(self, values: Values, path: Path) -> None:
        super().__init__(values)
        self._path = path

    def where(self, location: Location) -> str:
        return f"{self._path}: {_dotted(location)}"


class _Environment(_Layer):
    def where(self, location: Location) -> str:
        name = PREFIX + "__".join(str(step) for step in location[:2]).upper()
        return name + _dotted(location[2:], start="")


class _CommandLine(_Layer):
    def where(self, location: Location) -> str:
        return COMMAND_LINE[_dotted(location[:2])]


class _EnvironmentSource(EnvSettingsSource):
    """The environment as pydantic-settings reads it, with lists easy to write.

    A list is JSON (``["eth0", "eth1"]``) or text with commas. What is neither stays text, so
    that it is refused together with every other mistake.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.env_vars = {name.lower(): value for name, value in environ.items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: object) -> object:
        if not isinstance(value, str):
            return value
        text = value.strip()
        if text.startswith(("[", "{")):
            try:
                decoded: object = json.loads(text)
            except ValueError:
                return value
            return decoded
        if str(field.annotation).startswith("tuple"):
            return [part.strip() for part in text.split(",") if part.strip()]
        return value


def _read_file(path: Path, problems: list[Problem]) -> _Layer:
    values: Values = {}
    try:
        values = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        problems.append(Problem(str(path), f"cannot be read: {error.strerror or error}"))
    except UnicodeDecodeError as error:
        problems.append(Problem(str(path), f"is not UTF-8 text (byte {error.start})"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problems.append(Problem(str(path), f"is not TOML: {error}"))
    return _File(values, path)


def _read_environment(environ: Mapping[str, str], problems: list[Problem]) -> _Layer:
    known = {CONFIG_VARIABLE.lower()}
    known |= {f"{PREFIX}{key.replace('.', '__')}".lower() for key in keys()}
    known |= {f"{PREFIX}{section}".lower() for section in Settings.model_fields}
    foreign = _FOREIGN if _FOREIGN_SIGN in environ else ()
    ours: dict[str, str] = {}
    for name, value in environ.items():
        if not name.upper().startswith(PREFIX) or name.startswith(foreign):
            continue
        if name.lower() in known:
            ours[name] = value
        else:
            problems.append(Problem(name, f"no such setting{_variable_suggestion(name)}"))
    return _Environment(dict(_EnvironmentSource(ours)()))


def _variable_suggestion(wrong: str) -> str:
    """``; did you mean ...?``: a key that was named without its section first."""
    word = wrong[len(PREFIX) :].lower()
    near = [key for key in keys() if key.partition(".")[2] == word]
    near = near or difflib.get_close_matches(word.replace("__", "."), list(keys()), n=1, cutoff=0.6)
    return f"; did you mean {PREFIX}{near[0].replace('.', '__').upper()}?" if near else ""


def _nested(options: Mapping[str, object]) -> Values:
    """``{"server.port": 1}`` as ``{"server": {"port": 1}}``."""
    values: Values = {}
    for name, value in options.items():
        section, _, key = name.partition(".")
        values = _over(values, {section: {key: value}})
    return values


def _over(lower: Mapping[str, object], upper: Mapping[str, object]) -> Values:
    """``upper`` laid over ``lower``; tables are joined, everything else is replaced."""
    joined: Values = dict(lower)
    for key, value in upper.items():
        below = joined.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            joined[key] = _over(below, value)
        else:
            joined[key] = value
    return joined


def _without_inner(location: Location, values: Values) -> Location:
    """The part of pydantic's location that the user wrote, without marks such as ``[key]``."""
    steps: list[int | str] = []
    found: object = values
    for step in location:
        inside = _below(found, step)
        if inside is _NOTHING and not isinstance(found, Mapping):
            break
        steps.append(step)
        if inside is _NOTHING:
            break
        found = inside
    return tuple(steps)


_NOTHING = object()


def _below(values: object, step: int | str) -> object:
    match values:
        case Mapping():
            found: object = values.get(step, _NOTHING)
            return found
        case list() | tuple() if isinstance(step, int) and step < len(values):
            return values[step]
    return _NOTHING


def _dotted(location: Location, start: str = "") -> str:
    """``library.roots[1].name``; the first entry of a list is 1, as people count."""
    text = start
    for step in location:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _reason(details: ErrorDetails, location: Location) -> str:
    kind, given = details["type"], details["input"]
    match kind:
        case "extra_forbidden":
            return f"no such key{_suggestion(location)}"
        case "missing":
            return "is missing"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"should be a table, not {_shown(given)}"
        case "tuple_type" | "list_type":
            return f"should be a list, not {_shown(given)}"
    reason = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    reason = reason.removeprefix("String ")
    reason = reason.partition(", unable")[0]
    plain = kind not in ("value_error", "too_long") or isinstance(given, str | int | float)
    return f"{reason}, not {_shown(given)}" if plain and given is not None else reason


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _suggestion(location: Location) -> str:
    """``; did you mean ...?``: a key of the same table first, then the same key elsewhere."""
    wrong = str(location[-1])
    near = difflib.get_close_matches(wrong, list(_siblings(location)), n=1, cutoff=0.6)
    if not near:
        near = [key for key in keys() if key.partition(".")[2] == wrong][:1]
    if not near:
        near = difflib.get_close_matches(wrong, list(keys()), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


def _siblings(location: Location) -> Iterator[str]:
    if len(location) == 1:
        yield from Settings.model_fields
    elif location[:2] == ("library", "roots"):
        yield from ("path", "name")
    else:
        yield from (key.partition(".")[2] for key in keys() if key.partition(".")[0] == location[0])


def _unique(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))
