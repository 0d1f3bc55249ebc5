"""A room that has lost its worker begins where it ended."""

from dataclasses import replace
from typing import Any

from parlour.domain.live import acts, seats
from parlour.domain.live.commands import Accepted, Past, Refused
from parlour.domain.live.events import Joined, MemberJoined, MemberLeft
from parlour.domain.live.room import GRACE, LiveRoom, Outcome
from parlour.domain.room import Layout, Quality
from tests.domain.live.people import CAMERA, SCREEN, T0, a_room, at, do, events, join, joins, opened, with_people


def past_of(room: LiveRoom) -> Past:
    return Past(room.session, tuple(room.members.values()))


def before() -> LiveRoom:
    """Ana, muted, in a locked room with Bob, who has his hand up and shares a screen."""
    room = with_people(opened(), "ana", "bob")
    room = join(room, "bob-screen", media=SCREEN, subscriber_id="bob", screen_of="bob").room
    for act in (
        do("ana", "mute", "ana", channels=["audio"]),
        do("bob", "raisehand", "bob"),
        do("ana", "layout.set", layout="5up"),
        do("ana", "lock"),
    ):
        room = acts.act(room, act, T0).room
    return room


def revived(now: float = T0 + 5) -> LiveRoom:
    return seats.revive(LiveRoom.opened(a_room(), "another session"), past_of(before()), now)


def come_back(room: LiveRoom, name: str, now: float = T0 + 6, **given: Any) -> Outcome:
    command = replace(
        joins(name, room, call_id=f"new-{name}"), seat=before().members[name], past=past_of(before()), **given
    )
    return seats.join(room, command, CAMERA, "unused", now)


def test_everything_but_the_screens_is_as_it_was() -> None:
    room = revived()
    assert (room.session.id, room.session.locked, room.session.layout) == ("session", True, Layout.FIVE_UP.value)
    assert set(room.members) == {"ana", "bob"}
    assert room.members["ana"].audio_muted
    assert room.members["bob"].handraised


def test_whoever_comes_back_has_the_seat_under_the_new_call_although_the_room_is_locked() -> None:
    room, told, reply = come_back(revived(), "ana")
    assert reply == Accepted("ana", "session", "")
    assert room.members["ana"].call_id == "new-ana"
    assert room.members["ana"].audio_muted
    assert "ana" not in room.absent
    assert [member.id for member in events(told, Joined)[0].members] == ["ana", "bob"]
    assert not events(told, MemberJoined), "to the others ana was never gone"


def test_time_goes_on_while_the_room_is_lost() -> None:
    fresh = LiveRoom.opened(a_room(remove_after_seconds_elapsed=60, quality=Quality.HD_1080, fps=20), "another session")
    room = seats.revive(fresh, past_of(with_people(opened(quality=Quality.HD_720), "ana")), T0 + 30)
    assert room.members["ana"].joined_at == T0
    assert seats.next_due(room, T0 + 30) == T0 + 60
    assert (room.session.quality, room.room.settings.quality) == (Quality.HD_720, Quality.HD_720)
    assert (room.session.fps, room.room.settings.fps) == (30, 30)
    refused = come_back(room, "ana", T0 + 60).reply
    assert isinstance(refused, Refused)
    assert refused.reason == "time_up"
    assert not seats.expire(room, T0 + 60).room.members


def test_a_room_whose_end_came_while_it_was_lost_lets_nobody_back() -> None:
    fresh = LiveRoom.opened(a_room(remove_at=at(60)), "another session")
    room = seats.revive(fresh, past_of(before()), T0 + 61)
    refused = come_back(room, "ana", T0 + 61).reply
    assert isinstance(refused, Refused)
    assert refused.reason == "over"
    assert seats.next_due(room, T0 + 61) == T0 + 61


def test_whoever_does_not_come_back_loses_the_seat_after_a_while() -> None:
    room = come_back(revived(), "ana").room
    room, told, _ = seats.expire(room, T0 + 5 + GRACE)
    assert set(room.members) == {"ana"}
    assert [left.member.id for left in events(told, MemberLeft)] == ["bob"]


def test_strangers_stay_outside_a_locked_room_and_cannot_take_a_seat() -> None:
    refused = join(revived(), "eve").reply
    assert isinstance(refused, Refused)
    assert refused.reason == "locked"
    stolen = come_back(revived(), "ana", subscriber_id="eve").reply
    assert isinstance(stolen, Refused)
    assert stolen.reason == "no_such_call"


def test_a_room_that_began_anew_takes_them_in_as_they_were() -> None:
    room = with_people(opened(), "eve")
    room, told, reply = come_back(room, "ana")
    assert isinstance(reply, Accepted)
    assert reply.member_id == "ana"
    assert room.members["ana"].audio_muted
    assert [joined.member.id for joined in events(told, MemberJoined)] == ["ana"]


def test_nobody_comes_back_to_a_room_that_is_over_or_full() -> None:
    over = LiveRoom.opened(a_room(remove_at=at(1)), "session")
    full = with_people(opened(max_members=1), "eve")
    for room, reason in ((over, "over"), (full, "full")):
        reply = come_back(room, "ana").reply
        assert isinstance(reply, Refused)
        assert reply.reason == reason
