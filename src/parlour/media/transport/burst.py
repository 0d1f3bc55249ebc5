"""A picture's packets in one system call: protected one behind the other, cut apart by the kernel (UDP_SEGMENT).

A system call costs three times what protecting a packet does, and a picture is a handful of packets for each viewer.
"""

import socket
from struct import Struct
from typing import Final

from parlour.media.transport.ice import Address, Carrier
from parlour.media.transport.srtp import LONGEST, TRAILER, Memory, Srtp

#: How many datagrams the kernel cuts one call into at most (UDP_MAX_SEGMENTS of the oldest that does it).
MOST: Final = 64
#: Bytes of one call: below the longest datagram that there is.
SPACE: Final = 60_000

_FULL = SPACE - LONGEST - TRAILER
_UDP_SEGMENT: Final = 103  # linux/udp.h
_SIZE = Struct("=H")


class Burst:
    """Protected packets on their way to one address: all of one size, but the last may be shorter.

    ``datagrams`` are what is to be sent, ``size`` the bytes of each but the last.
    """

    __slots__ = ("_end", "_last", "_memory", "_plain", "count", "size")

    def __init__(self) -> None:
        self._memory = Memory(SPACE)
        self._end = self._plain = self.count = self.size = 0
        self._last = False

    @property
    def datagrams(self) -> memoryview:
        """The packets, one behind the other; valid until the next one is added."""
        return self._memory.view[: self._end]

    def add(self, packet: bytes, srtp: Srtp) -> bool:
        """Protect and add a packet; false where it has to wait for the next burst.

        Raises ``SrtpError`` and ``ValueError`` like ``Srtp.protect``, and is as before then.
        """
        length = len(packet)
        if self.count and (self._last or length > self._plain or self.count == MOST or self._end > _FULL):
            return False
        end = srtp.protect_within(self._memory, self._end, packet)
        if not self.count:
            self._plain, self.size = length, end
        self._last = length < self._plain
        self._end = end
        self.count += 1
        return True

    def clear(self) -> None:
        """Begin anew."""
        self._end = self.count = 0
        self._last = False


def cuts(sock: socket.socket) -> bool:
    """Whether the kernel cuts bursts for this socket."""
    try:
        sock.setsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT, 0)
    except OSError:
        return False
    return True


def send_cut(sock: socket.socket, data: memoryview, size: int, address: Address) -> None:
    """Let the kernel cut ``data`` into datagrams of ``size`` bytes. Raises ``OSError`` where the way there cannot."""
    sock.sendmsg([data], [(socket.IPPROTO_UDP, _UDP_SEGMENT, _SIZE.pack(size))], 0, address)


def send_singly(carrier: Carrier, data: memoryview, size: int, address: Address) -> None:
    """Send each datagram by itself."""
    for start in range(0, len(data), size):
        carrier.sendto(bytes(data[start : start + size]), address)
