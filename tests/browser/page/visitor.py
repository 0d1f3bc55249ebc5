"""People who open the room's own page in a real Chromium, and the rooms that they go to."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from playwright.async_api import ConsoleMessage, Error, Page, expect

from tests.support.people import until
from tests.support.server import RunningServer
from tests.support.waiting import PATIENCE_S

MINUTE = re.compile(r"^[01]:\d\d$")
"""What a countdown of a minute or less shows."""
ROOMS = "/api/fabric/resources/conference_rooms"

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
window.labelled = (name) => {
  const cell = [...document.querySelectorAll(".labels div")].find((one) => one.textContent === name);
  const [left, top, width] = ["left", "top", "width"].map((side) => parseFloat(cell?.style[side]));
  return { left, top, width };
};
window.layers = () => document.querySelectorAll(".labels div").length;
window.device = (track) => track?.getSettings().deviceId;
window.sends = (kind) =>
  device(window.peers.at(-1).getSenders().find((sender) => sender.track?.kind === kind)?.track);
window.captures = [];
const capture = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getDisplayMedia = async (...given) => {
  const stream = await capture(...given);
  window.captures.push(...stream.getTracks());
  return stream;
};
const told = [];
new MutationObserver((changes) => {
  const spoken = changes.filter(({ target }) => target.id === "polite" || target.id === "urgent");
  told.push(...spoken.flatMap(({ addedNodes }) => [...addedNodes].map((one) => one.textContent)));
}).observe(document, { childList: true, subtree: true });
window.wasTold = (words) => {
  const at = told.findIndex((text) => text.includes(words));
  return at >= 0 && told.splice(at, 1).length === 1;
};
window.played = () => document.querySelector("#picture video")?.currentTime ?? 0;
window.brightest = (of = "#picture video") => {
  const video = document.querySelector(of);
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
ENERGY = "inbound('audio').then((one) => one?.totalAudioEnergy ?? 0)"
"""Of all sound that has arrived."""
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
        at = await self.page.evaluate("played()")
        await self.until(f"played() > {at + 0.3}")

    async def until(self, true: str) -> None:
        """Wait until an expression is true; asked from here, as the page's policy lets nobody evaluate text inside."""

        async def check() -> bool:
            return bool(await self.page.evaluate(true))

        assert await until(check, PATIENCE_S), f"in vain: {true}"

    async def is_told(self, words: str) -> None:
        """Expect words that are shown for a moment, and read out; each time that they are said counts once."""
        await self.until(f"wasTold({json.dumps(words)})")

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

    async def hears(self, others: bool) -> None:
        """Expect to hear the others, or nothing; the made-up microphones beep once a second."""

        async def check() -> bool:
            before = await self.page.evaluate(ENERGY)
            await asyncio.sleep(2.5)
            energy = float(await self.page.evaluate(ENERGY) - before)
            return energy > 1e-4 if others else energy < 1e-5

        assert await until(check, PATIENCE_S), "no sound arrives" if others else "there is still sound"

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _broke(self, error: Error) -> None:
        self.complaints.append(str(error))


NewVisitor = Callable[..., Awaitable[Visitor]]


def wire(ahead: timedelta) -> str:
    """A moment from now, as the API takes it."""
    return (datetime.now(UTC) + ahead).strftime("%Y-%m-%dT%H:%M:%SZ")


class Room:
    """A room and the way in."""

    def __init__(self, server: RunningServer, name: str, **settings: Any) -> None:
        self._server = server
        self.title = settings.get("display_name", name)
        cheap = {"enable_room_previews": False, "fps": 20}
        with server.client() as api:
            made = api.post(ROOMS, json={"name": name, **cheap, **settings})
            assert made.status_code == 200, made.text
            self.id = UUID(made.json()["conference_room"]["id"])
            self._path = f"{ROOMS}/{made.json()['id']}"
            found = api.get(f"/api/fabric/resources/{made.json()['id']}/addresses").json()
        self.address = found["data"][0]
        self.page = f"{server.origin}/rooms/{self.address['name']}"

    def change(self, **settings: Any) -> None:
        """Change settings over REST."""
        with self._server.client() as api:
            changed = api.put(self._path, json=settings)
        assert changed.status_code == 200, changed.text

    def delete(self) -> None:
        """Delete the room over REST."""
        with self._server.client() as api:
            assert api.delete(self._path).status_code == 204

    def link(self, **invite: Any) -> str:
        """A link with an invitation."""
        with self._server.client() as api:
            made = api.post("/api/fabric/subscriber/invites", json={"address_id": self.address["id"], **invite})
        assert made.status_code == 201, made.text
        return f"{self.page}#{made.json()['token']}"
