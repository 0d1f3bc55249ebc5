"""The sound of one member: from RTP packets to a frame each tick."""

from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from parlour.media.audio.decode import DecoderStatistics, OpusDecoder
from parlour.media.audio.frame import FRAME, Samples
from parlour.media.audio.jitter import JitterBuffer, JitterStatistics, Kind, Take
from parlour.media.audio.level import score
from parlour.media.audio.stretch import LEAST_CUT, cross_fade, fade_in, fade_out, lengthen, shorten
from parlour.media.packets import RtpPacket

QUIET_LEVEL: Final = 55
"""-dBov from which a packet is not worth decoding: a score of 47 at most, below every gate that is meant to close."""

_QUIET_SCORE = 60.0  # a frame under this may be lengthened without being noticed
_ONSET_SCORE = 60.0  # a frame from this on may belong to the beginning of speech
_HANG_OVER = 25  # frames that are still decoded after the last packet that was not quiet
_PRE_ROLL = 0.28  # seconds of a sleeping member's packets that are used: the longest delay and the priming
_PRIMING = 4  # of these, so many packets are decoded only to bring the decoder up to date
_INBOX = 64
_HISTORY = 5  # frames that can be played again when the member comes into the mix, 100 ms
_CONCEALED = 5  # frames of concealment, then silence
_REST = 2  # frames between two cuts, so that speech is not rushed
_DRAWN_OUT = 8  # frames from one lengthening to the next, while something is said


@dataclass(frozen=True, slots=True)
class MemberStatistics:
    """A member's sound so far. ``overflowed`` counts packets that came faster than ticks; ``skipped`` were
    received asleep, of which only the last were ever decoded; ``shortened`` and ``lengthened`` are cuts and repeats."""

    jitter: JitterStatistics
    decoder: DecoderStatistics
    awake: bool
    overflowed: int
    skipped: int
    shortened: int
    lengthened: int


class PacketTally(NamedTuple):
    """What was not played of members' packets, and how often a sender began anew; to be added up.

    ``packets_lost`` never came, of which ``packets_recovered`` were repeated by the next ones; ``packets_late`` came
    after their turn, ``packets_dropped`` were too many to be ordered and ``packets_overflowed`` too many to be looked
    at; libopus could not read ``packets_unreadable``.
    """

    packets_lost: int = 0
    packets_recovered: int = 0
    packets_late: int = 0
    packets_dropped: int = 0
    packets_overflowed: int = 0
    packets_duplicate: int = 0
    packets_malformed: int = 0
    packets_unreadable: int = 0
    resets: int = 0


