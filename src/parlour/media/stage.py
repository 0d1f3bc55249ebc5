"""The media of a room, made to follow its state: who is drawn where, who is mixed, what senders are asked for."""

import asyncio
from collections.abc import Callable, Mapping

from parlour.domain.live import layout
from parlour.domain.live.member import Member, MemberKind
from parlour.domain.live.relief import Relief
from parlour.domain.live.room import LiveRoom
from parlour.domain.room import Quality, RoomSettings
from parlour.media.audio.plane import FRAME_S, SoundPlane
from parlour.media.audio.plane import Deliver as DeliverSound
from parlour.media.audio.sound import TickResult
from parlour.media.audio.tones import Tone
from parlour.media.call import Call
from parlour.media.lipsync.senders import Senders
from parlour.media.preview.sampler import Sampler
from parlour.media.preview.studio import Studio
from parlour.media.transport import Beat
from parlour.media.video.canvas import Rect
from parlour.media.video.card import Card
from parlour.media.video.picture import TileSpec
from parlour.media.video.plane import Deliver as DeliverPicture
from parlour.media.video.plane import PicturePlane
from parlour.media.video.rate import kush_bitrate
from parlour.media.video.receiver import Receiver
from parlour.media.video.rendition import RenditionId, RenditionSize
from parlour.media.video.request import SenderRequest, SenderRequests, is_small
from parlour.media.video.tile import Scaling

SIZES = {Quality.HD_720: (1280, 720), Quality.HD_1080: (1920, 1080)}
"""Pixels of the canvas."""
FROZEN_S = 4.0
"""After how long without a picture a card takes the place of the last one."""


