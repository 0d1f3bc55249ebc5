"""The room's own page, in a real Chromium, against a real server: from the link to leaving."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright, expect

from tests.cluster.conftest import record
from tests.support.people import CHROMIUM, FLAGS, until
from tests.support.server import RunningServer, serving

pytestmark = pytest.mark.slow

PATIENCE_MS = 20_000
ROOMS = "/api/fabric/resources/conference_rooms"
BUILT = files("parlour.front") / "pages" / "room" / "index.html"

WATCH = """
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.peers.push(this); }
};
window.inbound = async (kind) => {
  for (const peer of window.peers) {
    if (peer.connectionState !== "connected") continue;
    for (const one of (await peer.getStats()).values()) if (one.type === "inbound-rtp" && one.kind === kind) return one;
  }
  return null;
};
window.outbound = async (kind) => {
  const sent = [];
  for (const peer of window.peers) {
    for (const sender of peer.getSenders()) if (sender.track?.kind === kind) sent.push(sender.track.readyState);
  }
  return sent;
};
window.widest = () =>
  Math.max(...[...document.querySelectorAll(".labels div")].map((one) => parseFloat(one.style.width)));
window.brightest = () => {
  const video = document.querySelector("#picture video");
  if (!video || !video.videoWidth || video.currentTime < 0.2) return 0;
  const canvas = new OffscreenCanvas(32, 18), pen = canvas.getContext("2d");
  pen.drawImage(video, 0, 0, 32, 18);
  const data = pen.getImageData(0, 0, 32, 18).data;
  let most = 0;
  for (let at = 0; at < data.length; at += 4) most = Math.max(most, data[at], data[at + 1], data[at + 2]);
  return most;
};
"""
"""Looks at what arrives and what is sent; the page's own code stays as it is."""
CLOCK_OFF = """
window.Date = class extends Date {
  constructor(...given) { if (given.length) super(...given); else super(Date.now()); }
  static now() { return super.now() + 1000 * %d; }
};
"""
"""A machine whose clock is wrong by some seconds."""


class Visitor:
    """Somebody with the page open, and what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", self._broke)

    async def open(self, link: str, name: str = "") -> None:
        """Follow a link; with a name, fill it in and join."""
        await self.page.goto(link)
        if name:
            await self.page.get_by_label("Your name").fill(name)
            await self.page.get_by_role("button", name=re.compile(r"^Join( when it opens)?$")).click()

    async def is_in(self, room: str) -> None:
        """Expect to be inside, and to see a picture that moves and is not black."""
        await expect(self.page.get_by_role("heading", name=room)).to_be_visible()
        await self.until("brightest() > 60")
        at = await self.page.evaluate("document.querySelector('#picture video').currentTime")
        await self.until(f"document.querySelector('#picture video').currentTime > {at + 0.3}")

    async def until(self, true: str) -> None:
        """Wait until an expression is true; asked from here, as the page's policy lets nobody evaluate text inside."""

        async def check() -> bool:
            return bool(await self.page.evaluate(true))

        assert await until(check, PATIENCE_MS / 1000), f"in vain: {true}"

    async def click(self, name: str) -> None:
        """Use a button by what it is called."""
        await self.page.get_by_role("button", name=name).click()

    async def lists(self, name: str, *states: str) -> None:
        """Expect somebody in the list, with these states."""
        await self.show_people()
        entry = self.page.get_by_role("complementary").get_by_role("listitem").filter(has_text=name)
        await expect(entry).to_have_count(1)
        for state in states:
            await expect(entry).to_contain_text(state)

    async def show_people(self) -> None:
        """Open the list of people unless it is open."""
        button = self.page.locator("#who")
        if await button.get_attribute("aria-expanded") == "false":
            await button.click()

    async def loudness(self, seconds: float = 2.5) -> float:
        """The energy of the sound that arrives in a while; the made-up microphones beep once a second."""
        before = await self.page.evaluate("inbound('audio').then((one) => one.totalAudioEnergy)")
        await asyncio.sleep(seconds)
        after = await self.page.evaluate("inbound('audio').then((one) => one.totalAudioEnergy)")
        return float(after - before)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _broke(self, error: Error) -> None:
        self.complaints.append(str(error))


