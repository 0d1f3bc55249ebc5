"""Everything that the SDK lets a moderator do, to oneself and to somebody else: answered, done, and told to both."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright

from tests.browser.venue import Venue
from tests.cluster.conftest import figures, until
from tests.support.server import serving

pytestmark = pytest.mark.slow

ON_MEMBERS: tuple[tuple[str, dict[str, Any], str, object], ...] = (
    ("audioMute", {}, "audio_muted", True),
    ("audioUnmute", {}, "audio_muted", False),
    ("videoMute", {}, "video_muted", True),
    ("videoUnmute", {}, "video_muted", False),
    ("deaf", {}, "deaf", True),
    ("undeaf", {}, "deaf", False),
    ("setRaisedHand", {"raised": True}, "handraised", True),
    ("setRaisedHand", {"raised": False}, "handraised", False),
    ("setInputVolume", {"volume": 20}, "input_volume", 20),
    ("setOutputVolume", {"volume": -20}, "output_volume", -20),
    ("setInputSensitivity", {"value": 70}, "input_sensitivity", 70),
    ("setAudioFlags", {"autoGain": False}, "auto_gain", False),
)
FORGET = "heard.splice(0, heard.length, ...heard.filter((one) => one.name === 'layout.changed'))"


async def test_every_act_of_the_sdk_is_answered_done_and_told(tmp_path: Path, site: str) -> None:
    with serving(tmp_path / "server") as server:
        await until(lambda: figures(server))
        async with async_playwright() as playwright:
            venue = Venue(server, playwright, site, tmp_path)
            room = await venue.room()
            async with venue.person("red") as red, venue.person("green") as green:
                await venue.enter(room, red)
                await venue.enter(room, green)
                for member in (red, green):
                    for method, parameters, name, value in ON_MEMBERS:
                        for someone in (red, green):
                            await someone.page.evaluate(FORGET)
                        await red.do(method, memberId=member.member_id, **parameters)
                        check = f"params.member.updated?.includes('{name}') && params.member.{name} === {_js(value)}"
                        for someone in (red, green):
                            await someone.told_of(member, "member.updated", check)
                assert "3x3" in (await red.do("getLayouts"))["layouts"]
                assert len((await red.do("getMembers"))["members"]) == 2
                await red.do("setLayout", name="3x3", positions={"self": "standard-4"})
                await green.told("layout.changed", f"{_at(red.member_id)} === 'standard-4'")
                await red.do("setPositions", positions={"self": "standard-2", green.member_id: "standard-1"})
                await green.told("layout.changed", f"{_at(green.member_id)} === 'standard-1'")
                await red.do("lock")
                await green.told("call.updated", "params.room_session.locked")
                await red.do("unlock")
                await green.told("call.updated", "!params.room_session.locked")
                await red.page.evaluate("call.sendDigits('12')")
                await red.do("removeMember", memberId=green.member_id)
                await green.told("destroy")
                await green.dial(f"{room.path}?channel=video")
                await red.do("end", memberId=green.member_id)
                await red.told_of(green, "member.left")
                await green.told("destroy")
            await venue.close()


def _js(value: object) -> str:
    return str(value).lower()


def _at(member_id: str) -> str:
    return f"params.layout.layers.find((one) => one.member_id === '{member_id}')?.position"
