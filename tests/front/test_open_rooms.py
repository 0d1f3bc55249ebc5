"""Rooms that are open to all give guests a ticket, to that room, for a short while, and not without end."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from parlour.domain.ticket import Bearer
from parlour.front.app import build_app
from parlour.front.front import utc_now
from parlour.front.open_rooms import BURST, PER_S, ROOMS_MAX, TICKET_S, OpenRooms
from parlour.front.tickets import Tickets
from parlour.store.database import Database
from tests.support.server import PROJECT, TOKEN

ROOMS = "/api/fabric/resources/conference_rooms"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def front(database: Database, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app(database, open_project=UUID(PROJECT), monotonic=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://parlour.test") as client:
        yield client


async def address_of(front: httpx.AsyncClient, name: str) -> UUID:
    auth = (PROJECT, TOKEN)
    made = (await front.post(ROOMS, json={"name": name, "enable_room_previews": False}, auth=auth)).json()
    found = await front.get(f"{ROOMS}/{made['id']}/addresses", auth=auth)
    return UUID(found.json()["data"][0]["id"])


async def test_a_ticket_is_a_guests_for_that_room_and_a_short_while(
    front: httpx.AsyncClient, database: Database
) -> None:
    address = await address_of(front, "cafe")
    answer = await front.post("/rooms/cafe/ticket")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    ticket = await Tickets(database, utc_now).read(answer.json()["token"])
    assert ticket.bearer is Bearer.GUEST
    assert ticket.project == UUID(PROJECT)
    assert ticket.addresses == frozenset({address})
    assert not ticket.moderator
    assert "member" not in ticket.capabilities
    assert ticket.expires_at - ticket.issued_at == TICKET_S


async def test_there_is_none_for_a_room_that_is_not_there(front: httpx.AsyncClient) -> None:
    assert (await front.post("/rooms/nowhere/ticket")).status_code == 404


async def test_there_is_none_unless_rooms_are_open(api: httpx.AsyncClient) -> None:
    await address_of(api, "cafe")
    for name in ("cafe", "nowhere"):
        answer = await api.post(f"/rooms/{name}/ticket")
        assert (answer.status_code, answer.content) == (204, b"")


async def test_a_rush_is_let_in_and_a_flood_is_not(front: httpx.AsyncClient, clock: Clock) -> None:
    await address_of(front, "cafe")
    await address_of(front, "other")
    answers = [(await front.post("/rooms/cafe/ticket")).status_code for _ in range(BURST)]
    assert answers == [201] * BURST
    refused = await front.post("/rooms/cafe/ticket")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert (await front.post("/rooms/other/ticket")).status_code == 201, "other rooms are not concerned"
    clock.now += 1.5 / PER_S
    answers = [(await front.post("/rooms/cafe/ticket")).status_code for _ in range(2)]
    assert answers == [201, 429]
    figures = (await front.get("/metrics")).text
    assert 'parlour_open_rooms{figure="refused"} 2.0' in figures


def test_what_is_remembered_of_rooms_has_an_end(clock: Clock) -> None:
    doors = OpenRooms(UUID(PROJECT), clock)
    for number in range(ROOMS_MAX + 5):
        doors.take(UUID(int=number))
    assert len(doors._lately) == ROOMS_MAX
