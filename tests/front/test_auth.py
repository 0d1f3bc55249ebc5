"""Who may call what: credentials, permissions, projects, revocation."""

import base64
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from parlour.domain.token import Permission, Token, digest
from parlour.front.app import build_app
from parlour.front.auth import CACHE_MAX, TRUSTED_FOR_S
from parlour.front.bootstrap import ensure_credentials
from parlour.front.front import utc_now
from parlour.store import tokens
from parlour.store.database import Database, Result, Work
from tests.front.test_rooms import COFFEE, ROOMS, create
from tests.support.server import PROJECT, TOKEN

TOKENS = "/api/project/tokens"


def client(app: Any, project: str, token: str) -> httpx.AsyncClient:
    """A client with these credentials."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://parlour.test", auth=(project, token))


async def new_token(api: httpx.AsyncClient, *permissions: str, name: str = "a token") -> dict[str, Any]:
    """Make a token; give its body."""
    answer = await api.post(TOKENS, json={"name": name, "permissions": permissions})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def basic(text: bytes) -> str:
    """A header with these credentials."""
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        basic(b"nonsense"),
        basic(f"{PROJECT}:".encode()),
        basic(f"{PROJECT}:{TOKEN}x".encode()),
        basic(f"{UUID(int=7)}:{TOKEN}".encode()),
        basic(f":{TOKEN}".encode()),
        basic(b"\xff\xfe:" + TOKEN.encode()),
        basic(f"{PROJECT}:".encode() + b"\xff"),
        basic(f"{PROJECT}:{'x' * 5000}".encode()),
        f"Bearer {TOKEN}",
    ],
    ids=lambda header: str(header)[:30],
)
@pytest.mark.parametrize(("method", "path"), [("GET", ROOMS), ("POST", ROOMS), ("GET", TOKENS)])
async def test_bad_credentials_are_401(database: Database, header: str | None, method: str, path: str) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(build_app(database)), base_url="http://parlour.test"
    ) as nobody:
        answer = await nobody.request(method, path, headers={"Authorization": header} if header is not None else {})
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("permission", list(Permission))
async def test_each_permission_opens_what_it_should(database: Database, permission: Permission) -> None:
    app = build_app(database)
    async with client(app, PROJECT, TOKEN) as owner:
        secret = (await new_token(owner, permission))["token"]
    async with client(app, PROJECT, secret) as caller:
        rooms = (await caller.get(ROOMS)).status_code
        resources = (await caller.get("/api/fabric/resources")).status_code
        managed = (await caller.get(TOKENS)).status_code
    expected = 200 if permission in {"calling", "messaging", "fax", "video"} else 401
    assert (rooms, resources) == (expected, expected)
    assert managed == (200 if permission == "management" else 401)


async def test_token_life(api: httpx.AsyncClient) -> None:
    made = await new_token(api, "video", "calling", "video", name="Booking page")
    assert made["token"].startswith("PT")
    assert len(made["token"]) == 50
    masked = made | {"token": f"PT…{made['token'][-4:]}"}
    assert made["permissions"] == ["calling", "video"]
    assert (await api.get(f"{TOKENS}/{made['id']}")).json() == masked
    changed = (await api.patch(f"{TOKENS}/{made['id']}", json={"name": "Booking", "permissions": ["fax"]})).json()
    assert changed == masked | {"name": "Booking", "permissions": ["fax"], "updated_at": changed["updated_at"]}
    assert (await api.patch(f"{TOKENS}/{made['id']}", json={})).json()["name"] == "Booking"
    listed = (await api.get(TOKENS)).json()["data"]
    assert listed[0]["id"] == made["id"]
    assert (await api.delete(f"{TOKENS}/{made['id']}")).status_code == 204
    for again in ("GET", "DELETE"):
        assert (await api.request(again, f"{TOKENS}/{made['id']}")).status_code == 404
    assert (await api.patch(f"{TOKENS}/{made['id']}", json={"name": "ghost"})).status_code == 404


@pytest.mark.parametrize(
    ("body", "code", "attribute"),
    [
        ({"permissions": ["video"]}, "missing_required_parameter", "name"),
        ({"name": " ", "permissions": ["video"]}, "missing_required_parameter", "name"),
        ({"name": "a"}, "missing_required_parameter", "permissions"),
        ({"name": "a", "permissions": []}, "invalid_auth_token_permissions", "permissions"),
        ({"name": "a", "permissions": "video"}, "invalid_auth_token_permissions", "permissions"),
        ({"name": "a", "permissions": ["video", "root"]}, "invalid_auth_token_permissions", "permissions"),
        ({"name": "a", "permissions": [{}]}, "invalid_auth_token_permissions", "permissions"),
        (
            {"name": "a", "permissions": ["fax"], "subproject_id": str(uuid4())},
            "invalid_subproject_id",
            "subproject_id",
        ),
    ],
)
async def test_bad_tokens_are_refused(api: httpx.AsyncClient, body: Any, code: str, attribute: str) -> None:
    answer = await api.post(TOKENS, json=body)
    assert answer.status_code == 422
    assert [(item["code"], item["attribute"]) for item in answer.json()["errors"]] == [(code, attribute)]
    assert len((await api.get(TOKENS)).json()["data"]) == 1


async def test_projects_do_not_see_each_other(database: Database) -> None:
    other = uuid4()
    secret = "PT" + "other" * 8
    await database.transact(lambda connection: ensure_credentials(connection, other, secret, utc_now()))
    app = build_app(database)
    async with client(app, PROJECT, TOKEN) as mine, client(app, str(other), secret) as theirs:
        room = await create(mine)
        token = await new_token(mine, "video")
        assert (await theirs.get(ROOMS)).json()["data"] == []
        for method, path in (
            ("GET", f"{ROOMS}/{room['id']}"),
            ("PUT", f"{ROOMS}/{room['id']}"),
            ("DELETE", f"{ROOMS}/{room['id']}"),
            ("GET", f"{ROOMS}/{room['id']}/addresses"),
            ("GET", f"/api/fabric/resources/{room['id']}"),
            ("DELETE", f"/api/fabric/resources/{room['id']}"),
            ("GET", f"{TOKENS}/{token['id']}"),
            ("PATCH", f"{TOKENS}/{token['id']}"),
            ("DELETE", f"{TOKENS}/{token['id']}"),
        ):
            content = {"json": {"name": "stolen"}} if method in {"PUT", "PATCH"} else {}
            answer = await theirs.request(method, path, **content)  # type: ignore[arg-type]  # one of httpx's arguments
            assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"}), (method, path)
        assert (await mine.get(f"{ROOMS}/{room['id']}")).json() == room
        # The other project's own room of that name gets the bare address: addresses are unique within a project.
        twin = await create(theirs)
        [address] = (await theirs.get(f"{ROOMS}/{twin['id']}/addresses")).json()["data"]
        assert address["name"] == "coffee_cafe"


class Counting:
    """A database that counts the reads made through it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def run(self, work: Work[Result]) -> Result:
        self.reads += 1
        return await self._database.run(work)


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_busy_caller_costs_no_extra_query(database: Database) -> None:
    counting, clock = Counting(database), Clock()
    async with client(build_app(counting, monotonic=clock), PROJECT, TOKEN) as api:
        for _ in range(10):
            await api.post(ROOMS, json=COFFEE)
        assert counting.reads == 1
        clock.seconds += TRUSTED_FOR_S
        await api.post(ROOMS, json=COFFEE)
        assert counting.reads == 2


