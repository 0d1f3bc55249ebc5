"""All signalling sessions of this front, and the rooms that they listen to."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn
from uuid import UUID

from parlour.domain.errors import Refusal, Unavailable
from parlour.domain.live.commands import Absent, Act, Command, Done, Past, Present, Refused, Reply
from parlour.domain.live.events import RoomLost, Session, Told
from parlour.domain.live.member import Member, MemberKind
from parlour.domain.live.room import GRACE
from parlour.domain.ticket import Bearer, Ticket
from parlour.domain.turn import IceServer
from parlour.front.signalling import wire
from parlour.front.signalling.counts import Counts
from parlour.front.signalling.frames import Denied
from parlour.front.signalling.notices import Notices
from parlour.front.signalling.roll import Roll
from parlour.front.signalling.rooms import Rooms, Subscription
from parlour.front.signalling.session import Call, Dialogue, Stage
from parlour.front.signalling.sleepers import overflow
from parlour.front.tickets import BadToken, OldToken, Tickets, Use
from parlour.store import subscribers
from parlour.store.database import Database

ASK_S = 8.0
"""How long a room may take to answer. The SDK gives up on the socket after 10 seconds."""
AGAIN_S = 2.0
"""After how long a room that did not hear that its members are back is told again."""
KEPT_S = 75.0
"""How much longer than its seats a session without a socket is remembered here."""
VACANT_S = 15.0
"""How much longer than the seats in it a lost room is remembered while nobody joins again."""
TIDY_S = 15.0

log = logging.getLogger("parlour.signalling")


@dataclass(slots=True)
class _Line:
    """A room that somebody here listens to."""

    subscription: Subscription
    dialogues: set[Dialogue] = field(default_factory=set)
    roll: Roll = field(default_factory=Roll)
    lost_at: float = 0.0


class Switchboard:
    """Opens and resumes sessions, asks rooms, passes on what they tell."""

    def __init__(
        self,
        database: Database,
        tickets: Tickets,
        rooms: Rooms,
        *,
        grace: float = GRACE,
        ice_servers: Callable[[Ticket], Sequence[IceServer]] = lambda ticket: (),
        strict: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``ice_servers`` gives ``RTCIceServer`` objects; where it gives any, they must really work, or calls fail.

        ``grace`` is how many seconds the rooms keep a seat without its browser.
        """
        self.database = database
        self.tickets = tickets
        self.front = secrets.token_hex(8)
        """What rooms know this front by."""
        self.ice_servers = ice_servers
        self.counts = Counts()
        self.notices = Notices(self.ask)
        self._rooms = rooms
        self._grace = grace
        self._strict = strict
        self._monotonic = monotonic
        self._dialogues: dict[str, Dialogue] = {}
        self._lines: dict[UUID, _Line] = {}
        self._opening = asyncio.Lock()

    async def admit(self, token: str, protocol: str = "", state: str = "") -> Ticket:
        """Read a token. Raises ``Refusal`` when it is not good, also when its subscriber is gone.

        One whose time is past is still good for resuming the session ``protocol`` for as long as a seat of it is kept.
        """
        try:
            ticket = await self.tickets.read(token)
        except OldToken as old:
            ticket = old.ticket
            if not await self._keeps_a_seat(ticket, protocol, state):
                raise
        if ticket.bearer is Bearer.SUBSCRIBER:
            key = ticket.subscriber or UUID(int=0)
            if await self.database.run(lambda connection: subscribers.get(connection, ticket.project, key)) is None:
                raise BadToken("the subscriber is gone")
        return ticket

    async def open(self, ticket: Ticket, agent: str, protocol: str, state: str) -> Dialogue:
        """Resume the session ``protocol`` where ``state`` proves that it is the caller's; else begin a new one."""
        kept = await self._opened_state(ticket, protocol, state) if protocol and state else None
        if kept is None:
            protocol = f"signalwire_{ticket.id}_{secrets.token_hex(16)}_{ticket.project}"
            dialogue = Dialogue(protocol, ticket, agent, self.counts, strict=self._strict)
        else:
            self.counts.resumed += 1
            found = self._dialogues.get(protocol)
            dialogue = found or Dialogue(protocol, ticket, agent, self.counts, strict=self._strict)
            dialogue.ticket, dialogue.agent = ticket, agent
            if found is None:
                await self._restore(dialogue, kept["calls"])
        if not dialogue.connected:
            dialogue.away_since = self._monotonic()
        self._dialogues[protocol] = dialogue
        for crowded_out in overflow(one for one in self._dialogues.values() if one is not dialogue):
            self.counts.crowded_out += 1
            self._forget(crowded_out)
        return dialogue

    async def state_of(self, dialogue: Dialogue) -> str:
        """What proves, at any front, that a session and its calls are the caller's."""
        calls = [
            [call.id, str(call.room_id), call.member_id, call.kind.value, _essence(call)]
            for call in dialogue.calls.values()
            if call.member_id
        ]
        ticket = dialogue.ticket
        content = {"protocol": dialogue.protocol, "holder": _holder(ticket), "ticket": ticket.id, "calls": calls}
        return await self.tickets.seal(Use.STATE, content)

    async def present(self, dialogue: Dialogue) -> None:
        """The socket is back: take up the calls again, end those that the rooms have given up.

        A room that does not answer is asked again for as long as it keeps the seats.
        """
        end = self._monotonic() + self._grace
        async with asyncio.TaskGroup() as rooms:
            for room_id, calls in _by_room(dialogue).items():
                rooms.create_task(self._return(room_id, dialogue, calls, end))

    async def _return(self, room_id: UUID, dialogue: Dialogue, calls: list[Call], end: float) -> None:
        present = Present(tuple(call.id for call in calls), self.front)
        while True:
            try:
                if not _for_now(await self.ask(room_id, present)):
                    for call in calls:
                        async with call.lock:  # a join under way goes first
                            if dialogue.calls.get(call.id) is call:
                                await self._take_up(room_id, dialogue, call)
                    return
            except Denied as refusal:
                log.warning("a room did not hear that its members are back: %s", refusal)
            if self._monotonic() >= end:
                return
            await asyncio.sleep(AGAIN_S)

    async def absent(self, dialogue: Dialogue) -> None:
        """The socket is gone: ask the rooms to keep the seats for a while."""
        for room_id, calls in _by_room(dialogue).items():
            try:
                await self.ask(room_id, Absent(tuple(call.id for call in calls), self.front))
            except Denied as refusal:
                log.warning("a room did not hear that its members are gone: %s", refusal)

    async def ask(self, room_id: UUID, command: Command) -> Reply:
        """Ask a room. Raises ``Denied`` with 503 when it does not answer in time."""
        try:
            async with asyncio.timeout(ASK_S):
                return await self._rooms.ask(room_id, command)
        except (Unavailable, TimeoutError) as error:
            raise Denied(503, "unavailable", "the room does not answer just now; try again") from error

    async def listen(self, room_id: UUID, dialogue: Dialogue) -> None:
        """Pass on to a session what a room tells. Raises ``Denied`` with 503."""
        async with self._opening:
            line = self._lines.get(room_id)
            if line is None:
                try:
                    async with asyncio.timeout(ASK_S):
                        subscription = await self._rooms.subscribe(room_id, lambda told: self._told(room_id, told))
                except (Unavailable, TimeoutError) as error:
                    raise Denied(503, "unavailable", "the room cannot be reached just now; try again") from error
                line = self._lines[room_id] = _Line(subscription)
            line.dialogues.add(dialogue)

    def past(self, room_id: UUID, *, returning: bool = False) -> Past | None:
        """What a lost room was like, until it is alive again; who returns brings it along in any case."""
        line = self._lines.get(room_id)
        return line.roll.past() if line is not None and (line.roll.lost or returning) else None

    def seat(self, call: Call) -> Member | None:
        """Who a call is of, as far as the room has told."""
        line = self._lines.get(call.room_id) if call.room_id else None
        return line.roll.members.get(call.member_id) if line is not None else None

    def part(self) -> None:
        """Send every client away: this front ends."""
        for dialogue in tuple(self._dialogues.values()):
            dialogue.part()

    async def run(self) -> NoReturn:
        """Forget what nobody came back for, again and again until cancelled."""
        while True:
            await asyncio.sleep(TIDY_S)
            await self.tidy()

    async def tidy(self) -> None:
        """Forget sessions that nobody came back for, and rooms that nobody listens to."""
        now = self._monotonic()
        for dialogue in tuple(self._dialogues.values()):
            if dialogue.away_since is not None and now - dialogue.away_since > self._grace + KEPT_S:
                self._forget(dialogue)
        async with self._opening:
            for room_id, line in list(self._lines.items()):
                if line.roll.lost and now - line.lost_at > self._grace + VACANT_S:
                    line.roll = Roll()
                    for dialogue in line.dialogues:
                        dialogue.vacant.pop(room_id, None)
                line.dialogues = {one for one in line.dialogues if one.calls_in(room_id) or room_id in one.vacant}
                if not line.dialogues:
                    del self._lines[room_id]
                    await line.subscription.close()

    def statistics(self) -> dict[str, float]:
        """Figures for ``/metrics``."""
        return {
            **self.counts.statistics(),
            "sessions": len(self._dialogues),
            "calls": sum(len(dialogue.calls) for dialogue in self._dialogues.values()),
            "rooms": len(self._lines),
            **{f"notices_{name}": figure for name, figure in self.notices.statistics().items()},
        }

    def now(self) -> float:
        """Seconds that never go back."""
        return self._monotonic()

    def _forget(self, dialogue: Dialogue) -> None:
        """Its state, which the client has, still brings it back."""
        del self._dialogues[dialogue.protocol]
        for line in self._lines.values():
            line.dialogues.discard(dialogue)

    def _told(self, room_id: UUID, told: Told) -> None:
        line = self._lines.get(room_id)
        if line is None:
            return
        if isinstance(told.event, RoomLost):
            self._lost(room_id, line)
            return
        line.roll.note(told.event)
        for dialogue in tuple(line.dialogues):
            dialogue.hear(room_id, told)

    def _lost(self, room_id: UUID, line: _Line) -> None:
        """End the calls that went down with the room's worker. Joins under way find another one by themselves."""
        line.roll.lost, line.lost_at = True, self._monotonic()
        for dialogue in tuple(line.dialogues):
            # A screen before its owner, whose end is the end of what the client hears of the room.
            for call in sorted(dialogue.calls_in(room_id), key=lambda call: call.kind is MemberKind.MEMBER):
                if call.stage is not Stage.JOINING:
                    dialogue.lose(call, self._member(room_id, call, dialogue))

    async def _take_up(self, room_id: UUID, dialogue: Dialogue, call: Call) -> None:
        """Go on with a call whose seat is there. Raises ``Denied`` with 503 when the room does not answer."""
        reply = await self.ask(room_id, Act(call.member_id, "member.list"))
        if _for_now(reply):
            raise Denied(503, "unavailable", "the room has too much to do just now; try again")
        if not isinstance(reply, Refused):
            self._call_the_roll(room_id, call, reply)
        elif reply.reason == "lost":
            dialogue.lose(call, self._member(room_id, call, dialogue))
        else:
            dialogue.end(call, reply.message)
            dialogue.verto("verto.bye", {"callID": call.id, "cause": "NORMAL_CLEARING", "causeCode": "16"})

    def _call_the_roll(self, room_id: UUID, call: Call, reply: Reply) -> None:
        """Learn who is in a room that this front hears only since somebody resumed here."""
        line = self._lines.get(room_id)
        if line is not None and line.roll.session is None and isinstance(reply, Done):
            members = [wire.as_member(one) for one in reply.result.get("members", ())]
            call.live = wire.as_session(reply.result.get("session")) or call.live
            line.roll.session, line.roll.members = call.live, {member.id: member for member in members}

    def _member(self, room_id: UUID, call: Call, dialogue: Dialogue) -> Member:
        """The member behind a call, as it was last told; of a session that began elsewhere, who it was."""
        line = self._lines.get(room_id)
        found = line.roll.members.get(call.member_id) if line is not None else None
        ticket = dialogue.ticket
        return found or Member(call.member_id, call.id, ticket.name, subscriber_id=str(ticket.subscriber or ""))

    async def _keeps_a_seat(self, ticket: Ticket, protocol: str, state: str) -> bool:
        """Whether a session has a seat that its room still knows, or that went down with a worker just now.

        The session must be of that very ticket: another one of the same holder, long over, may have allowed more.
        """
        kept = await self._opened_state(ticket, protocol, state) if protocol and state else None
        if kept is None or kept.get("ticket") != ticket.id:
            return False
        dialogue = self._dialogues.get(protocol)
        if dialogue is None:
            seats = [(UUID(room_id), member_id) for _, room_id, member_id, *_ in kept["calls"]]
        elif dialogue.vacant:
            return True
        else:
            seats = [(call.room_id, call.member_id) for call in dialogue.calls.values() if call.room_id]
        return any(await asyncio.gather(*(self._may_have(room_id, member_id) for room_id, member_id in seats)))

    async def _may_have(self, room_id: UUID, member_id: str) -> bool:
        """Whether a room has a member, as far as can be known: one that does not answer may well have."""
        try:
            reply = await self.ask(room_id, Act(member_id, "member.list"))
        except Denied:
            return True
        return not isinstance(reply, Refused) or reply.reason == "lost" or _for_now(reply)

    async def _opened_state(self, ticket: Ticket, protocol: str, state: str) -> dict[str, Any] | None:
        try:
            content = await self.tickets.unseal(Use.STATE, state)
        except Refusal:
            return None
        return content if content["protocol"] == protocol and content["holder"] == _holder(ticket) else None

    async def _restore(self, dialogue: Dialogue, calls: list[list[Any]]) -> None:
        """Take over the calls of a session that another front had, or this one before its restart."""
        for call_id, room_id, member_id, kind, essence in calls:
            live = Session(*essence) if essence else None
            call = Call(call_id, MemberKind(kind), UUID(room_id), member_id, Stage.JOINED, live)
            try:
                await self.listen(UUID(room_id), dialogue)
            except Denied as refusal:
                log.warning("a call could not be taken over: %s", refusal)
            else:
                dialogue.calls[call_id] = call


def _holder(ticket: Ticket) -> list[str]:
    """Who may resume: the same subscriber, or a guest of the same project who has the state."""
    return [str(ticket.project), str(ticket.subscriber or "")]


def _essence(call: Call) -> list[str] | None:
    """What is needed of a room session to spell its events."""
    live = call.live
    return None if live is None else [live.id, live.room_id, live.name, live.display_name, live.layout]


def _for_now(reply: Reply) -> bool:
    """Whether a room may well say something else when it is asked again. A lost one will not."""
    return isinstance(reply, Refused) and reply.code >= 500 and reply.reason != "lost"


def _by_room(dialogue: Dialogue) -> dict[UUID, list[Call]]:
    found: dict[UUID, list[Call]] = {}
    for call in dialogue.calls.values():
        if call.room_id is not None and call.member_id and call.stage is not Stage.LEAVING:
            found.setdefault(call.room_id, []).append(call)
    return found
