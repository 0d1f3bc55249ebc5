"""Running a room from its page: what a moderator does, and what the others see of it."""

import asyncio
import re
import time

import pytest
from playwright.async_api import Locator, WebSocketRoute, expect

from tests.browser.page.visitor import NewVisitor, Room, Visitor
from tests.support.server import RunningServer

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def options(someone: Visitor, of: str) -> Locator:
    """Open what can be done to somebody."""
    await someone.show_people()
    menu = someone.page.locator("#member-menu")
    if not await menu.is_visible():
        await someone.click(f"Options for {of}")
    await expect(menu.get_by_role("heading")).to_have_text(of)
    return menu


async def hear_late(someone: Visitor, *parts: str) -> None:
    """Let what has one of these parts come to a page a second later than it was sent."""
    tasks: list[asyncio.Task[None]] = []

    def linger(socket: WebSocketRoute) -> None:
        front = socket.connect_to_server()

        async def pass_on(message: str | bytes) -> None:
            if any(part in str(message) for part in parts):
                await asyncio.sleep(1.0)
            socket.send(message)

        front.on_message(lambda message: tasks.append(asyncio.create_task(pass_on(message))))

    await someone.page.route_web_socket("**/*", linger)


async def enter(room: Room, visitor: NewVisitor, *names: str) -> list[Visitor]:
    """Somebody for each name; the first one moderates."""
    people: list[Visitor] = []
    for name in names:
        someone = await visitor()
        await someone.open(room.link(moderator=not people), name)
        await someone.is_in(room.title)
        people.append(someone)
    return people


async def test_what_a_moderator_does_to_one_the_other_sees(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "classroom")
    ada, grace = await enter(room, visitor, "Ada", "Grace")
    await grace.click("Raise hand")
    await ada.lists("Grace", "microphone on", "camera on", "hand raised")

    menu = await options(ada, "Grace")
    await menu.get_by_role("button", name="Lower the hand").click()
    await expect(grace.page.get_by_role("button", name="Raise hand")).to_be_visible()
    await grace.is_told("Your hand was lowered")
    await menu.get_by_role("button", name="Mute").click()
    await expect(grace.page.get_by_role("button", name="Unmute microphone")).to_be_visible()
    await grace.is_told("A moderator has muted you")
    await menu.get_by_role("button", name="Turn the camera off").click()
    await expect(grace.page.get_by_role("button", name="Start camera")).to_be_visible()
    await ada.lists("Grace", "microphone off", "camera off")
    await expect(menu.get_by_role("button", name=re.compile("Mute|camera"))).to_have_count(0)

    await menu.get_by_role("button", name="Let them hear nothing").click()
    await grace.is_told("A moderator has taken the sound from you")
    await grace.lists("Grace (you)", "hears nothing")
    await menu.get_by_role("button", name="Let them hear again").click()
    await grace.is_told("A moderator has given you the sound back")
    for slider, volume in (("How loud they are", "-50"), ("How loud they hear the others", "20")):
        await menu.get_by_label(slider).fill(volume)
    await grace.show_people()
    own = await options(grace, "Grace")
    await expect(own.get_by_label("How loud you are")).to_have_value("-50")
    await expect(own.get_by_label("How loud you hear the others")).to_have_value("20")
    assert ada.complaints == grace.complaints == []


async def test_whoever_is_put_in_front_is_seen_large_by_all(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "stage", layout="highlight-1-responsive")
    ada, grace = await enter(room, visitor, "Ada", "Grace")
    for name in ("Grace", "Ada"):
        menu = await options(ada, name)
        await menu.get_by_role("button", name="Put in front").click()
        await grace.until(f"labelled('{name}').width > 60")
        await expect(menu.get_by_role("button", name="No longer in front")).to_be_visible()
        await ada.page.keyboard.press("Escape")
    menu = await options(ada, "Grace")
    await expect(menu.get_by_role("button", name="Put in front")).to_be_visible()
    assert ada.complaints == grace.complaints == []


