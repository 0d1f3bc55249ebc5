"""The unmodified browser SDK, version 3.30.0, in a real Chromium."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from playwright.async_api import Error

from parlour.domain.live.commands import Join, Present
from parlour.front.front import utc_now
from tests.browser.conftest import Tab
from tests.support.peers import Peers
from tests.support.signalling import House

pytestmark = pytest.mark.slow

NewTab = Callable[[], Awaitable[Tab]]
VIDEO = "/public/coffee_cafe?channel=video"


async def test_a_call_from_dialling_to_hanging_up(house: House, new_tab: NewTab) -> None:
    await house.room()
    tab = await new_tab()
    page = tab.page
    await tab.connect(await house.token())
    call = await page.evaluate("to => dial(to)", VIDEO)
    assert call["memberId"]
    assert call["mayLock"]
    await page.evaluate("heardOf('call.joined')")
    await page.evaluate("heardOf('layout.changed')")
    await page.evaluate("until(async () => { const r = await received(); return r.video > 20 && r.audio > 20; })")
    await page.evaluate("until(() => document.querySelector('#rootElement video')?.currentTime > 0.2)")
    await page.evaluate("call.audioMute()")
    muted = await page.evaluate("heardOf('member.updated.audioMuted', (params) => params.member.audio_muted)")
    assert muted["params"]["member"]["member_id"] == call["memberId"]
    await page.evaluate("call.audioUnmute()")
    await page.evaluate("heardOf('member.updated.audioMuted', (params) => !params.member.audio_muted)")
    assert (await page.evaluate("call.getLayouts()"))["layouts"]
    await page.evaluate("call.setLayout({ name: '3x3' })")
    await page.evaluate("heardOf('layout.changed', (params) => params.layout.id === '3x3')")
    await page.evaluate("call.lock()")
    await page.evaluate("heardOf('call.updated', (params) => params.room_session.locked)")
    assert len((await page.evaluate("call.getMembers()"))["members"]) == 1
    await page.evaluate("call.hangup()")
    await page.evaluate("heardOf('destroy')")
    await page.evaluate("client.disconnect()")
    assert tab.complaints == []


async def test_two_pages_hear_of_each_other(house: House, new_tab: NewTab) -> None:
    await house.room()
    one, two = await new_tab(), await new_tab()
    await one.connect(await house.token("Alice"))
    await two.connect(await house.token("Bob"))
    await one.page.evaluate("to => dial(to)", VIDEO)
    bob = await two.page.evaluate("to => dial(to)", VIDEO)
    await one.page.evaluate("heardOf('member.joined', (params) => params.member.name === 'Bob')")
    await one.page.evaluate("id => call.audioMute({ memberId: id })", bob["memberId"])
    await two.page.evaluate("heardOf('member.updated.audioMuted', (params) => params.member.audio_muted)")
    await two.page.evaluate("call.setRaisedHand({ raised: true })")
    await one.page.evaluate("heardOf('member.updated', (params) => params.member.updated?.includes('handraised'))")
    await one.page.evaluate("id => call.removeMember({ memberId: id })", bob["memberId"])
    await two.page.evaluate("heardOf('destroy')")
    await one.page.evaluate("heardOf('member.left')")
    assert one.complaints == two.complaints == []


@pytest.mark.parametrize(
    "parting",
    [
        "call.end()",
        "call.end({ memberId: 'all' })",
        "call.removeMember({ memberId: call.memberId })",
        "call.hangup()",
        "call.leave()",
    ],
)
async def test_whoever_ends_their_own_call_is_answered(house: House, new_tab: NewTab, parting: str) -> None:
    await house.room()
    one, two = await new_tab(), await new_tab()
    await two.connect(await house.token("Bob"))
    await two.page.evaluate("to => dial(to)", VIDEO)
    await one.connect(await house.token("Alice"))
    alice = await one.page.evaluate("to => dial(to)", VIDEO)
    for tab in (one, two):  # the SDK has joined before it has set the answer; to end there is an error to it
        await tab.page.evaluate("until(() => call.peer.instance.remoteDescription)")
    answered = "Promise.race([%s.then(() => 'yes'), new Promise((late) => setTimeout(late, 60000, 'never'))])"
    assert await one.page.evaluate(answered % parting) == "yes"
    await one.page.evaluate("heardOf('call.left')")
    await one.page.evaluate("heardOf('destroy')")
    if "'all'" in parting:
        await two.page.evaluate("heardOf('destroy')")
    else:
        await two.page.evaluate("id => heardOf('member.left', (it) => it.member.member_id === id)", alice["memberId"])
    assert one.complaints == two.complaints == []


async def test_a_screen_is_shared_and_taken_back(house: House, new_tab: NewTab, peers: Peers) -> None:
    await house.room()
    tab = await new_tab()
    await tab.connect(await house.token())
    await tab.page.evaluate("to => dial(to)", VIDEO)
    await tab.page.evaluate(
        "call.startScreenShare({ audio: false, video: true }).then((it) => { window.screen_ = it; })"
    )
    await tab.page.evaluate("heardOf('member.joined', (params) => params.member.type === 'screen')")
    assert peers.audio_first == [False, True], "a screen without sound is offered with the picture first"
    await tab.page.evaluate("screen_.hangup()")
    await tab.page.evaluate("heardOf('member.left', (params) => params.member.type === 'screen')")
    assert tab.complaints == []


async def test_the_socket_may_break_and_the_call_goes_on(house: House, new_tab: NewTab) -> None:
    await house.room()
    tab = await new_tab()
    await tab.connect(await house.token())
    await tab.page.evaluate("to => dial(to)", VIDEO)
    for dialogue in house.board._dialogues.values():
        assert dialogue._let_go is not None
        dialogue._let_go()
    await house.rooms.until(lambda: any(isinstance(command, Present) for command in house.rooms.asked))
    await tab.page.evaluate("call.audioMute()")
    await tab.page.evaluate("heardOf('member.updated.audioMuted', (params) => params.member.audio_muted)")
    assert await tab.page.evaluate("heard.filter((one) => one.name === 'call.joined').length") == 1
    assert sum(isinstance(command, Join) for command in house.rooms.asked) == 1


@pytest.mark.parametrize("expired", [False, True])
async def test_a_reloaded_page_comes_back_to_its_call(
    house: House, new_tab: NewTab, monkeypatch: pytest.MonkeyPatch, expired: bool
) -> None:
    await house.room()
    tab = await new_tab()
    token = await house.token()
    await tab.connect(token)
    before = await tab.page.evaluate("to => dial(to)", VIDEO)
    if expired:
        monkeypatch.setattr(house.tickets, "_now", lambda: utc_now() + timedelta(hours=3))
    await tab.page.reload()
    await tab.connect(token)
    after = await tab.page.evaluate("to => dial(to, {}, 'reattach')", VIDEO)
    assert after["memberId"] == before["memberId"]
    await tab.page.evaluate("until(async () => (await received()).video > 20)")
    assert [command.reattach for command in house.rooms.asked if isinstance(command, Join)] == [False, True]


async def test_a_bad_token_and_a_wrong_address_are_told(house: House, new_tab: NewTab) -> None:
    await house.room()
    tab = await new_tab()
    with pytest.raises(Error, match="Unauthorized"):
        await tab.connect("nonsense")
    tab = await new_tab()
    await tab.connect(await house.token())
    refused = await tab.page.evaluate("dial('/public/nowhere?channel=video').then(() => null, (error) => error)")
    assert "404" in str(refused)
