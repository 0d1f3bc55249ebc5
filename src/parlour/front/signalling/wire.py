"""The live room's values as the browser SDK reads them: the wire's spelling, and nothing else."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from parlour.domain.live.admission import removal
from parlour.domain.live.events import Layer, MediaWanted, Picture, Session
from parlour.domain.live.member import Member, MemberKind
from parlour.domain.moment import format_moment
from parlour.front.links import preview_url

NODE = "parlour"
"""The SDK sends it back with every request. It steers nothing here: any front finds any room."""
OK = {"code": "200", "message": "OK"}

_SPELLED = {"hand_raised_at": "handraised", "withheld": "room_video_off"}
_SHOWN = frozenset(
    {
        "visible",
        "handraised",
        "audio_muted",
        "video_muted",
        "deaf",
        "talking",
        "meta",
        "requested_position",
        "current_position",
        "input_volume",
        "output_volume",
        "input_sensitivity",
        "echo_cancellation",
        "auto_gain",
        "noise_suppression",
        "room_video_off",
        "name",
    }
)
"""What clients are told of by name."""
_SESSION_SPELLED = {"remove_after": "remove_after_seconds_elapsed", "preview": "preview_url"}
AUDIO_FLAGS = {
    "echo_cancellation": "echoCancellation",
    "auto_gain": "autoGainControl",
    "noise_suppression": "noiseSuppression",
}

Json = dict[str, Any]


def member(of: Member, room_id: str, session_id: str) -> Json:
    """A member object."""
    found: Json = {
        "type": of.kind.value,
        "member_id": of.id,
        "call_id": of.call_id,
        "node_id": NODE,
        "room_id": room_id,
        "room_session_id": session_id,
        "name": of.name,
        "visible": of.visible,
        "handraised": of.handraised,
        "audio_muted": of.audio_muted,
        "video_muted": of.video_muted,
        "deaf": of.deaf,
        "talking": of.talking,
        "meta": of.meta,
        "requested_position": of.requested_position,
        "current_position": of.current_position,
        "input_volume": of.input_volume,
        "output_volume": of.output_volume,
        "input_sensitivity": of.input_sensitivity,
        "echo_cancellation": of.echo_cancellation,
        "auto_gain": of.auto_gain,
        "noise_suppression": of.noise_suppression,
        "room_video_off": of.withheld,
        "subscriber_id": of.subscriber_id,
        "address_id": of.address_id,
        "joined_at": moment(of.joined_at),
    }
    if of.parent_id is not None:
        found["parent_id"] = of.parent_id
    return found


def room_session(of: Session, origin: str, members: Sequence[Member] = ()) -> Json:
    """A room session; ``origin`` is where the client reaches this server.

    Recordings, streams and playbacks stay empty: one SDK stops at anything in them.
    """
    return {
        "room_id": of.room_id,
        "room_session_id": of.id,
        "event_channel": f"room.{of.id}",
        "name": of.name,
        "display_name": of.display_name,
        "description": of.description,
        "layout_name": of.layout,
        "recording": of.recording,
        "streaming": of.streaming,
        "prioritize_handraise": of.prioritize_handraise,
        "hide_video_muted": of.hide_video_muted,
        "locked": of.locked,
        "meta": dict(of.meta or {}),
        "remove_at": moment(of.remove_at),
        "remove_after_seconds_elapsed": of.remove_after,
        "preview_url": preview_url(origin, of.id, of.preview),
        "recordings": [],
        "streams": [],
        "playbacks": [],
        "members": [member(one, of.room_id, of.id) for one in members],
    }


def joined(call_id: str, member_id: str, session: Session, members: Sequence[Member], origin: str) -> Json:
    """``call.joined``. The capabilities are those of the member itself, and so is the time at which it is removed."""
    mine = next((one for one in members if one.id == member_id), None)
    return {
        **_ids(session),
        "call_id": call_id,
        "origin_call_id": call_id,
        "member_id": member_id,
        "node_id": NODE,
        "capabilities": list(mine.capabilities) if mine else [],
        "remove_at": moment(removal(session, mine) if mine else session.remove_at),
        "room_session": room_session(session, origin, members),
    }


def left(call_id: str, member_id: str, session: Session, reason: str, origin: str) -> Json:
    """``call.left``."""
    return {
        **_ids(session),
        "call_id": call_id,
        "origin_call_id": call_id,
        "member_id": member_id,
        "node_id": NODE,
        "reason": reason,
        "room_session": room_session(session, origin),
    }


def member_joined(of: Member, session: Session) -> Json:
    """``member.joined``."""
    return {**_ids(session), "member": member(of, session.room_id, session.id)}


def member_left(of: Member, session: Session, reason: str) -> Json:
    """``member.left``."""
    return {**_ids(session), "member": member(of, session.room_id, session.id), "reason": reason}


def member_updated(of: Member, session: Session, updated: Sequence[str]) -> Json | None:
    """``member.updated``; ``None`` where nothing changed that the wire shows.

    A muted camera is told with its visibility, as the SDK acts on both.
    """
    names = [name for name in (_SPELLED.get(name, name) for name in updated) if name in _SHOWN]
    if "video_muted" in names and "visible" not in names:
        names.append("visible")
    if not names:
        return None
    return {**_ids(session), "member": {**member(of, session.room_id, session.id), "updated": names}}


def member_talking(member_id: str, session: Session, talking: bool) -> Json:
    """``member.talking``."""
    return {**_ids(session), "member": {"member_id": member_id, "talking": talking, "node_id": NODE}}


def layout_changed(picture: Picture, session: Session) -> Json:
    """``layout.changed``; both ``id`` and ``name`` are the layout's name."""
    return {
        **_ids(session),
        "layout": {
            "id": picture.layout,
            "name": picture.layout,
            **_ids(session),
            "layers": [_layer(layer) for layer in picture.layers],
        },
    }