async def test_where_somebody_was_put_is_known_although_the_picture_follows_late(
    server: RunningServer, visitor: NewVisitor
) -> None:
    """With each new layout the SDK tells of its members again, as it remembers them."""
    room = Room(server, "slow", layout="highlight-1-responsive")
    ada, grace = await visitor(), await visitor()
    await hear_late(ada, "layout.changed")
    for someone, name in ((ada, "Ada"), (grace, "Grace")):
        await someone.open(room.link(moderator=True), name)
        await someone.is_in("slow")
    menu = await options(ada, "Grace")
    await menu.get_by_role("button", name="Put in front").click()
    await ada.until("labelled('Grace').width > 60")
    for theirs in (menu, await options(grace, "Grace")):
        await expect(theirs.get_by_role("button", name="No longer in front")).to_be_visible()
    assert ada.complaints == grace.complaints == []


async def test_the_layout_that_was_chosen_stays_so_until_the_picture_follows(
    server: RunningServer, visitor: NewVisitor
) -> None:
    room = Room(server, "patient", layout="grid-responsive")
    ada, grace = await visitor(), await visitor()
    await hear_late(ada, "layout.changed", '"code":"200"')
    for someone, name in ((ada, "Ada"), (grace, "Grace")):
        await someone.open(room.link(moderator=True), name)
        await someone.is_in("patient")
    await ada.click("Room")
    speaker = ada.page.get_by_role("radio", name="Speaker")
    await speaker.check(force=True)
    await grace.click("Raise hand")  # its news comes first, and all is drawn anew
    await ada.is_told("Grace raises a hand")
    seen = [await speaker.is_checked()]
    while not await ada.page.evaluate("Math.abs(widest() - 66.7) < 1"):
        seen.append(await speaker.is_checked())
    assert all(seen)
    assert ada.complaints == grace.complaints == []


async def test_somebody_is_removed_once_the_name_was_confirmed(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "strict")
    ada, grace = await enter(room, visitor, "Ada", "Grace")
    dialog = ada.page.get_by_role("dialog", name="Remove Grace?")
    await (await options(ada, "Grace")).get_by_role("button", name="Remove").click()
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(ada.page.get_by_role("button", name="Options for Grace")).to_be_focused()
    await ada.lists("Grace")
    await (await options(ada, "Grace")).get_by_role("button", name="Remove").click()
    await dialog.get_by_role("button", name="Remove").click()
    await expect(grace.page.get_by_role("heading", name="You were removed")).to_be_visible()
    await expect(ada.page.get_by_role("complementary").get_by_role("listitem")).to_have_count(1)
    assert ada.complaints == grace.complaints == []


async def test_what_a_moderator_does_to_all(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "assembly")
    ada, grace, alan = await enter(room, visitor, "Ada", "Grace", "Alan")
    await ada.click("Raise hand")
    await grace.click("Raise hand")
    await ada.lists("Grace", "hand raised")
    await ada.click("Lower all hands")
    for someone in (ada, grace):
        await expect(someone.page.get_by_role("button", name="Raise hand")).to_be_visible()
    await ada.click("Mute all others")
    for someone in (grace, alan):
        await expect(someone.page.get_by_role("button", name="Unmute microphone")).to_be_visible()
    await ada.lists("Ada (you)", "microphone on")
    await expect(ada.page.get_by_role("button", name=re.compile("Mute all|Lower all"))).to_have_count(0)

    await alan.click("Stop camera")
    await alan.click("Raise hand")
    await ada.click("Room")
    await ada.page.get_by_role("radio", name="Speaker").check(force=True)
    await grace.until("labelled('Alan').width < 40")
    await ada.page.get_by_role("switch", name="Hide cameras that are off").check()
    await grace.until("layers() === 2")
    await ada.page.get_by_role("switch", name="Hide cameras that are off").uncheck()
    await grace.until("labelled('Alan').width < 40")
    await ada.page.get_by_role("switch", name="Raised hands first").check()
    await grace.until("labelled('Alan').width > 60")

    await ada.page.get_by_role("button", name="End for everybody").click()
    await ada.page.get_by_role("dialog").get_by_role("button", name="End for everybody").click()
    await expect(ada.page.get_by_role("heading", name="You have ended the call")).to_be_visible()
    for someone in (grace, alan):
        await expect(someone.page.get_by_role("heading", name="The call was ended by a moderator")).to_be_visible()
    assert ada.complaints == grace.complaints == alan.complaints == []


