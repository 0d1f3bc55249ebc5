"""A load test from beginning to end: everybody comes, is measured, loses packets, and goes."""

import asyncio
import contextlib
import itertools
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Final

from parlour.loadtest import figures
from parlour.loadtest.content import Film, Sounds, make_film, make_sounds
from parlour.loadtest.crowd import Crowd, Door, Guest, Snapshot
from parlour.loadtest.eye import Eye
from parlour.loadtest.member import Member
from parlour.loadtest.plan import FPS, Plan
from parlour.loadtest.reception import Counts
from parlour.loadtest.report import CostReport, LossReport, MemberReport, PictureReport, Report, Spread
from parlour.loadtest.server import Figures, compared
from parlour.loadtest.signalling import NotIn
from parlour.loadtest.timecode import Rect
from parlour.loadtest.verdict import WHOLE_S, complaints

JOINING_MAX: Final = 16
"""Members that come in at the same time."""
LOOK_S: Final = 0.25
_SEED: Final = 20

Told = Callable[[str, float, "Live | None"], None]
"""Takes what is being done, how much of it is done (0 to 1), and how it goes."""
Look = Callable[[], Awaitable[Figures]]
"""Asks the server's workers for their figures."""
OpenDoor = Callable[[int, Callable[[dict[str, Rect]], None] | None], Door]
"""Gives the way in for a member by its number; the second takes where everybody is shown, as often as that changes."""


class Live:
    """How it goes just now: packets a second, pictures a second of the one who looks, its picture's age in seconds."""

    def __init__(self, members: int, packets: float, fps: float, age: float | None, lost: int) -> None:
        self.members, self.packets, self.fps, self.age, self.lost = members, packets, fps, age, lost


