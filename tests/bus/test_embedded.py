"""The private bus: for whoever has the credential, for as long as its parent lives."""

import asyncio
import errno
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import nats.errors
import pytest

from parlour.bus.embedded import private_server
from parlour.bus.leash import on_leash
from parlour.bus.link import connect
from parlour.domain.errors import Unavailable
from tests.support.waiting import PATIENCE_S, until


def reached(url: str) -> tuple[str, str]:
    """A URL without its credential, and the credential."""
    found = re.fullmatch(r"nats://parlour:(.+)@(.+)", url)
    assert found is not None
    return f"nats://{found[2]}", found[1]


def running_on(configuration: Path) -> list[int]:
    """The servers with this configuration."""
    named = Path("/proc").glob("[0-9]*/cmdline")
    return [int(each.parent.name) for each in named if bytes(configuration) in each.read_bytes()]


async def test_nobody_comes_in_without_the_credential(tmp_path: Path) -> None:
    async with private_server(tmp_path) as url:
        bare, password = reached(url)
        with pytest.raises(Unavailable, match="Authorization"):
            await connect(bare, "stranger")
        with pytest.raises(Unavailable, match="Authorization"):
            await connect(bare.replace("//", f"//parlour:{password[:-1]}x@"), "guesser")
        client = await connect(url, "friend")
        await client.close()
        assert (tmp_path / "nats.json").stat().st_mode & 0o077 == 0
        assert bare.startswith("nats://127.0.0.1:")


async def test_it_ends_with_the_block(tmp_path: Path) -> None:
    async with private_server(tmp_path) as url:
        pass
    with pytest.raises(Unavailable):
        await connect(url, "late")


async def test_one_that_dies_comes_back_at_the_same_place(tmp_path: Path) -> None:
    async with private_server(tmp_path) as url:
        client = await connect(url, "friend")
        answered = asyncio.Event()

        async def answer(_message: object) -> None:
            answered.set()

        await client.subscribe("hello", cb=answer)
        await client.flush()
        for pid in running_on(tmp_path / "nats.json"):
            os.kill(pid, signal.SIGKILL)
        await until(lambda: not client.is_connected)
        await until(lambda: client.is_connected)
        try:
            await client.publish("hello", b"")
            await client.flush()
        except nats.errors.Error:
            pytest.fail("the bus is not back")
        async with asyncio.timeout(PATIENCE_S):
            await answered.wait()
        await client.close()


def short_of_memory(monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    """Let the machine refuse to start a process, so many times."""
    really, left = asyncio.create_subprocess_exec, [None] * times

    async def start(*program: str, **how: Any) -> asyncio.subprocess.Process:
        if left:
            left.pop()
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        return await really(*program, **how)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)


async def test_one_that_cannot_start_again_is_tried_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with private_server(tmp_path) as url:
        short_of_memory(monkeypatch, times=2)
        client = await connect(url, "friend")
        for pid in running_on(tmp_path / "nats.json"):
            os.kill(pid, signal.SIGKILL)
        await until(lambda: not client.is_connected)
        await until(lambda: client.is_connected)
        await client.close()
    said = "nats-server cannot be started: Cannot allocate memory; another try follows in 0.2 s"
    assert [record.getMessage() for record in caplog.records].count(said) == 2


async def test_one_that_cannot_start_at_all_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short_of_memory(monkeypatch, times=1)
    with pytest.raises(Unavailable, match="Cannot allocate memory"):
        async with private_server(tmp_path):
            pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
async def test_a_program_on_a_leash_ends_with_whoever_started_it() -> None:
    program = on_leash([sys.executable, "-c", "print('here', flush=True); import time; time.sleep(600)"])
    middle = (
        "import os, subprocess, sys\n"
        f"program = {program!r}\n"
        "program[4] = str(os.getpid())\n"
        "child = subprocess.Popen(program)\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", middle, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    lines = {(await process.stdout.readline()).strip() for _ in range(2)}
    child = next(int(line) for line in lines if line.isdigit())
    assert b"here" in lines
    process.send_signal(signal.SIGKILL)
    await process.wait()
    status = Path(f"/proc/{child}/stat")
    await until(lambda: not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z")


async def test_ctrl_c_does_not_reach_a_program_on_a_leash_whose_priority_counts_among_ours() -> None:
    told = "import os; print(os.getpgid(0) == os.getpid(), os.getsid(0))"
    process = await asyncio.create_subprocess_exec(
        *on_leash([sys.executable, "-c", told]), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert said.decode().split() == ["True", str(os.getsid(0))]
