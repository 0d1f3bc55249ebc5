"""A recording as somebody watches it: made in a live room by real browsers, played by Chromium's own player."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from tests.browser.venue import Venue, meet, opened
from tests.support.people import COLOURS, until
from tests.support.waiting import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PLAY = """
async (uri) => {
  const video = document.createElement("video");
  const told = [];
  for (const name of ["error", "stalled", "seeked", "ended"]) video.addEventListener(name, () => told.push(name));
  document.body.replaceChildren(video);
  video.preload = "auto";
  video.src = uri;
  const happens = (name, seconds = 60) => new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, { once: true });
    setTimeout(() => reject(new Error(`no ${name}; ${video.error?.message}; ${told}`)), seconds * 1000);
  });
  const colour = () => {
    const canvas = new OffscreenCanvas(64, 36), pen = canvas.getContext("2d");
    pen.drawImage(video, 0, 0, 64, 36);
    return Array.from(pen.getImageData(32, 18, 1, 1).data).slice(0, 3);
  };
  await happens("loadeddata");
  const before = video.currentTime;
  await video.play();
  while (video.currentTime < before + 1.5) await happens("timeupdate");
  const advanced = video.currentTime;
  const sound = video.webkitAudioDecodedByteCount;
  const late = video.duration - 1;
  video.pause();
  video.currentTime = late;
  await happens("seeked");
  const sought = video.currentTime;
  const middle = colour();
  const over = happens("ended");
  await video.play();
  await over;
  const error = video.error?.message ?? null;
  return { duration: video.duration, advanced, sought, late, middle, sound, error, ended: video.ended, told,
    width: video.videoWidth, height: video.videoHeight, dropped: video.getVideoPlaybackQuality().corruptedVideoFrames };
}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory, site: str) -> AsyncIterator[Venue]:
    """A server."""
    async with opened(tmp_path_factory.mktemp("recorded"), site) as place:
        yield place


async def the_recording(venue: Venue, **wanted: Any) -> dict[str, Any]:
    """The only recording, once it is as wanted."""
    found: list[dict[str, Any]] = []

    async def is_so() -> bool:
        async with venue.server.async_client() as api:
            found[:] = (await api.get("/api/video/room_recordings")).json()["data"]
        return len(found) == 1 and wanted.items() <= found[0].items()

    assert await until(is_so), found
    return found[0]


async def test_a_recording_plays_in_a_browser_and_can_be_sought_in(venue: Venue) -> None:
    room = await venue.room(record_on_start=True)
    async with venue.person("red") as red:
        await venue.enter(room, red)
        await meet(red)
        await the_recording(venue, status="recording")
        shot = time.monotonic()
        assert await until(partial(_is_past, shot + 4))
    recording = await the_recording(venue, status="completed")
    assert recording["reason"] is None
    page = await (await venue.browser("red")).new_page()
    await page.goto(f"{venue.server.origin}/healthz")
    async with asyncio.timeout(PATIENCE_S):
        played = await page.evaluate(PLAY, recording["uri"])
    await page.close()
    assert played["error"] is None
    assert "error" not in played["told"]
    assert played["ended"]
    assert (played["width"], played["height"]) == (1280, 720)
    assert played["duration"] == pytest.approx(recording["duration"], abs=1)
    assert played["duration"] > 4
    assert played["advanced"] >= 1.5
    assert played["sought"] == pytest.approx(played["late"], abs=0.1)
    assert played["sound"] > 0
    red_part, green_part, blue_part = played["middle"]
    assert red_part > 150 > 90 > max(green_part, blue_part), (played["middle"], COLOURS["red"])


async def _is_past(moment: float) -> bool:
    return time.monotonic() >= moment
