"""Every capability against every act: what it grants, and that it grants nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.domain.live.capabilities import GUEST, MODERATOR, Scope, may

ON_MEMBERS = {
    "mute.audio": {"", "mute", "mute.audio", "mute.audio.off"},
    "unmute.audio": {"", "mute", "mute.audio", "mute.audio.on"},
    "mute.video": {"", "mute", "mute.video", "mute.video.off"},
    "unmute.video": {"", "mute", "mute.video", "mute.video.on"},
    "deaf": {"", "deaf", "deaf.on"},
    "undeaf": {"", "deaf", "deaf.off"},
    "raisehand": {"", "raisehand", "raisehand.on"},
    "lowerhand": {"", "raisehand", "raisehand.off"},
    "microphone.volume.set": {"", "microphone", "microphone.volume", "microphone.volume.set"},
    "microphone.sensitivity.set": {"", "microphone", "microphone.sensitivity", "microphone.sensitivity.set"},
    "speaker.volume.set": {"", "speaker", "speaker.volume", "speaker.volume.set"},
    "audioflags.set": {"", "audioflags.set"},
    "member.position.set": {"", "position", "position.set"},
    "member.remove": {"", "remove"},
}
"""Per act, what grants it below ``self`` and ``member``; the empty name is the whole of it."""

ON_ROOM = {
    "layout.set": {"layout", "layout.set"},
    "handraise.prioritize.set": {"layout", "layout.set"},
    "vmuted.hide.on": {"vmuted", "vmuted.hide", "vmuted.hide.on"},
    "vmuted.hide.off": {"vmuted", "vmuted.hide", "vmuted.hide.off"},
    "meta.set": {"meta", "meta.set"},
    "meta.update": {"meta", "meta.update"},
    "lock": {"lock", "lock.on"},
    "unlock": {"lock", "lock.off"},
    "end": {"end"},
    "digit": {"digit", "digit.send"},
    "screenshare": {"screenshare"},
    "device": {"device"},
}

BELOW = sorted({*set().union(*ON_MEMBERS.values()), "meta", "audioflags", "mute.screen"})
CAPABILITIES = [
    *(f"{scope}.{name}".rstrip(".") for scope in ("self", "member") for name in BELOW),
    *sorted(set().union(*ON_ROOM.values())), "vmuted.hide.all", "layout.list",
]  # fmt: skip
SCOPES: tuple[Scope, ...] = ("self", "member")


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("act", ON_MEMBERS)
@pytest.mark.parametrize("scope", SCOPES)
def test_capability_on_members(capability: str, act: str, scope: Scope) -> None:
    granting = {f"{scope}.{name}".rstrip(".") for name in ON_MEMBERS[act]}
    assert may([capability], act, [scope]) == (capability in granting)


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("act", ON_ROOM)
def test_capability_on_the_room(capability: str, act: str) -> None:
    assert may([capability], act) == (capability in ON_ROOM[act])


@pytest.mark.parametrize("act", [*ON_MEMBERS, *ON_ROOM])
@pytest.mark.parametrize("scope", SCOPES)
def test_moderators_may_do_everything_to_everybody(act: str, scope: Scope) -> None:
    assert may(MODERATOR, act, [scope])


@pytest.mark.parametrize("act", ON_MEMBERS)
def test_guests_may_change_themselves_and_nobody_else(act: str) -> None:
    assert may(GUEST, act, ["self"]) == (act not in {"member.position.set", "member.remove"})
    assert not may(GUEST, act, ["member"])
    assert not may(GUEST, act, ["self", "member"])


@pytest.mark.parametrize("act", ON_ROOM)
def test_guests_may_share_and_dial_but_not_run_the_room(act: str) -> None:
    assert may(GUEST, act) == (act in {"digit", "device", "screenshare"})


def test_both_scopes_need_both_rights() -> None:
    assert not may(["self"], "deaf", ["self", "member"])
    assert may(["self", "member.deaf"], "deaf", ["self", "member"])


@pytest.mark.parametrize("act", ["layout.list", "member.list"])
def test_anybody_may_look(act: str) -> None:
    assert may([], act)


@pytest.mark.parametrize("act", ["mute", "unmute", "transfer", "", "self"])
def test_what_no_table_names_is_denied_even_to_moderators(act: str) -> None:
    assert not may(MODERATOR, act, SCOPES)


@pytest.mark.parametrize("act", [*ON_MEMBERS, *ON_ROOM])
def test_nothing_grants_nothing(act: str) -> None:
    assert not may([], act, SCOPES)
    assert not may(MODERATOR, act, []) or act in ON_ROOM


@given(held=st.lists(st.sampled_from(CAPABILITIES), max_size=6), more=st.sampled_from(CAPABILITIES))
def test_one_more_capability_never_takes_a_right_away(held: list[str], more: str) -> None:
    for act in (*ON_MEMBERS, *ON_ROOM):
        assert may([*held, more], act) >= may(held, act)
