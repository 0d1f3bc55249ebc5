"""One loop for everybody's media: what is due is sent, what came is read, some hundred times a second.

A task, a timer or a wake-up for each packet would cost more than the packet. So sockets are asked together which of
them has something, the kernel hands over what came as one burst in one call (UDP_GRO), and says when it came.
"""

import asyncio
import heapq
import itertools
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from struct import Struct
from typing import Final, NamedTuple, Protocol

from parlour.media.transport.arrival import ROOM, tell_arrivals, unix_time

TICK_S: Final = 0.004
"""How often the loop looks. What is due meanwhile waits for it; arrival times come from the kernel."""
TEND_S: Final = 0.02
"""How often each member is attended to, besides sending."""
LATENESS_MAX: Final = 50_000
READS_MAX: Final = 16
"""Bursts that are read from one socket before the others get their turn."""

_BUFFER: Final = 4 << 20
_DATAGRAM_MAX: Final = 65_536
_SOL_UDP: Final = 17
_UDP_GRO: Final = 104  # linux/udp.h
_SEGMENT = Struct("@i")
_ROOM = ROOM + socket.CMSG_SPACE(_SEGMENT.size)

Work = Callable[[float], float]
"""Does something at a time (seconds of the loop's clock) and says when it wants to be called again."""


class Member(Protocol):
    """What the engine knows of a member."""

    def take(self, data: bytes, now: float, arrived: float) -> None:
        """A datagram came; ``arrived`` is Unix time."""

    def tend(self, now: float) -> float:
        """See to what is due; gives when to call again."""


class _Due(NamedTuple):
    at: float
    number: int
    member: Member
    work: Work


class Engine:
    """Drives members until it is cancelled.

    ``bursts`` lets the kernel hand over a burst in one piece. ``lateness`` is how far behind its time each of the last
    works was done, in seconds, and ``turns`` how often the loop went round.
    """

    def __init__(self, *, bursts: bool = True) -> None:
        self.turns = 0
        self.datagrams = 0
        self.lateness: deque[float] = deque(maxlen=LATENESS_MAX)
        self._bursts = bursts
        self._epoll = select.epoll()
        self._sockets: dict[int, tuple[socket.socket, Member]] = {}
        self._due: list[_Due] = []
        self._numbers = itertools.count()
        self._buffer = bytearray(_DATAGRAM_MAX)
        self._view = memoryview(self._buffer)

    def open(self, place: tuple[str, int], member: Member) -> socket.socket:
        """A socket towards ``place`` whose datagrams are the member's. Raises ``OSError``."""
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            tell_arrivals(opened)
            if self._bursts:
                try:
                    opened.setsockopt(_SOL_UDP, _UDP_GRO, 1)
                except OSError:
                    self._bursts = False  # an older kernel
            opened.connect(place)
        except OSError:
            opened.close()
            raise
        self._sockets[opened.fileno()] = (opened, member)
        self._epoll.register(opened.fileno(), select.EPOLLIN)
        self.add(member, [(0.0, member.tend)])
        return opened

    def add(self, member: Member, works: Iterable[tuple[float, Work]]) -> None:
        """Let a member do things, each first after so many seconds."""
        now = time.monotonic()
        for delay, work in works:
            heapq.heappush(self._due, _Due(now + delay, next(self._numbers), member, work))

    def close(self, opened: socket.socket) -> None:
        """The member is done."""
        number = opened.fileno()
        if number in self._sockets:
            _, member = self._sockets.pop(number)
            self._epoll.unregister(number)
            self._due = [due for due in self._due if due.member is not member]
            heapq.heapify(self._due)
        opened.close()

    def shut(self) -> None:
        """Close everything."""
        for opened, _ in list(self._sockets.values()):
            self.close(opened)
        self._epoll.close()

    async def run(self) -> None:
        """Go round until cancelled."""
        due = time.monotonic()
        while True:
            now = time.monotonic()
            self.turn(now)
            due = max(due + TICK_S, now)
            await asyncio.sleep(due - time.monotonic())

    def turn(self, now: float) -> None:
        """Send what is due and read what came, once."""
        self.turns += 1
        queue = self._due
        while queue and queue[0].at <= now:
            at, _, member, work = heapq.heappop(queue)
            self.lateness.append(now - at)
            heapq.heappush(queue, _Due(work(now), next(self._numbers), member, work))
        for number, _ in self._epoll.poll(0):
            found = self._sockets.get(number)
            if found is not None:
                self._read(*found, now)

    def _read(self, opened: socket.socket, member: Member, now: float) -> None:
        view = self._view
        for _ in range(READS_MAX):
            try:
                size, ancillary, _, _ = opened.recvmsg_into([self._buffer], _ROOM)
            except BlockingIOError:
                return
            except OSError:
                return  # nobody listens there any more: reports say so soon
            arrived, segment = 0.0, size
            for level, _, value in ancillary:
                if level == _SOL_UDP:
                    (segment,) = _SEGMENT.unpack_from(value)
                else:
                    arrived = unix_time(value)
            for start in range(0, size, max(1, segment)):
                self.datagrams += 1
                member.take(bytes(view[start : min(start + segment, size)]), now, arrived)
