"""How the figures of live rooms are shown: what they cost, where it goes, how fast they are, which targets are met."""

from typing import Final

from rich.table import Table

from benchmarks.room_results import PARTS, Conversation, Results, is_starved, middle, percentile

RATIOS: Final = {16: 1.25, 100: 1.4}
"""What a whole room may cost as a multiple of its floor, by members."""
OTHERS: Final = {1: 0.30, 4: 0.60, 9: 0.80, 16: 1.16}
"""What mod_conference of FreeSWITCH takes of a core for a room whose cameras send so much, by members."""
OF_OTHERS: Final = 0.6
OTHERS_MEMBERS: Final = (9, 16)
"""Where a room may take at most that part of it."""
AGE_MS: Final = (50.0, 150.0)
BEEP_MS, JOIN_MS, JITTER_MS = 100.0, 800.0, 5.0
LISTENER: Final = 0.0035
"""Of a core, for the picture and the sound of one more."""
OUT_A_CORE: Final = 75_000
OF_C: Final = 0.6
LATE_SOUND: Final = 0.001
SOUND_MEMBERS: Final = 300
JITTER_MEMBERS: Final = 9
STARVED: Final = "starved: no verdict"


Rows = list[list[str]]


ROOM_HEADINGS = (
    "Codec", "Members", "Worker, % of a core", "Floor in real time", "Ratio", "Floor without a pause", "Ratio to it",
    "fps",
)  # fmt: skip
PART_HEADINGS = ("Codec", "Members", "", *PARTS, "all")
TIME_HEADINGS = (
    "Codec",
    "Members",
    "Picture's age p50 / p99 ms",
    "Samples",
    "Join p50 / max ms",
    "Jitter p95 ms",
    "Late sound",
    "Packets lost",
)
COUNT_HEADINGS = (
    "Codec",
    "Members",
    "Packets out a second",
    "in",
    "out a second of their CPU",
    "Encodes a picture",
    "Encodes a frame of sound",
    "Speakers",
)
GIVEN_HEADINGS = (
    "Codec", "Members", "They send", "Worker, % of a core", "Floor in real time", "Ratio",
    "mod_conference", "Part of it",
)  # fmt: skip
FAN_HEADINGS = ("Receivers", "Legs", "Bare", "Bare, cut", "C", "C, cut", "Legs of C", "of C, cut")
TARGET_HEADINGS = ("Target", "Asked", "Found", "")


def rooms(results: Results) -> Rows:
    """What rooms cost."""
    return [
        [
            str(found.codec), _members(found), f"{found.cpu:.1%}",
            f"{sum(found.paced.values()):.1%}", f"{found.ratio_paced:.2f}",
            f"{sum(found.floor.values()):.1%}", f"{found.ratio:.2f}",
            "starved" if found.starved else f"{found.fps:.2f}",
        ]
        for found in results.conversations
    ]  # fmt: skip


def parts(results: Results) -> Rows:
    """Where it goes: the worker's part and the floor's in real time below it."""
    lines: Rows = []
    for found in results.conversations:
        for name, shares in (("worker", found.parts), ("floor", found.paced)):
            whole = sum(shares.values())
            cells = [f"{shares[part]:.1%}" if part in shares else "" for part in PARTS]
            lines.append([str(found.codec), _members(found), name, *cells, f"{whole:.1%}"])
    return lines


def times(results: Results) -> Rows:
    """How fast rooms are."""
    return [
        [
            str(found.codec), _members(found),
            f"{middle(found.report.ages):.1f} / {percentile(found.report.ages, 99):.1f}", f"{found.report.aged:,}",
            f"{middle(found.report.joins):.0f} / {max(found.report.joins):.0f}", f"{found.jitter:.2f}",
            f"{found.late_sound:.2%}", str(found.report.lost),
        ]
        for found in results.conversations
    ]  # fmt: skip


