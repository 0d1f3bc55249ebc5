"""Whose silence means that they are gone, and whose does not."""

from uuid import UUID

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from parlour.bus.link import ALIVE_S, DEAD_S, Alive, Lease, encoder
from parlour.bus.roster import Roster

ROOM = UUID(int=7)
OWNER = Lease("a", 1.0)


class House:
    """A roster, its clock, and whether the bus is there."""

    def __init__(self) -> None:
        self.now = 100.0
        self.connected = True
        self.roster = Roster(lambda: self.now, lambda: self.connected)

    def hear(self) -> None:
        """The worker lives."""
        alive = Alive(OWNER.worker, 0.5, (ROOM,), OWNER.started)
        self.roster.heard(Msg(Client(), data=encoder.encode(alive)))

    def pass_by(self, seconds: float) -> None:
        """Time goes by as it should, with a look now and then, and nobody says anything."""
        for _ in range(round(seconds / ALIVE_S)):
            self.now += ALIVE_S
            self.roster.look()

    def lives(self) -> bool:
        """Whether the worker is taken to be alive."""
        return self.roster.lives(OWNER)


@pytest.fixture
def house() -> House:
    """Where the worker was heard just now."""
    house = House()
    house.hear()
    return house


def test_who_is_silent_for_too_long_is_gone_and_known_to_be_within_five_seconds(house: House) -> None:
    assert DEAD_S + 2 * ALIVE_S < 5
    house.pass_by(DEAD_S - ALIVE_S)
    assert house.lives()
    assert house.roster.owner(ROOM) == OWNER
    house.pass_by(ALIVE_S)
    assert not house.lives()
    assert house.roster.owner(ROOM) is None
    house.hear()
    assert house.lives()


@pytest.mark.parametrize("seconds", [DEAD_S, 60.0])
def test_who_stood_still_takes_nobody_for_dead_before_it_has_listened_again(house: House, seconds: float) -> None:
    house.now += seconds
    assert house.lives(), "what was said meanwhile is not read yet"
    house.roster.look()
    assert house.lives()
    house.pass_by(DEAD_S - ALIVE_S)
    assert house.lives()
    house.pass_by(ALIVE_S)
    assert not house.lives()


def test_while_the_bus_is_away_nobody_is_gone(house: House) -> None:
    house.connected = False
    house.pass_by(DEAD_S * 3)
    assert house.lives()
    house.connected = True
    house.pass_by(DEAD_S)
    assert house.lives()
    house.pass_by(DEAD_S)
    assert not house.lives()
