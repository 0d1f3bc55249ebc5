"""What is done to the senders of a room, by its setting and its members, without a thread or a packet."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parlour.domain.live import acts
from parlour.domain.live.room import LiveRoom
from parlour.media.audio.frame import FRAME, RATE
from parlour.media.audio.sound import TickResult
from parlour.media.lipsync.alignment import AS_IT_COMES, Alignment
from parlour.media.lipsync.senders import EVERY, Senders
from tests.domain.live.people import T0, do, opened, with_people

STARTED = 500.0
PICTURE_LATE = 0.2
"""Seconds by which pictures are later than the sound."""


@dataclass
class Stand:
    """Senders of a room whose calls send sound and pictures at the same pace."""

    state: LiveRoom
    calls: dict[str, Any] = field(default_factory=dict)
    delays: list[tuple[str, int]] = field(default_factory=list)
    ticks: int = 0

    def __post_init__(self) -> None:
        self.senders = Senders(
            self.calls, lambda member, samples: self.delays.append((member, samples)), STARTED, 1 / 30
        )
        for member_id in self.state.members:
            self.call(member_id)

    def delay(self, member_id: str, samples: int) -> None:
        """What the room's sound is told."""
        self.delays.append((member_id, samples))

    def call(self, member_id: str) -> Any:
        """A call of a member, perhaps another one than before."""
        alignment = Alignment()
        alignment.report("audio", 3.9e9, 0)
        alignment.report("video", 3.9e9, 0)
        decoder = SimpleNamespace(schedule=None)
        call = self.calls[member_id] = SimpleNamespace(alignment=alignment, plan=AS_IT_COMES, decoder=decoder)
        return call

    def run(self, ticks: int, *silent: str) -> None:
        """Let so many frames of sound pass."""
        for _ in range(ticks):
            now = STARTED + self.ticks * FRAME / RATE
            said = {}
            for member_id, call in self.calls.items():
                at = self.ticks * FRAME
                call.alignment.heard(at & 0xFFFFFFFF, now - 0.03)
                call.alignment.pictured(self.ticks * 1800, now + PICTURE_LATE)
                if member_id not in silent:
                    said[member_id] = at & 0xFFFFFFFF
            result = TickResult(self.ticks * FRAME, {}, b"", {}, np.zeros(FRAME, np.int16), said)
            self.senders.follow(self.state, result, now)
            self.ticks += 1

    def plans(self) -> dict[str, bool]:
        """Who waits."""
        return {member_id: call.plan is not AS_IT_COMES for member_id, call in self.calls.items()}


def a_stand(sync: bool | None) -> Stand:
    """Ana and Bob in a room."""
    return Stand(with_people(opened(sync_audio_video=sync), "ana", "bob"))


def test_each_sender_is_told_to_wait_and_only_when_that_changes() -> None:
    stand = a_stand(True)
    stand.run(10 * EVERY)
    assert stand.plans() == {"ana": True, "bob": True}
    assert all(call.decoder.schedule is call.plan.schedule for call in stand.calls.values())
    assert sorted(member for member, _ in stand.delays) == ["ana", "bob"], "nothing changed since"
    assert all(PICTURE_LATE - 0.03 < samples / RATE < PICTURE_LATE + 0.03 for _, samples in stand.delays)
    figures = stand.senders.statistics()
    assert (figures["senders"], figures["given_up"]) == (2, 0)
    assert figures["offset_ms"] == pytest.approx(2 * (PICTURE_LATE - 0.013) * 1000, abs=5)
    assert figures["sound_delay_ms"] - figures["picture_delay_ms"] == pytest.approx(figures["offset_ms"], abs=2)


@pytest.mark.parametrize("sync", [False, None])
def test_without_the_setting_nobody_is_looked_at(sync: bool | None) -> None:
    stand = a_stand(sync)
    stand.run(10 * EVERY)
    assert stand.plans() == {"ana": False, "bob": False}
    assert stand.delays == []
    assert all(not call.alignment._sound for call in stand.calls.values())


def test_a_change_of_the_setting_acts_at_once() -> None:
    stand = a_stand(False)
    on, off = a_stand(True).state, stand.state
    stand.run(EVERY)
    stand.state = on
    stand.run(EVERY)
    assert stand.plans() == {"ana": True, "bob": True}
    stand.state = off
    stand.run(EVERY)
    assert stand.plans() == {"ana": False, "bob": False}
    assert stand.delays[-2:] == [("ana", 0), ("bob", 0)]
    assert all(call.decoder.schedule is None for call in stand.calls.values())
    count = len(stand.delays)
    stand.run(3 * EVERY)
    assert len(stand.delays) == count


@pytest.mark.parametrize("channel", ["audio", "video"])
def test_who_is_muted_does_not_wait(channel: str) -> None:
    stand = a_stand(True)
    stand.run(2 * EVERY)
    stand.state = acts.act(stand.state, do("ana", "mute", "ana", channels=[channel]), T0).room
    stand.run(EVERY)
    assert stand.plans() == {"ana": False, "bob": True}
    assert stand.delays[-1] == ("ana", 0)


def test_a_new_call_is_told_anew() -> None:
    stand = a_stand(True)
    stand.run(2 * EVERY)
    before = [delay for delay in stand.delays if delay[0] == "ana"]
    stand.call("ana")
    stand.run(2 * EVERY)
    assert [delay for delay in stand.delays if delay[0] == "ana"] == before * 2


def test_who_has_been_quiet_since_the_beginning_waits_too() -> None:
    stand = a_stand(True)
    stand.run(2 * EVERY, "ana", "bob")
    assert stand.plans() == {"ana": True, "bob": True}
