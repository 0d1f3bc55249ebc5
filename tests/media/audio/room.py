"""Rooms that run on a made-up clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parlour.media.audio.frame import FRAME, Samples
from parlour.media.audio.member import MemberSound
from parlour.media.audio.sound import Sound, TickResult
from tests.media.audio.signals import TICK, Arrivals, decoded

BEGIN = 10.0


@dataclass(frozen=True)
class Heard:
    """What came out of one member's packets; ``frames`` has ``None`` where there was silence."""

    sound: MemberSound
    frames: list[Samples | None]
    scores: list[float]

    @property
    def samples(self) -> NDArray[np.float32]:
        return np.concatenate([np.zeros(FRAME, np.float32) if frame is None else frame for frame in self.frames])


def listen(
    arrivals: Arrivals,
    ticks: int,
    heard: Callable[[int], bool] = lambda tick: True,
    phase: float = 0.005,
    sound: MemberSound | None = None,
) -> Heard:
    """Run one member; ticks come ``phase`` seconds after the sender's own beat."""
    frames, scores = [], []
    if sound is None:
        sound = MemberSound()
    waiting = list(reversed(arrivals))
    for tick in range(ticks):
        now = BEGIN + phase + tick * TICK
        while waiting and waiting[-1][0] <= now:
            if sound.offer(waiting.pop()[1]):
                sound.wake(now)
        frames.append(sound.tick(now, heard(tick)) if sound.awake else None)
        scores.append(sound.score)
    return Heard(sound, frames, scores)


def run(
    sources: Mapping[str, Arrivals],
    in_mix: Callable[[int], set[str]],
    ticks: int,
    between: Callable[[Sound, int], None] = lambda sound, tick: None,
) -> tuple[Sound, list[TickResult]]:
    """Run a room; ``between`` is called before each tick."""
    sound = Sound()
    for member in sources:
        sound.join(member)
    sound.tick(BEGIN - TICK, set())
    waiting = sorted(
        ((arrived, member, packet) for member, arrivals in sources.items() for arrived, packet in arrivals),
        key=lambda item: item[0],
        reverse=True,
    )
    results = []
    for tick in range(ticks):
        now = BEGIN + 0.005 + tick * TICK
        while waiting and waiting[-1][0] <= now:
            _, member, packet = waiting.pop()
            sound.receive(member, packet)
        between(sound, tick)
        results.append(sound.tick(now, in_mix(tick)))
    return sound, results


def hear(results: list[TickResult], member: str) -> NDArray[np.float64]:
    """What the member's decoder plays."""
    return decoded(result.payload_for(member) for result in results)