NewVisitor = Callable[..., Awaitable[Visitor]]


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
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
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


def wire(ahead: timedelta) -> str:
    """A moment from now, as the API takes it."""
    return (datetime.now(UTC) + ahead).strftime("%Y-%m-%dT%H:%M:%SZ")


class Room:
    """A room and the way in."""

    def __init__(self, server: RunningServer, name: str, **settings: Any) -> None:
        self._server = server
        with server.client() as api:
            made = api.post(ROOMS, json={"name": name, "enable_room_previews": False, **settings})
            assert made.status_code == 200, made.text
            self.id = UUID(made.json()["conference_room"]["id"])
            found = api.get(f"/api/fabric/resources/{made.json()['id']}/addresses").json()
        self.address = found["data"][0]
        self.page = f"{server.origin}/rooms/{self.address['name']}"

    def link(self, **invite: Any) -> str:
        """A link with an invitation."""
        with self._server.client() as api:
            made = api.post("/api/fabric/subscriber/invites", json={"address_id": self.address["id"], **invite})
        assert made.status_code == 201, made.text
        return f"{self.page}#{made.json()['token']}"


async def test_a_moderator_and_a_guest_meet(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "coffee_cafe", display_name="Coffee Café")
    ada, grace = await visitor(), await visitor()
    await ada.open(room.link(moderator=True), "Ada")
    await ada.is_in("Coffee Café")
    link = room.link()
    await grace.open(link)
    await expect(grace.page.get_by_role("heading", name="Coffee Café")).to_be_visible()
    await grace.page.get_by_label("Your name").fill("Grace")
    await grace.click("Join")
    await grace.is_in("Coffee Café")

    await ada.lists("Ada (you)", "microphone on", "camera on")
    await ada.lists("Grace", "microphone on", "camera on")
    await grace.lists("Ada")
    await expect(ada.page.locator(".labels")).to_contain_text("Grace")

    await ada.until("inbound('audio').then((one) => one?.totalAudioEnergy > 0)")
    assert await ada.loudness() > 1e-4, "the guest is heard"
    await grace.click("Mute microphone")
    await ada.lists("Grace", "microphone off")
    await grace.until("outbound('audio').then((tracks) => tracks.every((one) => one === 'ended'))")
    await asyncio.sleep(1)  # the last beep fades
    assert await ada.loudness() < 1e-5, "the guest is not heard any more"
    await grace.click("Unmute microphone")
    await ada.lists("Grace", "microphone on")

    await grace.click("Stop camera")
    await ada.lists("Grace", "camera off")
    await grace.click("Start camera")
    await ada.lists("Grace", "camera on")

    await grace.click("Raise hand")
    await ada.lists("Grace", "hand raised")
    await expect(ada.page.get_by_role("status").filter(has_text="Grace raises a hand")).to_have_count(1)
    await grace.click("Lower hand")

    await expect(grace.page.get_by_role("button", name="Layout")).to_be_hidden()
    await ada.click("Layout")
    await ada.page.get_by_role("radio", name="Speaker").check(force=True)
    await expect(ada.page.get_by_role("radio", name="Speaker")).to_be_checked()
    await ada.page.keyboard.press("Escape")
    await grace.until("Math.abs(widest() - 66.7) < 1")

    await grace.click("Leave")
    await expect(grace.page.get_by_role("heading", name="You have left")).to_be_visible()
    await expect(ada.page.get_by_role("complementary").get_by_role("listitem")).to_have_count(1)
    assert ada.complaints == grace.complaints == []
    assert link.partition("#")[2] not in server.log.read_text(), "the invitation is in no log"


