"""Addresses in the one form that they are compared and written in."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address


def unscoped(address: Address) -> Address:
    """The address without scope id, and IPv4 in its own form if it came mapped into IPv6."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.scope_id is not None:
            return IPv6Address(int(address))
    return address


@lru_cache(maxsize=64)
def base_url(host: str, port: int | None) -> str:
    """The address a request came in on, as a URL for whoever sent it; no slash at the end.

    A zone index means something on this machine only; an IPv4 address that came through an IPv6
    socket is written as what it is.
    """
    try:
        address = unscoped(ip_address(host))
    except ValueError:  # a name, or the path of a socket
        authority = host
    else:
        authority = f"[{address}]" if address.version == 6 else str(address)
    return f"http://{authority}:{port}" if port is not None else f"http://{authority}"
