"""Who may use a connection now, and who waits for one."""

import asyncio
from collections import deque

from parlour.domain.errors import Unavailable


class Turns:
    """So many at a time; the others wait in the order they came, so many at most and for so long at most.

    An ``asyncio.Semaphore`` with a timeout around it would do, were it not for the cost: here a free turn is a
    subtraction, and all who wait share one timer.
    """

    def __init__(self, count: int, most: int, wait_s: float) -> None:
        """``count`` at a time; ``most`` of those who have a turn and those who wait; ``wait_s`` seconds."""
        self._free = count
        self._taken = 0
        self._most = most
        self._wait_s = wait_s
        self._queue: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._refused = 0

    async def take(self) -> None:
        """Wait for a turn; whoever got one gives it back with ``give``. Raises ``Unavailable`` without one."""
        if self._taken >= self._most:
            self._refused += 1
            raise Unavailable("too many requests wait for the database")
        self._taken += 1
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._queue.append((loop.time() + self._wait_s, turn))
        if self._timer is None:
            self._timer = loop.call_later(self._wait_s, self._expire)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.give()  # it came together with the cancellation
            else:
                self._taken -= 1
            raise

    def give(self) -> None:
        """Give a turn back, to whoever waits longest."""
        self._taken -= 1
        while self._queue:
            _, turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def statistics(self) -> dict[str, float]:
        """``waiting`` are those who have a turn too; ``refused`` counts since the start."""
        return {"waiting": self._taken, "refused": self._refused}

    def close(self) -> None:
        """Let the timer go; nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._queue and (self._queue[0][1].done() or self._queue[0][0] <= loop.time()):
            _, turn = self._queue.popleft()
            if not turn.done():
                turn.set_exception(Unavailable("no connection to the database came free in time"))
        if self._queue:
            self._timer = loop.call_at(self._queue[0][0], self._expire)