class LoadTest:
    """One run. ``own`` are the addresses that media may go to, ``None`` for all; ``tell`` shows how far it is."""

    def __init__(self, plan: Plan, open_door: OpenDoor, own: frozenset[str] | None, tell: Told, look: Look) -> None:
        self.report = Report(asked=asdict(plan))
        self._plan, self._open_door, self._own, self._tell = plan, open_door, own, tell
        self._look = look
        self._eye: Eye | None = None
        self._looker: Guest | None = None
        self._nobody_looks = True
        self._tiles: dict[str, Rect] = {}

    async def run(self) -> Report:
        """Do all of it. Raises :class:`NotIn` when nobody gets in."""
        self._tell("Making what they send", 0.0, None)
        film, sounds = await asyncio.to_thread(self._content)
        crowd = Crowd(self._plan.codec, film, sounds, own=self._own)
        async with _driven(crowd):
            await self._gather(crowd)
            await self._wait("Settling", crowd, self._plan.settle)
            await self._measure(crowd)
            for loss in self._plan.losses:
                await self._lose(crowd, loss)
            self._tell("Leaving", 1.0, None)
        self.report.complaints = complaints(self.report)
        return self.report

    def _content(self) -> tuple[Film, Sounds]:
        return make_film(self._plan.codec, *self._plan.film), make_sounds()

    # -- coming

    async def _gather(self, crowd: Crowd) -> None:
        plan, room = self._plan, asyncio.Semaphore(JOINING_MAX)

        async def come(number: int) -> None:
            looks, self._nobody_looks = self._nobody_looks, False
            sends = number < plan.senders
            door = self._open_door(number, self._lay_out if looks else None)
            try:
                guest = await crowd.join(
                    door,
                    sends=sends,
                    voice=number if sends and number < plan.speakers else None,
                    prepare=(lambda member: self._watch(member, crowd)) if looks else (lambda member: None),
                )
            except NotIn as problem:
                self.report.refused.append(str(problem))
                self._nobody_looks = self._nobody_looks or looks  # the next one to come does, if there is one
            else:
                if looks:
                    self._looker = guest
            finally:
                room.release()

        async with asyncio.TaskGroup() as coming:
            for number in range(plan.members):
                await room.acquire()
                coming.create_task(come(number))
                self._tell(f"Joining: {len(crowd.guests)} of {plan.members}", number / plan.members, None)
                await asyncio.sleep(plan.join_every)
        if not crowd.guests:
            raise NotIn(self.report.refused[0])
        self.report.signalled = spread([guest.signalled for guest in crowd.guests])
        self.report.joined = spread([guest.joined for guest in crowd.guests])

    def _watch(self, member: Member, crowd: Crowd) -> None:
        self._eye = member.watch(crowd.sent_at)
        self._eye.lay_out(self._tiles)

    def _lay_out(self, tiles: dict[str, Rect]) -> None:
        self._tiles = tiles
        if self._eye is not None:
            self._eye.lay_out(tiles)

    # -- measuring

    async def _measure(self, crowd: Crowd) -> None:
        told = await self._look()
        before, began = crowd.snapshot(), time.time()
        crowd.engine.lateness.clear()
        await self._wait("Measuring", crowd, self._plan.seconds)
        after, ended = crowd.snapshot(), time.time()
        self.report.server = compared(told, await self._look())
        self.report.members = [_member(guest, before, after) for guest in crowd.guests]
        self.report.cost = _cost(crowd, before, after)
        if self._eye is not None and self._looker is not None:
            self.report.picture = _picture(self._eye, self._looker.member.id, began, ended)

    async def _lose(self, crowd: Crowd, loss: float) -> None:
        eye, guest = self._eye, self._looker
        if eye is None or guest is None:
            return
        peer, chance = guest.member.peer, random.Random(_SEED)  # noqa: S311 - the same losses each time
        reception = peer.reception
        before, holes, began = reception.counts - Counts(), len(reception.healing), time.time()
        abandoned = reception.missing.abandoned + reception.missing.overflows
        peer.loses = lambda data: chance.random() < loss
        await self._wait(f"Losing {loss:.0%}", crowd, self._plan.loss_seconds)
        peer.loses = None
        ended = time.time()
        whole = await self._whole(eye, guest, ended)
        counts = reception.counts - before
        arrivals = [at for at in eye.seen.arrivals if began <= at <= ended]
        sizes = [size for at, size in zip(eye.seen.arrivals, eye.seen.sizes, strict=True) if at >= began]
        self.report.losses.append(
            LossReport(
                loss=loss,
                seconds=ended - began,
                dropped=counts.dropped,
                holes=counts.holes,
                resent=counts.resent,
                abandoned=reception.missing.abandoned + reception.missing.overflows - abandoned,
                nacked=counts.nacked,
                plis=counts.plis,
                healed=spread(reception.healing[holes:]),
                pictures=len(arrivals),
                fps=len(arrivals) / (ended - began),
                still_ms=figures.longest_gap([began, *arrivals], ended) * 1000,
                whole_ms=None if whole is None else whole * 1000,
                sizes=list(dict.fromkeys(sizes)),
            )
        )

    async def _whole(self, eye: Eye, guest: Guest, since: float) -> float | None:
        """How long it took until nothing was missing and another picture had come."""
        missing = guest.member.peer.reception.missing
        while time.time() - since < WHOLE_S:
            await asyncio.sleep(0.005)
            if not len(missing) and not eye.refresh_wanted and eye.seen.arrivals[-1:] > [since]:
                return max(0.0, time.time() - since)
        return None

    async def _wait(self, what: str, crowd: Crowd, seconds: float) -> None:
        began = time.monotonic()
        before = crowd.snapshot()
        looks = math.ceil(seconds / LOOK_S)
        for look in range(1, looks + 1):  # as far apart as one another: in a moment nothing can be counted
            await asyncio.sleep(max(0.0, began + seconds * look / looks - time.monotonic()))
            now = crowd.snapshot()
            if now.at > before.at:
                self._tell(what, min(1.0, (now.at - began) / seconds), self._live(crowd, before, now))
            before = now

    def _live(self, crowd: Crowd, before: Snapshot, now: Snapshot) -> Live:
        elapsed = now.at - before.at
        packets = sum(counts.packets for counts in now.counts.values())
        packets -= sum(counts.packets for counts in before.counts.values())
        seen = self._eye.seen if self._eye is not None else None
        arrivals = seen.arrivals[-FPS:] if seen is not None else []
        rate = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) if len(arrivals) > 1 else 0.0
        ages = list(itertools.islice(reversed(seen.ages), 100)) if seen is not None else []
        lost = sum(counts.lost + counts.audio_lost for counts in now.counts.values())
        return Live(len(crowd.guests), packets / elapsed, rate, figures.percentile(ages, 50), lost)


