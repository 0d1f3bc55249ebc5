"""The actor that owns a live room: commands and media come in, one picture and one sound go out.

``LiveRoom`` decides, this carries out. Everything happens on the event loop, one thing at a time; the planes' threads
hand their results over to it.
"""

import asyncio
import logging
import os
import secrets
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from uuid import UUID

from parlour.domain.identity import time_ordered_id
from parlour.domain.live import recordings, seats
from parlour.domain.live.commands import (
    Absent,
    Accepted,
    Answered,
    Command,
    Done,
    Join,
    Past,
    Record,
    Refused,
    Reoffer,
    Reply,
    Shut,
)
from parlour.domain.live.events import MediaWanted, Told
from parlour.domain.live.journal import Entry, Journal
from parlour.domain.live.recording import Recording
from parlour.domain.live.relief import Relief
from parlour.domain.live.room import GRACE, LiveRoom, Outcome
from parlour.domain.live.steps import STEPS
from parlour.domain.room import MEMBERS_MAX, Room
from parlour.media.audio.frame import RATE
from parlour.media.audio.sound import TickResult
from parlour.media.call import Call
from parlour.media.packets import MediaPacket, RtpPacket
from parlour.media.preview.studio import Studio
from parlour.media.recording.archive import Archive
from parlour.media.recording.recorders import FILMED, Recorders
from parlour.media.stage import Stage
from parlour.media.tally import Tally, total
from parlour.media.transport import BadOffer, Endpoint
from parlour.media.video.codec import VIDEO_CLOCK
from parlour.media.video.rendition import RenditionId

REVIEW_S = 1.0
"""How often what senders are asked for is looked at again, and whether their pictures still come."""
LINGER_S = 10.0
"""How long an empty room waits for somebody before it is over."""
RECORDED_S = 900.0
"""How long a room that is over waits for its recordings to be kept; a worker that ends waits less."""

BEHIND_MAX = 64
"""Pictures and frames of sound, three quarters of a second of them, that may wait for the loop to send them."""
PREVIEW_OCTETS = 24
"""Random octets in the URL of a session's preview."""

Tell = Callable[[Told], None]
Write = Callable[[Entry], None]
"""Takes what is to be kept of the session; does not block."""
Written = Callable[[], Awaitable[bool]]
"""Waits until that is kept, and says whether it is."""

log = logging.getLogger("parlour.media")

NOT_RECORDED = Refused(422, "invalid_state", "Nothing is recorded here.")


