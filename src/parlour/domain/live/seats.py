"""Coming in and going out: joining, taking a seat over, losing the connection, leaving, and what ends by itself.

Nothing waits here: ``next_due`` says when to call ``expire``.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from parlour.domain.live.admission import NO_CAMERAS, outstayed, refusal, removal, seat_limit
from parlour.domain.live.capabilities import Scope, may
from parlour.domain.live.commands import (
    Absent,
    Accepted,
    Answered,
    Change,
    Hold,
    Join,
    Leave,
    Past,
    Present,
    Refused,
    Reoffer,
)
from parlour.domain.live.events import CallEnded, Joined, MemberJoined, MemberLeft, Told
from parlour.domain.live.layout import LAYOUTS, SCREEN_SHARE, is_position
from parlour.domain.live.member import Member, MemberKind
from parlour.domain.live.relief import Relief
from parlour.domain.live.room import Directions, LiveRoom, Outcome, changes


class Ending(NamedTuple):
    """Why a call ends: the verto cause, its Q.850 or FreeSWITCH number, and the reason in words."""

    cause: str
    code: int
    reason: str


LEFT = Ending("NORMAL_CLEARING", 16, "left")
REMOVED = Ending("NORMAL_CLEARING", 16, "removed by a moderator")
ENDED = Ending("NORMAL_CLEARING", 16, "the call was ended")
LOST = Ending("RECOVERY_ON_TIMER_EXPIRE", 102, "connection lost")
TIME_UP = Ending("ALLOTTED_TIMEOUT", 602, "time is up")
OVER = Ending("ALLOTTED_TIMEOUT", 602, "the room is over")
DELETED = Ending("NORMAL_CLEARING", 16, "the room was deleted")

NO_SUCH_CALL = Refused(404, "no_such_call", "There is no such call in this room.")
NO_SUCH_MEMBER = Refused(404, "no_such_member", "There is no such member in this room.")
FULL = Refused(409, "full", "This room is full.")
NOT_ALLOWED = Refused(403, "not_allowed", "You are not allowed to do this.")


def join(room: LiveRoom, command: Join, media: Directions, member_id: str, now: float) -> Outcome:
    """Bring in ``member_id``, or give a call's seat back to it as it was, under the member id that it had.

    The room's settings are those of the command, where they are newer. A seat is given back only to the subscriber who
    holds it, until that one is to be removed; to others the call does not exist.
    """
    if command.room.updated_at <= room.room.updated_at:
        return _join(room, command, media, member_id, now)
    current, told, _ = room.update(command.room, now)
    outcome = _join(current, command, media, member_id, now)
    return outcome._replace(told=(*told, *outcome.told))


def turned_away(room: LiveRoom, command: Join, now: float) -> Refused | None:
    """Why whoever is new does not come in, as far as that shows without their offer; ``None`` for all others."""
    if command.room.updated_at > room.room.updated_at or room.seat(command.call_id) or command.seat or command.reattach:
        return None
    return _screen_refusal(room, command) or _refusal(room, command, now)


def revive(room: LiveRoom, past: Past, now: float) -> LiveRoom:
    """The room as it was before its worker was lost: the people's seats are kept for the grace period.

    Shared screens are not: nobody comes back as a screen. The picture has the size and the rate that it had. A session
    that was being recorded is recorded on, in a film of its own, once somebody is back; one that was not, because
    nobody wanted it or not any more, is not.
    """
    was = past.session
    settings = replace(room.room.settings, quality=was.quality, fps=was.fps)
    session = replace(
        room.session,
        id=was.id,
        started_at=was.started_at,
        quality=was.quality,
        fps=was.fps,
        preview=was.preview or room.session.preview if room.room.settings.enable_room_previews else "",
        meta=was.meta,
        layout=was.layout if was.layout in LAYOUTS else room.session.layout,
        locked=was.locked,
        hide_video_muted=was.hide_video_muted,
        prioritize_handraise=was.prioritize_handraise,
    )
    people = [replace(member, talking=False) for member in past.members if member.kind is MemberKind.MEMBER]
    people = people[: seat_limit(room.room.settings, room.server_limit)]
    after = replace(
        room,
        room=replace(room.room, settings=settings),
        session=session,
        record_due=was.recording,
        preview_key=was.preview or room.preview_key,
        members={member.id: member for member in people},
        absent={member.id: now + room.grace for member in people},
        adrift=frozenset(member.id for member in people),
    )
    return after.settled(now)


def past_of(room: LiveRoom) -> Past | None:
    """What ``revive`` begins with; ``None`` where nobody is in."""
    if not room.members:
        return None
    session = replace(room.session, layout=room.before_screens or room.session.layout)
    return Past(session, tuple(replace(member, talking=False) for member in room.members.values()))


def reoffer(room: LiveRoom, command: Reoffer, media: Directions, now: float) -> Outcome:
    """Take over what a call's new negotiation carries."""
    member = room.seat(command.call_id)
    if member is None:
        return Outcome(room, (), NO_SUCH_CALL)
    after = _negotiated(room, member, media).settled(now)
    return Outcome(after, changes(room, after), Answered(""))


