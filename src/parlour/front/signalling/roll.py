"""Who is in a room, as its events tell: enough to bring the room back as it was when its worker is lost."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from parlour.domain.live.commands import Past
from parlour.domain.live.events import (
    Joined,
    LayoutChanged,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    Session,
    SessionUpdated,
)

if TYPE_CHECKING:
    from parlour.domain.live.member import Member


class Roll:
    """A room's session and members as they were last told. ``lost`` until the room is told of again."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.members: dict[str, Member] = {}
        self.lost = False

    def note(self, event: Any) -> None:
        """Take note of what the room tells."""
        match event:
            case Joined():
                self.session = event.session
                self.members = {member.id: member for member in event.members}
                self.lost = False
            case MemberJoined() | MemberUpdated():
                self.members[event.member.id] = event.member
            case MemberLeft():
                self.members.pop(event.member.id, None)
            case SessionUpdated():
                self.session = event.session
            case LayoutChanged() if self.session is not None:
                self.session = replace(self.session, layout=event.picture.layout)

    def past(self) -> Past | None:
        """What a new worker begins with."""
        return None if self.session is None else Past(self.session, tuple(self.members.values()))
