from dataclasses import replace

import pytest

from parlour.domain.live import acts, seats
from parlour.domain.live.commands import Accepted, Done, Leave, Refused, Reoffer
from parlour.domain.live.relief import Relief
from parlour.domain.live.room import LiveRoom
from tests.domain.live.people import CAMERA, SCREEN, T0, VOICE, do, join, joins, opened, with_people


def strained(relief: Relief, *names: str) -> LiveRoom:
    """A room whose worker has too much to do."""
    return seats.relieve(with_people(opened(), *names), relief).room


@pytest.mark.parametrize("relief", list(Relief))
def test_only_at_the_last_step_is_nobody_new_let_in(relief: Relief) -> None:
    outcome = join(strained(relief, "ann"), "bob")
    if relief is Relief.NO_MORE_MEMBERS:
        assert isinstance(outcome.reply, Refused)
        assert (outcome.reply.code, outcome.reply.reason) == (503, "busy")
    else:
        assert isinstance(outcome.reply, Accepted)


def test_who_is_in_may_come_back_to_the_own_seat() -> None:
    room = strained(Relief.NO_MORE_MEMBERS, "ann")
    assert isinstance(seats.join(room, joins("ann", room, reattach=True), CAMERA, "ann", T0).reply, Accepted)


@pytest.mark.parametrize(("relief", "muted"), [(Relief.SLOWER_PICTURE, False), (Relief.NO_MORE_CAMERAS, True)])
def test_newcomers_come_without_their_camera(relief: Relief, muted: bool) -> None:
    assert join(strained(relief), "ann").room.members["ann"].video_muted is muted


def test_cameras_that_are_on_stay_on_and_those_that_are_off_stay_off() -> None:
    room = with_people(opened(), "ann", "bob")
    room = acts.act(room, do("bob", "mute", channels=["video"]), T0).room
    room = seats.relieve(room, Relief.NO_MORE_CAMERAS).room
    assert not room.members["ann"].video_muted
    refused = acts.act(room, do("bob", "unmute", channels=["audio", "video"]), T0)
    assert isinstance(refused.reply, Refused)
    assert refused.reply.reason == "busy"
    assert refused.room is room
    assert isinstance(acts.act(room, do("ann", "unmute", channels=["video"]), T0).reply, Done), "it is on already"
    again = seats.relieve(room, Relief.SLOWER_PICTURE).room
    assert not acts.act(again, do("bob", "unmute", channels=["video"]), T0).room.members["bob"].video_muted


def test_a_camera_that_is_added_later_is_off_too() -> None:
    room = with_people(opened(), "ann", media=VOICE)
    room = seats.relieve(room, Relief.NO_MORE_CAMERAS).room
    assert seats.reoffer(room, Reoffer("c-ann", ""), CAMERA, T0).room.members["ann"].video_muted


def test_who_takes_over_the_own_seat_adds_no_camera_either() -> None:
    room = seats.relieve(with_people(opened(), "ann", media=VOICE), Relief.NO_MORE_CAMERAS).room
    assert seats.join(room, joins("ann", room, reattach=True), CAMERA, "ann", T0).room.members["ann"].video_muted


def test_who_reloads_the_page_keeps_a_camera_that_was_on() -> None:
    room = strained(Relief.NO_MORE_MEMBERS, "ann")
    assert not seats.join(room, joins("ann", room, reattach=True), CAMERA, "ann", T0).room.members["ann"].video_muted


def test_who_comes_back_to_a_seat_that_was_given_up_is_a_newcomer_to_the_picture() -> None:
    room = strained(Relief.NO_MORE_MEMBERS, "ann", "bob")
    seat = room.members["ann"]
    room = seats.leave(room, Leave("c-ann"), T0).room
    back = seats.join(room, replace(joins("ann", room, seat=seat), call_id="c-again"), CAMERA, "ann", T0).room
    assert back.members["ann"].video_muted


def test_nor_is_a_screen_shared() -> None:
    room = strained(Relief.NO_MORE_CAMERAS, "ann")
    command = replace(joins("ann", room, screen_of="ann"), call_id="c-screen")
    reply = seats.join(room, command, SCREEN, "screen", T0).reply
    assert isinstance(reply, Refused)
    assert reply.reason == "busy"


def test_the_same_again_is_no_step() -> None:
    room = strained(Relief.SLOWER_PICTURE, "ann")
    assert seats.relieve(room, Relief.SLOWER_PICTURE).room is room