async def test_a_locked_door_is_seen_by_all_and_opens_again(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "vault")
    ada, grace = await enter(room, visitor, "Ada", "Grace")
    alan = await visitor()
    await ada.click("Room")
    await ada.page.get_by_role("switch", name="Lock the door").check()
    for someone in (ada, grace):
        await expect(someone.page.get_by_role("listitem").filter(has_text="Locked")).to_be_visible()
    await grace.is_told("The door is locked")
    await alan.open(room.link(), "Alan")
    await expect(alan.page.get_by_role("heading", name="The room is locked")).to_be_visible()
    await ada.page.get_by_role("switch", name="Lock the door").uncheck()
    await expect(grace.page.get_by_role("listitem").filter(has_text="Locked")).to_be_hidden()
    await alan.click("Try again")
    await alan.is_in("vault")
    assert ada.complaints == grace.complaints == alan.complaints == []


async def test_guests_find_what_concerns_themselves_and_nothing_else(
    server: RunningServer, visitor: NewVisitor
) -> None:
    room = Room(server, "audience")
    ada, grace = await enter(room, visitor, "Ada", "Grace")
    await grace.lists("Ada")
    await expect(grace.page.get_by_role("button", name="Room", exact=True)).to_have_count(0)
    await expect(grace.page.get_by_role("button", name=re.compile("all others|all hands"))).to_have_count(0)
    await expect(grace.page.get_by_role("button", name="Options for")).to_have_count(1)
    menu = await options(grace, "Grace")
    await expect(menu.get_by_role("button")).to_have_text(["Hear nothing"])
    await menu.get_by_role("button", name="Hear nothing").click()
    await ada.lists("Grace", "hears nothing", "microphone off")
    await menu.get_by_role("button", name="Hear the others again").click()
    await ada.lists("Grace", "microphone on")
    await menu.get_by_label("How loud you hear the others").fill("-20")
    await menu.get_by_label("How loud you are").fill("-50")
    theirs = await options(ada, "Grace")
    await expect(theirs.get_by_label("How loud they are")).to_have_value("-50")
    assert ada.complaints == grace.complaints == []


async def test_a_screen_is_shared_and_taken_back(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "lecture")
    ada, grace = await enter(room, visitor, "Ada", "Grace")
    await grace.click("Share screen")
    await ada.lists("Grace’s screen")
    await ada.is_told("Grace shares a screen")
    await ada.until("labelled('Grace’s screen').width > 60")
    await grace.click("Stop screen")
    await expect(ada.page.get_by_role("complementary").get_by_role("listitem")).to_have_count(2)
    await expect(grace.page.get_by_role("button", name="Share screen")).to_be_visible()
    await grace.click("Share screen")
    menu = await options(ada, "Grace’s screen")
    await menu.get_by_role("button", name="Stop sharing").click()
    await ada.page.get_by_role("dialog").get_by_role("button", name="Stop sharing").click()
    await expect(grace.page.get_by_role("button", name="Share screen")).to_be_visible()
    await grace.until("!captures.some((track) => track.readyState === 'live')")
    assert ada.complaints == grace.complaints == []


async def test_a_screen_for_which_there_is_no_seat_is_let_go(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "narrow", max_members=1)
    (ada,) = await enter(room, visitor, "Ada")
    await ada.click("Share screen")
    await ada.is_told("Every seat is taken")
    await ada.until("captures.length === 1 && captures[0].readyState === 'ended'")
    await expect(ada.page.get_by_role("button", name="Share screen")).to_be_visible()
    assert ada.complaints == []


