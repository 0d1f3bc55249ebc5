"""What a room makes again and again: a thread that keeps to a clock."""

import logging
import sys
import threading
import time
from collections.abc import Callable

from parlour.media.priority import step_back

log = logging.getLogger("parlour.media")


class Metronome:
    """Calls ``beat(n)`` in a thread of its own, ``n`` periods after ``started``, until it is ended.

    Times are seconds of ``clock``. What is late comes at once, and the next still when it is due. More than
    ``behind_max`` seconds behind, beats are let go, and ``let_go`` is told how many. A beat that raises is logged and
    counted; the next one comes as ever. ``niceness`` says how far the thread steps back.
    """

    def __init__(
        self,
        name: str,
        beat: Callable[[int], None],
        *,
        started: float,
        period: float,
        behind_max: float,
        let_go: Callable[[int], None] = lambda count: None,
        niceness: int = 0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.missed = 0
        """Beats that were let go, or failed."""
        self.late = 0
        """Beats that came, and were not over when the next was due."""
        self.seconds = 0.0
        """CPU time of the thread."""
        self._name = name
        self._beat = beat
        self._started = started
        self._period = period
        self._behind_max = behind_max
        self._let_go = let_go
        self._niceness = niceness
        self._clock = clock
        self._sleep = sleep
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Stop before the next beat. Blocks until it would be due."""
        self._ending = True
        self._thread.join()

    def _run(self) -> None:
        if self._niceness and sys.platform == "linux":  # where priorities are a thread's own
            step_back(self._niceness)
        number = 0
        while True:
            due = self._started + number * self._period
            behind = self._clock() - due
            if behind > self._behind_max:
                count = int(behind / self._period)
                self._let_go(count)
                self.missed += count
                number += count
                due += count * self._period
                behind -= count * self._period
            self._sleep(max(0.0, -behind))
            if self._ending:
                return
            try:
                self._beat(number)
            except Exception:
                # What fails each time shows in the log and the counts.
                self.missed += 1
                log.exception("%s failed", self._name)
            self.late += self._clock() - due > self._period
            self.seconds = time.thread_time()
            number += 1
