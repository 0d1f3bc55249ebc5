"""A real NATS server that a test can end and start again at the same place."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support.waiting import PATIENCE_S


class NatsServer:
    """Started at once. What it keeps is in memory: it is gone with the process."""

    def __init__(self) -> None:
        beside = Path(sys.executable).parent / "nats-server"
        self._binary = str(beside) if beside.exists() else shutil.which("nats-server") or "nats-server"
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.process = self._start()

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"nats://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()

    def again(self) -> None:
        """Start it again, with nothing of what it knew."""
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        folder = ["--store_dir", f"/tmp/parlour-nats-{self.port}"]  # noqa: S108 - nothing is kept there
        process = subprocess.Popen(
            [self._binary, "-a", "127.0.0.1", "-p", str(self.port), "-js", *folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return process
            time.sleep(0.02)
        process.kill()
        process.wait()
        raise RuntimeError("nats-server did not start")


@contextmanager
def nats_server() -> Iterator[NatsServer]:
    """A server for the length of a block."""
    server = NatsServer()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(f"/tmp/parlour-nats-{server.port}", ignore_errors=True)  # noqa: S108 - as above