@pytest.mark.parametrize("act", ["delete", "narrow"])
async def test_a_revocation_acts_at_once_here_and_within_a_second_elsewhere(database: Database, act: str) -> None:
    clock = Clock()
    here, there = build_app(database, monotonic=clock), build_app(database, monotonic=clock)
    async with client(here, PROJECT, TOKEN) as owner:
        token = await new_token(owner, "video")
        async with client(here, PROJECT, token["token"]) as near, client(there, PROJECT, token["token"]) as far:
            assert (await near.get(ROOMS)).status_code == (await far.get(ROOMS)).status_code == 200
            if act == "delete":
                await owner.delete(f"{TOKENS}/{token['id']}")
            else:
                await owner.patch(f"{TOKENS}/{token['id']}", json={"permissions": ["pubsub"]})
            assert (await near.get(ROOMS)).status_code == 401
            clock.seconds += 1.0
            assert (await far.get(ROOMS)).status_code == 401


async def test_the_cache_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlour.front.auth.CACHE_MAX", 3)
    assert CACHE_MAX > 3
    app = build_app(database)
    async with client(app, PROJECT, TOKEN) as owner:
        secrets = [(await new_token(owner, "video"))["token"] for _ in range(5)]
        for secret in secrets:
            async with client(app, PROJECT, secret) as caller:
                assert (await caller.get(ROOMS)).status_code == 200
        text = (await owner.get("/metrics")).text
    assert 'parlour_gate{figure="cached"} 3.0' in text


async def test_only_the_hash_of_a_token_is_kept(database: Database) -> None:
    found = await database.run(lambda connection: tokens.find(connection, UUID(PROJECT), digest(TOKEN)))
    assert isinstance(found, Token)
    assert found.matches(TOKEN)
    assert not found.matches(TOKEN[:-1])
    assert TOKEN.encode() not in found.digest


async def test_settings_bring_a_token_and_replace_it(
    database_url: str, new_url: Callable[[str], str], backend: str
) -> None:
    from parlour.store.database import open_database

    database = open_database(new_url(backend))
    await database.migrate()

    async def start(secret: str | None) -> str | None:
        given = await database.transact(
            lambda connection: ensure_credentials(connection, UUID(PROJECT), secret, utc_now())
        )
        return given.new_token

    async def status(secret: str) -> int:
        async with client(build_app(database), PROJECT, secret) as caller:
            return (await caller.get(ROOMS)).status_code

    first = await start(None)
    assert first is not None
    assert await status(first) == 200
    assert await start(None) is None
    assert await start("PTfrom-the-settings-1") is None
    assert await start("PTfrom-the-settings-2") is None
    assert [await status(secret) for secret in (first, "PTfrom-the-settings-1", "PTfrom-the-settings-2")] == [
        200, 401, 200,
    ]  # fmt: skip
    await database.close()