class MemberSound:
    """Receives, orders, decodes and paces what one member sends.

    A member whose packets all say that they are quiet (RFC 6464) sleeps: its packets are neither ordered nor decoded.
    The last of them are kept, so that the decoder is warm when a loud one comes. ``offer`` may be called from another
    thread than the rest.
    """

    def __init__(self) -> None:
        self.score = 0.0
        self.awake = False
        self._inbox: deque[RtpPacket] = deque(maxlen=_INBOX)
        self._jitter = JitterBuffer()
        self._decoder = OpusDecoder()
        self._queue: Samples = np.zeros(0, np.float32)  # decoded, not yet played
        self._behind = 0  # samples of the queue between what is played next and what was said last
        self._delay = 0  # so many of these are wanted, the others are there because of a detour and are to be caught up
        self._history: deque[tuple[Samples, float]] = deque(maxlen=_HISTORY)
        self._hang = 0
        self._rest = 0
        self._concealed = 0
        self._silent = True
        self._overflowed = self._skipped = self._shortened = self._lengthened = 0
        self.said: int | None = None
        """The RTP timestamp (32 bits) of the first sample said last, which is heard ``behind`` samples later."""

    @property
    def behind(self) -> int:
        """Samples by which a frame lags what was said last: by the delay asked for, or a detour; being caught up."""
        return self._behind

    def set_delay(self, samples: int) -> None:
        """Let what is said be heard so much later: at once where nobody notices, else little by little."""
        self._delay = max(0, samples)

    def offer(self, packet: RtpPacket) -> bool:
        """Take in a packet; whether it is one that a sleeping member should wake for."""
        if not self.awake:
            self._skipped += 1
        elif len(self._inbox) == _INBOX:
            self._overflowed += 1
        self._inbox.append(packet)
        return packet.level is None or packet.level < QUIET_LEVEL

    def wake(self, now: float) -> None:
        """Begin to order and decode; harmless when awake already."""
        if self.awake:
            return
        self.awake = True
        self._jitter.reset()
        while self._inbox and now - self._inbox[0].arrived > _PRE_ROLL:
            self._inbox.popleft()
        self._receive()
        self._hang = _HANG_OVER
        for payload in self._jitter.begin(now)[-_PRIMING:]:
            self._decoder.decode(payload)

    def rewind(self) -> None:
        """Go back to the beginning of speech, at most 100 ms, as far as it was not heard yet."""
        loud = (number for number, (_, loudness) in enumerate(self._history) if loudness >= _ONSET_SCORE)
        first = next(loud, len(self._history)) + self._behind // FRAME  # heard so much later than it was said
        onset = [frame for frame, _ in self._history][first:]
        self._history.clear()
        if onset:
            self._behind += FRAME * len(onset)
            self._queue = np.concatenate((fade_in(onset[0]), *onset[1:], self._queue))

    def tick(self, now: float, heard: bool) -> Samples | None:
        """The frame due at ``now``, ``None`` for silence. ``heard`` says that it will be listened to.

        Sets ``score`` to the loudness of what was said last, which may be ahead of the frame.
        """
        self._receive()
        if self._behind != self._delay and not heard:
            self._leap()
        self._fill(now)
        if self._queue.size == 0:
            self.said = None
            self.score = 0.0
            self._history.clear()
            self._doze(heard)
            return None
        self._catch_up()
        frame, self._queue = self._queue[:FRAME], self._queue[FRAME:]
        if heard:
            self._history.clear()
        else:
            self._history.append((frame, self.score))
        self._doze(heard)
        return frame

    def statistics(self) -> MemberStatistics:
        """Counters since the beginning and the present state."""
        return MemberStatistics(
            jitter=self._jitter.statistics(),
            decoder=self._decoder.statistics(),
            awake=self.awake,
            overflowed=self._overflowed,
            skipped=self._skipped,
            shortened=self._shortened,
            lengthened=self._lengthened,
        )

    def tally(self) -> PacketTally:
        """What was not played since the beginning."""
        jitter, decoder = self._jitter.statistics(), self._decoder.statistics()
        return PacketTally(
            packets_lost=jitter.lost,
            packets_recovered=decoder.recovered,
            packets_late=jitter.late,
            packets_dropped=jitter.dropped,
            packets_overflowed=self._overflowed,
            packets_duplicate=jitter.duplicates,
            packets_malformed=jitter.malformed,
            packets_unreadable=decoder.malformed,
            resets=jitter.resets,
        )

    def _receive(self) -> None:
        inbox = self._inbox
        if self._hang > 0:
            self._hang -= 1
        while inbox:
            packet = inbox.popleft()
            if packet.level is None or packet.level < QUIET_LEVEL:
                self._hang = _HANG_OVER
            self._jitter.put(packet)

    def _fill(self, now: float) -> None:
        """Bring the queue to a frame beyond what is to be caught up, and score that frame."""
        quiet = self.score < _QUIET_SCORE
        while (held := self._queue.size - self._behind) < FRAME:
            take = self._jitter.take(now, held, quiet)
            if take.kind is Kind.IDLE:
                self._run_dry()
                return
            if not self._queue.size and self._delay:
                self._queue, self._behind = np.zeros(self._delay, np.float32), self._delay
            self._append(self._samples(take))
        jitter, detour = self._jitter, self._behind - self._delay
        if detour < LEAST_CUT and jitter.ready and jitter.excess(now, held) >= max(FRAME, jitter.duration):
            extra = self._samples(jitter.take(now, held))
            self._append(extra)
            self._behind += extra.size
        self.score = score(self._queue[self._behind : self._behind + FRAME])
        self.said = (jitter.position - self._queue.size + self._behind) & 0xFFFFFFFF

    def _append(self, samples: Samples) -> None:
        self._queue = np.concatenate((self._queue, samples)) if self._queue.size else samples

    def _run_dry(self) -> None:
        """Nothing comes: play what is left, let the sound fade, and be silent."""
        self.score = 0.0
        self.said = None
        self._behind = min(self._behind, self._delay)
        if not self._silent:
            self._silent = True
            self._append(fade_out(self._decoder.conceal()))
        if self._behind and not self._queue.any():
            self._queue, self._behind = self._queue[:0], 0
        short = max(0, self._behind + FRAME - self._queue.size) if self._behind else -self._queue.size % FRAME
        if short:
            self._append(np.zeros(short, np.float32))

    def _samples(self, take: Take) -> Samples:
        seam = self._decoder.conceal() if take.seam and not self._silent else None
        if take.kind is Kind.PACKET:
            samples = self._decoder.decode(take.payload)
        else:
            samples = self._decoder.recover(take.payload, take.samples)
        if not samples.size:
            return self._conceal(take)
        self._concealed = 0
        if self._silent:
            self._silent = False
            return fade_in(samples)
        return samples if seam is None else cross_fade(seam, samples)

    def _conceal(self, take: Take) -> Samples:
        self._concealed += take.samples
        if self._silent:
            return np.zeros(take.samples, np.float32)
        samples = self._decoder.conceal(take.samples)
        if take.kind is Kind.GAP or self._concealed > _CONCEALED * FRAME:
            self._silent = True
            samples = fade_out(samples)
        return samples

    def _catch_up(self) -> None:
        if self._rest:
            self._rest -= 1
            return
        surplus = self._behind - self._delay
        if abs(surplus) < LEAST_CUT:
            return
        before = self._queue.size
        if surplus > 0:
            self._queue = shorten(self._queue, surplus)
            self._rest = _REST
            self._shortened += 1
        else:
            self._queue = lengthen(self._queue, -surplus)
            self._rest = _REST if score(self._queue[:FRAME]) < _QUIET_SCORE else _DRAWN_OUT
            self._lengthened += 1
        self._behind += self._queue.size - before

    def _leap(self) -> None:
        """Be as far behind as is wanted, at once: nobody listens."""
        surplus = self._behind - self._delay
        if surplus > 0:
            self._queue, self._behind = self._queue[surplus:], self._delay
        elif self._queue.size:
            self._queue, self._behind = np.concatenate((np.zeros(-surplus, np.float32), self._queue)), self._delay

    def _doze(self, heard: bool) -> None:
        """Go to sleep when nobody listens and nothing was said for a while."""
        if not heard and self._hang == 0 and self._silent_enough():
            self.awake = False
            self.score = 0.0
            self._silent = True
            self._queue, self._behind = self._queue[:0], 0
            self._history.clear()

    def _silent_enough(self) -> bool:
        return self._silent or self.score < _QUIET_SCORE
