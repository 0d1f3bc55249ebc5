"""What is sent, in the SDK's spelling, and the look that it gets before it leaves."""

import copy
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from parlour.domain.live.events import Layer, MediaWanted, Picture, Session
from parlour.domain.live.member import Member, MemberKind
from parlour.front.signalling import wire
from parlour.front.signalling.lint import Malformed, check_event

PROTOCOL = "signalwire_jti_1_project"
ORIGIN = "https://rooms.example.com"
SESSION = Session("s1", "r1", "coffee", "Coffee", "grid-responsive", meta={"a": 10**30})
ALICE = Member("m1", "c1", "Alice", capabilities=("self", "member"))
SCREEN = Member("m2", "c2", "Alice", MemberKind.SCREEN, "m1")
PICTURE = Picture(
    "grid-responsive", (Layer(0, "standard-1", 0, 0, 50, 100, member_id="m1"), Layer(1, "x", 50, 0, 50, 50))
)
Json = dict[str, Any]


def event(kind: str, params: Json | None) -> Json:
    return {
        "jsonrpc": "2.0",
        "id": "e1",
        "method": "signalwire.event",
        "params": {"event_type": kind, "event_channel": PROTOCOL, "params": params},
    }


GOOD: dict[str, Json | None] = {
    "call.joined": wire.joined("c1", "m1", SESSION, [ALICE, SCREEN], ORIGIN),
    "call.left": wire.left("c1", "m1", SESSION, "left", ORIGIN),
    "call.updated": wire.call_updated(SESSION, ("locked",), ORIGIN),
    "member.joined": wire.member_joined(SCREEN, SESSION),
    "member.left": wire.member_left(ALICE, SESSION, "left"),
    "member.updated": wire.member_updated(ALICE, SESSION, ("audio_muted",)),
    "member.talking": wire.member_talking("m1", SESSION, True),
    "layout.changed": wire.layout_changed(PICTURE, SESSION),
    "webrtc.message": {"jsonrpc": "2.0", "id": 1, "method": "verto.answer", "params": {"callID": "c1", "sdp": "v=0"}},
}


@pytest.mark.parametrize("kind", GOOD)
def test_what_we_spell_passes(kind: str) -> None:
    check_event(event(kind, GOOD[kind]), PROTOCOL)


VERTO = {"jsonrpc": "2.0", "id": 1, "method": "verto.mediaParams"}


def _set(*path: Any, to: Any) -> Callable[[Json], None]:
    def spoil(params: Json) -> None:
        if not path:
            params.update(to)
            return
        for step in path[:-1]:
            params = params[step]
        params[path[-1]] = to

    return spoil


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("call.joined", _set("origin_call_id", to="other")),
        ("call.joined", _set("capabilities", to=None)),
        ("call.joined", _set("member_id", to="stranger")),
        ("call.joined", _set("room_session", "members", to=None)),
        ("call.joined", _set("room_session", "recordings", to=[{}])),
        ("call.joined", _set("room_session", "members", 0, "call_id", to=7)),
        ("call.left", _set("room_session", to=None)),
        ("call.updated", _set("room_session", "updated", to=None)),
        ("call.updated", _set("room_session", "updated", to=["remove_after"])),
        ("call.updated", _set("room_session", "meta", to=None)),
        ("call.updated", _set("room_session", "locked", to=0)),
        ("call.updated", _set("room_session", "description", to=None)),
        ("call.updated", _set("room_session", "remove_at", to=1.5)),
        ("call.updated", _set("room_session", "remove_after_seconds_elapsed", to="60")),
        ("call.joined", _set("remove_at", to="soon")),
        ("call.joined", _set("room_session", "members", 0, "joined_at", to=None)),
        ("member.joined", _set("member", "parent_id", to=None)),
        ("member.updated", _set("member", "updated", to=None)),
        ("member.updated", _set("member", "updated", to=["no_such_field"])),
        ("member.updated", _set("room_session_id", to="")),
        ("member.talking", _set("member", "talking", to="yes")),
        ("layout.changed", _set("layout", "id", to="3x3")),
        ("layout.changed", _set("layout", "layers", 0, "width", to=640)),
        ("layout.changed", _set("layout", "layers", 0, "member_id", to=None)),
        ("webrtc.message", _set("params", "callID", to="")),
        ("webrtc.message", _set("params", "sdp", to=None)),
        ("webrtc.message", _set(to={**VERTO, "params": {"callID": "c1", "mediaParams": {}}})),
        ("webrtc.message", _set(to={**VERTO, "params": {"callID": "c1", "mediaParams": {"video": {"width": 0}}}})),
        ("webrtc.message", _set(to={**VERTO, "params": {"callID": "c1", "mediaParams": {"audio": {"a": 1}}}})),
    ],
)
def test_what_would_silence_the_sdk_is_found(kind: str, spoil: Callable[[Json], None]) -> None:
    params = copy.deepcopy(GOOD[kind])
    assert params is not None
    spoil(params)
    with pytest.raises(Malformed):
        check_event(event(kind, params), PROTOCOL)


