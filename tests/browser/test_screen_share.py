"""A shared screen as people see it: a real screen, captured by a real browser, through the unmodified SDK."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.browser.venue import Venue, meet, opened
from tests.support.chromium import WHOLE_SCREEN
from tests.support.people import Person, start_browser, until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SHARE = "call.startScreenShare({ audio: false, video: true }).then((it) => { window.shared = it; return it.memberId; })"
LOCAL = """
async () => {
  const track = shared.peer.instance.getSenders().find((one) => one.track?.kind === "video").track;
  const video = document.createElement("video");
  video.srcObject = new MediaStream([track]);
  video.muted = true;
  await video.play();
  const { width, height } = track.getSettings();
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(video, 0, 0);
  window.sample = (image, wide, high) => {
    const small = new OffscreenCanvas(16, 9).getContext("2d");
    small.drawImage(image, 0, 0, wide, high, 0, 0, 16, 9);
    const { data } = small.getImageData(0, 0, 16, 9);
    return Array.from({ length: 144 }, (_, at) => [...data.slice(4 * at, 4 * at + 3)]);
  };
  return { width, height, sample: sample(context.canvas, width, height) };
}
"""
"""The screen as it is captured: its size and 16 by 9 pixels of it."""
SENT = """
(async () => {
  const found = {};
  (await shared.peer.instance.getStats()).forEach((report) => {
    if (report.type === "outbound-rtp" && report.kind === "video") Object.assign(found, report);
  });
  return found;
})()
"""
SEEN = """
([width, height]) => {
  const video = remoteVideo();
  const [across, down] = [video.videoWidth, video.videoHeight];
  const scale = Math.min(across / width, down / height);
  const [wide, high] = [width * scale, height * scale];
  const small = new OffscreenCanvas(16, 9).getContext("2d");
  small.drawImage(video, (across - wide) / 2, (down - high) / 2, wide, high, 0, 0, 16, 9);
  const { data } = small.getImageData(0, 0, 16, 9);
  return Array.from({ length: 144 }, (_, at) => [...data.slice(4 * at, 4 * at + 3)]);
}
"""
"""The part of the room's picture where the screen is, seen in the same way."""
CORNERS = {row * 16 + column for row in (0, 1, 7, 8) for column in (0, 1, 2, 13, 14, 15)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory, site: str) -> AsyncIterator[Venue]:
    """One server for all of these tests."""
    async with opened(tmp_path_factory.mktemp("screens"), site) as place:
        yield place


async def layer_of(someone: Person, member_id: str) -> dict[str, Any] | None:
    """A member's layer, as it was told last."""
    found: dict[str, Any] | None = await someone.page.evaluate("id => tileOf(id)", member_id)
    return found


async def test_the_whole_screen_is_shared_sharp_with_people_over_it(venue: Venue) -> None:
    room = await venue.room()
    browser = await start_browser(venue.playwright, venue.folder, "red", WHOLE_SCREEN)
    async with venue.person("red", browser=browser) as red, venue.person("green") as green:
        await venue.enter(room, red)
        await venue.enter(room, green)
        await meet(red, green)
        before = await green.tile(red), await green.tile(green)
        screen_id = await red.page.evaluate(SHARE)
        local = await red.page.evaluate(LOCAL)
        assert screen_id
        for someone in (red, green):
            await someone.told("member.joined", f"params.member.member_id === '{screen_id}'")
            await someone.told("layout.changed", "lastLayout().id === 'screen-share'")
        base = await layer_of(green, screen_id)
        assert base is not None
        assert (base["position"], base["z_index"]) == ("standard-1", 0)
        assert (base["x"], base["y"], base["width"], base["height"]) == (0, 0, 100, 100)
        for someone in (red, green):
            above = await layer_of(green, someone.member_id)
            assert above is not None
            assert above["position"] in {"reserved-1", "reserved-2"}
            assert above["z_index"] > base["z_index"]
            assert await green.sees(someone), f"{someone.colour} lies over the screen"

        async def as_captured() -> bool:
            seen = await green.page.evaluate(SEEN, [local["width"], local["height"]])
            pairs = [(a, b) for at, (a, b) in enumerate(zip(seen, local["sample"], strict=True)) if at not in CORNERS]
            wrong = [a for a, b in pairs if max(abs(x - y) for x, y in zip(a, b, strict=True)) > 40]
            return len(wrong) <= len(pairs) // 20

        assert await until(as_captured), "the screen's pixels are in the room's picture"

        async def sharp() -> bool:
            sent = await red.page.evaluate(SENT)
            return [sent.get("frameWidth"), sent.get("frameHeight")] == [local["width"], local["height"]]

        assert await until(sharp)
        await green.page.evaluate(
            "id => call.setPositions({ positions: { [id]: 'reserved-1', [call.memberId]: 'standard-1' } })", screen_id
        )
        await green.told("layout.changed", f"tileOf('{screen_id}').position === 'reserved-1'")
        constraints = (
            "shared.peer.instance.getSenders().find((it) => it.track?.kind === 'video').track.getConstraints()"
        )

        async def slower() -> bool:
            return bool((await red.page.evaluate(constraints)).get("frameRate") == 10)

        assert await until(slower), "a small tile costs frames ..."
        assert await sharp(), "... and no pixels"
        await red.page.evaluate("shared.leave()")
        for someone in (red, green):
            await someone.told("member.left", f"params.member.member_id === '{screen_id}'")
            await someone.told("layout.changed", "lastLayout().id === 'grid-responsive'")
        await green.do("setPositions", positions={"self": "auto"})

        async def as_before() -> bool:
            return {await green.tile(red), await green.tile(green)} == set(before)

        assert await until(as_before)
        await meet(red, green)
    await browser.close()


async def test_a_screen_takes_a_seat(venue: Venue) -> None:
    room = await venue.room(max_members=1)
    browser = await start_browser(venue.playwright, venue.folder, "blue", WHOLE_SCREEN)
    async with venue.person("blue", browser=browser) as blue:
        await venue.enter(room, blue)
        refused = await blue.page.evaluate(f"{SHARE}.then(() => null, (error) => ({{ ...error }}))")
        assert (refused["code"], refused["reason"]) == ("409", "full")
        blue.complaints.clear()  # the SDK has put it there too
        assert await blue.sees(blue)
    await browser.close()
