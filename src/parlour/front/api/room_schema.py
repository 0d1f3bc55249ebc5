"""What the room endpoints take and give, field by field."""

from datetime import datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model
from pydantic_core import PydanticCustomError

from parlour.domain.room import MEMBERS_MAX, REMOVE_AFTER_MAX, Layout, Quality, Room
from parlour.front.api.fields import (
    ABSENT,
    Description,
    DisplayName,
    Meta,
    Moment,
    Name,
    Whole,
    drop_absent,
    drop_defaults,
)
from parlour.front.describe import Links
from parlour.store.kept_json import compact_json

KIND = "video_room"
"""The resource's ``type``; its address says ``room``, and its list's links ``conference_room``."""


def _frames(value: Any) -> int:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool) and value in {20, 30, "20", "30"}:
        return int(value)
    raise PydanticCustomError("invalid_parameter", "{field} must be 20 or 30")


class _RoomFields(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", json_schema_extra=drop_absent)

    display_name: DisplayName = Field(
        ABSENT, description="The room's name as people read it. By default its `name`.", examples=["Reception"]
    )
    description: Description = Field(
        "", description="What the room is for, in words. `null` empties it.", examples=["Where the day begins."]
    )
    join_from: Moment = Field(
        None,
        description="From when people may join; whoever comes earlier is refused with that time. A date alone means"
        " midnight UTC.",
        examples=["2026-05-06T12:00:00Z"],
    )
    join_until: Moment = Field(
        None,
        description="Until when people may join; whoever is in stays. Not before `join_from`.",
        examples=["2026-05-06T12:30:00Z"],
    )
    max_members: Annotated[int, Field(ge=0, le=MEMBERS_MAX), Whole] = Field(
        20,
        json_schema_extra={"format": "int32"},
        description="How many may be in at once, a screen share included. 0: no limit but the server's.",
        examples=[30],
    )
    quality: Quality = Field(Quality.HD_720, strict=False, description="Size of the picture: 1920×1080 or 1280×720.")
    remove_at: Moment = Field(
        None, description="When everybody is removed, and nobody gets in any more.", examples=["2026-05-06T13:00:00Z"]
    )
    remove_after_seconds_elapsed: Annotated[int, Field(ge=0, le=REMOVE_AFTER_MAX), Whole] | None = Field(
        None,
        description="Seconds after which each member is removed, counted from that member's own join. 0: never.",
        examples=[3600],
    )
    layout: Layout = Field(
        Layout.GRID_RESPONSIVE, strict=False, description="The picture's layout when a session starts."
    )
    record_on_start: bool = Field(False, description="Whether a session is recorded from its start.")
    meta: Meta = Field(
        ABSENT,
        description="Data of your own, at most 2,000 characters of JSON, given to every member. `null` empties it.",
        examples=[{"department": "sales"}],
    )
    sync_audio_video: bool | None = Field(
        None, description="Whether each sender's sound and picture are aligned; otherwise latency is the lowest."
    )
    tone_on_entry_and_exit: bool = Field(True, description="Whether a tone tells that somebody comes or goes.")
    room_join_video_off: bool = Field(
        False, description="Whether a joining member gets the room's picture only after turning it on."
    )
    user_join_video_off: bool = Field(False, description="Whether a member's own camera is off on joining.")
    fps: Annotated[int, BeforeValidator(_frames)] = Field(
        30,
        json_schema_extra={"type": ["integer", "string"], "enum": [20, 30, "20", "30"]},
        description="Frames a second of the picture. An extension of the contract.",
    )
    prioritize_handraise: bool = Field(
        False, description="Whether members with a raised hand are shown first. An extension of the contract."
    )


class ConferenceRoomCreateRequest(_RoomFields):
    """A new room."""

    name: Name = Field(description="The room's name, in any script. Need not be unique.", examples=["coffee_cafe"])
    enable_room_previews: bool = Field(description="Whether a small moving picture of the session can be had.")


class LenientCreateRequest(ConferenceRoomCreateRequest):
    """A new room where the server does not insist on ``enable_room_previews``."""

    enable_room_previews: bool = False


class ConferenceRoomUpdateRequest(_RoomFields):
    """Changes to a room; what is not named stays."""

    model_config = ConfigDict(json_schema_extra=drop_defaults)

    name: Name = Field(ABSENT, description="The room's name. Another name brings another address.")
    enable_room_previews: bool = Field(ABSENT, description="Whether a small moving picture of the session can be had.")


_SHOWN: dict[str, Any] = {
    "name": str,
    "description": str,
    "display_name": str,
    "max_members": int,
    "quality": Quality,
    "fps": Literal["30", "20"],
    "join_from": datetime | None,
    "join_until": datetime | None,
    "remove_at": datetime | None,
    "remove_after_seconds_elapsed": int | None,
    "layout": Layout,
    "record_on_start": bool,
    "tone_on_entry_and_exit": bool,
    "room_join_video_off": bool,
    "user_join_video_off": bool,
    "enable_room_previews": bool,
    "sync_audio_video": bool | None,
    "meta": dict[str, Any],
    "prioritize_handraise": bool,
}
_WORDS = {name: field.description for name, field in ConferenceRoomCreateRequest.model_fields.items()} | {
    # What is said only to those who ask, left out.
    "name": "The room's name, in any script.",
    "description": "What the room is for, in words.",
    "display_name": "The room's name as people read it.",
    "fps": "Frames a second of the picture.",
    "join_from": "From when people may join; whoever comes earlier is refused with that time.",
    "meta": "Data of your own, given to every member.",
    "prioritize_handraise": "Whether members with a raised hand are shown first.",
}

ConferenceRoom = create_model(
    "ConferenceRoom",
    __doc__="A room's settings.",
    id=(UUID, Field(description="Names the room in sessions and events.")),
    **cast("Any", {name: (kind, Field(description=_WORDS[name])) for name, kind in _SHOWN.items()}),
)


class ConferenceRoomResponse(BaseModel):
    """A room as a resource of its project."""

    id: UUID = Field(description="Names the room in the paths of this API.")
    project_id: UUID = Field(description="The project it belongs to.")
    display_name: str = Field(description="The room's name as people read it.")
    type: Literal["video_room"] = Field(description="What kind of resource it is.")
    created_at: datetime = Field(description="When it was made.")
    updated_at: datetime = Field(description="When it was last changed.")
    conference_room: ConferenceRoom = Field(description="The room's settings.")  # type: ignore[valid-type]  # made above


class ConferenceRoomList(BaseModel):
    """A page of rooms, the newest first."""

    data: list[ConferenceRoomResponse] = Field(description="The rooms of this page.")
    links: Links


class RoomChannels(BaseModel):
    """The addresses to dial for each kind of media."""

    audio: str = Field(description="With sound only.", examples=["/public/coffee_cafe?channel=audio"])
    messaging: str = Field(description="With messages only.", examples=["/public/coffee_cafe?channel=messaging"])
    video: str = Field(description="With picture and sound.", examples=["/public/coffee_cafe?channel=video"])


class FabricAddressRoom(BaseModel):
    """Where a room can be dialled."""

    id: UUID = Field(description="Names the address.")
    resource_id: UUID = Field(description="The room as a resource.")
    name: str = Field(description="The last part of the address.", examples=["coffee_cafe"])
    display_name: str = Field(description="The room's name as people read it.")
    type: Literal["room"] = Field(description="What answers there.")
    cover_url: str | None = Field(description="A picture that stands for the room.")
    preview_url: str | None = Field(description="The moving picture of the session, where there is one.")
    locked: bool = Field(description="Whether the session refuses to be joined for now.")
    channels: RoomChannels = Field(description="What to dial.")
    created_at: datetime = Field(description="When the address was made.")


class FabricAddressRoomList(BaseModel):
    """A page of a room's addresses."""

    data: list[FabricAddressRoom] = Field(description="The addresses of this page.")
    links: Links


def named(request: BaseModel) -> dict[str, Any]:
    """The fields that a request names; the others have no say. As ``model_dump``, which looks into every value."""
    values = request.__dict__
    return {name: values[name] for name in request.model_fields_set}


def room_body(room: Room) -> dict[str, Any]:
    """A room as the API shows it, for ``to_json``."""
    settings = room.settings
    return {
        "id": room.id,
        "project_id": room.project_id,
        "display_name": settings.display_name,
        "type": KIND,
        "created_at": room.created_at,
        "updated_at": room.updated_at,
        "conference_room": {
            "id": room.room_id,
            "name": settings.name,
            "description": settings.description,
            "display_name": settings.display_name,
            "max_members": settings.max_members,
            "quality": settings.quality,
            "fps": str(settings.fps),
            "join_from": settings.join_from,
            "join_until": settings.join_until,
            "remove_at": settings.remove_at,
            "remove_after_seconds_elapsed": settings.remove_after_seconds_elapsed,
            "layout": settings.layout,
            "record_on_start": settings.record_on_start,
            "tone_on_entry_and_exit": settings.tone_on_entry_and_exit,
            "room_join_video_off": settings.room_join_video_off,
            "user_join_video_off": settings.user_join_video_off,
            "enable_room_previews": settings.enable_room_previews,
            "sync_audio_video": settings.sync_audio_video,
            # As it is kept: its numbers may be larger than orjson's.
            "meta": orjson.Fragment(compact_json(settings.meta)),
            "prioritize_handraise": settings.prioritize_handraise,
        },
    }
