"""The argument Filter: which names select what (content-directory 5)."""

import pytest

from mediaserver.av.filter import MAX_LENGTH, parse
from mediaserver.upnp.errors import InvalidArgs


def test_a_star_names_everything() -> None:
    assert parse("*").element("upnp:genre")
    assert parse("*").attribute("res", "size")
    assert parse("*").of_object("container", "childCount")


def test_a_star_among_names_names_everything_too() -> None:
    assert parse("dc:title,*").element("upnp:genre")


def test_an_empty_filter_names_nothing() -> None:
    assert not parse("").element("upnp:genre")
    assert not parse("").of_object("container", "childCount")


def test_blanks_around_names_do_no_harm() -> None:
    assert parse(" upnp:genre ,\tupnp:album\n").element("upnp:album")


def test_an_unknown_name_is_no_error() -> None:
    assert not parse("xbmc:rating,,").element("upnp:rating")


def test_naming_an_attribute_names_its_element() -> None:
    assert parse("upnp:artist@role").element("upnp:artist")


def test_naming_an_element_does_not_name_its_attributes() -> None:
    assert not parse("res").attribute("res", "size")


@pytest.mark.parametrize("name", ["@size", "res@size", "res#"])
def test_an_attribute_of_res_is_named_in_three_ways(name: str) -> None:
    assert parse(name).attribute("res", "size")


def test_an_attribute_is_named_with_hash_only_for_its_own_element() -> None:
    assert not parse("upnp:artist#").attribute("res", "size")


def test_naming_a_longer_element_does_not_name_a_shorter_one() -> None:
    assert not parse("upnp:albumArtURI").element("upnp:album")


@pytest.mark.parametrize("name", ["@childCount", "container@childCount"])
def test_an_attribute_of_the_object_is_named_in_two_ways(name: str) -> None:
    assert parse(name).of_object("container", "childCount")


def test_an_attribute_of_items_is_not_one_of_containers() -> None:
    assert not parse("item@childCount").of_object("container", "childCount")


def test_the_dlna_profile_of_art_may_be_named_alone() -> None:
    """Named so by televisions of Sony."""
    assert parse("dlna:profileID").attribute("upnp:albumArtURI", "dlna:profileID")


def test_names_of_the_client_profile_are_added() -> None:
    assert parse("dc:title", "upnp:artist@role").attribute("upnp:artist", "role")


def test_a_filter_longer_than_the_limit_is_402() -> None:
    with pytest.raises(InvalidArgs):
        parse("x" * (MAX_LENGTH + 1))