def hold(room: LiveRoom, command: Hold, now: float) -> Outcome:
    """Put a call on hold or take it off: held, it is neither heard nor seen, and gets nothing. The seat stays."""
    member = room.seat(command.call_id)
    if member is None:
        return Outcome(room, (), NO_SUCH_CALL)
    after = replace(room, members={**room.members, member.id: replace(member, held=command.held)}).settled(now)
    return Outcome(after, changes(room, after))


def change(room: LiveRoom, command: Change, now: float) -> Outcome:
    """Take over the room's settings, where they are newer than those it has."""
    if command.room.updated_at <= room.room.updated_at:
        return Outcome(room)
    return room.update(command.room, now)


def relieve(room: LiveRoom, relief: Relief) -> Outcome:
    """Go without this from now on."""
    return Outcome(room if room.relief is relief else replace(room, relief=relief))


def leave(room: LiveRoom, command: Leave, now: float) -> Outcome:
    """End a call, and with a person the screens that it shares."""
    member = room.seat(command.call_id)
    return end(room, {member.id: LEFT}, now) if member else Outcome(room, (), NO_SUCH_CALL)


def absent(room: LiveRoom, command: Absent, now: float) -> Outcome:
    """Keep the seats of these calls for the grace period, counted from the first loss.

    Unknown calls are skipped, and those whose connection another front has by now.
    """
    seats = [seat.id for call_id in command.call_ids if (seat := room.seat(call_id))]
    lost = [id_ for id_ in seats if not command.front or room.fronts.get(id_, command.front) == command.front]
    adrift = room.adrift.union(lost) if command.media else room.adrift
    due = now + room.grace
    return Outcome(replace(room, absent={**dict.fromkeys(lost, due), **room.absent}, adrift=adrift))


def present(room: LiveRoom, command: Present, _now: float) -> Outcome:
    """The connection of these calls is back. Whoever lost the media too has to join again before the time is over."""
    seats = {seat.id for call_id in command.call_ids if (seat := room.seat(call_id))}
    fronts = {**room.fronts, **dict.fromkeys(seats, command.front)}
    absent = {id_: due for id_, due in room.absent.items() if id_ not in seats or id_ in room.adrift}
    return Outcome(replace(room, absent=absent, fronts=fronts))


def next_due(room: LiveRoom, now: float) -> float | None:
    """When ``expire`` has something to do next, never before ``now``; ``None`` where nothing is due."""
    due = list(room.absent.values())
    if room.sizing.due is not None:
        due.append(room.sizing.due)
    due += [at for member in room.members.values() if (at := removal(room.session, member)) is not None]
    return max(now, min(due)) if due else None


def expire(room: LiveRoom, now: float) -> Outcome:
    """Do what is due: end what is over, give up seats, take the picture's new size."""
    session = room.session
    if session.remove_at is not None and now >= session.remove_at:
        return end_all(room, now, OVER)
    endings = {member_id: LOST for member_id, due in room.absent.items() if now >= due}
    endings |= {member.id: TIME_UP for member in room.members.values() if outstayed(session, member, now)}
    return end(room, endings, now)


def end_all(room: LiveRoom, now: float, ending: Ending = ENDED) -> Outcome:
    """End every call."""
    return end(room, dict.fromkeys(room.members, ending), now)


