"""The sound of a room, made on time: a thread that mixes 20 ms at a time, on a deadline clock."""

import logging
import threading
import time
from collections.abc import Callable

from parlour.media.audio.sound import Sound, TickResult

FRAME_S = 0.02
BEHIND_MAX = 0.2
"""Seconds behind its clock at which the plane lets frames go instead of catching up."""

Deliver = Callable[[TickResult], None]
"""Takes 20 ms of sound, in the plane's thread."""

log = logging.getLogger("parlour.media")


class SoundPlane:
    """Mixes. ``in_mix`` may be set at any time and acts with the next frame; ``deliver`` is called in the thread.

    ``started`` is when the first frame is due, in seconds of ``time.monotonic``: timestamps count from there.
    """

    def __init__(self, deliver: Deliver, started: float) -> None:
        self.sound = Sound()
        self.in_mix: frozenset[str] = frozenset()
        self._deliver = deliver
        self._started = started
        self._ending = threading.Event()
        self._missed = self._late = 0
        self._seconds = 0.0
        self._thread = threading.Thread(target=self._run, name="parlour-sound", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop after the frame in work. Blocks for as long as that takes."""
        self._ending.set()
        self._thread.join()

    def statistics(self) -> dict[str, float]:
        """Counts since the start. ``late`` frames came when the next was due, ``seconds`` are the thread's CPU time."""
        sound = self.sound.statistics()
        return {
            "ticks": sound.ticks,
            "missed": self._missed,
            "late": self._late,
            "encoders": sound.encoders,
            "encoded": sound.encoded,
            "awake": sound.awake,
            "seconds": self._seconds,
        }

    def _run(self) -> None:
        started = self._started
        tick = 0
        while True:
            due = started + tick * FRAME_S
            now = time.monotonic()
            if now - due > BEHIND_MAX:
                late = int((now - due) / FRAME_S)
                self.sound.skip(late)
                self._missed += late
                self._late += late
                tick += late
                due = started + tick * FRAME_S
            if self._ending.wait(max(0.0, due - now)):
                return
            try:
                self._deliver(self.sound.tick(time.monotonic(), self.in_mix))
            except Exception:
                # The room goes on with the next frame; one that fails each time shows in the log and the counts.
                self._missed += 1
                log.exception("20 ms of sound failed")
            self._late += time.monotonic() - due > FRAME_S
            self._seconds = time.thread_time()
            tick += 1
