"""What can be asked of a live room, and what it answers. These travel on the bus from a front to the room's worker."""

from dataclasses import dataclass, field
from typing import Any, Literal

from parlour.domain.live.events import Session
from parlour.domain.live.member import Member
from parlour.domain.live.recording import Recording
from parlour.domain.room import Room


@dataclass(frozen=True, slots=True)
class Past:
    """A room whose worker is lost, as a front knew it last."""

    session: Session
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Bring a leg in, or take over the seat that ``call_id`` still holds (``reattach``).

    ``seat`` is the member whose call went down with a worker and who comes back with another one; ``past`` is what the
    room begins with where it has to begin anew. Both are the front's own knowledge, never the client's word.

    ``audio_first`` asks for the answer's audio section first, as one SDK expects. ``capabilities`` come from the
    token. ``channel`` is ``audio`` or ``video``. ``front`` is the one that the socket is at.
    """

    room: Room
    call_id: str
    sdp: str
    name: str
    capabilities: tuple[str, ...]
    subscriber_id: str = ""
    channel: str = "video"
    audio_first: bool = False
    reattach: bool = False
    screen_of: str | None = None
    layout: str | None = None
    positions: dict[str, str] = field(default_factory=dict)
    user_variables: dict[str, Any] = field(default_factory=dict)
    seat: Member | None = None
    past: Past | None = None
    front: str = ""


@dataclass(frozen=True, slots=True)
class Reoffer:
    """Negotiate a call anew; ``audio_first`` as in ``Join``."""

    call_id: str
    sdp: str
    audio_first: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Put a call on hold, which lets nothing through in either direction, or take it off again."""

    call_id: str
    held: bool


@dataclass(frozen=True, slots=True)
class Leave:
    """End a call from its own side."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The socket of these calls is gone, or their ``media``; the seats are kept for the grace period.

    ``Present`` ends that for those whose socket was gone, a new ``Join`` for all. ``front`` is who says so: one that
    notices late has nothing to say of calls that are with another front by then.
    """

    call_ids: tuple[str, ...]
    front: str = ""
    media: bool = False


@dataclass(frozen=True, slots=True)
class Present:
    """The socket of these calls is back, at this front."""

    call_ids: tuple[str, ...]
    front: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """One of the in-call methods, ``name`` without its ``call.`` (``mute``, ``layout.set``, ``member.list``, ...).

    ``actor`` and ``targets`` are member ids; the target ``all`` means everybody.
    """

    actor: str
    name: str
    targets: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """The room's settings are others now; what of them concerns a live room acts at once."""

    room: Room


@dataclass(frozen=True, slots=True)
class Shut:
    """The room is deleted: everybody is removed, and the session is over."""


@dataclass(frozen=True, slots=True)
class Record:
    """Start a recording of the session, or pause, resume or stop the one that ``recording_id`` names.

    Answered with ``Recorded``. Whether the asker may do this is decided where the asker is known.
    """

    session_id: str
    action: Literal["start", "pause", "resume", "stop"]
    recording_id: str = ""


Command = Join | Reoffer | Hold | Leave | Absent | Present | Act | Change | Shut | Record


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to ``Join``: the seat and the SDP answer."""

    member_id: str
    session_id: str
    sdp: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to ``Reoffer``."""

    sdp: str


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to everything else; ``result`` holds what a list method lists."""

    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer to ``Record``: the recording as it is now."""

    recording: Recording


@dataclass(frozen=True, slots=True)
class Refused:
    """No, and why. ``code`` is HTTP-like (403, 404, 409, 422), ``reason`` a word for programs, ``message`` for people.

    ``at`` is when it would be yes, in Unix seconds, where that is known: when a room opens that is not open yet.

    Reasons of a refused join: ``too_early``, ``closed``, ``over``, ``time_up``, ``full``, ``locked``, ``bad_offer``,
    ``no_such_call``; of an act: ``not_allowed``, ``no_such_member``, ``bad_parameter``, ``no_such_method``;
    of a recording: ``no_such_session``, ``no_such_recording``, ``invalid_state``.
    """

    code: int
    reason: str
    message: str
    at: float | None = None


Reply = Accepted | Answered | Done | Recorded | Refused
