"""Turns at the database's connections: in order, bounded, and none is lost."""

import asyncio
import contextlib

import pytest

from parlour.domain.errors import Unavailable
from parlour.store.turns import Turns


def turns(count: int = 1, most: int = 10, wait_s: float = 60.0) -> Turns:
    """Turns for a test."""
    return Turns(count, most, wait_s)


async def settle() -> None:
    """Let everybody run who can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_came_first_is_first() -> None:
    some, order = turns(), list[int]()

    async def come(number: int) -> None:
        await some.take()
        order.append(number)

    await some.take()
    coming = [asyncio.create_task(come(number)) for number in range(3)]
    await settle()
    assert order == []
    for done in range(3):
        some.give()
        await settle()
        assert order == list(range(done + 1))
    await asyncio.gather(*coming)
    some.give()
    assert some.statistics() == {"waiting": 0, "refused": 0}
    some.close()


async def test_one_too_many_is_refused() -> None:
    some = turns(most=2)
    await some.take()
    second = asyncio.create_task(some.take())
    await settle()
    with pytest.raises(Unavailable, match="too many"):
        await some.take()
    assert some.statistics() == {"waiting": 2, "refused": 1}
    some.give()
    await second
    some.close()


async def test_nobody_waits_without_end() -> None:
    some = turns(wait_s=0.0)
    await some.take()
    results = await asyncio.gather(*(some.take() for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 3
    some.give()
    await some.take()
    assert some.statistics()["waiting"] == 1


async def test_who_gives_up_waiting_leaves_the_turn_to_the_next() -> None:
    some = turns()
    await some.take()
    leaving, staying = asyncio.create_task(some.take()), asyncio.create_task(some.take())
    await settle()
    leaving.cancel()
    await settle()
    some.give()
    await staying
    assert leaving.cancelled()
    assert some.statistics()["waiting"] == 1
    some.close()


async def test_a_turn_that_comes_together_with_the_cancellation_is_not_lost() -> None:
    some = turns()
    await some.take()
    leaving, staying = asyncio.create_task(some.take()), asyncio.create_task(some.take())
    await settle()
    some.give()
    leaving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await leaving
    await staying
    assert some.statistics()["waiting"] == 1
    some.close()