@pytest.mark.parametrize(
    "spoil", [_set("id", to=1), _set("params", "params", to=None), _set("params", "event_channel", to="x")]
)
def test_the_envelope_is_looked_at_too(spoil: Callable[[Json], None]) -> None:
    frame = event("unknown.kind", {})
    check_event(frame, PROTOCOL)
    spoil(frame)
    with pytest.raises(Malformed):
        check_event(frame, PROTOCOL)


def test_a_muted_camera_is_told_with_its_visibility() -> None:
    body = wire.member_updated(ALICE, SESSION, ("video_muted",))
    assert body is not None
    assert body["member"]["updated"] == ["video_muted", "visible"]


def test_a_raised_hand_has_the_sdks_name_and_inner_fields_none() -> None:
    body = wire.member_updated(ALICE, SESSION, ("hand_raised_at", "sends_video"))
    assert body is not None
    assert body["member"]["updated"] == ["handraised"]
    assert wire.member_updated(ALICE, SESSION, ("sends_video",)) is None


def test_a_wanted_size_is_spelled_as_constraints() -> None:
    assert wire.media_params(MediaWanted("c1", 640, 360, 20)) == {
        "video": {"width": 640, "height": 360, "frameRate": 20}
    }
    assert wire.media_params(MediaWanted("c1", 0, 0, 10)) == {"video": {"frameRate": 10}}, "as large as it is"
    assert wire.audio_params(ALICE, ("auto_gain",)) == {"audio": {"autoGainControl": True}}
    assert wire.audio_params(ALICE, ("deaf",)) is None


def test_what_changes_of_a_session_has_the_wires_names() -> None:
    body = wire.call_updated(SESSION, ("remove_after", "preview", "description"), ORIGIN)
    assert body["room_session"]["updated"] == ["remove_after_seconds_elapsed", "preview_url", "description"]


def test_members_are_listed_alike_whether_they_crossed_the_bus_or_not() -> None:
    plain = {**asdict(SCREEN), "kind": "screen"}
    listed = wire.listing({"members": [SCREEN, plain]}, "r1", "s1")["members"]
    assert listed == [wire.member(SCREEN, "r1", "s1")] * 2


def test_a_preview_is_told_as_its_url() -> None:
    assert wire.room_session(SESSION, ORIGIN)["preview_url"] is None
    session = replace(SESSION, preview="secret")
    body = wire.call_updated(session, ("preview",), ORIGIN)["room_session"]
    assert body["preview_url"] == f"{ORIGIN}/api/video/room_sessions/s1/preview/secret"
    assert body["updated"] == ["preview_url"]
    check_event(event("call.updated", wire.call_updated(session, ("preview",), ORIGIN)), PROTOCOL)
    with pytest.raises(Malformed):
        check_event(event("call.updated", wire.call_updated(session, ("preview",), "")), PROTOCOL)


def test_a_picture_that_is_withheld_is_told_as_such() -> None:
    assert wire.member(replace(ALICE, withheld=True), "r1", "s1")["room_video_off"] is True
    found = wire.member_updated(ALICE, SESSION, ("withheld",))
    assert found is not None
    assert found["member"]["updated"] == ["room_video_off"]
    assert found["member"]["room_video_off"] is False
