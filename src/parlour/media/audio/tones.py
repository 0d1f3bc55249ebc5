"""The chords that tell a room that somebody came or went."""

from collections import deque
from enum import Enum
from typing import Final

import numpy as np

from parlour.media.audio.frame import FRAME, RATE, Samples

_PEAK: Final = 32767 * 10 ** (-7 / 20)
_ATTACK: Final = RATE // 100  # samples of the rise and of the fall, 10 ms
_APART: Final = 1.0  # seconds between two tones of a kind
_LEAD_IN: Final = 0.4  # seconds before the entry tone, so that the one who enters can hear it


class Tone(Enum):
    """A chord: frequencies in Hz and length in milliseconds."""

    ENTRY = ((500, 600, 700), 200)
    EXIT = ((300, 200, 100, 50, 25), 500)


def synthesise(tone: Tone) -> Samples:
    """The chord's samples, in whole frames: all frequencies equally loud, together peaking at -7 dBFS."""
    frequencies, milliseconds = tone.value
    count = RATE * milliseconds // 1000
    time = np.arange(count) / RATE
    chord = np.sum([np.sin(2 * np.pi * frequency * time) for frequency in frequencies], axis=0)
    chord *= _PEAK / np.abs(chord).max()
    ramp = np.sin(np.linspace(0, np.pi / 2, _ATTACK)) ** 2
    chord[:_ATTACK] *= ramp
    chord[-_ATTACK:] *= ramp[::-1]
    return np.concatenate((chord, np.zeros(-count % FRAME))).astype(np.float32)


_CHORDS: Final = {tone: synthesise(tone) for tone in Tone}


class Tones:
    """Plays tones one after another, at most one of each kind a second: a rush of people is one tone, not a siren."""

    def __init__(self) -> None:
        self._asked: dict[Tone, float] = {}
        self._waiting: deque[tuple[float, Tone]] = deque()
        self._playing: Samples | None = None
        self._at = 0
        self.played = 0
        self.coalesced = 0

    def ask(self, tone: Tone, now: float) -> None:
        """Have the tone played soon after ``now``, in seconds, unless one of its kind was asked for in this second."""
        last = self._asked.get(tone)
        if (last is not None and now - last < _APART) or any(waiting is tone for _, waiting in self._waiting):
            self.coalesced += 1
            return
        self._asked[tone] = now
        self._waiting.append((now + _LEAD_IN if tone is Tone.ENTRY else now, tone))

    def frame(self, now: float) -> Samples | None:
        """The frame of tone due at ``now``; ``None`` when none plays."""
        if self._playing is None:
            due = next((item for item in self._waiting if item[0] <= now), None)
            if due is None:
                return None
            self._waiting.remove(due)
            self._playing, self._at = _CHORDS[due[1]], 0
            self.played += 1
        frame = self._playing[self._at : self._at + FRAME]
        self._at += FRAME
        if self._at >= self._playing.size:
            self._playing = None
        return frame