def call_updated(session: Session, updated: Sequence[str], origin: str) -> Json:
    """``call.updated``."""
    body = room_session(session, origin)
    del body["members"]  # whoever is in has not changed
    names = [name for name in (_SESSION_SPELLED.get(name, name) for name in updated) if name in body]
    return {**_ids(session), "room_session": {**body, "updated": names}}


def media_params(wanted: MediaWanted) -> Json:
    """The ``mediaParams`` that ask a sender for a size, or only for a frame rate."""
    size = {"width": wanted.width, "height": wanted.height} if wanted.width and wanted.height else {}
    return {"video": {**size, "frameRate": wanted.frame_rate}}


def audio_params(of: Member, updated: Sequence[str]) -> Json | None:
    """The ``mediaParams`` that set a sender's sound processing; ``None`` where that has not changed."""
    changed = {spelled: getattr(of, name) for name, spelled in AUDIO_FLAGS.items() if name in updated}
    return {"audio": changed} if changed else None


def flags_off(of: Member) -> list[str]:
    """The sound processing that a member has switched off; a browser begins with all of it on."""
    return [name for name in AUDIO_FLAGS if not getattr(of, name)]


def listing(result: Mapping[str, Any], room_id: str, session_id: str) -> Json:
    """What a list method answers; members as objects, also those that the bus has made plain mappings of."""
    found = {name: value for name, value in result.items() if name != "session"}
    if "members" in found:
        found["members"] = [member(as_member(one), room_id, session_id) for one in found["members"]]
    return found


def as_member(one: Member | Mapping[str, Any]) -> Member:
    """A member, also one that the bus has made a plain mapping of."""
    return one if isinstance(one, Member) else Member(**{**one, "kind": MemberKind(one.get("kind", "member"))})


def as_session(one: Session | Mapping[str, Any] | None) -> Session | None:
    """A room session, also one that the bus has made a plain mapping of."""
    return one if isinstance(one, Session) or one is None else Session(**one)


def moment(seconds: float | None) -> str | None:
    """Unix seconds as a moment in UTC."""
    return None if seconds is None else format_moment(datetime.fromtimestamp(seconds, UTC))


def _layer(of: Layer) -> Json:
    found: Json = {
        "x": of.x,
        "y": of.y,
        "width": of.width,
        "height": of.height,
        "layer_index": of.index,
        "z_index": of.z_index,
        "reservation": of.reservation,
        "position": of.position,
        "playing_file": of.playing_file,
        "visible": of.visible,
    }
    if of.member_id is not None:
        found["member_id"] = of.member_id
    return found


def _ids(session: Session) -> Json:
    return {"room_id": session.room_id, "room_session_id": session.id}
