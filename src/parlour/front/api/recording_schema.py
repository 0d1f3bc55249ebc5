"""Recordings as the API shows them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from parlour.domain.errors import InvalidInput, Problem
from parlour.domain.live.recording import RecordingStatus
from parlour.front.api.session_schema import Cost
from parlour.front.describe import Links
from parlour.front.links import LIFE_MAX_S, LIFE_S
from parlour.store.recordings import Recording

KIND = "video/mp4"

MEDIA_TTL: dict[str, Any] = {
    "name": "media_ttl",
    "in": "query",
    "description": "How many seconds the links to the files are good for.",
    "schema": {"type": "integer", "minimum": 0, "maximum": LIFE_MAX_S, "default": LIFE_S},
}


class RoomRecording(BaseModel):
    """A recording of a session: one film of what everybody saw and heard."""

    id: UUID = Field(description="Names the recording in the paths of this API.")
    room_session_id: UUID = Field(description="The session.")
    status: Literal["recording", "paused", "processing", "completed"] = Field(
        description="From the first picture to the finished file; one that failed is `completed` too, with a `reason`."
    )
    started_at: datetime | None = Field(description="When it began.")
    finished_at: datetime | None = Field(description="When it was stopped; null before.")
    duration: int | None = Field(description="Seconds of film; null until the file is there.")
    size_in_bytes: int | None = Field(description="The file's size; null until it is there.")
    format: str | None = Field(description="The file's media type; null where there will be none.", examples=[KIND])
    cost_in_dollars: Cost
    uri: str | None = Field(
        description="A link to the file for whoever has it, good for `media_ttl` seconds. It takes ranges. Null until"
        " the file is there, and where there will be none."
    )
    reason: str | None = Field(
        description="Why it ended by itself, where it did. An extension of the service's API.",
        examples=["The disk is full."],
    )
    created_at: datetime = Field(description="When it began.")
    updated_at: datetime = Field(description="When it last changed.")


class RoomRecordingList(BaseModel):
    """A page of recordings, the newest first."""

    data: list[RoomRecording] = Field(description="The recordings of this page.")
    links: Links


class StartRecordingRequest(BaseModel):
    """Nothing has to be said: what everybody sees and hears is recorded."""

    model_config = ConfigDict(strict=True, extra="ignore")


class ChangeRecordingRequest(BaseModel):
    """What is to become of a recording."""

    model_config = ConfigDict(strict=True, extra="ignore")

    action: Literal["pause", "resume", "stop"] = Field(description="What to do.", examples=["pause"])


def media_ttl(text: str | None) -> int:
    """Seconds that links are to be good for. Raises ``InvalidInput``."""
    if text is None:
        return LIFE_S
    if text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= LIFE_MAX_S:
        return int(text)
    raise InvalidInput(
        Problem("invalid_parameter", f"media_ttl must be a whole number from 0 to {LIFE_MAX_S}", "media_ttl")
    )


def recording_body(recording: Recording, uri: str | None) -> dict[str, Any]:
    """A recording as the API shows it; ``uri`` leads to its file, where it has one."""
    fileless = recording.status is RecordingStatus.COMPLETED and not recording.key
    return {
        "id": recording.id,
        "room_session_id": recording.session_id,
        "status": recording.status.value,
        "started_at": recording.started_at,
        "finished_at": recording.finished_at,
        "duration": None if recording.duration is None else int(recording.duration),
        "size_in_bytes": recording.size,
        "format": None if fileless else KIND,
        "cost_in_dollars": 0,
        "uri": uri,
        "reason": recording.reason or None,
        "created_at": recording.started_at,
        "updated_at": recording.told_at,
    }