@contextlib.asynccontextmanager
async def _driven(crowd: Crowd) -> AsyncIterator[None]:
    """The crowd's engine runs; at the end everybody goes and every socket is closed."""
    running = asyncio.create_task(crowd.engine.run())
    try:
        yield
    finally:
        leaving = [crowd.leave(guest) for guest in list(crowd.guests)]
        await asyncio.gather(*leaving, return_exceptions=True)  # everything is known by now: nobody need hear of it
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        crowd.engine.shut()


def spread(seconds: Sequence[float]) -> Spread:
    """How values in seconds lie, in milliseconds."""
    at = [figures.percentile(seconds, share) for share in (50, 95, 100)]
    return Spread(len(seconds), *(None if value is None else value * 1000 for value in at))


def _member(guest: Guest, before: Snapshot, after: Snapshot) -> MemberReport:
    member, reception = guest.member, guest.member.peer.reception
    counts = after.counts[guest] - before.counts.get(guest, Counts())
    audio, video = reception.audio, reception.video
    return MemberReport(
        member_id=member.id,
        sends=member.sends,
        signalled_ms=guest.signalled * 1000,
        joined_ms=guest.joined * 1000,
        fps=counts.pictures / (after.at - before.at),
        sound=counts.audio / (after.at - before.at),
        loss=figures.loss(counts),
        audio_jitter_ms=audio.jitter / 48 if audio is not None else 0.0,
        video_jitter_ms=video.jitter / 90 if video is not None else 0.0,
        ended=getattr(guest.door, "over", ""),
        counts=counts,
    )


def _cost(crowd: Crowd, before: Snapshot, after: Snapshot) -> CostReport:
    seconds, cpu = after.at - before.at, after.cpu - before.cpu
    packets = sum(counts.packets for counts in after.counts.values())
    packets -= sum(counts.packets for counts in before.counts.values())
    return CostReport(
        seconds=seconds,
        cpu=cpu / seconds,
        cpu_per_member=cpu / seconds / max(1, len(crowd.guests)),
        packets_in=packets / seconds,
        packets_out=(after.sent - before.sent) / seconds,
        late=spread(list(crowd.engine.lateness)),
    )


def _picture(eye: Eye, member_id: str, began: float, ended: float) -> PictureReport:
    seen = eye.seen
    chosen = [index for index, at in enumerate(seen.arrivals) if began <= at <= ended]
    stamps, arrivals = [seen.stamps[index] for index in chosen], [seen.arrivals[index] for index in chosen]
    width, height = seen.sizes[chosen[-1]] if chosen else (0, 0)
    uneven = [abs(value) for value in figures.deviations(stamps, arrivals)]
    ages, old = seen.ages_between(began, ended), sum(began <= at <= ended for at in seen.old_at)
    return PictureReport(
        member_id=member_id,
        width=width,
        height=height,
        pictures=len(chosen),
        errors=seen.errors,
        fps=len(chosen) / (ended - began),
        age=spread(ages),
        older=old / (old + len(ages)) if old + len(ages) else None,
        unevenness=spread(uneven),
        still_ms=figures.longest_gap([began, *arrivals], ended) * 1000,
        legible=seen.legible / seen.looked if seen.looked else None,
    )
