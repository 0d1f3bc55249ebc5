"""What the unmodified SDK makes of a media worker that dies."""

from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.browser.venue import Venue
from tests.cluster.conftest import figures, kill, owner, until
from tests.support.server import serving

pytestmark = pytest.mark.slow

VIDEO = "until(async () => (await received()).video > 20)"


@pytest.mark.parametrize("how", ["reattach", "dial"])
async def test_a_page_is_told_and_comes_back_to_its_seat(tmp_path: Path, site: str, how: str) -> None:
    with serving(tmp_path / "server", PARLOUR_WORKERS="2") as server:
        await until(lambda: len(figures(server)) == 2)
        async with async_playwright() as playwright:
            venue = Venue(server, playwright, site, tmp_path)
            room = await venue.room()
            async with venue.person("red") as someone:
                await venue.enter(room, someone)
                await someone.page.evaluate(VIDEO)
                await someone.page.evaluate("call.audioMute()")
                await someone.page.evaluate("heardOf('member.updated.audioMuted')")
                await until(lambda: owner(server))
                lost = owner(server)
                assert lost is not None
                kill(lost)
                left = await someone.page.evaluate("heardOf('call.left')")
                await someone.page.evaluate("heardOf('destroy')")
                assert left["params"]["reason"] == "the room moved; join again"
                assert await someone.page.evaluate("document.querySelectorAll('#rootElement video').length") == 0
                again = await someone.page.evaluate(
                    "([to, how]) => dial(to, {}, how)", [f"{room.path}?channel=video", how]
                )
                assert again["memberId"] == someone.member_id
                await someone.page.evaluate(VIDEO)
                me = "heard.findLast((one) => one.name === 'call.joined').params.room_session.members[0]"
                assert await someone.page.evaluate(f"{me}.audio_muted")
            await venue.close()
