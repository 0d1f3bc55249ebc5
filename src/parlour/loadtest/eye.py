"""Looking at the room's picture as one member gets it: is it whole, how even is it, and how old is what it shows?"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parlour.loadtest.timecode import UNREAD, Reader, Rect
from parlour.media.packets import RtpPacket
from parlour.media.video.canvas import rows_of
from parlour.media.video.codec import VideoCodec
from parlour.media.video.decode import PictureDecoder
from parlour.media.video.depacketize import Depacketizer

LATEST: Final = 2.0
"""Seconds beyond which an age is not measured: a number is sent again after some seconds, and read wrongly at times."""
PICTURES_MAX: Final = 200_000
"""Pictures that are remembered: an hour and a half of them. Later ones are not."""
AGES_MAX: Final = 200_000
"""Numbers read that are remembered: the last ones, for many in a room are read in every picture."""


class Opening:
    """Waits for the first keyframe. ``seen_at`` is when the last packet of it came."""

    refresh_wanted = False

    def __init__(self, codec: VideoCodec) -> None:
        self.seen_at: float | None = None
        self._depacketizer = Depacketizer(codec)

    def push(self, packet: RtpPacket) -> None:
        """See ``Sight``."""
        if self.seen_at is None and any(picture.keyframe for picture in self._depacketizer.push(packet)):
            self.seen_at = packet.arrived


def _last_ones() -> deque[float]:
    return deque(maxlen=AGES_MAX)


@dataclass(slots=True)
class Seen:
    """What was seen. Times in seconds; ``ages`` is how old the parts of the picture were when they came.

    ``stamps`` and ``arrivals`` are of each picture that was decoded: 90 kHz ticks that go on counting, Unix time.
    ``old_at`` is when one came that was older than is measured. ``legible`` of ``looked`` numbers in tiles of those who
    send could be read.
    """

    stamps: list[int] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    ages: deque[float] = field(default_factory=_last_ones)
    aged_at: deque[float] = field(default_factory=_last_ones)
    old_at: deque[float] = field(default_factory=_last_ones)
    looked: int = 0
    legible: int = 0
    errors: int = 0

    def ages_between(self, began: float, ended: float) -> list[float]:
        """The ages of what came in this span of Unix time."""
        return [age for at, age in zip(self.aged_at, self.ages, strict=True) if began <= at <= ended]


class Eye:
    """Decodes, and reads the numbers in the tiles. ``seen_at`` is when the last packet of the first picture came.

    ``sent`` is, by member, the Unix time at which each number of its film left last.
    """

    def __init__(self, codec: VideoCodec, sent: Mapping[str, Sequence[float]]) -> None:
        self.seen = Seen()
        self.seen_at: float | None = None
        self._sent = sent
        self._depacketizer, self._decoder = Depacketizer(codec), PictureDecoder(codec)
        self._tiles: dict[str, Rect] = {}
        self._members: list[str] = []
        self._reader: tuple[tuple[int, int], Reader] | None = None
        self._last: dict[str, int] = {}

    @property
    def refresh_wanted(self) -> bool:
        """See ``Sight``."""
        return self._depacketizer.refresh_wanted or self._decoder.refresh_wanted

    def lay_out(self, tiles: Mapping[str, Rect]) -> None:
        """Where members are shown from now on: left, top, width and height in percent of the canvas."""
        self._tiles = dict(tiles)
        self._reader = None

    def push(self, packet: RtpPacket) -> None:
        """See ``Sight``."""
        for picture in self._depacketizer.push(packet):
            self._decoder.feed(picture)
            frame = self._decoder.newest()
            if self.seen_at is None and frame is not None:
                self.seen_at = packet.arrived
            if frame is None:
                self.seen.errors += 1
            elif len(self.seen.stamps) < PICTURES_MAX:
                self._note(picture.timestamp, packet.arrived, (frame.width, frame.height))
                self._read(rows_of(frame.planes[0])[:, : frame.width], packet.arrived)

    def _note(self, timestamp: int, arrived: float, size: tuple[int, int]) -> None:
        seen = self.seen
        before = seen.stamps[-1] if seen.stamps else timestamp
        step = (timestamp - before) & 0xFFFFFFFF
        seen.stamps.append(before + (step if step < 0x80000000 else step - 0x100000000))
        seen.arrivals.append(arrived)
        seen.sizes.append(size)

    def _read(self, luma: NDArray[np.uint8], arrived: float) -> None:
        height, width = luma.shape
        if self._reader is None or self._reader[0] != (width, height):
            shown = {member: rect for member, rect in self._tiles.items() if member in self._sent}
            self._members = list(shown)
            scaled = [(x * width, y * height, w * width, h * height) for x, y, w, h in shown.values()]
            reader = Reader([(x / 100, y / 100, w / 100, h / 100) for x, y, w, h in scaled])
            self._reader = (width, height), reader
        for member, number in zip(self._members, self._reader[1].read(luma), strict=True):
            self.seen.looked += 1
            if number == UNREAD:
                continue
            self.seen.legible += 1
            before = self._last.get(member)
            self._last[member] = number
            age = arrived - self._sent[member][number]
            if before is None or number == before or age < 0:
                continue
            if age >= LATEST:
                self.seen.old_at.append(arrived)
            else:
                self.seen.ages.append(age)
                self.seen.aged_at.append(arrived)
