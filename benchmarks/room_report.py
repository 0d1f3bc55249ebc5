"""The figures of live rooms, and how they are shown."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.crowd import Report
from benchmarks.report import machine
from parlour.media.video.codec import VideoCodec

RATIO = 1.6
PACKET_US = 15.0
FLASH_MS, BEEP_MS, JOIN_MS = (80.0, 150.0), 100.0, 800.0
JITTER_MS = 5.0
JITTER_PEOPLE = 9
FULLEST = 16
HELD = 0.998
"""The share of 30 pictures a second that counts as held."""
HELD_SOUND = 0.95
"""The share of 50 packets of sound a second below which an audience was starved."""
SMALL_AUDIENCE = 3
STARVED_FPS = 24
STARVED = "starved: no verdict"


@dataclass(slots=True)
class Conversation:
    """A room of people who all send and receive. Floors in CPU seconds a second."""

    codec: VideoCodec
    people: int
    report: Report
    decoding_floor: float = 0.0
    making_floor: float = 0.0
    """Scaling, pasting and encoding."""
    sound_floor: float = 0.0
    packets_floor: float = 0.0
    paced_floor: float = 0.0
    """All the codecs' calls again, each picture and frame at the moment when it is due."""
    speeds: list[float] = field(default_factory=list)
    """Milliseconds of a fixed piece of work before and after."""
    attempts: int = 1

    @property
    def cpu(self) -> float:
        """The worker's CPU seconds a second."""
        window = self.report.windows[0]
        return window.cpu / window.wall

    @property
    def floor(self) -> float:
        """Of the codecs. Pictures that were left out need not be made, but what was sent must be decoded."""
        return self.decoding_floor + self.making_floor * self.fps / 30 + self.sound_floor

    @property
    def ratio(self) -> float:
        """The worker's CPU over that of its codecs."""
        return self.cpu / self.floor

    @property
    def ratio_with_packets(self) -> float:
        """The same with bare SRTP and socket calls as part of the floor."""
        return self.cpu / (self.floor + self.packets_floor)

    @property
    def ratio_paced(self) -> float:
        """The worker's CPU over that of its codecs where these wait for each picture and frame as it does."""
        return self.cpu / self.paced_floor

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


@dataclass(slots=True)
class Audience:
    """One who sends, and few and many viewers in turns. ``floor`` in microseconds a packet."""

    codec: VideoCodec
    report: Report
    floor: float = 0.0

    @property
    def costs(self) -> list[float]:
        """CPU microseconds for each packet more, from each window with many viewers and its two neighbours."""
        windows, found = self.report.windows, []
        for at in range(1, len(windows) - 1, 2):
            cpu, rate = (
                [getattr(window, name) / window.wall for window in windows[at - 1 : at + 2]]
                for name in ("cpu", "video_out")
            )
            audio = [window.audio_out / window.wall for window in windows[at - 1 : at + 2]]
            packets = [video + sound for video, sound in zip(rate, audio, strict=True)]
            more = packets[1] - (packets[0] + packets[2]) / 2
            found.append((cpu[1] - (cpu[0] + cpu[2]) / 2) / more * 1e6)
        return found

    @property
    def cost(self) -> float:
        """The middle of ``costs``."""
        return middle(self.costs)

    @property
    def spoilt(self) -> bool:
        """Whether windows with many viewers lacked packets, or costs differ by more than one of them."""
        full = [window for window in self.report.windows if window.receivers > SMALL_AUDIENCE]
        each = [window.audio_out / window.wall / window.receivers for window in full]
        return min(each) < 50 * HELD_SOUND or max(self.costs) - min(self.costs) > self.cost


@dataclass(slots=True)
class Results:
    """All of a run. ``other_work`` is the part of the machine that others used meanwhile."""

    conversations: list[Conversation] = field(default_factory=list)
    audiences: list[Audience] = field(default_factory=list)
    beeps: Report | None = None
    other_work: float = 0.0
    seconds: float = 0.0


Rows = list[list[str]]


def rate(report: Report) -> float:
    """Pictures a second by the time stamps: 30 less what was left out."""
    return 30 * report.pictures / max(1, report.ticks)


def is_starved(report: Report) -> bool:
    """Whether the worker left out so many pictures that what was seen says little about a room that runs well."""
    return rate(report) < STARVED_FPS


def middle(values: list[float]) -> float:
    """The median, not a number where there is nothing."""
    return percentile(values, 50)


def percentile(values: list[float], share: float) -> float:
    """Not a number where there is nothing."""
    return float(np.percentile(values, share)) if values else float("nan")


ROOM_HEADINGS = (
    "Codec", "People", "Worker, % of a core", "of it loop / picture / sound", "Floor: pictures + sound", "Ratio",
    "SRTP + socket", "Ratio with these", "Floor in real time", "Ratio to it", "fps",
)  # fmt: skip
TIME_HEADINGS = ("Codec", "People", "Flash p50 / p99 ms", "Samples", "Join p50 / max ms", "fps", "Jitter p95 ms")
TARGET_HEADINGS = ("Target", "Asked", "Found", "")


def rooms(results: Results) -> Rows:
    """What rooms cost."""
    return [
        [
            str(found.codec), str(found.people), f"{found.cpu:.1%}",
            " / ".join(f"{seconds / found.report.windows[0].wall:.1%}" for seconds in _threads(found)),
            f"{found.floor - found.sound_floor:.1%} + {found.sound_floor:.1%}", f"{found.ratio:.2f}",
            f"{found.packets_floor:.1%}", f"{found.ratio_with_packets:.2f}",
            f"{found.paced_floor:.1%}", f"{found.ratio_paced:.2f}",
            "starved" if found.starved else f"{found.fps:.1f}",
        ]
        for found in results.conversations
    ]  # fmt: skip


