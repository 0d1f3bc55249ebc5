"""The worker's one port for everybody: what arrives is told apart and brought to its leg (RFC 7983).

::

    first byte    0–3     STUN: an authentic check makes its source an address of the leg that the user name names
                 20–63    DTLS  ┐ only from addresses that such a check made the leg's own
                128–191   SRTP  ┘

Everything else is dropped and counted by reason.
"""

import asyncio
import logging
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from parlour.media.transport import stun
from parlour.media.transport.addresses import to_bind, udp_sockets
from parlour.media.transport.arrival import ROOM, arrival
from parlour.media.transport.burst import Burst, cuts, send_cut, send_singly
from parlour.media.transport.dtls import Identity
from parlour.media.transport.ice import Address, Candidate, Carrier, IceLite, Route, candidates
from parlour.media.transport.leg import Leg
from parlour.media.transport.rhythm import Rhythm
from parlour.media.transport.sink import LegSink
from parlour.media.transport.tcp import TcpPeer

#: Datagrams read before the event loop gets its turn again.
BATCH: Final = 64
#: Seconds within which a second datagram makes a port a busy one.
BUSY: Final = 0.008
TICK: Final = 0.1
MAX_CONNECTIONS: Final = 1024
#: DTLS datagrams that wait for their turn, of everybody and of one leg: a flight has five, and may be sent again.
MAX_HANDSHAKE_BACKLOG: Final = 1024
MAX_LEG_BACKLOG: Final = 16

_MAX_DATAGRAM: Final = 2048

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndpointStatistics:
    """Counts since the endpoint was opened.

    ``dropped`` are datagrams that reached no leg, by reason; ``seconds`` is the CPU time of what came over UDP.
    """

    legs: int
    connections: int
    datagrams: int
    checks: int
    dropped: Mapping[str, int]
    seconds: float


