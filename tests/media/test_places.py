"""Where people are in the picture of a live room: where they were put, hands first, and the speaker in front."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

import numpy as np
import pytest

from parlour.domain.live.commands import Act
from parlour.domain.live.events import LayoutChanged, Told
from parlour.domain.room import Layout, Room
from parlour.media.audio.sound import TickResult
from parlour.media.conference import Conference
from parlour.media.transport import Endpoint
from tests.domain.live.people import T0, a_room
from tests.media.cameras import Look, camera, filming, shows
from tests.media.guest import Guest, live
from tests.media.video.scene import BLUE, GREEN, RED

COLOURS = {"ana": RED, "ben": BLUE, "cem": GREEN}
MODERATOR = ("self", "member", "layout", "vmuted")


class Wall:
    """A clock on the wall that a test moves."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


Opens = Callable[..., Conference]


@pytest.fixture
async def opens(endpoint: Endpoint, told: list[Told], wall: Wall) -> AsyncIterator[Opens]:
    """Brings a room to life."""
    rooms: list[Conference] = []
    numbers = count(1)

    def open_(room: Room) -> Conference:
        new_id = lambda: f"m{next(numbers)}"  # noqa: E731 - a name for what it is
        rooms.append(Conference(room, "session", endpoint, told.append, lambda: None, new_id=new_id, wall=wall))
        return rooms[-1]

    yield open_
    for conference in rooms:
        await conference.close()


class Party:
    """People of one colour each in a room, of whom the first may do everything."""

    def __init__(self, conference: Conference, endpoint: Endpoint, room: Room) -> None:
        self.conference = conference
        self._endpoint = endpoint
        self._room = room
        self.guests: dict[str, Guest] = {}

    async def meet(self, *names: str) -> None:
        """Let these come in."""
        for name in names:
            guest = Guest(self.conference, self._endpoint, name, room=self._room, capabilities=MODERATOR)
            self.guests[name] = await guest.join()

    async def film(self, act: Callable[[], Awaitable[None]]) -> None:
        """Let everybody's camera run."""
        await filming(act, *((guest, camera(COLOURS[name])) for name, guest in self.guests.items()))

    async def see(self, *looks: Look) -> None:
        """Everybody's picture has these colours in the end."""
        guests = list(self.guests.values())
        await live(guests, lambda: all(shows(guest, *looks) for guest in guests))

    def act(self, name: str, **params: object) -> None:
        """The first one does something; ``positions`` are by name."""
        if isinstance(places := params.get("positions"), dict):
            params["positions"] = {self.id(one): place for one, place in places.items()}
        self.conference.ask(Act(self.id("ana"), name, (), params))

    def id(self, name: str) -> str:
        return self.guests[name].member_id if name in self.guests else name


def party_in(opens: Opens, endpoint: Endpoint, layout: Layout) -> Party:
    room = a_room(max_members=0, tone_on_entry_and_exit=False, layout=layout)
    return Party(opens(room), endpoint, room)


CELLS = {1: (320, 180), 2: (960, 180), 3: (320, 540), 4: (960, 540)}
"""The middles of the cells of two by two."""


async def test_people_are_seen_where_they_are_put(opens: Opens, endpoint: Endpoint) -> None:
    party = party_in(opens, endpoint, Layout.TWO_BY_TWO)
    await party.meet("ana", "ben", "cem")

    async def act() -> None:
        await party.see((CELLS[1], RED), (CELLS[2], BLUE), (CELLS[3], GREEN))
        party.act("member.position.set", positions={"ana": "standard-4", "ben": "standard-1"})
        await party.see((CELLS[1], BLUE), (CELLS[4], RED), (CELLS[3], GREEN))
        party.act("member.position.set", positions={"cem": "full-screen"})
        await party.see(*((cell, GREEN) for cell in CELLS.values()))
        party.act("member.position.set", positions={"cem": "auto", "ben": "playback"})
        await party.see(*((cell, BLUE) for cell in CELLS.values()))
        party.act("member.position.set", positions={"ben": "reserved-3", "cem": "off-canvas", "ana": "auto"})
        party.act("layout.set", layout="highlight-1-responsive", positions={"ben": "reserved-1", "ana": "standard-1"})
        await party.see(((400, 240), BLUE), ((1066, 120), RED))
        assert not shows(party.guests["ben"], ((1066, 360), GREEN)), "nobody sees who was taken off"
        party.act("layout.set", layout="1x1", positions={"all": "auto"})
        party.act("layout.set", layout="presenter-dual-horizontal", positions={"cem": "reserved-1"})
        await party.see(((960, 360), GREEN))

    await party.film(act)


async def test_hands_bring_people_onto_the_canvas_while_they_go_first(
    opens: Opens, endpoint: Endpoint, wall: Wall
) -> None:
    party = party_in(opens, endpoint, Layout.ONE_BY_ONE)
    await party.meet("ana", "ben", "cem")
    middle = (640, 360)

    async def act() -> None:
        await party.see((middle, RED))
        for name in ("cem", "ben"):
            wall.now += 1
            party.conference.ask(Act(party.id(name), "raisehand"))
        party.act("handraise.prioritize.set", enable=True)
        await party.see((middle, GREEN))
        party.conference.ask(Act(party.id("cem"), "lowerhand"))
        await party.see((middle, BLUE))
        party.act("handraise.prioritize.set", enable=False)
        party.conference.ask(Act(party.id("ben"), "lowerhand"))
        await party.see((middle, BLUE))

    await party.film(act)


FRAME_S = 0.02
LOUD, COUGH = 5000.0, 1200.0


async def test_the_large_tile_follows_the_speaker_and_nobody_who_coughs(
    opens: Opens, endpoint: Endpoint, told: list[Told], wall: Wall
) -> None:
    party = party_in(opens, endpoint, Layout.HIGHLIGHT_1_RESPONSIVE)
    await party.meet("ana", "ben", "cem")
    stamps = count(0, 960)

    def speak(seconds: float, *names: str, score: float = LOUD) -> None:
        """Let so much time pass in which these are heard; nothing else happens meanwhile."""
        for _ in range(round(seconds / FRAME_S)):
            wall.now += FRAME_S
            scores = {party.id(name): score for name in names}
            conference._send_sound(TickResult(next(stamps), scores, b"", {}, np.zeros((960, 1), np.int16), {}))

    def lead() -> str:
        picture = [each.event for each in told if isinstance(each.event, LayoutChanged)][-1].picture
        member_id = next(layer.member_id for layer in picture.layers if layer.position == "reserved-1")
        return next(name for name in COLOURS if party.id(name) == member_id)

    conference = party.conference
    assert lead() == "ana"
    speak(0.9, "ben")
    assert lead() == "ana", "less than a second of talk"
    speak(0.3, "ben")
    assert lead() == "ben"
    changes = len(told)
    speak(0.4)
    speak(0.2, "cem", score=COUGH)
    speak(0.4)
    assert lead() == "ben", "a pause and somebody's cough"
    speak(0.5, "ben")
    speak(3.0, "ben", "cem")
    assert lead() == "ben", "who talks keeps the place, whoever else does"
    pictures = [each for each in told[changes:] if isinstance(each.event, LayoutChanged)]
    assert pictures == []
    speak(0.9, "cem")
    speak(1.5, "cem")
    assert lead() == "cem"
    speak(10.0)
    assert lead() == "cem", "silence changes nothing"

    async def act() -> None:
        await party.see(((400, 240), GREEN))

    await party.film(act)
