"""Coming in and going out, and what ends by itself."""

from dataclasses import replace
from typing import Any

import pytest

from parlour.domain.live import acts, seats
from parlour.domain.live.admission import removal
from parlour.domain.live.capabilities import GUEST
from parlour.domain.live.commands import Absent, Accepted, Answered, Done, Hold, Leave, Present, Refused, Reoffer
from parlour.domain.live.events import (
    CallEnded,
    Joined,
    LayoutChanged,
    MemberJoined,
    MemberLeft,
    SessionUpdated,
    Told,
)
from parlour.domain.live.member import MemberKind
from parlour.domain.live.room import GRACE, Directions, LiveRoom
from parlour.domain.room import Layout, Quality
from tests.domain.live.people import (
    CAMERA,
    SCREEN,
    T0,
    VOICE,
    a_room,
    at,
    do,
    events,
    join,
    joins,
    kinds,
    last_layout,
    opened,
    places,
    rest,
    with_people,
)


def reason(reply: object) -> str:
    assert isinstance(reply, Refused)
    return reply.reason


def sharing(owner: str = "ana", **given: Any) -> dict[str, Any]:
    """What the invite of a screen says."""
    return {"media": SCREEN, "subscriber_id": owner, "screen_of": owner, **given}


def test_joining_tells_the_member_then_the_others_then_the_picture() -> None:
    room, told, reply = join(with_people(opened(), "ana"), "bob")
    assert kinds(told) == ["Joined", "MemberJoined", "LayoutChanged"]
    assert [(each.to, each.but) for each in told] == [(("bob",), ()), (None, ("bob",)), (("bob",), ())]
    joined = events(told, Joined)[0]
    assert joined.member_id == "bob"
    assert [member.id for member in joined.members] == ["ana", "bob"]
    assert joined.members[1] == events(told, MemberJoined)[0].member == room.members["bob"]
    assert reply == Accepted("bob", "session", "")
    assert [room.recipients(each) for each in told] == [("bob",), ("ana",), ("bob",)]


def test_the_first_is_on_the_canvas_at_once_and_the_next_when_the_picture_has_grown() -> None:
    room, told, _ = join(opened(), "ana")
    assert last_layout(told) == {"ana": "standard-1"}
    assert room.members["ana"].visible
    room, told, _ = join(room, "bob", T0 + 10)
    assert last_layout(told) == {"ana": "standard-1"}
    assert seats.next_due(room, T0 + 10) == T0 + 10.3
    room, told, _ = seats.expire(room, T0 + 10.3)
    assert kinds(told) == ["LayoutChanged"]
    assert last_layout(told) == {"ana": "standard-1", "bob": "standard-2"}
    assert seats.next_due(room, T0 + 11) is None


def test_members_without_a_picture_are_cards_and_watchers_are_nowhere() -> None:
    room = with_people(with_people(opened(layout=Layout.TWO_BY_TWO), "vera", media=VOICE), "will", media=Directions())
    assert places(room) == {"vera": "standard-1", "will": "off-canvas"}
    assert not room.members["vera"].visible


def test_user_join_video_off_mutes_the_camera_of_people_but_not_screens() -> None:
    room = with_people(opened(user_join_video_off=True), "ana")
    assert room.members["ana"].video_muted
    assert not room.members["ana"].visible
    assert places(room) == {"ana": "standard-1"}
    room = with_people(room, "shown", **sharing())
    assert not room.members["shown"].video_muted


def test_room_join_video_off_withholds_the_picture_until_video_is_turned_on() -> None:
    room = with_people(opened(room_join_video_off=True), "ana")
    assert not room.members["ana"].receives_video
    assert not room.members["ana"].video_muted
    renegotiated = seats.reoffer(room, Reoffer("c-ana", "sdp"), CAMERA, T0).room
    assert not renegotiated.members["ana"].receives_video
    unmuted = acts.act(room, do("ana", "unmute", channels=["video"]), T0).room
    assert unmuted.members["ana"].receives_video
    chosen = seats.reoffer(room, Reoffer("c-ana", "sdp"), CAMERA._replace(receives_video=False), T0).room
    assert seats.reoffer(chosen, Reoffer("c-ana", "sdp"), CAMERA, T0).room.members["ana"].receives_video


