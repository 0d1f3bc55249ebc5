"""The actor that owns a live room: commands and media come in, one picture and one sound go out.

``LiveRoom`` decides, this carries out. Everything happens on the event loop, one thing at a time; the planes' threads
hand their results over to it.
"""

import asyncio
import logging
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from parlour.domain.identity import time_ordered_id
from parlour.domain.live import acts, recordings, seats
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
    Past,
    Present,
    Record,
    Refused,
    Reoffer,
    Reply,
    Shut,
)
from parlour.domain.live.events import MediaWanted, Told
from parlour.domain.live.journal import Entry, Journal
from parlour.domain.live.room import GRACE, LiveRoom, Outcome
from parlour.domain.room import MEMBERS_MAX, Room
from parlour.media.audio.sound import TickResult
from parlour.media.call import Call
from parlour.media.packets import MediaPacket, RtpPacket
from parlour.media.preview.studio import Studio
from parlour.media.stage import Stage
from parlour.media.transport import BadOffer, Endpoint
from parlour.media.video.rendition import RenditionId

REVIEW_S = 1.0
"""How often what senders are asked for is looked at again, and whether their pictures still come."""
LINGER_S = 10.0
"""How long an empty room waits for somebody before it is over."""

PREVIEW_OCTETS = 24
"""Random octets in the URL of a session's preview."""

Tell = Callable[[Told], None]
Write = Callable[[Entry], None]
"""Takes what is to be kept of the session; does not block."""

log = logging.getLogger("parlour.media")


