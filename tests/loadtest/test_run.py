"""What a run makes of what was measured."""

from types import SimpleNamespace
from typing import Any

import pytest

from parlour.loadtest.crowd import Guest, Snapshot
from parlour.loadtest.description import AUDIO, VIDEO
from parlour.loadtest.eye import Seen
from parlour.loadtest.reception import Counts, Reception
from parlour.loadtest.run import _member, _picture
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


def test_a_picture_that_can_be_decoded_no_more_has_fewer_pictures() -> None:
    shown = range(90)
    seen = Seen(
        stamps=[3000 * number for number in shown],
        arrivals=[5.0 + number / 30 for number in shown],
        sizes=[(1280, 720) for _ in shown],
    )
    eye: Any = SimpleNamespace(seen=seen)
    found = _picture(eye, "m", 5.0, 15.0)
    assert (found.member_id, found.pictures, found.fps) == ("m", 90, 9.0)
    assert found.still_ms == pytest.approx(7033, abs=1)
