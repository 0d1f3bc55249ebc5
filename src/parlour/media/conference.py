"""The actor that owns a live room: commands and media come in, one picture and one sound go out.

``LiveRoom`` decides, this carries out. Everything happens on the event loop, one thing at a time; the planes' threads
hand their results over to it.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from parlour.domain.live import acts, layout, seats
from parlour.domain.live.commands import (
    Absent,
    Accepted,
    Act,
    Answered,
    Command,
    Done,
    Hold,
    Join,
    Leave,
    Past,
    Present,
    Refused,
    Reoffer,
    Reply,
)
from parlour.domain.live.events import MediaWanted, Told
from parlour.domain.live.member import Member, MemberKind
from parlour.domain.live.room import GRACE, LiveRoom, Outcome
from parlour.domain.room import MEMBERS_MAX, Quality, Room
from parlour.media.audio.plane import SoundPlane
from parlour.media.audio.sound import TickResult
from parlour.media.call import Call
from parlour.media.packets import MediaPacket, RtpPacket
from parlour.media.transport import BadOffer, Endpoint
from parlour.media.video.canvas import Rect
from parlour.media.video.card import Card
from parlour.media.video.picture import TileSpec
from parlour.media.video.plane import PicturePlane
from parlour.media.video.rate import kush_bitrate
from parlour.media.video.receiver import Receiver
from parlour.media.video.rendition import RenditionId, RenditionSize
from parlour.media.video.request import SenderRequests
from parlour.media.video.tile import Scaling

SIZES = {Quality.HD_720: (1280, 720), Quality.HD_1080: (1920, 1080)}
"""Pixels of the canvas."""
REVIEW_S = 1.0
"""How often what senders are asked for is looked at again, and whether their pictures still come."""
FROZEN_S = 4.0
"""After how long without a picture a card takes the place of the last one."""
LINGER_S = 10.0
"""How long an empty room waits for somebody before it is over."""

Tell = Callable[[Told], None]

log = logging.getLogger("parlour.media")


class Conference:
    """A live room with its media. ``tell`` takes each event in order; ``ended`` is called once it is over."""

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
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``wall`` gives Unix seconds, ``new_id`` ids of members. A room with a ``past`` goes on from there."""
        self.room_id = room.room_id
        self._state = LiveRoom.opened(room, session_id, server_limit=server_limit, grace=grace)
        if past is not None:
            self._state = seats.revive(self._state, past, wall())
        self._endpoint = endpoint
        self._tell = tell
        self._ended = ended
        self._new_id = new_id
        self._wall = wall
        self._loop = asyncio.get_running_loop()
        self._calls: dict[str, Call] = {}
        self._past: Counter[str] = Counter()
        width, height = SIZES[room.settings.quality]
        self._size = (width, height)
        fps = room.settings.fps
        self._picture = PicturePlane(width, height, fps, kush_bitrate(width, height, fps), self._picture_made)
        self._sound = SoundPlane(self._sound_made)
        self._requests = SenderRequests(fps)
        self._tiles: list[TileSpec] = []
        self._cards: dict[str, Card | None] = {}
        self._volumes: dict[str, tuple[int, int]] = {}
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
            case Hold():
                return self._take(seats.hold(self._state, command, now))
            case Leave():
                return self._take(seats.leave(self._state, command, now))
            case Absent():
                return self._take(seats.absent(self._state, command, now))
            case Present():
                return self._take(seats.present(self._state, command))
            case Act():
                return self._take(acts.act(self._state, command, now))

    async def close(self, *, silent: bool = False) -> None:
        """End every call and stop the planes. ``silent`` tells nobody: the room goes on elsewhere."""
        if not self._over and not silent:
            self._take(seats.end_all(self._state, self._wall()))
        await self._finish()

    def statistics(self) -> dict[str, float]:
        """Counts since the start."""
        picture, sound = self._picture.statistics(), self._sound.statistics()
        calls = Counter(self._past)
        for call in self._calls.values():
            calls.update(call.statistics())
        return {"members": len(self._state.members)} | {
            **{f"calls_{name}": value for name, value in calls.items()},
            **{f"picture_{name}": value for name, value in picture.items()},
            **{f"sound_{name}": value for name, value in sound.items()},
        }

    # -- calls

    def _join(self, command: Join, now: float) -> Reply:
        seat = self._state.seat(command.call_id) or command.seat
        member_id = seat.id if seat else self._new_id()
        receiver = Receiver(self._picture.bitrate(RenditionSize.FULL), self._picture.bitrate(RenditionSize.SMALL))
        call = Call(self, member_id, command.call_id, receiver, self._loop.time)
        call.leg = self._endpoint.open_leg(call, name=command.call_id)
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
            self._requests.forget(call.member_id)
        self._sound.sound.join(call.member_id)
        self._picture.show(call.member_id, call.decoder)
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
        self._picture.show(call.member_id, call.decoder)
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
            self._sound.sound.receive(call.member_id, packet)

    def call_needs_keyframe(self, call: Call) -> None:
        """See ``CallOwner``."""
        if call.wanted is not None:
            self._picture.ask_keyframe(call.wanted)

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
            self._sync()
        for told in outcome.told:
            self._tell(told)
        return outcome.reply

    def _forget(self, member_id: str) -> None:
        call = self._calls.pop(member_id, None)
        if call is not None:
            self._hang_up(call, "left")
        self._sound.sound.leave(member_id)
        self._picture.show(member_id, None)
        self._picture.compositor.forget(member_id)
        self._requests.forget(member_id)
        self._cards.pop(member_id, None)
        self._volumes.pop(member_id, None)

    def _sync(self) -> None:
        """Make the media follow the state."""
        members = self._state.members
        voices = self._state.floor.voices
        self._sound.in_mix = frozenset(member_id for member_id, voice in voices.items() if voice.talking)
        self._set_cards()
        self._set_volumes()
        tiles = self._arranged()
        if tiles != self._tiles:
            shown = {tile.member_id for tile in self._tiles}
            self._tiles = tiles
            self._picture.compositor.set_tiles(tiles)
            for tile in tiles:
                call = self._calls.get(tile.member_id)
                if tile.member_id not in shown and call and call.leg:
                    call.leg.request_keyframe()
            self._request_sizes()
        self._picture.compositor.set_talking(frozenset(m.id for m in members.values() if m.talking))
        self._make_pictures()
        self._wake_at(seats.next_due(self._state, self._wall()) if members else self._wall() + LINGER_S)

    def _set_cards(self) -> None:
        """Let cards stand for those who have no picture, and cameras for the others."""
        for member in self._state.members.values():
            card = self._card(member)
            if member.id not in self._cards:
                # Also who has a camera: the card stands until its first picture.
                self._picture.compositor.set_card(member.id, Card(member.id, member.name, member.audio_muted))
                self._picture.compositor.set_card(member.id, card)
            elif card != self._cards[member.id]:
                self._picture.compositor.set_card(member.id, card)
                if card is None and (call := self._calls.get(member.id)) and call.leg:
                    call.leg.request_keyframe()
            self._cards[member.id] = card

    def _set_volumes(self) -> None:
        for member in self._state.members.values():
            volumes = (member.input_volume, member.output_volume)
            if self._volumes.get(member.id, (0, 0)) != volumes:
                self._volumes[member.id] = volumes
                self._sound.sound.set_volume(member.id, member.input_volume)
                self._sound.sound.set_output_volume(member.id, member.output_volume)

    def _make_pictures(self) -> None:
        self._picture.make(frozenset().union(*(call.renditions for call in self._calls.values())))

    def _card(self, member: Member) -> Card | None:
        call = self._calls.get(member.id)
        frozen = call is not None and self._loop.time() - call.seen_at > FROZEN_S
        if member.is_seen and not (frozen and member.kind is MemberKind.MEMBER):  # a screen may well stand still
            return None
        return Card(member.id, member.name, member.audio_muted)

    def _arranged(self) -> list[TileSpec]:
        arrangement = self._state.arrangement
        seated = {member.current_position: member.id for member in self._state.members.values()}
        scaling = Scaling.FILL if arrangement.crop else Scaling.FIT
        return [
            TileSpec(seated[slot.name], Rect(*layout.rectangle(slot, *self._size)), scaling)
            for slot in layout.slots_of(self._state.session.layout, self._state.sizing.shown)
            if slot.name in seated
        ]

    def _request_sizes(self) -> None:
        now = self._loop.time()
        sizes = {tile.member_id: (tile.rect.width, tile.rect.height) for tile in self._tiles}
        for member_id, call in self._calls.items():
            member = self._state.members.get(member_id)
            if call.leg is None or member is None or not member.sends_video:
                continue
            request = self._requests.update(member_id, sizes.get(member_id), now)
            if request is not None:
                call.leg.limit_sender(request.bitrate)
                wanted = MediaWanted(call.call_id, request.width, request.height, request.fps)
                self._tell(Told(wanted, to=(member_id,)))

    def _look_again(self) -> None:
        self._set_cards()
        self._request_sizes()
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
            self._over = True
            self._ended()
            return
        self._take(seats.expire(self._state, self._wall()))

    async def _finish(self) -> None:
        self._over = True
        self._review.cancel()
        self._wake_at(None)
        for call in list(self._calls.values()):
            self._hang_up(call, "the room is over")
        self._calls.clear()
        await asyncio.to_thread(self._picture.end)
        await asyncio.to_thread(self._sound.end)
