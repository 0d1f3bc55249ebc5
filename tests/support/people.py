"""People in real browsers: each a Chromium of its own, with a camera of one colour and a microphone with one tone."""

import contextlib
import math
import shutil
import struct
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import ConsoleMessage, Error, Page, Playwright

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
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


@dataclass
class Person:
    """A page with the SDK, and what went wrong in it."""

    colour: str
    page: Page
    complaints: list[str] = field(default_factory=list)
    member_id: str = ""

    async def join(self, host: str, token: str, to: str, **options: Any) -> None:
        """Connect and dial."""
        await self.page.evaluate("([host, token]) => connect(host, token)", [host, token])
        raw = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}
        given = {"audio": raw, "userVariables": {"memberName": self.colour.title()}} | options
        joined = await self.page.evaluate("([to, options]) => dial(to, options)", [to, given])
        self.member_id = joined["memberId"]

    async def colour_at(self, member_id: str) -> tuple[int, int, int] | None:
        """The colour in the middle of a member's tile, where ``layout.changed`` said it is; ``None`` off the canvas."""
        found = await self.page.evaluate("id => colourOf(id)", member_id)
        return None if found is None else tuple(found)

    async def loudness(self, hertz: int) -> float:
        """How loud a tone is in what this person hears, in decibels of the analyser's full scale."""
        level: float = await self.page.evaluate("hertz => loudness(hertz)", hertz)
        return level

    def said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def broke(self, error: Error) -> None:
        self.complaints.append(str(error))


@contextlib.asynccontextmanager
async def person(playwright: Playwright, folder: Path, site: str, colour: str, *flags: str) -> AsyncIterator[Person]:
    """Start a browser with a camera of this colour and the tone that goes with it, on the test's page."""
    camera, microphone = folder / f"{colour}.y4m", folder / f"{colour}.wav"
    if not camera.exists():
        write_camera(camera, colour)
        write_microphone(microphone, TONES[colour])
    browser = await playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            *FLAGS,
            *flags,
            f"--use-file-for-fake-video-capture={camera}",
            f"--use-file-for-fake-audio-capture={microphone}",
        ],
    )
    try:
        page = await browser.new_page()
        someone = Person(colour, page)
        page.on("console", someone.said)
        page.on("pageerror", someone.broke)
        await page.goto(site)
        yield someone
    finally:
        await browser.close()
