"""Slugs: what stands for a name in an address."""

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.domain.address import SLUG_MAX, is_plain
from parlour.domain.room import NAME_MAX
from parlour.front.slug import slug_of
from tests.front.test_rooms import ROOMS, create


@given(st.text(min_size=1, max_size=NAME_MAX))
def test_every_name_has_a_slug_that_can_stand_in_an_address(name: str) -> None:
    slug = slug_of(name)
    assert is_plain(slug)
    assert len(slug) <= SLUG_MAX
    assert slug_of(slug) == slug


@given(st.from_regex(r"[A-Za-z0-9_-]{1,100}", fullmatch=True))
def test_a_plain_name_is_its_own_slug(name: str) -> None:
    assert slug_of(name) == name


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("coffee_cafe", "coffee_cafe"),
        ("Team-Meeting", "Team-Meeting"),
        ("Café Zürich", "cafe-zurich"),
        ("Кафе", "kafe"),
        ("会议室", "hui-yi-shi"),
        ("../../etc/passwd", "etc-passwd"),
        ("a/b?c=d#e", "a-b-c-d-e"),
        ("🙂", "room"),
        ("名" * 100, "-".join(["ming"] * 20)),
    ],
)
def test_slugs(name: str, slug: str) -> None:
    assert slug_of(name) == slug


async def test_a_number_never_collides_with_a_name(api: httpx.AsyncClient) -> None:
    names = ["tea-2", "tea", "tea", "tea", "tea-2", "tea-3"]
    found = []
    for name in names:
        room = await create(api, name=name)
        [address] = (await api.get(f"{ROOMS}/{room['id']}/addresses")).json()["data"]
        found.append(address["name"])
    assert len(set(found)) == len(names)
    assert found[:2] == ["tea-2", "tea"]


async def test_many_rooms_of_one_name_at_once(api: httpx.AsyncClient) -> None:
    rooms = await asyncio.gather(*(create(api) for _ in range(40)))
    found = set()
    for room in rooms:
        [address] = (await api.get(f"{ROOMS}/{room['id']}/addresses")).json()["data"]
        assert address["name"].partition("-")[0] == "coffee_cafe"
        found.add(address["name"])
    assert len(found) == 40


async def test_many_rooms_renamed_to_one_name_at_once(api: httpx.AsyncClient) -> None:
    rooms = [await create(api, name=f"room-{number}") for number in range(10)]
    answers = await asyncio.gather(*(api.put(f"{ROOMS}/{room['id']}", json={"name": "same"}) for room in rooms))
    assert {answer.status_code for answer in answers} == {200}
    found = set()
    for room in rooms:
        [address] = (await api.get(f"{ROOMS}/{room['id']}/addresses")).json()["data"]
        found.add(address["name"])
    assert len(found) == 10
    assert all(name.partition("-")[0] == "same" for name in found)
