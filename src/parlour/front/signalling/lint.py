"""A last look at every event before it leaves: a malformed one silences the browser SDK until the page is reloaded."""

import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)


class Malformed(Exception):  # noqa: N818 - a finding about an event of ours
    """An event that must not be sent, and why."""


def check_event(frame: Json, protocol: str) -> None:
    """Check a ``signalwire.event`` for the session ``protocol``. Raises ``Malformed``."""
    _need(frame.get("jsonrpc") == "2.0" and frame.get("method") == "signalwire.event", "not an event")
    _text(frame, "id")
    outer = _object(frame, "params")
    kind = _text(outer, "event_type")
    _need(protocol in _text(outer, "event_channel"), "event_channel lacks the protocol")
    params = _object(outer, "params")
    check = _CHECKS.get(kind)
    if check is not None:
        check(params)


def _joined(params: Json) -> None:
    _session_ids(params)
    call = _text(params, "call_id")
    _need(params.get("origin_call_id") == call, "origin_call_id differs from call_id")
    me = _text(params, "member_id")
    capabilities = params.get("capabilities")
    _need(isinstance(capabilities, list) and all(isinstance(one, str) for one in capabilities), "capabilities")
    session = _object(params, "room_session")
    _room_session(session)
    members = session.get("members")
    _need(isinstance(members, list), "members is no list")
    for member in members or ():
        _member(member)
    _moment_or_none(params, "remove_at")
    _need(any(member["member_id"] == me for member in members or ()), "the member itself is not among members")


def _left(params: Json) -> None:
    _session_ids(params)
    for name in ("call_id", "member_id", "reason"):
        _text(params, name)
    _need(params.get("origin_call_id") == params["call_id"], "origin_call_id differs from call_id")
    _room_session(_object(params, "room_session"))


def _member_event(params: Json) -> None:
    _session_ids(params)
    _member(_object(params, "member"))


def _updated(params: Json) -> None:
    _member_event(params)
    updated = params["member"].get("updated")
    _need(isinstance(updated, list) and bool(updated), "member.updated is no list with something in it")
    _need(all(isinstance(name, str) and name in params["member"] for name in updated), "updated names a missing field")


def _talking(params: Json) -> None:
    _session_ids(params)
    member = _object(params, "member")
    _text(member, "member_id")
    _need(isinstance(member.get("talking"), bool), "talking is no boolean")


def _layout(params: Json) -> None:
    _session_ids(params)
    layout = _object(params, "layout")
    _session_ids(layout)
    _need(_text(layout, "id") == _text(layout, "name"), "the layout's id and name differ")
    layers = layout.get("layers")
    _need(isinstance(layers, list), "layers is no list")
    for layer in layers or ():
        _need(isinstance(layer, dict), "a layer is no object")
        for name in ("x", "y", "width", "height"):
            value = layer.get(name)
            _need(isinstance(value, int | float) and -0.01 <= value <= 100.01, f"{name} is no percentage")
        _need("member_id" not in layer or isinstance(layer["member_id"], str), "a layer's member_id is no string")
        _text(layer, "position")


def _call_updated(params: Json) -> None:
    _session_ids(params)
    session = _object(params, "room_session")
    _room_session(session)
    updated = session.get("updated")
    _need(isinstance(updated, list), "updated is no list")
    _need(all(isinstance(name, str) and name in session for name in updated or ()), "updated names a missing field")


def _verto(params: Json) -> None:
    _need(params.get("jsonrpc") == "2.0" and params.get("id") is not None, "no JSON-RPC inside")
    _text(params, "method")
    inner = _object(params, "params")
    _text(inner, "callID")
    if params["method"] == "verto.answer":
        _text(inner, "sdp")
    if params["method"] == "verto.mediaParams":
        _media_params(_object(inner, "mediaParams"))


def _media_params(asked: Json) -> None:
    """Constraints for the browser: what it takes for none of its business it refuses in the console."""
    _need(bool(asked) and set(asked) <= {"audio", "video"}, "mediaParams are about something else")
    if "audio" in asked:
        _need(bool(_object(asked, "audio")), "no flags")
        _need(all(isinstance(flag, bool) for flag in asked["audio"].values()), "a flag is no boolean")
    if "video" in asked:
        _need(bool(_object(asked, "video")), "no constraints")
        _need(all(isinstance(value, int) and value > 0 for value in asked["video"].values()), "no positive number")


def _room_session(session: Json) -> None:
    _session_ids(session)
    for name in ("name", "layout_name"):
        _text(session, name)
    for name in ("display_name", "description"):
        _need(isinstance(session.get(name), str), f"{name} is no string")
    for name in ("recording", "streaming", "locked", "prioritize_handraise", "hide_video_muted"):
        _need(isinstance(session.get(name), bool), f"{name} is no boolean")
    _object(session, "meta")
    _moment_or_none(session, "remove_at")
    after = session.get("remove_after_seconds_elapsed", "")
    preview = session.get("preview_url", "")
    _need(preview is None or (isinstance(preview, str) and preview.startswith("http")), "preview_url is no URL")
    _need(after is None or (isinstance(after, int) and after >= 0), "remove_after_seconds_elapsed is no count")
    for name in ("recordings", "streams", "playbacks"):
        _need(not session.get(name), f"{name} is not empty")


def _member(member: Any) -> None:
    _need(isinstance(member, dict), "a member is no object")
    for name in ("member_id", "call_id", "node_id", "type"):
        _text(member, name)
    _need(_MOMENT.match(_text(member, "joined_at")) is not None, "joined_at is no moment")
    _need(member["type"] == "member" or bool(member.get("parent_id")), "a screen or device without parent_id")


def _session_ids(params: Json) -> None:
    _text(params, "room_id")
    _text(params, "room_session_id")


def _moment_or_none(params: Json, name: str) -> None:
    value = params.get(name, "")
    _need(value is None or (isinstance(value, str) and _MOMENT.match(value) is not None), f"{name} is no moment")


def _text(params: Json, name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{name} is no string with something in it")
    return value


def _object(params: Json, name: str) -> Json:
    value = params.get(name)
    if not isinstance(value, dict):
        raise Malformed(f"{name} is no object")
    return value


def _need(condition: bool, complaint: str) -> None:
    if not condition:
        raise Malformed(complaint)


_CHECKS: dict[str, Callable[[Json], None]] = {
    "call.joined": _joined,
    "call.left": _left,
    "call.updated": _call_updated,
    "member.joined": _member_event,
    "member.left": _member_event,
    "member.updated": _updated,
    "member.talking": _talking,
    "layout.changed": _layout,
    "webrtc.message": _verto,
}