def counts(results: Results) -> Rows:
    """How much goes in and out, and how often something is encoded."""
    return [
        [
            str(found.codec), _members(found),
            f"{(found.window.video_out + found.window.audio_out) / found.window.wall:,.0f}",
            f"{found.window.packets_in / found.window.wall:,.0f}", f"{found.out_a_core:,.0f}",
            f"{found.encodes[0]:.2f}", f"{found.encodes[1]:.2f}", str(found.speakers),
        ]
        for found in results.conversations
    ]  # fmt: skip


def given(results: Results) -> Rows:
    """What rooms cost whose cameras send pictures of a size."""
    return [
        [
            str(found.codec), str(found.members), f"{found.size[0]}×{found.size[1]}", f"{found.cpu:.1%}",
            f"{found.floor:.1%}", f"{found.cpu / found.floor:.2f}",
            f"{OTHERS[found.members]:.0%}", f"{found.cpu / OTHERS[found.members]:.2f}",
        ]
        for found in results.given
    ]  # fmt: skip


def fan_outs(results: Results) -> Rows:
    """Packets a second of one core."""
    return [
        [
            str(found.receivers), *(_rate(rate) for rate in (found.legs, found.bare, found.bare_cut)),
            _rate(found.in_c), _rate(found.in_c_cut), _share(found.share), _share(found.share_cut),
        ]
        for found in results.fan_outs
    ]  # fmt: skip


def targets(results: Results) -> Rows:
    """Each target, and whether it is met."""
    lines = [line for one in results.conversations for line in _of_room(one)]
    for one in results.given:
        if one.members in OTHERS_MEMBERS:
            share = one.cpu / OTHERS[one.members]
            name = f"{one.members} of {one.size[0]}×{one.size[1]}, {one.codec}"
            asked, met = f"≤ {OF_OTHERS} × mod_conference", share <= OF_OTHERS
            lines.append(_target(name, asked, f"{share:.2f} ×", met, one.starved))
    for watched in results.audiences:
        low, high = min(watched.listeners), max(watched.listeners)
        found, asked = f"{watched.listener:.2%} ({low:.2%}–{high:.2%})", f"≤ {LISTENER:.2%} of a core"
        name = f"the next listener, {watched.codec}"
        lines.append(_target(name, asked, found, watched.listener <= LISTENER, watched.spoilt))
    for fan in results.fan_outs:
        if fan.share is not None and fan.share_cut is not None:
            found, asked = f"{fan.share:.0%} ({fan.share_cut:.0%} of one that cuts)", f"≥ {OF_C:.0%} of a C loop"
            lines.append(_target(f"fan-out to {fan.receivers}", asked, found, fan.share >= OF_C))
    return lines + _of_time(results)


def _of_room(one: Conversation) -> Rows:
    lines: Rows = []
    most = RATIOS.get(one.members)
    if most is not None:
        for kind, ratio in (("in real time", one.ratio_paced), ("without a pause", one.ratio)):
            found, met = f"{ratio:.2f} × at {one.fps:.1f} fps", ratio <= most
            lines.append(
                _target(f"CPU of {one.members}, {one.codec}", f"≤ {most} × floor {kind}", found, met, one.starved)
            )
    if one.members == SOUND_MEMBERS:
        met = one.late_sound <= LATE_SOUND
        lines.append(_target(f"late sound, {_members(one)}", f"≤ {LATE_SOUND:.1%}", f"{one.late_sound:.2%}", met))
        name, found, met = f"packets out, {_members(one)}", f"{one.out_a_core:,.0f}", one.out_a_core >= OUT_A_CORE
        lines.append(_target(name, f"≥ {OUT_A_CORE:,} a core", found, met))
    if one.members == JITTER_MEMBERS:
        found, met = f"{one.fps:.2f} fps, {one.jitter:.2f} ms", one.held and one.jitter < JITTER_MS
        name = f"30 fps of {one.members}, {one.codec}"
        lines.append(_target(name, f"p95 < {JITTER_MS:.0f} ms", found, met, one.starved))
    return lines


