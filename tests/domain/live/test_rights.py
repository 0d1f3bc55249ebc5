"""Each method with each capability: what lets one do it to oneself, to others, to all, and that nothing else does."""

from typing import Any

import pytest

from parlour.domain.live import acts, seats
from parlour.domain.live.capabilities import GUEST, MODERATOR, may
from parlour.domain.live.commands import Accepted, Done, Join
from parlour.domain.live.room import LiveRoom
from tests.domain.live.people import SCREEN, T0, do, joins, opened, with_people

ON_SOMEBODY: list[tuple[str, dict[str, Any], set[str]]] = [
    ("mute", {"channels": ["audio"]}, {"", "mute", "mute.audio", "mute.audio.off"}),
    ("mute", {"channels": ["video"]}, {"", "mute", "mute.video", "mute.video.off"}),
    ("mute", {"channels": ["audio", "video"]}, {"", "mute"}),
    ("unmute", {"channels": ["audio"]}, {"", "mute", "mute.audio", "mute.audio.on"}),
    ("unmute", {"channels": ["video"]}, {"", "mute", "mute.video", "mute.video.on"}),
    ("unmute", {"channels": ["audio", "video"]}, {"", "mute"}),
    ("deaf", {}, {"", "deaf", "deaf.on"}),
    ("undeaf", {}, {"", "deaf", "deaf.off"}),
    ("raisehand", {}, {"", "raisehand", "raisehand.on"}),
    ("lowerhand", {}, {"", "raisehand", "raisehand.off"}),
    (
        "microphone.volume.set",
        {"volume": 7},
        {"", "microphone", "microphone.volume", "microphone.volume.set"},
    ),
    (
        "microphone.sensitivity.set",
        {"sensitivity": 7},
        {"", "microphone", "microphone.sensitivity", "microphone.sensitivity.set"},
    ),
    ("speaker.volume.set", {"volume": 7}, {"", "speaker", "speaker.volume", "speaker.volume.set"}),
    ("audioflags.set", {"auto_gain": False}, {"", "audioflags.set"}),
    ("member.position.set", {"positions": "off-canvas"}, {"", "position", "position.set"}),
    ("member.remove", {}, {"", "remove"}),
]
"""A method, its parameters, and what grants it below ``self`` and ``member``; the empty name is the whole of it."""

ON_THE_ROOM: list[tuple[str, dict[str, Any], set[str]]] = [
    ("layout.set", {"layout": "3x3"}, {"layout", "layout.set"}),
    ("handraise.prioritize.set", {"enable": True}, {"layout", "layout.set"}),
    ("handraise.prioritize.set", {"enable": False}, {"layout", "layout.set"}),
    ("vmuted.hide.set", {"enable": True}, {"vmuted", "vmuted.hide", "vmuted.hide.on"}),
    ("vmuted.hide.set", {"enable": False}, {"vmuted", "vmuted.hide", "vmuted.hide.off"}),
    ("lock", {}, {"lock", "lock.on"}),
    ("unlock", {}, {"lock", "lock.off"}),
    ("meta.set", {"meta": {"a": 1}}, {"meta", "meta.set"}),
    ("meta.update", {"meta": {"a": 1}}, {"meta", "meta.update"}),
]

OTHERS = {"end": {"end"}, "screenshare": {"screenshare"}, "recording": {"recording"}, "device": {"device"}}
"""What is granted by one name alone."""

EVERY = sorted(
    {f"{scope}.{name}".rstrip(".") for scope in ("self", "member") for _, _, names in ON_SOMEBODY for name in names}
    | {f"{scope}.{name}" for scope in ("self", "member") for name in ("meta", "audioflags", "mute.smell", "lock")}
    | set().union(*(names for _, _, names in ON_THE_ROOM), *OTHERS.values())
    | {"digit", "digit.send", "all", "admin", "", "*", "locksmith", "layouts", "metadata", "vmutedhide", "endless"}
    | {"selfie", "members", "self.mutex", "self.deafness", "member.removed", "lock.on.off", "mute", "remove"}
)  # fmt: skip
"""Every capability that there is, and some that there are not."""

