"""The live room: everything about it that is not media.

A ``LiveRoom`` never changes; each input gives the next one, what is told to whom, and the reply. People come and go in
``seats``, what they do in a call is in ``acts``; sound and new settings come in here. All times are Unix seconds from
one clock that does not run backwards.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from parlour.domain.live import floor, placement
from parlour.domain.live.commands import Done, Reply
from parlour.domain.live.events import (
    LayoutChanged,
    MemberTalking,
    MemberUpdated,
    Picture,
    Session,
    SessionUpdated,
    Told,
)
from parlour.domain.live.floor import Floor
from parlour.domain.live.layout import AUTO, OFF_CANVAS, Arrangement, arrange, is_slot, layers, names_of
from parlour.domain.live.member import Member, MemberKind
from parlour.domain.live.placement import Ranking, Sizing
from parlour.domain.live.recording import Recording
from parlour.domain.live.relief import Relief
from parlour.domain.room import MEMBERS_MAX, Room

GRACE = 45.0
"""Seconds that a seat is kept for a member whose connection is gone, unless a room is opened with another measure."""
TOLD = (
    "audio_muted",
    "video_muted",
    "deaf",
    "handraised",
    "input_volume",
    "output_volume",
    "input_sensitivity",
    "echo_cancellation",
    "auto_gain",
    "noise_suppression",
    "requested_position",
    "hushed",
    "withheld",
)
"""The fields of a member whose change is told by name. Places are told with the layout, talking by itself.

The last ones are for whoever brings the room back when its worker is lost.
"""

SESSION_TOLD = (
    "name",
    "display_name",
    "description",
    "locked",
    "recording",
    "prioritize_handraise",
    "hide_video_muted",
    "meta",
    "remove_at",
    "remove_after",
    "preview",
)
"""The fields of a session whose change is told by name. Its layout is told with the picture."""


class Directions(NamedTuple):
    """What a call's negotiated media carry, as seen from the member."""

    sends_audio: bool = False
    sends_video: bool = False
    receives_audio: bool = True
    receives_video: bool = True


class Outcome(NamedTuple):
    """What an input makes of a room. Where the reply has an SDP it is empty, for the media plane to fill in."""

    room: "LiveRoom"
    told: tuple[Told, ...] = ()
    reply: Reply = Done()


