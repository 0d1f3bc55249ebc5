"""Waiting for what is sure to come."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 120.0
"""After so many seconds a test has waited in vain.

It ends a test that would hang, and judges nobody: on a machine that is busy with other tests everything takes its time.
What has to come in time has a limit of its own, in its own test.
"""


async def until(true: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait until something is so that tells nobody. Raises ``TimeoutError``."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is looked at tells nobody
            await asyncio.sleep(0.02)


def wait_until(true: Callable[[], object], seconds: float = PATIENCE_S, *, every: float = 0.02) -> None:
    """The same, for what another thread or process does; a look may cost a machine something, so they are rare then."""
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, "it did not come to pass"
        time.sleep(every)
