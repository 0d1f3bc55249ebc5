"""Work that blocks, in a thread that nobody waits for when the process ends."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """Do it in a thread of its own, and wait for that without blocking. Raises what it raises.

    ``asyncio.to_thread`` has threads that a process which ends waits for: a disk or a store that hangs would keep it.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(act: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(lambda: None if result.done() else act())

    def run() -> None:
        try:
            found = work()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            failure = error
            settle(lambda: result.set_exception(failure))
        else:
            settle(lambda: result.set_result(found))

    threading.Thread(target=run, name="parlour-aside", daemon=True).start()
    return await result
