"""People in real browsers: each a Chromium of its own, with a camera of one colour and a microphone with one tone."""

import asyncio
import contextlib
import math
import os
import signal
import struct
import time
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Error, Page, Playwright

from tests.support.chromium import CHROMIUM, DEVICES, OPEN_ADDRESSES, UNASKED
from tests.support.waiting import PATIENCE_S

SIZE = (640, 360)
RATE = 48_000

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (81, 90, 240),
    "green": (145, 54, 34),
    "blue": (41, 240, 110),
    "yellow": (210, 16, 146),
}
"""Y, Cb, Cr of saturated colours in studio range (BT.601)."""
TONES: dict[str, int] = {"red": 500, "green": 900, "blue": 1300, "yellow": 1900}
"""Hertz, far enough apart for an analyser with bins of 23 Hz."""


def write_camera(path: Path, colour: str) -> None:
    """A film of one colour, 15 frames a second, with a moving bar so that no encoder falls asleep."""
    width, height = SIZE
    luma, cb, cr = COLOURS[colour]
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{width} H{height} F15:1 Ip A1:1 C420jpeg\n".encode())
        for frame in range(15):
            film.write(b"FRAME\n")
            rows = bytearray([luma]) * (width * height)
            for row in range(8):  # at the very top, away from where colours are looked at
                at = row * width + frame * (width // 15)
                rows[at : at + width // 15] = bytes([235 - luma // 2]) * (width // 15)
            film.write(bytes(rows))
            film.write(bytes([cb]) * (width * height // 4) + bytes([cr]) * (width * height // 4))


def write_microphone(path: Path, hertz: int) -> None:
    """One second of a tone that loops without a seam."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        samples = (round(9000 * math.sin(2 * math.pi * hertz * at / RATE)) for at in range(RATE))
        sound.writeframes(struct.pack(f"<{RATE}h", *samples))


APART_DB = 25.0
"""What is heard is at least this much louder than what is not."""
POLL_S = 0.1


class TurnedAway(Exception):  # noqa: N818 - an answer, not an error
    """There was no way into a room; the message is what the SDK was told."""


async def until(check: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_S) -> bool:
    """Look again and again until it is so; ``False`` when it was not in time."""
    give_up = time.monotonic() + seconds
    while not await check():
        if time.monotonic() > give_up:
            return False
        await asyncio.sleep(POLL_S)
    return True


@dataclass(eq=False)
class Person:
    """A page with the SDK, and what went wrong in it."""

    colour: str
    page: Page
    complaints: list[str] = field(default_factory=list)
    member_id: str = ""
    invitation: tuple[str, str, str] = ("", "", "")

    async def join(self, host: str, token: str, to: str, how: str = "dial", **options: Any) -> None:
        """Connect and dial, or ``how="reattach"``."""
        self.invitation = (host, token, to)
        await self.connect(host, token)
        await self.dial(to, how, **options)

    async def connect(self, host: str, token: str) -> None:
        """Make the SDK's client."""
        async with asyncio.timeout(PATIENCE_S):
            await self.page.evaluate("([host, token]) => connect(host, token)", [host, token])

    async def dial(self, to: str, how: str = "dial", **options: Any) -> None:
        """Be in the room. Raises ``TurnedAway`` with what the SDK was told where there is no way in."""
        raw = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}
        given = {"audio": raw, "userVariables": {"display_name": self.colour.title()}} | options
        async with asyncio.timeout(PATIENCE_S):
            found = await self.page.evaluate(
                "([to, options, how]) => dial(to, options, how).catch((error) => ({ refusal: error.message }))",
                [to, given, how],
            )
        if "refusal" in found:
            raise TurnedAway(found["refusal"])
        self.member_id = found["memberId"]

    async def reload(self) -> None:
        """Load the page anew and take the seat up again."""
        await self.page.reload()
        await self.join(*self.invitation, how="reattach")

    async def do(self, method: str, **parameters: Any) -> Any:
        """Call one of the SDK's methods of a call."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self.page.evaluate(f"(parameters) => call.{method}(parameters)", parameters)
        except TimeoutError:
            raise AssertionError(f"{self.colour} has no answer to {method} {parameters}") from None

    async def hang_up(self) -> None:
        """Leave, and hear that it is over."""
        await self.page.evaluate("call.hangup()")
        await self.told("destroy")

    async def told(self, name: str, check: str = "true") -> Any:
        """What an event told, now or soon; ``check`` is an expression over its ``params``."""
        return (await self.page.evaluate(f"heardOf({name!r}, (params) => {check})")).get("params")

    async def told_of(self, member: "Person", name: str, check: str = "true") -> Any:
        """What an event about a member told, now or soon."""
        return await self.told(name, f"params.member.member_id === '{member.member_id}' && ({check})")

    async def shows(self, member: "Person") -> str:
        """The name of the colour in a member's tile, where ``layout.changed`` said it is.

        It is ``card`` where a card stands in for the camera, ``dark`` for nothing, ``nowhere`` off the canvas.
        """
        found: str = await self.page.evaluate("id => shownOf(id)", member.member_id)
        return found

    async def sees(self, member: "Person", seconds: float = PATIENCE_S) -> bool:
        """Whether a member's camera is in its tile, now or soon."""
        return await self.sees_as(member, member.colour, seconds)

    async def sees_as(self, member: "Person", colour: str, seconds: float = PATIENCE_S) -> bool:
        """Whether a member's tile shows this, now or soon; see ``shows``."""

        async def check() -> bool:
            return await self.shows(member) == colour

        return await until(check, seconds)

    async def tile(self, member: "Person") -> tuple[float, float, float, float] | None:
        """A member's rectangle, in percent of the picture: left, top, width, height; ``None`` off the canvas."""
        found = await self.page.evaluate("id => tileOf(id)", member.member_id)
        return None if found is None else (found["x"], found["y"], found["width"], found["height"])

    async def loudness(self, hertz: int) -> float:
        """How loud a tone is in what this person hears, in decibels of the analyser's full scale."""
        level: float = await self.page.evaluate("hertz => loudness(hertz)", hertz)
        return level

    async def hears(self, *members: "Person", but: "tuple[Person, ...]" = (), seconds: float = PATIENCE_S) -> bool:
        """Whether these members' tones stand out against the tones of ``but``, now or soon."""

        async def check() -> bool:
            wanted = [await self.loudness(TONES[member.colour]) for member in members]
            others = [await self.loudness(TONES[member.colour]) for member in but]
            return min(wanted) - max(others, default=-200.0) >= APART_DB and min(wanted) > -75

        return await until(check, seconds)

    async def misses(self, member: "Person", seconds: float = PATIENCE_S) -> bool:
        """Whether a member's tone is not to be heard, now or soon."""

        async def check() -> bool:
            return await self.loudness(TONES[member.colour]) < -90

        return await until(check, seconds)

    async def inbound(self, kind: str = "video") -> dict[str, Any]:
        """The browser's figures of what it receives."""
        found: dict[str, Any] = (await self.page.evaluate("figures()"))["inbound"].get(kind, {})
        return found

    async def outbound(self, kind: str = "video") -> dict[str, Any]:
        """The browser's figures of what it sends."""
        found: dict[str, Any] = (await self.page.evaluate("figures()"))["outbound"].get(kind, {})
        return found

    @contextlib.asynccontextmanager
    async def filming(self) -> AsyncIterator[list[set[str]]]:
        """For each frame of the room's picture during a block, the colours in it. They are there after the block."""
        reel: list[set[str]] = []
        await self.page.evaluate("film()")
        yield reel
        reel += [set(frame) for frame in await self.page.evaluate("cut()")]

    def said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def broke(self, error: Error) -> None:
        self.complaints.append(str(error))


async def start_browser(playwright: Playwright, folder: Path, colour: str, *flags: str, shy: bool = False) -> Browser:
    """Start a browser with a camera of this colour and the tone that goes with it.

    A ``shy`` one hides its addresses from pages without a camera, as browsers do.
    """
    camera, microphone = folder / f"{colour}.y4m", folder / f"{colour}.wav"
    if not camera.exists():
        write_camera(camera, colour)
        write_microphone(microphone, TONES[colour])
    return await playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            *DEVICES,
            UNASKED,
            *(() if shy else (OPEN_ADDRESSES,)),
            *flags,
            f"--use-file-for-fake-video-capture={camera}",
            f"--use-file-for-fake-audio-capture={microphone}",
        ],
    )


async def kill_browser(browser: Browser) -> None:
    """End a browser without a word, as a crash does."""
    session = await browser.new_browser_cdp_session()
    found = await session.send("SystemInfo.getProcessInfo")
    os.kill(next(process["id"] for process in found["processInfo"] if process["type"] == "browser"), signal.SIGKILL)


@contextlib.asynccontextmanager
async def visitor(browser: Browser, site: str, colour: str, *scripts: str) -> AsyncIterator[Person]:
    """Open the test's page in a profile of its own; ``scripts`` run before anything else in it."""
    context = await browser.new_context()
    try:
        for script in scripts:
            await context.add_init_script(script)
        page = await context.new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        someone = Person(colour, page)
        page.on("console", someone.said)
        page.on("pageerror", someone.broke)
        await page.goto(site)
        yield someone
    finally:
        with contextlib.suppress(Error):  # it may have been killed
            await context.close()