def _of_time(results: Results) -> Rows:
    fit = [found for found in results.conversations if not found.starved]
    ages = [ms for found in fit for ms in found.report.ages]
    joins = [ms for found in fit for ms in found.report.joins]
    asked = (
        ("picture through the mixer, median", AGE_MS[0], middle(ages)),
        ("picture through the mixer, p99", AGE_MS[1], percentile(ages, 99)),
        ("join to first picture, median", JOIN_MS, middle(joins)),
    )
    lines = [_target(name, f"< {most:.0f} ms", f"{ms:.1f} ms", ms < most, not fit) for name, most, ms in asked]
    if results.beeps is not None:
        beeps = results.beeps.beeps
        found = f"{middle(beeps):.1f} ms (p99 {percentile(beeps, 99):.1f}, {len(beeps)} of {results.beeps.beeps_sent})"
        met, spoilt = middle(beeps) < BEEP_MS, is_starved(results.beeps)
        lines.append(_target("sound through the mixer, median", f"< {BEEP_MS:.0f} ms", found, met, spoilt))
    return lines


def _target(name: str, asked: str, found: str, met: bool, spoilt: bool = False) -> list[str]:
    return [name, asked, found, STARVED if spoilt else "met" if met else "missed"]


def broken(results: Results) -> list[str]:
    """What must hold whatever the machine does, and does not: one encode a rendition, and one more than speak."""
    found = []
    for one in results.conversations:
        told, (picture, sound) = one.window.worker, one.encodes
        # Figures are read while the planes' threads run: what one tick encodes may be counted and the tick not yet.
        if told.get("picture_encoded", 0) > told.get("picture_ticks", 0) + 1:
            found.append(f"{one.codec} {one.members}: {picture:.2f} encodes a picture")
        if told.get("picture_renditions", 0):
            found.append(f"{one.codec} {one.members}: another rendition was made in the meantime")
        if told.get("sound_encoded", 0) > (one.speakers + 1) * (told.get("sound_ticks", 0) + 1):
            found.append(
                f"{one.codec} {one.members}: {sound:.2f} encodes a frame of sound with {one.speakers} speakers"
            )
    return found


def about(results: Results) -> str:
    """Where and how it was measured, and how much else the machine did."""
    speeds = [speed for found in results.conversations for speed in found.speeds]
    late = [ms for found in results.conversations for ms in found.report.lateness]
    return (
        f"{results.machine}. Commit {results.commit}, `{results.command}`, {results.seconds:.0f} s in all. "
        f"Other work took {max(0.0, results.other_work):.0%} of the machine meanwhile; a fixed piece of work took "
        f"{min(speeds, default=0):.0f} to {max(speeds, default=0):.0f} ms of CPU; the crowd sent "
        f"{percentile(late, 50):.1f} ms late in the median, {percentile(late, 99):.1f} ms at p99."
        + "".join(f" Not measured: {what}." for what in results.failed)
    )


def sections(results: Results) -> list[tuple[str, tuple[str, ...], Rows]]:
    """Each table with its title and headings."""
    return [
        ("What a room costs", ROOM_HEADINGS, rooms(results)),
        ("Where it goes, % of a core", PART_HEADINGS, parts(results)),
        ("How fast it is", TIME_HEADINGS, times(results)),
        ("What is sent and encoded", COUNT_HEADINGS, counts(results)),
        ("Beside another engine, on the same input", GIVEN_HEADINGS, given(results)),
        ("Fan-out, packets a second of one core", FAN_HEADINGS, fan_outs(results)),
        ("Targets", TARGET_HEADINGS, targets(results)),
    ]


def tables(results: Results) -> list[Table]:
    """The figures for the screen."""
    shown = []
    for title, headings, lines in sections(results):
        table = Table(title=title)
        for heading in headings:
            table.add_column(heading)
        for line in lines:
            table.add_row(*line)
        shown.append(table)
    return shown


def _members(found: Conversation) -> str:
    return str(found.members) if found.senders == found.members else f"{found.members}, {found.senders} of them send"


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:,.0f}"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
