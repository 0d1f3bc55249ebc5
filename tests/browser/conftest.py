"""A real Chromium, and pages in it that carry the unmodified browser SDK."""

import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Page, WebSocket, async_playwright

from parlour.store.database import Database
from tests.support.chromium import CHROMIUM, DEVICES, WHOLE_SCREEN
from tests.support.fake_rooms import FakeRooms
from tests.support.peers import Peers
from tests.support.signalling import House, front_with_rooms
from tests.support.waiting import PATIENCE_S

HERE = Path(__file__).parent
SDK = HERE / "node_modules/@signalwire/js/dist/index.umd.js"


@pytest.fixture(scope="session")
def sdk() -> Path:
    """The SDK's file, of exactly the version in ``package-lock.json``."""
    if not SDK.exists():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, check=True)
    return SDK


@pytest.fixture
def backend() -> str:
    """One database is enough for a browser."""
    return "sqlite"


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    """What answers with media."""
    peers = Peers()
    yield peers
    await peers.close()


@pytest.fixture
async def house(database: Database, peers: Peers) -> AsyncIterator[House]:
    """A running front whose rooms answer with media."""
    async with front_with_rooms(database, FakeRooms(peers.answer)) as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium with a made-up camera and microphone."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*DEVICES, WHOLE_SCREEN])
        yield browser
        await browser.close()


class Tab:
    """A page and what went wrong in it."""

    def __init__(self, page: Page, house: House) -> None:
        self.page = page
        self.house = house
        self.complaints: list[str] = []
        self.sent: list[str] = []
        self.received: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", self._broke)
        page.on("websocket", self._watch)

    async def connect(self, token: str, **options: object) -> None:
        """Make the SDK's client."""
        host = f"ws://localhost:{self.house.port}"
        await self.page.evaluate("([host, token, options]) => connect(host, token, options)", [host, token, options])

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _broke(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _watch(self, websocket: WebSocket) -> None:
        websocket.on("framesent", lambda frame: self.sent.append(str(frame)))
        websocket.on("framereceived", lambda frame: self.received.append(str(frame)))


@pytest.fixture(scope="session")
def site(sdk: Path) -> Iterator[str]:
    """Where the page is served. ``localhost`` may use cameras without TLS."""
    files = {"/": (HERE / "page.html", "text/html"), "/sdk.js": (sdk, "text/javascript")}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file, kind = files.get(self.path, (None, ""))
            content = file.read_bytes() if file else b""
            self.send_response(200 if file else 204)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library has it
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
async def new_tab(browser: Browser, house: House, site: str) -> Callable[[], Awaitable[Tab]]:
    """Opens pages, each in a profile of its own."""

    async def make() -> Tab:
        context = await browser.new_context(permissions=["camera", "microphone"])
        page = await context.new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        tab = Tab(page, house)
        await page.goto(site)
        return tab

    return make