async def test_everybody_sees_that_it_is_recorded(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "on_air")
    ada, grace = await enter(room, visitor, "Ada", "Grace")
    dots = [someone.page.get_by_role("listitem").filter(has_text="Recording") for someone in (ada, grace)]
    panel = ada.page.get_by_role("dialog", name="Room")
    await ada.click("Room")
    await panel.get_by_role("button", name="Start").click()
    for dot, someone in zip(dots, (ada, grace), strict=True):
        await expect(dot).to_be_visible()
        await someone.is_told("This is being recorded now")
    alan = await visitor()
    await alan.open(room.link(moderator=True), "Alan")
    await alan.is_in("on_air")
    await alan.is_told("This is being recorded.")
    await expect(panel.get_by_role("button", name="Pause")).to_be_focused()
    await panel.get_by_role("button", name="Pause").click()
    for dot in dots:
        await expect(dot).to_be_hidden()
    await grace.is_told("This is no longer being recorded")
    # Whoever did not start it goes on with it; so does who has loaded the page anew.
    await alan.click("Room")
    await alan.page.get_by_role("button", name="Resume").click()
    for dot in dots:
        await expect(dot).to_be_visible()
    await ada.page.reload()
    await ada.is_in("on_air")
    await ada.click("Room")
    await panel.get_by_role("button", name="Stop").click()
    for dot in dots:
        await expect(dot).to_be_hidden()
    await expect(panel.get_by_role("button", name="Start")).to_be_visible()
    await expect(panel).to_contain_text("Not recording")
    assert ada.complaints == grace.complaints == alan.complaints == []


async def test_what_is_recorded_from_the_start_says_so_to_whoever_comes(
    server: RunningServer, visitor: NewVisitor
) -> None:
    room = Room(server, "minutes", record_on_start=True)
    ada, grace = await enter(room, visitor, "Ada", "Grace")
    for someone in (ada, grace):
        await expect(someone.page.get_by_role("listitem").filter(has_text="Recording")).to_be_visible()
    await ada.click("Room")
    await ada.page.get_by_role("button", name="Stop", exact=True).click()
    await expect(grace.page.get_by_role("listitem").filter(has_text="Recording")).to_be_hidden()
    assert ada.complaints == grace.complaints == []


async def test_an_invitation_that_has_expired_records_no_more_and_says_why(
    server: RunningServer, visitor: NewVisitor
) -> None:
    room = Room(server, "stale")
    ada = await visitor()
    expires_at = int(time.time()) + 30
    await ada.open(room.link(moderator=True, expires_at=expires_at), "Ada")
    await ada.is_in("stale")
    await ada.click("Room")
    await asyncio.sleep(max(0, expires_at + 1 - time.time()))
    await ada.page.get_by_role("button", name="Start", exact=True).click()
    await ada.is_told("Your invitation does not allow it, or has expired.")
    assert all("401" in complaint for complaint in ada.complaints)


async def test_a_picture_that_is_kept_back_comes_when_it_is_asked_for(
    server: RunningServer, visitor: NewVisitor
) -> None:
    room = Room(server, "curtain", room_join_video_off=True)
    ada, grace = await visitor(), await visitor()
    await ada.open(room.link(), "Ada")
    await ada.click("Show the room’s picture")
    await ada.is_in("curtain")
    await expect(ada.page.locator("#reveal")).to_be_hidden()
    await grace.open(room.link())
    await grace.click("Turn the camera off")
    await grace.page.get_by_label("Your name").fill("Grace")
    await grace.click("Join")
    await grace.click("Show the room’s picture")
    await grace.is_in("curtain")
    await ada.lists("Grace", "camera off")
    assert await grace.page.evaluate("outbound('video')") == []
    assert ada.complaints == grace.complaints == []


async def test_a_new_name_and_topic_are_shown_at_once(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "renamed", meta={"topic": "Beans"})
    (ada,) = await enter(room, visitor, "Ada")
    header = ada.page.locator(".call-head")
    await expect(header.get_by_text("Beans")).to_be_visible()
    room.change(display_name="Tea House", meta={"topic": "Leaves"})
    await expect(ada.page.get_by_role("heading", name="Tea House")).to_be_visible()
    await expect(header.get_by_text("Leaves")).to_be_visible()
    await ada.is_told("The room is now called Tea House")
    room.change(meta={})
    await expect(header.get_by_text("Leaves")).to_be_hidden()
    assert ada.complaints == []
