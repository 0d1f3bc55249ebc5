"""The in-call methods: what they change, what is told, and what is refused."""

from typing import Any

import pytest

from parlour.domain.live import acts, seats
from parlour.domain.live.commands import Change, Done, Refused
from parlour.domain.live.events import CallEnded, Joined, LayoutChanged, MemberLeft, MemberUpdated, SessionUpdated
from parlour.domain.live.layout import LAYOUTS
from parlour.domain.live.room import LiveRoom
from parlour.domain.room import META_DEPTH, META_MAX, Layout
from tests.domain.live.people import (
    GUESTS,
    SCREEN,
    T0,
    a_room,
    do,
    events,
    join,
    kinds,
    last_layout,
    opened,
    places,
    rest,
    with_people,
)
from tests.domain.live.test_capabilities import ON_MEMBERS, ON_ROOM


@pytest.fixture
def room() -> LiveRoom:
    """A moderator ``ana`` and the guests ``bob`` and ``cem``."""
    return with_people(with_people(opened(), "ana"), "bob", "cem", **GUESTS)


ONE_BY_ONE: list[tuple[str, dict[str, Any], tuple[str, ...], dict[str, Any]]] = [
    ("mute", {"channels": ["audio"]}, ("audio_muted",), {"audio_muted": True}),
    ("mute", {"channels": ["video"]}, ("video_muted", "visible"), {"video_muted": True, "visible": False}),
    ("deaf", {}, ("audio_muted", "deaf", "hushed"), {"deaf": True, "audio_muted": True}),
    ("raisehand", {}, ("handraised",), {"handraised": True, "hand_raised_at": T0 + 1}),
    ("microphone.volume.set", {"volume": -50}, ("input_volume",), {"input_volume": -50}),
    ("speaker.volume.set", {"volume": 50}, ("output_volume",), {"output_volume": 50}),
    ("microphone.sensitivity.set", {"sensitivity": 100}, ("input_sensitivity",), {"input_sensitivity": 100}),
    ("audioflags.set", {"auto_gain": False}, ("auto_gain",), {"auto_gain": False, "noise_suppression": True}),
    (
        "audioflags.set",
        {"echo_cancellation": False, "auto_gain": True, "noise_suppression": False},
        ("echo_cancellation", "noise_suppression"),
        {"echo_cancellation": False, "noise_suppression": False},
    ),
]


@pytest.mark.parametrize(("name", "params", "updated", "fields"), ONE_BY_ONE)
@pytest.mark.parametrize("target", ["bob", None])
def test_an_act_tells_exactly_what_it_changed_and_only_once(
    room: LiveRoom,
    name: str,
    params: dict[str, Any],
    updated: tuple[str, ...],
    fields: dict[str, Any],
    target: str | None,
) -> None:
    command = do("ana" if target else "bob", name, *([target] if target else []), **params)
    after, told, reply = acts.act(room, command, T0 + 1)
    assert reply == Done()
    assert kinds(told) == ["MemberUpdated", "LayoutChanged"][: 1 + ("visible" in updated)]
    event = events(told, MemberUpdated)[0]
    assert event.member == after.members["bob"]
    assert event.updated == updated
    assert {field: getattr(event.member, field) for field in fields} == fields
    again = acts.act(after, command, T0 + 2)
    assert (again.room, again.told, again.reply) == (after, (), Done())


@pytest.mark.parametrize(
    ("there", "back", "params"),
    [
        ("mute", "unmute", {"channels": ["audio", "video"]}),
        ("deaf", "undeaf", {}),
        ("raisehand", "lowerhand", {}),
        ("lock", "unlock", {}),
    ],
)
def test_each_act_has_its_opposite(room: LiveRoom, there: str, back: str, params: dict[str, Any]) -> None:
    before = room
    room = acts.act(room, do("ana", there, **params), T0).room
    assert room != before
    room, told, _ = acts.act(room, do("ana", back, **params), T0)
    assert room == before
    assert told
    assert acts.act(room, do("ana", back, **params), T0).told == ()


