"""The sound of a room, made on time: a thread that mixes 20 ms at a time, on a deadline clock."""

import time
from collections.abc import Callable

from parlour.media.audio.sound import Sound, TickResult
from parlour.media.metronome import Metronome

FRAME_S = 0.02
BEHIND_MAX = 0.2
"""Seconds behind its clock at which the plane lets frames go instead of catching up."""

Deliver = Callable[[TickResult], None]
"""Takes 20 ms of sound, in the plane's thread."""


class SoundPlane:
    """Mixes. ``in_mix`` may be set at any time and acts with the next frame; ``deliver`` is called in the thread.

    ``started`` is when the first frame is due, in seconds of ``time.monotonic``: timestamps count from there.
    """

    def __init__(self, deliver: Deliver, started: float) -> None:
        self.sound = Sound()
        self.in_mix: frozenset[str] = frozenset()
        self._deliver = deliver
        self._metronome = Metronome(
            "parlour-sound", self._mix, started=started, period=FRAME_S, behind_max=BEHIND_MAX, let_go=self.sound.skip
        )
        self._metronome.start()

    def end(self) -> None:
        """Stop before the next frame. Blocks until it would be due."""
        self._metronome.end()

    def statistics(self) -> dict[str, float]:
        """Counts since the start. ``late`` frames came when the next was due, ``seconds`` are the thread's CPU time.

        Those of ``PacketTally`` are of everybody who was here; ``packets_stray`` were of nobody.
        """
        sound, metronome = self.sound.statistics(), self._metronome
        return {
            "ticks": sound.ticks,
            "missed": metronome.missed,
            "late": metronome.late,
            "encoders": sound.encoders,
            "encoded": sound.encoded,
            "awake": sound.awake,
            **sound.packets._asdict(),
            "packets_stray": sound.strays,
            "changes_refused": sound.refused,
            "seconds": metronome.seconds,
        }

    def _mix(self, _number: int) -> None:
        self._deliver(self.sound.tick(time.monotonic(), self.in_mix))
