"""The streams that a peer sends: numbering, statistics for receiver reports, and which packets to ask for again."""

from typing import Final

from aiortc.rtp import RtcpReceiverInfo, clamp_packets_lost

from parlour.media.transport.rtp import extend

#: How long a gap may be the network's reordering, in seconds.
REORDERING: Final = 0.01
#: How often one packet is asked for, at what distance in seconds at least, and how many may be missing at once.
MAX_TRIES: Final = 6
MIN_INTERVAL: Final = 0.05
MAX_MISSING: Final = 128


class Incoming:
    """One source of the peer.

    Sequence numbers are extended and start after ``after``, so that a source that replaces another keeps counting up.
    """

    def __init__(self, ssrc: int, clock_rate: int, sequence: int, after: int = 0xFFFF) -> None:
        self.ssrc = ssrc
        self.clock_rate = clock_rate
        self.first = extend(sequence, (after | 0xFFFF) + 0x8001)
        self.highest = self.first - 1
        self.received = 0
        self.jitter = 0.0
        self._transit: float | None = None
        self._expected_before = 0
        self._received_before = 0
        self._report_arrived = 0.0
        self._report_middle = 0

    def place(self, sequence: int, timestamp: int, now: float) -> int:
        """Count a packet; returns its extended sequence number."""
        extended = extend(sequence, self.highest)
        self.highest = max(self.highest, extended)
        self.received += 1
        arrival = now * self.clock_rate
        transit = arrival - timestamp
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < self.clock_rate:  # beyond a second it is the timestamp's wrap or a restart, not the network
                self.jitter += (change - self.jitter) / 16
        self._transit = transit
        return extended

    def note_report(self, ntp: int, now: float) -> None:
        """The source's sender report came, with ``ntp`` as 32.32 fixed point."""
        self._report_middle = ntp >> 16 & 0xFFFFFFFF
        self._report_arrived = now

    def report(self, now: float) -> RtcpReceiverInfo:
        """The report block about what came since the last one (RFC 3550 section 6.4.1)."""
        expected = self.highest - self.first + 1
        lost = expected - self.received
        expected_now = expected - self._expected_before
        lost_now = expected_now - (self.received - self._received_before)
        fraction = min(255, lost_now * 256 // expected_now) if expected_now > 0 and lost_now > 0 else 0
        self._expected_before, self._received_before = expected, self.received
        delay = min(int((now - self._report_arrived) * 65536), 0xFFFFFFFF) if self._report_middle else 0
        return RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            packets_lost=clamp_packets_lost(lost),
            highest_sequence=self.highest & 0xFFFFFFFF,
            jitter=min(int(self.jitter), 0xFFFFFFFF),
            lsr=self._report_middle,
            dlsr=delay,
        )


class Missing:
    """The packets of a video stream that have not come, at most ``MAX_MISSING`` of them.

    ``overflows`` counts the gaps that were too wide to ask for, ``abandoned`` the packets that never came although they
    were asked for: only a keyframe heals those.
    """

    def __init__(self) -> None:
        self._wanted: dict[int, tuple[float, int]] = {}
        self._highest: int | None = None
        self._next_due = float("inf")
        self.overflows = 0
        self.abandoned = 0

    def __len__(self) -> int:
        return len(self._wanted)

    def restart(self) -> None:
        """Another source goes on: nothing of the one before is wanted any longer."""
        self._wanted.clear()
        self._highest = None
        self._next_due = float("inf")

    def arrived(self, sequence: int, now: float) -> bool:
        """Take note of an extended sequence number; false for a packet that came before or is no longer wanted."""
        highest = self._highest
        if highest is None:
            self._highest = sequence
            return True
        if sequence <= highest:
            return self._wanted.pop(sequence, None) is not None
        self._highest = sequence
        gap = sequence - highest - 1
        if gap:
            if gap + len(self._wanted) > MAX_MISSING:
                self.overflows += 1
                self._wanted.clear()
            else:
                due = now + REORDERING
                for number in range(highest + 1, sequence):
                    self._wanted[number] = (due, 0)
                self._next_due = min(self._next_due, due)
        return True

    def due(self, now: float, round_trip: float) -> list[int]:
        """The sequence numbers (16 bits) to ask for now; each is then due again after ``round_trip`` seconds."""
        if now < self._next_due:
            return []
        interval = max(round_trip, MIN_INTERVAL)
        asked: list[int] = []
        for number, (due, tries) in list(self._wanted.items()):
            if due > now:
                continue
            if tries == MAX_TRIES:
                del self._wanted[number]
                self.abandoned += 1
                continue
            self._wanted[number] = (now + interval, tries + 1)
            asked.append(number & 0xFFFF)
        self._next_due = min((due for due, _ in self._wanted.values()), default=float("inf"))
        return asked
