"""Rooms find workers, and only one each; workers that are gone are noticed."""

import asyncio
from uuid import UUID, uuid4

import nats.errors
import pytest
from nats.js.errors import NoStreamResponseError, ServiceUnavailableError

from parlour.bus import link
from parlour.bus.link import BUCKET, DEAD_S, LEASE_S, Lease, Leases, connect
from parlour.bus.records import Records
from parlour.bus.rooms import BusRooms, bus_rooms
from parlour.domain.errors import Unavailable
from parlour.domain.live.commands import Accepted, Act, Done, Join, Refused
from parlour.domain.live.events import MemberTalking, RoomLost, Told
from tests.bus.conftest import Hand, hand
from tests.domain.live.people import joins, opened
from tests.support.nats import NatsServer
from tests.support.waiting import PATIENCE_S, until

JOIN: Join = joins("ana", opened())
LIST = Act("ana", "member.list")


def count(rooms: BusRooms) -> float:
    return rooms.statistics()["workers"]


async def joined(rooms: BusRooms, room_id: UUID) -> str:
    """The worker that took a join."""
    reply = await rooms.ask(room_id, JOIN)
    assert isinstance(reply, Accepted), reply
    return reply.member_id


async def test_a_room_goes_to_the_worker_with_the_least_to_do_and_stays_there(bus: NatsServer) -> None:
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "idle"), hand(bus.url, "busy", load=0.7):
        await until(lambda: count(rooms) == 2)
        room_id = uuid4()
        assert await joined(rooms, room_id) == "idle"
        assert await joined(rooms, room_id) == "idle"
        assert await rooms.ask(room_id, LIST) == Done({"by": "idle"})


async def test_a_worker_that_had_to_give_something_up_gets_rooms_last(bus: NatsServer) -> None:
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "strained", load=0.5, relief=5), hand(bus.url, "b", load=0.8):
        await until(lambda: count(rooms) == 2)
        assert await joined(rooms, uuid4()) == "b"


async def test_rooms_made_at_the_same_moment_are_spread(bus: NatsServer) -> None:
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "one"), hand(bus.url, "two"):
        await until(lambda: count(rooms) == 2)
        placed = await asyncio.gather(*(joined(rooms, uuid4()) for _ in range(6)))
        assert sorted(placed) == ["one"] * 3 + ["two"] * 3


async def test_a_room_that_nobody_joined_is_not_alive(bus: NatsServer) -> None:
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "one"):
        await until(lambda: count(rooms) == 1)
        reply = await rooms.ask(uuid4(), LIST)
        assert isinstance(reply, Refused)
        assert reply.reason == "no_such_call"


async def test_fronts_that_place_a_room_at_the_same_time_agree(bus: NatsServer) -> None:
    async with (
        bus_rooms(bus.url) as one,
        bus_rooms(bus.url) as two,
        hand(bus.url, "a", load=0.1) as a,
        hand(bus.url, "b", load=0.1) as b,
    ):
        await until(lambda: count(one) == count(two) == 2)
        for _ in range(10):
            room_id = uuid4()
            owners = await asyncio.gather(joined(one, room_id), joined(two, room_id))
            assert len(set(owners)) == 1
        assert set(a.rooms) & set(b.rooms) == set()


async def test_only_one_of_two_writes_a_lease(bus: NatsServer) -> None:
    client = await connect(bus.url, "test")
    try:
        leases, room_id = Leases(client), uuid4()
        assert await leases.get(room_id) == (None, 0)
        assert await leases.put(room_id, Lease("a", 1.0), 0)
        assert not await leases.put(room_id, Lease("b", 1.0), 0)
        lease, revision = await leases.get(room_id)
        assert lease == Lease("a", 1.0)
        assert await leases.put(room_id, Lease("b", 1.0), revision)
        assert not await leases.put(room_id, Lease("c", 1.0), revision)
        await leases.drop(room_id, "a")
        assert (await leases.get(room_id))[0] == Lease("b", 1.0), "only its own lease is a worker's to drop"
        await leases.drop(room_id, "b")
        assert (await leases.get(room_id))[0] is None
        assert await leases.put(room_id, Lease("c", 1.0), 0)
    finally:
        await client.close()


