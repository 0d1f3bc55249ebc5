"""Subscribers as resources, and the directory, over both databases."""

import httpx
import pytest

FABRIC = "/api/fabric"
ROOMS = f"{FABRIC}/resources/conference_rooms"
SUBSCRIBERS = f"{FABRIC}/resources/subscribers"


async def walk(api: httpx.AsyncClient, path: str, **query: object) -> list[dict[str, object]]:
    """Every item of a list, page by page, then back again."""
    page = (await api.get(path, params={"page_size": 2, **query})).json()  # type: ignore[dict-item]  # plain values
    found = list(page["data"])
    while "next" in page["links"]:
        page = (await api.get(page["links"]["next"])).json()
        found += page["data"]
    back = list(page["data"])
    while "prev" in page["links"]:
        page = (await api.get(page["links"]["prev"])).json()
        back = page["data"] + back
    assert back == found
    return found


async def test_a_subscriber_is_made_shown_changed_and_deleted(api: httpx.AsyncClient) -> None:
    made = await api.post(SUBSCRIBERS, json={"email": "alice@example.com", "password": "long enough", "country": "CH"})
    assert made.status_code == 201
    body = made.json()
    assert (body["type"], body["display_name"], body["subscriber"]["country"]) == ("subscriber", "alice", "CH")
    assert "password" not in made.text
    path = f"{SUBSCRIBERS}/{body['id']}"
    changed = await api.put(path, json={"display_name": "Alice", "email": "a@example.com"})
    assert changed.json()["display_name"] == "Alice"
    assert changed.json()["subscriber"]["country"] == "CH"
    assert (await api.get(path)).json() == (await api.get(f"{FABRIC}/resources/{body['id']}")).json() == changed.json()
    address = (await api.get(f"{path}/addresses")).json()["data"][0]
    assert address["channels"]["video"] == "/private/alice?channel=video"
    assert (await api.delete(f"{FABRIC}/resources/{body['id']}")).status_code == 204
    assert (await api.get(path)).status_code == 404


async def test_an_email_is_one_persons(api: httpx.AsyncClient) -> None:
    await api.post(SUBSCRIBERS, json={"email": "a@example.com"})
    other = (await api.post(SUBSCRIBERS, json={"email": "a@example.org"})).json()
    for answer in (
        await api.post(SUBSCRIBERS, json={"email": "a@example.com"}),
        await api.put(f"{SUBSCRIBERS}/{other['id']}", json={"email": "a@example.com"}),
    ):
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["code"] == "not_unique_within_project"
    addresses = (await api.get(f"{FABRIC}/addresses", params={"type": "subscriber"})).json()["data"]
    assert len({address["name"] for address in addresses}) == 2


@pytest.mark.parametrize("email", ["a", "a@", "@b", "a b@c", "a@b@c", "a\x85@b", "a@b\ufeff", "a\n@b"])
async def test_what_is_no_email_is_refused(api: httpx.AsyncClient, email: str) -> None:
    answer = await api.post(SUBSCRIBERS, json={"email": email})
    assert answer.status_code == 422
    assert [(item["code"], item["attribute"]) for item in answer.json()["errors"]] == [
        ("invalid_parameter_value", "email")
    ]


async def test_a_resource_is_found_by_its_own_kind_and_as_a_resource(api: httpx.AsyncClient) -> None:
    room = (await api.post(ROOMS, json={"name": "coffee_cafe", "enable_room_previews": False})).json()
    person = (await api.post(SUBSCRIBERS, json={"email": "alice@example.com"})).json()
    resources = f"{FABRIC}/resources"
    for made, own, other in ((room, ROOMS, SUBSCRIBERS), (person, SUBSCRIBERS, ROOMS)):
        for ending in ("", "/addresses"):
            shown = await api.get(f"{own}/{made['id']}{ending}")
            assert shown.status_code == 200
            assert (await api.get(f"{other}/{made['id']}{ending}")).status_code == 404
            as_resource = (await api.get(f"{resources}/{made['id']}{ending}")).json()
            assert as_resource.get("data", as_resource) == shown.json().get("data", shown.json())
        assert (await api.delete(f"{other}/{made['id']}")).status_code == 404
        assert (await api.delete(f"{resources}/{made['id']}")).status_code == 204
        for again in (api.get, api.delete):
            assert (await again(f"{resources}/{made['id']}")).status_code == 404
        assert (await api.get(f"{resources}/{made['id']}/addresses")).status_code == 404


