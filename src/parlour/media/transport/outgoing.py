"""The streams that a leg sends: shared payloads under the leg's own headers (RFC 3550, RFC 4588)."""

import secrets
from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

from parlour.media.packets import MediaPacket
from parlour.media.transport import rtp
from parlour.media.transport.answer import MediaFacts
from parlour.media.transport.history import History
from parlour.media.transport.wire import Wire

#: How many packets a second may be sent again on one leg, and how many at once.
RESEND_RATE: Final = 1000
RESEND_BURST: Final = 250

_SEQUENCE = Struct("!H")


class SenderFacts(NamedTuple):
    """What a sender report says: the RTP time at the moment asked for, and the counts so far."""

    ssrc: int
    rtp_timestamp: int
    packets: int
    octets: int


class _Outgoing:
    """Numbers of one stream: sequence, timestamps and counts."""

    def __init__(self, clock_rate: int) -> None:
        self.ssrc = _new_ssrc()
        self.clock_rate = clock_rate
        self.sequence = secrets.randbelow(0x8000)
        self.offset = secrets.randbits(32)
        self.packets = 0
        self.octets = 0

    def report(self, elapsed: float) -> SenderFacts | None:
        """The facts for a sender report ``elapsed`` seconds after time zero, ``None`` before the first packet.

        They rest on the clock that stamps the packets and not on when a packet was sent, which is a little later, and
        each time another little: so a receiver that ties the streams together by them finds the same tie each time.
        """
        if self.packets == 0:
            return None
        timestamp = (self.offset + round(elapsed * self.clock_rate)) & 0xFFFFFFFF
        return SenderFacts(self.ssrc, timestamp, self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF)


class OutgoingAudio(_Outgoing):
    """The mix that a leg hears."""

    def __init__(self) -> None:
        super().__init__(48000)

    def send(self, facts: MediaFacts, payload: bytes, timestamp: int, marker: bool, wire: Wire) -> None:
        """Send one frame; ``timestamp`` counts 48 kHz ticks from time zero."""
        stamp = (timestamp + self.offset) & 0xFFFFFFFF
        second = facts.payload_type | (rtp.MARKER if marker else 0)
        wire.send_rtp(rtp.HEADER.pack(rtp.VERSION, second, self.sequence, stamp, self.ssrc) + payload)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)


class OutgoingVideo(_Outgoing):
    """The rendition that a leg watches, and what of it may be sent again.

    ``waiting`` is true until the next keyframe: a receiver can do nothing with what comes before.
    """

    def __init__(self) -> None:
        super().__init__(90000)
        self.rtx_ssrc = _new_ssrc()
        self.source: object = None
        self.waiting = True
        self.skipped = 0
        self.resent = 0
        self.refused = 0
        self._last_timestamp = 0
        self._rtx_sequence = secrets.randbelow(0x8000)
        self._history = History(self.sequence)
        self._budget = float(RESEND_BURST)
        self._budget_at = 0.0

    def use(self, source: object) -> None:
        """The packets to come are those of rendition ``source``; another one than before starts at a keyframe."""
        if source != self.source:
            self.source = source
            self.waiting = True

    def forget(self) -> None:
        """Nothing that was sent may be sent again: codec or keys are new. What comes next starts at a keyframe."""
        self._history.clear()
        self.waiting = True

    def send(self, facts: MediaFacts, packets: Sequence[MediaPacket], wire: Wire, now: float) -> None:
        """Send a picture of the shared rendition.

        This is the loop that grows with people: nothing here may be dear, least of all what is done for each packet.
        """
        if self.waiting:
            packets = self._from_keyframe(packets)
        srtp = wire.srtp
        if not packets or srtp is None:
            return
        send_time = self._send_time(facts, now)
        header = rtp.HEADER_WITH_SEND_TIME if send_time else rtp.HEADER
        try:
            sheets = wire.burst.sheets(packets, header.size, srtp.trailer)
        except ValueError:
            wire.failed += len(packets)
            return
        ssrc, payload_type, sequence = self.ssrc, facts.payload_type, self.sequence
        pack, view = header.pack_into, wire.burst.view
        stamp = (packets[0].timestamp + self.offset) & 0xFFFFFFFF
        for sheet in sheets:
            plain = sheet.plain
            view[: len(plain)] = plain
            if send_time:
                for at, marker in sheet.heads:
                    numbers = (payload_type | marker, sequence, stamp, ssrc)
                    pack(view, at, 0x90, *numbers, rtp.ONE_BYTE_PROFILE, 1, send_time)
                    sequence = (sequence + 1) & 0xFFFF
            else:
                for at, marker in sheet.heads:
                    pack(view, at, 0x80, payload_type | marker, sequence, stamp, ssrc)
                    sequence = (sequence + 1) & 0xFFFF
            wire.send_sheet(sheet)
            self.octets += sheet.octets
        self._history.add(packets, stamp)
        self.sequence = sequence
        self.packets += len(packets)
        self._last_timestamp = stamp

    def resend(self, facts: MediaFacts, sequences: Sequence[int], wire: Wire, now: float) -> None:
        """Answer a NACK for ``sequences`` of 16 bits each, as far as the budget goes.

        It goes over the retransmission stream where there is one, else it is the same packet once more.
        """
        elapsed, self._budget_at = now - self._budget_at, now
        self._budget = min(self._budget + elapsed * RESEND_RATE, RESEND_BURST)
        for number, sequence in enumerate(sequences):
            if self._budget < 1:
                self.refused += len(sequences) - number
                return
            found = self._history.find(sequence)
            if found is None:
                self.refused += 1
                continue
            self._budget -= 1
            self.resent += 1
            packet, stamp = found
            marker = rtp.MARKER if packet.marker else 0
            if facts.rtx_payload_type is None:
                # The very same bytes: anything else under this number would reuse a nonce.
                header = rtp.HEADER.pack(rtp.VERSION, facts.payload_type | marker, sequence, stamp, self.ssrc)
                wire.send_rtp(header + packet.payload)
                continue
            numbers = (facts.rtx_payload_type | marker, self._rtx_sequence, stamp, self.rtx_ssrc)
            send_time = self._send_time(facts, now)
            if send_time:
                header = rtp.HEADER_WITH_SEND_TIME.pack(0x90, *numbers, rtp.ONE_BYTE_PROFILE, 1, send_time)
            else:
                header = rtp.HEADER.pack(0x80, *numbers)
            wire.send_rtp(header + _SEQUENCE.pack(sequence) + packet.payload)
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF

    def _send_time(self, facts: MediaFacts, now: float) -> int:
        """The abs-send-time element, 0 for none. It is left out where packets may have to be repeated byte by byte."""
        if facts.abs_send_time_id is None or facts.rtx_payload_type is None:
            return 0
        return (facts.abs_send_time_id << 4 | 2) << 24 | rtp.abs_send_time(now)

    def _from_keyframe(self, packets: Sequence[MediaPacket]) -> Sequence[MediaPacket]:
        start = next((number for number, packet in enumerate(packets) if packet.keyframe and packet.first), None)
        if start is None:
            self.skipped += len(packets)
            return ()
        self.skipped += start
        self.waiting = False
        if self.packets:
            # Every rendition counts from the same zero, but that of a moment may have been sent in another one before.
            ahead = (packets[start].timestamp + self.offset - self._last_timestamp) & 0xFFFFFFFF
            if not 0 < ahead < 0x80000000:
                self.offset = (self.offset - ahead + 1) & 0xFFFFFFFF
        return packets[start:] if start else packets


def _new_ssrc() -> int:
    return 1 + secrets.randbelow(0xFFFFFFFE)
