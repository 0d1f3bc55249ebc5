"""Where a load test may go: to this machine, unless it was told otherwise."""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Final

import ifaddr

NAME_S: Final = 5.0


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is the loopback interface's and nothing else. Asks the resolver for names.

    Raises ``OSError`` where there is no such host.
    """
    found = {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(host.strip("[]"), None)}
    return all(ipaddress.ip_address(address).is_loopback for address in found)


def own_addresses() -> frozenset[str]:
    """Every address of this machine, loopback included."""
    found = set()
    for adapter in ifaddr.get_adapters():
        for address in adapter.ips:
            text = address.ip if isinstance(address.ip, str) else address.ip[0]
            found.add(str(ipaddress.ip_address(text.partition("%")[0])))
    return frozenset(found)


def choose(places: Iterable[tuple[str, int]], own: frozenset[str] | None) -> tuple[str, int] | None:
    """The place to send media to: the first that may be gone to, loopback before all others.

    ``own`` are the addresses that may be gone to, ``None`` for all. Names are no addresses, and are left alone.
    """
    fit: list[tuple[bool, tuple[str, int]]] = []
    for host, port in places:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            continue
        if own is None or address.is_loopback or str(address) in own:
            fit.append((not address.is_loopback, (host, port)))
    return min(fit, key=lambda one: one[0])[1] if fit else None
