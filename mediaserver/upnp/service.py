"""A service declared once: as tables that look like the tables of its specification.

From the tables come the service description, the reading of arguments, the order and form of
results, and the evented variables::

    BROWSE = Action(
        "Browse",
        takes=(("ObjectID", OBJECT_ID), ("StartingIndex", INDEX)),
        gives=(("Result", RESULT), ("TotalMatches", COUNT)),
    )

    async def browse(request, *, object_id, starting_index):
        return {"Result": "...", "TotalMatches": 7}

    Service(name="ContentDirectory", ..., actions={BROWSE: browse})

A handler whose parameters are not those of its table is refused when the service is made.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mediaserver.clients import ClientProfile
from mediaserver.upnp import data_types
from mediaserver.upnp.data_types import Escaped, EscapedUTF8
from mediaserver.upnp.errors import (
    ActionError,
    ArgumentValueOutOfRange,
    InvalidAction,
    InvalidArgs,
    InvalidVar,
    StringArgumentTooLong,
)

__all__ = [
    "Action",
    "ActionRequest",
    "Argument",
    "Escaped",
    "EscapedUTF8",
    "Handler",
    "Service",
    "StateVariable",
    "keyword",
]

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
"""Of actions, arguments and variables (UDA 1.1 §2.5): it is also that of an XML element."""
_ARGUMENTS_ONLY = "A_ARG_TYPE_"
"""Begins names of variables that only give arguments a type (UDA 1.1 §2.5)."""
_VERSIONED = re.compile(r"(?P<base>.+):(?P<version>[1-9][0-9]{0,2})", re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class StateVariable:
    """A state variable of a service (UDA 1.1 §2.5). Raises ValueError for an impossible one."""

    name: str
    data_type: str = "string"
    evented: bool = False
    allowed: tuple[str, ...] = ()
    """allowedValueList, of strings only."""
    minimum: int | None = None
    maximum: int | None = None
    step: int | None = None
    """allowedValueRange, of numbers only."""
    default: str | None = None
    moderation: float = 0.0
    """Seconds between two events at least; 0: each change at once."""
    max_length: int | None = None
    """Characters of an argument at most. Not part of the service description."""
    multicast: bool = False
    """Evented by multicast too (UDA 1.1 §4.3.3)."""

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise ValueError(f"not a name: {self.name!r}")
        if self.data_type not in data_types.DATA_TYPES:
            raise ValueError(f"{self.name}: no data type {self.data_type!r}")
        if self.multicast and not self.evented:
            raise ValueError(f"{self.name}: only evented variables are evented by multicast")
        if self.allowed and self.data_type != "string":
            raise ValueError(f"{self.name}: only strings have an allowedValueList")
        if (self.minimum is None) != (self.maximum is None):
            raise ValueError(f"{self.name}: allowedValueRange needs minimum and maximum")
        if self.minimum is not None and data_types.bounds(self.data_type) is None:
            raise ValueError(f"{self.name}: only numbers have an allowedValueRange")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"{self.name}: minimum is above maximum")
        if self.step is not None and (self.minimum is None or self.step < 1):
            raise ValueError(f"{self.name}: step is a positive part of allowedValueRange")
        if self.default is not None:
            try:
                # An argument of that text would be taken: then it is one of the allowed values.
                _argument_reader(self)(self.default)
            except ActionError as error:
                raise ValueError(f"{self.name}: default {self.default!r}") from error


Argument = tuple[str, StateVariable]
"""Name and related state variable."""


@dataclass(frozen=True)
class Action:
    """An action with its arguments in the order of its specification (UDA 1.1 §2.5).

    Raises ValueError for names that cannot be.
    """

    name: str
    takes: Sequence[Argument] = ()
    gives: Sequence[Argument] = ()
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Further names of arguments: to be understood, never described. Xbox 360 sends
    ``ContainerID`` for the ObjectID of Browse."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "takes", tuple(self.takes))
        object.__setattr__(self, "gives", tuple(self.gives))
        arguments = [name for name, _ in (*self.takes, *self.gives)]
        for name in (self.name, *arguments):
            if _NAME.fullmatch(name) is None:
                raise ValueError(f"not a name: {name!r}")
        if len(set(arguments)) != len(arguments):
            raise ValueError(f"{self.name}: two arguments of one name")


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """What a handler may know of the request beside its arguments.

    No more than this, so that an answer can be given again to whoever asks the same in the same
    words: see ``revision`` of :class:`Service`.
    """

    base_url: str
    """``http://192.0.2.5:8200``: the address the request came in on; no slash at the end."""
    profile: ClientProfile
    """What the control point needs differently."""
    service_type: str
    """As asked for, with its version: ``urn:schemas-upnp-org:service:ContentDirectory:1``."""


