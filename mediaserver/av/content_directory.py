"""ContentDirectory:1: browsing and searching the library (CDS:1).

Offered are the four required actions, Search, and Samsung's X_GetFeatureList. Nothing here changes
anything, so the actions that would (CreateObject, UpdateObject, ...) are not declared at all and
answered with 401; TransferIDs belongs to them (CDS:1 §2.5.1) and is not declared either.

The library's errors are translated here, once, into those of the specification.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from mediaserver.av import didl, features
from mediaserver.av.errors import (
    CannotProcess,
    NoSuchContainer,
    NoSuchObject,
    UnsupportedSearchCriteria,
    UnsupportedSortCriteria,
)
from mediaserver.av.filter import Filter
from mediaserver.av.filter import parse as parse_filter
from mediaserver.av.search_criteria import parse as parse_search_criteria
from mediaserver.av.sort_criteria import parse as parse_sort_criteria
from mediaserver.clients import ClientProfile
from mediaserver.library import errors as library
from mediaserver.library.criteria import Criteria, SortKey
from mediaserver.library.objects import Change, Object, ObjectID, Page
from mediaserver.library.views import DEFAULT_VIEWS, View
from mediaserver.upnp.errors import ActionError, InvalidArgs
from mediaserver.upnp.gena import Merge
from mediaserver.upnp.service import Action, ActionRequest, Service, StateVariable

BROWSE_METADATA = "BrowseMetadata"
BROWSE_DIRECT_CHILDREN = "BrowseDirectChildren"

EVENT_SECONDS = 2.0
"""Between two events of SystemUpdateID or ContainerUpdateIDs: the moderation of CDS:1 (§2.5.20,
§2.5.21), as version 1 is what we announce; from CDS:2 on it is 0.2 s. The first change after a
pause is told at once."""
MAX_CONTAINERS_EVENTED = 300
"""Pairs in ContainerUpdateIDs. Of more, the latest are told: SystemUpdateID tells of the rest."""
SMALLEST_OBJECT = 200
"""Bytes of an object in a Result, with hardly a title."""
_UI4 = 0xFFFFFFFF
"""Update ids wrap to 0 (CDS:1 §2.5.19)."""

Answer = Mapping[str, object]
"""Results of an action by name."""

OBJECT_ID = StateVariable("A_ARG_TYPE_ObjectID")
RESULT = StateVariable("A_ARG_TYPE_Result")
SEARCH_CRITERIA = StateVariable("A_ARG_TYPE_SearchCriteria")
BROWSE_FLAG = StateVariable(
    "A_ARG_TYPE_BrowseFlag", allowed=(BROWSE_METADATA, BROWSE_DIRECT_CHILDREN)
)
FILTER = StateVariable("A_ARG_TYPE_Filter")
SORT_CRITERIA = StateVariable("A_ARG_TYPE_SortCriteria")
INDEX = StateVariable("A_ARG_TYPE_Index", "ui4")
COUNT = StateVariable("A_ARG_TYPE_Count", "ui4")
UPDATE_ID = StateVariable("A_ARG_TYPE_UpdateID", "ui4")
FEATURE_LIST = StateVariable("A_ARG_TYPE_FeatureList")
"""Of Samsung's action. The variable FeatureList belongs to GetFeatureList of CDS:2."""
SEARCH_CAPABILITIES = StateVariable("SearchCapabilities")
SORT_CAPABILITIES = StateVariable("SortCapabilities")
SYSTEM_UPDATE_ID = StateVariable("SystemUpdateID", "ui4", evented=True, moderation=EVENT_SECONDS)
CONTAINER_UPDATE_IDS = StateVariable("ContainerUpdateIDs", evented=True, moderation=EVENT_SECONDS)

