"""A server, a browser, and visitors to the room's page."""

from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.page.visitor import WATCH, NewVisitor, Visitor
from tests.cluster.conftest import figures
from tests.support.chromium import CHROMIUM, DEVICES, UNASKED, WHOLE_SCREEN
from tests.support.server import RunningServer, serving
from tests.support.waiting import PATIENCE_S, wait_until

BUILT = files("parlour.front") / "pages" / "room" / "index.html"
TWO_CAMERAS = "--use-fake-device-for-media-stream=device-count=2,fps=5"
"""Of microphones there always are some. Slow cameras, for what is looked at here is the page."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with one media worker."""
    assert BUILT.is_file(), "the page is not built: make web"
    with serving(tmp_path_factory.mktemp("page")) as running:
        wait_until(lambda: figures(running))
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium with made-up cameras and microphones."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*DEVICES, TWO_CAMERAS, UNASKED, WHOLE_SCREEN]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(browser: Browser) -> AsyncIterator[NewVisitor]:
    """Makes visitors, each in a profile of its own, who are gone after the test."""

    async def make(**options: Any) -> Visitor:
        context = await browser.new_context(**{"permissions": ["camera", "microphone"], **options})
        await context.add_init_script(WATCH)
        page = await context.new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        return Visitor(page)

    expect.set_options(timeout=1000 * PATIENCE_S)
    yield make
    for context in browser.contexts:
        await context.close()
