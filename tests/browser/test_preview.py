"""A session's moving picture, from a camera in a real browser to whoever has its URL."""

import asyncio
import io
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageSequence
from playwright.async_api import async_playwright

from tests.browser.venue import Venue
from tests.support.people import until
from tests.support.server import serving
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow

RED = (255, 0, 0)
"""What the red camera's colour is in RGB, about."""


def is_red(frame: Image.Image) -> bool:
    """Whether the middle of a picture is of the red camera."""
    found = frame.convert("RGB").getpixel((frame.width // 2, frame.height // 2))
    assert isinstance(found, tuple)
    return all(abs(one - other) < 40 for one, other in zip(found, RED, strict=True))


async def test_whoever_has_the_url_sees_the_session_until_it_is_over(tmp_path: Path, site: str) -> None:
    with serving(tmp_path / "server") as server:
        async with async_playwright() as playwright, httpx.AsyncClient(timeout=PATIENCE_S) as stranger:
            venue = Venue(server, playwright, site, tmp_path)
            room = await venue.room(enable_room_previews=True)
            async with venue.person("red") as red:
                await venue.enter(room, red)
                url = (await red.told("call.joined"))["room_session"]["preview_url"]

                async def is_there() -> bool:
                    return (await stranger.get(url)).status_code == 200

                async def shows_the_camera() -> bool:
                    """The first film may be over before a slow browser sends its camera, the next one is not."""
                    got = await stranger.get(url)
                    assert got.headers["content-type"] == "image/webp"
                    picture = Image.open(io.BytesIO(got.content))
                    assert (picture.format, picture.size, picture.info["loop"]) == ("WEBP", (320, 180), 0)
                    frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(picture)]
                    return len(frames) > 5 and all(is_red(frame) for frame in frames[-3:])  # the camera's bar moves

                assert await until(is_there)
                assert await until(shows_the_camera)
                counts = await venue.figures(1, preview_films=1)
                assert counts["previews_made"] >= 1
                await red.hang_up()

            async def is_gone() -> bool:
                kept = await asyncio.to_thread(lambda: list(Path(tmp_path).glob("server/data/objects/previews/*")))
                return (await stranger.get(url)).status_code == 404 and not kept

            assert await until(is_gone)
            await venue.close()
