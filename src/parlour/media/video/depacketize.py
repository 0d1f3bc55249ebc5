"""The packets of one sender's camera, in any order and with holes, to whole pictures that can be decoded."""

from dataclasses import dataclass

from parlour.media.packets import RtpPacket
from parlour.media.video.codec import EncodedPicture, PayloadError, VideoCodec
from parlour.media.video.h264 import H264Assembler
from parlour.media.video.vp8 import Vp8Assembler

MAX_PICTURE = 1 << 20
"""Bytes of one encoded picture. A 1080p keyframe at a high rate has a quarter of that."""

WINDOW = 256
"""Packets that wait behind a hole before it is given up."""

JUMP = 3000
"""Sequence numbers ahead or behind that mean a new beginning instead of a hole (RFC 3550 appendix A.1, MAX_DROPOUT)."""


@dataclass(slots=True)
class DepacketizerStatistics:
    """Counts since the start.

    ``lost`` and ``late`` are packets, ``dropped`` pictures that came but could not be used.
    """

    pictures: int = 0
    keyframes: int = 0
    dropped: int = 0
    lost: int = 0
    late: int = 0
    malformed: int = 0


class Depacketizer:
    """Puts packets in order and joins them to pictures. Never raises for what a sender sends.

    ``patience`` is how long, in seconds of the packets' arrival times, packets wait behind a hole: long enough for a
    retransmission, short enough not to freeze. A picture with a hole is dropped, and all after it up to the next
    keyframe. ``parameter_sets`` are H.264 NAL units that the sender gave in SDP. ``counts`` go on counting.
    """

    def __init__(self, codec: VideoCodec, *, patience: float = 0.15, parameter_sets: tuple[bytes, ...] = ()) -> None:
        self.codec = codec
        self.refresh_wanted = False
        """Whether a keyframe must be asked for: something was lost since the last one, or none came yet."""
        self._patience = patience
        self._assembler: H264Assembler | Vp8Assembler = (
            H264Assembler(parameter_sets) if codec is VideoCodec.H264 else Vp8Assembler()
        )
        self._next = -1
        self._behind_hole: dict[int, RtpPacket] = {}
        self._hole_since = 0.0
        self._timestamp: int | None = None
        self._broken = False
        self._needs_keyframe = True
        self.counts = DepacketizerStatistics()

    def push(self, packet: RtpPacket) -> list[EncodedPicture]:
        """Take a packet and return the pictures that it completes, oldest first, usually none or one."""
        if self._next < 0 or abs(packet.sequence - self._next) > JUMP:
            self._restart(packet.sequence)
        if packet.sequence < self._next or packet.sequence in self._behind_hole:
            self.counts.late += 1
            return []
        if packet.sequence > self._next:
            if not self._behind_hole:
                self._hole_since = packet.arrived
            self._behind_hole[packet.sequence] = packet
        pictures: list[EncodedPicture] = []
        if packet.sequence == self._next:
            self._take(packet, pictures)
            self._drain(packet.arrived, pictures)
        while self._behind_hole and (
            len(self._behind_hole) > WINDOW or packet.arrived - self._hole_since > self._patience
        ):
            self._give_up_hole()
            self._drain(packet.arrived, pictures)
        return pictures

    def missing(self, limit: int = 64) -> list[int]:
        """Sequence numbers that may still be asked for again (NACK), oldest first."""
        if not self._behind_hole:
            return []
        absent: list[int] = []
        for sequence in range(self._next, max(self._behind_hole)):
            if sequence not in self._behind_hole:
                absent.append(sequence)
                if len(absent) == limit:
                    break
        return absent

    @property
    def waiting(self) -> int:
        """How many packets wait behind a hole."""
        return len(self._behind_hole)

    def _restart(self, sequence: int) -> None:
        if self._next >= 0:
            self.counts.lost += 1
            self._lose()
        self._behind_hole.clear()
        self._next = sequence

    def _drain(self, now: float, pictures: list[EncodedPicture]) -> None:
        while (packet := self._behind_hole.pop(self._next, None)) is not None:
            self._take(packet, pictures)
        self._hole_since = now

    def _give_up_hole(self) -> None:
        first = min(self._behind_hole)
        self.counts.lost += first - self._next
        self._next = first
        self._lose()

    def _lose(self) -> None:
        """A packet is gone for good: the picture in hand is spoilt, and what refers to it."""
        self._assembler.reset()
        self._broken = self._timestamp is not None
        self._needs_keyframe = self.refresh_wanted = True

    def _take(self, packet: RtpPacket, pictures: list[EncodedPicture]) -> None:
        """The next packet in order. One without payload is padding that probes the bandwidth."""
        self._next = packet.sequence + 1
        if not packet.payload:
            return
        if self._timestamp is not None and packet.timestamp != self._timestamp:
            self._finish(packet.arrived, pictures)
        self._timestamp = packet.timestamp
        if not self._broken:
            try:
                self._assembler.add(packet.payload)
            except PayloadError:
                self._spoil()
            if self._assembler.size > MAX_PICTURE:
                self._spoil()
        if packet.marker:
            self._finish(packet.arrived, pictures)

    def _spoil(self) -> None:
        self.counts.malformed += 1
        self._lose()

    def _finish(self, arrived: float, pictures: list[EncodedPicture]) -> None:
        timestamp, broken = self._timestamp, self._broken
        self._timestamp, self._broken = None, False
        if broken or timestamp is None:
            self.counts.dropped += 1
            return
        try:
            whole = self._assembler.finish()
        except PayloadError:
            self.counts.malformed += 1
            self.counts.dropped += 1
            self._lose()
            return
        if whole is None:
            return
        data, keyframe = whole
        if self._needs_keyframe and not keyframe:
            self.counts.dropped += 1
            self.refresh_wanted = True
            return
        self._needs_keyframe = self.refresh_wanted = False
        self.counts.pictures += 1
        self.counts.keyframes += keyframe
        pictures.append(EncodedPicture(self.codec, data, timestamp, keyframe, arrived))
