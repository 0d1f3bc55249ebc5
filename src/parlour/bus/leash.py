"""Starts a program that does not outlive whoever started it, even where that is killed without a word.

Run as a script, with the parent's process id, a signal's number and the program: it asks the kernel for the signal at
the parent's death and then becomes the program. Only Linux can do that; elsewhere the program is started as it is, and
after a ``kill -9`` of its parent must be ended by hand.

Ctrl-C at a terminal does not reach the program: whoever started it ends it in its own time. It stays in the session,
though: Linux may share the processor out to sessions first (``sched_autogroup_enabled``), and then priorities count
only within one.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def on_leash(program: Sequence[str], number: signal.Signals = signal.SIGTERM) -> list[str]:
    """The command that starts ``program`` on a leash of this process; ``number`` comes when this process is gone."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(number)), *program]


def _become(parent: int, number: int, program: list[str]) -> None:
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it was gone before the kernel knew
            sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - the program that this process was started for


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
