"""Join tokens over REST, over both databases."""

import base64
import json
import time
from collections.abc import Generator
from uuid import UUID, uuid4

import httpx
import pytest

from parlour.domain.live.capabilities import GUEST, MODERATOR
from parlour.domain.ticket import LIFE_MAX_S, LIFE_S, Bearer, Ticket
from parlour.front.front import utc_now
from parlour.front.passwords import password_matches
from parlour.front.tickets import BadToken, OldToken, Tickets, Use
from parlour.store import subscribers
from parlour.store.database import Database
from tests.support.server import PROJECT

FABRIC = "/api/fabric"
ROOMS = f"{FABRIC}/resources/conference_rooms"
SUBSCRIBERS = f"{FABRIC}/resources/subscribers"


async def room_address(api: httpx.AsyncClient, name: str = "coffee_cafe") -> str:
    room = (await api.post(ROOMS, json={"name": name, "enable_room_previews": True})).json()
    address: str = (await api.get(f"{ROOMS}/{room['id']}/addresses")).json()["data"][0]["id"]
    return address


async def subscriber_token(api: httpx.AsyncClient, reference: str = "alice@example.com") -> str:
    token: str = (await api.post(f"{FABRIC}/subscribers/tokens", json={"reference": reference})).json()["token"]
    return token


class bearer(httpx.Auth):  # noqa: N801 - reads like the function that it stands for
    """Calls with a join token, or any other ``Authorization``."""

    def __init__(self, token: str, scheme: str = "Bearer ") -> None:
        self._header = scheme + token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header
        yield request


def codes(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(item["code"], item["attribute"]) for item in answer.json()["errors"]]


async def test_a_subscriber_gets_a_token_and_is_the_same_next_time(api: httpx.AsyncClient, database: Database) -> None:
    first = await api.post(f"{FABRIC}/subscribers/tokens", json={"reference": "alice@example.com", "first_name": "Al"})
    assert first.status_code == 200
    second = await api.post(f"{FABRIC}/subscribers/tokens", json={"reference": "alice@example.com"})
    assert second.json()["subscriber_id"] == first.json()["subscriber_id"]
    tickets = Tickets(database, utc_now)
    ticket = await tickets.read(second.json()["token"])
    assert (ticket.name, ticket.bearer, ticket.addresses) == ("Al", Bearer.SUBSCRIBER, None)
    assert ticket.capabilities == MODERATOR
    assert abs(ticket.expires_at - time.time() - LIFE_S) < 60
    refresh = await tickets.read(first.json()["refresh_token"], Use.REFRESH)
    assert 290 <= refresh.expires_at - ticket.expires_at <= 300
    with pytest.raises(BadToken):
        await tickets.read(first.json()["refresh_token"])
    assert (await api.get(f"{SUBSCRIBERS}/{first.json()['subscriber_id']}")).json()["subscriber"]["first_name"] == "Al"