def times(results: Results) -> Rows:
    """How fast rooms are."""
    return [
        [
            str(found.codec), str(found.people),
            f"{middle(found.report.flashes):.1f} / {percentile(found.report.flashes, 99):.1f}",
            f"{len(found.report.flashes)} of {found.report.flashes_sent}",
            f"{middle(found.report.joins):.0f} / {max(found.report.joins):.0f}", f"{found.fps:.2f}",
            f"{found.jitter:.2f}",
        ]
        for found in results.conversations
    ]  # fmt: skip


def targets(results: Results) -> Rows:
    """Each target, and whether it is met."""
    fit = [found for found in results.conversations if not found.starved]
    flashes = [ms for found in fit for ms in found.report.flashes]
    joins = [ms for found in fit for ms in found.report.joins]
    lines: Rows = []

    def add(name: str, asked: str, found: str, met: bool, spoilt: bool = False) -> None:
        lines.append([name, asked, found, STARVED if spoilt else _verdict(met)])

    for one in results.conversations:
        if one.people == FULLEST:
            name, asked = f"CPU of {FULLEST} people, {one.codec}", f"≤ {RATIO} × codecs"
            found = f"{one.ratio_paced:.2f} × at {one.fps:.1f} fps"
            lines.append([name, f"{asked} in real time", found, _ratio_verdict(one, one.ratio_paced)])
            found = f"{one.ratio:.2f} × ({one.ratio_with_packets:.2f} × with SRTP and socket)"
            lines.append([name, f"{asked} without a pause", found, _ratio_verdict(one, one.ratio)])
    for watched in results.audiences:
        low, high = min(watched.costs), max(watched.costs)
        add(
            f"a packet out, {watched.codec}",
            f"≤ {PACKET_US:.0f} µs",
            f"{watched.cost:.1f} µs ({low:.1f}–{high:.1f}; bare {watched.floor:.1f})",
            watched.cost <= PACKET_US,
            watched.spoilt,
        )
    p50, p99 = middle(flashes), percentile(flashes, 99)
    add("picture through the mixer, median", f"< {FLASH_MS[0]:.0f} ms", f"{p50:.1f} ms", p50 < FLASH_MS[0], not fit)
    add("picture through the mixer, p99", f"< {FLASH_MS[1]:.0f} ms", f"{p99:.1f} ms", p99 < FLASH_MS[1], not fit)
    if results.beeps is not None:
        beeps = results.beeps.beeps
        found = f"{middle(beeps):.1f} ms (p99 {percentile(beeps, 99):.1f}, {len(beeps)} of {results.beeps.beeps_sent})"
        add(
            "sound through the mixer, median",
            f"< {BEEP_MS:.0f} ms",
            found,
            middle(beeps) < BEEP_MS,
            is_starved(results.beeps),
        )
    add(
        "join to first picture, median",
        f"< {JOIN_MS:.0f} ms",
        f"{middle(joins):.0f} ms",
        middle(joins) < JOIN_MS,
        not fit,
    )
    for one in results.conversations:
        if one.people == JITTER_PEOPLE:
            found = f"{one.fps:.2f} fps, {one.jitter:.2f} ms"
            met = one.held and one.jitter < JITTER_MS
            add(f"30 fps at {JITTER_PEOPLE} people, {one.codec}", f"p95 < {JITTER_MS:.0f} ms", found, met, one.starved)
    return lines


def noise(results: Results) -> str:
    """How much else the machine did."""
    speeds = [speed for found in results.conversations for speed in found.speeds]
    late = [ms for found in results.conversations for ms in found.report.lateness]
    return (
        f"{results.seconds:.0f} s in all. Other work took {max(0.0, results.other_work):.0%} of the machine meanwhile;"
        f" a fixed piece of work took {min(speeds):.0f} to {max(speeds):.0f} ms of CPU; the crowd sent pictures"
        f" {percentile(late, 50):.1f} ms late in the median, {percentile(late, 99):.1f} ms at p99."
    )


def tables(results: Results) -> list[Table]:
    """The figures for the screen."""
    return [
        _table("What a room costs", ROOM_HEADINGS, rooms(results)),
        _table("How fast it is", TIME_HEADINGS, times(results)),
        _table("Targets", TARGET_HEADINGS, targets(results)),
    ]


def markdown(results: Results) -> str:
    """The figures for ``docs/performance.md``."""
    parts = [
        _markdown(headings, lines)
        for headings, lines in (
            (ROOM_HEADINGS, rooms(results)),
            (TIME_HEADINGS, times(results)),
            (TARGET_HEADINGS, targets(results)),
        )
    ]
    return "\n\n".join([f"{machine()}. {noise(results)}", *parts])


def raw(results: Results) -> dict[str, Any]:
    """Everything that was measured."""
    return {"machine": machine(), "targets": targets(results), **asdict(results)}


def _threads(found: Conversation) -> list[float]:
    return found.report.windows[0].threads[:3]


def _ratio_verdict(found: Conversation, ratio: float) -> str:
    return STARVED if found.starved else _verdict(ratio <= RATIO)


def _verdict(met: bool) -> str:
    return "met" if met else "missed"


def _table(title: str, headings: tuple[str, ...], lines: Rows) -> Table:
    shown = Table(title=title)
    for heading in headings:
        shown.add_column(heading)
    for line in lines:
        shown.add_row(*line)
    return shown


def _markdown(headings: tuple[str, ...], lines: Rows) -> str:
    head = [f"| {' | '.join(headings)} |", "|" + " --- |" * len(headings)]
    return "\n".join(head + [f"| {' | '.join(line)} |" for line in lines])
