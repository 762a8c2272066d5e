"""Services declared as tables: declarations that are refused, calls, results, variables."""

from collections.abc import Mapping

import pytest

from mediaserver.clients import UNKNOWN
from mediaserver.upnp import errors
from mediaserver.upnp.errors import (
    ActionError,
    ArgumentValueOutOfRange,
    InvalidAction,
    InvalidArgs,
    InvalidVar,
    StringArgumentTooLong,
)
from mediaserver.upnp.service import (
    Action,
    ActionRequest,
    Escaped,
    EscapedUTF8,
    Service,
    StateVariable,
    keyword,
)
from tests.upnp.switch import STATUS, TARGET, TYPE, Switch

TEXT = StateVariable("A_ARG_TYPE_Text", max_length=8)
COUNT = StateVariable("A_ARG_TYPE_Count", "ui4")
FLAG = StateVariable("A_ARG_TYPE_Flag", allowed=("Up", "Down"))
LEVEL = StateVariable("A_ARG_TYPE_Level", "i2", minimum=-10, maximum=10, step=2)

MOVE = Action(
    "Move",
    takes=(("ObjectID", TEXT), ("Flag", FLAG), ("Count", COUNT), ("Level", LEVEL)),
    gives=(("Result", TEXT), ("Count2", COUNT)),
    aliases={"ContainerID": "ObjectID"},
)
GOOD = {"ObjectID": "0", "Flag": "Up", "Count": "7", "Level": "-10"}


async def nothing(request: ActionRequest) -> Mapping[str, object]:
    return {}


def request(service_type: str = TYPE) -> ActionRequest:
    return ActionRequest(
        base_url="http://192.0.2.5:8200", profile=UNKNOWN, service_type=service_type
    )


def make_service(**more: object) -> Service:
    values: dict[str, object] = {
        "name": "Test",
        "service_type": TYPE,
        "service_id": "urn:upnp-org:serviceId:Test",
        "actions": {},
        **more,
    }
    return Service(**values)  # type: ignore[arg-type]  # mistakes are what is tested


class Mover:
    """A service of one action that tells what it was called with."""

    def __init__(self) -> None:
        self.called: list[tuple[object, ...]] = []
        self.results: Mapping[str, object] = {"Count2": 3, "Result": Escaped("&lt;")}
        self.service = make_service(actions={MOVE: self.move})

    async def move(
        self, request: ActionRequest, *, object_id: str, flag: str, count: int, level: int
    ) -> Mapping[str, object]:
        self.called.append((object_id, flag, count, level))
        return self.results

    async def call(self, arguments: Mapping[str, str]) -> list[tuple[str, str | EscapedUTF8]]:
        return await self.service.call("Move", arguments, request())


@pytest.fixture
def mover() -> Mover:
    return Mover()


# Names


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("ObjectID", "object_id"),
        ("BrowseFlag", "browse_flag"),
        ("Id", "id"),
        ("RcsID", "rcs_id"),
        ("AVTransportID", "avtransport_id"),
        ("newTargetValue", "new_target_value"),
        ("X_CategoryType", "x_category_type"),
    ],
)
def test_arguments_have_python_names(argument: str, name: str) -> None:
    assert keyword(argument) == name