def test_a_reoffer_changes_what_is_sent() -> None:
    room = with_people(opened(), "ana")
    after, told, reply = seats.reoffer(room, Reoffer("c-ana", "sdp"), VOICE, T0)
    assert reply == Answered("")
    assert not after.members["ana"].sends_video
    assert kinds(told) == ["LayoutChanged"]
    assert reason(seats.reoffer(room, Reoffer("c-x", "sdp"), VOICE, T0).reply) == "no_such_call"


def test_fifty_at_once_fill_the_last_seats_and_no_more() -> None:
    room, replies = opened(max_members=20), []
    for number in range(50):
        room, _, reply = join(room, f"m{number}")
        replies.append(reply)
    assert len(room.members) == 20
    assert all(isinstance(reply, Accepted) for reply in replies[:20])
    assert {reason(reply) for reply in replies[20:]} == {"full"}


def test_a_refused_join_changes_nothing() -> None:
    room = with_people(opened(max_members=1), "ana")
    after, told, _ = join(room, "bob")
    assert after == room
    assert told == ()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "full"),
        ({"subscriber_id": "ana", "screen_of": "ana"}, "full"),
        ({"subscriber_id": "eve", "screen_of": "ana"}, "no_such_member"),
        ({"call_id": "c-ana", "subscriber_id": "ana"}, None),
        ({"reattach": True}, None),
        ({"room": a_room(updated=5, max_members=2)}, None),
    ],
)
def test_whoever_is_new_is_turned_away_without_their_offer(given: dict[str, Any], why: str | None) -> None:
    """Of a seat that there is, and of settings that come along, the join itself decides."""
    room = with_people(opened(max_members=1), "ana")
    found = seats.turned_away(room, joins("bob", room, **given), T0)
    assert (found and found.reason) == why
    assert found in {None, join(room, "bob", **given).reply}


def test_screens_and_seats_in_grace_count() -> None:
    room = with_people(opened(max_members=2), "ana")
    shared = join(room, "screen", **sharing()).room
    assert reason(join(shared, "bob").reply) == "full"
    lost = seats.absent(with_people(room, "bob"), Absent(("c-bob",)), T0).room
    assert reason(join(lost, "eve").reply) == "full"


def test_a_locked_room_lets_nobody_in_but_gives_seats_back() -> None:
    room = acts.act(with_people(opened(), "ana"), do("ana", "lock"), T0).room
    assert reason(join(room, "bob").reply) == "locked"
    assert isinstance(join(room, "ana", reattach=True).reply, Accepted)


def test_newer_settings_come_with_a_join_and_older_ones_do_not() -> None:
    room = with_people(opened(max_members=1), "ana")
    newer = a_room(updated=5, max_members=2, display_name="Lounge")
    room, told, reply = join(room, "bob", room=newer)
    assert isinstance(reply, Accepted)
    assert kinds(told)[0] == "SessionUpdated"
    assert events(told, SessionUpdated)[0].updated == ("display_name",)
    assert reason(join(room, "eve", room=a_room(updated=4, max_members=9)).reply) == "full"


def test_a_seat_is_taken_over_with_its_id_and_flags() -> None:
    room = with_people(opened(), "ana", "bob")
    room = acts.act(room, do("ana", "mute", channels=["audio", "video"]), T0).room
    room = acts.act(room, do("ana", "microphone.volume.set", volume=7), T0).room
    room = seats.absent(room, Absent(("c-ana",)), T0).room
    before = room.members["ana"]
    after, told, reply = seats.join(room, joins("ana", room, reattach=True), CAMERA, "another-id", T0 + 30)
    assert reply == Accepted("ana", "session", "")
    assert after.members["ana"] == before
    assert list(after.members) == ["ana", "bob"]
    assert [(type(each.event), each.to) for each in told] == [(Joined, ("ana",)), (LayoutChanged, ("ana",))]
    assert seats.next_due(after, T0 + 30) is None, "the seat is not given up any more"


def test_the_same_call_joining_twice_is_one_member() -> None:
    room = with_people(opened(max_members=1), "ana")
    after, _, reply = seats.join(room, joins("ana", room), CAMERA, "another-id", T0)
    assert reply == Accepted("ana", "session", "")
    assert list(after.members) == ["ana"]


