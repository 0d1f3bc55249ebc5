"""What a run makes of what was measured."""

from types import SimpleNamespace
from typing import Any

import pytest

from parlour.loadtest.crowd import Guest, Snapshot
from parlour.loadtest.description import AUDIO, VIDEO
from parlour.loadtest.reception import Counts, Reception
from parlour.loadtest.run import _member
from tests.loadtest.test_reception import packet


def guest(reception: Reception) -> Guest:
    """Somebody who received this."""
    member: Any = SimpleNamespace(id="m", sends=True, peer=SimpleNamespace(reception=reception))
    door: Any = SimpleNamespace()
    return Guest(member, door, signalled=0.02, joined=0.09)


def snapshot(one: Guest, at: float) -> Snapshot:
    """Where this one stands at a moment."""
    return Snapshot(at, 0.0, {one: one.member.peer.reception.counts - Counts()}, 0)


def test_jitter_is_told_in_milliseconds() -> None:
    one = guest(Reception())
    before = snapshot(one, 0.0)
    # Each second packet is late, and the jitter grows by a sixteenth of that (RFC 3550, 6.4.1).
    one.member.peer.reception.take(packet(AUDIO, 0, 0), 0.0)
    one.member.peer.reception.take(packet(AUDIO, 1, 960), 0.020 + 0.016)
    one.member.peer.reception.take(packet(VIDEO, 0, 0, marker=True), 0.0)
    one.member.peer.reception.take(packet(VIDEO, 1, 3000, marker=True), 3000 / 90_000 + 0.032)
    found = _member(one, before, snapshot(one, 2.0))
    assert found.audio_jitter_ms == pytest.approx(1.0, abs=0.01)
    assert found.video_jitter_ms == pytest.approx(2.0, abs=0.01)
    assert (found.signalled_ms, found.joined_ms, found.fps) == (20.0, 90.0, 1.0)


def test_who_received_nothing_has_no_jitter() -> None:
    one = guest(Reception())
    found = _member(one, snapshot(one, 0.0), snapshot(one, 1.0))
    assert (found.audio_jitter_ms, found.video_jitter_ms) == (0.0, 0.0)
