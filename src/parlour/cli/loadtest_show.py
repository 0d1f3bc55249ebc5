"""How a load test is shown: its progress while it runs, and its figures for people."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from parlour.cli.output import console, errors, say, visible
from parlour.loadtest.plan import Plan
from parlour.loadtest.report import Report, Spread
from parlour.loadtest.run import Live
from parlour.loadtest.server import PARTS

NAMES = {
    "decode": "decoding",
    "scale": "scaling",
    "compose": "composing",
    "encode": "encoding",
    "audio": "sound",
    "in": "packets in",
    "out": "packets out",
}

ALMOST = 0.999
"""What counts as done: at the whole, the clock beside the bar would stop."""

Tell = Callable[[str, float, Live | None], None]


@contextmanager
def progress() -> Iterator[Tell]:
    """A line that says what is being done and how it goes, where there is a terminal to say it on."""
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(20),
        TimeElapsedColumn(),
        TextColumn("{task.fields[live]}"),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("", total=1.0, live="")

        def tell(what: str, part: float, live: Live | None) -> None:
            bar.update(task, description=what, completed=min(part, ALMOST), live="" if live is None else _live(live))

        yield tell


def _live(live: Live) -> str:
    age = "" if live.age is None else f", {live.age * 1000:.0f} ms old"
    return f"{live.members} in, {live.packets:,.0f} packets/s, {live.fps:.1f} pictures/s{age}, {live.lost} lost"


def show(report: Report, plan: Plan) -> None:
    """Print the figures."""
    width, height, bitrate = plan.film
    console.print(
        f"{_people(plan.senders, 'sender')} of {width}×{height} {plan.codec} at {bitrate / 1000:.0f} kbit/s, "
        f"{_people(plan.watchers, 'watcher')}, {plan.speakers} speaking",
        soft_wrap=True,
    )
    for table in (_times(report), _received(report), _losses(report), _workers(report), _cost(report)):
        if table is not None:
            console.print()
            console.print(table)
    console.print()
    for reason in dict.fromkeys(report.refused):
        say(f"{report.refused.count(reason)} did not get in: {visible(reason)}")
    if report.complaints:
        words = visible("; ".join(report.complaints))
        console.print(f"The server does not carry this: {words}.", style="yellow", markup=False, soft_wrap=True)
    else:
        console.print("The server carries this.", style="green")


def _times(report: Report) -> Table:
    table = _table("Milliseconds", "median", "p95", "most")
    _spread(table, "let in by the server", report.signalled)
    _spread(table, "first picture after dialling", report.joined)
    picture = report.picture
    if picture is not None:
        _spread(table, "age of the picture at one member", picture.age)
        _spread(table, "that picture's distance from its due time", picture.unevenness)
    return table


def _received(report: Report) -> Table | None:
    members, picture = report.members, report.picture
    if not members:
        return None
    table = _table("Received", "mean", "worst")
    _mean(table, "pictures a second", [member.fps for member in members], ".2f", min)
    _mean(table, "packets of sound a second", [member.sound for member in members], ".2f", min)
    _mean(table, "packets lost for good", [member.loss for member in members], ".3%", max)
    _mean(table, "jitter of the sound, ms", [member.audio_jitter_ms for member in members], ".1f", max)
    stills = [member.counts.still for member in members]
    table.add_row("times the picture stood still", f"{sum(stills) / len(stills):.1f}", str(max(stills)))
    if picture is not None:
        table.add_row(f"decoded at one member, {picture.width}×{picture.height}", _number(picture.fps, 2), "")
    return table


def _losses(report: Report) -> Table | None:
    losses = report.losses
    if not losses:
        return None
    table = _table("Losing on purpose, at one member", *(f"{one.loss:.0%} for {one.seconds:.0f} s" for one in losses))
    table.add_row("packets dropped", *(str(one.dropped) for one in losses))
    table.add_row("packets asked for (NACK)", *(str(one.nacked) for one in losses))
    table.add_row("packets that came again", *(str(one.resent) for one in losses))
    table.add_row("packets given up", *(str(one.abandoned) for one in losses))
    table.add_row("keyframes asked for (PLI)", *(str(one.plis) for one in losses))
    gaps = (one.healed for one in losses)
    table.add_row(
        "how long a gap was open, median and p95, ms", *(f"{_number(g.median)}, {_number(g.p95)}" for g in gaps)
    )
    table.add_row("pictures a second", *(f"{one.fps:.1f}" for one in losses))
    table.add_row("longest time without a picture, ms", *(f"{one.still_ms:.0f}" for one in losses))
    table.add_row("until it was whole again, ms", *(_number(one.whole_ms) for one in losses))
    return table


def _workers(report: Report) -> Table | None:
    if not report.server:
        return None
    table = _table("The server's workers", *(worker.worker for worker in report.server))
    table.add_row("cores used", *(f"{worker.cores:.2f}" for worker in report.server))
    for part in PARTS:
        table.add_row(f"  {NAMES[part]}", *(f"{worker.parts[part]:.3f}" for worker in report.server))
    table.add_row("load, % of what it may use", *(_number(worker.load_percent) for worker in report.server))
    table.add_row(
        "sound late, pictures left out",
        *(f"{worker.late_sound:.2%}, {worker.missed_pictures:.2%}" for worker in report.server),
    )
    return table


def _cost(report: Report) -> Table | None:
    cost = report.cost
    if cost is None:
        return None
    table = _table("The load test itself", "")
    table.add_row("of one core", f"{cost.cpu:.1%}")
    table.add_row("CPU milliseconds a second and member", f"{cost.cpu_per_member * 1000:.2f}")
    table.add_row("packets a second in, out", f"{cost.packets_in:,.0f}, {cost.packets_out:,.0f}")
    table.add_row("sent late by, p95 and most, ms", f"{_number(cost.late.p95, 1)}, {_number(cost.late.most, 1)}")
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first, style="dim", min_width=42)
    for heading in others:
        table.add_column(heading, justify="right")
    return table


def _spread(table: Table, name: str, found: Spread) -> None:
    table.add_row(name, *(_number(value) for value in (found.median, found.p95, found.most)))


def _mean(
    table: Table, name: str, values: Sequence[float], form: str, worst: Callable[[Sequence[float]], float]
) -> None:
    table.add_row(name, format(sum(values) / len(values), form), format(worst(values), form))


def _people(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
