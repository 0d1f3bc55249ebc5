"""The settings of the media ports, as clients see them: in the answer's candidates."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import pytest

from parlour.cli import worker as command
from parlour.media import worker
from parlour.media.conference import Conference
from parlour.media.transport import Endpoint
from parlour.media.worker import WorkerOptions
from parlour.settings import load_settings
from tests.media.guest import ROOM, Guest


def options_of(monkeypatch: pytest.MonkeyPatch, number: int = 0, **settings: str) -> WorkerOptions:
    """What a worker is told under these settings."""
    told: list[WorkerOptions] = []

    async def work(options: WorkerOptions, stop: asyncio.Event) -> None:
        told.append(options)

    monkeypatch.setattr(command, "work", work)
    monkeypatch.setenv("PARLOUR_NATS_URL", "nats://localhost:4222")
    for name, value in settings.items():
        monkeypatch.setenv(f"PARLOUR_{name.upper()}", value)
    command.start(load_settings(), number)
    return told[0]


def candidates(monkeypatch: pytest.MonkeyPatch, options: WorkerOptions) -> list[tuple[str, str, int]]:
    """Protocol, address and port of each candidate that a worker's answer names."""
    found: list[tuple[str, str, int]] = []
    stop = asyncio.Event()

    @contextlib.asynccontextmanager
    async def station(url: str, name: str, handle: Any, *rest: object) -> AsyncIterator[Any]:
        found.extend(await _candidates(handle.__self__._endpoint))
        stop.set()
        yield AsyncMock()

    monkeypatch.setattr(worker, "station", station)
    asyncio.run(worker.work(options, stop))
    return found


async def _candidates(endpoint: Endpoint) -> list[tuple[str, str, int]]:
    room = Conference(ROOM, "session", endpoint, lambda told: None, lambda: None, new_id=lambda: "m1")
    try:
        answer = Guest(room, endpoint, "guest", room=ROOM).answer
    finally:
        await room.close()
    found = re.findall(r"a=candidate:\S+ 1 (\S+) \d+ (\S+) (\d+) typ host", answer)
    return sorted({(protocol.lower(), address, int(port)) for protocol, address, port in found})


def free_ports(count: int) -> int:
    """The first of some ports that are free next to each other, in TCP and in UDP."""
    for first in range(40_000, 60_000, count):
        held: list[socket.socket] = []
        try:
            for port in range(first, first + count):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    held.append(socket.socket(socket.AF_INET, kind))
                    held[-1].bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return first
        finally:
            for one in held:
                one.close()
    raise AssertionError("no ports are free")


def test_nothing_set_is_this_machine_alone_and_no_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    options = options_of(monkeypatch)
    found = candidates(monkeypatch, options)
    assert {protocol for protocol, _, _ in found} == {"udp"}
    assert {address for _, address, _ in found} <= {"127.0.0.1", "::1"}


def test_ports_count_up_with_the_worker_and_public_addresses_stand_for_the_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_ports(4)
    options = options_of(
        monkeypatch,
        1,
        workers="2",
        media_host="127.0.0.1",
        udp_port=str(first),
        ice_tcp_port=str(first + 2),
        public_ip="192.0.2.10, 2001:db8::10",
    )
    assert candidates(monkeypatch, options) == [
        ("tcp", "192.0.2.10", first + 3),
        ("tcp", "2001:db8::10", first + 3),
        ("udp", "192.0.2.10", first + 1),
        ("udp", "2001:db8::10", first + 1),
    ]


def test_a_worker_without_a_port_left_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        options_of(monkeypatch, 8, workers="1", udp_port="65530")
    assert "Worker 8 has no port" in capsys.readouterr().err