@pytest.mark.parametrize("reattach", [True, False])
def test_somebody_elses_call_id_opens_nothing(reattach: bool) -> None:
    room = with_people(opened(), "ana")
    after, _, reply = join(room, "eve", call_id="c-ana", reattach=reattach)
    assert reason(reply) == "no_such_call"
    assert after == room


def test_an_unknown_call_cannot_be_taken_over() -> None:
    assert reason(join(opened(), "ana", reattach=True).reply) == "no_such_call"


def test_a_takeover_brings_the_capabilities_of_the_new_token() -> None:
    room = with_people(opened(), "ana")
    assert join(room, "ana", capabilities=GUEST).room.members["ana"].capabilities == GUEST


def test_leaving_ends_the_call_and_tells_the_others() -> None:
    room = with_people(opened(), "ana", "bob", "cem")
    ana = room.members["ana"]
    after, told, reply = seats.leave(room, Leave("c-ana"), T0)
    assert reply == Done()
    assert told[:2] == (
        Told(CallEnded("ana", "c-ana", "NORMAL_CLEARING", 16, "left"), to=("ana",)),
        Told(MemberLeft(ana, "left"), but=("ana",)),
    )
    assert kinds(told) == ["CallEnded", "MemberLeft", "LayoutChanged"]
    assert last_layout(told) == {"bob": "standard-2", "cem": "standard-3"}
    assert places(rest(after)) == {"bob": "standard-2", "cem": "standard-1"}
    assert reason(seats.leave(after, Leave("c-ana"), T0).reply) == "no_such_call"


def test_the_last_to_leave_leaves_an_empty_room() -> None:
    after, told, _ = seats.leave(with_people(opened(), "ana"), Leave("c-ana"), T0)
    assert not after.members
    assert last_layout(told) == {}
    assert seats.next_due(after, T0) is None


def test_a_screen_is_told_to_all_without_a_join_of_its_own() -> None:
    room = with_people(opened(), "ana", "bob")
    after, told, reply = join(room, "screen", **sharing())
    assert isinstance(reply, Accepted)
    assert [(type(each.event), each.to, each.but) for each in told] == [
        (MemberJoined, None, ()), (LayoutChanged, None, ()),
    ]  # fmt: skip
    screen = events(told, MemberJoined)[0].member
    assert (screen.kind, screen.parent_id) == (MemberKind.SCREEN, "ana")
    assert after.recipients(told[0]) == ("ana", "bob"), "a screen's leg is told nothing that is for everybody"
    assert last_layout(told)["screen"] == "standard-1"


def test_a_screen_leaves_with_its_owner_and_first() -> None:
    room = with_people(opened(), "ana", "bob")
    room = with_people(room, "screen", **sharing())
    after, told, _ = seats.leave(room, Leave("c-ana"), T0)
    assert [event.member.id for event in events(told, MemberLeft)] == ["screen", "ana"]
    assert list(after.members) == ["bob"]


def test_a_screen_needs_an_owner_of_its_own_and_the_capability() -> None:
    room = with_people(opened(), "ana")
    assert reason(join(room, "s", screen_of="nobody").reply) == "no_such_member"
    assert reason(join(room, "s", screen_of="ana", subscriber_id="eve").reply) == "no_such_member"
    assert reason(join(room, "s", screen_of="ana", subscriber_id="ana", capabilities=()).reply) == "not_allowed"


def test_whoever_is_in_may_share_a_screen_behind_closed_doors_but_not_beyond_the_seats() -> None:
    room = with_people(opened(join_until=at(10), remove_at=at(20), max_members=2), "ana")
    room = acts.act(room, do("ana", "lock"), T0).room
    assert reason(join(room, "bob", T0 + 1).reply) == "locked"
    assert isinstance(join(room, "screen", T0 + 1, **sharing()).reply, Accepted)
    assert reason(join(room, "bob", T0 + 15).reply) == "closed"
    shared = join(room, "screen", T0 + 15, **sharing())
    assert isinstance(shared.reply, Accepted)
    assert reason(join(shared.room, "second", T0 + 16, **sharing()).reply) == "full"
    assert reason(join(room, "screen", T0 + 20, **sharing()).reply) == "over"


