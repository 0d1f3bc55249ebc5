"""A conference room and its settings: bounds, defaults, and the rules between fields.

Bounds and defaults are those of the service's published API; where its sources leave room, ``docs/rooms.md`` says what
was chosen and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from parlour.domain.address import Address
from parlour.domain.errors import InvalidInput, Problem

NAME_MAX = 100
DISPLAY_NAME_MAX = 200
DESCRIPTION_MAX = 3000
MEMBERS_MAX = 300
"""The largest room; a room's ``max_members`` of 0 means no limit of its own, up to the server's."""
REMOVE_AFTER_MAX = 200_000
"""Seconds, a little over two days."""
META_MAX = 2000
"""Characters of ``meta`` as compact JSON."""
META_DEPTH = 32
"""How deep objects and lists may nest in ``meta``."""


class Layout(StrEnum):
    """The picture a session of the room starts with."""

    GRID_RESPONSIVE = "grid-responsive"
    GRID_RESPONSIVE_MOBILE = "grid-responsive-mobile"
    HIGHLIGHT_1_RESPONSIVE = "highlight-1-responsive"
    ONE_BY_ONE = "1x1"
    TWO_BY_ONE = "2x1"
    TWO_BY_TWO = "2x2"
    FIVE_UP = "5up"
    THREE_BY_THREE = "3x3"
    FOUR_BY_FOUR = "4x4"
    FIVE_BY_FIVE = "5x5"
    SIX_BY_SIX = "6x6"
    EIGHT_BY_EIGHT = "8x8"
    TEN_BY_TEN = "10x10"


class Quality(StrEnum):
    """The size of the room's canvas: 1920×1080 or 1280×720 pixels."""

    HD_1080 = "1080p"
    HD_720 = "720p"


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """Everything a room can be told. ``None`` means: not set."""

    name: str
    display_name: str
    enable_room_previews: bool
    description: str = ""
    join_from: datetime | None = None
    join_until: datetime | None = None
    max_members: int = 20
    quality: Quality = Quality.HD_720
    fps: int = 30
    remove_at: datetime | None = None
    remove_after_seconds_elapsed: int | None = None
    layout: Layout = Layout.GRID_RESPONSIVE
    record_on_start: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict)
    sync_audio_video: bool | None = None
    tone_on_entry_and_exit: bool = True
    room_join_video_off: bool = False
    user_join_video_off: bool = False
    prioritize_handraise: bool = False

    def __post_init__(self) -> None:
        if self.join_from and self.join_until and self.join_until < self.join_from:
            raise InvalidInput(
                Problem("invalid_join_until_date", "join_until must not be before join_from", "join_until")
            )

    @classmethod
    def created(cls, given: Mapping[str, Any]) -> Self:
        """The settings of a new room: what was ``given``, and the defaults for the rest.

        Raises ``InvalidInput`` where the fields contradict each other.
        """
        return cls(**{"display_name": given["name"], **given})

    def updated(self, given: Mapping[str, Any]) -> Self:
        """These settings with what was ``given`` laid over them; the rest stays.

        Raises ``InvalidInput`` where the result contradicts itself.
        """
        return replace(self, **given)


@dataclass(frozen=True, slots=True)
class Room:
    """A room as it is kept.

    ``id`` names the resource in paths, ``room_id`` the room itself in sessions and events.
    """

    id: UUID
    project_id: UUID
    room_id: UUID
    address: Address
    settings: RoomSettings
    created_at: datetime
    updated_at: datetime
