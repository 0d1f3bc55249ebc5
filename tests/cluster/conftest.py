"""Servers with several processes, and what is known of them from outside."""

import asyncio
import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from parlour.bus.link import connect
from parlour.bus.records import Records
from parlour.domain.live.commands import Past
from tests.support.server import RunningServer
from tests.support.waiting import PATIENCE_S

_FIGURE = re.compile(r'^parlour_worker\{figure="(\w+)",worker="(\d+)-\w+"\} (\S+)$', re.MULTILINE)


def figures(server: RunningServer) -> dict[int, dict[str, float]]:
    """What each media worker says of itself, by process id."""
    with server.client() as api:
        text = api.get("/metrics").text
    found: dict[int, dict[str, float]] = {}
    for figure, pid, value in _FIGURE.findall(text):
        found.setdefault(int(pid), {})[figure] = float(value)
    return found


def has_bus(server: RunningServer) -> bool:
    """Whether the front is on its bus."""
    with server.client() as api:
        return 'parlour_bus{figure="connected"} 1.0' in api.get("/metrics").text


def owner(server: RunningServer) -> int | None:
    """The process that has a room."""
    return next((pid for pid, of in figures(server).items() if of["rooms"]), None)


async def until(true: Callable[[], object], seconds: float = PATIENCE_S) -> float:
    """Wait until something is true that only can be looked at; how long it took."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        # What comes back may be a list that is filled meanwhile: whether it was true is decided at once.
        while not await asyncio.to_thread(lambda: bool(true())):  # noqa: ASYNC110 - what is looked at tells nobody
            await asyncio.sleep(0.05)
    return time.monotonic() - began


async def record(folder: Path, room_id: UUID) -> Past | None:
    """What the private bus of the server below ``folder`` has kept of a room."""
    said = json.loads((folder / "data" / "nats" / "nats.json").read_text())
    user = said["authorization"]
    client = await connect(f"nats://{user['user']}:{user['password']}@{said['listen']}", "test")
    try:
        return await Records(client).find(room_id)
    finally:
        await client.close()


def descendants(pid: int) -> dict[int, str]:
    """The processes below one, with their command lines."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (folder / "stat").read_text()
                parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    found: dict[int, str] = {}
    below = [child for child, parent in parents.items() if parent == pid]
    while below:
        child = below.pop()
        with contextlib.suppress(OSError):
            found[child] = (Path("/proc") / str(child) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        below += [other for other, parent in parents.items() if parent == child]
    return found


def is_running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal one process."""
    os.kill(pid, number)