def test_a_screen_brings_its_layout_and_the_old_one_comes_back() -> None:
    room = with_people(opened(), "ana", "bob")
    shared = sharing(layout="screen-share", positions={"ana": "off-canvas"})
    room, told, _ = join(room, "screen", **shared)
    assert kinds(told) == ["MemberJoined", "MemberUpdated", "LayoutChanged"]
    assert last_layout(told) == {"screen": "standard-1", "bob": "reserved-1"}
    after, told, _ = seats.leave(room, Leave("c-screen"), T0)
    assert after.session.layout == "grid-responsive"
    assert last_layout(told) == {"bob": "standard-1"}


def test_a_second_screen_does_not_forget_the_layout_before_the_first() -> None:
    room = with_people(opened(), "ana")
    room = join(room, "one", **sharing(layout="screen-share")).room
    room = join(room, "two", **sharing(layout="2x1")).room
    room = seats.leave(room, Leave("c-two"), T0).room
    assert room.session.layout == "2x1", "there is still a screen"
    assert seats.leave(room, Leave("c-one"), T0).room.session.layout == "grid-responsive"


def test_a_screen_cannot_share_a_screen() -> None:
    room = join(with_people(opened(), "ana"), "screen", **sharing()).room
    assert reason(join(room, "s", screen_of="screen", subscriber_id="ana").reply) == "no_such_member"


def test_a_layout_chosen_during_a_share_stays() -> None:
    room = with_people(opened(), "ana", "bob")
    room = join(room, "screen", **sharing(layout="screen-share")).room
    room = acts.act(room, do("bob", "layout.set", layout="3x3"), T0).room
    assert seats.leave(room, Leave("c-screen"), T0).room.session.layout == "3x3"


@pytest.mark.parametrize("layout", [None, "3x3", "screen-share-9"])
def test_a_guests_screen_does_not_choose_the_layout_but_gets_the_one_for_screens(layout: str | None) -> None:
    room = with_people(opened(), "ana")
    shared = sharing(layout=layout, positions={"self": "reserved-5", "nobody": "standard-2"}, capabilities=GUEST)
    room, told, reply = join(room, "screen", **shared)
    assert isinstance(reply, Accepted)
    assert room.session.layout == "screen-share"
    assert room.members["screen"].requested_position == "auto"
    assert last_layout(told) == {"screen": "standard-1", "ana": "reserved-1"}
    after, told, _ = seats.leave(room, Leave("c-screen"), T0)
    assert after.session.layout == "grid-responsive"
    assert last_layout(told) == {"ana": "standard-1"}


def test_a_further_screen_leaves_the_layout_as_it_is_and_takes_the_base() -> None:
    room = with_people(opened(), "ana", "bob")
    room = join(room, "one", **sharing()).room
    room = acts.act(room, do("bob", "layout.set", layout="2x2"), T0).room
    room = join(room, "two", **sharing()).room
    assert room.session.layout == "2x2"
    room = acts.act(room, do("bob", "layout.set", layout="screen-share"), T0).room
    assert places(room) == {"ana": "reserved-2", "bob": "reserved-3", "one": "reserved-1", "two": "standard-1"}
    room = seats.leave(room, Leave("c-two"), T0).room
    assert places(room)["one"] == "standard-1"


def test_a_lost_connection_keeps_the_seat_for_the_grace_period() -> None:
    room = with_people(opened(), "ana", "bob")
    lost, told, reply = seats.absent(room, Absent(("c-ana", "c-unknown")), T0)
    assert (told, reply) == ((), Done())
    assert seats.next_due(lost, T0) == T0 + GRACE
    again = seats.absent(lost, Absent(("c-ana",)), T0 + 20).room
    assert seats.next_due(again, T0 + 20) == T0 + GRACE, "losing it twice does not lengthen the grace"
    assert seats.expire(again, T0 + 44.9).room.members.keys() == {"ana", "bob"}
    after, told, _ = seats.expire(again, T0 + 45)
    assert list(after.members) == ["bob"]
    assert [event.reason for event in events(told, MemberLeft)] == ["connection lost"]


