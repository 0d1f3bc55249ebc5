"""Lists: whole, in order, whatever happens meanwhile."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.front.test_rooms import ROOMS, create


async def walk(api: httpx.AsyncClient, url: str, relation: str = "next") -> list[dict[str, Any]]:
    """Follow the links from a page to the end; give the pages."""
    pages = []
    seen = set()
    while url:
        assert url not in seen
        seen.add(url)
        answer = await api.get(url)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        url = pages[-1]["links"].get(relation, "")
    return pages


def ids(page: dict[str, Any]) -> list[str]:
    """The ids of a page."""
    return [item["id"] for item in page["data"]]


@pytest.mark.parametrize("path", [ROOMS, "/api/fabric/resources"])
async def test_pages_and_their_links(api: httpx.AsyncClient, path: str) -> None:
    made = [(await create(api))["id"] for _ in range(7)]
    pages = await walk(api, f"{path}?page_size=3")
    assert [ids(page) for page in pages] == [made[:3:-1], made[3:0:-1], made[:1]]
    for number, page in enumerate(pages):
        links = page["links"]
        assert ("next" in links) == (number < 2)
        assert ("prev" in links) == (number > 0)
        assert set(links) <= {"self", "first", "next", "prev"}
        query = parse_qs(urlsplit(links["self"]).query)
        assert query["page_number"] == [str(number)]
        assert query["page_size"] == ["3"]
        assert (await api.get(links["self"])).json() == page
        assert (await api.get(links["first"])).json() == pages[0]
    backwards = await walk(api, pages[-1]["links"]["self"], "prev")
    assert [ids(page) for page in backwards] == [ids(page) for page in reversed(pages)]
    assert backwards[-1]["links"]["next"] == pages[0]["links"]["next"]


async def test_room_links_say_what_they_list(api: httpx.AsyncClient) -> None:
    links = (await api.get(ROOMS)).json()["links"]
    assert links["self"] == f"http://parlour.test{ROOMS}?type=conference_room&page_number=0&page_size=50"
    assert set(links) == {"self", "first"}


async def test_a_page_that_fits_exactly_has_no_next(api: httpx.AsyncClient) -> None:
    for _ in range(4):
        await create(api)
    pages = await walk(api, f"{ROOMS}?page_size=2")
    assert [len(page["data"]) for page in pages] == [2, 2]


async def test_links_follow_the_host_header_when_it_is_sane(api: httpx.AsyncClient) -> None:
    sane = (await api.get(ROOMS, headers={"Host": "rooms.example.com:8443"})).json()["links"]["self"]
    assert sane.startswith("http://rooms.example.com:8443/api/")
    for host in ("evil.example/<script>", "a b", "x" * 300):
        shown = (await api.get(ROOMS, headers={"Host": host})).json()["links"]["self"]
        assert host not in shown


Step = tuple[str, int]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.integers(0, 9),
    size=st.integers(1, 4),
    steps=st.lists(st.tuples(st.sampled_from(["create", "delete"]), st.integers(0, 8)), max_size=8),
)
async def test_walking_while_others_write(api: httpx.AsyncClient, before: int, size: int, steps: list[Step]) -> None:
    """Rooms that stay are seen exactly once, in order; nothing is seen twice; what is gone does not matter."""
    for page in await walk(api, f"{ROOMS}?page_size=1000"):
        for room in ids(page):
            await api.delete(f"{ROOMS}/{room}")
    made = [(await create(api))["id"] for _ in range(before)]
    gone: set[str] = set()
    seen: list[str] = []
    pending = list(steps)
    url = f"{ROOMS}?page_size={size}"
    while url:
        page = (await api.get(url)).json()
        seen += ids(page)
        url = page["links"].get("next", "")
        if pending:
            act, which = pending.pop(0)
            if act == "create":
                await create(api)
            elif made:
                room = made[which % len(made)]
                await api.delete(f"{ROOMS}/{room}")
                gone.add(room)
    assert len(seen) == len(set(seen))
    stayed = [room for room in reversed(made) if room not in gone]
    assert [room for room in seen if room in stayed] == stayed
