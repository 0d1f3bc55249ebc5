"""A signalling session: what outlives a socket. It is named by its ``protocol`` and holds the calls of one page."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Protocol
from uuid import UUID

from parlour.domain.live.events import (
    CallEnded,
    Joined,
    LayoutChanged,
    MediaWanted,
    MemberJoined,
    MemberLeft,
    MemberTalking,
    MemberUpdated,
    Session,
    SessionUpdated,
    Told,
)
from parlour.domain.live.member import Member, MemberKind
from parlour.domain.ticket import Ticket
from parlour.front.signalling import wire
from parlour.front.signalling.answers import Answers
from parlour.front.signalling.counts import Counts
from parlour.front.signalling.lint import Malformed, check_event
from parlour.front.signalling.wire import Json

CALLS_MAX = 8
"""Calls that one session may have at once: the own one, screens, and some room to err."""
BACKLOG_MAX = 256
"""Events kept for a client whose socket is gone; older ones go first."""
HELD_MAX = 512
"""Events kept for a call until its seat is confirmed, and for a session while an answer has to go first."""
MOVED = ("NORMAL_TEMPORARY_FAILURE", "41", "the room moved; join again")
"""The verto cause, its number and the reason of a call that went down with its room's worker."""

log = logging.getLogger("parlour.signalling")


class LetGo(Protocol):
    """Ends a socket, after a last frame where there is one."""

    def __call__(self, last: Json | None = None) -> None: ...


class Stage(Enum):
    """How far a call has come."""

    JOINING = auto()
    ANSWERED = auto()
    JOINED = auto()
    LEAVING = auto()