async def nothing_written() -> bool:
    """What is written nowhere is kept nowhere."""
    return False


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
        written: Written = nothing_written,
        archive: Archive | None = None,
        wall: Callable[[], float] = time.time,
        studio: Studio | None = None,
    ) -> None:
        """``wall`` gives Unix seconds, ``new_id`` ids of members. A room with a ``past`` goes on from there.

        Previews are made where there is a ``studio``, recordings where there is an ``archive``.
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
        self._past = Tally()
        self._past_dropped: Counter[str] = Counter()
        self._sending = 0.0
        self._waiting: deque[None] = deque()  # a mark for each thing handed over: threads may add as they like
        self._unsent = 0
        self._recorders = Recorders(self, archive, written) if archive is not None else None
        settings = self._state.room.settings
        self._stage = Stage(settings, self._calls, self._picture_made, self._sound_made, self._loop.time, studio)
        endpoint.rhythm.follow(self, *self._stage.beats)
        self._timer: asyncio.TimerHandle | None = None
        self._review = self._loop.call_later(REVIEW_S, self._look_again)
        self._over = False
        self._due: float | None = None
        self._wake_in_time()

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
                if self._recorders is None:
                    return NOT_RECORDED
                return self._take(recordings.record(self._state, command, self._new_id(), now))
            case Shut():
                return self._shut(now)
        return self._take(STEPS[type(command)](self._state, command, now))

    def relieve(self, relief: Relief) -> None:
        """Go without this from now on, as the worker has more or less to do than it can."""
        self._take(seats.relieve(self._state, relief))
        self._stage.relieve(relief)
        self._ask_senders()

    async def close(self, *, silent: bool = False) -> None:
        """End every call and stop the planes. ``silent`` tells nobody: the room goes on elsewhere."""
        now = self._wall()
        self._take(recordings.stop(self._state, now), silent=silent)
        if not self._over and not silent:
            self._take(seats.end_all(self._state, now))
        await self._finish()

    def punctuality(self) -> tuple[float, float]:
        """Frames of sound and pictures that were due since the start, and those that were late, let go or not sent."""
        due, late = self._stage.punctuality()
        return due, late + self._unsent

    def statistics(self) -> dict[str, float]:
        """Counts since the start; ``out_seconds`` is the CPU time of sending picture and sound to everybody.

        ``unsent`` pictures and frames of sound were made, and nobody got them because the loop was far behind.
        """
        calls = self._calls.values()
        tally = total((self._past, *chain.from_iterable(call.tallies() for call in calls)))
        dropped = Counter(self._past_dropped)
        for call in calls:
            if call.dropped:
                dropped.update(call.dropped)
        return {"members": len(self._state.members), "out_seconds": self._sending, "unsent": self._unsent} | {
            **{f"calls_{name}": value for name, value in tally._asdict().items()},
            "calls_received_dropped": dropped.total(),
            **{f"calls_dropped_{reason.replace(' ', '_')}": count for reason, count in dropped.items()},
            **self._stage.statistics(),
            **(self._recorders.statistics() if self._recorders is not None else {}),
        }

    # -- calls

    def _join(self, command: Join, now: float) -> Reply:
        if (refused := seats.turned_away(self._state, command, now)) is not None:
            return refused  # before anything is made for them: where there is too much to do, many try again and again
        seat = self._state.seat(command.call_id) or command.seat
        member_id = seat.id if seat else self._new_id()
        call = Call(self, member_id, command.call_id, self._stage.receiver(), self._loop.time)
        call.leg = self._endpoint.open_leg(call, name=command.call_id, epoch=self._stage.started)
        try:
            sdp = call.leg.answer(command.sdp, audio_first=command.audio_first)
        except BadOffer as error:
            self._hang_up(call, "bad offer")
            return Refused(422, "bad_offer", f"The offer cannot be taken: {error.reason}")
        outcome = self._joined(command, call, member_id, now)
        if not isinstance(outcome.reply, Accepted):
            self._hang_up(call, "refused")
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

    def _joined(self, command: Join, call: Call, member_id: str, now: float) -> Outcome:
        """What a join makes of the room; the first one may begin a recording, which whoever joins is told at once."""
        outcome = seats.join(self._state, command, call.directions(), member_id, now)
        if not isinstance(outcome.reply, Accepted) or not self._state.record_due or self._recorders is None:
            return outcome
        begun = recordings.begun(self._state, self._new_id(), now)
        outcome = seats.join(begun.room, command, call.directions(), member_id, now)
        return outcome._replace(told=(*begun.told, *outcome.told))

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
        self._past = total((self._past, *call.tallies()))
        self._past_dropped.update(call.dropped)
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
            self._take(seats.absent(self._state, Absent((call.call_id,), media=True), self._wall()))

    # -- what the recorders tell

    def recording_broke(self, recording_id: str, reason: str) -> None:
        """See ``RecordedRoom``."""
        recording = recordings.live(self._state)
        if recording is not None and recording.id == recording_id:
            self._take(recordings.stop(self._state, self._wall(), reason))

    def recording_done(self, recording: Recording) -> None:
        """See ``RecordedRoom``."""
        self._take(recordings.with_recording(self._state, recording))

    def recording_needs_keyframe(self) -> None:
        """See ``RecordedRoom``."""
        self._stage.picture.ask_keyframe(FILMED)

    # -- what the planes make

    def _picture_made(self, rendition: RenditionId, packets: list[MediaPacket]) -> None:
        if self._recorders is not None and packets:
            self._recorders.picture(rendition, packets[0].timestamp / VIDEO_CLOCK, packets)
        self._hand_over(self._send_picture, self._miss_picture, rendition, packets)

    def _sound_made(self, result: TickResult) -> None:
        if self._recorders is not None:
            self._recorders.sound(result.timestamp / RATE, result.samples)
        self._hand_over(self._send_sound, None, result)  # what comes next needs nothing of it

    def _hand_over(self, act: Callable[..., None], miss: Callable[..., None] | None, *what: object) -> None:
        self._waiting.append(None)
        with suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(self._take_over, act, miss, what)

    def _take_over(self, act: Callable[..., None], miss: Callable[..., None] | None, what: tuple[object, ...]) -> None:
        """Do what was handed over first, unless the loop is so far behind that nobody wants that any more."""
        self._waiting.popleft()
        in_time = len(self._waiting) < BEHIND_MAX
        self._unsent += not in_time
        if in_time:
            act(*what)
        elif miss is not None:
            miss(*what)

    def _send_picture(self, rendition: RenditionId, packets: list[MediaPacket]) -> None:
        started = time.thread_time()
        for call in self._calls.values():
            if self._sees(call):
                call.send_picture(rendition, packets)
            else:
                call.miss_picture(rendition)
        self._sending += time.thread_time() - started

    def _miss_picture(self, rendition: RenditionId, _: list[MediaPacket]) -> None:
        for call in self._calls.values():
            call.miss_picture(rendition)

    def _send_sound(self, result: TickResult) -> None:
        if self._over:
            return
        started = time.thread_time()
        for call in self._calls.values():
            member = self._state.members.get(call.member_id)
            if call.leg is None or member is None or member.held or member.deaf:
                continue
            if member.receives_audio:
                call.leg.send_audio(result.payload_for(call.member_id), result.timestamp)
        self._sending += time.thread_time() - started
        self._stage.align(self._state, result)
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

    def _take(self, outcome: Outcome, *, silent: bool = False) -> Reply:
        before, self._state = self._state, outcome.room
        if before is not outcome.room:
            for member_id in before.members.keys() - outcome.room.members.keys():
                self._forget(member_id)
            self._stage.announce(before, outcome.room)
            if self._recorders is not None:
                self._recorders.follow(outcome.room)
            if not self._over:
                self._sync()
            for entry in self._journal.follow(before, outcome, self._wall()):
                self._write(entry)
        for told in () if silent else outcome.told:
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
        self._wake_in_time()

    def _make_pictures(self) -> None:
        wanted = frozenset().union(*(call.renditions for call in self._calls.values()))
        self._stage.make(wanted | self._recorders.renditions if self._recorders is not None else wanted)

    def _ask_senders(self) -> None:
        for call, wanted in self._stage.wishes(self._state):
            if call.leg is not None:
                call.leg.limit_sender(wanted.bitrate)
            event = MediaWanted(call.call_id, wanted.width, wanted.height, wanted.fps)
            self._tell(Told(event, to=(call.member_id,)))

    def _look_again(self) -> None:
        self._stage.set_cards(self._state)
        self._ask_senders()
        if self._due is not None and self._wall() >= self._due:  # somebody has set the clock on
            self._time_passed()
        self._review = self._loop.call_later(REVIEW_S, self._look_again)

    # -- time

    def _wake_in_time(self) -> None:
        now = self._wall()
        self._wake_at(seats.next_due(self._state, now) if self._state.members else now + LINGER_S)

    def _wake_at(self, due: float | None) -> None:
        self._due = due
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None and not self._over:
            self._timer = self._loop.call_later(max(0.0, due - self._wall()), self._time_passed)

    def _time_passed(self) -> None:
        self._wake_at(None)
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
            self._take(recordings.stop(self._state, self._wall()))
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
        self._endpoint.rhythm.forget(self)
        await self._stage.end()
        if self._recorders is not None:
            await self._recorders.end(RECORDED_S)


def fresh_id() -> UUID:
    """An id that sorts by the time it was made."""
    return time_ordered_id(time.time_ns(), int.from_bytes(os.urandom(8), "big"))