async def test_resources_of_both_kinds_are_paged_together(api: httpx.AsyncClient) -> None:
    ids = []
    for number in range(7):
        if number % 3 == 1:
            answer = await api.post(SUBSCRIBERS, json={"email": f"{number}@example.com"})
        else:
            answer = await api.post(ROOMS, json={"name": f"room {number}", "enable_room_previews": False})
        ids.append(answer.json()["id"])
    found = await walk(api, f"{FABRIC}/resources")
    assert [one["id"] for one in found] == sorted(ids, reverse=True)
    assert {one["type"] for one in found} == {"video_room", "subscriber"}


@pytest.mark.parametrize("sort_by", ["name", "display_name", "created_at"])
@pytest.mark.parametrize("sort_order", ["asc", "desc"])
async def test_the_directory_is_sorted_and_paged(api: httpx.AsyncClient, sort_by: str, sort_order: str) -> None:
    for name in ("cherry", "apple", "banana", "apple tree", "date"):
        await api.post(ROOMS, json={"name": name, "display_name": name[:5], "enable_room_previews": False})
    await api.post(SUBSCRIBERS, json={"email": "bob@example.com"})
    found = await walk(api, f"{FABRIC}/addresses", sort_by=sort_by, sort_order=sort_order)
    assert len(found) == 6
    keys = [str(one[sort_by]) for one in found]
    assert keys == sorted(keys, reverse=sort_order == "desc")


async def test_the_directory_is_filtered(api: httpx.AsyncClient) -> None:
    await api.post(ROOMS, json={"name": "coffee_cafe", "display_name": "Coffee 100%", "enable_room_previews": False})
    await api.post(SUBSCRIBERS, json={"email": "bob@example.com"})

    async def names(**query: str) -> list[str]:
        return [one["name"] for one in (await api.get(f"{FABRIC}/addresses", params=query)).json()["data"]]

    assert await names(name="coffee_cafe") == await names(name="/public/coffee_cafe?channel=video") == ["coffee_cafe"]
    assert await names(name="/private/coffee_cafe") == []
    assert await names(type="subscriber") == ["bob"]
    assert await names(type="app") == []
    assert await names(display_name="FEE 100%") == ["coffee_cafe"]
    assert await names(display_name="_") == []
    assert await names(name="", display_name="") == ["bob", "coffee_cafe"]
    for name in ("sort_by", "sort_order", "type"):
        for value in ("x", ""):
            assert (await api.get(f"{FABRIC}/addresses", params={name: value})).status_code == 422
    assert (await api.get(f"{FABRIC}/addresses", params={"name": "\0"})).status_code == 422


async def test_the_directory_goes_on_where_something_is_gone(api: httpx.AsyncClient) -> None:
    body = {"display_name": "here", "enable_room_previews": False}
    rooms = [(await api.post(ROOMS, json={"name": name, **body})).json() for name in ("c", "b", "a")]
    newest, by_name = [
        (await api.get(f"{FABRIC}/addresses", params={"page_size": 1, **query})).json()["links"]["next"]
        for query in ({}, {"display_name": "here", "sort_by": "name", "sort_order": "asc"})
    ]
    # What a page lies behind need not pass the filter any more, but it has to be there to be compared with by name.
    await api.put(f"{ROOMS}/{rooms[2]['id']}", json={"display_name": "elsewhere"})
    assert [one["name"] for one in (await api.get(by_name)).json()["data"]] == ["b"]
    await api.delete(f"{ROOMS}/{rooms[2]['id']}")
    assert [one["name"] for one in (await api.get(newest)).json()["data"]] == ["b"]
    gone = await api.get(by_name)
    assert gone.status_code == 422
    assert [item["code"] for item in gone.json()["errors"]] == ["page_token_is_invalid"]