@dataclass(slots=True, eq=False)
class Call:
    """A leg, as the page knows it. ``live`` is the room session as it was last told."""

    id: str
    kind: MemberKind = MemberKind.MEMBER
    room_id: UUID | None = None
    member_id: str = ""
    stage: Stage = Stage.JOINING
    live: Session | None = None
    held: deque[Told] = field(default_factory=lambda: deque(maxlen=HELD_MAX))
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Dialogue:
    """One page's session. Everything here happens on the event loop and without waiting.

    ``vacant`` are the seats, by room, whose calls went down with a worker: the next call to the room gets them back.
    """

    def __init__(self, protocol: str, ticket: Ticket, agent: str, counts: Counts, *, strict: bool) -> None:
        """``strict`` raises on malformed events, for tests; otherwise they are counted, logged and not sent."""
        self.protocol = protocol
        self.ticket = ticket
        self.agent = agent
        self.origin = ""
        self.calls: dict[str, Call] = {}
        self.answers = Answers()
        self.online = False
        self.away_since: float | None = 0.0
        self.vacant: dict[UUID, Member] = {}
        self._let_go: LetGo | None = None
        self._send: Callable[[Json], None] | None = None
        self._backlog: deque[Json] = deque(maxlen=BACKLOG_MAX)
        self._holders = 0
        self._held: deque[tuple[UUID, Told]] = deque(maxlen=HELD_MAX)
        self._counts = counts
        self._strict = strict
        self._numbers = itertools.count(1)

    @property
    def audio_first(self) -> bool:
        """Whether the client expects the answer's audio section first where its offer has video first."""
        return self.agent.startswith("@signalwire/js/browser/3.")

    @property
    def connected(self) -> bool:
        """Whether there is a socket just now."""
        return self._send is not None

    def attach(self, send: Callable[[Json], None], let_go: LetGo, origin: str = "") -> None:
        """Send through this socket from now on; an earlier one is let go. What was missed waits for ``catch_up``.

        ``origin`` is where the client reaches this server, without a slash at the end.
        """
        if self._let_go is not None and self._send != send:
            self._let_go()
        self._send, self._let_go = send, let_go
        self.origin = origin
        self.away_since = None

    def detach(self, send: Callable[[Json], None], now: float) -> bool:
        """The socket is gone. ``False`` when another one has taken its place already."""
        if self._send != send:
            return False
        self._send = self._let_go = None
        self.away_since = now
        return True

    def part(self) -> None:
        """The server ends: the SDK is to wait for the socket's end, and to come back to whoever answers then."""
        if self._let_go is not None:
            frame = {"jsonrpc": "2.0", "id": f"d{next(self._numbers)}", "method": "signalwire.disconnect", "params": {}}
            self._let_go(frame)

    def catch_up(self) -> None:
        """Send what was told while there was no socket."""
        while self._backlog and self._send is not None:
            self._send(self._backlog.popleft())

    def emit(self, kind: str, params: Json) -> None:
        """Send an event of the protocol, after a last look at it."""
        frame: Json = {
            "jsonrpc": "2.0",
            "id": f"e{next(self._numbers)}",
            "method": "signalwire.event",
            "params": {
                "event_type": kind,
                "event_channel": self.protocol,
                "timestamp": time.time(),
                "project_id": str(self.ticket.project),
                "node_id": wire.NODE,
                "params": params,
            },
        }
        try:
            check_event(frame, self.protocol)
        except Malformed as finding:
            self._counts.malformed += 1
            log.error("a malformed %s was not sent: %s", kind, finding)  # noqa: TRY400 - the finding says it all
            if self._strict:
                raise
            return
        if self._send is not None and not self._backlog:
            self._send(frame)
            return
        if len(self._backlog) == BACKLOG_MAX:
            self._counts.forgotten += 1
        self._backlog.append(frame)

    def verto(self, method: str, params: Json) -> None:
        """Send a verto message."""
        self.emit("webrtc.message", {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": params})

    def answered(self, call: Call, sdp: str) -> None:
        """The seat is confirmed: give the answer, then what was told meanwhile."""
        self.verto("verto.answer", {"callID": call.id, "sdp": sdp})
        call.stage = Stage.ANSWERED
        self._release(call)

    def abandon(self, call: Call) -> None:
        """The room did not let the call in."""
        self.calls.pop(call.id, None)
        self._release(call)

    def resume(self, call: Call, stage: Stage) -> None:
        """The call was to be joined anew and was not: it goes on as it was, and hears what was told meanwhile."""
        call.stage = stage
        self._release(call)

    def hear(self, room_id: UUID, told: Told) -> None:
        """A room tells something.

        A call that is not confirmed yet hears it later. While that is a screen, so does its owner: the SDK wants to
        know the screen's answer before its member.
        """
        if self._holders:
            if len(self._held) == HELD_MAX:
                self._counts.forgotten += 1
            self._held.append((room_id, told))
            return
        seat = self.vacant.get(room_id)
        if isinstance(told.event, MemberLeft) and seat is not None and told.event.member.id == seat.id:
            del self.vacant[room_id]
        mine = self.calls_in(room_id)
        for call in mine:
            if call.stage is Stage.JOINING:
                if len(call.held) == HELD_MAX:
                    self._counts.forgotten += 1
                call.held.append(told)
                if call.kind is not MemberKind.MEMBER:
                    return
        self._pass(told, [call for call in mine if call.stage is not Stage.JOINING])

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Keep back what rooms tell during a block, and pass it on after."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            while self._held and not self._holders:
                self.hear(*self._held.popleft())

    def end(self, call: Call, reason: str) -> None:
        """Tell that a call is over; the SDK wants to hear it before the call is gone."""
        if call.live is not None and call.kind is MemberKind.MEMBER:
            self.emit("call.left", wire.left(call.id, call.member_id, call.live, reason, self.origin))
        self.calls.pop(call.id, None)

    def lose(self, call: Call, member: Member | None) -> None:
        """The call went down with its room's worker; as ``member`` its holder may come back."""
        if call.kind is MemberKind.MEMBER and call.room_id is not None and member is not None:
            self.vacant[call.room_id] = member
        cause, code, reason = MOVED
        self.end(call, reason)
        self.verto("verto.bye", {"callID": call.id, "cause": cause, "causeCode": code})

    def calls_in(self, room_id: UUID | None) -> list[Call]:
        """The calls to a room."""
        return [call for call in self.calls.values() if call.room_id == room_id]

    def _release(self, call: Call) -> None:
        held = list(call.held)
        call.held.clear()
        for told in held:
            to = [call] if call.kind is MemberKind.MEMBER else self.calls_in(call.room_id)
            self._pass(told, to)

    def _pass(self, told: Told, calls: list[Call]) -> None:
        match told.event:
            case Joined() as event:
                for call in calls:
                    if call.member_id == event.member_id:
                        self._joined(call, event)
            case CallEnded() as event:
                for call in calls:
                    if call.id == event.call_id and call.stage is not Stage.LEAVING:
                        self.end(call, event.reason or event.cause)
                        self.verto(
                            "verto.bye", {"callID": call.id, "cause": event.cause, "causeCode": str(event.cause_code)}
                        )
            case MediaWanted() as event:
                for call in calls:
                    if call.id == event.call_id:
                        self.verto("verto.mediaParams", {"callID": call.id, "mediaParams": wire.media_params(event)})
            case _:
                self._tell(told, calls)

    def _joined(self, call: Call, event: Joined) -> None:
        # Never twice on a live call and never for a screen: every further one multiplies the SDK's event handlers.
        if call.stage is Stage.ANSWERED and call.kind is MemberKind.MEMBER:
            call.live = event.session
            call.stage = Stage.JOINED
            mine = next((member for member in event.members if member.id == event.member_id), None)
            flags = None if mine is None else wire.audio_params(mine, wire.flags_off(mine))
            if flags is not None:  # a page that was reloaded has forgotten them
                self.verto("verto.mediaParams", {"callID": call.id, "mediaParams": flags})
            self.emit("call.joined", wire.joined(call.id, call.member_id, event.session, event.members, self.origin))

    def _tell(self, told: Told, calls: list[Call]) -> None:
        """Send what concerns a room's members once, however many of the page's calls are in it."""
        for call in calls:
            reached = call.member_id in told.to if told.to is not None else call.member_id not in told.but
            if call.kind is MemberKind.MEMBER and call.stage is Stage.JOINED and reached and call.live is not None:
                self._spell(told.event, call, call.live)
                return

    def _spell(self, event: Any, call: Call, live: Session) -> None:
        match event:
            case MemberJoined():
                self.emit("member.joined", wire.member_joined(event.member, live))
            case MemberLeft():
                self.emit("member.left", wire.member_left(event.member, live, event.reason))
            case MemberUpdated():
                self._member_updated(event, live)
            case MemberTalking():
                self.emit("member.talking", wire.member_talking(event.member_id, live, event.talking))
            case LayoutChanged():
                self.emit("layout.changed", wire.layout_changed(event.picture, live))
            case SessionUpdated():
                call.live = event.session
                self.emit("call.updated", wire.call_updated(event.session, event.updated, self.origin))

    def _member_updated(self, event: MemberUpdated, live: Session) -> None:
        flags = wire.audio_params(event.member, event.updated)
        if flags is not None and event.member.call_id in self.calls:
            self.verto("verto.mediaParams", {"callID": event.member.call_id, "mediaParams": flags})
        body = wire.member_updated(event.member, live, event.updated)
        if body is not None:
            self.emit("member.updated", body)
