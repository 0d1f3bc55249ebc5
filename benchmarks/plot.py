"""A plot as SVG: stacked areas over a few points, and a line. Points stand at equal distances: they grow in squares."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH, HEIGHT = 880, 440
LEFT, TOP, RIGHT, BOTTOM = 64, 48, 150, 56
COLOURS: Final = ("#2f6f8f", "#5aa2b8", "#9fd0d8", "#d98c3f", "#7a5ea8", "#6fa04f", "#b8c94f", "#b0b0b0")
LINE: Final = "#1d1d1d"
STEPS: Final = (1, 2, 5)
LINES_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Series:
    """A name, and a value for each point."""

    name: str
    values: list[float]


def step_for(highest: float) -> float:
    """The distance of grid lines: 1, 2 or 5 times a power of ten, so that there are few of them up to ``highest``."""
    step = 10.0**-3
    while True:
        for factor in STEPS:
            if highest <= step * factor * LINES_MAX:
                return step * factor
        step *= 10


def stacked(points: Sequence[int], series: Sequence[Series], line: Series, *, title: str, across: str, up: str) -> str:
    """Areas on top of one another in the order of ``series``, and ``line`` over them. At least one point."""
    sums = [sum(one.values[index] for one in series) for index in range(len(points))]
    step = step_for(max(*sums, *line.values, 1e-3))
    highest = step * -(-max(*sums, *line.values, 1e-3) // step)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(index: int) -> float:
        return LEFT + (wide * index / (len(points) - 1) if len(points) > 1 else wide / 2)

    def y(value: float) -> float:
        return TOP + high * (1 - value / highest)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        '<g font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="28" font-size="16" fill="{LINE}">{escape(title)}</text>',
    ]
    for number in range(round(highest / step) + 1):
        level = number * step
        parts.append(f'<path d="M{LEFT} {y(level):.1f}H{WIDTH - RIGHT}" stroke="#e2e2e2"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(level) + 4:.1f}" text-anchor="end" fill="#555555">{level:g}</text>')
    below = [0.0] * len(points)
    for one, colour in zip(series, COLOURS, strict=False):
        above = [low + max(0.0, value) for low, value in zip(below, one.values, strict=True)]
        edge = [(x(index), y(value)) for index, value in enumerate(above)]
        back = [(x(index), y(value)) for index, value in reversed(list(enumerate(below)))]
        parts.append(f'<path d="{_path(edge + back)}Z" fill="{colour}"/>')
        below = above
    floor = [(x(index), y(value)) for index, value in enumerate(line.values)]
    parts.append(f'<path d="{_path(floor)}" fill="none" stroke="{LINE}" stroke-width="2.5" stroke-dasharray="7 4"/>')
    for index, point in enumerate(points):
        parts.append(f'<text x="{x(index):.1f}" y="{HEIGHT - 34}" text-anchor="middle" fill="#555555">{point}</text>')
    parts.append(
        f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 12}" text-anchor="middle" fill="{LINE}">{escape(across)}</text>'
    )
    middle = TOP + high / 2
    parts.append(
        f'<text x="18" y="{middle}" text-anchor="middle" transform="rotate(-90 18 {middle})" fill="{LINE}">'
        f"{escape(up)}</text>"
    )
    names = [(one.name, colour) for one, colour in zip(series, COLOURS, strict=False)]
    for row, (name, colour) in enumerate(reversed(names)):
        top = TOP + 8 + row * 22
        parts.append(f'<rect x="{WIDTH - RIGHT + 16}" y="{top}" width="14" height="14" fill="{colour}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 38}" y="{top + 12}" fill="{LINE}">{escape(name)}</text>')
    top = TOP + 8 + len(names) * 22 + 7
    left = WIDTH - RIGHT + 16
    parts.append(f'<path d="M{left} {top}h16" stroke="{LINE}" stroke-width="2.5" stroke-dasharray="7 4"/>')
    parts.append(f'<text x="{left + 22}" y="{top + 5}" fill="{LINE}">{escape(line.name)}</text>')
    return "\n".join([*parts, "</g></svg>"]) + "\n"


def _path(corners: Sequence[tuple[float, float]]) -> str:
    first, *rest = corners
    moves = [f"M{first[0]:.1f} {first[1]:.1f}", *(f"L{right:.1f} {down:.1f}" for right, down in rest)]
    return "".join(moves)
