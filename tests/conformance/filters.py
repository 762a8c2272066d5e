"""What a Filter brings (content-directory 5), to lay an answer beside."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from tests.av.library_fake import prefixed

ALWAYS = {"@id", "@parentID", "@restricted", "@refID", "dc:title", "upnp:class"}
REQUIRED_OF_CLASS = {"object.container.storageFolder": {"upnp:storageUsed"}}


def properties(element: Any) -> set[str]:
    """Names of all properties of an object, as a Filter would name them."""
    found = {f"@{prefixed(name)}" for name in element.attrib}
    for child in element:
        name = prefixed(child.tag)
        found.add(name)
        found |= {f"{name}@{prefixed(attribute)}" for attribute in child.attrib}
    return found


def named(found: str, wanted: set[str]) -> bool:
    """Whether a Filter with these names asks for a property."""
    element, _, attribute = found.partition("@")
    if not element:
        return found in wanted or f"item{found}" in wanted or f"container{found}" in wanted
    if attribute:
        return bool({found, f"{element}#"} & wanted) or (
            element == "res" and f"@{attribute}" in wanted
        )
    return bool({element, f"{element}#"} & wanted) or any(
        each.startswith(f"{element}@") for each in wanted
    )


def expected(every: set[str], upnp_class: str, wanted: set[str]) -> set[str]:
    """What comes of an object that has ``every`` property under a Filter."""
    always = ALWAYS | REQUIRED_OF_CLASS.get(upnp_class, set())
    found = {each for each in every if each in always or named(each, wanted)}
    if any(each.startswith("res@") for each in found):
        found.add("res")
    if "res" in found:
        found.add("res@protocolInfo")
    return found


def filters(names: list[str]) -> Iterator[set[str]]:
    yield set()
    yield from ({name} for name in names)
    yield from (set(pair) for pair in combinations(names, 2))
