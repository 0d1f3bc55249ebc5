"""A real ``parlour serve`` in a process of its own."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.waiting import PATIENCE_S

PROJECT = "8f0a119a-cda7-4497-a47d-c81493b824d4"
TOKEN = "PTtesttesttesttesttesttest"


@dataclass
class RunningServer:
    """A server that has been started; ``log`` is everything it printed."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    scheme: str = "http"
    project: str = PROJECT
    token: str = TOKEN

    @property
    def origin(self) -> str:
        """Where it is reached."""
        return f"{self.scheme}://localhost:{self.port}"

    def client(self, **arguments: Any) -> httpx.Client:
        """An authenticated client."""
        return httpx.Client(base_url=self.origin, auth=(self.project, self.token), timeout=PATIENCE_S, **arguments)

    def async_client(self) -> httpx.AsyncClient:
        """The same for an event loop."""
        return httpx.AsyncClient(base_url=self.origin, auth=(self.project, self.token), timeout=PATIENCE_S)

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        self.process.send_signal(signal.SIGTERM)


def spawn(folder: Path, *, scheme: str = "http", arguments: tuple[str, ...] = (), **settings: str) -> RunningServer:
    """Start ``parlour serve`` below ``folder`` on a free port, with ``PARLOUR_*`` settings; wait until it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PARLOUR_", "SIGNALWIRE_"))
    }
    environment |= {
        "PARLOUR_HOST": "localhost",
        "PARLOUR_PORT": "0",
        "PARLOUR_DATA_DIR": str(folder / "data"),
        "PARLOUR_PROJECT_ID": PROJECT,
        "PARLOUR_API_TOKEN": TOKEN,
        "PARLOUR_WORKERS": "1",  # each takes a second of the processor to start
        "PARLOUR_RELIEF": "false",  # the tests themselves keep the machine busy
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    } | settings
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "parlour", "serve", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        text = log.read_text()
        found = re.search(r"listens on https?://[^:]+:(\d+)", text)
        if found:
            return RunningServer(process, int(found[1]), log, scheme)
        if process.poll() is not None:
            raise RuntimeError(f"parlour serve ended with {process.returncode}:\n{text}")
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise RuntimeError(f"parlour serve did not start:\n{log.read_text()}")


@contextlib.contextmanager
def serving(folder: Path, **arguments: Any) -> Iterator[RunningServer]:
    """A running server for the length of a block."""
    server = spawn(folder, **arguments)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()