class UdpPort:
    """One bound socket and the peers that proved themselves on it."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.peers: dict[Address, Leg] = {}
        self.read_at = float("-inf")
        self.timer: asyncio.Handle | None = None
        self.sendto = sock.sendto
        self._cuts = cuts(sock)

    def send_burst(self, data: memoryview, size: int, address: Address, /) -> None:
        """See ``Carrier``. What the kernel does not cut for a way (a tunnel, a small MTU) is sent in pieces."""
        if self._cuts and len(data) > size:
            try:
                send_cut(self.socket, data, size, address)
            except BlockingIOError:
                raise
            except OSError:
                send_singly(self, data, size, address)
        else:
            send_singly(self, data, size, address)


class Endpoint:
    """All media connections of one worker.

    ``identity`` is the DTLS certificate, ``candidates`` what answers announce, ``rhythm`` when busy ports are read;
    ``clock`` counts the event loop's seconds and ``wall`` is Unix time.
    """

    def __init__(self, identity: Identity, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self.identity = identity
        self.clock = clock
        self.wall = wall
        self.candidates: Sequence[Candidate] = ()
        self.burst = Burst()
        self.rhythm = Rhythm()
        self._legs: dict[Leg, None] = {}
        self._by_ufrag: dict[str, Leg] = {}
        self._ports: list[UdpPort] = []
        self._servers: list[asyncio.Server] = []
        self._connections: set[TcpPeer] = set()
        self._dropped: Counter[str] = Counter()
        self._datagrams = 0
        self._checks = 0
        self._seconds = 0.0
        self._handshakes: deque[tuple[Leg, bytes]] = deque()
        self._shaking: Counter[Leg] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def open(
        cls,
        hosts: Sequence[str] = ("0.0.0.0", "::"),  # noqa: S104 - media ports are public by nature
        *,
        udp_port: int = 0,
        tcp_port: int | None = None,
        public: Sequence[str] = (),
        wall: Callable[[], float] = time.time,
    ) -> Self:
        """Bind and start.

        ``public`` are the addresses that peers reach us under, when they are not this machine's own. Port 0 takes any
        free port; without ``tcp_port`` there is no ICE over TCP. Raises ``OSError`` when nothing can be bound.
        """
        loop = asyncio.get_running_loop()
        endpoint = cls(Identity(), loop.time, wall)
        bound = to_bind(hosts, announced=bool(public))
        if not bound:
            raise OSError("no address to listen on")
        try:
            endpoint._ports = [UdpPort(sock) for sock in udp_sockets(bound, udp_port)]
            if tcp_port is not None:
                tcp_port = await endpoint._listen(bound, tcp_port)
        except OSError:
            await endpoint.close()
            raise
        for port in endpoint._ports:
            loop.add_reader(port.socket, endpoint._readable, port)
        chosen = endpoint._ports[0].socket.getsockname()[1]
        endpoint.candidates = tuple(candidates(tuple(public) or bound, chosen, tcp_port))
        endpoint._timer = loop.call_later(TICK, endpoint._tick)
        return endpoint

    async def close(self) -> None:
        """Close every leg, then the sockets."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for leg in list(self._legs):
            leg.close("the server stops")
        loop = asyncio.get_running_loop()
        for port in self._ports:
            loop.remove_reader(port.socket)
            if port.timer is not None:
                port.timer.cancel()
            port.socket.close()
        self._ports.clear()
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def open_leg(self, sink: LegSink, name: str = "", epoch: float | None = None) -> Leg:
        """A new leg; ``name`` is for the log. It counts as alive from now on and wants its offer soon.

        ``epoch`` is when the timestamps of what will be sent are zero, in seconds of ``clock``: now, if it is left out.
        """
        leg = Leg(self, sink, name, self.clock() if epoch is None else epoch)
        self._legs[leg] = None
        return leg

    def statistics(self) -> EndpointStatistics:
        """What happened so far."""
        return EndpointStatistics(
            len(self._legs), len(self._connections), self._datagrams, self._checks, dict(self._dropped), self._seconds
        )

    # -- what legs ask for

    def register(self, leg: Leg, ice: IceLite) -> None:
        """Checks for this ICE user are the leg's from now on."""
        self._by_ufrag[ice.local.ufrag] = leg

    def release(self, leg: Leg, ice: IceLite) -> None:
        """Neither the ICE user nor the addresses that it proved are the leg's any longer."""
        self._by_ufrag.pop(ice.local.ufrag, None)
        for carrier, address in ice.routes:
            if carrier.peers.get(address) is leg:
                self._vacate(carrier, address)

    def forget(self, leg: Leg) -> None:
        """The leg is closed."""
        self._legs.pop(leg, None)
        if leg.ice is not None:
            self.release(leg, leg.ice)

    def is_tcp(self, carrier: Carrier) -> bool:
        """Whether a carrier is a TCP connection."""
        return isinstance(carrier, TcpPeer)

    def _vacate(self, carrier: Carrier, address: Address) -> None:
        """Nobody is at this address any longer, and so a connection has no use."""
        carrier.peers.pop(address, None)
        if isinstance(carrier, TcpPeer):
            carrier.close()

    # -- what arrives

    def _readable(self, port: UdpPort) -> None:
        """Something came. Where much does, the port is looked at in the ``rhythm`` from now on instead."""
        busy = self.clock() - port.read_at < BUSY
        count = self._read(port)
        if busy:
            asyncio.get_running_loop().remove_reader(port.socket)
            self._read_again(port, count)

    def _gather(self, port: UdpPort) -> None:
        count = self._read(port)
        if count:
            self._read_again(port, count)
        else:
            port.timer = None
            asyncio.get_running_loop().add_reader(port.socket, self._readable, port)

    def _read_again(self, port: UdpPort, count: int) -> None:
        """Plan the next read of a busy port: at once where the last one did not come to an end."""
        loop = asyncio.get_running_loop()
        if count == BATCH:
            port.timer = loop.call_soon(self._gather, port)
        else:
            now = self.clock()
            port.timer = loop.call_later(self.rhythm.next(now) - now, self._gather, port)

    def _read(self, port: UdpPort) -> int:
        """Read what is there, ``BATCH`` datagrams at most; how many there were."""
        started = time.thread_time()
        try:
            return self._read_on(port)
        finally:
            self._seconds += time.thread_time() - started

    def _read_on(self, port: UdpPort) -> int:
        receive = port.socket.recvmsg
        now = port.read_at = self.clock()
        ahead = time.time() - now
        for count in range(BATCH):
            try:
                data, ancillary, _, address = receive(_MAX_DATAGRAM, ROOM)
            except BlockingIOError:
                return count
            except OSError:
                self._dropped["socket error"] += 1
                return count + 1
            self.take(data, port, address, arrival(ancillary, now, ahead))
        return BATCH

    def take(self, data: bytes, carrier: Carrier, address: Address, now: float) -> None:
        """Bring one datagram to its leg, which came at ``now``. Never raises."""
        self._datagrams += 1
        try:
            if len(data) < 2:
                self._dropped["too short"] += 1
            elif 128 <= (first := data[0]) < 192:
                leg = carrier.peers.get(address)
                if leg is None:
                    self._dropped["media from a stranger"] += 1
                else:
                    leg.receive_media(data, now)
            elif first < 4:
                self._check(data, carrier, address, now)
            elif 20 <= first < 64:
                leg = carrier.peers.get(address)
                if leg is None:
                    self._dropped["dtls from a stranger"] += 1
                else:
                    self._queue_handshake(leg, data)
            else:
                self._dropped["unknown protocol"] += 1
        except Exception:
            self._dropped["internal error"] += 1
            logger.exception("a datagram could not be handled")

    def _check(self, data: bytes, carrier: Carrier, address: Address, now: float) -> None:
        try:
            message = stun.parse(data)
        except stun.StunError:
            self._dropped["stun malformed"] += 1
            return
        username = message.username
        leg = self._by_ufrag.get(username.partition(":")[0]) if username is not None else None
        if leg is None or leg.ice is None or username != leg.ice.username:
            self._dropped["stun for nobody"] += 1
            return
        if not stun.is_authentic(message, data, leg.ice.key):
            self._dropped["stun not authentic"] += 1
            return
        if message.kind != stun.REQUEST:
            self._dropped["stun not a request"] += 1
            return
        if leg.ice.is_repeated(message.transaction, Route(carrier, address)):
            self._dropped["stun repeated"] += 1
            return
        if message.controlled:
            answer = stun.error(message.transaction, stun.ROLE_CONFLICT, "Role Conflict", leg.ice.key)
        else:
            if not self._admit(leg, Route(carrier, address), now, nominated=message.use_candidate):
                self._dropped["address in use"] += 1
                return
            self._checks += 1
            answer = stun.success(message.transaction, address[0], address[1], leg.ice.key)
        try:
            carrier.sendto(answer, address)
        except OSError:
            self._dropped["answer not sent"] += 1

    def _admit(self, leg: Leg, route: Route, now: float, *, nominated: bool) -> bool:
        """Make the address the leg's; false where it is another's who lives.

        Anybody can write another's address on a check, and one in the room has a user name to sign it with.
        """
        peers = route.carrier.peers
        before = peers.get(route.address)
        if before is not leg:
            if before is not None:
                if before.lives_at(route, now):
                    return False
                before.lost(route)
            peers[route.address] = leg
        gone = leg.checked(route, now, nominated=nominated)
        if gone is not None:
            self._vacate(gone.carrier, gone.address)
        return True

    def _queue_handshake(self, leg: Leg, data: bytes) -> None:
        """A signature costs as much as many packets: one datagram a turn of the loop, so that media passes between."""
        if len(self._handshakes) >= MAX_HANDSHAKE_BACKLOG:
            self._dropped["dtls backlog full"] += 1
            return
        if self._shaking[leg] >= MAX_LEG_BACKLOG:
            leg.dropped["dtls backlog full"] += 1
            return
        self._shaking[leg] += 1
        self._handshakes.append((leg, data))
        if len(self._handshakes) == 1:
            asyncio.get_running_loop().call_soon(self._next_handshake)

    def _next_handshake(self) -> None:
        leg, data = self._handshakes[0]
        try:
            leg.receive_dtls(data)
        except Exception:
            self._dropped["internal error"] += 1
            logger.exception("a DTLS datagram could not be handled")
        self._handshakes.popleft()
        self._shaking[leg] -= 1
        if not self._shaking[leg]:
            del self._shaking[leg]
        if self._handshakes:
            asyncio.get_running_loop().call_soon(self._next_handshake)

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)
        self.tick()

    def tick(self) -> None:
        """See to what is due on every leg. Never raises."""
        now = self.clock()
        for leg in list(self._legs):
            try:
                leg.tick(now)
            except Exception:
                self._dropped["internal error"] += 1
                logger.exception("leg %s could not be attended to", leg.name)

    # -- ICE over TCP

    async def _listen(self, hosts: Sequence[str], port: int) -> int:
        loop = asyncio.get_running_loop()
        for host in hosts:
            server = await loop.create_server(self._new_connection, host, port)
            self._servers.append(server)
            port = server.sockets[0].getsockname()[1]
        return port

    def _new_connection(self) -> TcpPeer:
        return TcpPeer(self._connection_opened, self._connection_data, self._connection_ended, self._dropped)

    def _connection_opened(self, connection: TcpPeer) -> bool:
        if len(self._connections) >= MAX_CONNECTIONS:
            self._dropped["too many connections"] += 1
            return False
        self._connections.add(connection)
        return True

    def _connection_data(self, data: bytes, connection: TcpPeer) -> None:
        self.take(data, connection, connection.address, self.clock())

    def _connection_ended(self, connection: TcpPeer) -> None:
        self._connections.discard(connection)
        for address, leg in list(connection.peers.items()):
            leg.lost(Route(connection, address))
        connection.peers.clear()
