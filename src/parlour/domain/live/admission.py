"""Whether one more may come in, and how long who is in may stay.

The first is asked and answered in the same step in which the seat is taken.
"""

from datetime import UTC, datetime

from parlour.domain.live.commands import Refused
from parlour.domain.live.events import Session
from parlour.domain.live.member import Member
from parlour.domain.live.relief import Relief
from parlour.domain.moment import format_moment
from parlour.domain.room import MEMBERS_MAX, RoomSettings

OVER = Refused(403, "over", "This room is over.")
TIME_UP = Refused(403, "time_up", "Your time in this room is up.")
BUSY = Refused(503, "busy", "The server has too much to do for anybody new just now. Try again in a while.")
NO_CAMERAS = Refused(503, "busy", "The server has too much to do for one more camera just now. Try again in a while.")


def refusal(
    settings: RoomSettings,
    now: float,
    *,
    seats: int,
    locked: bool = False,
    server_limit: int = MEMBERS_MAX,
    relief: Relief = Relief.NONE,
    inside: bool = False,
) -> Refused | None:
    """Why a new leg may not join, or ``None`` where it may.

    ``now`` is Unix time in seconds. ``seats`` counts every leg in the room: shared screens, and those whose connection
    is lost but whose seat is kept. A time that is reached has come: the room opens at ``join_from``, and is closed at
    ``join_until`` and over at ``remove_at``. Whose leg it is may be ``inside`` already, as with a shared screen: the
    door is none of theirs.
    """
    if _reached(settings.remove_at, now):
        return OVER
    shut = None if inside else _at_the_door(settings, now, locked=locked)
    if shut is not None:
        return shut
    limit = seat_limit(settings, server_limit)
    if seats >= limit:
        return Refused(409, "full", f"This room is full: it has {limit} seats.")
    return BUSY if relief >= Relief.NO_MORE_MEMBERS else None


def _at_the_door(settings: RoomSettings, now: float, *, locked: bool) -> Refused | None:
    if _reached(settings.join_until, now):
        return Refused(403, "closed", "This room does not let anybody in any more.")
    if settings.join_from and not _reached(settings.join_from, now):
        opens = format_moment(settings.join_from.astimezone(UTC))
        return Refused(403, "too_early", f"This room opens at {opens}.", settings.join_from.timestamp())
    return Refused(403, "locked", "This room is locked.") if locked else None


def seat_limit(settings: RoomSettings, server_limit: int = MEMBERS_MAX) -> int:
    """How many legs the room holds: its own limit, where it has one, within the server's."""
    return min(settings.max_members or server_limit, server_limit)


def removal(session: Session, member: Member) -> float | None:
    """When a member is removed, in Unix seconds: with everybody, or a while after coming, whichever is first."""
    own = None if session.remove_after is None else member.joined_at + session.remove_after
    return min((at for at in (session.remove_at, own) if at is not None), default=None)


def outstayed(session: Session, member: Member, now: float) -> Refused | None:
    """Why a seat is not given back to who had it, although nobody else has it; ``None`` where it is."""
    if session.remove_at is not None and now >= session.remove_at:
        return OVER
    due = removal(session, member)
    return TIME_UP if due is not None and now >= due else None


def _reached(moment: datetime | None, now: float) -> bool:
    return moment is not None and now >= moment.timestamp()
