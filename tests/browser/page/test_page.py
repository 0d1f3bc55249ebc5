"""The room's own page, in a real Chromium, against a real server: from the link to leaving."""

import asyncio
import json
import re
import time
from pathlib import Path

import pytest
from playwright.async_api import Locator, WebSocketRoute, expect

from tests.browser.page.visitor import NewVisitor, Room, Visitor
from tests.cluster.conftest import record
from tests.support.people import until
from tests.support.server import RunningServer, serving

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def test_a_moderator_and_a_guest_meet(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "coffee_cafe", display_name="Coffee Café")
    ada, grace = await visitor(), await visitor()
    await ada.open(room.link(moderator=True), "Ada")
    await ada.is_in("Coffee Café")
    link = room.link()
    await grace.open(link)
    await expect(grace.page.get_by_role("heading", name="Coffee Café")).to_be_visible()
    await grace.page.get_by_label("Your name").fill("Grace")
    await grace.click("Join")
    await grace.is_in("Coffee Café")

    await ada.lists("Ada (you)", "microphone on", "camera on")
    await ada.lists("Grace", "microphone on", "camera on")
    await grace.lists("Ada")
    await expect(ada.page.locator(".labels")).to_contain_text("Grace")

    await ada.hears(others=True)
    await grace.click("Mute microphone")
    await ada.lists("Grace", "microphone off")
    await grace.until("outbound('audio').then((tracks) => tracks.every((one) => one === 'ended'))")
    await ada.hears(others=False)
    await grace.click("Unmute microphone")
    await ada.lists("Grace", "microphone on")

    await grace.click("Stop camera")
    await ada.lists("Grace", "camera off")
    await grace.click("Start camera")
    await ada.lists("Grace", "camera on")

    await grace.click("Raise hand")
    await ada.lists("Grace", "hand raised")
    await ada.is_told("Grace raises a hand")
    await grace.click("Lower hand")

    await expect(grace.page.get_by_role("button", name="Room", exact=True)).to_be_hidden()
    await ada.click("Room")
    await ada.page.get_by_role("radio", name="Speaker").check(force=True)
    await expect(ada.page.get_by_role("radio", name="Speaker")).to_be_checked()
    await ada.page.keyboard.press("Escape")
    await grace.until("Math.abs(widest() - 66.7) < 1")

    await grace.click("Leave")
    await expect(grace.page.get_by_role("heading", name="You have left")).to_be_visible()
    await expect(ada.page.get_by_role("complementary").get_by_role("listitem")).to_have_count(1)
    assert ada.complaints == grace.complaints == []
    assert link.partition("#")[2] not in server.log.read_text(), "the invitation is in no log"


async def test_who_is_alone_is_told_how_others_get_in(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "quiet")
    ada = await visitor(permissions=["camera", "microphone", "clipboard-read", "clipboard-write"])
    grace = await visitor(viewport={"width": 1600, "height": 900})
    await ada.open(room.link(moderator=True), "Ada")
    await ada.is_in("quiet")
    await expect(ada.page.get_by_text("Nobody else is here yet", exact=True)).to_be_visible()
    await expect(ada.page.get_by_role("complementary")).to_be_hidden()
    await ada.click("Copy command")
    await expect(ada.page.get_by_role("button", name="Copied")).to_be_visible()
    assert await ada.page.evaluate("navigator.clipboard.readText()") == "parlour room link quiet"
    await grace.open(room.link(), "Grace")
    await grace.is_in("quiet")
    await expect(ada.page.locator("#alone")).to_be_hidden()
    await expect(grace.page.get_by_role("complementary")).to_be_visible()
    await ada.click("Leave")
    await expect(grace.page.get_by_text("Nobody else is here now", exact=True)).to_be_visible()
    await expect(grace.page.get_by_text("Others come in by the link they were sent.")).to_be_visible()
    await expect(grace.page.get_by_role("button", name="Copy command")).to_be_hidden()
    assert ada.complaints == grace.complaints == []


async def test_a_reload_keeps_the_seat(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "reload")
    ada, grace = await visitor(), await visitor()
    await ada.open(room.link(), "Ada")
    await ada.is_in("reload")
    await grace.open(room.link(), "Grace")
    await grace.is_in("reload")
    await grace.click("Mute microphone")
    await grace.click("Raise hand")
    await ada.lists("Grace", "microphone off", "hand raised")
    await grace.page.reload()
    await grace.is_in("reload")
    await grace.lists("Grace (you)", "microphone off", "camera on", "hand raised")
    await expect(ada.page.get_by_role("complementary").get_by_role("listitem")).to_have_count(2)
    await grace.click("Unmute microphone")
    await ada.lists("Grace", "microphone on")
    assert ada.complaints == grace.complaints == []


