# ruff: noqa: N818 - the names are those of the specifications
"""Why an action of ContentDirectory or ConnectionManager failed (CDS:1 §2.7, CM:1 §2.4).

::

    ActionError
    ├── NoSuchObject 701                    ├── NoSuchContainer 710
    ├── UnsupportedSearchCriteria 708       ├── CannotProcess 720
    ├── UnsupportedSortCriteria 709         └── InvalidConnectionReference 706
"""

from mediaserver.upnp.errors import ActionError

__all__ = [
    "CannotProcess",
    "InvalidConnectionReference",
    "NoSuchContainer",
    "NoSuchObject",
    "UnsupportedSearchCriteria",
    "UnsupportedSortCriteria",
]


class NoSuchObject(ActionError):
    code = 701
    description = "No such object"


class UnsupportedSearchCriteria(ActionError):
    """Not of the grammar, or a property outside SearchCapabilities."""

    code = 708
    description = "Unsupported or invalid search criteria"


class UnsupportedSortCriteria(ActionError):
    """Not of the grammar, or a property outside SortCapabilities."""

    code = 709
    description = "Unsupported or invalid sort criteria"


class NoSuchContainer(ActionError):
    code = 710
    description = "No such container"


class CannotProcess(ActionError):
    """The library cannot answer, for a reason that is not the control point's."""

    code = 720
    description = "Cannot process the request"


class InvalidConnectionReference(ActionError):
    """Of ConnectionManager: there is no connection but 0."""

    code = 706
    description = "Invalid connection reference"
