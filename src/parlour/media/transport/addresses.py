"""Where to listen, and what to tell peers about it."""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

import ifaddr

from parlour.media.transport.arrival import tell_arrivals

#: Room for about half a second of a full worker's traffic; the kernel may give less.
SOCKET_BUFFER: Final = 4 * 1024 * 1024

_WILDCARDS: Final = ("0.0.0.0", "::")  # noqa: S104 - recognised here, not bound to


def local_addresses() -> list[str]:
    """This machine's addresses, IPv4 first, without link-local ones; loopback only where there is nothing else."""
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for address in adapter.ips:
            text = address.ip if isinstance(address.ip, str) else address.ip[0]
            parsed = ipaddress.ip_address(text.partition("%")[0])
            if not parsed.is_link_local and not parsed.is_unspecified and not parsed.is_multicast:
                found.append(str(parsed))
    usable = [text for text in found if not ipaddress.ip_address(text).is_loopback]
    return sorted(dict.fromkeys(usable or found), key=lambda text: ":" in text)


def resolve(name: str) -> list[str]:
    """The addresses of a name, those that this machine can bind. Raises ``OSError`` where there is none."""
    if name in _WILDCARDS:
        return [name]
    found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    usable = [address for address in addresses if _can_bind(address)]
    if not usable:
        raise OSError(f"no address of {name} is this machine's")
    return usable


def _can_bind(address: str) -> bool:
    try:
        udp_socket(address, 0).close()
    except OSError:
        return False
    return True


def to_bind(hosts: Sequence[str], *, announced: bool) -> list[str]:
    """The addresses to bind to for the configured ``hosts``.

    A wildcard becomes each of the machine's addresses, so that an answer leaves from where the question came to; where
    other addresses are announced in their place, a wildcard stays one.
    """
    if announced:
        return list(dict.fromkeys(hosts))
    bound: list[str] = []
    for host in hosts:
        if host in _WILDCARDS:
            bound += [text for text in local_addresses() if (":" in text) == (":" in host)]
        else:
            bound.append(host)
    return list(dict.fromkeys(bound))


def udp_socket(host: str, port: int) -> socket.socket:
    """A non-blocking UDP socket with large buffers, which tells when each datagram came where it can.

    Raises ``OSError`` when the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            made.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)
        tell_arrivals(made)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


def udp_sockets(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """One socket for each host, all on the same port; port 0 means any that is free on all of them."""
    for _ in range(16):
        made: list[socket.socket] = []
        chosen = port
        try:
            for host in hosts:
                made.append(udp_socket(host, chosen))
                chosen = made[0].getsockname()[1]
        except OSError:
            for one in made:
                one.close()
            if port != 0:
                raise
        else:
            return made
    raise OSError("no UDP port is free on every address")