def test_the_grace_period_is_the_rooms_own() -> None:
    empty = LiveRoom.opened(a_room(), "session", grace=7)
    room = seats.absent(with_people(empty, "ana", "bob"), Absent(("c-ana",)), T0).room
    assert seats.next_due(room, T0) == T0 + 7
    past = seats.past_of(room)
    assert past is not None
    assert seats.revive(empty, past, T0 + 1).absent == {"ana": T0 + 8, "bob": T0 + 8}


def test_an_empty_room_has_no_past() -> None:
    assert seats.past_of(opened()) is None


def test_a_connection_that_is_back_keeps_its_seat_for_good() -> None:
    room = seats.absent(with_people(opened(), "ana"), Absent(("c-ana",)), T0).room
    back = seats.present(room, Present(("c-ana", "c-unknown")), T0).room
    assert seats.next_due(back, T0) is None
    assert list(seats.expire(back, T0 + 500).room.members) == ["ana"]


def test_a_front_that_notices_late_takes_nobody_from_another_one() -> None:
    room = with_people(opened(), "ana", front="first")
    room = seats.present(room, Present(("c-ana",), "second"), T0).room
    late = seats.absent(room, Absent(("c-ana",), "first"), T0 + 30).room
    assert seats.next_due(late, T0 + 30) is None
    gone = seats.absent(late, Absent(("c-ana",), "second"), T0 + 40).room
    assert seats.next_due(gone, T0 + 40) == T0 + 40 + GRACE
    back = seats.join(gone, joins("ana", gone, reattach=True, front="third"), CAMERA, "ana", T0 + 50).room
    assert seats.next_due(seats.absent(back, Absent(("c-ana",), "second"), T0 + 60).room, T0 + 60) is None


def test_a_connection_that_is_back_without_its_media_has_to_join_again() -> None:
    room = seats.absent(with_people(opened(), "ana", "bob"), Absent(("c-ana",), media=True), T0).room
    back = seats.present(room, Present(("c-ana",)), T0 + 1).room
    assert list(seats.expire(back, T0 + GRACE).room.members) == ["bob"]
    joined = seats.join(back, joins("ana", back, reattach=True), CAMERA, "ana", T0 + 2).room
    assert seats.next_due(joined, T0 + 2) is None


def test_remove_at_ends_every_call() -> None:
    room = with_people(opened(remove_at=at(60)), "ana", "bob")
    assert seats.next_due(room, T0) == T0 + 60
    assert seats.next_due(room, T0 + 70) == T0 + 70, "what is overdue is due now"
    assert len(seats.expire(room, T0 + 59.9).room.members) == 2
    after, told, _ = seats.expire(room, T0 + 60)
    assert not after.members
    assert [(e.member_id, e.cause, e.reason) for e in events(told, CallEnded)] == [
        ("ana", "ALLOTTED_TIMEOUT", "the room is over"), ("bob", "ALLOTTED_TIMEOUT", "the room is over"),
    ]  # fmt: skip
    assert seats.next_due(after, T0 + 60) is None


def test_each_member_is_removed_after_its_own_time() -> None:
    room = with_people(opened(remove_after_seconds_elapsed=60), "ana")
    room = with_people(room, "bob", now=T0 + 10)
    assert seats.next_due(room, T0 + 11) == T0 + 60
    after, told, _ = seats.expire(room, T0 + 60)
    assert list(after.members) == ["bob"]
    assert events(told, CallEnded)[0].reason == "time is up"
    assert seats.next_due(rest(after, T0 + 60), T0 + 60) == T0 + 70


def test_taking_a_seat_over_does_not_lengthen_ones_time() -> None:
    room = with_people(opened(remove_after_seconds_elapsed=60), "ana")
    room = join(room, "ana", T0 + 50, reattach=True).room
    assert not seats.expire(room, T0 + 60).room.members


def test_zero_seconds_are_no_limit() -> None:
    room = with_people(opened(remove_after_seconds_elapsed=0), "ana")
    assert seats.next_due(room, T0) is None
    assert list(seats.expire(room, T0 + 1e6).room.members) == ["ana"]
    later = replace(room.room, settings=replace(room.room.settings, remove_after_seconds_elapsed=5))
    back = replace(room.room, settings=replace(room.room.settings, remove_after_seconds_elapsed=0))
    assert seats.next_due(room.update(later, T0).room.update(back, T0).room, T0) is None


