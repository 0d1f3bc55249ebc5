"""What was measured of live rooms, and what follows from it."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.crowd import Report, Window
from benchmarks.fanout import FanOut
from parlour.loadtest.server import PARTS as FIGURES
from parlour.media.video.codec import VideoCodec

PARTS: Final = (*FIGURES, "rest")
"""Where a worker's CPU time goes; the last one is what belongs to none of the others."""

HELD: Final = 0.998
"""The share of 30 pictures a second that counts as held."""
HELD_SOUND: Final = 0.95
"""The share of 50 packets of sound a second below which an audience was starved."""
SMALL_AUDIENCE: Final = 3
STARVED_FPS: Final = 24


@dataclass(slots=True)
class Conversation:
    """A room. ``floor`` and ``paced`` are CPU seconds a second of the native calls that it cannot do without, by part:
    call after call, and each when it is due.
    """

    codec: VideoCodec
    members: int
    senders: int
    speakers: int
    report: Report
    floor: dict[str, float] = field(default_factory=dict)
    paced: dict[str, float] = field(default_factory=dict)
    speeds: list[float] = field(default_factory=list)
    """Milliseconds of a fixed piece of work."""
    attempts: int = 1

    @property
    def window(self) -> Window:
        """The time that was measured."""
        return self.report.windows[0]

    @property
    def cpu(self) -> float:
        """The worker's CPU seconds a second."""
        return self.window.share

    @property
    def parts(self) -> dict[str, float]:
        """The same by part, as the worker counts it. Together they are what it has of the processor."""
        told = self.window.worker
        whole = told.get("cpu_seconds", 0.0)
        share = {name: told.get(figure, 0.0) / whole if whole else 0.0 for name, figure in FIGURES.items()}
        return {name: part * self.cpu for name, part in (share | {"rest": 1 - sum(share.values())}).items()}

    @property
    def ratio(self) -> float:
        """The worker's CPU over that of the floor without a pause."""
        return self.cpu / at_its_rate(self.floor, self.fps)

    @property
    def ratio_paced(self) -> float:
        """The worker's CPU over that of the floor in real time."""
        return self.cpu / at_its_rate(self.paced, self.fps)

    @property
    def jitter(self) -> float:
        """The 95th percentile of a picture's distance from its due time, ms."""
        return percentile([abs(value) for value in self.report.deviations], 95)

    @property
    def fps(self) -> float:
        """Pictures a second by the timestamps: 30 less what was left out."""
        return rate(self.report)

    @property
    def held(self) -> bool:
        """Whether the rate was held."""
        return self.fps >= 30 * HELD

    @property
    def starved(self) -> bool:
        """Whether so many pictures were left out that the CPU figure says nothing about a room that runs well."""
        return is_starved(self.report)

    @property
    def late_sound(self) -> float:
        """The part of the 20 ms frames that the worker finished a frame too late or not at all."""
        told = self.window.worker
        missed = told.get("sound_missed", 0)
        return (told.get("sound_late", 0) + missed) / max(1, told.get("sound_ticks", 0) + missed)

    @property
    def encodes(self) -> tuple[float, float]:
        """Encodes of the picture, and of the sound, in each of their ticks."""
        told = self.window.worker
        picture = told.get("picture_encoded", 0) / max(1, told.get("picture_ticks", 0))
        return picture, told.get("sound_encoded", 0) / max(1, told.get("sound_ticks", 0))

    @property
    def out_a_core(self) -> float:
        """Packets out in each second of the CPU time that goes to sending them."""
        sending = self.parts["out"] * self.window.wall
        return (self.window.video_out + self.window.audio_out) / sending if sending else 0.0


@dataclass(slots=True)
class Given:
    """A room whose cameras send pictures of a size in pixels, whatever the server asks them for.

    ``paced`` as in ``Conversation``.
    """

    codec: VideoCodec
    members: int
    size: tuple[int, int]
    report: Report
    paced: dict[str, float] = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        """The worker's CPU seconds a second."""
        return self.report.windows[0].share

    @property
    def floor(self) -> float:
        """The same of the floor in real time."""
        return at_its_rate(self.paced, rate(self.report))

    @property
    def starved(self) -> bool:
        """Whether so many pictures were left out that the CPU figure says nothing about a room that runs well."""
        return is_starved(self.report)


@dataclass(slots=True)
class Audience:
    """One who sends, and few and many watchers in turns. ``floor`` in microseconds a packet."""

    codec: VideoCodec
    report: Report
    floor: float = 0.0

    @property
    def costs(self) -> list[float]:
        """CPU microseconds for each packet more, from each window with many watchers and its two neighbours."""
        return [cpu / packets * 1e6 for cpu, packets, _ in self._more()]

    @property
    def cost(self) -> float:
        """The middle of ``costs``."""
        return middle(self.costs)

    @property
    def listeners(self) -> list[float]:
        """CPU seconds a second for each watcher more."""
        return [cpu / people for cpu, _, people in self._more()]

    @property
    def listener(self) -> float:
        """The middle of ``listeners``."""
        return middle(self.listeners)

    @property
    def spoilt(self) -> bool:
        """Whether windows with many watchers lacked packets, or costs differ by more than one of them."""
        full = [window for window in self.report.windows if window.receivers > SMALL_AUDIENCE]
        each = [window.audio_out / window.wall / window.receivers for window in full]
        return min(each) < 50 * HELD_SOUND or max(self.costs) - min(self.costs) > self.cost

    def _more(self) -> list[tuple[float, float, float]]:
        """CPU seconds, packets and people more, a second, of each window with many."""
        windows, found = self.report.windows, []
        for at in range(1, len(windows) - 1, 2):
            near = windows[at - 1 : at + 2]
            cpu = [window.share for window in near]
            packets = [(window.video_out + window.audio_out) / window.wall for window in near]
            people = [float(window.receivers) for window in near]
            more = [values[1] - (values[0] + values[2]) / 2 for values in (cpu, packets, people)]
            found.append((more[0], more[1], more[2]))
        return found


@dataclass(slots=True)
class Results:
    """All of a run. ``other_work`` is the part of the machine that others used meanwhile."""

    conversations: list[Conversation] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    audiences: list[Audience] = field(default_factory=list)
    fan_outs: list[FanOut] = field(default_factory=list)
    beeps: Report | None = None
    failed: list[str] = field(default_factory=list)
    """What could not be measured, and why."""
    other_work: float = 0.0
    seconds: float = 0.0
    machine: str = ""
    commit: str = ""
    command: str = ""


def rate(report: Report) -> float:
    """Pictures a second by the time stamps: 30 less what was left out."""
    return 30 * report.pictures / max(1, report.ticks)


def at_its_rate(floor: dict[str, float], fps: float) -> float:
    """What a floor takes at this rate: pictures that were left out need not be made, but what was sent is decoded."""
    made = sum(floor[name] for name in ("scale", "compose", "encode"))
    return sum(floor.values()) - made * (1 - min(1.0, fps / 30))


def is_starved(report: Report) -> bool:
    """Whether the worker left out so many pictures that what was seen says little about a room that runs well."""
    return rate(report) < STARVED_FPS


def middle(values: list[float]) -> float:
    """The median, not a number where there is nothing."""
    return percentile(values, 50)


def percentile(values: list[float], share: float) -> float:
    """Not a number where there is nothing."""
    return float(np.percentile(values, share)) if values else float("nan")