GET_SEARCH_CAPABILITIES = Action(
    "GetSearchCapabilities", gives=(("SearchCaps", SEARCH_CAPABILITIES),)
)
GET_SORT_CAPABILITIES = Action("GetSortCapabilities", gives=(("SortCaps", SORT_CAPABILITIES),))
GET_SYSTEM_UPDATE_ID = Action("GetSystemUpdateID", gives=(("Id", SYSTEM_UPDATE_ID),))
BROWSE = Action(
    "Browse",
    takes=(
        ("ObjectID", OBJECT_ID),
        ("BrowseFlag", BROWSE_FLAG),
        ("Filter", FILTER),
        ("StartingIndex", INDEX),
        ("RequestedCount", COUNT),
        ("SortCriteria", SORT_CRITERIA),
    ),
    gives=(
        ("Result", RESULT),
        ("NumberReturned", COUNT),
        ("TotalMatches", COUNT),
        ("UpdateID", UPDATE_ID),
    ),
    # Sent by the Xbox 360.
    aliases={"ContainerID": "ObjectID"},
)
SEARCH = Action(
    "Search",
    takes=(
        ("ContainerID", OBJECT_ID),
        ("SearchCriteria", SEARCH_CRITERIA),
        ("Filter", FILTER),
        ("StartingIndex", INDEX),
        ("RequestedCount", COUNT),
        ("SortCriteria", SORT_CRITERIA),
    ),
    gives=(
        ("Result", RESULT),
        ("NumberReturned", COUNT),
        ("TotalMatches", COUNT),
        ("UpdateID", UPDATE_ID),
    ),
    aliases={"ObjectID": "ContainerID"},
)
X_GET_FEATURE_LIST = Action("X_GetFeatureList", gives=(("FeatureList", FEATURE_LIST),))


class Library(Protocol):
    """What is asked of :class:`mediaserver.library.library.Library`.

    Raises the errors of :mod:`mediaserver.library.errors`. ``count`` 0 is as many as the library
    gives at once.
    """

    @property
    def system_update_id(self) -> int: ...

    async def metadata(self, object_id: str) -> Page: ...

    async def children(
        self, object_id: str, *, start: int, count: int, sort: Sequence[SortKey]
    ) -> Page: ...

    async def search(
        self,
        container_id: str,
        criteria: Criteria,
        *,
        start: int,
        count: int,
        sort: Sequence[SortKey],
    ) -> Page: ...


class ContentDirectory:
    """The service over a library.

    ``search_capabilities`` and ``sort_capabilities`` are the properties that the library serves.
    """

    def __init__(
        self,
        library: Library,
        *,
        search_capabilities: Sequence[str],
        sort_capabilities: Sequence[str],
        views: Sequence[View] = DEFAULT_VIEWS,
    ) -> None:
        self._library = library
        self._search_capabilities = ",".join(search_capabilities)
        self._sort_capabilities = ",".join(sort_capabilities)
        self._feature_list = features.basic_view(views)
        self.service = Service(
            name="ContentDirectory",
            service_type="urn:schemas-upnp-org:service:ContentDirectory:1",
            service_id="urn:upnp-org:serviceId:ContentDirectory",
            actions={
                GET_SEARCH_CAPABILITIES: self._get_search_capabilities,
                GET_SORT_CAPABILITIES: self._get_sort_capabilities,
                GET_SYSTEM_UPDATE_ID: self._get_system_update_id,
                BROWSE: self._browse,
                SEARCH: self._search,
                X_GET_FEATURE_LIST: self._x_get_feature_list,
            },
            variables=(SYSTEM_UPDATE_ID, CONTAINER_UPDATE_IDS),
            values={
                SYSTEM_UPDATE_ID: library.system_update_id & _UI4,
                CONTAINER_UPDATE_IDS: "",
                SEARCH_CAPABILITIES: self._search_capabilities,
                SORT_CAPABILITIES: self._sort_capabilities,
            },
            revision=lambda: library.system_update_id,
        )

    @property
    def merge(self) -> Mapping[str, Merge]:
        """How events that wait for each other become one; for ``Eventing.route``."""
        return {CONTAINER_UPDATE_IDS.name: merge_container_update_ids}

    def library_changed(self, change: Change) -> None:
        """Event a change; to be called on the event loop."""
        self.service.set(
            {
                SYSTEM_UPDATE_ID: change.system_update_id & _UI4,
                CONTAINER_UPDATE_IDS: _container_update_ids(change.containers),
            }
        )

    # ---- actions

    async def _get_search_capabilities(self, request: ActionRequest) -> Answer:
        return {"SearchCaps": self._search_capabilities}

    async def _get_sort_capabilities(self, request: ActionRequest) -> Answer:
        return {"SortCaps": self._sort_capabilities}

    async def _get_system_update_id(self, request: ActionRequest) -> Answer:
        return {"Id": self._library.system_update_id & _UI4}

    async def _x_get_feature_list(self, request: ActionRequest) -> Answer:
        return {"FeatureList": self._feature_list}

    async def _browse(
        self,
        request: ActionRequest,
        *,
        object_id: str,
        browse_flag: str,
        filter: str,
        starting_index: int,
        requested_count: int,
        sort_criteria: str,
    ) -> Answer:
        """StartingIndex of BrowseMetadata has to be 0; another one is of no consequence."""
        profile = request.profile
        wanted = parse_filter(filter, *profile.adds_to_filter)
        sort = _sort(sort_criteria, profile)
        ours = profile.object_ids.get(object_id, object_id)
        with _translated(no_object=NoSuchObject, no_container=InvalidArgs):
            if browse_flag == BROWSE_METADATA:
                page = await self._library.metadata(ours)
            else:
                page = await self._library.children(
                    ours, start=starting_index, count=_most(requested_count, profile), sort=sort
                )
        return _answer(_as_asked(page, ours, object_id), wanted, request)

    async def _search(
        self,
        request: ActionRequest,
        *,
        container_id: str,
        search_criteria: str,
        filter: str,
        starting_index: int,
        requested_count: int,
        sort_criteria: str,
    ) -> Answer:
        profile = request.profile
        wanted = parse_filter(filter, *profile.adds_to_filter)
        sort = _sort(sort_criteria, profile)
        criteria = parse_search_criteria(search_criteria)
        ours = profile.object_ids.get(container_id, container_id)
        with _translated(no_object=NoSuchContainer, no_container=NoSuchContainer):
            page = await self._library.search(
                ours,
                criteria,
                start=starting_index,
                count=_most(requested_count, profile),
                sort=sort,
            )
        return _answer(_as_asked(page, ours, container_id), wanted, request)