async def test_who_is_alone_is_told_how_others_get_in(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "quiet")
    ada = await visitor(permissions=["camera", "microphone", "clipboard-read", "clipboard-write"])
    grace = await visitor(viewport={"width": 1600, "height": 900})
    await ada.open(room.link(moderator=True), "Ada")
    await ada.is_in("quiet")
    await expect(ada.page.get_by_text("Nobody else is here yet", exact=True)).to_be_visible()
    await expect(ada.page.get_by_role("complementary")).to_be_hidden()
    await ada.click("Copy command")
    await expect(ada.page.get_by_role("button", name="Copied")).to_be_visible()
    assert await ada.page.evaluate("navigator.clipboard.readText()") == "parlour room link quiet"
    await grace.open(room.link(), "Grace")
    await grace.is_in("quiet")
    await expect(ada.page.locator("#alone")).to_be_hidden()
    await expect(grace.page.get_by_role("complementary")).to_be_visible()
    await ada.click("Leave")
    await expect(grace.page.get_by_text("Nobody else is here now", exact=True)).to_be_visible()
    await expect(grace.page.get_by_text("Others come in by the link they were sent.")).to_be_visible()
    await expect(grace.page.get_by_role("button", name="Copy command")).to_be_hidden()
    assert ada.complaints == grace.complaints == []


async def test_a_reload_keeps_the_seat(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "reload")
    ada, grace = await visitor(), await visitor()
    await ada.open(room.link(), "Ada")
    await ada.is_in("reload")
    await grace.open(room.link(), "Grace")
    await grace.is_in("reload")
    await grace.click("Mute microphone")
    await grace.click("Raise hand")
    await ada.lists("Grace", "microphone off", "hand raised")
    await grace.page.reload()
    await grace.is_in("reload")
    await grace.lists("Grace (you)", "microphone off", "camera on", "hand raised")
    await expect(ada.page.get_by_role("complementary").get_by_role("listitem")).to_have_count(2)
    await grace.click("Unmute microphone")
    await ada.lists("Grace", "microphone on")
    assert ada.complaints == grace.complaints == []


async def test_a_reload_keeps_the_seat_although_the_invitation_has_expired(
    server: RunningServer, visitor: NewVisitor
) -> None:
    room = Room(server, "late")
    ada = await visitor()
    expires_at = int(time.time()) + 20
    await ada.open(room.link(expires_at=expires_at), "Ada")
    await ada.is_in("late")
    await ada.click("Raise hand")
    await ada.lists("Ada (you)", "hand raised")
    await asyncio.sleep(max(0, expires_at + 1 - time.time()))
    await ada.page.reload()
    await ada.is_in("late")
    await ada.lists("Ada (you)", "hand raised")
    await ada.click("Leave")
    await ada.click("Join again")
    await ada.click("Join")
    await expect(ada.page.get_by_role("heading", name="This invitation has expired")).to_be_visible()
    # The browser logs by itself that the door was not to be read.
    assert all("401" in complaint for complaint in ada.complaints)


async def test_the_page_comes_back_by_itself_when_the_server_starts_again(tmp_path: Path, visitor: NewVisitor) -> None:
    with serving(tmp_path, PARLOUR_WORKERS="1") as server:
        room = Room(server, "again")
        ada = await visitor()
        await ada.open(room.link(), "Ada")
        await ada.is_in("again")
        await ada.click("Raise hand")
        await ada.lists("Ada (you)", "hand raised")

        async def kept() -> bool:
            past = await record(tmp_path, room.id)
            return past is not None and past.members[0].handraised

        assert await until(kept)
        peers = await ada.page.evaluate("peers.length")
        server.kill()
    with serving(tmp_path, PARLOUR_WORKERS="1", PARLOUR_PORT=str(server.port)):
        await ada.until(f"peers.length > {peers} && peers.at(-1).connectionState === 'connected'")
        await ada.is_in("again")
        await ada.lists("Ada (you)", "microphone on", "camera on", "hand raised")
        assert [text for text in ada.complaints if "ERR_CONNECTION" not in text] == []