def end(room: LiveRoom, endings: Mapping[str, Ending], now: float) -> Outcome:
    """End these members' calls, and those of the screens that they share, before their own."""
    gone: dict[str, Ending] = {}
    for member in room.members.values():
        if member.parent_id is not None and member.parent_id in endings and member.id not in endings:
            gone[member.id] = endings[member.parent_id]
    gone |= endings
    members = {member_id: member for member_id, member in room.members.items() if member_id not in gone}
    after = replace(
        room,
        members=members,
        speakers=tuple(member_id for member_id in room.speakers if member_id in members),
        absent={member_id: due for member_id, due in room.absent.items() if member_id in members},
        adrift=room.adrift.intersection(members),
        fronts={member_id: front for member_id, front in room.fronts.items() if member_id in members},
    )
    if after.before_screens and not any(member.kind is MemberKind.SCREEN for member in members.values()):
        after = after.laid_out(after.before_screens)
    after = after.settled(now)
    told: list[Told] = []
    everyone_gone = tuple(gone)
    for member_id, ending in gone.items():
        member = room.members[member_id]
        ended = CallEnded(member_id, member.call_id, ending.cause, ending.code, ending.reason)
        told.append(Told(ended, to=(member_id,)))
        told.append(Told(MemberLeft(member, ending.reason), but=everyone_gone))
    return Outcome(after, (*told, *changes(room, after)))


def _join(room: LiveRoom, command: Join, media: Directions, member_id: str, now: float) -> Outcome:
    outcome = _let_in(room, command, media, member_id, now)
    if not isinstance(outcome.reply, Accepted):
        return outcome
    fronts = {**outcome.room.fronts, outcome.reply.member_id: command.front}
    return outcome._replace(room=replace(outcome.room, fronts=fronts))


def _let_in(room: LiveRoom, command: Join, media: Directions, member_id: str, now: float) -> Outcome:
    if seat := room.seat(command.call_id):
        if seat.subscriber_id != command.subscriber_id:
            return Outcome(room, (), NO_SUCH_CALL)
        if refused := outstayed(room.session, seat, now):
            return Outcome(room, (), refused)
        return _take_over(room, seat, command, media, now)
    if command.seat is not None:
        return _come_back(room, command.seat, command, media, now)
    if command.reattach:
        return Outcome(room, (), NO_SUCH_CALL)
    refused = _screen_refusal(room, command) or _refusal(room, command, now)
    return Outcome(room, (), refused) if refused else _admit(room, command, media, member_id, now)


def _come_back(room: LiveRoom, seat: Member, command: Join, media: Directions, now: float) -> Outcome:
    """Give ``seat`` back under a new call. Whoever was in comes in again, also where the room is locked or closed."""
    if seat.subscriber_id != command.subscriber_id:
        return Outcome(room, (), NO_SUCH_CALL)
    held = room.members.get(seat.id)
    if refused := outstayed(room.session, held or seat, now):
        return Outcome(room, (), refused)
    if held is not None:
        return _take_over(room, replace(held, call_id=command.call_id), command, media, now)
    if len(room.members) >= seat_limit(room.room.settings, room.server_limit):
        return Outcome(room, (), FULL)
    member = replace(
        seat,
        call_id=command.call_id,
        capabilities=command.capabilities,
        sends_video=False,  # a camera that went with the seat is a new one
        talking=False,
        held=False,
    )
    return _seated(room, _negotiated(room, member, media).settled(now), member.id)


def _refusal(room: LiveRoom, command: Join, now: float) -> Refused | None:
    return refusal(
        room.room.settings,
        now,
        seats=len(room.members),
        locked=room.session.locked,
        server_limit=room.server_limit,
        relief=room.relief,
        inside=command.screen_of is not None,
    )


def _screen_refusal(room: LiveRoom, command: Join) -> Refused | None:
    """A screen needs an owner in the room, of the same subscriber, and the capability."""
    if command.screen_of is None:
        return None
    owner = room.members.get(command.screen_of)
    if owner is None or owner.kind is not MemberKind.MEMBER or owner.subscriber_id != command.subscriber_id:
        return NO_SUCH_MEMBER
    if not may(command.capabilities, "screenshare"):
        return NOT_ALLOWED
    return NO_CAMERAS if _takes_no_cameras(room) else None


