"""The log's line for each request."""

import io
import logging
import re
from datetime import datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from parlour.front.access_log import BUFFER_MAX, AccessLog
from parlour.front.metrics import Metrics
from parlour.front.observe import Observe

NOON = datetime(2026, 5, 6, 12, 0, 0, 7500).timestamp()  # noqa: DTZ001 - the log's times are local, like all of it


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    """Log requests."""
    caplog.set_level(logging.INFO, "parlour.access")


class Broken(io.StringIO):
    """A stream that takes nothing."""

    def write(self, text: str) -> int:
        raise OSError("no space left on device")


async def test_a_request_is_logged_in_one_line() -> None:
    stream = io.StringIO()
    access = AccessLog(stream, lambda: NOON)
    transport = httpx.ASGITransport(Observe(Starlette(), Metrics(), access))
    async with httpx.AsyncClient(transport=transport, base_url="http://parlour.test") as client:
        await client.get("/no%0Awhere?secret=1", headers={"X-Request-ID": "abc"})
    assert stream.getvalue() == ""
    access.flush()
    assert re.fullmatch(
        r"2026-05-06 12:00:00,007 INFO GET /no\\nwhere 404 \d+\.\d ms abc\n",
        stream.getvalue(),
    )


async def test_what_opens_a_preview_is_not_logged() -> None:
    async def seen(_request: Request) -> Response:
        return Response()

    stream = io.StringIO()
    access = AccessLog(stream, lambda: NOON)
    app = Starlette(routes=[Route("/sessions/{id}/preview/{secret}", seen)])
    transport = httpx.ASGITransport(Observe(app, Metrics(), access))
    async with httpx.AsyncClient(transport=transport, base_url="http://parlour.test") as client:
        await client.get("/sessions/1/preview/abc")
    access.flush()
    assert " GET /sessions/{id}/preview/{secret} 200 " in stream.getvalue()
    assert "abc" not in stream.getvalue()


async def test_each_second_is_its_own() -> None:
    times = [NOON, NOON + 0.5, NOON + 1, NOON + 60]
    stream = io.StringIO()
    access = AccessLog(stream, iter(times).__next__)
    for _ in times:
        access.request("GET", "/", 200, 0.0012, b"abc")
    access.flush()
    assert [line[11:23] for line in stream.getvalue().splitlines()] == [
        "12:00:00,007",
        "12:00:00,507",
        "12:00:01,007",
        "12:01:00,007",
    ]


async def test_lines_that_are_many_are_written_at_once() -> None:
    stream = io.StringIO()
    access = AccessLog(stream, lambda: NOON)
    for _ in range(BUFFER_MAX - 1):
        access.request("GET", "/", 200, 0.001, b"abc")
    assert stream.getvalue() == ""
    access.request("GET", "/", 200, 0.001, b"abc")
    assert stream.getvalue().count("\n") == BUFFER_MAX
    assert access.statistics() == {"written": BUFFER_MAX, "dropped": 0}


async def test_lines_that_the_stream_does_not_take_are_counted() -> None:
    access = AccessLog(Broken(), lambda: NOON)
    access.request("GET", "/", 200, 0.001, b"abc")
    access.flush()
    assert access.statistics() == {"written": 0, "dropped": 1}


async def test_above_the_level_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "parlour.access")
    stream = io.StringIO()
    access = AccessLog(stream, lambda: NOON)
    access.request("GET", "/", 200, 0.001, b"abc")
    access.flush()
    assert stream.getvalue() == ""
