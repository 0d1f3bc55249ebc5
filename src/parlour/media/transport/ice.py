"""The lite side of ICE: who may send here, and where to send to (RFC 8445, RFC 6544 for TCP).

A lite agent answers checks and never makes its own, so the peer alone decides which of its addresses is used.
"""

import secrets
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from parlour.media.transport.leg import Leg

Address = tuple[str, int] | tuple[str, int, int, int]

MAX_ROUTES: Final = 16
#: So many checks are known again: ten minutes of a peer that makes one every 2.5 s.
MAX_REMEMBERED: Final = 256
#: A path without a check for so long, in seconds, gives way to any other that is checked, and so does a silent peer to
#: another at the same address.
STALE: Final = 10.0

_UDP_TYPE_PREFERENCE: Final = 126
_TCP_TYPE_PREFERENCE: Final = 90
_PASSIVE_PREFERENCE: Final = 4


class Carrier(Protocol):
    """What a datagram came over and the answer goes over: a UDP socket, or one TCP connection.

    ``peers`` are the remote addresses that passed a check here, each with its leg.
    """

    @property
    def peers(self) -> "dict[Address, Leg]": ...

    def sendto(self, data: bytes, address: Address, /) -> object:
        """Send one datagram now; raises ``BlockingIOError`` when it cannot, other ``OSError`` when it never will."""
        ...

    def send_burst(self, data: memoryview, size: int, address: Address, /) -> None:
        """Send datagrams of ``size`` bytes, the last perhaps shorter, that lie in ``data`` one behind the other.

        Raises like ``sendto``; some may have been sent then.
        """
        ...


class Route(NamedTuple):
    """A way to a peer. The same remote address over another socket is another way."""

    carrier: Carrier
    address: Address


class Credentials(NamedTuple):
    """A user name fragment and a password."""

    ufrag: str
    password: str


class Candidate(NamedTuple):
    """An address where we can be reached; its text is the value of SDP's ``a=candidate``."""

    host: str
    port: int
    tcp: bool
    preference: int

    def __str__(self) -> str:
        if self.tcp:
            priority = _TCP_TYPE_PREFERENCE << 24 | (_PASSIVE_PREFERENCE << 13 | self.preference) << 8 | 255
            foundation, transport, suffix = "tcp", "tcp", " tcptype passive"
        else:
            priority = _UDP_TYPE_PREFERENCE << 24 | self.preference << 8 | 255
            foundation, transport, suffix = "udp", "udp", ""
        return f"{foundation}{self.preference} 1 {transport} {priority} {self.host} {self.port} typ host{suffix}"


def new_credentials() -> Credentials:
    """Fresh ones, with more randomness than RFC 8445 section 5.3 asks for: the user name alone finds the leg."""
    return Credentials(secrets.token_hex(8), secrets.token_hex(16))


def candidates(hosts: Sequence[str], udp_port: int | None, tcp_port: int | None) -> Iterator[Candidate]:
    """Our candidates, best first: UDP before TCP, each in the order of ``hosts``."""
    for number, host in enumerate(hosts):
        if udp_port is not None:
            yield Candidate(host, udp_port, tcp=False, preference=8191 - number)
    for number, host in enumerate(hosts):
        if tcp_port is not None:
            yield Candidate(host, tcp_port, tcp=True, preference=8191 - number)


class IceLite:
    """The routes of one peer that passed a check, and the one in use."""

    def __init__(self, remote_ufrag: str, now: float) -> None:
        self.local = new_credentials()
        self.key = self.local.password.encode()
        self.username = f"{self.local.ufrag}:{remote_ufrag}"
        self.remote_ufrag = remote_ufrag
        self.selected: Route | None = None
        self.checks = 0
        self.last_check = now
        self._nominated = False
        self._routes: dict[Route, float] = {}
        self._transactions: dict[bytes, Route] = {}

    @property
    def routes(self) -> Sequence[Route]:
        """Every route that passed a check, least recently checked first."""
        return list(self._routes)

    def validate(self, route: Route, now: float, *, nominated: bool) -> Route | None:
        """Take note of a check that proved authentic, and follow it if it should be followed.

        Returns the route that is forgotten in exchange, if there are too many.
        """
        self.checks += 1
        self.last_check = now
        self._routes.pop(route, None)
        self._routes[route] = now
        if nominated or self._may_follow(now):
            self.selected = route
            self._nominated = self._nominated or nominated
        if len(self._routes) <= MAX_ROUTES:
            return None
        oldest = next(known for known in self._routes if known != self.selected)
        del self._routes[oldest]
        return oldest

    def is_repeated(self, transaction: bytes, route: Route) -> bool:
        """Whether this very check came over another route before: whoever overheard it has written it again.

        A peer itself makes a new one for each route, and sends it again over the same.
        """
        before = self._transactions.setdefault(transaction, route)
        if len(self._transactions) > MAX_REMEMBERED:
            del self._transactions[next(iter(self._transactions))]
        return before != route

    def forget(self, route: Route) -> None:
        """The route is gone: its connection was closed, or another leg proved that it is its own."""
        self._routes.pop(route, None)
        if route == self.selected:
            self._nominated = False
            self.selected = next(reversed(self._routes), None)

    def _may_follow(self, now: float) -> bool:
        """Whether a check that nominates nothing moves the path: before any nomination, or when the path is stale."""
        if self.selected is None or not self._nominated:
            return True
        return now - self._routes.get(self.selected, 0.0) > STALE
