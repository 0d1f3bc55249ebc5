"""Sessions as the API shows them, with who was in and what happened."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from parlour.domain.room import Quality
from parlour.front.api.fields import ABSENT, drop_absent
from parlour.front.describe import Links
from parlour.front.links import preview_url
from parlour.store.kept_json import compact_json
from parlour.store.sessions import Session, SessionEvent, SessionMember

IN_PROGRESS, COMPLETED = "in-progress", "completed"

Cost = Annotated[float, Field(description="What it costs: nothing.", examples=[0])]


class RoomSessionSummary(BaseModel):
    """A session: the time from the first who comes into a room to the last who leaves it. Settings are the room's."""

    id: UUID = Field(description="Names the session in the paths of this API.")
    room_id: UUID | None = Field(description="The room, as `conference_room.id`. It may be deleted by now.")
    name: str | None = Field(description="The room's name.")
    display_name: str | None = Field(description="The room's name as people read it.")
    max_members: int | None = Field(description="How many may be in at once. 0: no limit but the server's.")
    quality: Quality = Field(description="Size of the picture: 1920×1080 or 1280×720.")
    fps: Literal[20, 30] = Field(description="Frames a second of the picture: a number here.")
    join_from: datetime | None = Field(description="From when people may join.")
    join_until: datetime | None = Field(description="Until when people may join.")
    remove_at: datetime | None = Field(description="When everybody is removed.")
    remove_after_seconds_elapsed: int | None = Field(description="Seconds that each member may stay.")
    layout: str | None = Field(description="The layout that the session began with.")
    record_on_start: bool = Field(description="Whether it is recorded from its start.")
    tone_on_entry_and_exit: bool = Field(description="Whether a tone tells that somebody comes or goes.")
    room_join_video_off: bool = Field(description="Whether members get the picture only after turning it on.")
    user_join_video_off: bool = Field(description="Whether a member's own camera is off on joining.")
    locked: bool = Field(description="Whether it refuses to be joined for now.")
    start_time: datetime | None = Field(description="When the first came in.")
    end_time: datetime | None = Field(description="When the last left; null while it goes on.")
    duration: int | None = Field(description="Seconds from start to end; null while it goes on.")
    status: Literal["in-progress", "completed"] = Field(description="Whether it goes on.")
    created_at: datetime = Field(description="When it began.")
    updated_at: datetime = Field(description="When it last changed.")
    preview_url: str | None = Field(
        description="A small moving picture of the session, for whoever has the link. Null when it is over, and where"
        " the room has no previews."
    )
    prioritize_handraise: bool | None = Field(description="Whether members with a raised hand are shown first.")
    sync_audio_video: bool | None = Field(description="Whether each sender's sound and picture are aligned.")


class RoomSession(RoomSessionSummary):
    """A session in a list, which shows a little more."""

    cost_in_dollars: Cost
    enable_room_previews: bool = Field(description="Whether a small moving picture of the session can be had.")
    locked_cover: str = Field(description="A picture to show instead of a locked session.")


class RoomSessionList(BaseModel):
    """A page of sessions, the newest first."""

    data: list[RoomSession] = Field(description="The sessions of this page.")
    links: Links


class RoomSessionMember(BaseModel):
    """Somebody, or a shared screen, who is or was in a session."""

    id: UUID = Field(description="Names the member.")
    room_session_id: UUID = Field(description="The session.")
    type: Literal["member", "screen", "device"] = Field(
        description="A person, or what a person shares. An extension of the service's API."
    )
    name: str | None = Field(description="The name that the others read.")
    join_time: datetime | None = Field(description="When the member came in.")
    leave_time: datetime | None = Field(description="When the member left; null for who is in.")
    duration: int | None = Field(description="Seconds from join to leave; null for who is in.")
    cost_in_dollars: Cost


class RoomSessionMemberList(BaseModel):
    """A page of members, the last to come first."""

    data: list[RoomSessionMember] = Field(description="The members of this page.")
    links: Links


class RoomSessionEvent(BaseModel):
    """Something that happened in a session."""

    model_config = {"json_schema_extra": drop_absent}

    id: UUID = Field(description="Names the event.")
    project_id: UUID = Field(description="The project.")
    room_id: UUID = Field(description="The room.")
    room_session_id: UUID = Field(description="The session.")
    room_recording_id: UUID = Field(ABSENT, description="The recording that it is about, where it is about one.")
    room_participant_id: UUID = Field(ABSENT, description="The member that it is about, where it is about one.")
    level: Literal["info"] = Field(description="How much it matters.")
    name: str = Field(
        description="What happened: `room.started`, `room.updated`, `room.ended`, `member.joined`, `member.updated`,"
        " `member.left`, `layout.changed`, `recording.started`, `recording.updated` or `recording.ended`.",
        examples=["room.started"],
    )
    payload: dict[str, Any] = Field(description="More about it.")
    created_at: datetime = Field(description="When it happened.")


class RoomSessionEventList(BaseModel):
    """A page of events, the latest first."""

    data: list[RoomSessionEvent] = Field(description="The events of this page.")
    links: Links


def session_body(session: Session, origin: str) -> dict[str, Any]:
    """A session as the API shows it."""
    goes_on = session.ended_at is None
    settings = {name: session.settings.get(name) for name in _SETTINGS}
    return {
        "id": session.id,
        "room_id": session.room_id,
        "name": session.name,
        **settings,
        "locked": session.locked,
        "start_time": session.started_at,
        "end_time": session.ended_at,
        "duration": seconds(session.started_at, session.ended_at),
        "status": IN_PROGRESS if goes_on else COMPLETED,
        "created_at": session.started_at,
        "updated_at": session.told_at,
        "preview_url": preview_url(origin, session.id, session.preview) if goes_on else None,
    }


def listed_session_body(session: Session, origin: str) -> dict[str, Any]:
    """A session as a list shows it."""
    return {
        **session_body(session, origin),
        "cost_in_dollars": 0,
        "enable_room_previews": session.settings.get("enable_room_previews", False),
        "locked_cover": f"{origin}/covers/room.svg",
    }


def member_body(member: SessionMember) -> dict[str, Any]:
    """A member of a session as the API shows it."""
    return {
        "id": member.id,
        "room_session_id": member.session_id,
        "type": member.kind,
        "name": member.name or None,
        "join_time": member.joined_at,
        "leave_time": member.left_at,
        "duration": seconds(member.joined_at, member.left_at),
        "cost_in_dollars": 0,
    }


def event_body(event: SessionEvent) -> dict[str, Any]:
    """An event as the API shows it."""
    about = {"room_recording_id": event.recording_id, "room_participant_id": event.member_id}
    return {
        "id": event.id,
        "project_id": event.project_id,
        "room_id": event.room_id,
        "room_session_id": event.session_id,
        **{name: key for name, key in about.items() if key is not None},
        "level": "info",
        "name": event.name,
        "payload": orjson.Fragment(compact_json(event.payload)),
        "created_at": event.created_at,
    }


def seconds(since: datetime, until: datetime | None) -> int | None:
    """Whole seconds between two moments; ``None`` where it is not over."""
    return None if until is None else max(0, int((until - since).total_seconds()))


_SETTINGS = (
    "display_name",
    "max_members",
    "quality",
    "fps",
    "join_from",
    "join_until",
    "remove_at",
    "remove_after_seconds_elapsed",
    "layout",
    "record_on_start",
    "tone_on_entry_and_exit",
    "room_join_video_off",
    "user_join_video_off",
    "prioritize_handraise",
    "sync_audio_video",
)
