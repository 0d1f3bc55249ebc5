"""The end of a server, wished for or not: everybody is told, nothing is left behind."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.cluster.conftest import descendants, figures, has_bus, is_running, kill, until
from tests.support.caller import Caller, caller, invite, make_room
from tests.support.server import serving
from tests.support.signalling import Json

pytestmark = pytest.mark.slow


async def to_the_end(one: Caller) -> tuple[list[Json], int]:
    """All that is still told, and the code with which the socket is closed."""
    frames: list[Json] = []
    try:
        async with asyncio.timeout(10):
            while True:
                frames.append(json.loads(await one.client.websocket.recv()))
    except ConnectionClosed as closed:
        return frames, closed.rcvd.code if closed.rcvd else 0


async def test_a_server_that_ends_tells_everybody_and_is_quick(tmp_path: Path) -> None:
    with serving(tmp_path, PARLOUR_WORKERS="2") as server:
        to = make_room(server)
        await until(lambda: len(figures(server)) == 2)
        async with caller(server, to, invite(server, to)) as ana, caller(server, to, invite(server, to)) as bob:
            await ana.join()
            await bob.join()
            below = descendants(server.process.pid)
            began = time.monotonic()
            server.terminate()
            for frames, code in await asyncio.gather(to_the_end(ana), to_the_end(bob)):
                told = [frame["params"] for frame in frames if frame["method"] == "signalwire.event"]
                left = next(event["params"] for event in told if event["event_type"] == "call.left")
                assert left["reason"] == "the room moved; join again"
                assert told[-1]["params"]["method"] == "verto.bye"
                assert frames[-1]["method"] == "signalwire.disconnect"
                assert code == 1012
            await until(lambda: server.process.poll() is not None, 20 - (time.monotonic() - began))
            assert server.process.returncode == 0
            assert not [pid for pid in below if is_running(pid)]


async def test_nothing_outlives_a_server_that_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path, PARLOUR_WORKERS="2") as server:
        to = make_room(server)
        await until(lambda: len(figures(server)) == 2)
        async with caller(server, to, invite(server, to)) as ana:
            await ana.join()
            below = descendants(server.process.pid)
            assert sum("parlour worker" in line for line in below.values()) == 2
            assert sum("nats-server" in line for line in below.values()) == 1
            server.kill()
            await until(lambda: not [pid for pid in below if is_running(pid)])


async def test_a_bus_of_ones_own_that_dies_is_started_again_and_rooms_go_on(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        to = make_room(server)
        await until(lambda: figures(server))
        async with caller(server, to, invite(server, to)) as ana:
            await ana.join()
            assert ana.seat is not None
            nats = next(pid for pid, line in descendants(server.process.pid).items() if "nats-server" in line)
            kill(nats)
            await until(lambda: not is_running(nats))
            await until(lambda: any("nats-server" in line for line in descendants(server.process.pid).values()))
            await ana.sees()
            await until(lambda: has_bus(server))
            await until(lambda: figures(server))
            assert (await ana.seat.act("raisehand"))["code"] == "200"
            await ana.client.event("member.updated")
            assert "call.left" not in {event["event_type"] for event in ana.client.events}
