"""Rooms that live in the test: enough of a room to talk to, with canned or given session descriptions."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from parlour.domain.errors import Unavailable
from parlour.domain.live.commands import (
    Absent,
    Accepted,
    Act,
    Answered,
    Change,
    Command,
    Done,
    Hold,
    Join,
    Leave,
    Present,
    Record,
    Refused,
    Reoffer,
    Reply,
    Shut,
)
from parlour.domain.live.events import (
    CallEnded,
    Event,
    Joined,
    Layer,
    LayoutChanged,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    Picture,
    RoomLost,
    Session,
    SessionUpdated,
    Told,
)
from parlour.domain.live.member import Member, MemberKind
from parlour.front.signalling.rooms import Listener

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
LAYOUTS = ["grid-responsive", "3x3", "8x8"]

Answerer = Callable[[str, str, bool], Awaitable[str]]
"""Makes an SDP answer from a call's id, an offer and whether audio must come first."""


async def canned(_call_id: str, _offer: str, _audio_first: bool) -> str:
    """An answer that describes nothing."""
    return SDP


@dataclass
class FakeRoom:
    """One live room."""

    session: Session
    members: dict[str, Member] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)


class FakeRooms:
    """Implements ``Rooms``. ``asked`` is every command, in order; ``refusal`` answers the next join.

    The next command of each kind in ``busy`` is answered that there is too much to do, and is not among ``asked``.
    """

    def __init__(self, answerer: Answerer = canned) -> None:
        self.rooms: dict[UUID, FakeRoom] = {}
        self.asked: list[Command] = []
        self.refusal: Refused | None = None
        self.away = False
        self.busy: list[type[Command]] = []
        self._answerer = answerer
        self._listeners: dict[UUID, list[Listener]] = {}
        self._numbers = itertools.count(1)
        self._news = asyncio.Event()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something was asked that makes this true."""
        while not true():
            self._news.clear()
            await self._news.wait()

    async def subscribe(self, room_id: UUID, listener: Listener) -> "FakeSubscription":
        """See ``Rooms``."""
        if self.away:
            raise Unavailable("away")
        self._listeners.setdefault(room_id, []).append(listener)
        return FakeSubscription(self._listeners[room_id], listener)

    async def ask(self, room_id: UUID, command: Command) -> Reply:
        """See ``Rooms``."""
        if self.away:
            raise Unavailable("away")
        if type(command) in self.busy:
            self.busy.remove(type(command))
            return Refused(503, "busy", "too much to do")
        self.asked.append(command)
        self._news.set()
        match command:
            case Join():
                return await self._join(room_id, command)
            case Reoffer():
                return Answered(await self._answerer(command.call_id, command.sdp, False))
            case Hold() | Change() | Shut() | Record():
                return Done()
            case Leave():
                return self._leave(room_id, command.call_id)
            case Absent() | Present():
                return self._presence(room_id, command)
            case Act():
                return self._act(room_id, command)

    def tell(self, room_id: UUID, event: Event, to: tuple[str, ...] | None = None, but: tuple[str, ...] = ()) -> None:
        """Tell the listeners something."""
        for listener in tuple(self._listeners.get(room_id, ())):
            listener(Told(event, to, but))

    def listening(self, room_id: UUID) -> int:
        """How many listen."""
        return len(self._listeners.get(room_id, ()))

    def lose(self, room_id: UUID) -> None:
        """Let a room's worker die."""
        del self.rooms[room_id]
        self.tell(room_id, RoomLost())

    def kick(self, room_id: UUID, member_id: str) -> None:
        """Throw a member out."""
        room = self.rooms[room_id]
        member = room.members.pop(member_id)
        self.tell(room_id, CallEnded(member.id, member.call_id, "NORMAL_CLEARING", 16, "removed"), to=(member.id,))
        self.tell(room_id, MemberLeft(member, "removed"), but=(member.id,))

    async def _join(self, room_id: UUID, command: Join) -> Reply:
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            return refusal
        settings = command.room.settings
        room = self.rooms.get(room_id)
        if room is None:
            session = Session(
                f"s{next(self._numbers)}", str(room_id), settings.name, settings.display_name, settings.layout
            )
            room = self.rooms[room_id] = FakeRoom(session)
            if command.past is not None:
                room.session = command.past.session
                people = (member for member in command.past.members if member.kind is MemberKind.MEMBER)
                room.members = {member.id: member for member in people}
        if command.seat is not None:
            seat = room.members.get(command.seat.id, command.seat)
            room.members[seat.id] = replace(seat, call_id=command.call_id)
        member = next((one for one in room.members.values() if one.call_id == command.call_id), None)
        if command.reattach and member is None:
            return Refused(404, "no_such_call", "no such call")
        again = member is not None
        if member is None:
            member = Member(
                f"m{next(self._numbers)}",
                command.call_id,
                command.name,
                MemberKind.SCREEN if command.screen_of else MemberKind.MEMBER,
                command.screen_of,
                command.subscriber_id,
                capabilities=command.capabilities,
            )
            room.members[member.id] = member
        sdp = await self._answerer(command.call_id, command.sdp, command.audio_first)
        if not command.screen_of:
            self.tell(room_id, Joined(member.id, room.session, tuple(room.members.values())), to=(member.id,))
        if not again:
            self.tell(room_id, MemberJoined(member), but=(member.id,))
        self._show(room_id)
        return Accepted(member.id, room.session.id, sdp)

    def _leave(self, room_id: UUID, call_id: str) -> Reply:
        room = self.rooms[room_id]
        member = next((one for one in room.members.values() if one.call_id == call_id), None)
        if member is None:
            return Refused(404, "no_such_call", "no such call")
        del room.members[member.id]
        self.tell(room_id, CallEnded(member.id, call_id, "NORMAL_CLEARING", 16, "left"), to=(member.id,))
        self.tell(room_id, MemberLeft(member, "left"), but=(member.id,))
        self._show(room_id)
        return Done()

    def _presence(self, room_id: UUID, command: Absent | Present) -> Reply:
        room = self.rooms.get(room_id)
        if room is None:
            return Refused(404, "no_such_call", "there is nobody")
        if isinstance(command, Absent):
            room.away.update(command.call_ids)
        else:
            room.away.difference_update(command.call_ids)
        return Done()

    def _act(self, room_id: UUID, command: Act) -> Reply:  # noqa: C901 - one case an act
        room = self.rooms[room_id]
        if command.actor not in room.members:
            return Refused(404, "no_such_member", "the seat is gone")
        if "member" not in room.members[command.actor].capabilities and set(command.targets) - {command.actor}:
            return Refused(403, "not_allowed", "not allowed")
        targets = list(room.members) if "all" in command.targets else list(command.targets)
        match command.name:
            case "mute" | "unmute":
                for channel in command.params["channels"]:
                    for target in targets:
                        self._change(room_id, target, f"{channel}_muted", command.name == "mute")
            case "raisehand" | "lowerhand":
                for target in targets:
                    self._change(room_id, target, "hand_raised_at", 1.0 if command.name == "raisehand" else None)
            case "audioflags.set":
                for name, value in command.params.items():
                    self._change(room_id, targets[0], name, value)
            case "layout.list":
                return Done({"layouts": LAYOUTS})
            case "member.list":
                return Done({"members": list(room.members.values())})
            case "layout.set":
                room.session = replace(room.session, layout=command.params["layout"])
                self._show(room_id)
            case "lock" | "unlock":
                room.session = replace(room.session, locked=command.name == "lock")
                self.tell(room_id, SessionUpdated(room.session, ("locked",)))
            case "member.remove" | "end":
                for target in targets:
                    self.kick(room_id, target)
            case "member.position.set":
                self._show(room_id)
            case _:
                return Refused(404, "no_such_method", "no such method")
        return Done()

    def _change(self, room_id: UUID, member_id: str, name: str, value: object) -> None:
        room = self.rooms[room_id]
        member = room.members[member_id] = replace(room.members[member_id], **{name: value})  # type: ignore[arg-type]  # one field
        self.tell(room_id, MemberUpdated(member, (name,)))

    def _show(self, room_id: UUID) -> None:
        room = self.rooms[room_id]
        width = 100 / max(len(room.members), 1)
        layers = tuple(
            Layer(number, f"standard-{number + 1}", number * width, 0.0, width, 100.0, member_id=one, visible=True)
            for number, one in enumerate(room.members)
        )
        self.tell(room_id, LayoutChanged(Picture(room.session.layout, layers)))


@dataclass
class FakeSubscription:
    """One listener."""

    listeners: list[Listener]
    listener: Listener

    async def close(self) -> None:
        """See ``Subscription``."""
        self.listeners.remove(self.listener)
