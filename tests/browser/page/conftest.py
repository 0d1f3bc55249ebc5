"""A server, a browser, and visitors to the room's page."""

from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.page.visitor import PATIENCE_MS, WATCH, NewVisitor, Visitor
from tests.support.people import CHROMIUM, FLAGS
from tests.support.server import RunningServer, serving

BUILT = files("parlour.front") / "pages" / "room" / "index.html"
SCREEN = ("--auto-select-desktop-capture-source=Entire screen",)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with one media worker."""
    assert BUILT.is_file(), "the page is not built: make web"
    with serving(tmp_path_factory.mktemp("page"), PARLOUR_WORKERS="1") as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium with a made-up camera and microphone."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *SCREEN])
        yield browser
        await browser.close()


@pytest.fixture
async def visitor(browser: Browser) -> NewVisitor:
    """Makes visitors, each in a profile of its own."""

    async def make(**options: Any) -> Visitor:
        context = await browser.new_context(**{"permissions": ["camera", "microphone"], **options})
        await context.add_init_script(WATCH)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        return Visitor(page)

    expect.set_options(timeout=PATIENCE_MS)
    return make
