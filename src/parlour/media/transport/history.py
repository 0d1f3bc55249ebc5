"""What was sent, for sending again.

The payloads are the shared rendition's own: a leg's history holds references and the timestamps it gave them.
"""

from typing import Final

from parlour.media.packets import MediaPacket

#: About three seconds of a 2 Mbit/s rendition. A power of two.
SIZE: Final = 512


class History:
    """The last ``SIZE`` packets of one outgoing stream, found by their 16-bit sequence number.

    The slots are public because the send loop writes them in place: ``packets[sequence & MASK]``,
    ``timestamps[sequence & MASK]``; ``end`` is the sequence number after the newest and ``count`` says how many slots
    are filled.
    """

    MASK: Final = SIZE - 1

    __slots__ = ("count", "end", "packets", "timestamps")

    def __init__(self) -> None:
        self.packets: list[MediaPacket | None] = [None] * SIZE
        self.timestamps = [0] * SIZE
        self.end = 0
        self.count = 0

    def find(self, sequence: int) -> tuple[MediaPacket, int] | None:
        """The packet that was sent under ``sequence`` and its timestamp, ``None`` when it is gone or never was."""
        age = (self.end - sequence) & 0xFFFF
        if not 1 <= age <= self.count:
            return None
        slot = sequence & self.MASK
        packet = self.packets[slot]
        return None if packet is None else (packet, self.timestamps[slot])

    def clear(self) -> None:
        """Forget everything."""
        self.packets = [None] * SIZE
        self.count = 0