Handler = Callable[..., Awaitable[Mapping[str, object]]]
"""``async def handler(request: ActionRequest, *, object_id: str, …)`` gives the results by name."""

Listener = Callable[[Mapping[StateVariable, str]], None]


def keyword(argument: str) -> str:
    """The Python name of an argument: ``ObjectID`` is ``object_id``, ``AVTransportID`` is
    ``avtransport_id``."""
    return _WORD.sub("_", argument).lower()


class Service:
    """A service: its declaration, its handlers, and the values of its evented variables.

    ``name`` is for URLs and logs. ``service_type`` carries the version that is announced; calls
    for it and all versions below are answered (UDA 1.1 §2.3), and for those up to ``version``, if
    more is implemented than announced. ``variables`` are those that no argument relates to;
    ``values`` has a value for every evented one. ``revision`` gives a number that has changed
    whenever an action may be answered otherwise than before: its answers are kept until then.
    Without it every call is carried out.

    Raises TypeError if a handler does not take what its action does, ValueError for a
    contradictory declaration.
    """

    def __init__(
        self,
        *,
        name: str,
        service_type: str,
        service_id: str,
        actions: Mapping[Action, Handler],
        variables: Sequence[StateVariable] = (),
        values: Mapping[StateVariable, object] | None = None,
        version: int | None = None,
        revision: Callable[[], int] | None = None,
    ) -> None:
        match = _VERSIONED.fullmatch(service_type)
        if match is None:
            raise ValueError(f"service type without version: {service_type!r}")
        self.name = name
        self.service_type = service_type
        self.service_id = service_id
        self.revision = revision
        self.actions = tuple(actions)
        self.variables = _variables(self.actions, variables)
        highest = max(int(match["version"]), version or 0)
        self._types = frozenset(f"{match['base']}:{number}" for number in range(1, highest + 1))
        self._calls = {action.name: _Call(action, actions[action]) for action in self.actions}
        if len(self._calls) != len(self.actions):
            raise ValueError(f"{name}: two actions of one name")
        self._by_name = {variable.name: variable for variable in self.variables}
        self._values = {
            variable: variable.default
            for variable in self.variables
            if variable.default is not None and not variable.name.startswith(_ARGUMENTS_ONLY)
        }
        self._listeners: list[Listener] = []
        self.set(values or {})
        for variable in self.variables:
            if variable.evented and variable not in self._values:
                raise ValueError(f"{name}: {variable.name} is evented and has no value")

    def implements(self, service_type: str) -> bool:
        """Whether calls for this type are answered: ours, in our version or a lower one."""
        return service_type in self._types

    def set(self, values: Mapping[StateVariable, object]) -> None:
        """Give variables new values. Listeners are told of the evented ones that changed.

        Raises KeyError for a variable of another service, TypeError or ValueError for a value
        not of its type; no variable has changed then.
        """
        texts: dict[StateVariable, str] = {}
        for variable, value in values.items():
            if self._by_name.get(variable.name) != variable:
                raise KeyError(f"{self.name} has no variable {variable.name}")
            texts[variable] = str(data_types.write(variable.data_type, value))
        changed = {
            variable: text for variable, text in texts.items() if self._values.get(variable) != text
        }
        self._values.update(changed)
        evented = {variable: text for variable, text in changed.items() if variable.evented}
        if evented:
            for listener in self._listeners:
                listener(evented)

    def evented(self) -> list[tuple[StateVariable, str]]:
        """The evented variables with their values, in the order of their declaration."""
        return [
            (variable, self._values[variable]) for variable in self.variables if variable.evented
        ]

    def listen(self, callback: Listener) -> None:
        """Have changes of evented variables told, from inside :meth:`set`."""
        self._listeners.append(callback)

    def query(self, variable_name: str) -> str:
        """The value of a variable, for QueryStateVariable (UDA 1.0 §3.3).

        Raises InvalidVar for a variable that is not declared, or exists for arguments only.
        """
        variable = self._by_name.get(variable_name)
        if variable is None or variable not in self._values:
            raise InvalidVar
        return self._values[variable]

    async def call(
        self, action_name: str, arguments: Mapping[str, str], request: ActionRequest
    ) -> list[tuple[str, str | EscapedUTF8]]:
        """Carry out an action: text in, the results as text in declared order out.

        Texts that are :class:`Escaped` or :class:`EscapedUTF8` stay so. Raises ActionError, from
        the arguments or by the handler, and whatever else goes wrong in the handler; TypeError or
        ValueError if its results are not those declared.
        """
        call = self._calls.get(action_name)
        if call is None or not self.implements(request.service_type):
            raise InvalidAction
        values = call.read(arguments)
        return call.write(await call.handler(request, **values))


