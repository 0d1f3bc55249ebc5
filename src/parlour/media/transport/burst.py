"""A picture's packets in one system call: protected one behind the other, cut apart by the kernel (UDP_SEGMENT).

A system call costs three times what protecting a packet does, and a picture is a handful of packets for each viewer.
What is the same for all viewers, which is everything but headers and keys, is laid out once.
"""

import socket
from collections.abc import Sequence
from struct import Struct
from typing import Any, Final, NamedTuple

from parlour.media.packets import MediaPacket
from parlour.media.transport import rtp
from parlour.media.transport.ice import Address, Carrier
from parlour.media.transport.srtp import LONGEST, TRAILER, Memory

#: How many datagrams the kernel cuts one call into at most (UDP_MAX_SEGMENTS of the oldest that does it).
MOST: Final = 64
#: Bytes of one call: below the longest datagram that there is.
SPACE: Final = 60_000

_FULL = SPACE - LONGEST - TRAILER
_UDP_SEGMENT: Final = 103  # linux/udp.h
_SIZE = Struct("=H")


class Sheet(NamedTuple):
    """Packets that leave in one call: all of one size, but the last may be shorter.

    ``plain`` is how they begin, headers and room for what protection adds left empty; ``heads`` are where each one's
    header goes and its marker bit, ``places`` where it is in memory and its length as the cipher wants them;
    ``datagrams`` are the bytes to be sent, each ``size`` long but the last; ``octets`` counts those of payload.
    """

    plain: bytes
    heads: tuple[tuple[int, int], ...]
    places: tuple[tuple[Any, int], ...]
    datagrams: memoryview
    size: int
    octets: int


class Burst:
    """Where pictures are protected, one after another: each sheet is written, protected and sent before the next is."""

    __slots__ = ("_memory", "_packets", "_sheets", "view")

    def __init__(self) -> None:
        self._memory = Memory(SPACE)
        self.view = self._memory.view
        self._packets: Sequence[MediaPacket] = ()
        self._sheets: dict[tuple[int, int], list[Sheet]] = {}

    def sheets(self, packets: Sequence[MediaPacket], header: int, trailer: int) -> list[Sheet]:
        """Lay out a picture for headers of this many bytes and a protection that adds so many, once for all viewers.

        Raises ``ValueError`` for a packet that is too long.
        """
        if packets is not self._packets:
            self._packets = packets
            self._sheets.clear()
        found = self._sheets.get((header, trailer))
        if found is None:
            found = self._sheets[header, trailer] = [
                self._sheet(group, header, trailer) for group in _groups(packets, header + trailer)
            ]
        return found

    def _sheet(self, packets: Sequence[MediaPacket], header: int, trailer: int) -> Sheet:
        plain = bytearray()
        heads, places = [], []
        for packet in packets:
            start, length = len(plain), header + len(packet.payload)
            if length > LONGEST:
                raise ValueError("the packet is too long")
            heads.append((start, rtp.MARKER if packet.marker else 0))
            places.append((self._memory.start + start, length))
            plain += bytes(header) + packet.payload + bytes(trailer)
        size = header + len(packets[0].payload) + trailer
        octets = sum(len(packet.payload) for packet in packets)
        return Sheet(bytes(plain), tuple(heads), tuple(places), self.view[: len(plain)], size, octets)


def _groups(packets: Sequence[MediaPacket], more: int) -> list[Sequence[MediaPacket]]:
    """The packets that may go together; each takes ``more`` bytes besides its payload."""
    groups = []
    start = octets = 0
    for number, packet in enumerate(packets):
        count, length = number - start, len(packet.payload)
        first, before = len(packets[start].payload), len(packets[number - 1].payload)
        if count and (before < first or length > first or count == MOST or octets > _FULL):
            groups.append(packets[start:number])
            start, octets = number, 0
        octets += length + more
    groups.append(packets[start:])
    return groups


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