async def test_an_open_room_takes_everybody_in_as_a_guest(tmp_path: Path, visitor: NewVisitor) -> None:
    with serving(tmp_path, PARLOUR_WORKERS="1", PARLOUR_OPEN_ROOMS="true") as server:
        room = Room(server, "open")
        host, ada = await visitor(), await visitor()
        await host.open(room.link(moderator=True), "Host")
        await host.is_in("open")
        await expect(host.page.get_by_role("button", name="Layout")).to_be_visible()
        await ada.open(room.page, "Ada")
        await ada.is_in("open")
        await host.lists("Ada", "microphone on", "camera on")
        await expect(ada.page.get_by_role("button", name="Layout")).to_be_hidden()
        await ada.click("Raise hand")
        await ada.page.reload()
        await ada.is_in("open")
        await ada.lists("Ada (you)", "hand raised")
        await ada.click("Leave")
        await ada.click("Join again")
        await ada.click("Join")
        await ada.is_in("open")
        assert host.complaints == ada.complaints == []
        stray = await visitor()
        await stray.open(f"{server.origin}/rooms/nowhere")
        await expect(stray.page.get_by_role("heading", name="No room here")).to_be_visible()


async def test_one_may_come_with_nothing_and_add_it_later(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "shy")
    ada, grace = await visitor(), await visitor()
    await ada.open(room.link(), "Ada")
    await ada.is_in("shy")
    await grace.open(room.link())
    await grace.click("Turn the microphone off")
    await grace.click("Turn the camera off")
    await expect(grace.page.get_by_text("You join to see and listen.")).to_be_visible()
    await grace.page.get_by_label("Your name").fill("Grace")
    await grace.click("Join")
    await grace.is_in("shy")
    await ada.lists("Grace", "microphone off", "camera off")
    assert await grace.page.evaluate("Promise.all([outbound('audio'), outbound('video')])") == [[], []]
    await grace.click("Start camera")
    await ada.lists("Grace", "camera on")
    await grace.click("Unmute microphone")
    await ada.lists("Grace", "microphone on")
    assert ada.complaints == grace.complaints == []


async def test_without_camera_and_microphone_one_sees_and_hears(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "listener")
    ada, grace = await visitor(), await visitor()
    await ada.open(room.link(), "Ada")
    await ada.is_in("listener")
    await grace.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
    )
    await grace.open(room.link())
    await expect(grace.page.get_by_text("may not use your camera and microphone")).to_be_visible()
    await grace.page.get_by_label("Your name").fill("Grace")
    await grace.click("Join")
    await grace.is_in("listener")
    await ada.lists("Grace", "microphone off", "camera off")
    await grace.click("Unmute microphone")
    await expect(grace.page.get_by_role("alert")).to_contain_text("microphone cannot be used")
    assert grace.complaints == []