# Declarations


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"name": "A-B"}, "not a name"),
        ({"name": "<a>"}, "not a name"),
        ({"name": ""}, "not a name"),
        ({"data_type": "ui3"}, "no data type"),
        ({"data_type": "ui4", "allowed": ("1",)}, "only strings"),
        ({"data_type": "ui4", "minimum": 1}, "minimum and maximum"),
        ({"data_type": "ui4", "maximum": 1}, "minimum and maximum"),
        ({"minimum": 1, "maximum": 2}, "only numbers"),
        ({"data_type": "ui4", "minimum": 2, "maximum": 1}, "above maximum"),
        ({"data_type": "ui4", "step": 1}, "step"),
        ({"data_type": "ui4", "minimum": 1, "maximum": 2, "step": 0}, "step"),
        ({"data_type": "ui4", "default": "x"}, "default 'x'"),
        ({"allowed": ("a",), "default": "b"}, "default 'b'"),
        ({"data_type": "ui4", "minimum": 1, "maximum": 2, "default": "3"}, "default '3'"),
    ],
)
def test_an_impossible_variable_is_refused(more: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StateVariable(**{"name": "Thing", **more})  # type: ignore[arg-type]  # mistakes on purpose


@pytest.mark.parametrize(
    ("name", "takes", "gives"),
    [
        ("Do It", (), ()),
        ("Do", (("a b", TEXT),), ()),
        ("Do", (("A", TEXT), ("A", COUNT)), ()),
        ("Do", (("A", TEXT),), (("A", TEXT),)),
    ],
)
def test_an_impossible_action_is_refused(
    name: str,
    takes: tuple[tuple[str, StateVariable], ...],
    gives: tuple[tuple[str, StateVariable], ...],
) -> None:
    with pytest.raises(ValueError, match="name"):
        Action(name, takes=takes, gives=gives)


async def no_arguments() -> Mapping[str, object]:
    return {}


async def other_name(request: ActionRequest, *, text: str) -> Mapping[str, object]:
    return {}


async def one_more(request: ActionRequest, *, a: str, b: str) -> Mapping[str, object]:
    return {}


async def anything(request: ActionRequest, **arguments: object) -> Mapping[str, object]:
    return {}


async def keyword_request(*, request: ActionRequest, a: str) -> Mapping[str, object]:
    return {}


@pytest.mark.parametrize(
    "handler", [no_arguments, nothing, other_name, one_more, anything, keyword_request]
)
def test_a_handler_that_takes_something_else_is_refused(handler: object) -> None:
    with pytest.raises(TypeError, match="the handler of Do"):
        make_service(actions={Action("Do", takes=(("A", TEXT),)): handler})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"service_type": "urn:schemas-upnp-org:service:Test"}, "without version"),
        ({"service_type": "urn:schemas-upnp-org:service:Test:0"}, "without version"),
        ({"actions": {Action("Do"): nothing, Action("Do", gives=(("A", TEXT),)): nothing}}, "two"),
        (
            {"variables": (TEXT, StateVariable("A_ARG_TYPE_Text", "ui4"))},
            "declared twice",
        ),
        ({"variables": (StateVariable("V", evented=True),)}, "has no value"),
        ({"actions": {Action("Do", aliases={"B": "A"}): nothing}}, "unknown argument"),
        ({"variables": (COUNT,), "values": {COUNT: -1}}, "ui4"),
    ],
)
def test_a_contradictory_service_is_refused(more: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_service(**more)


def test_variables_of_arguments_are_declared_once_after_the_others() -> None:
    service = make_service(actions={MOVE: Mover().move}, variables=(STATUS,))
    assert service.variables == (STATUS, TEXT, FLAG, COUNT, LEVEL)


# Calls


async def test_arguments_reach_the_handler_as_values(mover: Mover) -> None:
    await mover.call(GOOD)
    assert mover.called == [("0", "Up", 7, -10)]


async def test_results_come_in_the_order_of_the_table(mover: Mover) -> None:
    results = await mover.call(GOOD)
    assert results == [("Result", "&lt;"), ("Count2", "3")]
    assert isinstance(results[0][1], Escaped)


async def test_an_alias_is_understood_and_the_real_name_preferred(mover: Mover) -> None:
    await mover.call({**GOOD, "ContainerID": "5"})
    del (alias := {**GOOD, "ContainerID": "5"})["ObjectID"]
    await mover.call(alias)
    assert [each[0] for each in mover.called] == ["0", "5"]


async def test_further_arguments_are_ignored(mover: Mover) -> None:
    await mover.call({**GOOD, "X_Extra": "1"})
    assert len(mover.called) == 1


@pytest.mark.parametrize("missing", GOOD)
async def test_a_missing_argument_is_402(mover: Mover, missing: str) -> None:
    with pytest.raises(InvalidArgs):
        await mover.call({name: text for name, text in GOOD.items() if name != missing})
    assert mover.called == []


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("Count", "", InvalidArgs),
        ("Count", "-1", InvalidArgs),
        ("Count", "4294967296", InvalidArgs),
        ("Count", "many", InvalidArgs),
        ("Flag", "", InvalidArgs),
        ("Flag", "up", InvalidArgs),
        ("Flag", "Up ", InvalidArgs),
        ("Level", "-11", ArgumentValueOutOfRange),
        ("Level", "11", ArgumentValueOutOfRange),
        ("ObjectID", "123456789", StringArgumentTooLong),
    ],
)
async def test_an_argument_of_a_wrong_value_is_refused(
    mover: Mover, name: str, text: str, error: type[ActionError]
) -> None:
    with pytest.raises(error):
        await mover.call({**GOOD, name: text})
    assert mover.called == []


