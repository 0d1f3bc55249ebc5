"""Live rooms as people see and hear them: a real server, real browsers, the unmodified SDK, pixels and tones."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from parlour.domain.room import Layout
from tests.browser.proxy import Proxy
from tests.browser.venue import Venue, meet, opened
from tests.support.people import RATE, TONES, Person, TurnedAway, kill_browser, start_browser, until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

LAYOUTS = (*tuple(Layout)[1:], Layout.GRID_RESPONSIVE)
"""All of the contract, the one that a room begins with at the end."""
AT_ONCE_S = 3.9
"""Without a word of it, a camera's last picture would stand for five seconds."""
FREEZE_S, CONCEALED_S = 3.0, 1.0
FREEZE, CONCEALED, LOST = 0.25, 0.15, 0.02
"""What a busy machine is forgiven: seconds of still picture and of patched sound, or parts of a longer time; and a part
of the packets.
"""
PACKET_S = 0.02
STEPS, DECIBELS_A_STEP, TOLERANCE_DB = 25, 0.4, 4.0
AUDIBLE_DB, STEADY_DB = -75.0, 0.7
VP8_ONLY = """
  const createOffer = RTCPeerConnection.prototype.createOffer;
  RTCPeerConnection.prototype.createOffer = function (...options) {
    const { codecs } = RTCRtpReceiver.getCapabilities("video");
    const some = codecs.filter(({ mimeType }) => ["video/VP8", "video/rtx"].includes(mimeType));
    for (const transceiver of this.getTransceivers()) {
      if (transceiver.receiver.track.kind === "video") transceiver.setCodecPreferences(some);
    }
    return createOffer.apply(this, options);
  };
"""
"""Makes a browser one that knows no other codec."""
KEEP_OFFERS = """
  window.offers = [];
  const setLocalDescription = RTCPeerConnection.prototype.setLocalDescription;
  RTCPeerConnection.prototype.setLocalDescription = function (description) {
    if (description) offers.push(description.sdp);
    return setLocalDescription.call(this, description);
  };
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory, site: str) -> AsyncIterator[Venue]:
    """One server with two media workers for all of these tests."""
    async with opened(tmp_path_factory.mktemp("live"), site, workers=2) as place:
        yield place


@pytest.mark.parametrize("colours", [("red", "green"), ("red", "green", "blue", "yellow")])
async def test_everybody_sees_all_and_hears_the_others(venue: Venue, colours: tuple[str, ...]) -> None:
    async with venue.party(*colours) as people:
        for someone in people:
            assert await until(partial(_gets_it_whole, someone))
        worker = await venue.figures(members=len(people), picture_renditions=1)  # all of one codec share one encode
        assert worker["sound_encoders"] <= worker["rooms"] + len(people), "one of the room and one of each who speaks"


async def _gets_it_whole(someone: Person) -> bool:
    """Whether somebody gets the large picture, and hardly a packet is lost in a second. Starting browsers lose some."""
    before = await someone.inbound()
    await asyncio.sleep(1)
    after = await someone.inbound()
    lost, received = (after[name] - before[name] for name in ("packetsLost", "packetsReceived"))
    return lost <= LOST * received and (after["frameWidth"], after["frameHeight"]) == (1280, 720)


async def test_browsers_with_different_codecs_share_a_room(venue: Venue) -> None:
    room = await venue.room()
    async with venue.person("red") as red, venue.person("green", VP8_ONLY) as green:
        await venue.enter(room, red)
        await venue.enter(room, green)
        await meet(red, green)
        for someone, codec in ((red, "video/H264"), (green, "video/VP8")):
            assert (await someone.inbound())["codec"] == codec
            assert (await someone.outbound())["codec"] == codec


async def test_who_has_no_camera_is_a_card_and_gets_no_picture(venue: Venue) -> None:
    room = await venue.room()
    async with venue.person("red") as red, venue.person("green") as green:
        await venue.enter(room, red)
        await venue.enter(room, green, channel="audio")
        await green.told("layout.changed")
        assert await red.sees(red)
        assert await red.sees_as(green, "card"), "a card stands in the tile"
        assert await red.tile(green) is not None
        assert await red.hears(green, but=(red,))
        assert await green.hears(red, but=(green,))
        assert await green.inbound("video") == {}


async def test_who_only_watches_sees_and_hears(venue: Venue) -> None:
    room = await venue.room()
    browser = await start_browser(venue.playwright, venue.folder, "blue", shy=True)
    async with venue.person("red") as red, venue.person("blue", KEEP_OFFERS, browser=browser) as blue:
        await venue.enter(room, red)
        await venue.enter(room, blue, audio=False, video=False, negotiateAudio=True, negotiateVideo=True)
        offer = await blue.page.evaluate("offers.at(-1)")
        assert "a=recvonly" in offer
        assert "a=sendrecv" not in offer
        assert await blue.sees(red)
        assert await blue.hears(red)
        assert await red.shows(blue) == "nowhere", "who sends nothing takes no room"
        assert (await blue.outbound("video")) == (await blue.outbound("audio")) == {}
    await browser.close()


async def test_every_layout_comes_without_a_dark_moment(venue: Venue) -> None:
    async with venue.party("red", "green", "blue") as people:
        red, green, _blue = people
        shown = set(people)
        for layout in LAYOUTS:
            async with green.filming() as reel:
                await red.do("setLayout", name=layout)
                await green.told("layout.changed", f"params.layout.id === '{layout}' && lastLayout().id === '{layout}'")
                tiled = [someone for someone in people if await green.tile(someone) is not None]
                for someone in tiled:
                    assert await green.sees(someone), f"{layout}: {someone.colour} is {await green.shows(someone)}"
                await asyncio.sleep(0.3)
                await green.page.wait_for_function("reel.length > 2")
            stayed = {someone.colour for someone in shown.intersection(tiled)}
            assert all(stayed <= frame for frame in reel), f"{layout}: somebody who stayed was gone for a moment"
            assert len(tiled) == (1 if layout == "1x1" else 2 if layout == "2x1" else 3)
            shown = set(tiled)


async def test_the_large_tile_follows_the_speaker(venue: Venue) -> None:
    async with venue.party("red", "green", "blue") as people:
        observer = people[0]
        await observer.do("setLayout", name="highlight-1-responsive")
        await observer.told("layout.changed", "params.layout.id === 'highlight-1-responsive'")
        led: list[Person] = []
        while len(led) < len(people):
            leader = await _leader(observer, people, but=led[-1:])
            assert await observer.sees(leader)
            assert leader not in led
            led.append(leader)
            await leader.do("audioMute")


async def _leader(observer: Person, people: list[Person], but: list[Person]) -> Person:
    """Wait for somebody else to have the large tile. The three are looked at one after the other: they may change."""
    found: list[Person] = []

    async def look() -> bool:
        tiles = [(someone, await observer.tile(someone)) for someone in people]
        found[:] = [someone for someone, tile in tiles if tile and tile[2] > 50 and someone not in but]
        return bool(found)

    assert await until(look), "nobody leads"
    return found[0]


async def test_a_silent_microphone_hardly_sends(venue: Venue) -> None:
    async with venue.party("red", "green") as (red, green):
        assert await until(partial(_sends_sound, red, 40, 60)), "a tone is no silence"
        await red.page.evaluate("call.localStream.getAudioTracks()[0].enabled = false")
        assert await green.misses(red, 20)
        assert await until(partial(_sends_sound, red, 0, 15))
        await red.page.evaluate("call.localStream.getAudioTracks()[0].enabled = true")
        assert await green.hears(red, but=(green,))


async def _sends_sound(someone: Person, least: float, most: float) -> bool:
    """Whether somebody sends so many packets of sound a second, for two seconds."""
    before = await someone.outbound("audio")
    await asyncio.sleep(2)
    after = await someone.outbound("audio")
    packets, milliseconds = (float(after[name] - before[name]) for name in ("packetsSent", "timestamp"))
    return least < packets / milliseconds * 1000 < most


async def test_a_muted_camera_is_a_card_at_once_for_everybody(venue: Venue) -> None:
    async with venue.party("red", "green", "blue") as people:
        red, green, blue = people
        await red.do("videoMute")
        for someone in people:
            assert await someone.sees_as(red, "card", AT_ONCE_S)
        async with green.filming() as reel:
            await asyncio.sleep(1)
        assert not any("red" in frame for frame in reel)
        await red.do("videoUnmute")
        for someone in people:
            assert await someone.sees(red)
        await green.do("videoMute", memberId=blue.member_id)
        for someone in people:
            assert await someone.sees_as(blue, "card", AT_ONCE_S)
        await green.do("videoUnmute", memberId=blue.member_id)
        for someone in people:
            assert await someone.sees(blue)


async def test_a_muted_microphone_is_silent_for_the_others(venue: Venue) -> None:
    async with venue.party("red", "green", "blue") as (red, green, blue):
        await red.do("audioMute")
        assert await green.hears(blue, but=(red, green))
        assert await blue.hears(green, but=(red, blue))
        assert await red.hears(green, blue, but=(red,))
        await red.do("audioUnmute")
        assert await green.hears(red, blue, but=(green,))


async def test_volumes_act_for_those_they_are_for(venue: Venue) -> None:
    async with venue.party("red", "green", "blue") as (red, green, blue):
        pairs = [(red, green), (red, blue), (green, red), (green, blue)]
        before = {pair: await _settled(*pair) for pair in pairs}

        async def softer(*fewer: tuple[Person, Person]) -> bool:
            """Whether these hear those so much softer than before, and the others as before."""
            for listener, speaker in pairs:
                change = await listener.loudness(TONES[speaker.colour]) - before[listener, speaker]
                wanted = -STEPS * DECIBELS_A_STEP if (listener, speaker) in fewer else 0
                if abs(change - wanted) > TOLERANCE_DB:
                    return False
            return True

        await blue.do("setInputVolume", volume=-STEPS)
        assert await until(partial(softer, (red, blue), (green, blue))), "the others hear one softer"
        await red.do("setInputVolume", memberId=blue.member_id, volume=0)
        assert await until(softer)
        await green.do("setOutputVolume", volume=-STEPS)
        assert await until(partial(softer, (green, red), (green, blue))), "one hears the others softer"
        await green.do("setOutputVolume", volume=0)
        assert await until(softer)
        await green.do("deaf")
        assert await green.misses(red)
        assert await green.misses(blue)
        assert await red.hears(blue, but=(green,)), "who is deaf is mute"
        await green.do("undeaf")
        assert await until(softer)


async def _settled(listener: Person, speaker: Person) -> float:
    """How loud one hears another, once there is something to hear and it stays the same."""
    heard = [-200.0]

    async def check() -> bool:
        heard.append(await listener.loudness(TONES[speaker.colour]))
        return heard[-1] > AUDIBLE_DB and abs(heard[-1] - heard[-2]) < STEADY_DB

    assert await until(check)
    return heard[-1]


async def test_hands_are_seen_and_people_removed(venue: Venue) -> None:
    async with venue.party("red", "green", "blue") as (red, green, blue):
        await blue.do("setRaisedHand", raised=True)
        await red.told_of(blue, "member.updated", "params.member.handraised")
        await red.do("removeMember", memberId=blue.member_id)
        await blue.told("destroy")
        await green.told_of(blue, "member.left")
        assert await green.sees_as(blue, "nowhere")
        assert await green.hears(red, but=(green, blue))
        await meet(red, green)


async def test_a_locked_room_says_so_and_an_ended_one_is_over(venue: Venue) -> None:
    room = await venue.room()
    async with venue.party("red", "green", room=room) as (red, green), venue.person("blue") as blue:
        await red.do("lock")
        await green.told("call.updated", "params.room_session.locked")
        with pytest.raises(TurnedAway, match="lock"):
            await venue.enter(room, blue)
        blue.complaints.clear()  # the SDK has put it there too
        await red.do("unlock")
        await green.told("call.updated", "!params.room_session.locked")
        await blue.dial(f"{room.path}?channel=video")
        await meet(red, green, blue)
        await red.do("end", memberId="all")
        for someone in (red, green, blue):
            await someone.told("destroy")


async def test_hanging_up_leaves_the_others_undisturbed(venue: Venue) -> None:
    async with venue.party("red", "green", "blue") as (red, green, blue):
        before = await red.inbound("video"), await red.inbound("audio")
        await blue.hang_up()
        await red.told_of(blue, "member.left")
        assert await red.sees_as(blue, "nowhere")
        assert await red.hears(green, but=(red, blue))
        await meet(red, green)
        await _undisturbed(red, *before)


async def _undisturbed(someone: Person, video: dict[str, float], audio: dict[str, float]) -> None:
    """Picture and sound have gone on since these figures."""
    after_video, after_audio = await someone.inbound("video"), await someone.inbound("audio")
    seconds = (after_audio["timestamp"] - audio["timestamp"]) / 1000
    silent, still = max(CONCEALED_S, CONCEALED * seconds), max(FREEZE_S, FREEZE * seconds)
    for before, after in ((video, after_video), (audio, after_audio)):
        received = after["packetsReceived"] - before["packetsReceived"]
        assert after["packetsLost"] - before["packetsLost"] <= max(LOST * received, received / seconds), "one second's"
    assert (after_audio["packetsReceived"] - audio["packetsReceived"]) * PACKET_S > seconds - silent
    assert after_video["framesDecoded"] > video["framesDecoded"]
    assert after_video["totalFreezesDuration"] - video["totalFreezesDuration"] < still
    concealed = after_audio["concealedSamples"] - after_audio["silentConcealedSamples"]
    assert concealed - (audio["concealedSamples"] - audio["silentConcealedSamples"]) < RATE * silent


async def test_a_reloaded_page_keeps_its_seat(venue: Venue) -> None:
    async with venue.party("red", "green") as (red, green):
        await green.do("audioMute")
        await red.told_of(green, "member.updated.audioMuted", "params.member.audio_muted")
        before = green.member_id, await green.page.evaluate("call.callId")
        await green.reload()
        assert (green.member_id, await green.page.evaluate("call.callId")) == before
        seats = (await green.do("getMembers"))["members"]
        assert [seat["audio_muted"] for seat in seats if seat["member_id"] == green.member_id] == [True]
        assert await red.sees(green)
        assert await green.sees(red)
        assert await green.hears(red)
        assert await red.misses(green)
        await green.do("audioUnmute")
        await meet(red, green)
        assert await red.page.evaluate("heard.every((one) => !['member.left', 'destroy'].includes(one.name))")


async def test_a_lost_socket_costs_nothing(venue: Venue) -> None:
    room = await venue.room()
    async with Proxy(venue.server.port).open() as wire, venue.person("red") as red, venue.person("green") as green:
        await venue.enter(room, red)
        await green.join(f"ws://localhost:{wire.port}", await venue.token(room), f"{room.path}?channel=video")
        await meet(red, green)
        before = await green.inbound("video"), await green.inbound("audio")
        wire.cut()
        await asyncio.sleep(2)
        await red.do("setLayout", name="2x2")
        await red.told("layout.changed", "params.layout.id === '2x2'")
        await meet(red)
        assert await green.hears(red, but=(green,))
        wire.mend()
        await green.told("layout.changed", "params.layout.id === '2x2'")
        await meet(red, green)
        await green.do("audioMute")
        await red.told_of(green, "member.updated.audioMuted", "params.member.audio_muted")
        await _undisturbed(green, *before)
        assert wire.accepted == 2
        assert await green.page.evaluate("heard.filter((one) => one.name === 'call.joined').length") == 1
        assert await red.page.evaluate("heard.every((one) => one.name !== 'member.left')")
        green.complaints = [text for text in green.complaints if "WebSocket connection" not in text]  # the browser's


async def test_a_crashed_browser_does_not_disturb_the_others(venue: Venue) -> None:
    room = await venue.room()
    browser = await start_browser(venue.playwright, venue.folder, "yellow")
    async with (
        venue.party("red", "green", room=room) as (red, green),
        venue.person("yellow", browser=browser) as yellow,
    ):
        await venue.enter(room, yellow)
        await meet(red, green, yellow)
        before = await red.inbound("video"), await red.inbound("audio")
        await kill_browser(browser)
        assert await red.hears(green, but=(red, yellow))
        assert await red.sees_as(yellow, "card"), "a card takes the place of the last picture"
        await meet(red, green)
        await _undisturbed(red, *before)
        assert await red.page.evaluate("heard.every((one) => one.name !== 'member.left')"), "the seat is kept"


async def test_a_camera_is_taken_out_of_the_call_and_put_back(venue: Venue) -> None:
    async with venue.party("red", "green") as (red, green):
        await green.page.evaluate("call.setVideoDirection('recvonly')")
        assert await red.sees_as(green, "card")
        assert await green.sees(red)
        await green.page.evaluate("call.setVideoDirection('sendrecv')")
        await meet(red, green)


async def test_who_holds_is_neither_seen_nor_heard(venue: Venue) -> None:
    async with venue.party("red", "green", "blue") as (red, green, blue):
        await green.page.evaluate("call.hold()")
        assert await red.sees_as(green, "card", AT_ONCE_S)
        assert await red.hears(blue, but=(red, green))
        await green.page.evaluate("call.unhold()")
        await meet(red, green, blue)
