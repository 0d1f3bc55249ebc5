"""What came on one connection, counted: continuity, loss, jitter and pictures. Time is passed in, in seconds."""

from dataclasses import dataclass, field
from typing import Final

from parlour.loadtest import description
from parlour.media.packets import RtpPacket
from parlour.media.transport import rtp
from parlour.media.transport.incoming import Incoming, Missing

STILL: Final = 0.5
"""Seconds without a picture that count as a picture that stood still."""
HOLES_MAX: Final = 4096
"""Packets that may be missing at a time and still be told from one another."""
HEALED_MAX: Final = 100_000


@dataclass(slots=True)
class Counts:
    """Counts since the start, or over a window (``after - before``).

    ``lost`` packets are those of the numbers in between that never came, also not again; ``holes`` those that came not
    with their neighbours. ``still`` are the times that the picture stood still, ``refused`` datagrams that were forged
    or came twice.
    """

    packets: int = 0
    octets: int = 0
    audio: int = 0
    audio_lost: int = 0
    video: int = 0
    holes: int = 0
    resent: int = 0
    lost: int = 0
    pictures: int = 0
    still: int = 0
    nacked: int = 0
    plis: int = 0
    dropped: int = 0
    refused: int = 0

    def __sub__(self, before: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) - getattr(before, name) for name in self.__slots__))

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(slots=True)
class Reception:
    """Takes unprotected packets. ``video`` and ``audio`` are the streams as receiver reports tell of them."""

    counts: Counts = field(default_factory=Counts)
    missing: Missing = field(default_factory=Missing)
    audio: Incoming | None = None
    video: Incoming | None = None
    healing: list[float] = field(default_factory=list)
    """How long each hole in the picture's packets was open, seconds."""
    picture_at: float | None = None
    _holes: dict[int, float] = field(default_factory=dict)
    _stamp: int = -1

    def take(self, plain: bytes, arrived: float) -> RtpPacket | None:
        """Count a packet; gives those of the picture, in the order of arrival and none twice. Raises ``RtpError``."""
        header = rtp.parse(plain)
        self.counts.packets += 1
        self.counts.octets += len(plain)
        sequence: int | None
        match header.payload_type:
            case description.AUDIO:
                self._sound(header, arrived)
                return None
            case description.VIDEO:
                start, sequence = header.start, self._picture(header, arrived)
            case description.RTX:
                start, sequence = header.start + 2, self._again(plain, header)
            case _:
                return None
        if sequence is None or not self.missing.arrived(sequence, arrived):
            return None
        if self._holes:
            self._heal(sequence, arrived)
        if start > header.start:
            self.counts.resent += 1
        if header.marker and header.timestamp != self._stamp:
            self._ended(header.timestamp, arrived)
        return RtpPacket(plain[start : header.end], sequence, header.timestamp, header.marker, arrived)

    def _sound(self, header: rtp.Header, arrived: float) -> None:
        counts, stream = self.counts, self.audio
        counts.audio += 1
        if stream is None or stream.ssrc != header.ssrc:
            stream = self.audio = Incoming(header.ssrc, 48_000, header.sequence)
        before = stream.highest
        after = stream.place(header.sequence, header.timestamp, arrived)
        counts.audio_lost += after - before - 1 if after > before else -1

    def _picture(self, header: rtp.Header, arrived: float) -> int:
        counts, stream = self.counts, self.video
        counts.video += 1
        if stream is None or stream.ssrc != header.ssrc:
            stream = self.video = Incoming(header.ssrc, 90_000, header.sequence)
            self.missing.restart()
            self._holes.clear()
        before = stream.highest
        sequence = stream.place(header.sequence, header.timestamp, arrived)
        gap = sequence - before - 1
        if gap > 0:
            counts.holes += gap
            counts.lost += gap
            if gap <= HOLES_MAX:
                self._holes.update(dict.fromkeys(range(before + 1, sequence), arrived))
            while len(self._holes) > HOLES_MAX:  # never asked for again
                del self._holes[next(iter(self._holes))]
        return sequence

    def _again(self, plain: bytes, header: rtp.Header) -> int | None:
        """The number that a retransmission had at first, ``None`` where it is none."""
        if self.video is None or header.end - header.start < 2:
            return None
        sequence = rtp.extend(int.from_bytes(plain[header.start : header.start + 2]), self.video.highest)
        return sequence if sequence <= self.video.highest else None

    def _heal(self, sequence: int, arrived: float) -> None:
        since = self._holes.pop(sequence, None)
        if since is not None:
            self.counts.lost -= 1
            if len(self.healing) < HEALED_MAX:
                self.healing.append(arrived - since)

    def _ended(self, stamp: int, arrived: float) -> None:
        self._stamp = stamp
        self.counts.pictures += 1
        if self.picture_at is not None and arrived - self.picture_at > STILL:
            self.counts.still += 1
        self.picture_at = arrived