async def test_the_door_says_what_the_room_is_for_and_when_it_opens(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(
        server,
        "tomorrow",
        display_name="Кафе «Завтра»",
        description="Where the day begins.\nBring a cup.",
        meta={"topic": "Beans"},
        join_from=wire(timedelta(days=1, hours=2)),
        remove_at=wire(timedelta(days=1, hours=3)),
    )
    ada = await visitor(timezone_id="Pacific/Kiritimati", locale="en-GB")
    await ada.open(room.link())
    page = ada.page
    await expect(page.get_by_role("heading", name="Кафе «Завтра»")).to_be_visible()
    for words in ("Beans", "Where the day begins.", "Bring a cup."):
        await expect(page.get_by_text(words)).to_be_visible()
    opens = datetime.now(ZoneInfo("Pacific/Kiritimati")) + timedelta(days=1, hours=2)
    words = f"The room opens on {opens:%A} {opens.day} {opens:%B} at"
    await expect(page.get_by_role("heading", name=words)).to_be_visible()
    await expect(page.get_by_text("It ends on")).to_be_visible()
    await expect(page.get_by_role("timer")).to_have_text("1 day")
    await page.get_by_label("Your name").fill("Ada")
    await ada.click("Join when it opens")
    await expect(page.get_by_text("you will be let in as soon as it does")).to_be_visible()
    await expect(page.get_by_role("button", name="Stop waiting")).to_be_focused()
    await ada.click("Turn the camera off")
    await expect(page.get_by_text("Your camera is off")).to_be_visible()
    await page.get_by_label("Your name").fill("Ada L.")
    await ada.click("Stop waiting")
    await expect(page.get_by_role("button", name="Join when it opens")).to_be_focused()
    assert ada.complaints == []


async def test_who_comes_early_is_let_in_when_it_is_time(server: RunningServer, visitor: NewVisitor) -> None:
    """Also where the machine's own clock is hours off, and where the door was silent."""
    ada, grace, alan = await visitor(), await visitor(), await visitor()
    await ada.page.add_init_script(CLOCK_OFF % (5 * 3600))
    await grace.page.add_init_script(CLOCK_OFF % (-5 * 3600))
    await alan.page.add_init_script(CLOCK_OFF % (-5 * 3600))
    await alan.page.route("**/door", lambda route: route.fulfill(status=204))
    room = Room(server, "early", join_from=wire(timedelta(seconds=20)))
    link = room.link()
    for name, someone in (("Ada", ada), ("Grace", grace), ("Alan", alan)):
        await someone.open(link, name)
        await expect(someone.page.get_by_role("timer")).to_have_text(re.compile(r"^0:\d\d$"))
    await grace.page.get_by_label("Your name").fill("Grace H.")
    await ada.is_in("early")
    await grace.is_in("early")
    await alan.is_in("early")
    await ada.lists("Grace H.")
    assert ada.complaints == grace.complaints == alan.complaints == []


async def test_who_does_not_wait_is_not_let_in(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "undecided", join_from=wire(timedelta(seconds=8)))
    ada = await visitor()
    await ada.open(room.link())
    await expect(ada.page.get_by_role("button", name="Join", exact=True)).to_be_visible()
    await expect(ada.page.get_by_role("timer")).to_be_hidden()
    await ada.page.get_by_label("Your name").fill("Ada")
    await ada.click("Join")
    await ada.is_in("undecided")
    assert ada.complaints == []


async def test_a_full_room_says_so_and_lets_in_who_tries_again(server: RunningServer, visitor: NewVisitor) -> None:
    full = Room(server, "full", max_members=1)
    ada, grace = await visitor(), await visitor()
    await ada.open(full.link(), "Ada")
    await ada.is_in("full")
    await grace.open(full.link(), "Grace")
    await expect(grace.page.get_by_role("heading", name="The room is full")).to_be_visible()
    await grace.click("Try again")
    await expect(grace.page.get_by_role("button", name="Try again")).to_be_visible()
    await ada.click("Leave")
    await expect(ada.page.get_by_role("heading", name="You have left")).to_be_visible()
    await grace.click("Try again")
    await grace.is_in("full")
    assert ada.complaints == grace.complaints == []


async def test_a_room_whose_time_is_past_says_so_at_the_door(server: RunningServer, visitor: NewVisitor) -> None:
    closed = Room(server, "closed", join_until="2024-05-06T12:20:00Z")
    over = Room(server, "over", remove_at="2024-05-06T12:20:00Z")
    shortly = Room(server, "shortly", join_until=wire(timedelta(seconds=8)))
    ada, grace = await visitor(), await visitor()
    await ada.open(closed.link())
    await expect(ada.page.get_by_role("heading", name="Too late to join")).to_be_visible()
    await ada.open(over.link())
    await expect(ada.page.get_by_role("heading", name="This room is over")).to_be_visible()
    await grace.open(shortly.link())
    await expect(grace.page.get_by_text("You can come in until")).to_be_visible()
    await asyncio.sleep(9)  # the server's clock is not ours to turn
    await grace.page.get_by_label("Your name").fill("Grace")
    await grace.click("Join")
    await expect(grace.page.get_by_role("heading", name="Too late to join")).to_be_visible()
    assert ada.complaints == grace.complaints == []


async def test_what_is_wrong_with_an_invitation_is_told(server: RunningServer, visitor: NewVisitor) -> None:
    room, other = Room(server, "invited"), Room(server, "other")
    for link, heading in (
        (room.page, "You need an invitation"),
        (f"{room.page}#eyJhbGciOiJkaXIifQ.nonsense", "This invitation is not valid"),
        (f"{room.page}#{other.link().partition('#')[2]}", "This invitation is for another room"),
        (room.link(expires_at=int(datetime.now(UTC).timestamp()) + 3), "This invitation has expired"),
    ):
        ada = await visitor()
        if "expired" in heading:
            await asyncio.sleep(4)
        await ada.open(link, "" if link == room.page else "Ada")
        await expect(ada.page.get_by_role("heading", name=heading)).to_be_visible()
        # The browser itself notes that the door was not to be read.
        assert all("401" in complaint or "404" in complaint for complaint in ada.complaints)
        await ada.page.context.close()


async def test_a_phone_has_room_for_everything(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "phone", display_name="A room with quite a long name that no phone has room for")
    ada = await visitor(viewport={"width": 360, "height": 640}, color_scheme="dark", reduced_motion="reduce")
    await ada.open(room.link(moderator=True))
    narrow = "document.documentElement.scrollWidth <= innerWidth"
    assert await ada.page.evaluate(narrow)
    await ada.page.get_by_label("Your name").fill("Ada")
    await ada.page.keyboard.press("Enter")
    await ada.is_in("A room with")
    assert await ada.page.evaluate(narrow)
    controls = await ada.page.get_by_role("group", name="Controls").get_by_role("button").all()
    for button in controls:
        box = await button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert min(box["width"], box["height"]) >= 44, "a finger hits it"
    await ada.until("document.querySelector('#picture video').clientWidth === innerWidth")
    await ada.show_people()
    await expect(ada.page.get_by_role("complementary")).to_be_visible()
    for button in controls:
        await button.click(trial=True)  # nothing lies over it
    assert ada.complaints == []


async def test_a_copied_tab_leaves_the_first_its_seat(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "copied")
    ada = await visitor()
    link = room.link()
    await ada.open(link, "Ada")
    await ada.is_in("copied")
    kept = await ada.page.evaluate("Object.entries(sessionStorage)")
    copy = Visitor(await ada.page.context.new_page())
    await copy.page.add_init_script(f"for (const [key, value] of {kept!r}) sessionStorage.setItem(key, value);")
    await copy.open(link)
    await expect(copy.page.get_by_role("button", name="Join", exact=True)).to_be_visible()
    await ada.is_in("copied")
    assert ada.complaints == copy.complaints == []


def test_the_page_allows_only_what_it_needs(server: RunningServer) -> None:
    with server.client() as api:
        page = api.get("/rooms/coffee_cafe")
        policy = page.headers["content-security-policy"]
        assert page.status_code == 200
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", page.text), "nothing comes from elsewhere"
        assert api.get("/rooms/coffee_cafe", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
        assert api.head("/rooms/coffee_cafe").headers["date"]
        (script,) = re.findall(r'src="\./assets/([^"]+\.js)"', page.text)
        found = api.get(f"/rooms/assets/{script}")
        assert found.headers["content-type"].startswith("text/javascript")
        assert "immutable" in found.headers["cache-control"]
        for path in (
            "/rooms/a.b",
            "/rooms/assets/none.js",
            "/rooms/assets/..%2Findex.html",
            "/rooms/assets/index.html",
        ):
            assert api.get(path).status_code == 404, path