async def test_a_reload_keeps_the_seat_although_the_invitation_has_expired(
    server: RunningServer, visitor: NewVisitor
) -> None:
    room = Room(server, "late")
    ada = await visitor()
    expires_at = int(time.time()) + 30
    await ada.open(room.link(expires_at=expires_at), "Ada")
    await ada.is_in("late")
    await ada.click("Raise hand")
    await ada.lists("Ada (you)", "hand raised")
    await asyncio.sleep(max(0, expires_at + 1 - time.time()))
    await ada.page.reload()
    await ada.is_in("late")
    await ada.lists("Ada (you)", "hand raised")
    await ada.click("Leave")
    await ada.click("Join again")
    await ada.click("Join")
    await expect(ada.page.get_by_role("heading", name="This invitation has expired")).to_be_visible()
    # The browser logs by itself that the door was not to be read.
    assert all("401" in complaint for complaint in ada.complaints)


async def test_the_page_comes_back_by_itself_when_the_server_starts_again(tmp_path: Path, visitor: NewVisitor) -> None:
    with serving(tmp_path) as server:
        room = Room(server, "again")
        ada = await visitor()
        await ada.open(room.link(), "Ada")
        await ada.is_in("again")
        await ada.click("Raise hand")
        await ada.lists("Ada (you)", "hand raised")

        async def kept() -> bool:
            past = await record(tmp_path, room.id)
            return past is not None and past.members[0].handraised

        assert await until(kept)
        peers = await ada.page.evaluate("peers.length")
        server.kill()
    with serving(tmp_path, PARLOUR_PORT=str(server.port)):
        await ada.until(f"peers.length > {peers} && peers.at(-1).connectionState === 'connected'")
        await ada.is_in("again")
        await ada.lists("Ada (you)", "microphone on", "camera on", "hand raised")
        assert [text for text in ada.complaints if "ERR_CONNECTION" not in text] == []


async def test_a_reload_knocks_for_its_seat_while_the_server_is_not_ready(
    server: RunningServer, visitor: NewVisitor
) -> None:
    room = Room(server, "busy")
    ada = await visitor()
    refusals: list[str] = []

    def busy(socket: WebSocketRoute) -> None:
        upstream = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            frame = json.loads(text)
            method = frame.get("params", {}).get("message", {}).get("method")
            if not refusals or method != "verto.invite":
                upstream.send(text)
                return
            result = {"code": "503", "reason": refusals.pop(), "message": "try again in a moment"}
            socket.send(json.dumps({"jsonrpc": "2.0", "id": frame["id"], "result": result}))

        socket.on_message(pass_on)

    await ada.page.route_web_socket(re.compile(r"^ws://"), busy)
    await ada.open(room.link(), "Ada")
    await ada.is_in("busy")
    await ada.click("Raise hand")
    await ada.lists("Ada (you)", "hand raised")
    refusals.append("unavailable")
    await ada.page.reload()
    await ada.is_in("busy")
    await ada.lists("Ada (you)", "hand raised")
    assert refusals == []


async def test_an_open_room_takes_everybody_in_as_a_guest(tmp_path: Path, visitor: NewVisitor) -> None:
    with serving(tmp_path, PARLOUR_OPEN_ROOMS="true") as server:
        room = Room(server, "open")
        host, ada = await visitor(), await visitor()
        await host.open(room.link(moderator=True), "Host")
        await host.is_in("open")
        await expect(host.page.get_by_role("button", name="Room", exact=True)).to_be_visible()
        await ada.open(room.page, "Ada")
        await ada.is_in("open")
        await host.lists("Ada", "microphone on", "camera on")
        await expect(ada.page.get_by_role("button", name="Room", exact=True)).to_be_hidden()
        await ada.click("Raise hand")
        await ada.page.reload()
        await ada.is_in("open")
        await ada.lists("Ada (you)", "hand raised")
        await ada.click("Leave")
        await ada.click("Join again")
        await ada.click("Join")
        await ada.is_in("open")
        assert host.complaints == ada.complaints == []
        stray = await visitor()
        await stray.open(f"{server.origin}/rooms/nowhere")
        await expect(stray.page.get_by_role("heading", name="No room here")).to_be_visible()


