"""What follows from sound, from new settings and from everything together."""

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from parlour.domain.live import acts, seats
from parlour.domain.live.commands import Absent, Accepted, Leave, Present
from parlour.domain.live.events import LayoutChanged, MemberTalking, MemberUpdated, SessionUpdated, Told
from parlour.domain.live.layout import LAYOUTS, OFF_CANVAS, slots_of
from parlour.domain.live.room import LiveRoom, Outcome
from parlour.domain.room import Layout
from tests.domain.live.people import (
    CAMERA,
    SCREEN,
    T0,
    VOICE,
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

LOUD = 5000


def heard(room: LiveRoom, frames: int, *talkers: str, now: float = T0) -> tuple[LiveRoom, list[Told]]:
    """The room after these 20 ms frames, and all that was told."""
    told: list[Told] = []
    for _ in range(frames):
        room, now_told, _ = room.hear(dict.fromkeys(talkers, LOUD), now)
        told += now_told
    return room, told


def test_talking_is_told_when_it_starts_and_stops() -> None:
    room, told = heard(with_people(opened(), "ana"), 5, "ana")
    assert told == [Told(MemberTalking("ana", talking=True))]
    assert room.members["ana"].talking
    room, told = heard(room, 60)
    assert told == [Told(MemberTalking("ana", talking=False))]
    assert not room.members["ana"].talking


def test_muted_members_and_strangers_are_not_heard() -> None:
    room = acts.act(with_people(opened(), "ana"), do("ana", "mute", channels=["audio"]), T0).room
    assert heard(room, 50, "ana", "stranger")[1] == []


def test_a_mute_ends_the_talking_and_frees_the_floor() -> None:
    room, _ = heard(with_people(opened(), "ana", "bob"), 5, "ana")
    room, told, _ = acts.act(room, do("ana", "mute", channels=["audio"]), T0)
    assert kinds(told) == ["MemberUpdated", "MemberTalking"]
    assert events(told, MemberUpdated)[0].updated == ("audio_muted",)
    assert room.floor.audio is None
    assert heard(room, 1, "bob")[0].floor.audio == "bob"


def test_sensitivity_decides_what_is_heard() -> None:
    room = acts.act(with_people(opened(), "ana"), do("ana", "microphone.sensitivity.set", sensitivity=0), T0).room
    assert room.hear({"ana": 1700}, T0).told == ()
    room = acts.act(room, do("ana", "microphone.sensitivity.set", sensitivity=100), T0).room
    assert room.hear({"ana": 1700}, T0).told != ()


def test_the_large_slot_follows_who_talks_for_a_second() -> None:
    room = with_people(opened(layout=Layout.HIGHLIGHT_1_RESPONSIVE), "ana", "bob")
    assert places(room) == {"ana": "reserved-1", "bob": "standard-1"}
    room, told = heard(room, 49, "bob")
    assert kinds(tuple(told)) == ["MemberTalking"]
    room, told = heard(room, 1, "bob")
    assert last_layout(tuple(told)) == {"bob": "reserved-1", "ana": "standard-1"}
    assert room.speakers == ("bob",)


def test_a_floor_holder_who_leaves_gives_the_large_slot_to_who_had_it_before() -> None:
    room = with_people(opened(layout=Layout.HIGHLIGHT_1_RESPONSIVE), "ana", "bob", "cem")
    room, _ = heard(room, 60, "bob")
    room, _ = heard(room, 120, "cem")
    assert (room.floor.video, places(room)["cem"]) == ("cem", "reserved-1")
    after, told, _ = seats.leave(room, Leave("c-cem"), T0)
    assert (after.floor.audio, after.floor.video, after.speakers) == (None, "bob", ("bob",))
    assert last_layout(told)["bob"] == "reserved-1"
    after = seats.leave(after, Leave("c-bob"), T0).room
    assert (after.floor.video, places(after)) == ("ana", {"ana": "reserved-1"})
    assert seats.leave(after, Leave("c-ana"), T0).room.floor.video is None


def test_a_muted_camera_gives_the_floor_of_the_picture_away() -> None:
    room = with_people(opened(), "ana", "bob")
    room, _ = heard(room, 60, "bob")
    room = acts.act(room, do("bob", "mute", channels=["video"]), T0).room
    assert (room.floor.audio, room.floor.video) == ("bob", "ana")


def test_who_has_a_place_of_its_own_does_not_take_the_large_slot_too() -> None:
    room = with_people(opened(layout=Layout.HIGHLIGHT_1_RESPONSIVE), "ana", "bob")
    room = acts.act(room, do("ana", "member.position.set", positions={"bob": "standard-3"}), T0).room
    room, _ = heard(room, 60, "bob")
    assert (room.floor.audio, room.floor.video) == ("bob", None)
    assert places(room) == {"ana": "reserved-1", "bob": "standard-3"}


def test_the_sound_of_a_screen_does_not_move_the_picture() -> None:
    sound = SCREEN._replace(sends_audio=True)
    room = with_people(with_people(opened(), "ana"), "film", media=sound, screen_of="ana", subscriber_id="ana")
    room, _ = heard(room, 100, "film")
    assert (room.floor.audio, room.floor.video) == ("film", None)


def test_a_speaker_outside_the_canvas_comes_onto_it() -> None:
    room = with_people(opened(layout=Layout.TWO_BY_ONE), "ana", "bob", "cem")
    assert places(room)["cem"] == "off-canvas"
    room, told = heard(room, 60, "cem")
    assert last_layout(tuple(told)) == {"ana": "standard-1", "cem": "standard-2"}


def test_raised_hands_take_the_large_slot_where_the_room_says_so() -> None:
    room = with_people(opened(layout=Layout.HIGHLIGHT_1_RESPONSIVE), "ana", "bob")
    room = acts.act(room, do("bob", "raisehand"), T0).room
    assert places(room)["bob"] == "standard-1"
    after, told, _ = room.update(a_room(layout=Layout.HIGHLIGHT_1_RESPONSIVE, prioritize_handraise=True), T0)
    assert kinds(told) == ["SessionUpdated", "LayoutChanged"]
    assert events(told, SessionUpdated)[0].updated == ("prioritize_handraise",)
    assert places(after) == {"bob": "reserved-1", "ana": "standard-1"}


def test_a_new_layout_setting_acts_at_once_and_others_leave_the_chosen_one_alone() -> None:
    room = acts.act(with_people(opened(), "ana", "bob"), do("ana", "layout.set", layout="4x4"), T0).room
    after, told, _ = room.update(a_room(display_name="Lounge", meta={"floor": 2}), T0)
    assert after.session.layout == "4x4"
    assert events(told, SessionUpdated)[0].updated == ("display_name", "meta")
    after, told, _ = after.update(a_room(display_name="Lounge", meta={"floor": 2}, layout=Layout.TWO_BY_ONE), T0)
    assert after.session.layout == "2x1"
    assert kinds(told) == ["LayoutChanged"]


def test_hidden_muted_cameras_leave_the_canvas() -> None:
    room = with_people(opened(), "ana", "bob")
    room = replace(room, session=replace(room.session, hide_video_muted=True))
    room = rest(acts.act(room, do("bob", "mute", channels=["video"]), T0).room)
    assert room.arrangement.name == "1x1"
    assert places(room) == {"ana": "standard-1", "bob": "off-canvas"}


def test_a_toggled_camera_does_not_make_the_room_jump() -> None:
    room = with_people(opened(), "ana", "bob")
    room = replace(room, session=replace(room.session, hide_video_muted=True))
    off = acts.act(room, do("bob", "mute", channels=["video"]), T0).room
    on = acts.act(off, do("bob", "unmute", channels=["video"]), T0 + 1).room
    assert on.picture == room.picture
    assert seats.next_due(on, T0 + 1) is None


NAMES = [f"m{number}" for number in range(8)]
names = st.sampled_from(NAMES)
targets = st.sampled_from([(), ("all",), ("m1",), ("m2", "m3")])


class Meeting(RuleBasedStateMachine):
    """Anything in any order: clients that keep track from the events alone always agree with the room."""

    def __init__(self) -> None:
        super().__init__()
        self.room = opened(max_members=6, remove_after_seconds_elapsed=600)
        self.now = T0
        self.picture = self.room.picture
        self.talking: set[str] = set()

    def take(self, outcome: Outcome) -> None:
        self.room = outcome.room
        for told in outcome.told:
            if isinstance(told.event, LayoutChanged) and told.to is None:
                assert told.event.picture != self.picture, "a picture was told that everybody had"
                self.picture = told.event.picture
            elif isinstance(told.event, LayoutChanged):
                assert told.event.picture == self.picture
            elif isinstance(told.event, MemberTalking):
                assert told.event.talking != (told.event.member_id in self.talking)
                self.talking ^= {told.event.member_id}
            elif isinstance(told.event, MemberUpdated):
                assert told.event.updated
                assert told.event.member == self.room.members[told.event.member.id]

    @rule(name=names, media=st.sampled_from([CAMERA, VOICE]), reattach=st.booleans())
    def joins(self, name: str, media: Any, reattach: bool) -> None:
        before = len(self.room.members)
        outcome = join(self.room, name, self.now, media, reattach=reattach)
        free = before < 6 and not self.room.session.locked
        assert isinstance(outcome.reply, Accepted) == (name in self.room.members or (not reattach and free))
        self.take(outcome)

    @rule(name=names, layout=st.sampled_from([None, "screen-share", "2x1"]))
    def shares(self, name: str, layout: str | None) -> None:
        self.take(join(self.room, f"{name}-s", self.now, SCREEN, screen_of=name, subscriber_id=name, layout=layout))

    @rule(name=names)
    def leaves(self, name: str) -> None:
        self.take(seats.leave(self.room, Leave(f"c-{name}"), self.now))

    @rule(name=names, back=st.booleans())
    def loses_the_connection(self, name: str, back: bool) -> None:
        self.take(seats.absent(self.room, Absent((f"c-{name}",)), self.now))
        if back:
            self.take(seats.present(self.room, Present((f"c-{name}",)), self.now))

    @rule(name=names, frames=st.integers(1, 60))
    def talks(self, name: str, frames: int) -> None:
        for _ in range(frames):
            self.take(self.room.hear({name: LOUD}, self.now))

    @rule(
        name=names,
        act=st.sampled_from(["mute", "unmute", "deaf", "undeaf", "raisehand", "lowerhand", "lock", "unlock"]),
        whom=targets,
        channels=st.sampled_from([["audio"], ["video"], ["audio", "video"]]),
    )
    def acts(self, name: str, act: str, whom: tuple[str, ...], channels: list[str]) -> None:
        self.take(acts.act(self.room, do(name, act, *whom, channels=channels), self.now))

    @rule(
        name=names,
        layout=st.sampled_from(LAYOUTS),
        positions=st.dictionaries(
            names, st.sampled_from(["auto", "off-canvas", "standard-1", "reserved-1", "full-screen"])
        ),
    )
    def lays_out(self, name: str, layout: str, positions: dict[str, str]) -> None:
        self.take(acts.act(self.room, do(name, "layout.set", layout=layout, positions=positions), self.now))

    @rule(seconds=st.sampled_from([0.1, 0.3, 1.5, 45.0, 600.0]))
    def waits(self, seconds: float) -> None:
        self.now += seconds
        self.take(seats.expire(self.room, self.now))
        due = seats.next_due(self.room, self.now)
        assert due is None or due > self.now, "what was due has not been done"

    @invariant()
    def the_picture_that_was_told_is_the_picture(self) -> None:
        assert self.room.picture == self.picture

    @invariant()
    def everything_kept_is_about_somebody_inside(self) -> None:
        room, inside = self.room, set(self.room.members)
        assert len(inside) <= 6
        assert set(room.absent) | set(room.speakers) | set(room.floor.voices) <= inside
        assert {room.floor.audio, room.floor.video, room.floor.former_video} <= inside | {None}
        assert {member.parent_id for member in room.members.values()} <= inside | {None}
        assert self.talking & inside == {member.id for member in room.members.values() if member.talking}
        self.talking &= inside

    @invariant()
    def slots_exist_and_hold_one_member_each(self) -> None:
        taken = [place for place in places(self.room).values() if place != OFF_CANVAS]
        assert len(taken) == len(set(taken))
        assert set(taken) <= {slot.name for slot in slots_of(self.room.session.layout, self.room.sizing.shown)}


TestMeeting = Meeting.TestCase
TestMeeting.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
