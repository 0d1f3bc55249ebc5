"""What happens in a live room, told to its members.

Plain values, no wire spelling: ``front.signalling`` writes them as the browser SDK reads them.
"""

from dataclasses import dataclass

from parlour.domain.live.member import Member
from parlour.domain.room import Quality


@dataclass(frozen=True, slots=True)
class Layer:
    """One rectangle of the picture in percent of the canvas, 0 to 100; ``member_id`` is who is in it."""

    index: int
    position: str
    x: float
    y: float
    width: float
    height: float
    z_index: int = 0
    member_id: str | None = None
    visible: bool = False
    playing_file: bool = False
    reservation: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """The layout that was asked for (``grid-responsive``) and the layers that it gives just now.

    While a shared screen has brought its own layout, ``before_screens`` is the one that comes back with its end.
    """

    layout: str
    layers: tuple[Layer, ...]
    before_screens: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A live room as a whole, without its members.

    ``started_at`` and ``remove_at`` are Unix seconds, ``remove_after`` is seconds. ``preview`` is the secret in the URL
    of the session's moving picture, empty where there is none. ``quality`` and ``fps`` stay the same from start to end.
    """

    id: str
    room_id: str
    name: str
    display_name: str
    layout: str
    locked: bool = False
    recording: bool = False
    streaming: bool = False
    hide_video_muted: bool = False
    prioritize_handraise: bool = False
    meta: dict[str, object] | None = None
    started_at: float = 0.0
    remove_at: float | None = None
    remove_after: int | None = None
    preview: str = ""
    description: str = ""
    quality: Quality = Quality.HD_720
    fps: int = 30


@dataclass(frozen=True, slots=True)
class Joined:
    """To the member itself: it is in. Sent once a call, and again after a takeover of the seat."""

    member_id: str
    session: Session
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class MemberJoined:
    """To the others (for a screen or a device, to its owner too)."""

    member: Member


@dataclass(frozen=True, slots=True)
class MemberUpdated:
    """``updated`` names the fields that changed, as the members' field names."""

    member: Member
    updated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberTalking:
    """Somebody began or stopped talking."""

    member_id: str
    talking: bool


@dataclass(frozen=True, slots=True)
class MemberLeft:
    """Somebody is gone; ``reason`` in words."""

    member: Member
    reason: str


@dataclass(frozen=True, slots=True)
class LayoutChanged:
    """The picture is composed differently from now on."""

    picture: Picture


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    """The room as a whole changed."""

    session: Session
    updated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallEnded:
    """To the member itself: the call is over. ``cause`` is a verto word such as ``NORMAL_CLEARING``."""

    member_id: str
    call_id: str
    cause: str
    cause_code: int
    reason: str


@dataclass(frozen=True, slots=True)
class MediaWanted:
    """To the member itself: send the picture at about this size (pixels, frames a second) from now on.

    A width and height of 0 leave it as large as it is.
    """

    call_id: str
    width: int
    height: int
    frame_rate: int


@dataclass(frozen=True, slots=True)
class RoomLost:
    """To the fronts, not to members: the room's worker is gone, and its calls with it.

    Whoever joins next brings the room to life elsewhere, as it was.
    """


Event = (
    Joined
    | MemberJoined
    | MemberUpdated
    | MemberTalking
    | MemberLeft
    | LayoutChanged
    | SessionUpdated
    | CallEnded
    | MediaWanted
    | RoomLost
)


@dataclass(frozen=True, slots=True)
class Told:
    """An event and whom it is for: ``to`` member ids, or everybody but ``but`` when ``to`` is ``None``."""

    event: Event
    to: tuple[str, ...] | None = None
    but: tuple[str, ...] = ()
