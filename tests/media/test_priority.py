"""Priorities as the kernel keeps them, of somebody who has no right to step forward."""

import os
import queue
import subprocess
import sys
import time

import pytest

from parlour.media.metronome import Metronome
from parlour.media.priority import FILM, PICTURE, step_back
from tests.support.waiting import PATIENCE_S

NOBODY_SPECIAL = ("setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice")
PROGRAM = f"import os; from {step_back.__module__} import step_back; step_back({FILM}); print(os.nice(0))"


@pytest.mark.parametrize("more", [0, 4, 15])
def test_a_film_steps_back_as_far_as_it_should_however_its_server_was_started(more: int) -> None:
    started = min(19, os.getpriority(os.PRIO_PROCESS, 0) + more)
    program = [*NOBODY_SPECIAL, "nice", "-n", str(more), sys.executable, "-c", PROGRAM]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    assert int(done.stdout) == max(started, FILM)


def test_a_picture_steps_back_in_its_own_thread_alone() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    found: queue.Queue[int] = queue.Queue()
    metronome = Metronome(
        "picture",
        lambda number: found.put(os.getpriority(os.PRIO_PROCESS, 0)),
        started=time.monotonic(),
        period=0.02,
        behind_max=0.25,
        niceness=PICTURE,
    )
    metronome.start()
    assert found.get(timeout=PATIENCE_S) == max(before, PICTURE)
    metronome.end()
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