def _takes_no_cameras(room: LiveRoom) -> bool:
    return room.relief >= Relief.NO_MORE_CAMERAS


def _admit(room: LiveRoom, command: Join, media: Directions, member_id: str, now: float) -> Outcome:
    settings = room.room.settings
    is_screen = command.screen_of is not None
    member = Member(
        id=member_id,
        call_id=command.call_id,
        name=command.name,
        kind=MemberKind.SCREEN if is_screen else MemberKind.MEMBER,
        parent_id=command.screen_of,
        subscriber_id=command.subscriber_id,
        capabilities=command.capabilities,
        joined_at=now,
        video_muted=not is_screen and settings.user_join_video_off,
        withheld=settings.room_join_video_off and not is_screen,
    )
    after = _negotiated(room, member, media)
    if is_screen:
        after = _staged(after, command, member)
    after = after.settled(now)
    return _seated(room, after, member_id)


def _seated(room: LiveRoom, after: LiveRoom, member_id: str) -> Outcome:
    """``member_id`` is new in ``after``: tell it and the others."""
    member = after.members[member_id]
    told: tuple[Told, ...]
    if member.kind is not MemberKind.MEMBER:
        told = (Told(MemberJoined(member)), *changes(room, after))
    else:
        told = (
            _welcome(after, member_id),
            Told(MemberJoined(member), but=(member_id,)),
            *changes(room, after, welcome=member_id),
        )
    return Outcome(after, told, Accepted(member_id, room.session.id, ""))


def _take_over(room: LiveRoom, seat: Member, command: Join, media: Directions, now: float) -> Outcome:
    after = _negotiated(room, replace(seat, capabilities=command.capabilities, held=False), media)
    absent = {id_: due for id_, due in room.absent.items() if id_ != seat.id}
    after = replace(after, absent=absent, adrift=room.adrift - {seat.id}).settled(now)
    told = changes(room, after, welcome=seat.id if seat.kind is MemberKind.MEMBER else None)
    if seat.kind is MemberKind.MEMBER:
        told = (_welcome(after, seat.id), *told)
    return Outcome(after, told, Accepted(seat.id, room.session.id, ""))


def _welcome(room: LiveRoom, member_id: str) -> Told:
    return Told(Joined(member_id, room.session, tuple(room.members.values())), to=(member_id,))


def _negotiated(room: LiveRoom, member: Member, media: Directions) -> LiveRoom:
    """With ``member`` in its seat and its media. Who once offers not to receive the picture decides from then on.

    A camera that was not there before is off where no more are taken.
    """
    withheld = member.withheld and media.receives_video
    added = media.sends_video and not member.sends_video
    member = replace(
        member,
        video_muted=member.video_muted or (added and _takes_no_cameras(room)),
        sends_audio=media.sends_audio,
        sends_video=media.sends_video,
        receives_audio=media.receives_audio,
        receives_video=media.receives_video and not withheld,
        withheld=withheld,
    )
    return replace(room, members={**room.members, member.id: member})


def _staged(room: LiveRoom, command: Join, screen: Member) -> LiveRoom:
    """With the layout and places that come with a shared screen, as far as its owner may choose them.

    For whoever does not choose, or may not, the first screen brings the layout that is made for screens. With the last
    one it goes.
    """
    layout = command.layout
    if layout not in LAYOUTS or not may(command.capabilities, "layout.set"):
        others = any(member.kind is MemberKind.SCREEN for member in room.members.values() if member.id != screen.id)
        layout = room.session.layout if others else SCREEN_SHARE
    if layout != room.session.layout:
        back = room.before_screens or room.session.layout
        room = replace(room.laid_out(layout), before_screens=back)
    for asked, position in command.positions.items():
        member_id = screen.id if asked == "self" else asked
        scope: Scope = "self" if member_id in {screen.id, screen.parent_id} else "member"
        allowed = may(command.capabilities, "member.position.set", (scope,))
        if allowed and member_id in room.members and is_position(position):
            room = room.positioned({member_id: position})
    return room
