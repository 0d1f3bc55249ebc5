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
    Picture,
    Session,
    SessionUpdated,
)
from parlour.domain.live.layout import OFF_CANVAS

if TYPE_CHECKING:
    from parlour.domain.live.member import Member


class Roll:
    """A room's session and members as they were last told. ``lost`` until the room is told of again."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.picture: Picture | None = None
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
            case LayoutChanged():
                self.picture = event.picture
                places = {layer.member_id: layer.position for layer in event.picture.layers}
                for member in self.members.values():
                    place = places.get(member.id, OFF_CANVAS)
                    self.members[member.id] = replace(member, current_position=place)

    def past(self) -> Past | None:
        """What a new worker begins with: the layout is the one without the screens, which do not come back."""
        if self.session is None:
            return None
        layout = self.session.layout if self.picture is None else self.picture.before_screens or self.picture.layout
        return Past(replace(self.session, layout=layout), tuple(self.members.values()))
