"""The tones of coming and going, as the people in a room hear them."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from parlour.domain.live.commands import Change, Leave
from parlour.domain.room import Room
from parlour.media.audio.frame import RATE
from parlour.media.audio.tones import Tone
from parlour.media.conference import Conference
from parlour.media.transport import Endpoint
from tests.domain.live.people import a_room
from tests.media.audio.signals import decoded, loudness
from tests.media.guest import Guest, live

if TYPE_CHECKING:
    from parlour.media.audio.sound import TickResult

WINDOW = RATE // 10
LEAD_IN = 1.2
"""Seconds that the tone for who enters waits here, where that may take longer than in a browser."""
ENOUGH = 100
"""Packets after which a tone that was asked for has been heard."""


@pytest.fixture(autouse=True)
def slow_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who enters has more time to be there."""
    monkeypatch.setattr("parlour.media.audio.tones._LEAD_IN", LEAD_IN)


def a_room_with(*, tones: bool, updated: float = 0) -> Room:
    """A room for many."""
    return a_room(max_members=0, tone_on_entry_and_exit=tones, updated=updated)


def tones_in(sound: list[bytes]) -> list[Tone]:
    """The tones heard, in order."""
    return tones_of(decoded(sound))


def tones_of(samples: NDArray[np.float64]) -> list[Tone]:
    """The tones in these samples, in order."""
    found: list[Tone | None] = [None]
    for start in range(0, samples.size - WINDOW, WINDOW // 4):
        tone = _tone(samples[start : start + WINDOW])
        if tone is not found[-1]:
            found.append(tone)
    return [tone for tone in found if tone is not None]


def _tone(window: NDArray) -> Tone | None:  # type: ignore[type-arg]
    for tone in Tone:
        audible = [frequency for frequency in tone.value[0] if frequency >= 200]
        others = [frequency for other in Tone if other is not tone for frequency in other.value[0] if frequency >= 200]
        if min(loudness(window, one) for one in audible) > max(-40, *(loudness(window, one) + 10 for one in others)):
            return tone
    return None


async def hear(*guests: Guest) -> list[list[Tone]]:
    """What each hears from now on, for long enough."""
    for guest in guests:
        guest.sound.clear()
    await live(guests, lambda: all(len(guest.sound) >= ENOUGH for guest in guests))
    return [tones_in(guest.sound) for guest in guests]


async def enter(conference: Conference, endpoint: Endpoint, name: str, room: Room) -> Guest:
    """Somebody comes in."""
    return await Guest(conference, endpoint, name, room=room).join()


async def test_everybody_hears_who_comes_and_who_goes(conference: Conference, endpoint: Endpoint) -> None:
    room = a_room_with(tones=True)
    ana = await enter(conference, endpoint, "ana", room)
    assert await hear(ana) == [[]], "there was nobody to be told"
    ben = await enter(conference, endpoint, "ben", room)
    assert await hear(ana, ben) == [[Tone.ENTRY], [Tone.ENTRY]], "also the one who enters"
    conference.ask(Leave("call-ben"))
    assert await hear(ana) == [[Tone.EXIT]]


async def test_a_rush_is_one_tone(conference: Conference, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlour.media.audio.tones._APART", 30.0)
    room = a_room_with(tones=True)
    ana = await enter(conference, endpoint, "ana", room)
    await hear(ana)
    for number in range(10):
        Guest(conference, endpoint, f"g{number}", room=room)
    assert await hear(ana) == [[Tone.ENTRY]]


@pytest.mark.parametrize("later", [False, True])
async def test_off_means_silence(conference: Conference, endpoint: Endpoint, later: bool) -> None:
    room = a_room_with(tones=later, updated=1)
    ana = await enter(conference, endpoint, "ana", room)
    await hear(ana)
    if later:
        conference.ask(Change(a_room_with(tones=False, updated=2)))
    await enter(conference, endpoint, "ben", room)
    assert await hear(ana) == [[]]
    conference.ask(Leave("call-ben"))
    assert await hear(ana) == [[]]


@pytest.mark.parametrize("tones", [True, False])
async def test_a_recorder_gets_them_with_the_mix(conference: Conference, endpoint: Endpoint, tones: bool) -> None:
    room = a_room_with(tones=tones, updated=1)
    mixed: list[TickResult] = []
    send = conference._send_sound

    def record(result: "TickResult") -> None:
        mixed.append(result)
        send(result)

    conference._send_sound = record  # type: ignore[method-assign]  # where a recorder listens
    ana = await enter(conference, endpoint, "ana", room)
    await hear(ana)
    Guest(conference, endpoint, "ben", room=room)
    await hear(ana)
    conference.ask(Leave("call-ben"))
    await hear(ana)
    samples = np.concatenate([result.samples for result in mixed]).astype(np.float64)
    assert tones_of(samples) == ([Tone.ENTRY, Tone.EXIT] if tones else [])
