# ruff: noqa: N818 - the names are those of the Device Architecture
"""Why an action failed: the codes of the Device Architecture (UDA 1.1 §3.2.2, table 3-3).

::

    ActionError
    ├── InvalidAction 401              ├── HumanInterventionRequired 604
    ├── InvalidArgs 402                ├── StringArgumentTooLong 605
    ├── InvalidVar 404                 ├── ActionNotAuthorized 606
    ├── ActionFailed 501               ├── SignatureFailure 607
    ├── ArgumentValueInvalid 600       ├── SignatureMissing 608
    ├── ArgumentValueOutOfRange 601    ├── NotEncrypted 609
    ├── OptionalActionNotImplemented   ├── InvalidSequence 610
    │   602                            ├── InvalidControlURL 611
    └── OutOfMemory 603                └── NoSuchSession 612

Services add their own (700 to 799) as further subclasses with ``code`` and ``description``.
Handlers raise them; only ``control`` turns them into faults.
"""


class ActionError(Exception):
    """An action that cannot be carried out; becomes a SOAP fault.

    ``code`` and ``description`` are what the control point gets: fixed texts, so that a fault
    never repeats a request. ``reason`` is for the log.
    """

    code: int = 501
    description: str = "Action Failed"

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        text = f"{self.code} {self.description}"
        return f"{text}: {self.reason}" if self.reason else text


class InvalidAction(ActionError):
    """The service has no action of that name."""

    code = 401
    description = "Invalid Action"


class InvalidArgs(ActionError):
    """An argument is missing, repeated, or not of its data type."""

    code = 402
    description = "Invalid Args"


class InvalidVar(ActionError):
    """QueryStateVariable asked for a variable that the service has not (UDA 1.0 §3.3)."""

    code = 404
    description = "Invalid Var"


class ActionFailed(ActionError):
    """The current state forbids the action, or we failed."""

    code = 501
    description = "Action Failed"


class ArgumentValueInvalid(ActionError):
    code = 600
    description = "Argument Value Invalid"


class ArgumentValueOutOfRange(ActionError):
    """Outside allowedValueRange."""

    code = 601
    description = "Argument Value Out of Range"


class OptionalActionNotImplemented(ActionError):
    code = 602
    description = "Optional Action Not Implemented"


class OutOfMemory(ActionError):
    code = 603
    description = "Out of Memory"


class HumanInterventionRequired(ActionError):
    code = 604
    description = "Human Intervention Required"


class StringArgumentTooLong(ActionError):
    code = 605
    description = "String Argument Too Long"


class ActionNotAuthorized(ActionError):
    code = 606
    description = "Action not authorized"


class SignatureFailure(ActionError):
    code = 607
    description = "Signature failure"


class SignatureMissing(ActionError):
    code = 608
    description = "Signature missing"


class NotEncrypted(ActionError):
    code = 609
    description = "Not encrypted"


class InvalidSequence(ActionError):
    code = 610
    description = "Invalid sequence"


class InvalidControlURL(ActionError):
    code = 611
    description = "Invalid control URL"


class NoSuchSession(ActionError):
    code = 612
    description = "No such session"