async def test_one_may_come_with_nothing_and_add_it_later(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "shy")
    ada, grace = await visitor(), await visitor()
    await ada.open(room.link(), "Ada")
    await ada.is_in("shy")
    await grace.open(room.link())
    await grace.click("Turn the microphone off")
    await grace.click("Turn the camera off")
    await expect(grace.page.get_by_text("You join to see and listen.")).to_be_visible()
    await grace.page.get_by_label("Your name").fill("Grace")
    await grace.click("Join")
    await grace.is_in("shy")
    await ada.lists("Grace", "microphone off", "camera off")
    assert await grace.page.evaluate("Promise.all([outbound('audio'), outbound('video')])") == [[], []]
    await grace.click("Start camera")
    await ada.lists("Grace", "camera on")
    await grace.click("Unmute microphone")
    await ada.lists("Grace", "microphone on")
    assert ada.complaints == grace.complaints == []


async def test_without_camera_and_microphone_one_sees_and_hears(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "listener")
    ada, grace = await visitor(), await visitor()
    await ada.open(room.link(), "Ada")
    await ada.is_in("listener")
    await grace.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
    )
    await grace.open(room.link())
    await expect(grace.page.get_by_text("may not use your camera and microphone")).to_be_visible()
    await grace.page.get_by_label("Your name").fill("Grace")
    await grace.click("Join")
    await grace.is_in("listener")
    await ada.lists("Grace", "microphone off", "camera off")
    await grace.click("Unmute microphone")
    await grace.is_told("microphone cannot be used")
    assert grace.complaints == []


async def test_one_chooses_devices_and_sees_and_hears_oneself_at_the_door(
    server: RunningServer, visitor: NewVisitor
) -> None:
    room = Room(server, "mirror")
    ada = await visitor()
    await ada.open(room.link())
    lit = "document.querySelectorAll('#level .lit').length"
    for of, kind in (("#cam-choice", "Video"), ("#mic-choice", "Audio")):
        choice = ada.page.locator(of)
        used = f"device(document.querySelector('#mirror').srcObject?.get{kind}Tracks()[0])"
        first = await choice.input_value()
        await choice.select_option(index=1)
        chosen = await choice.input_value()
        assert chosen != first
        await ada.until(f"{used} === {json.dumps(chosen)}")
        await expect(choice).to_have_value(chosen)
        await ada.until("brightest('#mirror') > 60")
        await ada.until(f"{lit} > 0")
        loud = await ada.page.evaluate(lit)
        await ada.until(f"{lit} !== {loud}")
    chosen_camera = await ada.page.locator("#cam-choice").input_value()
    await ada.page.get_by_label("Your name").fill("Ada")
    await ada.click("Join")
    await ada.is_in("mirror")
    assert await ada.page.evaluate("[sends('video'), sends('audio')]") == [chosen_camera, chosen]
    assert ada.complaints == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotFoundError", "No camera found. You can join without; the others will hear you."),
        ("NotReadableError", "Your camera cannot be used just now; another program may be using it."),
    ],
)
async def test_what_is_wrong_with_a_camera_is_told_at_the_door(
    server: RunningServer, visitor: NewVisitor, error: str, words: str
) -> None:
    room = Room(server, error)
    ada = await visitor()
    await ada.page.add_init_script(
        "const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        f"const fail = () => {{ throw new DOMException('', '{error}'); }};"
        "navigator.mediaDevices.getUserMedia = async (wanted) => (wanted.video ? fail() : open(wanted));"
    )
    await ada.open(room.link())
    await expect(ada.page.get_by_text(words)).to_be_visible()
    await expect(ada.page.get_by_text("You join with your voice only.")).to_be_visible()
    assert ada.complaints == []


