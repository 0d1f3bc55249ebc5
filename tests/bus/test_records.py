"""What a room is like outlives every process, for as long as its seats are kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
from nats.aio.client import Client

from parlour.bus.embedded import private_server
from parlour.bus.link import connect
from parlour.bus.records import REFRESH_S, Records
from parlour.bus.rooms import bus_rooms
from parlour.domain.live import seats
from parlour.domain.live.commands import Past, Refused
from parlour.domain.live.room import LiveRoom
from parlour.domain.room import Quality
from tests.bus.conftest import hand
from tests.bus.test_rooms import JOIN, LIST
from tests.domain.live.people import T0, a_room, opened, with_people
from tests.support.nats import NatsServer
from tests.support.waiting import until

GRACE = 20.0


def past(*names: str) -> Past:
    found = seats.past_of(with_people(opened(), *names))
    assert found is not None
    return found


@pytest.fixture
async def client(bus: NatsServer) -> AsyncIterator[Client]:
    client = await connect(bus.url, "test")
    yield client
    await client.close()


async def test_a_record_is_what_was_kept_last(client: Client) -> None:
    records, others, room_id = Records(client), Records(client), uuid4()
    assert await others.find(room_id) is None
    await records.keep(room_id, past("ana"), GRACE)
    await records.keep(room_id, past("ana", "bob"), GRACE)
    assert await others.find(room_id) == past("ana", "bob")


async def test_a_record_is_good_for_as_long_as_the_seats_in_it(client: Client) -> None:
    now = 1000.0
    records, room_id = Records(client, lambda: now), uuid4()
    await records.keep(room_id, past("ana"), GRACE)
    now += GRACE + REFRESH_S - 1
    assert await records.find(room_id) is not None
    now += 2
    assert await records.find(room_id) is None


async def test_nothing_new_is_written_again_only_every_so_often(client: Client) -> None:
    now = 1000.0
    records, room_id = Records(client, lambda: now), uuid4()
    seen = client.stats["out_msgs"]
    await records.keep(room_id, past("ana"), GRACE)
    assert client.stats["out_msgs"] > seen
    seen = client.stats["out_msgs"]
    now += REFRESH_S - 1
    await records.keep(room_id, past("ana"), GRACE)
    assert client.stats["out_msgs"] == seen
    now += 2
    await records.keep(room_id, past("ana"), GRACE)
    assert client.stats["out_msgs"] > seen
    now += GRACE + 5
    assert await records.find(room_id) is not None, "good from when it was written again"


@pytest.mark.parametrize("how", ["empty", "over"])
async def test_a_room_that_nobody_is_in_leaves_no_record(client: Client, how: str) -> None:
    records, room_id = Records(client), uuid4()
    await records.keep(room_id, None, GRACE)
    await records.keep(room_id, past("ana"), GRACE)
    ending: Callable[[], Awaitable[None]] = (
        (lambda: records.keep(room_id, seats.past_of(LiveRoom.opened(JOIN.room, "s")), GRACE))
        if how == "empty"
        else (lambda: records.drop(room_id))
    )
    await ending()
    assert await Records(client).find(room_id) is None


async def test_a_record_outlives_the_bus(tmp_path: Path) -> None:
    room_id = uuid4()
    for step in ("write", "read"):
        async with private_server(tmp_path) as url:
            client = await connect(url, "test")
            records = Records(client)
            if step == "write":
                await records.keep(room_id, past("ana"), GRACE)
            else:
                assert await records.find(room_id) == past("ana")
            await client.close()


async def test_a_room_that_has_a_record_is_lost_and_not_just_unknown(bus: NatsServer, client: Client) -> None:
    room_id = uuid4()
    await Records(client).keep(room_id, past("ana"), GRACE)
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "one"):
        await until(lambda: rooms.statistics()["workers"] == 1)
        reply = await asyncio.wait_for(rooms.ask(room_id, LIST), 10)
        assert isinstance(reply, Refused)
        assert (reply.code, reply.reason) == (503, "lost")


async def test_ones_stay_goes_on_from_a_record(client: Client) -> None:
    room = with_people(opened(remove_after_seconds_elapsed=60, quality=Quality.HD_1080, fps=20), "ana")
    room_id, kept = uuid4(), seats.past_of(room)
    await Records(client).keep(room_id, kept, GRACE)
    found = await Records(client).find(room_id)
    assert found is not None
    changed = a_room(remove_after_seconds_elapsed=60, quality=Quality.HD_720, fps=30)
    after = seats.revive(LiveRoom.opened(changed, "another"), found, T0 + 30)
    assert after.members["ana"].joined_at == T0
    assert seats.next_due(after, T0 + 30) == T0 + 60
    assert (after.session.quality, after.session.fps) == (Quality.HD_1080, 20), "the session is the same"


async def test_a_room_that_is_being_brought_back_is_not_over(bus: NatsServer, client: Client) -> None:
    """Its worker has the lease, and does not know yet what it was like."""
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "one") as worker:
        await until(lambda: rooms.statistics()["workers"])
        worker.slow = True
        coming, over = uuid4(), uuid4()
        await Records(client).keep(coming, past("ana"), GRACE)
        found = []
        for room_id in (coming, over):
            await rooms.ask(room_id, JOIN)
            reply = await rooms.ask(room_id, LIST)
            assert isinstance(reply, Refused)
            found.append(reply.reason)
        assert found == ["lost", "no_such_call"]