def _answer(page: Page, wanted: Filter, request: ActionRequest) -> Answer:
    writer = didl.writer(wanted, request.profile, request.base_url)
    result, number = writer.result(page.objects, request.profile.answer_bytes)
    return {
        "Result": result,
        "NumberReturned": number,
        "TotalMatches": page.total_matches,
        "UpdateID": page.update_id & _UI4,
    }


def _most(requested: int, profile: ClientProfile) -> int:
    """RequestedCount (0: all there are), but no more than could fit into an answer."""
    fitting = max(1, profile.answer_bytes // SMALLEST_OBJECT)
    return min(requested or fitting, fitting)


def _sort(text: str, profile: ClientProfile) -> tuple[SortKey, ...]:
    """Some devices ask for a useless order, and get what their profile says."""
    return parse_sort_criteria(text if profile.sort_criteria is None else profile.sort_criteria)


def _as_asked(page: Page, ours: str, asked: str) -> Page:
    """A page under the id a device asked with, one that it knows by heart (content-directory 14):
    it would not recognize its own question otherwise."""
    if ours == asked:
        return page
    alias = ObjectID(asked)

    def named(each: Object) -> Object:
        if each.object_id == ours:
            return replace(each, object_id=alias)
        return replace(each, parent_id=alias) if each.parent_id == ours else each

    return replace(page, objects=[named(each) for each in page.objects])


@contextmanager
def _translated(*, no_object: type[ActionError], no_container: type[ActionError]) -> Iterator[None]:
    """The border between the library's errors and those of ContentDirectory (CDS:1 §2.7.4.3)."""
    try:
        yield
    except library.NoSuchObject as error:
        raise no_object(repr(error.object_id[:80])) from error
    except library.NotAContainer as error:
        raise no_container(f"not a container: {error.object_id[:80]!r}") from error
    except library.UnsupportedCriteria as error:
        raise UnsupportedSearchCriteria(error.what) from error
    except library.UnsupportedSort as error:
        raise UnsupportedSortCriteria(error.what) from error
    except library.LibraryError as error:
        raise CannotProcess(str(error)) from error


def _container_update_ids(containers: Mapping[ObjectID, int]) -> str:
    """Pairs of id and update id (CDS:1 §2.5.21). Our ids hold no comma to be escaped."""
    return ",".join(f"{object_id},{value & _UI4}" for object_id, value in containers.items())


def merge_container_update_ids(older: str, newer: str) -> str:
    """Two lists of pairs as one: each container once, with its latest update id."""
    pairs: dict[str, str] = {}
    for text in (older, newer):
        fields = text.split(",") if text else []
        for object_id, value in zip(fields[::2], fields[1::2], strict=True):
            pairs.pop(object_id, None)
            pairs[object_id] = value
    latest = list(pairs.items())[-MAX_CONTAINERS_EVENTED:]
    return ",".join(f"{object_id},{value}" for object_id, value in latest)