async def test_a_lease_that_nobody_writes_again_is_gone_in_time(
    bus: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "LEASE_S", 5.0)
    client = await connect(bus.url, "test")
    try:
        leases, room_id = Leases(client), uuid4()
        assert await leases.put(room_id, Lease("a", 1.0), 0)
        assert (await leases.get(room_id))[0] == Lease("a", 1.0)
        async with asyncio.timeout(PATIENCE_S):
            while (await leases.get(room_id))[0] is not None:  # noqa: ASYNC110 - nobody tells that it is gone
                await asyncio.sleep(0.1)
        assert await leases.put(room_id, Lease("b", 1.0), 0)
    finally:
        await client.close()


async def test_leases_are_forgotten_after_as_long_as_is_said(bus: NatsServer) -> None:
    client = await connect(bus.url, "test")
    try:
        await Leases(client).put(uuid4(), Lease("a", 1.0), 0)
        status = await (await client.jetstream().key_value(BUCKET)).status()
        assert status.ttl == LEASE_S == 600
    finally:
        await client.close()


async def test_a_dead_worker_is_noticed_and_the_room_is_placed_again(bus: NatsServer) -> None:
    async with (
        bus_rooms(bus.url) as rooms,
        bus_rooms(bus.url) as other,
        hand(bus.url, "a") as a,
        hand(bus.url, "b", load=0.5) as b,
    ):
        await until(lambda: count(rooms) == count(other) == 2)
        room_id = uuid4()
        heard: list[Told] = []
        for front in (rooms, other):
            await front.subscribe(room_id, heard.append)
            assert await joined(front, room_id) == "a"
        a.die()
        await until(lambda: len(heard) == 2)
        assert [told.event for told in heard] == [RoomLost(), RoomLost()]
        reply = await rooms.ask(room_id, LIST)
        assert isinstance(reply, Refused)
        assert reply.reason == "lost"
        assert set(await asyncio.gather(joined(rooms, room_id), joined(other, room_id))) == {"b"}
        assert b.rooms == [room_id]
        assert rooms.statistics()["lost"] == 1


async def test_what_a_worker_tells_of_a_room_that_it_has_lost_is_void(bus: NatsServer) -> None:
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "a") as a, hand(bus.url, "b", load=0.5) as b:
        await until(lambda: count(rooms) == 2)
        room_id = uuid4()
        heard: list[Told] = []
        await rooms.subscribe(room_id, heard.append)
        await joined(rooms, room_id)
        a.die()
        await until(lambda: heard)
        assert await joined(rooms, room_id) == "b"
        assert a.place is not None
        assert b.place is not None
        a.task = asyncio.create_task(a.place.live())  # it only slept
        a.place.tell(room_id, Told(MemberTalking("ana", True)))
        b.place.tell(room_id, Told(MemberTalking("bob", True)))
        await until(lambda: len(heard) == 2 and rooms.statistics()["void"] == 1)
        assert heard[1].event == MemberTalking("bob", True)
        await until(lambda: a.forgotten == [room_id])


async def test_a_worker_that_leaves_hands_its_rooms_over_at_once(bus: NatsServer) -> None:
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "a") as a, hand(bus.url, "b", load=0.5):
        await until(lambda: count(rooms) == 2)
        room_id = uuid4()
        heard: list[Told] = []
        await rooms.subscribe(room_id, heard.append)
        await joined(rooms, room_id)
        assert a.place is not None
        await a.place.leave()
        a.place.hand_over(room_id)
        await until(lambda: heard)  # "a" lives on: that it leaves can be the only reason
        assert await joined(rooms, room_id) == "b"
        assert await joined(rooms, uuid4()) == "b"


async def test_a_join_that_a_dying_worker_had_goes_to_another(bus: NatsServer) -> None:
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "a") as a, hand(bus.url, "b", load=0.5):
        await until(lambda: count(rooms) == 2)
        a.deaf = True
        joining = asyncio.create_task(joined(rooms, uuid4()))
        await until(lambda: a.asked)
        a.die()
        assert await joining == "b"


