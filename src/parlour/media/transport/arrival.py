"""When a datagram came, by the kernel's clock: reads come in batches, and by then that may be a good while ago.

A jitter buffer that went by reads would take the time between two of them for the network's unrest, and wait for it.
"""

import socket
import sys
from collections.abc import Sequence
from struct import Struct
from typing import Final

SO_TIMESTAMPNS: Final = 35
"""Linux, ``asm-generic/socket.h``."""
LONGEST: Final = 1.0
"""Seconds that a datagram may have waited; one that says more came before the system's clock was set."""

_TIMESPEC: Final = Struct("@qq")

ROOM: Final = socket.CMSG_SPACE(_TIMESPEC.size)
"""Bytes of ancillary data that the time takes."""

Ancillary = Sequence[tuple[int, int, bytes]]


def tell_arrivals(sock: socket.socket) -> None:
    """Have each datagram's time told with it, where the system is Linux."""
    if sys.platform == "linux":
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def unix_time(value: bytes) -> float:
    """The time that such ancillary data tells, in seconds."""
    seconds, nanoseconds = _TIMESPEC.unpack(value)
    return float(seconds + nanoseconds * 1e-9)


def arrival(ancillary: Ancillary, now: float, ahead: float) -> float:
    """When it came, in seconds of a clock that says ``now`` and that Unix time is ``ahead`` of.

    Without a time, or with one that cannot be true, it came now.
    """
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(value) == _TIMESPEC.size:
            at = unix_time(value) - ahead
            if now - LONGEST <= at <= now:
                return at
    return now
