"""The figures of a run, and how they are shown: on the screen, as Markdown, as JSON."""

import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.load import Kind

TARGETS: dict[Kind, float] = {"create": 0.6, "get": 0.5}
"""The share of the floor's throughput that is asked for."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one server."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """Microseconds of the server's CPU time for a request."""
    load_cpu: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of request at one number of connections on one database: rounds of both servers, side by side."""

    database: str
    kind: Kind
    connections: int
    ours: list[Sample] = field(default_factory=list)
    floor: list[Sample] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Our throughput as a share of the floor's, round by round."""
        return [mine.per_second / least.per_second for mine, least in zip(self.ours, self.floor, strict=True)]

    @property
    def ratio(self) -> float:
        """The middle of ``ratios``."""
        return statistics.median(self.ratios)

    @property
    def spread(self) -> str:
        """The middle of ``ratios``, and in brackets the lowest and the highest."""
        return f"{self.ratio:.2f} ({min(self.ratios):.2f}–{max(self.ratios):.2f})"

    @property
    def verdict(self) -> str:
        """Whether the target is met, where there is one."""
        target = TARGETS.get(self.kind)
        if target is None:
            return "—"
        return f"{'met' if self.ratio >= target else 'missed'} ({target:.0%})"


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of our server after so many creates."""

    database: str
    creates: list[int]
    rss_kib: list[int]

    @property
    def bytes_a_create(self) -> float:
        """The slope over the second half of the series; what a server fills once is in the first."""
        half = len(self.creates) // 2
        return float(statistics.linear_regression(self.creates[half:], self.rss_kib[half:]).slope) * 1024


def machine() -> str:
    """The machine in a line."""
    models = {
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    }
    cores = sum(line.startswith("processor") for line in Path("/proc/cpuinfo").read_text().splitlines())
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024**2
    kernel = platform.release().partition("-")[0]
    return (
        f"{', '.join(sorted(models)) or platform.machine()}, {cores} cores, {memory:.0f} GiB, Linux {kernel},"
        f" Python {platform.python_version()}"
    )


HEADINGS = ("Database", "Request", "Conn.", "", "Per second", "p50 ms", "p99 ms", "CPU µs", "Of the floor", "Target")


def rows(cells: Sequence[Cell]) -> list[list[str]]:
    """Two rows a cell, ours above the floor."""
    found = []
    for cell in cells:
        found.append(
            [cell.database, cell.kind, str(cell.connections), "ours", *_middle(cell.ours), cell.spread, cell.verdict]
        )
        found.append(["", "", "", "floor", *_middle(cell.floor), "", ""])
    return found


def table(cells: Sequence[Cell]) -> Table:
    """The figures for the screen."""
    shown = Table(*HEADINGS[:4], title="Medians of the rounds; in brackets the lowest and the highest ratio")
    for heading in HEADINGS[4:]:
        shown.add_column(heading, justify="right")
    lines = rows(cells)
    for line, after in pairwise([*lines, [""]]):
        shown.add_row(*line, end_section=bool(after[0]) and after[0] + after[1] != line[0] + line[1])
    return shown


def markdown(cells: Sequence[Cell]) -> str:
    """The figures for ``docs/performance.md``: a line for each cell."""
    headings = [
        *HEADINGS[:3], "Ours/s", "Floor/s", "Ratio", "Ours p50/p99 ms", "Floor p50/p99 ms", "CPU µs ours/floor",
        "Target",
    ]  # fmt: skip
    lines = [f"| {' | '.join(headings)} |", "| --- | --- |" + " ---: |" * 7 + " --- |"]
    for cell in cells:
        ours, floor = _middle(cell.ours), _middle(cell.floor)
        line = [
            cell.database, cell.kind, str(cell.connections), ours[0], floor[0], cell.spread,
            f"{ours[1]} / {ours[2]}", f"{floor[1]} / {floor[2]}", f"{ours[3]} / {floor[3]}", cell.verdict,
        ]  # fmt: skip
        lines.append(f"| {' | '.join(line)} |")
    return "\n".join(lines)


def memory_table(found: Sequence[Memory]) -> Table:
    """The series for the screen."""
    shown = Table("Creates", *(f"{series.database}, MiB" for series in found), title="Resident memory of our server")
    for place, creates in enumerate(found[0].creates):
        shown.add_row(f"{creates:,}", *(f"{series.rss_kib[place] / 1024:.1f}" for series in found))
    shown.add_section()
    shown.add_row("bytes a create, second half", *(f"{series.bytes_a_create:.1f}" for series in found))
    return shown


def memory_markdown(found: Sequence[Memory]) -> str:
    """The series for ``docs/performance.md``: every fourth sample."""
    lines = [f"| Creates | {' | '.join(f'{series.database}, MiB' for series in found)} |"]
    lines.append("| ---: |" + " ---: |" * len(found))
    places = [0, *range(4, len(found[0].creates), 4)]
    for place in places:
        values = " | ".join(f"{series.rss_kib[place] / 1024:.1f}" for series in found)
        lines.append(f"| {found[0].creates[place]:,} | {values} |")
    slopes = " | ".join(f"{series.bytes_a_create:.1f}" for series in found)
    return "\n".join([*lines, f"| bytes a create, second half | {slopes} |"])


def raw(cells: Sequence[Cell], memory: Sequence[Memory], settings: dict[str, Any]) -> dict[str, Any]:
    """Everything that was measured."""
    return {
        "machine": machine(),
        "settings": settings,
        "cells": [asdict(cell) | {"ratio": cell.ratio} for cell in cells],
        "memory": [asdict(series) | {"bytes_a_create": series.bytes_a_create} for series in memory],
    }


def _middle(samples: Sequence[Sample]) -> tuple[str, str, str, str]:
    def median(name: str) -> float:
        return float(statistics.median(getattr(sample, name) for sample in samples))

    return (
        f"{median('per_second'):,.0f}",
        f"{median('p50_ms'):.2f}",
        f"{median('p99_ms'):.2f}",
        f"{median('cpu_us'):.0f}",
    )
