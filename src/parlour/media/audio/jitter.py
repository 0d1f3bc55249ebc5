"""The jitter buffer of one sender: puts packets in order and pays with delay, as little as the network allows.

Positions are RTP timestamps made monotonic. A packet's *lateness* is how much longer it took than the fastest packet
of the last seconds; the *delay* is how long a packet as fast as that one waits here. The target delay follows the
lateness: up at once, down slowly.

Delay grows where it costs least: where the buffer has run dry, where a packet is missing that may still come, or where
the sender is quiet. It shrinks in the sender's silences, and by the caller taking one packet more when ``excess`` says
so.
"""

from enum import Enum, auto
from math import inf
from typing import Final, NamedTuple

from parlour.media.audio.frame import FRAME, RATE, opus_packet_samples
from parlour.media.packets import RtpPacket

LEAST: Final = FRAME
"""Least target delay in samples."""

MOST: Final = 10 * FRAME
"""Most target delay in samples, 200 ms."""

_START = FRAME  # expected lateness before anything is measured: a target of 40 ms
_RISE = 0.5  # share of a packet's additional lateness by which the expectation rises
_FALL = 10.0  # samples by which it falls with each punctual packet: 10 ms a second at 50 packets a second
_WINDOW = 5 * RATE  # the fastest packet is that of this period and of the one before it
_CAPACITY = 64  # packets: 640 ms of 10 ms packets, 1.28 s of 20 ms packets
_BACKLOG = 10 * FRAME  # above the target: the oldest packets are dropped rather than played faster
_STALL = 5 * FRAME  # after so much concealment without a packet the sender counts as quiet
_EARLY = RATE // 2  # a packet that beats the fastest one by this has come after a jump of timestamps
_PAUSE = RATE // 2  # a packet that is this late after a silence has come after a pause of the sender's clock
_SEQUENCE_JUMP = 1000
_SEEN = (1 << 128) - 1


class Kind(Enum):
    """What the buffer hands out."""

    PACKET = auto()
    LOST = auto()
    """A packet that did not come in time; recover or conceal ``samples``."""
    STALL = auto()
    """Wait: conceal a frame; the sender's time does not advance."""
    GAP = auto()
    """The sender was silent for ``samples`` (discontinuous transmission)."""
    IDLE = auto()
    """Nothing to play: not started, filling, or the sender has gone quiet."""


class Take(NamedTuple):
    """An answer of ``JitterBuffer.take``. ``seam`` tells that packets before this one were skipped.

    The ``payload`` is the packet's; of a lost one it is that of the next, where that is here already.
    """

    kind: Kind
    samples: int = 0
    payload: bytes = b""
    seam: bool = False


class JitterStatistics(NamedTuple):
    """What happened to a sender's packets so far; ``delay_target`` and ``lateness`` in samples."""

    received: int
    duplicates: int
    late: int
    lost: int
    dropped: int
    malformed: int
    stalls: int
    resets: int
    buffered: int
    delay_target: int
    lateness: float


class _Entry(NamedTuple):
    timestamp: int
    samples: int
    payload: bytes


_IDLE = Take(Kind.IDLE)
_STALLED = Take(Kind.STALL, FRAME)