def test_a_muted_camera_keeps_its_slot_as_a_card(room: LiveRoom) -> None:
    after, told, _ = acts.act(room, do("bob", "mute", channels=["video"]), T0)
    assert places(after) == places(room)
    layer = next(layer for layer in events(told, LayoutChanged)[0].picture.layers if layer.member_id == "bob")
    assert not layer.visible


def test_deafness_gives_back_only_the_microphone_that_it_took(room: LiveRoom) -> None:
    muted = acts.act(room, do("bob", "mute", channels=["audio"]), T0).room
    after = acts.act(acts.act(muted, do("bob", "deaf"), T0).room, do("bob", "undeaf"), T0).room
    assert after.members["bob"].audio_muted
    deaf = acts.act(room, do("bob", "deaf"), T0).room
    muted_meanwhile = acts.act(deaf, do("ana", "mute", "bob", channels=["audio"]), T0).room
    after, told, _ = acts.act(muted_meanwhile, do("bob", "undeaf"), T0)
    assert after.members["bob"].audio_muted
    assert events(told, MemberUpdated)[0].updated == ("deaf",)


def test_a_hand_that_is_up_keeps_its_time(room: LiveRoom) -> None:
    room = acts.act(room, do("bob", "raisehand"), T0 + 1).room
    assert acts.act(room, do("bob", "raisehand"), T0 + 9).room.members["bob"].hand_raised_at == T0 + 1


def test_all_means_every_person(room: LiveRoom) -> None:
    room = with_people(room, "screen", media=SCREEN, screen_of="ana", subscriber_id="ana")
    after, told, _ = acts.act(room, do("ana", "mute", "all", channels=["audio", "video"]), T0)
    assert [event.member.id for event in events(told, MemberUpdated)] == ["ana", "bob", "cem"]
    assert not after.members["screen"].video_muted
    assert len(events(told, LayoutChanged)) == 1


def test_removing_tells_the_victim_then_the_rest(room: LiveRoom) -> None:
    after, told, reply = acts.act(room, do("ana", "member.remove", "bob"), T0)
    assert reply == Done()
    assert kinds(told) == ["CallEnded", "MemberLeft", "LayoutChanged"]
    assert told[0].to == ("bob",)
    assert [after.recipients(each) for each in told] == [("bob",), ("ana", "cem"), ("ana", "cem")]
    assert events(told, CallEnded)[0].reason == events(told, MemberLeft)[0].reason == "removed by a moderator"


def test_a_screen_can_be_taken_away_and_its_owner_stays(room: LiveRoom) -> None:
    shared = join(room, "screen", media=SCREEN, screen_of="bob", subscriber_id="bob", **GUESTS).room
    after, told, reply = acts.act(shared, do("ana", "member.remove", "screen"), T0)
    assert reply == Done()
    assert kinds(told) == ["CallEnded", "MemberLeft", "LayoutChanged"]
    assert set(after.members) == {"ana", "bob", "cem"}
    assert after.session.layout == "grid-responsive"
    assert isinstance(acts.act(shared, do("cem", "member.remove", "screen"), T0).reply, Refused)


def test_end_is_for_one_call_or_for_the_whole_room(room: LiveRoom) -> None:
    room = with_people(room, "screen", media=SCREEN, screen_of="ana", subscriber_id="ana")
    assert "ana" not in acts.act(room, do("ana", "end"), T0).room.members
    assert "bob" not in acts.act(room, do("ana", "end", "bob"), T0).room.members
    after, told, _ = acts.act(room, do("ana", "end", "all"), T0)
    assert not after.members
    assert len(events(told, CallEnded)) == 4


def test_a_lock_is_told_as_a_change_of_the_session(room: LiveRoom) -> None:
    after, told, _ = acts.act(room, do("ana", "lock"), T0)
    assert after.session.locked
    assert kinds(told) == ["SessionUpdated"]
    assert events(told, SessionUpdated)[0].updated == ("locked",)


