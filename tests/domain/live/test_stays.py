"""How many are in and how long they stay, whatever happens in whatever order, and however clocks are set."""

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from parlour.domain.live import seats
from parlour.domain.live.admission import removal, seat_limit
from parlour.domain.live.commands import Absent, Accepted, Change, Join, Leave, Present, Refused
from parlour.domain.live.room import LiveRoom, Outcome
from parlour.domain.room import Quality
from tests.domain.live.people import CAMERA, SCREEN, T0, a_room, at, join, joins

names = st.sampled_from([f"m{number}" for number in range(8)])
moments = st.none() | st.integers(-100, 2000)
"""Seconds after the beginning."""
SERVER_LIMIT = 6


class Stays(RuleBasedStateMachine):
    """A room whose settings change, whose people come and go, whose workers die, and whose clock is set.

    ``came`` is when each member joined, by id; ``begun`` numbers the joins, so that each is a member of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.changes = 0
        self.settings: dict[str, Any] = {"max_members": 4}
        self.live = LiveRoom.opened(self.newest(), "session", server_limit=SERVER_LIMIT, grace=30.0, now=T0)
        self.came: dict[str, float] = {}
        self.begun = 0

    def newest(self) -> Any:
        """The room as it is kept now."""
        given = {name: at(value) if name == "remove_at" and value is not None else value
                 for name, value in self.settings.items()}  # fmt: skip
        return a_room(updated=self.changes, **given)

    def take(self, outcome: Outcome) -> Outcome:
        """The room goes on; nobody's stay begins anew."""
        self.live = outcome.room
        for member in self.live.members.values():
            assert member.joined_at == self.came.setdefault(member.id, self.now)
        return outcome

    def let_in(self, outcome: Outcome, who: str) -> None:
        """Whoever is let in may be in."""
        before = self.live
        self.take(outcome)
        assert isinstance(outcome.reply, Accepted | Refused)
        if isinstance(outcome.reply, Refused):
            assert who in before.members or before.members.keys() >= self.live.members.keys()
            return
        due = removal(self.live.session, self.live.members[outcome.reply.member_id])
        assert due is None or self.now < due, "nobody gets in who is to go"
        if outcome.reply.member_id not in before.members:
            assert len(self.live.members) <= seat_limit(self.live.room.settings, SERVER_LIMIT)

    @rule(name=names)
    def comes(self, name: str) -> None:
        self.begun += 1
        call_id = next((m.call_id for m in self.live.members.values() if m.name == name), f"{name}-{self.begun}")
        command = replace(joins(name, self.live, call_id=call_id), room=self.newest())
        self.let_in(seats.join(self.live, command, CAMERA, f"{name}-{self.begun}", self.now), name)

    @rule(name=names)
    def loads_the_page_anew(self, name: str) -> None:
        call_id = next((m.call_id for m in self.live.members.values() if m.name == name), "unknown")
        before = set(self.live.members)
        outcome = join(self.live, name, self.now, call_id=call_id, reattach=True)
        self.let_in(outcome, name)
        assert set(self.live.members) <= before

    @rule(name=names)
    def shares(self, name: str) -> None:
        owner = next((m.id for m in self.live.members.values() if m.name == name), "nobody")
        self.begun += 1
        command = joins("a screen", self.live, call_id=f"s{self.begun}", screen_of=owner, subscriber_id=name)
        self.let_in(seats.join(self.live, command, SCREEN, f"screen-{self.begun}", self.now), owner)

    @rule(name=names)
    def leaves(self, name: str) -> None:
        call_id = next((m.call_id for m in self.live.members.values() if m.name == name), "unknown")
        self.take(seats.leave(self.live, Leave(call_id), self.now))

    @rule(name=names, back=st.booleans())
    def loses_the_connection(self, name: str, back: bool) -> None:
        calls = tuple(m.call_id for m in self.live.members.values() if m.name == name)
        self.take(seats.absent(self.live, Absent(calls), self.now))
        if back:
            self.take(seats.present(self.live, Present(calls), self.now))

    @rule(
        max_members=st.integers(0, 8),
        remove_at=moments,
        remove_after=st.none() | st.integers(0, 600),
        quality=st.sampled_from(list(Quality)),
    )
    def is_changed(self, max_members: int, remove_at: int | None, remove_after: int | None, quality: Quality) -> None:
        self.changes += 1
        self.settings = {
            "max_members": max_members,
            "remove_at": remove_at,
            "remove_after_seconds_elapsed": remove_after,
            "quality": quality,
        }
        before = set(self.live.members)
        self.take(seats.change(self.live, Change(self.newest()), self.now))
        assert set(self.live.members) == before, "who is to go goes in the next step"

    @rule(seconds=st.sampled_from([0.1, 1.0, 29.0, 45.0, 300.0, 3600.0, -0.5, -60.0, -3600.0]))
    def the_clock_moves(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def its_worker_dies(self) -> None:
        past = seats.past_of(self.live)
        if past is None:
            return
        people = {m.id: m.joined_at for m in past.members if m.parent_id is None}
        fresh = LiveRoom.opened(self.newest(), "another", server_limit=SERVER_LIMIT, grace=30.0, now=self.now)
        self.live = seats.revive(fresh, past, self.now)
        assert self.live.session.id == "session"
        assert {m.id: m.joined_at for m in self.live.members.values()}.items() <= people.items()

    @rule(name=names)
    def comes_back_with_the_seat(self, name: str) -> None:
        """After a worker was lost: under another call, with what the front knew of the seat, held still or not."""
        gone = [member_id for member_id in self.came if member_id.startswith(f"{name}-")]
        if not gone:
            return
        self.begun += 1
        seat = replace(next(iter(self.one(gone[-1]).values())), call_id=f"{name}-{self.begun}")
        command: Join = joins(name, self.live, call_id=seat.call_id, seat=seat)
        self.let_in(seats.join(self.live, command, CAMERA, "unused", self.now), seat.id)

    def one(self, member_id: str) -> dict[str, Any]:
        """A member as it was known last."""
        return {member_id: self.live.members.get(member_id) or self.ghost(member_id)}

    def ghost(self, member_id: str) -> Any:
        """Somebody who was in once."""
        name = member_id.partition("-")[0]
        fresh = LiveRoom.opened(a_room(max_members=0), "elsewhere")
        found = join(fresh, name, self.came[member_id]).room.members[name]
        return replace(found, id=member_id)

    @rule()
    def what_is_due_is_done(self) -> None:
        """What the room's actor does when its timer fires."""
        while (due := seats.next_due(self.live, self.now)) is not None and due <= self.now:
            self.take(seats.expire(self.live, self.now))
        assert not self.late()
        session = self.live.session
        assert session.remove_at is None or self.now < session.remove_at or not self.live.members
        assert not session.remove_after or all(
            self.now < member.joined_at + session.remove_after for member in self.live.members.values()
        )

    def late(self) -> set[str]:
        """Who should have gone."""
        dues = {member.id: removal(self.live.session, member) for member in self.live.members.values()}
        return {member_id for member_id, due in dues.items() if due is not None and due <= self.now}

    @invariant()
    def the_timer_knows(self) -> None:
        due = seats.next_due(self.live, self.now)
        assert due is None or due >= self.now
        assert due == self.now or not self.late()

    @invariant()
    def what_is_kept_is_about_who_is_in(self) -> None:
        inside = set(self.live.members)
        assert set(self.live.absent) <= inside
        assert {m.parent_id for m in self.live.members.values()} <= inside | {None}
        assert len(inside) <= SERVER_LIMIT
        assert self.live.session.quality is self.live.room.settings.quality is Quality.HD_720


TestStays = Stays.TestCase
TestStays.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