class Conference:
    """A live room with its media. ``tell`` takes each event in order, ``write`` what is to be kept of the session;
    ``ended`` is called once it is over.
    """

    def __init__(
        self,
        room: Room,
        session_id: str,
        endpoint: Endpoint,
        tell: Tell,
        ended: Callable[[], None],
        *,
        server_limit: int = MEMBERS_MAX,
        grace: float = GRACE,
        new_id: Callable[[], str],
        past: Past | None = None,
        write: Write = lambda entry: None,
        wall: Callable[[], float] = time.time,
        studio: Studio | None = None,
    ) -> None:
        """``wall`` gives Unix seconds, ``new_id`` ids of members. A room with a ``past`` goes on from there.

        Previews are made where there is a ``studio``.
        """
        self.room_id = room.room_id
        self._state = LiveRoom.opened(
            room,
            session_id,
            server_limit=server_limit,
            grace=grace,
            now=wall(),
            preview_key=secrets.token_urlsafe(PREVIEW_OCTETS),
        )
        if past is not None:
            self._state = seats.revive(self._state, past, wall())
        self._journal = Journal(fresh_id, begun=past is not None)
        self._write = write
        self._endpoint = endpoint
        self._tell = tell
        self._ended = ended
        self._new_id = new_id
        self._wall = wall
        self._loop = asyncio.get_running_loop()
        self._calls: dict[str, Call] = {}
        self._past: Counter[str] = Counter()
        self._stage = Stage(room.settings, self._calls, self._picture_made, self._sound_made, self._loop.time, studio)
        self._timer: asyncio.TimerHandle | None = None
        self._review = self._loop.call_later(REVIEW_S, self._look_again)
        self._over = False
        self._wake_at(self._wall() + LINGER_S)

    @property
    def is_over(self) -> bool:
        """Whether the room has ended."""
        return self._over

    @property
    def members(self) -> int:
        """How many are in."""
        return len(self._state.members)

    @property
    def past(self) -> Past | None:
        """What the room would go on from elsewhere; ``None`` where nobody is in."""
        return seats.past_of(self._state)

    def ask(self, command: Command) -> Reply:
        """Do what is asked, or say why not."""
        now = self._wall()
        match command:
            case Join():
                return self._join(command, now)
            case Reoffer():
                return self._reoffer(command, now)
            case Record():
                return self._take(recordings.record(self._state, command, self._new_id(), now))
            case Shut():
                return self._shut(now)
        return self._take(_STEPS[type(command)](self._state, command, now))

    async def close(self, *, silent: bool = False) -> None:
        """End every call and stop the planes. ``silent`` tells nobody: the room goes on elsewhere."""
        if not self._over and not silent:
            self._take(seats.end_all(self._state, self._wall()))
        await self._finish()

    def statistics(self) -> dict[str, float]:
        """Counts since the start."""
        calls = Counter(self._past)
        for call in self._calls.values():
            calls.update(call.statistics())
        return {"members": len(self._state.members)} | {
            **{f"calls_{name}": value for name, value in calls.items()},
            **self._stage.statistics(),
        }

    # -- calls

    def _join(self, command: Join, now: float) -> Reply:
        seat = self._state.seat(command.call_id) or command.seat
        member_id = seat.id if seat else self._new_id()
        call = Call(self, member_id, command.call_id, self._stage.receiver(), self._loop.time)
        call.leg = self._endpoint.open_leg(call, name=command.call_id, epoch=self._stage.started)
        try:
            sdp = call.leg.answer(command.sdp, audio_first=command.audio_first)
        except BadOffer as error:
            call.leg.close("bad offer")
            return Refused(422, "bad_offer", f"The offer cannot be taken: {error.reason}")
        outcome = seats.join(self._state, command, call.directions(), member_id, now)
        if not isinstance(outcome.reply, Accepted):
            call.leg.close("refused")
            return self._take(outcome)
        former = self._calls.get(outcome.reply.member_id)
        call.negotiated()
        self._calls[call.member_id] = call
        if former is not None:
            self._hang_up(former, "taken over")
            self._stage.renew(call)
        self._stage.enter(call)
        self._take(outcome)
        return replace(outcome.reply, sdp=sdp)

    def _reoffer(self, command: Reoffer, now: float) -> Reply:
        call = next((call for call in self._calls.values() if call.call_id == command.call_id), None)
        if call is None or call.leg is None:
            return seats.NO_SUCH_CALL
        try:
            sdp = call.leg.answer(command.sdp, audio_first=command.audio_first)
        except BadOffer as error:
            return Refused(422, "bad_offer", f"The offer cannot be taken: {error.reason}")
        call.negotiated()
        self._stage.picture.show(call.member_id, call.decoder)
        self.call_moved(call)
        reply = self._take(seats.reoffer(self._state, command, call.directions(), now))
        return Answered(sdp) if isinstance(reply, (Answered, Done)) else reply

    def _hang_up(self, call: Call, reason: str) -> None:
        leg = call.let_go()
        self._past.update(call.statistics())
        if leg is not None:
            leg.close(reason)

    # -- what legs tell

    def call_connected(self, call: Call) -> None:
        """See ``CallOwner``."""
        self._sync()
        self.call_needs_keyframe(call)

    def call_heard(self, call: Call, packet: RtpPacket) -> None:
        """See ``CallOwner``."""
        member = self._state.members.get(call.member_id)
        if member is not None and member.is_heard:
            self._stage.sound.sound.receive(call.member_id, packet)

    def call_needs_keyframe(self, call: Call) -> None:
        """See ``CallOwner``."""
        if call.wanted is not None:
            self._stage.picture.ask_keyframe(call.wanted)

    def call_moved(self, call: Call) -> None:
        """See ``CallOwner``."""
        self._make_pictures()
        if call.wanted != call.watched:
            self.call_needs_keyframe(call)

    def call_closed(self, call: Call, reason: str) -> None:
        """See ``CallOwner``. A leg that was lost keeps its seat for the grace period."""
        if call.leg is not None and self._calls.get(call.member_id) is call:
            call.let_go()
            log.info("call %s: %s", call.call_id, reason)
            self._take(seats.absent(self._state, Absent((call.call_id,)), self._wall()))

    # -- what the planes make

    def _picture_made(self, rendition: RenditionId, packets: list[MediaPacket]) -> None:
        self._hand_over(self._send_picture, rendition, packets)

    def _sound_made(self, result: TickResult) -> None:
        self._hand_over(self._send_sound, result)

    def _hand_over(self, act: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(act, *arguments)

    def _send_picture(self, rendition: RenditionId, packets: list[MediaPacket]) -> None:
        for call in self._calls.values():
            if self._sees(call):
                call.send_picture(rendition, packets)
            else:
                call.miss_picture(rendition)

    def _send_sound(self, result: TickResult) -> None:
        if self._over:
            return
        for call in self._calls.values():
            member = self._state.members.get(call.member_id)
            if call.leg is None or member is None or member.held or member.deaf:
                continue
            if member.receives_audio:
                call.leg.send_audio(result.payload_for(call.member_id), result.timestamp)
        scores = {member_id: round(score) for member_id, score in result.scores.items() if score}
        outcome = self._state.hear(scores, self._wall())
        if outcome.room.members is self._state.members:
            self._state = outcome.room  # voices rose and fell, but nobody began or stopped: nothing follows from that
        else:
            self._take(outcome)

    def _sees(self, call: Call) -> bool:
        member = self._state.members.get(call.member_id)
        return member is not None and member.receives_video and not member.held

    # -- carrying out

    def _take(self, outcome: Outcome) -> Reply:
        before, self._state = self._state, outcome.room
        if before is not outcome.room:
            for member_id in before.members.keys() - outcome.room.members.keys():
                self._forget(member_id)
            self._stage.announce(before, outcome.room)
            self._sync()
            for entry in self._journal.follow(before, outcome, self._wall()):
                self._write(entry)
        for told in outcome.told:
            self._tell(told)
        return outcome.reply

    def _forget(self, member_id: str) -> None:
        call = self._calls.pop(member_id, None)
        if call is not None:
            self._hang_up(call, "left")
        self._stage.forget(member_id)

    def _sync(self) -> None:
        """Make the media follow the state."""
        if self._stage.follow(self._state):
            self._ask_senders()
        self._make_pictures()
        now = self._wall()
        self._wake_at(seats.next_due(self._state, now) if self._state.members else now + LINGER_S)

    def _make_pictures(self) -> None:
        self._stage.make(frozenset().union(*(call.renditions for call in self._calls.values())))

    def _ask_senders(self) -> None:
        for call, wanted in self._stage.wishes(self._state):
            if call.leg is not None:
                call.leg.limit_sender(wanted.bitrate)
            event = MediaWanted(call.call_id, wanted.width, wanted.height, wanted.fps)
            self._tell(Told(event, to=(call.member_id,)))

    def _look_again(self) -> None:
        self._stage.set_cards(self._state)
        self._ask_senders()
        self._review = self._loop.call_later(REVIEW_S, self._look_again)

    # -- time

    def _wake_at(self, due: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None and not self._over:
            self._timer = self._loop.call_later(max(0.0, due - self._wall()), self._time_passed)

    def _time_passed(self) -> None:
        self._timer = None
        if not self._state.members:
            self._end()
            return
        self._take(seats.expire(self._state, self._wall()))

    def _shut(self, now: float) -> Reply:
        """Remove everybody, and wait for nobody to come back."""
        reply = self._take(seats.end_all(self._state, now, seats.DELETED))
        self._end()
        return reply

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._stage.over()
            for entry in self._journal.end(self._state, self._wall()):
                self._write(entry)
            self._ended()

    async def _finish(self) -> None:
        self._over = True
        self._review.cancel()
        self._wake_at(None)
        for call in list(self._calls.values()):
            self._hang_up(call, "the room is over")
        self._calls.clear()
        await self._stage.end()


_STEPS: Mapping[type, Callable[[LiveRoom, Any, float], Outcome]] = {
    Hold: seats.hold,
    Leave: seats.leave,
    Absent: seats.absent,
    Present: seats.present,
    Act: acts.act,
    Change: seats.change,
}
"""Commands that are about the room's state alone."""


def fresh_id() -> UUID:
    """An id that sorts by the time it was made."""
    return time_ordered_id(time.time_ns(), int.from_bytes(os.urandom(8), "big"))
