"""Media workers are kept running, whatever the machine is short of for a moment."""

import asyncio
import errno
import os
import sys
from typing import Any

import pytest

from parlour.cli import workers
from tests.support.waiting import until


async def test_a_worker_that_cannot_be_started_is_tried_until_it_can(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    really, tries = asyncio.create_subprocess_exec, 0
    started: list[asyncio.subprocess.Process] = []

    async def start(*program: str, **how: Any) -> asyncio.subprocess.Process:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        started.append(await really(sys.executable, "-c", "import time; time.sleep(600)", **how))
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    monkeypatch.setattr(workers, "AGAIN_S", (0.1, 0.2))
    kept = workers.Workers(1, os.environ)
    try:
        await until(lambda: started)
    finally:
        await kept.end()
    assert started[0].returncode is not None
    assert [record.getMessage() for record in caplog.records] == [
        f"media worker 0 cannot be started: {os.strerror(errno.EAGAIN)}; another one starts in {pause} s"
        for pause in (0.1, 0.2)
    ]
