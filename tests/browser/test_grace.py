"""A browser that dies without a word: its seat is kept for the grace period, and then it is free."""

from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.browser.venue import Venue, meet
from tests.cluster.conftest import figures
from tests.cluster.conftest import until as until_so
from tests.support.people import TurnedAway, kill_browser, start_browser, until
from tests.support.server import serving
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow

GRACE_S = 20


async def test_a_killed_browser_leaves_the_room_after_the_grace_period(tmp_path: Path, site: str) -> None:
    with serving(tmp_path / "server", PARLOUR_SEAT_GRACE=str(GRACE_S)) as server:
        await until_so(lambda: figures(server))
        async with async_playwright() as playwright:
            venue = Venue(server, playwright, site, tmp_path)
            room = await venue.room(max_members=2)
            browser = await start_browser(playwright, tmp_path, "green")
            async with (
                venue.person("red") as red,
                venue.person("green", browser=browser) as green,
                venue.person("blue") as blue,
            ):
                await venue.enter(room, red)
                await venue.enter(room, green)
                await meet(red, green)
                await blue.connect(venue.host, await venue.token(room))
                await kill_browser(browser)
                with pytest.raises(TurnedAway, match="full"):
                    await blue.dial(f"{room.path}?channel=video")
                blue.complaints.clear()  # the SDK has put it there too
                assert len((await red.do("getMembers"))["members"]) == 2, "the seat is kept"

                async def alone() -> bool:
                    return len((await red.do("getMembers"))["members"]) == 1

                assert await until(alone, GRACE_S + PATIENCE_S)
                left = await red.told_of(green, "member.left")
                assert left["reason"] == "connection lost"
                assert await red.sees_as(green, "nowhere")
                await blue.dial(f"{room.path}?channel=video")
                await meet(red, blue)
            await venue.close()
