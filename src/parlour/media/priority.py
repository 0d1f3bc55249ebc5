"""Who goes first where the machine is busy: sound, then the picture, then films that are over already."""

import os

PICTURE = 5
"""The niceness of what makes a room's picture: its sound and its packets are made and read first."""

FILM = 10
"""The niceness of what finishes a film: nobody waits for that as one waits for an answer in a room."""


def step_back(niceness: int) -> None:
    """Give who calls this niceness (the kernel's, 0 to 19; 5 more is a third of the share), unless it has more already.

    Who calls is a thread on Linux, elsewhere its whole process. Nothing adds up: the film of a server that was itself
    started with ``nice`` would get so small a share that it might never be finished. And nobody steps forward, for
    which one needs a right.
    """
    os.setpriority(os.PRIO_PROCESS, 0, max(niceness, os.getpriority(os.PRIO_PROCESS, 0)))
