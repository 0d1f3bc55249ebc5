"""What stands on a room's door is shown to whoever has leave to come in, and to nobody else."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from parlour.domain.ticket import Bearer, Ticket
from parlour.front.front import utc_now
from parlour.front.tickets import Tickets
from parlour.store.database import Database
from tests.front.test_join_tokens import FABRIC, ROOMS, bearer, subscriber_token
from tests.support.server import PROJECT

WHOLE: dict[str, Any] = {
    "name": "coffee_cafe",
    "display_name": "Coffee Café",
    "description": "Where the day begins.\nBring a cup.",
    "meta": {"topic": "Beans", "secret": 1},
    "record_on_start": True,
    "join_from": "2026-05-06T12:00:00Z",
    "join_until": "2026-05-06T14:00:00+01:00",
    "remove_at": "2026-05-06T14:00:00Z",
}


async def made(api: httpx.AsyncClient, **settings: Any) -> str:
    """A room; the id of its address."""
    room = (await api.post(ROOMS, json={"enable_room_previews": False, **settings})).json()
    address: str = (await api.get(f"{ROOMS}/{room['id']}/addresses")).json()["data"][0]["id"]
    return address


async def invitation(api: httpx.AsyncClient, address: str, **more: Any) -> httpx.Auth:
    answer = await api.post(f"{FABRIC}/subscriber/invites", json={"address_id": address, **more})
    assert answer.status_code == 201, answer.text
    return bearer(answer.json()["token"])


async def test_an_invited_person_reads_what_is_on_the_door(api: httpx.AsyncClient) -> None:
    address = await made(api, **WHOLE)
    answer = await api.get("/rooms/coffee_cafe/door", auth=await invitation(api, address))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    shown = answer.json()
    now = shown.pop("now")
    assert abs(now - datetime.now(UTC).timestamp() * 1000) < 60_000
    assert shown == {
        "name": "coffee_cafe",
        "display_name": "Coffee Café",
        "description": "Where the day begins.\nBring a cup.",
        "topic": "Beans",
        "recorded": True,
        "opens_at": "2026-05-06T12:00:00Z",
        "closes_at": "2026-05-06T13:00:00Z",
        "ends_at": "2026-05-06T14:00:00Z",
    }


async def test_a_plain_room_has_a_plain_door(api: httpx.AsyncClient) -> None:
    address = await made(api, name="plain", meta={"topic": ["no", "words"]})
    shown = (await api.get("/rooms/plain/door", auth=await invitation(api, address))).json()
    assert shown["display_name"] == "plain"
    assert (shown["description"], shown["topic"], shown["recorded"]) == ("", "", False)
    assert shown["opens_at"] is shown["closes_at"] is shown["ends_at"] is None


@pytest.mark.parametrize("name", ["coffee_cafe", "nowhere", "a%00b", "x" * 4000])
async def test_without_a_good_token_there_is_no_door(api: httpx.AsyncClient, database: Database, name: str) -> None:
    address = UUID(await made(api, name="coffee_cafe"))
    past = Ticket("past", UUID(PROJECT), Bearer.INVITE, 0, 1, addresses=frozenset({address}))
    for auth in (None, bearer("nonsense"), bearer(await Tickets(database, utc_now).mint(past))):
        answer = await api.get(f"/rooms/{name}/door", auth=auth)
        assert answer.status_code == 401
        assert answer.json() == {"error": "Unauthorized"}


async def test_a_token_for_another_room_sees_no_difference_between_a_room_and_none(api: httpx.AsyncClient) -> None:
    await made(api, name="coffee_cafe")
    auth = await invitation(api, await made(api, name="other"))
    answers = [await api.get(f"/rooms/{name}/door", auth=auth) for name in ("coffee_cafe", "nowhere")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


async def test_whoever_may_into_all_rooms_reads_every_door(api: httpx.AsyncClient) -> None:
    await made(api, name="coffee_cafe")
    auth = bearer(await subscriber_token(api))
    assert (await api.get("/rooms/coffee_cafe/door", auth=auth)).status_code == 200
