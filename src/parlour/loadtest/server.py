"""What a server's media workers say of themselves on ``/metrics``, and what that comes to over a time."""

import re
import ssl
from dataclasses import dataclass
from typing import Final

import httpx

ANSWER_S: Final = 5.0
TEXT_MAX: Final = 4 << 20

_FIGURE = re.compile(r'^parlour_worker\{figure="(\w+)",worker="([^"\\]{1,100})"\} (\S{1,40})$', re.MULTILINE)

Figures = dict[str, dict[str, float]]
"""By worker and name."""


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """A worker over a time.

    ``cores`` is what it used, as a number of cores, ``parts`` that by what it did; ``load_percent`` is of its budget
    and ``relief`` the step of what its rooms go without, both at the end. ``late_sound`` and ``missed_pictures`` are
    parts of all, 0 to 1.
    """

    worker: str
    cores: float
    parts: dict[str, float]
    load_percent: float | None
    relief: int
    late_sound: float
    missed_pictures: float


PARTS: Final = {
    "decode": "picture_decode_seconds",
    "scale": "picture_scale_seconds",
    "compose": "picture_compose_seconds",
    "encode": "picture_encode_seconds",
    "audio": "sound_seconds",
    "in": "in_seconds",
    "out": "out_seconds",
}
"""Where a worker's CPU time goes, by its own name of each part."""


async def read(origin: str, trust: ssl.SSLContext | None = None) -> Figures:
    """What the workers say now; nothing where the server does not tell everybody."""
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S, verify=trust or True, trust_env=False) as client:
            answer = await client.get(f"{origin}/metrics")
    except (httpx.HTTPError, ValueError):
        return {}
    return parse(answer.text) if answer.is_success and len(answer.content) <= TEXT_MAX else {}


def parse(text: str) -> Figures:
    """The workers' figures in Prometheus's format; what is no number is left out."""
    found: Figures = {}
    for figure, worker, value in _FIGURE.findall(text):
        try:
            found.setdefault(worker, {})[figure] = float(value)
        except ValueError:
            continue
    return found


def compared(before: Figures, after: Figures) -> list[WorkerReport]:
    """What the workers that have rooms did in between; those that were not there before are left out."""
    reports = []
    for worker, now in sorted(after.items()):
        then = before.get(worker)
        if then is None or not now.get("rooms"):
            continue

        def grown(name: str, now: dict[str, float] = now, then: dict[str, float] = then) -> float:
            return max(0.0, now.get(name, 0.0) - then.get(name, 0.0))

        seconds = grown("uptime_seconds")
        if not seconds:
            continue
        late, ticks = grown("sound_late") + grown("sound_missed"), grown("sound_ticks") + grown("sound_missed")
        missed, pictures = grown("picture_missed"), grown("picture_ticks") + grown("picture_missed")
        reports.append(
            WorkerReport(
                worker=worker,
                cores=grown("cpu_seconds") / seconds,
                parts={part: grown(name) / seconds for part, name in PARTS.items()},
                load_percent=now.get("load_percent"),
                relief=int(now.get("relief", 0)),
                late_sound=late / ticks if ticks else 0.0,
                missed_pictures=missed / pictures if pictures else 0.0,
            )
        )
    return reports
