"""Services as the specifications have them, from ``scpd/*.json``, to lay ours beside."""

import json
from pathlib import Path
from typing import Any

from mediaserver.upnp.service import Action, Service, StateVariable

_FOLDER = Path(__file__).parent / "scpd"

Argument = tuple[str, str, str]
"""Name, direction, related state variable."""


class Table:
    """One service of the standard."""

    def __init__(self, name: str) -> None:
        table: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
        self.service_type: str = table["service_type"]
        self.service_id: str = table["service_id"]
        self.required = {each["name"] for each in table["actions"] if each["required"]}
        self.actions: dict[str, list[Argument]] = {
            each["name"]: [(arg["name"], arg["direction"], arg["variable"]) for arg in each["args"]]
            for each in table["actions"]
        }
        self.variables: dict[str, tuple[str, bool, list[str]]] = {
            each["name"]: (each["type"], each["evented"], each.get("allowed", []))
            for each in table["variables"]
        }
        self.required_variables = {each["name"] for each in table["variables"] if each["required"]}


def arguments(action: Action) -> list[Argument]:
    return [
        *((name, "in", variable.name) for name, variable in action.takes),
        *((name, "out", variable.name) for name, variable in action.gives),
    ]


def declaration(variable: StateVariable) -> tuple[str, bool, list[str]]:
    return variable.data_type, variable.evented, list(variable.allowed)


def assert_conforms(service: Service, table: Table, *, vendor: frozenset[str]) -> None:
    """Every required action and variable is there, and each of the standard's is as it says.

    ``vendor`` names what is beyond the standard: nothing else may be.
    """
    assert service.service_type == table.service_type
    assert service.service_id == table.service_id
    ours = {action.name: arguments(action) for action in service.actions}
    assert table.required <= ours.keys()
    standard = {name: found for name, found in ours.items() if name not in vendor}
    assert standard == {name: table.actions[name] for name in standard}
    variables = {variable.name: declaration(variable) for variable in service.variables}
    assert table.required_variables <= variables.keys()
    known = {name: found for name, found in variables.items() if name not in vendor}
    assert known == {name: table.variables[name] for name in known}
