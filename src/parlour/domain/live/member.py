"""A member of a live room, as everybody may see it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class MemberKind(StrEnum):
    """What a leg stands for: a person, that person's shared screen, or a further camera."""

    MEMBER = "member"
    SCREEN = "screen"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Member:
    """One leg in the room, with its flags. Volumes are -50 to 50, sensitivity 0 to 100.

    ``joined_at`` and ``hand_raised_at`` are seconds of the room's clock; ``current_position`` is a slot such as
    ``standard-1`` or ``off-canvas``, ``requested_position`` what somebody asked for, else ``auto``. Who is ``hushed``
    had the microphone muted only by being made deaf; whose picture is ``withheld`` gets it with the own camera.
    """

    id: str
    call_id: str
    name: str
    kind: MemberKind = MemberKind.MEMBER
    parent_id: str | None = None
    subscriber_id: str = ""
    address_id: str = ""
    capabilities: tuple[str, ...] = ()
    joined_at: float = 0.0
    sends_audio: bool = False
    sends_video: bool = False
    receives_audio: bool = True
    receives_video: bool = True
    audio_muted: bool = False
    video_muted: bool = False
    deaf: bool = False
    held: bool = False
    hushed: bool = False
    withheld: bool = False
    visible: bool = False
    talking: bool = False
    hand_raised_at: float | None = None
    input_volume: int = 0
    output_volume: int = 0
    input_sensitivity: int = 44
    echo_cancellation: bool = True
    auto_gain: bool = True
    noise_suppression: bool = True
    requested_position: str = "auto"
    current_position: str = "off-canvas"
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def is_heard(self) -> bool:
        """Whether the microphone, where there is one, reaches the others."""
        return not self.audio_muted and not self.held

    @property
    def is_seen(self) -> bool:
        """Whether the member's own picture reaches the others, if it has a place."""
        return self.sends_video and not self.video_muted and not self.held

    @property
    def handraised(self) -> bool:
        """Whether the hand is up."""
        return self.hand_raised_at is not None
