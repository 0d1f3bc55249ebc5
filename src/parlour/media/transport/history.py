"""What was sent, for sending again.

The payloads are the shared rendition's own: a leg's history holds references and the timestamps it gave them.
"""

from collections.abc import Sequence
from typing import Final

from parlour.media.packets import MediaPacket

#: About three seconds of a 2 Mbit/s rendition. A power of two.
SIZE: Final = 512

_MASK: Final = SIZE - 1


class History:
    """The last ``SIZE`` packets of one outgoing stream, found by their 16-bit sequence number.

    ``end`` is the sequence number after the newest.
    """

    __slots__ = ("_count", "_packets", "_timestamps", "end")

    def __init__(self, end: int) -> None:
        self.end = end
        self._packets: list[MediaPacket | None] = [None] * SIZE
        self._timestamps = [0] * SIZE
        self._count = 0

    def add(self, packets: Sequence[MediaPacket], timestamp: int) -> None:
        """These were sent one behind the other, the first one under ``end``."""
        count, start = len(packets), self.end & _MASK
        if start + count <= SIZE:
            self._packets[start : start + count] = packets
            self._timestamps[start : start + count] = [timestamp] * count
        else:
            for number, packet in enumerate(packets, start):
                self._packets[number & _MASK] = packet
                self._timestamps[number & _MASK] = timestamp
        self.end = (self.end + count) & 0xFFFF
        self._count = min(self._count + count, SIZE)

    def find(self, sequence: int) -> tuple[MediaPacket, int] | None:
        """The packet that was sent under ``sequence`` and its timestamp, ``None`` when it is gone or never was."""
        age = (self.end - sequence) & 0xFFFF
        if not 1 <= age <= self._count:
            return None
        slot = sequence & _MASK
        packet = self._packets[slot]
        return None if packet is None else (packet, self._timestamps[slot])

    def clear(self) -> None:
        """Forget everything."""
        self._packets = [None] * SIZE
        self._count = 0