async def test_without_workers_a_join_is_unavailable_in_time(bus: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bus_rooms(bus.url) as rooms:
        monkeypatch.setattr("parlour.bus.rooms.PLACE_S", 1.0)
        with pytest.raises(Unavailable):
            await rooms.ask(uuid4(), JOIN)
        monkeypatch.setattr("parlour.bus.rooms.PLACE_S", 3600.0)
        rooms.end()
        with pytest.raises(Unavailable):
            await rooms.ask(uuid4(), JOIN)


@pytest.mark.parametrize(
    "error",
    [ServiceUnavailableError(), NoStreamResponseError(), nats.errors.TimeoutError(), ConnectionResetError()],
    ids=lambda error: type(error).__name__,
)
async def test_a_bus_that_loses_its_store_while_a_room_is_asked_is_unavailable(
    bus: NatsServer, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fail(*_: object) -> None:
        raise error

    async with bus_rooms(bus.url) as rooms, hand(bus.url, "a", slow=True):
        await until(lambda: count(rooms) == 1)
        room_id = uuid4()
        await joined(rooms, room_id)
        monkeypatch.setattr(Records, "find", fail)
        with pytest.raises(Unavailable):  # the worker does not have it yet
            await rooms.ask(room_id, LIST)
        with pytest.raises(Unavailable):  # nobody has it
            await rooms.ask(uuid4(), LIST)
        assert await rooms.lives(uuid4()), "as far as can be known"
        assert rooms.statistics()["unanswered"] == 2


async def test_what_is_wanted_of_a_bus_that_is_closed_is_unavailable_too(bus: NatsServer) -> None:
    client = await connect(bus.url, "test")
    rooms = BusRooms(client)
    door = await rooms.subscribe(uuid4(), lambda _: None)
    await client.close()
    with pytest.raises(Unavailable):
        await rooms.subscribe(uuid4(), lambda _: None)
    with pytest.raises(Unavailable):
        await rooms.ask(uuid4(), JOIN)
    assert await rooms.lives(uuid4())
    await door.close()


async def test_watching_outlives_a_bus_without_its_store(bus: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "a") as a, hand(bus.url, "b", load=0.5) as b:
        await until(lambda: count(rooms) == 2)
        room_id = uuid4()
        heard: list[Told] = []
        asked: list[object] = []
        await rooms.subscribe(room_id, heard.append)
        assert await joined(rooms, room_id) == "a"

        async def fail(_: object, room: object) -> None:
            asked.append(room)
            raise ConnectionResetError

        monkeypatch.setattr(Leases, "get", fail)
        b.rooms.append(room_id)  # both say that they have it
        await until(lambda: asked)
        a.die()
        await until(lambda: heard)


async def test_rooms_survive_the_loss_of_the_bus(bus: NatsServer) -> None:
    async with bus_rooms(bus.url) as rooms, bus_rooms(bus.url) as other, hand(bus.url, "a", load=0.5) as a:
        await until(lambda: count(rooms) == count(other) == 1)
        room_id = uuid4()
        heard: list[Told] = []
        await rooms.subscribe(room_id, heard.append)
        await joined(rooms, room_id)
        await until(lambda: other.workers()["a"]["rooms"] == 1)  # as the worker says twice a second
        bus.kill()
        await until(lambda: not rooms.statistics()["connected"])
        with pytest.raises(Unavailable):
            await rooms.ask(room_id, LIST)
        await asyncio.sleep(DEAD_S + 1)  # longer than a worker may be silent while the bus is there
        assert heard == []
        bus.again()
        async with hand(bus.url, "b"):
            await until(lambda: rooms.statistics()["connected"] and other.statistics()["connected"])
            await until(lambda: count(rooms) == count(other) == 2)
            assert await rooms.ask(room_id, LIST) == Done({"by": "a"})
            assert await joined(other, room_id) == "a", "known by what the worker says, the lease being gone"
            assert await joined(other, uuid4()) == "b"
            assert a.place is not None
            a.place.tell(room_id, Told(MemberTalking("ana", True)))
            await until(lambda: heard)
            assert [told.event for told in heard] == [MemberTalking("ana", True)]


async def test_workers_figures_are_known(bus: NatsServer) -> None:
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "a", load=0.25):
        await until(lambda: count(rooms) == 1)
        assert rooms.workers()["a"] == {
            "load": 0.25,
            "rooms": 0,
            "legs": 3.0,
            "asks": 0,
            "refused": 0,
            "untold": 0,
            "unwritten": 0,
            "journal_waiting": 0,
            "journal_lost": 0,
        }


async def test_a_room_that_is_over_may_be_placed_anywhere(bus: NatsServer) -> None:
    async with bus_rooms(bus.url) as rooms, hand(bus.url, "a") as a, hand(bus.url, "b", load=0.2) as b:
        await until(lambda: count(rooms) == 2)
        room_id = uuid4()
        assert await joined(rooms, room_id) == "a"
        a.rooms.clear()
        a.load, b.load = 0.9, 0.0
        assert a.place is not None
        await a.place.give_up(room_id)
        await until(lambda: rooms.workers()["a"]["load"] == 0.9 and rooms.workers()["b"]["load"] == 0)
        assert await joined(rooms, room_id) == "b"
        assert isinstance(b, Hand)