@dataclass(frozen=True, slots=True)
class LiveRoom:
    """A room with people in it. ``members`` is in the order of joining.

    ``room`` has the quality and the frame rate with which the session began.

    ``speakers`` are those who had the video floor, the latest first. ``absent`` maps members without a connection to
    the time at which their seat is given up, ``grace`` seconds after it was lost; ``adrift`` are those of them whose
    media are gone. ``fronts`` is where members' connections are, or were last. ``before_screens`` is the layout to go
    back to when the last shared screen ends. ``recordings`` are by id, the oldest first; ``record_due`` is whether one
    begins with the first person; ``preview_key`` is what ``Session.preview`` is where previews are on; ``relief`` is
    what the room goes without while its worker has too much to do.
    """

    room: Room
    session: Session
    server_limit: int = MEMBERS_MAX
    grace: float = GRACE
    members: Mapping[str, Member] = field(default_factory=dict)
    floor: Floor = field(default_factory=Floor)
    speakers: tuple[str, ...] = ()
    sizing: Sizing = field(default_factory=Sizing)
    absent: Mapping[str, float] = field(default_factory=dict)
    adrift: frozenset[str] = frozenset()
    fronts: Mapping[str, str] = field(default_factory=dict)
    before_screens: str | None = None
    recordings: Mapping[str, Recording] = field(default_factory=dict)
    record_due: bool = False
    preview_key: str = ""
    relief: Relief = Relief.NONE

    @classmethod
    def opened(
        cls,
        room: Room,
        session_id: str,
        *,
        server_limit: int = MEMBERS_MAX,
        grace: float = GRACE,
        now: float = 0.0,
        preview_key: str = "",
    ) -> Self:
        """An empty live room with the settings that ``room`` has now, whose session begins ``now``."""
        settings = room.settings
        session = Session(
            id=session_id,
            room_id=str(room.room_id),
            name=settings.name,
            display_name=settings.display_name,
            description=settings.description,
            layout=settings.layout.value,
            prioritize_handraise=settings.prioritize_handraise,
            meta=dict(settings.meta),
            started_at=now,
            remove_at=settings.remove_at.timestamp() if settings.remove_at else None,
            remove_after=settings.remove_after_seconds_elapsed or None,
            quality=settings.quality,
            fps=settings.fps,
            preview=preview_key if settings.enable_room_previews else "",
        )
        return cls(room, session, server_limit, grace, record_due=settings.record_on_start, preview_key=preview_key)

    @property
    def arrangement(self) -> Arrangement:
        """The slots in use, without overlays."""
        return arrange(self.session.layout, self.sizing.shown)

    @property
    def picture(self) -> Picture:
        """The picture as ``LayoutChanged`` tells it."""
        seated = {m.current_position: m for m in self.members.values() if m.current_position != OFF_CANVAS}
        shown = layers(self.session.layout, self.sizing.shown, seated)
        return Picture(self.session.layout, shown, self.before_screens)

    def seat(self, call_id: str) -> Member | None:
        """The member who holds this call's seat."""
        return next((member for member in self.members.values() if member.call_id == call_id), None)

    def recipients(self, told: Told) -> tuple[str, ...]:
        """The ids of the members to tell. Shared screens hear only what is addressed to them."""
        if told.to is not None:
            return told.to
        return tuple(m.id for m in self.members.values() if m.kind is MemberKind.MEMBER and m.id not in told.but)

    def hear(self, scores: Mapping[str, int], now: float) -> Outcome:
        """Take 20 ms of sound: each member's mean absolute sample value, 0 to 32767. Who is missing is silent."""
        heard = {
            member_id: (score, floor.gate(member.input_sensitivity))
            for member_id, score in scores.items()
            if (member := self.members.get(member_id)) and member.is_heard
        }
        held, turned = floor.advance(self.floor, heard, self._seen)
        after = replace(self, floor=held)
        if not turned and held.video == self.floor.video:
            return Outcome(after)
        if held.video is not None and held.video != self.floor.video:
            others = (member_id for member_id in self.speakers if member_id != held.video)
            after = replace(after, speakers=(held.video, *others))
        talking = {id_: replace(self.members[id_], talking=on) for id_, on in turned.items()}
        after = replace(after, members={**self.members, **talking}).settled(now)
        return Outcome(after, changes(self, after))

    def update(self, room: Room, now: float) -> Outcome:
        """Take over new settings, which act at once; quality and frame rate do with the next session.

        Layout, raised hands and ``meta`` follow only where the setting itself has changed: they can be changed in the
        room too.
        """
        old, new = self.room.settings, room.settings
        session = replace(
            self.session,
            name=new.name,
            display_name=new.display_name,
            description=new.description,
            remove_at=new.remove_at.timestamp() if new.remove_at else None,
            remove_after=new.remove_after_seconds_elapsed or None,
            preview=self.preview_key if new.enable_room_previews else "",
        )
        if new.meta != old.meta:
            session = replace(session, meta=dict(new.meta))
        if new.prioritize_handraise != old.prioritize_handraise:
            session = replace(session, prioritize_handraise=new.prioritize_handraise)
        room = replace(room, settings=replace(new, quality=old.quality, fps=old.fps))
        after = replace(self, room=room, session=session)
        if new.layout != old.layout:
            after = after.laid_out(new.layout.value)
        after = after.settled(now)
        return Outcome(after, changes(self, after))

    def laid_out(self, layout: str) -> Self:
        """With this layout, sized for those who are in now, without delay. Slots follow with ``settled``."""
        wanted = placement.count(self.members.values(), hide_muted=self.session.hide_video_muted)
        sizing = self.sizing if layout == self.session.layout else Sizing(wanted)
        return replace(self, session=replace(self.session, layout=layout), sizing=sizing, before_screens=None)

    def positioned(self, positions: Mapping[str, str]) -> Self:
        """With these places asked for, by member id. Whoever had asked for the same slot before is placed freely."""
        slots = {position for position in positions.values() if is_slot(position)}
        members = dict(self.members)
        for member in self.members.values():
            if member.id in positions:
                members[member.id] = replace(member, requested_position=positions[member.id])
            elif member.requested_position in slots:
                members[member.id] = replace(member, requested_position=AUTO)
        return replace(self, members=members)

    def settled(self, now: float) -> Self:
        """The room with everything that follows from its members: floor, sizing, places, who is visible."""
        room = self._floor_settled()
        session, members = room.session, room.members.values()
        wanted = placement.count(members, hide_muted=session.hide_video_muted)
        sizing = placement.resize(room.sizing, session.layout, wanted, now) if room.members else Sizing()
        places = placement.place(
            members,
            session.layout,
            sizing.shown,
            Ranking(
                floor=room.floor.video,
                speakers=room.speakers,
                hands_first=session.prioritize_handraise,
                hide_muted=session.hide_video_muted,
                growing=sizing.growing,
            ),
        )
        placed = {member.id: _placed(member, places.get(member.id, OFF_CANVAS)) for member in members}
        return replace(room, members=placed, sizing=sizing)

    def _floor_settled(self) -> Self:
        """The floor without those who cannot hold it: gone, muted, or not to be followed by the picture."""
        held = self.floor
        silent = {
            member_id
            for member_id in (*held.voices, held.audio)
            if member_id is not None and ((member := self.members.get(member_id)) is None or not member.is_heard)
        }
        seen = self._seen()
        unseen = {member_id for member_id in (held.video, held.former_video) if member_id and member_id not in seen}
        if not silent and not unseen:
            return self
        hushed = {
            member_id: replace(self.members[member_id], talking=False)
            for member_id in silent
            if member_id in self.members
        }
        held = floor.vacate(floor.hush(held, silent), unseen, seen)
        return replace(self, floor=held, members={**self.members, **hushed})

    def _seen(self) -> tuple[str, ...]:
        """Whom the picture may follow: those with a picture of their own, but not in a place that was asked for."""
        fixed = names_of(self.session.layout, self.sizing.shown)
        return tuple(
            member.id
            for member in self.members.values()
            if member.is_seen
            and member.kind is MemberKind.MEMBER
            and member.requested_position != OFF_CANVAS
            and member.requested_position not in fixed
        )


