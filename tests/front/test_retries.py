"""``Idempotency-Key``: a retry repeats nothing."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from parlour.front.app import build_app
from parlour.store import replies
from parlour.store.database import Database
from tests.front.test_auth import client
from tests.front.test_rooms import COFFEE, ROOMS, create
from tests.support.server import PROJECT, TOKEN

KEY = {"Idempotency-Key": "4c5d7b1e-booking-77"}


async def test_the_same_request_gives_the_same_answer(api: httpx.AsyncClient) -> None:
    first = await api.post(ROOMS, json=COFFEE, headers=KEY)
    again = await api.post(ROOMS, json=COFFEE, headers=KEY)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert (await api.get(ROOMS)).json()["data"] == [first.json()]


async def test_the_first_answer_stands_though_the_room_changed(api: httpx.AsyncClient) -> None:
    first = (await api.post(ROOMS, json=COFFEE, headers=KEY)).json()
    await api.delete(f"{ROOMS}/{first['id']}")
    assert (await api.post(ROOMS, json=COFFEE, headers=KEY)).json() == first
    assert (await api.get(ROOMS)).json()["data"] == []


async def test_another_request_with_the_same_key_is_422(api: httpx.AsyncClient) -> None:
    await api.post(ROOMS, json=COFFEE, headers=KEY)
    answer = await api.post(ROOMS, json=COFFEE | {"name": "tea"}, headers=KEY)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["attribute"] == "Idempotency-Key"
    assert len((await api.get(ROOMS)).json()["data"]) == 1


async def test_a_refused_request_leaves_the_key_free(api: httpx.AsyncClient) -> None:
    assert (await api.post(ROOMS, json={"name": "tea"}, headers=KEY)).status_code == 422
    assert (await api.post(ROOMS, json=COFFEE, headers=KEY)).status_code == 200


async def test_rivals_with_one_key_make_one_room(api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(api.post(ROOMS, json=COFFEE, headers=KEY) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len((await api.get(ROOMS)).json()["data"]) == 1


async def test_a_key_is_free_again_after_a_day(database: Database) -> None:
    moment = datetime(2026, 5, 6, 12, tzinfo=UTC)
    async with client(build_app(database, now=lambda: moment), PROJECT, TOKEN) as api:
        first = await api.post(ROOMS, json=COFFEE, headers=KEY)
        moment += replies.KEPT_FOR - timedelta(seconds=1)
        assert (await api.post(ROOMS, json=COFFEE, headers=KEY)).content == first.content
        moment += timedelta(seconds=1)
        assert (await api.post(ROOMS, json=COFFEE, headers=KEY)).json()["id"] != first.json()["id"]


async def test_old_answers_are_swept(database: Database) -> None:
    moment = datetime(2026, 5, 6, 12, tzinfo=UTC)
    async with client(build_app(database, now=lambda: moment), PROJECT, TOKEN) as api:
        await api.post(ROOMS, json=COFFEE, headers=KEY)
    early, late = moment + replies.KEPT_FOR - timedelta(seconds=1), moment + replies.KEPT_FOR
    assert await database.write(lambda connection: replies.forget_old(connection, early)) == 0
    assert await database.write(lambda connection: replies.forget_old(connection, late)) == 1


async def test_other_projects_have_keys_of_their_own(database: Database) -> None:
    from uuid import uuid4

    from parlour.front.bootstrap import ensure_credentials
    from parlour.front.front import utc_now

    other, secret = uuid4(), "PT" + "other" * 8
    await database.transact(lambda connection: ensure_credentials(connection, other, secret, utc_now()))
    app = build_app(database)
    async with client(app, PROJECT, TOKEN) as mine, client(app, str(other), secret) as theirs:
        first = await mine.post(ROOMS, json=COFFEE, headers=KEY)
        second = await theirs.post(ROOMS, json=COFFEE, headers=KEY)
        assert first.json()["id"] != second.json()["id"]


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "a\tb"])
async def test_bad_keys_are_refused(api: httpx.AsyncClient, key: str) -> None:
    answer = await api.post(ROOMS, json=COFFEE, headers={b"Idempotency-Key": key.encode("latin-1")})
    assert answer.status_code == 422
    assert [item["attribute"] for item in answer.json()["errors"]] == ["Idempotency-Key"]


async def test_without_a_key_each_request_counts(api: httpx.AsyncClient) -> None:
    assert (await create(api))["id"] != (await create(api))["id"]