TARGETS = {"oneself": "ana", "another": "bob", "all": "all"}


def room_of(*capabilities: str) -> LiveRoom:
    """Ana, who may do just this, with Bob and Cem."""
    room = with_people(opened(), "ana", capabilities=capabilities)
    return with_people(room, "bob", "cem", capabilities=())


ROOMS = {capability: room_of(capability) for capability in EVERY}


def granted(name: str, targets: tuple[str, ...], params: dict[str, Any]) -> set[str]:
    """The capabilities that let Ana do it. The refusals are checked to be refusals that change nothing."""
    found = set()
    for capability, room in ROOMS.items():
        after, told, reply = acts.act(room, do("ana", name, *targets, **params), T0 + 1)
        if isinstance(reply, Done):
            found.add(capability)
        else:
            assert reply == seats.NOT_ALLOWED, (capability, reply)
            assert after is room
            assert told == ()
    return found


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("name", "params", "names"), ON_SOMEBODY)
def test_what_is_done_to_somebody(name: str, params: dict[str, Any], names: set[str], target: str) -> None:
    scope = "self" if target == "oneself" else "member"
    if "positions" in params:
        params = {"positions": {TARGETS[target]: params["positions"]}}
    assert granted(name, (TARGETS[target],), params) == {f"{scope}.{one}".rstrip(".") for one in names}


@pytest.mark.parametrize(("name", "params", "names"), ON_THE_ROOM)
def test_what_is_done_to_the_room(name: str, params: dict[str, Any], names: set[str]) -> None:
    assert granted(name, (), params) == names


@pytest.mark.parametrize("target", TARGETS)
def test_an_end_is_granted_by_its_name_alone_whoever_it_is_for(target: str) -> None:
    assert granted("end", (TARGETS[target],), {}) == {"end"}


@pytest.mark.parametrize("name", ["layout.list", "member.list"])
def test_everybody_may_look(name: str) -> None:
    assert granted(name, (), {}) == set(EVERY)


@pytest.mark.parametrize(("act", "names"), OTHERS.items())
def test_what_is_no_method_but_asks_for_a_right(act: str, names: set[str]) -> None:
    assert {capability for capability in EVERY if may([capability], act)} == names


def test_a_screen_is_let_in_by_its_capability_alone() -> None:
    found = set()
    for capability, room in ROOMS.items():
        screen: Join = joins("screen", room, screen_of="ana", subscriber_id="ana", capabilities=(capability,))
        if isinstance(seats.join(room, screen, SCREEN, "screen", T0).reply, Accepted):
            found.add(capability)
    assert found == {"screenshare"}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("name", "params", "names"), [*ON_SOMEBODY, *ON_THE_ROOM, ("end", {}, set())])
def test_moderators_may_do_everything_and_guests_what_concerns_themselves(
    name: str, params: dict[str, Any], names: set[str], target: str
) -> None:
    if "positions" in params:
        params = {"positions": {TARGETS[target]: params["positions"]}}
    command = do("ana", name, TARGETS[target], **params)
    assert isinstance(acts.act(room_of(*MODERATOR), command, T0).reply, Done)
    own = target == "oneself" and (name, params, names) in ON_SOMEBODY and name != "member.remove"
    reply = acts.act(room_of(*GUEST), command, T0).reply
    assert reply == (Done() if own else seats.NOT_ALLOWED)


def test_a_method_that_no_table_names_is_there_for_nobody() -> None:
    for room in (*ROOMS.values(), room_of(*MODERATOR)):
        for name in (
            "transfer",
            "promote",
            "recording",
            "screenshare",
            "digit",
            "device",
            "vmuted.hide.on",
            "mute.audio",
        ):
            reply = acts.act(room, do("ana", name, "ana"), T0).reply
            assert not isinstance(reply, Done)