async def test_an_unknown_action_is_401(mover: Mover) -> None:
    with pytest.raises(InvalidAction):
        await mover.service.call("Fly", GOOD, request())


@pytest.mark.parametrize(
    "results", [{}, {"Result": ""}, {"Result": "", "Count": 1}, {"Result": 1, "Count2": 1}]
)
async def test_wrong_results_are_a_mistake_of_ours(
    mover: Mover, results: Mapping[str, object]
) -> None:
    mover.results = results
    with pytest.raises(TypeError):
        await mover.call(GOOD)


async def test_a_result_too_many_is_a_mistake_of_ours(mover: Mover) -> None:
    mover.results = {"Result": "", "Count2": 1, "More": 1}
    with pytest.raises(TypeError):
        await mover.call(GOOD)


@pytest.mark.parametrize(
    ("announced", "implemented", "asked", "answered"),
    [
        (1, None, "1", True),
        (1, None, "2", False),
        (2, None, "1", True),
        (1, 4, "4", True),
        (1, 4, "5", False),
        (3, 1, "3", True),
        (1, None, "0", False),
        (1, None, "01", False),
        (1, None, "", False),
    ],
)
async def test_versions_up_to_the_implemented_one_are_answered(
    announced: int, implemented: int | None, asked: str, answered: bool
) -> None:
    base = "urn:schemas-upnp-org:service:Test"
    service = make_service(
        service_type=f"{base}:{announced}",
        actions={Action("Do"): nothing},
        version=implemented,
    )
    assert service.implements(f"{base}:{asked}") is answered
    if answered:
        assert await service.call("Do", {}, request(f"{base}:{asked}")) == []
    else:
        with pytest.raises(InvalidAction):
            await service.call("Do", {}, request(f"{base}:{asked}"))


def test_another_service_is_not_implemented() -> None:
    assert not make_service().implements("urn:schemas-upnp-org:service:Other:1")


# Variables


def test_listeners_hear_of_evented_variables_that_changed(switch: Switch) -> None:
    heard: list[Mapping[StateVariable, str]] = []
    switch.service.listen(heard.append)
    switch.service.set({TARGET: True, STATUS: True})
    switch.service.set({STATUS: True})
    switch.service.set({TARGET: False})
    assert heard == [{STATUS: "1"}]


def test_evented_variables_have_their_present_value(switch: Switch) -> None:
    assert switch.service.evented() == [(STATUS, "0")]
    switch.service.set({STATUS: True})
    assert switch.service.evented() == [(STATUS, "1")]


@pytest.mark.parametrize("wrong", [{STATUS: 1}, {COUNT: 1}])
def test_a_wrong_value_changes_nothing(
    switch: Switch, wrong: Mapping[StateVariable, object]
) -> None:
    heard: list[Mapping[StateVariable, str]] = []
    switch.service.listen(heard.append)
    with pytest.raises((KeyError, TypeError)):
        switch.service.set({TARGET: True, **wrong})
    assert switch.service.query("Target") == "0"
    assert heard == []


def test_variables_can_be_queried(switch: Switch) -> None:
    switch.service.set({STATUS: True})
    assert switch.service.query("Status") == "1"


@pytest.mark.parametrize("name", ["Nothing", "", "A_ARG_TYPE_Text"])
def test_a_variable_without_value_cannot_be_queried(mover: Mover, name: str) -> None:
    with pytest.raises(InvalidVar):
        mover.service.query(name)


# Errors

CODES = {
    401: "Invalid Action",
    402: "Invalid Args",
    404: "Invalid Var",
    501: "Action Failed",
    600: "Argument Value Invalid",
    601: "Argument Value Out of Range",
    602: "Optional Action Not Implemented",
    603: "Out of Memory",
    604: "Human Intervention Required",
    605: "String Argument Too Long",
    606: "Action not authorized",
    607: "Signature failure",
    608: "Signature missing",
    609: "Not encrypted",
    610: "Invalid sequence",
    611: "Invalid control URL",
    612: "No such session",
}
"""UDA 1.0 §3.2.2 and UDA 1.1 §3.2.2, table 3-3."""


def test_errors_have_the_codes_of_the_architecture() -> None:
    classes = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, ActionError) and each is not ActionError
    ]
    assert {each.code: each.description for each in classes} == CODES
    assert len(classes) == len(CODES)


def test_an_error_tells_its_reason_to_the_log() -> None:
    assert str(InvalidArgs("Count is missing")) == "402 Invalid Args: Count is missing"
    assert str(InvalidArgs()) == "402 Invalid Args"
