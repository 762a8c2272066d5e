"""URLs of addresses as RFC 3986 §3.2.2 writes them, for somebody on another machine."""

import pytest

from mediaserver.server.addresses import base_url


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("192.0.2.5", 8200, "http://192.0.2.5:8200"),
        ("2001:db8::5", 8200, "http://[2001:db8::5]:8200"),
        ("nas.local", 80, "http://nas.local:80"),
        ("192.0.2.5", None, "http://192.0.2.5"),
    ],
)
def test_an_address_is_written_as_a_url(host: str, port: int | None, expected: str) -> None:
    assert base_url(host, port) == expected


def test_a_zone_is_left_out() -> None:
    """It means something on this machine only (RFC 4007 §11.2)."""
    assert base_url("fe80::1%eth0", 8200) == "http://[fe80::1]:8200"


def test_an_ipv4_address_from_an_ipv6_socket_is_written_as_what_it_is() -> None:
    assert base_url("::ffff:192.0.2.5", 8200) == "http://192.0.2.5:8200"
