"""The media workers of ``parlour serve``: started, watched, started again, ended."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping

from parlour.bus.leash import on_leash
from parlour.settings import Settings

STOP_S = 6.0
"""How long a worker may take to end its rooms."""
AGAIN_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Pauses before a worker that ended is started again; the last one repeats. One that lived a minute starts over."""
LIVED_S = 60.0
OF_FRONTS = frozenset(
    f"PARLOUR_{name}" for name in ("API_TOKEN", "DATABASE_URL", "TLS_CERT", "TLS_KEY", "TURN_SECRET", "TURN_URLS")
)
"""Settings that workers have no use for. What strangers send is read by workers: they know no secret they need not."""

log = logging.getLogger("parlour")


async def _keep(number: int, environment: Mapping[str, str]) -> None:
    """Run one worker, again and again, until cancelled; then end it."""
    loop = asyncio.get_running_loop()
    failures = 0
    while True:
        began = loop.time()
        how = await _run(number, environment)
        failures = 0 if loop.time() - began >= LIVED_S else failures + 1
        pause = AGAIN_S[min(failures, len(AGAIN_S)) - 1] if failures else AGAIN_S[0]
        log.error("media worker %s; another one starts in %.1f s", how, pause)
        await asyncio.sleep(pause)


async def _run(number: int, environment: Mapping[str, str]) -> str:
    """Run one worker once; say how it ended, or why it never began. One that is cancelled is ended."""
    try:
        process = await asyncio.create_subprocess_exec(
            *on_leash([sys.executable, "-m", "parlour", "worker", "--number", str(number)]),
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:  # the machine is short of memory or processes, perhaps for a moment only
        return f"{number} cannot be started: {error.strerror or error}"
    try:
        return f"{process.pid} ended with {await process.wait()}"
    except asyncio.CancelledError:
        await _end(process)
        raise


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        log.warning("media worker %s did not end in time", process.pid)
        process.kill()
        await process.wait()


class Workers:
    """The workers of this process."""

    def __init__(self, count: int, environment: Mapping[str, str]) -> None:
        self._tasks = [asyncio.create_task(_keep(number, environment)) for number in range(count)]

    async def end(self) -> None:
        """End them; they hand their rooms over first. Doing so twice does no harm."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def workers(count: int, nats_url: str, settings: Settings) -> AsyncIterator[Workers]:
    """Keep ``count`` workers on a bus for the length of a block. None outlives this process."""
    environment = {name: value for name, value in os.environ.items() if name.upper() not in OF_FRONTS}
    environment |= {"PARLOUR_NATS_URL": nats_url, "PARLOUR_DATA_DIR": str(settings.data_dir)}
    found = Workers(count, environment)
    try:
        yield found
    finally:
        await found.end()