class _Call:
    """An action prepared for being called."""

    def __init__(self, action: Action, handler: Handler) -> None:
        self.handler = handler
        self._name = action.name
        names = [name for name, _ in action.takes]
        if unknown := set(action.aliases.values()) - set(names):
            raise ValueError(f"{action.name}: alias for unknown argument {sorted(unknown)}")
        self._takes = [
            (
                (name, *(alias for alias, meant in action.aliases.items() if meant == name)),
                keyword(name),
                _argument_reader(variable),
            )
            for name, variable in action.takes
        ]
        self._gives = [(name, variable.data_type) for name, variable in action.gives]
        _check_signature(action, handler)

    def read(self, arguments: Mapping[str, str]) -> dict[str, object]:
        """Typed keyword arguments. Arguments of other names are ignored: UDA 1.0 has 402 for
        them, but control points add their own, and refusing helps nobody."""
        values: dict[str, object] = {}
        for names, parameter, read in self._takes:
            for name in names:
                if name in arguments:
                    values[parameter] = read(arguments[name])
                    break
            else:
                raise InvalidArgs(f"{names[0]} is missing")
        return values

    def write(self, results: Mapping[str, object]) -> list[tuple[str, str | EscapedUTF8]]:
        try:
            texts = [(name, _written(data_type, results[name])) for name, data_type in self._gives]
        except KeyError as error:
            raise TypeError(f"{self._name} gave {sorted(results)}") from error
        if len(results) != len(texts):
            raise TypeError(f"{self._name} gave {sorted(results)}")
        return texts


def _written(data_type: str, value: object) -> str | EscapedUTF8:
    if data_type == "string" and isinstance(value, EscapedUTF8):
        return value
    return data_types.write(data_type, value)


def _argument_reader(variable: StateVariable) -> Callable[[str], object]:
    read_text = data_types.reader(variable.data_type)
    allowed = frozenset(variable.allowed)
    low, high, limit = variable.minimum, variable.maximum, variable.max_length

    def read(text: str) -> object:
        if limit is not None and len(text) > limit:
            raise StringArgumentTooLong(f"{variable.name}: {len(text)} characters")
        try:
            value = read_text(text)
        except ValueError as error:
            raise InvalidArgs(f"{variable.name}: {error}") from error
        # 601 would say the same (UDA 1.1 table 3-3), but the validator of the UPnP Forum takes
        # only codes below 501 as proof that an allowedValueList is looked at.
        if allowed and text not in allowed:
            raise InvalidArgs(f"{variable.name}: not in allowedValueList")
        if (
            low is not None
            and high is not None
            and isinstance(value, int)
            and not low <= value <= high
        ):
            raise ArgumentValueOutOfRange(f"{variable.name}: {value}")
        return value

    return read


def _check_signature(action: Action, handler: Handler) -> None:
    parameters = list(inspect.signature(handler).parameters.values())
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    expected = sorted(keyword(name) for name, _ in action.takes)
    found = sorted(each.name for each in parameters[1:] if each.kind in named)
    if (
        not parameters
        or parameters[0].kind not in plain
        or found != expected
        or len(found) != len(parameters) - 1
    ):
        raise TypeError(
            f"the handler of {action.name} takes {found}, its table says request and {expected}"
        )


def _variables(
    actions: Sequence[Action], others: Sequence[StateVariable]
) -> tuple[StateVariable, ...]:
    """Every variable once; the arguments' come last, as in the specifications."""
    found: dict[str, StateVariable] = {}
    related = [variable for action in actions for _, variable in (*action.takes, *action.gives)]
    for variable in (*others, *related):
        if found.setdefault(variable.name, variable) != variable:
            raise ValueError(f"{variable.name} is declared twice, differently")
    return tuple(found.values())
