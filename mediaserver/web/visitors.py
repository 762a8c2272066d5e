"""Who asks: this machine or another one, our own page or another site's."""

import ipaddress

from starlette.requests import Request

_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_OWN_SITES = ("same-origin", "none")
"""Of ``Sec-Fetch-Site``: our own page, or nobody's (Fetch Metadata §2.4)."""


def is_local(request: Request) -> bool:
    """Whether this machine asks, and does not ask for another (a proxy on it would).

    A connection of ours to an address of ours comes from the same address, unless it is told to
    come from elsewhere; one of others cannot (RFC 1812 §5.3.7: martian sources are dropped).
    """
    if request.client is None or any(name in request.headers for name in _PROXY_HEADERS):
        return False
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    local, _port = request.scope.get("server") or ("", None)
    return (mapped or address).is_loopback or request.client.host == local


def is_of_another_site(request: Request) -> bool:
    """Whether a browser says that a page which is not ours makes it ask (security.md N2).

    Browsers send ``Origin`` with whatever is no GET (Fetch §3.2), ``null`` where a page keeps to
    itself what it is, and pages cannot change that. Programs send none of these. That ``Host`` is
    ours has been seen to before (:mod:`mediaserver.server.admission`): a name that a page has had
    resolved to our address is not.
    """
    if request.headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        return True
    ours = f"http://{request.headers.get('host', '')}".lower()
    origin, referer = request.headers.get("origin"), request.headers.get("referer")
    return (origin is not None and origin.lower() != ours) or (
        referer is not None and not f"{referer}/".lower().startswith(f"{ours}/")
    )