async def test_a_phone_has_room_for_everything(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "phone", display_name="A room with quite a long name that no phone has room for")
    ada = await visitor(viewport={"width": 360, "height": 640}, color_scheme="dark", reduced_motion="reduce")
    await ada.open(room.link(moderator=True))
    narrow = "document.documentElement.scrollWidth <= innerWidth"
    assert await ada.page.evaluate(narrow)
    await ada.page.get_by_label("Your name").fill("Ada")
    await ada.page.keyboard.press("Enter")
    await ada.is_in("A room with")
    assert await ada.page.evaluate(narrow)
    controls = await ada.page.get_by_role("group", name="Controls").get_by_role("button").all()
    for button in controls:
        box = await button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert min(box["width"], box["height"]) >= 44, "a finger hits it"
    await ada.until("document.querySelector('#picture video')?.clientWidth === innerWidth")
    await ada.show_people()
    await expect(ada.page.get_by_role("complementary")).to_be_visible()
    for button in controls:
        await button.click(trial=True)  # nothing lies over it
    await ada.click("Options for Ada")
    menu = ada.page.get_by_role("dialog", name="Ada")
    await menu.get_by_label("How loud you are").click(trial=True)
    assert await inside(menu, 360, 640)
    await ada.page.keyboard.press("Escape")
    await ada.click("Room")
    panel = ada.page.get_by_role("dialog", name="Room")
    assert await inside(panel, 360, 640)
    for role in ("button", "switch"):
        for found in await panel.get_by_role(role).all():
            await found.click(trial=True)
    for found in await panel.locator(".layout-list label").all():
        await found.click(trial=True)
    await panel.get_by_role("button", name="End for everybody").click()
    assert await inside(ada.page.get_by_role("dialog", name="End for everybody?"), 360, 640)
    assert await ada.page.evaluate(narrow)
    assert ada.complaints == []


async def inside(of: Locator, width: float, height: float) -> bool:
    """Whether all of it is on the screen."""
    box = await of.bounding_box()
    return (
        box is not None
        and min(box["x"], box["y"]) >= 0
        and box["x"] + box["width"] <= width
        and box["y"] + box["height"] <= height
    )


NAMES = (
    "Ada",
    "Grace Brewster Murray Hopper of the United States Navy, Rear Admiral",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "محمد بن موسى الخوارزمي",
    "ਸਤਵਿੰਦਰ ਕੌਰ ਗਿੱਲ ਸੰਧੂ ਧਾਲੀਵਾਲ",
    "小野寺太郎左衛門尉藤原朝臣義経",
)


async def test_a_list_of_many_with_long_names_in_any_script_is_all_to_be_reached(
    server: RunningServer, visitor: NewVisitor
) -> None:
    """The others are made up on their way from the server: it is the list that matters here."""
    room = Room(server, "crowd")
    ada = await visitor(viewport={"width": 360, "height": 640})

    def crowded(socket: WebSocketRoute) -> None:
        upstream = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            frame = json.loads(text)
            params = frame.get("params", {})
            if params.get("event_type") == "call.joined":
                members = params["params"]["room_session"]["members"]
                for number in range(24):
                    name = f"{NAMES[number % len(NAMES)]} {number}"
                    members.append({**members[0], "member_id": f"made-up-{number}", "call_id": "none", "name": name})
            socket.send(json.dumps(frame))

        upstream.on_message(pass_on)

    await ada.page.route_web_socket(re.compile(r"^ws://"), crowded)
    await ada.open(room.link(moderator=True), "Ada")
    await ada.is_in("crowd")
    await ada.show_people()
    entries = ada.page.get_by_role("complementary").get_by_role("listitem")
    await expect(entries).to_have_count(25)
    for number, entry in enumerate(await entries.all()):
        await entry.scroll_into_view_if_needed()
        more = entry.get_by_role("button", name="Options for")
        await more.click(trial=True)
        box, button = await entry.bounding_box(), await more.bounding_box()
        assert box is not None, number
        assert button is not None, number
        assert button["x"] + button["width"] <= 360, number
        assert box["height"] < 80, "two lines of a name at most"
    assert await ada.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert ada.complaints == []


async def test_a_copied_tab_leaves_the_first_its_seat(server: RunningServer, visitor: NewVisitor) -> None:
    room = Room(server, "copied")
    ada = await visitor()
    link = room.link()
    await ada.open(link, "Ada")
    await ada.is_in("copied")
    kept = await ada.page.evaluate("Object.entries(sessionStorage)")
    copy = Visitor(await ada.page.context.new_page())
    await copy.page.add_init_script(f"for (const [key, value] of {kept!r}) sessionStorage.setItem(key, value);")
    await copy.open(link)
    await expect(copy.page.get_by_role("button", name="Join", exact=True)).to_be_visible()
    await ada.is_in("copied")
    assert ada.complaints == copy.complaints == []