def test_lists(room: LiveRoom) -> None:
    assert acts.act(room, do("bob", "layout.list"), T0).reply == Done({"layouts": list(LAYOUTS)})
    listed = {"members": list(room.members.values()), "session": room.session}
    assert acts.act(room, do("bob", "member.list"), T0).reply == Done(listed)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_taken_at_once_and_told_only_as_a_picture(room: LiveRoom, layout: str) -> None:
    after, told, reply = acts.act(room, do("ana", "layout.set", "ana", layout=layout), T0)
    assert reply == Done()
    assert after.session.layout == layout
    assert kinds(told) == ([] if layout == "grid-responsive" else ["LayoutChanged"])
    assert after.picture.layout == layout
    assert len(last_layout(told) if told else places(after)) == min(3, after.arrangement.capacity)
    assert acts.act(after, do("ana", "layout.set", layout=layout), T0).told == ()


def test_a_layout_comes_with_places(room: LiveRoom) -> None:
    positions = {"self": "standard-9", "bob": "off-canvas"}
    after, told, _ = acts.act(room, do("ana", "layout.set", layout="3x3", positions=positions), T0)
    assert last_layout(told) == {"ana": "standard-9", "cem": "standard-3"}
    assert after.members["bob"].requested_position == "off-canvas"


def test_a_taken_slot_goes_to_who_asks_last(room: LiveRoom) -> None:
    room = acts.act(room, do("ana", "member.position.set", positions={"bob": "standard-1"}), T0).room
    assert places(room) == {"ana": "standard-2", "bob": "standard-1", "cem": "standard-3"}
    room, told, _ = acts.act(room, do("ana", "member.position.set", positions={"cem": "standard-1"}), T0)
    assert places(room) == {"ana": "standard-2", "bob": "standard-3", "cem": "standard-1"}
    assert room.members["bob"].requested_position == "auto"
    assert [(told.member.id, told.updated) for told in events(told, MemberUpdated)] == [
        ("bob", ("requested_position",)),
        ("cem", ("requested_position",)),
    ]
    assert kinds(told)[2:] == ["LayoutChanged"]


def test_full_screen_is_an_overlay_of_responsive_layouts(room: LiveRoom) -> None:
    after, _, _ = acts.act(room, do("ana", "member.position.set", positions={"bob": "full-screen"}), T0)
    assert places(after) == {"ana": "standard-1", "bob": "full-screen", "cem": "standard-3"}
    assert places(rest(after)) == {"ana": "standard-1", "bob": "full-screen", "cem": "standard-2"}


def test_all_can_be_taken_off_the_canvas_and_given_back(room: LiveRoom) -> None:
    positions = {"all": "off-canvas", "bob": "standard-2"}
    room = acts.act(room, do("ana", "member.position.set", positions=positions), T0).room
    assert places(room) == {"ana": "off-canvas", "bob": "standard-2", "cem": "off-canvas"}
    room = rest(acts.act(room, do("ana", "layout.set", layout="2x2", positions={"all": "auto"}), T0).room)
    assert [member.requested_position for member in room.members.values()] == ["auto"] * 3
    assert places(room) == {"ana": "standard-1", "bob": "standard-2", "cem": "standard-3"}


def test_meta_is_replaced_or_merged_and_told_to_everybody(room: LiveRoom) -> None:
    room, told, reply = acts.act(room, do("ana", "meta.set", meta={"topic": "tea", "list": [1]}), T0)
    assert reply == Done()
    assert kinds(told) == ["SessionUpdated"]
    assert events(told, SessionUpdated)[0].updated == ("meta",)
    assert room.recipients(told[0]) == ("ana", "bob", "cem")
    room, told, _ = acts.act(room, do("ana", "meta.update", meta={"list": None, "more": {"deep": True}}), T0)
    assert room.session.meta == {"topic": "tea", "list": None, "more": {"deep": True}}
    assert events(told, SessionUpdated)[0].session.meta == room.session.meta
    assert acts.act(room, do("ana", "meta.update", meta={}), T0).told == (), "nothing has changed"
    room = acts.act(room, do("ana", "meta.set", meta={}), T0).room
    assert room.session.meta == {}
    late = join(room, "late")
    assert events(late.told, Joined)[0].session.meta == {}