class JitterBuffer:
    """Reorders one sender's Opus packets. Not thread-safe; bounded to 64 packets."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._playing = False
        self._next = 0  # sequence number to be played
        self._play = 0  # timestamp to be played
        self._duration = FRAME
        self._stalled = 0
        self._seam = False
        self._started = False
        self._played = False
        self._newest = 0
        self._newest_timestamp = 0
        self._seen = 0  # bit k: sequence number newest - k has come
        self._low = self._older_low = inf
        self._low_since = -inf
        self._expected = float(_START)
        self._received = self._duplicates = self._late = self._lost = 0
        self._dropped = self._malformed = self._stalls = self._resets = 0

    @property
    def target(self) -> int:
        """The delay that is aimed at, in samples."""
        return max(LEAST, min(MOST, int(self._expected) + FRAME))

    @property
    def duration(self) -> int:
        """Samples of the packet handed out last."""
        return self._duration

    @property
    def position(self) -> int:
        """The timestamp of the sample that is due next, counted on beyond 32 bits."""
        return self._play

    @property
    def ready(self) -> bool:
        """Whether the packet that is due next is here."""
        return self._playing and self._next in self._entries

    def delay(self, now: float, held: int = 0) -> float:
        """Delay at ``now`` in samples; ``held`` samples were taken and not yet played. May be negative."""
        return now * RATE - self._fastest() - self._play + held

    def excess(self, now: float, held: int = 0) -> float:
        """By how many samples the delay is above its target; 0 while nothing plays."""
        return self.delay(now, held) - self.target if self._playing else 0.0

    def reset(self) -> None:
        """Start anew, as with another SSRC. The counters and the expected lateness are kept."""
        self._entries.clear()
        self._playing = self._started = self._played = False
        self._low = self._older_low = inf
        self._low_since = -inf
        self._stalled = 0

    def begin(self, now: float) -> list[bytes]:
        """Start with what is due at ``now`` according to the target; returns the payloads that came before."""
        before: list[bytes] = []
        if self._start(now):
            while len(self._entries) > 1 and self.excess(now) >= max(self._duration - FRAME // 2, FRAME // 2):
                take = self.take(now)
                if take.kind is Kind.PACKET:
                    before.append(take.payload)
        return before

    def put(self, packet: RtpPacket) -> None:
        """Take in a packet as it came from the network. Never raises; what cannot be used is counted."""
        self._received += 1
        samples = opus_packet_samples(packet.payload)
        if not samples:
            self._malformed += 1
            return
        sequence = packet.sequence
        timestamp = self._place(sequence, packet.timestamp)
        ahead = sequence - self._newest
        if ahead <= 0 and self._started and self._seen >> -ahead & 1:
            self._duplicates += 1
            return
        self._measure(packet.arrived, timestamp)
        if not self._started:
            self._started = True
            self._next, self._play = sequence, timestamp
            self._newest, self._newest_timestamp, self._seen = sequence, timestamp, 1
        elif ahead > 0:
            self._newest, self._newest_timestamp = sequence, timestamp
            self._seen = (self._seen << ahead | 1) & _SEEN
        else:
            self._seen |= 1 << -ahead
            if self._played and sequence < self._next:
                self._late += 1
                return
        self._entries[sequence] = _Entry(timestamp, samples, packet.payload)
        if len(self._entries) > _CAPACITY:
            self._drop_oldest()

    def take(self, now: float, held: int = 0, quiet: bool = False) -> Take:
        """What to play next at ``now``, the tick's due time in seconds.

        ``held`` samples were taken and not yet played. ``quiet`` says that the sound just played was low, so that a
        frame more of it would not be noticed.
        """
        if not self._playing and not self._start(now):
            return _IDLE
        while True:
            if len(self._entries) > 1 and self.excess(now, held) > _BACKLOG:
                self._drop_oldest()
                continue
            entry = self._entries.get(self._next)
            if entry is not None:
                return self._take_entry(entry, now, held, quiet)
            if not self._entries:
                return self._stall()
            if self._stalled < _STALL and self.delay(now, held) + FRAME // 2 < self.target:
                return self._stall()
            following = min(self._entries)
            lost = min(self._duration, self._entries[following].timestamp - self._play)
            if lost <= 0:  # the sender's clock leaves no room for what is missing, however much it is
                self._lost += following - self._next
                self._next = following
                continue
            self._next += 1
            self._lost += 1
            self._play += lost
            if self._stalled >= lost:  # what was played while waiting stands for what was lost
                self._stalled -= lost
                continue
            return Take(Kind.LOST, lost, self._entries[following].payload if following == self._next else b"")

    def statistics(self) -> JitterStatistics:
        """Counters since the beginning and the present state."""
        return JitterStatistics(
            received=self._received,
            duplicates=self._duplicates,
            late=self._late,
            lost=self._lost,
            dropped=self._dropped,
            malformed=self._malformed,
            stalls=self._stalls,
            resets=self._resets,
            buffered=len(self._entries),
            delay_target=self.target,
            lateness=self._expected,
        )

    def _fastest(self) -> float:
        return min(self._low, self._older_low)

    def _place(self, sequence: int, raw: int) -> int:
        """The packet's timestamp, made monotonic; resets where it does not follow from what came before."""
        if not self._started:
            return raw
        step = (raw - self._newest_timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        ahead = sequence - self._newest
        if abs(ahead) > _SEQUENCE_JUMP or (ahead > 0 and step < 0) or (ahead < 0 and step > 0):
            self._resets += 1
            self.reset()
            return raw
        return self._newest_timestamp + step

    def _measure(self, arrived: float, timestamp: int) -> None:
        transit = arrived * RATE - timestamp
        lateness = transit - self._fastest() if self._started else 0.0
        if lateness < -_EARLY:
            self._resets += 1
            self.reset()
            lateness = 0.0
        elif lateness > _PAUSE and not self._playing:
            self._low = self._older_low = inf
            self._low_since = -inf
            lateness = 0.0
        if arrived * RATE - self._low_since > _WINDOW:
            self._older_low, self._low = self._low, inf
            self._low_since = arrived * RATE
        self._low = min(self._low, transit)
        lateness = min(max(lateness, 0.0), float(MOST))
        if lateness > self._expected:
            self._expected += _RISE * (lateness - self._expected)
        else:
            self._expected = max(lateness, self._expected - _FALL, 0.0)

    def _start(self, now: float) -> bool:
        if not self._entries:
            return False
        first = min(self._entries)
        timestamp = self._entries[first].timestamp
        if now * RATE - self._fastest() - timestamp < self.target - FRAME // 2:
            return False
        self._playing = self._played = True
        self._stalled = 0
        self._next, self._play = first, timestamp
        return True

    def _take_entry(self, entry: _Entry, now: float, held: int, quiet: bool) -> Take:
        if quiet and self.excess(now, held) < -FRAME:
            return _STALLED
        silent = entry.timestamp - self._play
        if silent > 0:
            skipped = min(silent, max(0, int(self.excess(now, held))))  # nobody misses a part of a silence
            rest = min(silent - skipped, FRAME)
            self._play += skipped + rest
            if rest:
                return Take(Kind.GAP, rest)
        del self._entries[self._next]
        self._next += 1
        self._play = entry.timestamp + entry.samples
        self._duration = entry.samples
        self._stalled = 0
        seam, self._seam = self._seam, False
        return Take(Kind.PACKET, entry.samples, entry.payload, seam)

    def _stall(self) -> Take:
        if self._stalled == 0:
            self._stalls += 1
        self._stalled += FRAME
        if self._stalled <= _STALL:
            return _STALLED
        self._playing = False
        return _IDLE

    def _drop_oldest(self) -> None:
        del self._entries[min(self._entries)]
        self._dropped += 1
        self._seam = True
        if self._playing:
            self._next = min(self._entries)
            self._play = self._entries[self._next].timestamp