@pytest.mark.parametrize(
    ("limit", "why"), [({"remove_at": at(60)}, "over"), ({"remove_after_seconds_elapsed": 60}, "time_up")]
)
def test_a_seat_is_not_given_back_to_who_should_have_gone(limit: dict[str, Any], why: str) -> None:
    room = with_people(opened(**limit), "ana")
    assert isinstance(join(room, "ana", T0 + 59.9, reattach=True).reply, Accepted)
    assert reason(join(room, "ana", T0 + 60, reattach=True).reply) == why, "also where nobody came to remove ana yet"


def test_a_moment_of_removal_that_is_set_or_taken_back_acts_on_who_is_inside() -> None:
    room = with_people(opened(remove_at=at(60)), "ana")
    later = replace(room.room, settings=replace(room.room.settings, remove_at=at(90)))
    never = replace(room.room, settings=replace(room.room.settings, remove_at=None))
    past = replace(room.room, settings=replace(room.room.settings, remove_at=at(-5)))
    assert seats.next_due(room.update(later, T0).room, T0) == T0 + 90
    assert seats.next_due(room.update(never, T0).room, T0) is None
    assert seats.next_due(room.update(past, T0).room, T0) == T0
    assert not seats.expire(room.update(past, T0).room, T0).room.members


def test_the_earlier_of_the_two_limits_counts() -> None:
    room = with_people(opened(remove_at=at(60), remove_after_seconds_elapsed=50), "ana")
    room = with_people(room, "bob", now=T0 + 20)
    assert [removal(room.session, member) for member in room.members.values()] == [T0 + 50, T0 + 60]


def test_quality_and_rate_stay_for_the_session() -> None:
    room = with_people(opened(quality=Quality.HD_720, fps=30), "ana")
    finer = replace(room.room, settings=replace(room.room.settings, quality=Quality.HD_1080, fps=20))
    after = room.update(finer, T0).room
    assert (after.session.quality, after.session.fps) == (Quality.HD_720, 30)
    assert (after.room.settings.quality, after.room.settings.fps) == (Quality.HD_720, 30)
    new = LiveRoom.opened(finer, "another")
    assert (new.session.quality, new.session.fps) == (Quality.HD_1080, 20)


def test_a_new_limit_acts_on_who_is_inside() -> None:
    room = with_people(opened(), "ana")
    sooner = replace(room.room, settings=replace(room.room.settings, remove_after_seconds_elapsed=5))
    assert not seats.expire(room.update(sooner, T0 + 9).room, T0 + 9).room.members


def test_three_hundred_people_meet_and_part() -> None:
    room = opened(max_members=0)
    for number in range(301):
        room, _, reply = join(room, f"m{number}")
    assert reason(reply) == "full"
    room = rest(room)
    assert room.arrangement.name == "15x15"
    shown = [member for member in room.members.values() if member.current_position != "off-canvas"]
    assert [member.id for member in shown] == [f"m{number}" for number in range(225)]
    after, told, _ = seats.end_all(room, T0)
    assert not after.members
    assert len(events(told, CallEnded)) == len(events(told, MemberLeft)) == 300
    assert all(not after.recipients(each) for each in told if isinstance(each.event, MemberLeft))


def test_a_held_call_is_neither_heard_nor_seen_and_keeps_its_seat() -> None:
    room = with_people(opened(), "ana", "bob")
    held, told, reply = seats.hold(room, Hold("c-bob", held=True), T0)
    assert reply == Done()
    assert not held.members["bob"].is_heard
    assert not held.members["bob"].visible
    assert places(held) == places(room)
    layers = {layer.member_id: layer for layer in events(told, LayoutChanged)[-1].picture.layers}
    assert not layers["bob"].visible
    back, _, _ = seats.hold(held, Hold("c-bob", held=False), T0)
    assert back == room


def test_taking_a_seat_over_ends_a_hold() -> None:
    room = seats.hold(with_people(opened(), "ana"), Hold("c-ana", held=True), T0).room
    assert not join(room, "ana", reattach=True).room.members["ana"].held


def test_only_a_call_of_the_room_can_be_held() -> None:
    assert reason(seats.hold(opened(), Hold("c-ana", held=True), T0).reply) == "no_such_call"