class Stage:
    """The picture and the sound of a room, and what of its state they show."""

    def __init__(
        self,
        settings: RoomSettings,
        calls: Mapping[str, Call],
        picture_made: DeliverPicture,
        sound_made: DeliverSound,
        clock: Callable[[], float],
        studio: Studio | None = None,
    ) -> None:
        """``calls`` are the conference's own, by member; it changes them. The planes' threads call what is made.

        ``started`` is when the room's time begins, in seconds of ``clock``: timestamps of both planes count from there.
        Without a ``studio`` there are no previews.
        """
        self._calls = calls
        self._clock = clock
        self.started = clock()
        width, height = SIZES[settings.quality]
        self.size = (width, height)
        self.fps = settings.fps
        self._studio = studio
        self._sampler = Sampler(self.fps, studio.offer if studio else lambda film: False)
        self._preview = ""
        bitrate = kush_bitrate(width, height, self.fps)
        self.picture = PicturePlane(
            width, height, self.fps, bitrate, picture_made, self.started, look=self._sampler.take
        )
        self.sound = SoundPlane(sound_made, self.started)
        self._requests = SenderRequests(self.fps, self.size)
        self._relief = Relief.NONE
        self._senders = Senders(calls, self.sound.sound.set_delay, self.started, 1 / self.fps)
        self._tiles: list[TileSpec] = []
        self._cards: dict[str, Card | None] = {}
        self._volumes: dict[str, tuple[int, int]] = {}

    @property
    def beats(self) -> tuple[Beat, ...]:
        """When what has come is used: with each frame of sound and each picture."""
        return Beat(self.started, FRAME_S), Beat(self.started, 1 / self.fps)

    def receiver(self) -> Receiver:
        """What chooses the rendition of a new call."""
        return Receiver(self.picture.bitrate(RenditionSize.FULL), self.picture.bitrate(RenditionSize.SMALL))

    def enter(self, call: Call) -> None:
        """Hear and see a member."""
        self.sound.sound.join(call.member_id)
        self.picture.show(call.member_id, call.decoder)

    def renew(self, call: Call) -> None:
        """The member's call is another one, or carries something else now."""
        self._requests.forget(call.member_id)

    def forget(self, member_id: str) -> None:
        """A member is gone."""
        self.sound.sound.leave(member_id)
        self.picture.show(member_id, None)
        self.picture.compositor.forget(member_id)
        self._requests.forget(member_id)
        self._cards.pop(member_id, None)
        self._volumes.pop(member_id, None)

    def follow(self, state: LiveRoom) -> bool:
        """Show the state as it is now. Whether tiles have moved, and with them what senders are to send."""
        members = state.members
        self.sound.in_mix = frozenset(member_id for member_id, voice in state.floor.voices.items() if voice.talking)
        self.set_cards(state)
        self._set_volumes(state)
        tiles = self._arranged(state)
        moved = tiles != self._tiles
        if moved:
            shown = {tile.member_id for tile in self._tiles}
            self._tiles = tiles
            self.picture.compositor.set_tiles(tiles)
            self._slow_down()
            for tile in tiles:
                if tile.member_id not in shown:
                    self._ask_keyframe(tile.member_id)
        self.picture.compositor.set_talking(frozenset(m.id for m in members.values() if m.talking))
        self._set_preview(state.session.preview, moving=bool(members))
        return moved

    def relieve(self, relief: Relief) -> None:
        """Go without this from now on."""
        self._relief = relief
        every = 2 if relief >= Relief.SLOWER_PICTURE else 1
        self.picture.set_every(every)
        self._senders.tick = every / self.fps
        self._requests.relieve(relief)
        self._slow_down()

    def align(self, state: LiveRoom, sound: TickResult) -> None:
        """Let each sender's sound and picture wait for each other; to be called with each frame of sound."""
        self._senders.follow(state, sound, self._clock())

    def announce(self, before: LiveRoom, after: LiveRoom) -> None:
        """Let everybody hear that people have come or gone, where the room has tones. The first to come hears none."""
        if before.members is after.members or not after.room.settings.tone_on_entry_and_exit or not before.members:
            return
        came = [member for member_id, member in after.members.items() if member_id not in before.members]
        went = [member for member_id, member in before.members.items() if member_id not in after.members]
        for tone, members in ((Tone.ENTRY, came), (Tone.EXIT, went)):
            if any(member.kind is MemberKind.MEMBER for member in members):
                self.sound.sound.play(tone)

    def make(self, renditions: frozenset[RenditionId]) -> None:
        """Make these pictures of the canvas, and no others."""
        self.picture.make(renditions)

    def set_cards(self, state: LiveRoom) -> None:
        """Let cards stand for those who have no picture, and cameras for the others."""
        for member in state.members.values():
            call, card = self._calls.get(member.id), self._card(member)
            if call is not None and call.decoder is not None:
                call.decoder.idle = not member.is_seen
            if member.id not in self._cards:
                # Also who has a camera: the card stands until its first picture.
                self.picture.compositor.set_card(member.id, Card(member.id, member.name, member.audio_muted))
                self.picture.compositor.set_card(member.id, card)
            elif card != self._cards[member.id]:
                self.picture.compositor.set_card(member.id, card)
                if card is None:
                    self._ask_keyframe(member.id)
            self._cards[member.id] = card

    def wishes(self, state: LiveRoom) -> list[tuple[Call, SenderRequest]]:
        """What senders are to send from now on, where that is news."""
        now = self._clock()
        sizes = {tile.member_id: (tile.rect.width, tile.rect.height) for tile in self._tiles}
        found = []
        for member_id, call in self._calls.items():
            member = state.members.get(member_id)
            if call.leg is None or member is None or not member.sends_video:
                continue
            screen = member.kind is MemberKind.SCREEN
            wanted = self._requests.update(member_id, sizes.get(member_id), now, screen=screen)
            if wanted is not None:
                found.append((call, wanted))
        return found

    def over(self) -> None:
        """The session is over, and does not go on elsewhere: nothing is left to be seen."""
        self._set_preview("", moving=False)

    async def end(self) -> None:
        """Stop both planes."""
        await asyncio.to_thread(self.picture.end)
        await asyncio.to_thread(self.sound.end)

    def punctuality(self) -> tuple[float, float]:
        """Frames of sound and pictures that were due since the start, and those that were late or let go."""
        sound, picture = self.sound.statistics(), self.picture.statistics()
        due = sound["ticks"] + sound["missed"] + picture["ticks"] + picture["missed"]
        return due, sound["late"] + sound["missed"] + picture["missed"]

    def statistics(self) -> dict[str, float]:
        """Counts since the start."""
        picture, sound = self.picture.statistics(), self.sound.statistics()
        return {
            **{f"picture_{name}": value for name, value in picture.items()},
            **{f"sound_{name}": value for name, value in sound.items()},
            **{f"preview_{name}": value for name, value in self._sampler.statistics().items()},
            **{f"sync_{name}": value for name, value in self._senders.statistics().items()},
        }

    def _slow_down(self) -> None:
        slow: frozenset[str] = frozenset()
        if self._relief >= Relief.SLOWER_SMALL_TILES:
            large = {t.member_id for t in self._tiles if not is_small((t.rect.width, t.rect.height), self.size)}
            slow = frozenset(tile.member_id for tile in self._tiles if tile.member_id not in large)
        self.picture.compositor.set_slow(slow)

    def _set_preview(self, secret: str, *, moving: bool) -> None:
        """Renew the preview with this secret while there is something to see, and remove the one from before."""
        if self._studio is None:
            return
        self._sampler.watch(secret if moving else "")
        if self._preview and self._preview != secret:
            self._studio.remove(self._preview)
        self._preview = secret

    def _ask_keyframe(self, member_id: str) -> None:
        call = self._calls.get(member_id)
        if call is not None and call.leg is not None:
            call.leg.request_keyframe()

    def _set_volumes(self, state: LiveRoom) -> None:
        for member in state.members.values():
            volumes = (member.input_volume, member.output_volume)
            if self._volumes.get(member.id, (0, 0)) != volumes:
                self._volumes[member.id] = volumes
                self.sound.sound.set_volume(member.id, member.input_volume)
                self.sound.sound.set_output_volume(member.id, member.output_volume)

    def _card(self, member: Member) -> Card | None:
        call = self._calls.get(member.id)
        frozen = call is not None and self._clock() - call.seen_at > FROZEN_S
        if member.is_seen and not (frozen and member.kind is MemberKind.MEMBER):  # a screen may well stand still
            return None
        return Card(member.id, member.name, member.audio_muted)

    def _arranged(self, state: LiveRoom) -> list[TileSpec]:
        arrangement = state.arrangement
        seated = {member.current_position: member.id for member in state.members.values()}
        scaling = Scaling.FILL if arrangement.crop else Scaling.FIT
        return [
            TileSpec(seated[slot.name], Rect(*layout.rectangle(slot, *self.size)), scaling)
            for slot in layout.slots_of(state.session.layout, state.sizing.shown)
            if slot.name in seated
        ]