def _placed(member: Member, position: str) -> Member:
    visible = position != OFF_CANVAS and member.is_seen
    if (member.current_position, member.visible) == (position, visible):
        return member
    return replace(member, current_position=position, visible=visible)


def changes(before: LiveRoom, after: LiveRoom, *, welcome: str | None = None) -> tuple[Told, ...]:
    """What differs between two rooms, told in order: members, talking, the session, the picture.

    ``welcome`` is told the picture in any case. Who came or went is not told here.
    """
    return tuple(_changes(before, after, welcome))


def _changes(before: LiveRoom, after: LiveRoom, welcome: str | None) -> Iterator[Told]:
    stayed = [
        (old, member)
        for member in after.members.values()
        if (old := before.members.get(member.id, member)) is not member
    ]
    for old, member in stayed:
        if updated := _updated(old, member):
            yield Told(MemberUpdated(member, updated))
    for old, member in stayed:
        if old.talking != member.talking:
            yield Told(MemberTalking(member.id, member.talking))
    names = tuple(name for name in SESSION_TOLD if getattr(before.session, name) != getattr(after.session, name))
    if names:
        yield Told(SessionUpdated(after.session, names))
    picture = after.picture
    if picture != before.picture:
        yield Told(LayoutChanged(picture))
    elif welcome is not None:
        yield Told(LayoutChanged(picture), to=(welcome,))


def _updated(before: Member, after: Member) -> tuple[str, ...]:
    """The names of the fields that differ. A video mute always comes with ``visible``, as clients expect."""
    names = tuple(name for name in TOLD if getattr(before, name) != getattr(after, name))
    return (*names, "visible") if "video_muted" in names else names
