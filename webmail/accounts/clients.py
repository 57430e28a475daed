"""Who is at the other end of a request, as far as its address and browser say."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """The client's IP address, or None where there is none to know (a unix socket without a proxy's header).

    Behind `settings.TRUSTED_PROXIES` proxies the entry that the outermost of them added to X-Forwarded-For
    counts; what stands to its left came from the client and is worth nothing.
    """
    candidates = [request.META.get("REMOTE_ADDR", "")]
    if settings.TRUSTED_PROXIES:
        forwarded = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        candidates.insert(0, forwarded[-min(settings.TRUSTED_PROXIES, len(forwarded))])
    for text in candidates:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return str(address)
    return None


def network_of(request: HttpRequest) -> str | None:
    """What limits count as one client: an IPv4 address, or the /64 an IPv6 address is from (its first address)."""
    address = address_of(request)
    if address is None or ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False).network_address)


def user_agent_of(request: HttpRequest) -> str:
    """The browser's own description, cut to what a row holds."""
    return str(request.META.get("HTTP_USER_AGENT", ""))[:200]
