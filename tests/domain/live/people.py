"""People and rooms for the tests of the live room."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from parlour.domain.address import Address
from parlour.domain.live import seats
from parlour.domain.live.capabilities import GUEST, MODERATOR
from parlour.domain.live.commands import Act, Join
from parlour.domain.live.events import Event, LayoutChanged, Told
from parlour.domain.live.room import Directions, LiveRoom, Outcome
from parlour.domain.room import Room, RoomSettings

T0 = 1_700_000_000.0
"""Unix seconds at which the tests begin."""
CAMERA = Directions(sends_audio=True, sends_video=True)
VOICE = Directions(sends_audio=True)
SCREEN = Directions(sends_video=True, receives_audio=False, receives_video=False)
_ID = UUID(int=1)


def at(seconds: float) -> datetime:
    """The moment ``seconds`` after the tests begin."""
    return datetime.fromtimestamp(T0 + seconds, UTC)


def a_room(*, updated: float = 0, **settings: Any) -> Room:
    """A room as it is kept, with defaults for what is not said."""
    given = {"name": "cafe", "enable_room_previews": False, **settings}
    return Room(_ID, _ID, _ID, Address(_ID, "cafe"), RoomSettings.created(given), at(0), at(updated))


def opened(**settings: Any) -> LiveRoom:
    """An empty live room."""
    return LiveRoom.opened(a_room(**settings), "session")


def joins(name: str, room: LiveRoom, /, **given: Any) -> Join:
    """The command with which ``name`` joins; its call is ``c-name``."""
    fields = {"capabilities": MODERATOR, "subscriber_id": name, "call_id": f"c-{name}", "room": room.room, **given}
    return Join(sdp="", name=name, **fields)


def join(room: LiveRoom, name: str, /, now: float = T0, media: Directions = CAMERA, **given: Any) -> Outcome:
    """``name`` joins and gets its own name as member id."""
    return seats.join(room, joins(name, room, **given), media, name, now)


def with_people(room: LiveRoom, *names: str, now: float = T0, media: Directions = CAMERA, **given: Any) -> LiveRoom:
    """The room once these have joined and the picture has come to rest."""
    for name in names:
        room = join(room, name, now, media, **given).room
    return rest(room, now)


def rest(room: LiveRoom, now: float = T0) -> LiveRoom:
    """The room once the picture has its final size."""
    return room.settled(room.sizing.due or now)


def do(actor: str, name: str, *targets: str, **params: Any) -> Act:
    """An in-call method."""
    return Act(actor, name, targets, params)


def places(room: LiveRoom) -> dict[str, str]:
    """Who is where."""
    return {member.id: member.current_position for member in room.members.values()}


def kinds(told: tuple[Told, ...]) -> list[str]:
    """The names of the events, in order."""
    return [type(each.event).__name__ for each in told]


def events(told: tuple[Told, ...], kind: type[Event]) -> list[Any]:
    """The events of one kind."""
    return [each.event for each in told if isinstance(each.event, kind)]


def last_layout(told: tuple[Told, ...]) -> dict[str, str]:
    """Who is where after the last layout that was told."""
    layers = events(told, LayoutChanged)[-1].picture.layers
    return {layer.member_id: layer.position for layer in layers if layer.member_id}


GUESTS: dict[str, Any] = {"capabilities": GUEST}
"""How a guest joins."""
