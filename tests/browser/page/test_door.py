"""Before the room: what its page says at the door, and whom it lets in."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from tests.browser.page.visitor import CLOCK_OFF, NewVisitor, Room, wire
from tests.support.server import RunningServer

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def test_the_door_says_what_the_room_is_for_and_when_it_opens(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(
        server,
        "tomorrow",
        display_name="Кафе «Завтра»",
        description="Where the day begins.\nBring a cup.",
        meta={"topic": "Beans"},
        record_on_start=True,
        join_from=wire(timedelta(days=1, hours=2)),
        remove_at=wire(timedelta(days=1, hours=3)),
    )
    ada = await visitor(timezone_id="Pacific/Kiritimati", locale="en-GB")
    await ada.open(room.link())
    page = ada.page
    await expect(page.get_by_role("heading", name="Кафе «Завтра»")).to_be_visible()
    for words in ("Beans", "Where the day begins.", "Bring a cup.", "It is recorded."):
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
    room = Room(server, "early", join_from=wire(timedelta(seconds=50)))
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
    room = Room(server, "undecided", join_from=wire(timedelta(seconds=15)))
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
    ada, grace = await visitor(), await visitor()
    await ada.open(closed.link())
    await expect(ada.page.get_by_role("heading", name="Too late to join")).to_be_visible()
    await ada.open(over.link())
    await expect(ada.page.get_by_role("heading", name="This room is over")).to_be_visible()
    shortly = Room(server, "shortly", join_until=wire(timedelta(seconds=25)))
    await grace.open(shortly.link())
    await expect(grace.page.get_by_text("You can come in until")).to_be_visible()
    await asyncio.sleep(26)  # the server's clock is not ours to turn
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
        (room.link(expires_at=int(datetime.now(UTC).timestamp()) + 10), "This invitation has expired"),
    ):
        ada = await visitor()
        if "expired" in heading:
            await asyncio.sleep(11)
        await ada.open(link, "" if link == room.page else "Ada")
        await expect(ada.page.get_by_role("heading", name=heading)).to_be_visible()
        # The browser itself notes that the door was not to be read.
        assert all("401" in complaint or "404" in complaint for complaint in ada.complaints)
        await ada.page.context.close()
