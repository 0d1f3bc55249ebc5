"""A receiver that cannot take the full picture gets the small one, and comes back."""

import itertools

import pytest

from parlour.media.conference import Conference
from parlour.media.transport import Endpoint
from parlour.media.video import receiver
from parlour.media.video.codec import VideoCodec
from tests.media.guest import ROOM, Guest, film, live, while_filming

FULL, SMALL = (1280, 720), (640, 360)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
@pytest.mark.parametrize("trouble", [{"estimate": 250_000}, {"lost": 20}], ids=["estimate", "loss"])
async def test_down_and_up_again(
    conference: Conference,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    codec: str,
    trouble: dict[str, int],
) -> None:
    monkeypatch.setattr(receiver, "SUSTAINED_S", 1.0)
    monkeypatch.setattr(receiver, "CALM_S", 1.0)
    sender = await Guest(conference, endpoint, "sender", room=ROOM, codec=codec).join()
    weak = await Guest(conference, endpoint, "weak", room=ROOM, codec=codec).join()

    def last(guest: Guest, size: tuple[int, int]) -> bool:
        return len(guest.frames) > 5 and guest.frames[-3:] == [size] * 3

    def says(step: int, lost: int | None = None, estimate: int | None = None) -> None:
        if step % 20 == 0:
            weak.report(estimate=estimate, loss=None if lost is None else lost / 100)

    async def act() -> None:
        both = [sender, weak]
        await live(both, lambda: last(weak, FULL) and last(sender, FULL))
        assert conference.statistics()["picture_renditions"] == 1
        await live(both, lambda: last(weak, SMALL), also=lambda step: says(step, **trouble))
        assert last(sender, FULL), "the others' picture stays"
        await live(both, lambda: conference.statistics()["picture_renditions"] == 2)
        await live(
            both,
            lambda: last(weak, FULL),
            also=lambda step: says(step, lost=0, estimate=3_000_000),
        )
        await live(both, lambda: conference.statistics()["picture_renditions"] == 1)

    await while_filming(sender, film(VideoCodec(codec)), act)
    changes = [size for size, _ in itertools.groupby(weak.frames)]
    assert changes == [FULL, SMALL, FULL]
    assert set(sender.frames) == {FULL}
    sequences = [sequence for sequence, _ in weak.stamps]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences))), "one stream without a hole"
    steps = [(after - before) & 0xFFFFFFFF for (_, before), (_, after) in itertools.pairwise(weak.stamps)]
    assert max(steps) < 2**31, "time never goes back"
    took = weak.arrivals[-1] - weak.arrivals[0]
    assert sum(steps) / 90_000 == pytest.approx(took, abs=2), "and goes as fast as the clock"
    counts = conference.statistics()
    assert (counts["calls_moved_down"], counts["calls_moved_up"]) == (1, 1)


async def test_there_are_four_renditions_at_most_and_none_for_nobody(
    conference: Conference, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "SUSTAINED_S", 0.2)
    guests = [
        await Guest(conference, endpoint, f"{codec}-{number}", room=ROOM, codec=codec).join()
        for codec in ("H264", "VP8")
        for number in range(2)
    ]
    assert conference.statistics()["picture_renditions"] == 2
    weak = [guests[0], guests[2]]

    def complain(step: int) -> None:
        for guest in weak:
            if step % 15 == 0:
                guest.report(loss=0.5)

    await live(guests, lambda: all(guest.frames[-1:] == [SMALL] for guest in weak), also=complain)
    counts = conference.statistics()
    assert (counts["picture_renditions"], counts["picture_renditions_small"]) == (4, 2)
    for guest in guests:
        guest.leg.close("gone")
    assert conference.statistics()["picture_renditions"] == 0
