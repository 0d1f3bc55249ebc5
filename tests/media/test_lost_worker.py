"""A worker dies without a word, and its room removes people when it would have, from what was kept on the bus."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from parlour.bus.link import connect
from parlour.bus.records import Records
from parlour.bus.rooms import bus_rooms
from parlour.domain.live.commands import Accepted, Refused
from parlour.domain.live.events import CallEnded, Told
from tests.domain.live.people import a_room
from tests.media.rooms import a_worker
from tests.media.test_full_room import join
from tests.support.nats import NatsServer
from tests.support.waiting import PATIENCE_S, until

IN_TIME_S = 2.5
STAY_S = 14
"""Seconds from coming to the removal: time to lose a worker and to come back."""


@pytest.fixture
async def records(bus: NatsServer) -> AsyncIterator[Records]:
    """What workers keep of their rooms."""
    client = await connect(bus.url, "test")
    yield Records(client)
    await client.close()


@pytest.mark.parametrize("own", [True, False], ids=["each after a while", "all at a moment"])
async def test_people_are_removed_in_time_although_the_worker_died(
    bus: NatsServer,
    records: Records,
    tmp_path: Path,
    own: bool,
) -> None:
    moment = time.time() + STAY_S
    room = a_room(remove_after_seconds_elapsed=STAY_S) if own else a_room(remove_at=datetime.fromtimestamp(moment, UTC))
    endings: list[tuple[float, CallEnded]] = []

    def hear(told: Told) -> None:
        if isinstance(told.event, CallEnded):
            endings.append((time.time(), told.event))

    async with bus_rooms(bus.url) as front, a_worker(bus.url, tmp_path / "one") as one:
        await until(lambda: front.statistics()["workers"] == 1)
        ana = await front.ask(room.room_id, join(room, "ana"))
        ben = await front.ask(room.room_id, join(room, "ben"))
        assert isinstance(ana, Accepted)
        assert isinstance(ben, Accepted)
        async with asyncio.timeout(PATIENCE_S):
            while (past := await records.find(room.room_id)) is None or len(past.members) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        dues = {member.id: member.joined_at + STAY_S if own else moment for member in past.members}
        one.cancel()
        await asyncio.wait([one])
        async with a_worker(bus.url, tmp_path / "two"):
            await until(lambda: front.statistics()["workers"])
            await front.subscribe(room.room_id, hear)
            again = await front.ask(room.room_id, join(room, "ana", reattach=True))
            assert isinstance(again, Accepted)
            assert (again.member_id, again.session_id) == (ana.member_id, ana.session_id)
            assert time.time() < moment, "else this shows nothing"
            await until(lambda: len(endings) == 2)
            for at, event in endings:
                assert 0 <= at - dues[event.member_id] < IN_TIME_S
                assert event.cause == "ALLOTTED_TIMEOUT"
            late = await front.ask(room.room_id, join(room, "ben", reattach=True))
            assert isinstance(late, Refused)
            if not own:
                late = await front.ask(room.room_id, join(room, "cleo"))
                assert isinstance(late, Refused)
                assert late.reason == "over"