def test_what_is_merged_is_bounded_as_a_whole(room: LiveRoom) -> None:
    half = "x" * (META_MAX // 2)
    room = acts.act(room, do("ana", "meta.set", meta={"a": half}), T0).room
    after, told, reply = acts.act(room, do("ana", "meta.update", meta={"b": half}), T0)
    assert (after, told) == (room, ())
    assert reply == Refused(422, "bad_parameter", "meta must be at most 2000 characters of JSON")
    assert isinstance(acts.act(room, do("ana", "meta.update", meta={"a": half[:-20], "b": half[:-20]}), T0).reply, Done)


def test_a_change_over_rest_reaches_the_room_and_is_told(room: LiveRoom) -> None:
    room = acts.act(room, do("ana", "meta.set", meta={"live": 1}), T0).room
    same = a_room(updated=1, name="other", display_name="Other", description="new")
    room, told, _ = seats.change(room, Change(same), T0)
    assert events(told, SessionUpdated)[0].updated == ("name", "display_name", "description")
    assert room.session.meta == {"live": 1}, "what was changed in the room stays while the setting does"
    room, told, _ = seats.change(room, Change(a_room(updated=2, name="other", meta={"rest": 2})), T0)
    assert events(told, SessionUpdated)[0].updated == ("display_name", "description", "meta")
    assert room.session.meta == {"rest": 2}


def test_hands_come_onto_the_canvas_in_the_order_raised_while_they_count() -> None:
    room = with_people(opened(layout=Layout.TWO_BY_ONE), "ana", "bob", "cem", "dan")
    for moment, name in enumerate(("dan", "cem")):
        room = acts.act(room, do(name, "raisehand"), T0 + moment).room
    assert places(room) == {"ana": "standard-1", "bob": "standard-2", "cem": "off-canvas", "dan": "off-canvas"}
    room, told, reply = acts.act(room, do("ana", "handraise.prioritize.set", enable=True), T0 + 2)
    assert reply == Done()
    assert kinds(told) == ["SessionUpdated", "LayoutChanged"]
    assert events(told, SessionUpdated)[0].updated == ("prioritize_handraise",)
    assert places(room) == {"dan": "standard-1", "cem": "standard-2", "ana": "off-canvas", "bob": "off-canvas"}
    room = acts.act(room, do("ana", "raisehand"), T0 + 3).room
    assert places(room)["ana"] == "off-canvas", "whoever raised a hand earlier goes first"
    room = acts.act(room, do("ana", "lowerhand", "dan"), T0 + 4).room
    assert places(room) == {"ana": "standard-1", "cem": "standard-2", "dan": "off-canvas", "bob": "off-canvas"}
    room = acts.act(room, do("ana", "handraise.prioritize.set", enable=False), T0 + 5).room
    assert {name for name, place in places(room).items() if place != "off-canvas"} == {"ana", "bob"}


def test_the_first_hand_leads_a_highlight_and_gives_it_back() -> None:
    room = with_people(opened(layout=Layout.HIGHLIGHT_1_RESPONSIVE, prioritize_handraise=True), "ana", "bob", "cem")
    assert places(room)["ana"] == "reserved-1"
    room = acts.act(room, do("cem", "raisehand"), T0 + 1).room
    room = acts.act(room, do("bob", "raisehand"), T0 + 2).room
    assert places(room)["cem"] == "reserved-1"
    room = acts.act(room, do("cem", "lowerhand"), T0 + 3).room
    assert places(room)["bob"] == "reserved-1"
    asked = acts.act(room, do("ana", "member.position.set", positions={"cem": "reserved-1"}), T0 + 4).room
    assert places(asked)["cem"] == "reserved-1", "whoever was put there goes before hands"


def test_muted_cameras_are_hidden_and_shown_again(room: LiveRoom) -> None:
    room = acts.act(room, do("bob", "mute", channels=["video"]), T0).room
    room, told, reply = acts.act(room, do("ana", "vmuted.hide.set", enable=True), T0)
    assert reply == Done()
    assert events(told, SessionUpdated)[0].updated == ("hide_video_muted",)
    assert places(room)["bob"] == "off-canvas"
    back = acts.act(room, do("bob", "unmute", channels=["video"]), T0).room
    assert places(rest(back))["bob"] != "off-canvas"
    shown = acts.act(room, do("ana", "vmuted.hide.set", enable=False), T0).room
    assert places(rest(shown))["bob"] != "off-canvas"


def deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(levels - 1):
        found = {"a": found}
    return found


REFUSED: list[tuple[str, str, tuple[str, ...], dict[str, Any], int, str]] = [
    ("eve", "raisehand", (), {}, 404, "no_such_member"),
    ("ana", "raisehand", ("eve",), {}, 404, "no_such_member"),
    ("ana", "mute", ("bob", "eve"), {"channels": ["audio"]}, 404, "no_such_member"),
    ("ana", "layout.set", (), {"layout": "2x2", "positions": {"eve": "standard-1"}}, 404, "no_such_member"),
    ("ana", "member.position.set", (), {"positions": {"eve": "standard-1"}}, 404, "no_such_member"),
    ("ana", "transfer", (), {}, 404, "no_such_method"),
    ("ana", "mute.audio", (), {}, 404, "no_such_method"),
    ("ana", "screenshare", (), {}, 404, "no_such_method"),
    ("bob", "mute", ("ana",), {"channels": ["audio"]}, 403, "not_allowed"),
    ("bob", "mute", ("all",), {"channels": ["audio"]}, 403, "not_allowed"),
    ("bob", "mute", ("bob", "cem"), {"channels": ["audio"]}, 403, "not_allowed"),
    ("bob", "layout.set", (), {"layout": "2x2"}, 403, "not_allowed"),
    ("bob", "lock", (), {}, 403, "not_allowed"),
    ("bob", "end", (), {}, 403, "not_allowed"),
    ("bob", "member.remove", ("cem",), {}, 403, "not_allowed"),
    ("bob", "member.position.set", (), {"positions": {"self": "standard-1"}}, 403, "not_allowed"),
    ("ana", "mute", (), {}, 422, "bad_parameter"),
    ("ana", "mute", (), {"channels": []}, 422, "bad_parameter"),
    ("ana", "mute", (), {"channels": "audio"}, 422, "bad_parameter"),
    ("ana", "mute", (), {"channels": ["audio", "smell"]}, 422, "bad_parameter"),
    ("ana", "mute", (), {"channels": [{}]}, 422, "bad_parameter"),
    ("ana", "microphone.volume.set", (), {}, 422, "bad_parameter"),
    ("ana", "microphone.volume.set", (), {"volume": 51}, 422, "bad_parameter"),
    ("ana", "microphone.volume.set", (), {"volume": True}, 422, "bad_parameter"),
    ("ana", "microphone.volume.set", (), {"volume": float("nan")}, 422, "bad_parameter"),
    ("ana", "speaker.volume.set", (), {"volume": "7"}, 422, "bad_parameter"),
    ("ana", "microphone.sensitivity.set", (), {"sensitivity": -1}, 422, "bad_parameter"),
    ("ana", "audioflags.set", (), {}, 422, "bad_parameter"),
    ("ana", "audioflags.set", (), {"auto_gain": 1}, 422, "bad_parameter"),
    ("bob", "meta.set", (), {"meta": {}}, 403, "not_allowed"),
    ("bob", "meta.update", (), {"meta": {}}, 403, "not_allowed"),
    ("bob", "handraise.prioritize.set", (), {"enable": True}, 403, "not_allowed"),
    ("bob", "vmuted.hide.set", (), {"enable": "yes"}, 403, "not_allowed"),
    ("ana", "vmuted.hide.set", (), {}, 422, "bad_parameter"),
    ("ana", "handraise.prioritize.set", (), {"enable": 1}, 422, "bad_parameter"),
    ("ana", "meta.set", (), {}, 422, "bad_parameter"),
    ("ana", "meta.set", (), {"meta": None}, 422, "bad_parameter"),
    ("ana", "meta.set", (), {"meta": []}, 422, "bad_parameter"),
    ("ana", "meta.update", (), {"meta": "x"}, 422, "bad_parameter"),
    ("ana", "meta.set", (), {"meta": {"a": "x" * META_MAX}}, 422, "bad_parameter"),
    ("ana", "meta.set", (), {"meta": deep(META_DEPTH + 1)}, 422, "bad_parameter"),
    ("ana", "meta.set", (), {"meta": {"a": float("inf")}}, 422, "bad_parameter"),
    ("ana", "meta.set", (), {"meta": {"a": "\0"}}, 422, "bad_parameter"),
    ("ana", "member.position.set", (), {"positions": {"all": "standard-1"}}, 422, "bad_parameter"),
    ("ana", "member.position.set", (), {"positions": {"all": "auto", "eve": "auto"}}, 404, "no_such_member"),
    ("ana", "layout.set", (), {}, 422, "bad_parameter"),
    ("ana", "layout.set", (), {"layout": "7x7"}, 422, "bad_parameter"),
    ("ana", "layout.set", (), {"layout": ["2x2"]}, 422, "bad_parameter"),
    ("ana", "layout.set", (), {"layout": "2x2", "positions": ["bob"]}, 422, "bad_parameter"),
    ("ana", "member.position.set", (), {}, 422, "bad_parameter"),
    ("ana", "member.position.set", (), {"positions": {"bob": "standard-0"}}, 422, "bad_parameter"),
    ("ana", "member.position.set", (), {"positions": {"bob": 1}}, 422, "bad_parameter"),
    (
        "ana", "member.position.set", (), {"positions": {"bob": "standard-1", "cem": "standard-1"}}, 422,
        "bad_parameter",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("actor", "name", "targets", "params", "code", "reason"), REFUSED)
def test_what_is_refused_changes_nothing(
    room: LiveRoom, actor: str, name: str, targets: tuple[str, ...], params: dict[str, Any], code: int, reason: str
) -> None:
    after, told, reply = acts.act(room, do(actor, name, *targets, **params), T0)
    assert isinstance(reply, Refused)
    assert (reply.code, reply.reason) == (code, reason)
    assert reply.message
    assert after is room
    assert told == ()


PARAMETERS: dict[str, dict[str, Any]] = {
    "mute": {"channels": ["audio", "video"]},
    "unmute": {"channels": ["audio", "video"]},
    "microphone.volume.set": {"volume": 1},
    "microphone.sensitivity.set": {"sensitivity": 1},
    "speaker.volume.set": {"volume": 1},
    "audioflags.set": {"auto_gain": False},
    "member.position.set": {"positions": {"bob": "standard-1"}},
    "layout.set": {"layout": "3x3"},
    "meta.set": {"meta": {}},
    "meta.update": {"meta": {}},
    "handraise.prioritize.set": {"enable": True},
    "vmuted.hide.set": {"enable": True},
}


@pytest.mark.parametrize("act", [*ON_MEMBERS, *ON_ROOM, "layout.list", "member.list"])
def test_every_act_that_a_capability_grants_is_there(room: LiveRoom, act: str) -> None:
    name = "vmuted.hide.set" if act.startswith("vmuted") else act.removesuffix(".audio").removesuffix(".video")
    reply = acts.act(room, do("ana", name, "bob", **PARAMETERS.get(name, {})), T0).reply
    if act in {"digit", "screenshare", "device"}:
        assert isinstance(reply, Refused), "not acts but calls of their own, or messages in one"
    else:
        assert isinstance(reply, Done)


def test_ones_own_screen_counts_as_oneself(room: LiveRoom) -> None:
    room = join(room, "screen", media=SCREEN, screen_of="bob", subscriber_id="bob", **GUESTS).room
    assert acts.act(room, do("bob", "mute", "screen", channels=["video"]), T0).reply == Done()
    assert isinstance(acts.act(room, do("cem", "mute", "screen", channels=["video"]), T0).reply, Refused)


def test_who_has_left_can_do_nothing(room: LiveRoom) -> None:
    room = acts.act(room, do("ana", "member.remove", "ana"), T0).room
    reply = acts.act(room, do("ana", "member.remove", "bob"), T0).reply
    assert reply == seats.NO_SUCH_MEMBER
