"""The commands that are about a room's state alone, and what each makes of the room."""

from collections.abc import Callable, Mapping
from typing import Any

from parlour.domain.live import acts, seats
from parlour.domain.live.commands import Absent, Act, Change, Hold, Leave, Present
from parlour.domain.live.room import LiveRoom, Outcome

STEPS: Mapping[type, Callable[[LiveRoom, Any, float], Outcome]] = {
    Hold: seats.hold,
    Leave: seats.leave,
    Absent: seats.absent,
    Present: seats.present,
    Act: acts.act,
    Change: seats.change,
}
"""By the command's type: a function of the room, the command and the time in Unix seconds."""