async def test_two_fronts_read_each_others_tokens(database: Database) -> None:
    now = int(time.time())
    ticket = Ticket("jti", UUID(PROJECT), Bearer.GUEST, now, now + 60, addresses=frozenset({uuid4()}))
    token = await Tickets(database, utc_now).mint(ticket)
    assert await Tickets(database, utc_now, connect_host="rooms.example.com").read(token) == ticket
    with pytest.raises(OldToken):
        await Tickets(database, lambda: utc_now().replace(year=utc_now().year + 1)).read(token)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("missing_required_parameter", "reference")]),
        ({"reference": 7}, [("not_a_string", "reference")]),
        ({"reference": " "}, [("missing_required_parameter", "reference")]),
        ({"reference": " \ufeff "}, [("missing_required_parameter", "reference")]),
        ({"reference": "a", "expire_at": 1}, [("invalid_parameter_value", "expire_at")]),
        ({"reference": "a", "expire_at": "soon"}, [("invalid_parameter_value", "expire_at")]),
        (
            {"reference": "a", "expire_at": int(time.time()) + LIFE_MAX_S + 86_400},
            [("invalid_parameter_value", "expire_at")],
        ),
        ({"reference": "a", "password": "short"}, [("invalid_parameter_value", "password")]),
        ({"reference": "a", "first_name": "\0"}, [("invalid_parameter_value", "first_name")]),
    ],
)
async def test_bad_subscriber_token_requests(
    api: httpx.AsyncClient, body: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    assert codes(await api.post(f"{FABRIC}/subscribers/tokens", json=body)) == expected


async def test_a_token_lasts_as_long_as_asked(api: httpx.AsyncClient, database: Database) -> None:
    until = int(time.time()) + 600
    for spelt in (str(until), f"{until}.0"):  # one number in JSON
        content = f'{{"reference": "alice", "expire_at": {spelt}}}'
        made = await api.post(
            f"{FABRIC}/subscribers/tokens", content=content, headers={"Content-Type": "application/json"}
        )
        assert (await Tickets(database, utc_now).read(made.json()["token"])).expires_at == until


async def test_passwords_are_kept_hashed(api: httpx.AsyncClient, database: Database) -> None:
    body = {"reference": "alice@example.com", "password": "correct horse"}
    made = (await api.post(f"{FABRIC}/subscribers/tokens", json=body)).json()
    kept = await database.run(lambda c: subscribers.password_hash(c, UUID(PROJECT), UUID(made["subscriber_id"])))
    assert kept is not None
    assert "correct" not in kept
    assert await password_matches("correct horse", kept)
    assert not await password_matches("correct house", kept)


async def test_refresh_gives_a_new_pair(api: httpx.AsyncClient) -> None:
    first = (await api.post(f"{FABRIC}/subscribers/tokens", json={"reference": "alice"})).json()
    path = f"{FABRIC}/subscribers/tokens/refresh"
    second = await api.post(path, json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 201
    assert set(second.json()) == {"token", "refresh_token"}
    assert codes(await api.post(path, json={"refresh_token": first["token"]})) == [
        ("not_a_refresh_token", "refresh_token")
    ]
    await api.delete(f"{SUBSCRIBERS}/{first['subscriber_id']}")
    assert codes(await api.post(path, json={"refresh_token": first["refresh_token"]})) == [
        ("token_invalid", "refresh_token")
    ]


async def test_a_refresh_token_is_good_for_no_longer_than_it_says(api: httpx.AsyncClient, database: Database) -> None:
    now = int(time.time())
    old = Ticket("jti", UUID(PROJECT), Bearer.GUEST, now - 2 * LIFE_S, now - LIFE_S, addresses=frozenset({uuid4()}))
    refresh = await Tickets(database, utc_now).mint(old, Use.REFRESH)
    assert codes(await api.post(f"{FABRIC}/subscribers/tokens/refresh", json={"refresh_token": refresh})) == [
        ("token_expired", "refresh_token")
    ]


async def test_a_guest_is_refreshed_to_the_same_and_no_more(api: httpx.AsyncClient, database: Database) -> None:
    address, other = await room_address(api), await room_address(api, "other")
    made = (await api.post(f"{FABRIC}/guests/tokens", json={"allowed_addresses": [address]})).json()
    more = {"allowed_addresses": [address, other], "moderator": True}
    body = {"refresh_token": made["refresh_token"], **more}
    refreshed = await api.post(f"{FABRIC}/subscribers/tokens/refresh", json=body)
    assert refreshed.status_code == 201
    tickets = Tickets(database, utc_now)
    for token, use in ((refreshed.json()["token"], Use.ACCESS), (refreshed.json()["refresh_token"], Use.REFRESH)):
        ticket = await tickets.read(token, use)
        assert (ticket.bearer, ticket.addresses) == (Bearer.GUEST, frozenset({UUID(address)}))
        assert (ticket.subscriber, ticket.capabilities) == (None, GUEST)


async def test_a_tokens_header_says_how_it_is_closed_up_and_what_for(api: httpx.AsyncClient) -> None:
    header, key, *rest = (await subscriber_token(api)).split(".")
    padded = header + "=" * (-len(header) % 4)
    assert json.loads(base64.urlsafe_b64decode(padded)) == {"alg": "dir", "enc": "A256GCM", "typ": "SAT"}
    assert (key, len(rest)) == ("", 3), "there is no key in it"


async def test_guests_get_what_they_are_given(api: httpx.AsyncClient, database: Database) -> None:
    address, other = await room_address(api), await room_address(api, "other")
    path = f"{FABRIC}/guests/tokens"
    made = await api.post(path, json={"allowed_addresses": [address]})
    assert made.status_code == 201
    ticket = await Tickets(database, utc_now).read(made.json()["token"])
    assert ticket.addresses == frozenset({UUID(address)})
    assert ticket.capabilities == GUEST
    seen = (await api.get(f"{FABRIC}/addresses", auth=bearer(made.json()["token"]))).json()["data"]
    assert [entry["id"] for entry in seen] == [address]
    token = bearer(made.json()["token"])
    assert (await api.get(f"{FABRIC}/addresses/{other}", auth=token)).status_code == 404
    invite = await api.post(f"{FABRIC}/subscriber/invites", auth=token, json={"address_id": address})
    assert invite.status_code == 401
    assert codes(await api.post(path, json={"allowed_addresses": [str(uuid4())]})) == [
        ("must_belong_to_project", "allowed_addresses")
    ]
    assert codes(await api.post(path, json={"allowed_addresses": [address] * 11})) == [
        ("allowed_address_limit_exceeded", "allowed_addresses")
    ]
    for bad in ([], "x", [1], ["x"]):
        assert codes(await api.post(path, json={"allowed_addresses": bad})) == [
            ("invalid_list_items", "allowed_addresses")
        ]


async def test_invites_open_one_address(api: httpx.AsyncClient, database: Database) -> None:
    address = await room_address(api)
    path = f"{FABRIC}/subscriber/invites"
    token = bearer(await subscriber_token(api))
    made = await api.post(path, json={"address_id": address}, auth=token)
    assert made.status_code == 201
    tickets = Tickets(database, utc_now)
    assert (await tickets.read(made.json()["token"])).capabilities == GUEST
    body = {"address_id": address, "moderator": True}
    assert codes(await api.post(path, json=body, auth=token)) == [("invalid_parameter_value", "moderator")]
    made = await api.post(path, json=body)
    assert (await tickets.read(made.json()["token"])).capabilities == MODERATOR
    assert codes(await api.post(path, json={"address_id": "x"})) == [("not_an_id", "address_id")]


async def test_embed_tokens_are_exchanged_by_anybody(api: httpx.AsyncClient, database: Database) -> None:
    address = await room_address(api)
    made = await api.post(f"{FABRIC}/embeds", json={"address_id": address})
    assert made.status_code == 200
    path = f"{FABRIC}/embeds/tokens"
    exchanged = await api.post(path, json={"token": made.json()["token"]}, auth=httpx.Auth())
    assert exchanged.status_code == 201
    assert exchanged.headers["access-control-allow-origin"] == "*"
    ticket = await Tickets(database, utc_now).read(exchanged.json()["token"])
    assert (ticket.bearer, ticket.addresses) == (Bearer.EMBED, frozenset({UUID(address)}))
    assert codes(await api.post(path, json={"token": "c2c_x"})) == [("invalid_token_format", "token")]
    assert (await api.post(path, json={"token": "c2c_" + "0" * 32})).status_code == 404
    listed = (await api.get(f"{FABRIC}/embeds")).json()["data"]
    assert [embed["token"][-4:] for embed in listed] == [made.json()["token"][-4:]]
    assert (await api.delete(f"{FABRIC}/embeds/{made.json()['id']}")).status_code == 204
    assert (await api.post(path, json={"token": made.json()["token"]})).status_code == 404


async def test_a_deleted_subscribers_token_opens_nothing(api: httpx.AsyncClient) -> None:
    made = (await api.post(f"{FABRIC}/subscribers/tokens", json={"reference": "alice"})).json()
    token = bearer(made["token"])
    assert (await api.get(f"{FABRIC}/subscriber/info", auth=token)).json()["id"] == made["subscriber_id"]
    await api.delete(f"{SUBSCRIBERS}/{made['subscriber_id']}")
    gone = await api.get(f"{FABRIC}/subscriber/info", auth=token)
    # Not Basic: browsers ask people for a name and a password then.
    assert (gone.status_code, gone.headers["www-authenticate"]) == (401, 'Bearer realm="parlour"')


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Bearer " + "x" * 20_000, "Basic x"])
async def test_the_directory_takes_good_credentials_only(api: httpx.AsyncClient, header: str) -> None:
    answer = await api.get(f"{FABRIC}/addresses", auth=bearer(header, ""))
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["subscriber/info", "addresses", "addresses/x", "embeds/tokens", "subscriber/invites"])
async def test_browsers_may_ask_from_anywhere(api: httpx.AsyncClient, path: str) -> None:
    preflight = await api.options(f"{FABRIC}/{path}", headers={"Origin": "http://elsewhere.test"})
    assert preflight.status_code == 204
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert (await api.get(f"{FABRIC}/{path}")).headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in (await api.get(ROOMS)).headers
