"""How a stay ends that has an end: with a warning, in words, and on time."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.browser.page.visitor import CLOCK_OFF, MINUTE, NewVisitor, Room, Visitor, wire
from tests.support.server import RunningServer

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def is_warned(someone: Visitor, words: str) -> None:
    """Expect the banner with its countdown, and that it was read out."""
    banner = someone.page.locator("#warning")
    await expect(banner).to_be_visible()
    await expect(banner).to_contain_text(words)
    await expect(banner.get_by_role("timer")).to_have_text(MINUTE)


async def test_everybody_is_warned_a_minute_before_the_room_is_over(server: RunningServer, visitor: NewVisitor) -> None:
    """Also whose clock is wrong; and as the hour of the end is moved about."""
    room = Room(server, "ending", remove_at=wire(timedelta(hours=1)))
    ada, grace = await visitor(), await visitor()
    await grace.page.add_init_script(CLOCK_OFF % (5 * 3600))
    for name, someone in (("Ada", ada), ("Grace", grace)):
        await someone.open(room.link(), name)
        await someone.is_in("ending")
        await expect(someone.page.locator("#warning")).to_be_hidden()
    room.change(remove_at=wire(timedelta(seconds=72)))
    await ada.page.wait_for_timeout(1000)
    await expect(ada.page.locator("#warning")).to_be_hidden(timeout=1)
    for someone in (ada, grace):
        await is_warned(someone, "The room ends for everybody in")
        await someone.is_told("The room ends in one minute.")
    room.change(remove_at=None)
    for someone in (ada, grace):
        await expect(someone.page.locator("#warning")).to_be_hidden()
    room.change(remove_at=wire(timedelta(seconds=20)))
    for someone in (ada, grace):
        await is_warned(someone, "The room ends for everybody in")
    for someone in (ada, grace):
        await expect(someone.page.get_by_role("heading", name="The room is over")).to_be_visible()
        await expect(someone.page.get_by_role("button")).to_have_count(0)
    await ada.page.reload()
    await expect(ada.page.get_by_role("heading", name="This room is over")).to_be_visible()
    assert ada.complaints == grace.complaints == []


async def test_a_limited_stay_ends_for_each_in_turn(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "parking", remove_after_seconds_elapsed=40)
    ada, grace = await visitor(), await visitor()
    await ada.open(room.link(), "Ada")
    await ada.is_in("parking")
    await is_warned(ada, "Your time in this room is up in")
    await ada.page.reload()
    await ada.is_in("parking")
    await is_warned(ada, "Your time in this room is up in")
    await grace.open(room.link(), "Grace")
    await grace.is_in("parking")
    await expect(ada.page.get_by_role("heading", name="Your time is up")).to_be_visible()
    await expect(grace.page.locator("#call")).to_be_visible(timeout=1)
    await expect(grace.page.get_by_role("heading", name="Your time is up")).to_be_visible()
    await grace.click("Join again")
    await expect(grace.page.get_by_role("button", name="Join", exact=True)).to_be_visible()
    assert ada.complaints == grace.complaints == []


async def test_a_room_that_is_deleted_says_so(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "short_lived")
    ada = await visitor()
    await ada.open(room.link(), "Ada")
    await ada.is_in("short_lived")
    room.delete()
    await expect(ada.page.get_by_role("heading", name="The room is gone")).to_be_visible()
    assert ada.complaints == []
