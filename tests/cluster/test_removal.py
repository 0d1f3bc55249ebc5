"""A room's worker dies, and the room removes people when it would have all the same."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cluster.conftest import figures, kill, owner, until
from tests.support.caller import Caller, caller, invite, make_room
from tests.support.server import RunningServer, serving
from tests.support.signalling import Json

pytestmark = pytest.mark.slow

IN_TIME_S = 5.0
AHEAD_S = 20
"""Seconds from the beginning to the removal: time to lose a worker and to come back."""


async def lose(server: RunningServer, *people: Caller) -> None:
    """Kill the room's worker, and see everybody told."""
    await until(lambda: owner(server))
    lost = owner(server)
    assert lost is not None
    kill(lost)
    for someone in people:
        await someone.bye()


async def removed(someone: Caller) -> tuple[Json, float]:
    """How somebody's call ended, and when."""
    async with asyncio.timeout(AHEAD_S * 2):
        return await someone.bye(), time.time()


async def test_everybody_is_removed_at_the_moment_although_the_worker_died(tmp_path: Path) -> None:
    with serving(tmp_path, PARLOUR_WORKERS="2") as server:
        await until(lambda: len(figures(server)) == 2)
        moment = round(time.time()) + AHEAD_S
        to = make_room(server, remove_at=datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        tokens = [invite(server, to) for _ in range(3)]
        async with (
            caller(server, to, tokens[0]) as ana,
            caller(server, to, tokens[1]) as bob,
            caller(server, to, tokens[2]) as eve,
        ):
            before = await ana.join()
            await bob.join()
            await lose(server, ana, bob)
            after = await ana.join()
            assert after["member_id"] == before["member_id"]
            assert after["remove_at"] == before["remove_at"]
            end, at = await removed(ana)
            assert (end["cause"], end["causeCode"]) == ("ALLOTTED_TIMEOUT", "602")
            assert moment <= at < moment + IN_TIME_S
            for someone in (ana, bob, eve):
                assert (await someone.dial(str(uuid4())))["reason"] == "over"


async def test_ones_own_time_goes_on_although_the_worker_died(tmp_path: Path) -> None:
    with serving(tmp_path, PARLOUR_WORKERS="2") as server:
        await until(lambda: len(figures(server)) == 2)
        to = make_room(server, remove_after_seconds_elapsed=AHEAD_S)
        async with caller(server, to, invite(server, to)) as ana, caller(server, to, invite(server, to)) as bob:
            began = time.time()
            before = await ana.join()
            in_since = time.time()
            await bob.join()
            await lose(server, ana, bob)
            after = await ana.join(attach=True, reattaching=True)
            assert after["member_id"] == before["member_id"]
            assert after["remove_at"] == before["remove_at"], "no more time"
            end, at = await removed(ana)
            assert end["cause"] == "ALLOTTED_TIMEOUT"
            assert began + AHEAD_S <= at < in_since + AHEAD_S + IN_TIME_S
