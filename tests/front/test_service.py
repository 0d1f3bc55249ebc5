"""Health, figures, request ids, failures, documents."""

import logging
import re

import httpx
import pytest

from parlour.domain.errors import Unavailable
from parlour.front.app import build_app
from parlour.front.errors import CODES
from parlour.store.database import Database
from parlour.store.prepared import InsertUnlessTaken, Values
from tests.front.test_auth import Counting, client
from tests.front.test_rooms import COFFEE, ROOMS
from tests.support.server import PROJECT, TOKEN


async def test_health(api: httpx.AsyncClient) -> None:
    assert (await api.get("/healthz")).json() == {"status": "ok"}
    assert (await api.get("/readyz")).json() == {"status": "ready"}


@pytest.mark.parametrize("given", ["abc", "a" * 128, "01J:x.y_z-9"])
async def test_a_sane_request_id_comes_back(api: httpx.AsyncClient, given: str) -> None:
    for path in (ROOMS, "/nowhere", "/healthz"):
        assert (await api.get(path, headers={"X-Request-ID": given})).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a" * 129, "a b", "<script>", "é"])
async def test_any_other_request_id_is_replaced(api: httpx.AsyncClient, given: str) -> None:
    answer = await api.get(ROOMS, headers={b"X-Request-ID": given.encode("latin-1")})
    assert re.fullmatch(r"[0-9a-f]{24}", answer.headers["x-request-id"])
    assert (await api.get(ROOMS)).headers["x-request-id"] != answer.headers["x-request-id"]


class Broken(Counting):
    """A database that fails in a way nobody foresaw, or is away."""

    error: Exception = RuntimeError("the secret inside")

    async def insert(self, insert: InsertUnlessTaken, row: Values) -> bool:
        raise self.error


async def test_an_unexpected_failure_tells_nothing_but_its_id(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with client(build_app(Broken(database)), PROJECT, TOKEN) as api:
        answer = await api.post(ROOMS, json=COFFEE, headers={"X-Request-ID": "find-me"})
    assert (answer.status_code, answer.json()) == (500, {"error": "Internal Server Error"})
    assert answer.headers["x-request-id"] == "find-me"
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "find-me" in record.getMessage()
    assert record.exc_info is not None
    assert "the secret inside" in str(record.exc_info[1])


async def test_a_database_that_is_away_is_503(database: Database) -> None:
    broken = Broken(database)
    broken.error = Unavailable("gone", retry_after=3)
    async with client(build_app(broken), PROJECT, TOKEN) as api:
        answer = await api.post(ROOMS, json=COFFEE)
    assert (answer.status_code, answer.json()) == (503, {"error": "Service Unavailable"})
    assert answer.headers["retry-after"] == "3"


async def test_metrics_count_requests_by_route(api: httpx.AsyncClient) -> None:
    room = (await api.post(ROOMS, json=COFFEE)).json()
    for _ in range(3):
        await api.get(f"{ROOMS}/{room['id']}")
    await api.get("/nowhere/at/all")
    await api.request("BREW", ROOMS)
    answer = await api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    for line in (
        f'parlour_http_requests_total{{method="POST",route="{ROOMS}",status="200"}} 1.0',
        f'parlour_http_requests_total{{method="GET",route="{ROOMS}/{{id}}",status="200"}} 3.0',
        'parlour_http_requests_total{method="GET",route="none",status="404"} 1.0',
        f'parlour_http_requests_total{{method="other",route="{ROOMS}",status="405"}} 1.0',
        f'parlour_http_request_seconds_count{{route="{ROOMS}/{{id}}"}} 3.0',
        "process_resident_memory_bytes",
        'parlour_gate{figure="hits"}',
        "parlour_database{",
    ):
        assert line in answer.text


async def test_the_documents_need_nothing_from_elsewhere(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    references = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert "/docs/assets/swagger-ui-bundle.js" in references
    for reference in references:
        assert reference.startswith("/")
        assert (await api.get(reference)).status_code == 200, reference


async def test_every_error_code_is_explained(api: httpx.AsyncClient) -> None:
    page = (await api.get("/docs/errors")).text
    for code in CODES:
        assert f'id="{code}"' in page
