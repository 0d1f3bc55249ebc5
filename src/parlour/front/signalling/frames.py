"""JSON-RPC frames: read with suspicion, written plainly."""

import json
import re
from dataclasses import dataclass
from typing import Any

import orjson

from parlour.front.signalling.wire import OK, Json, moment

NOT_JSON, INVALID, NO_METHOD, INTERNAL = -32700, -32600, -32601, -32603
UNAUTHORIZED = -32002
ID_MAX = 128

_METHOD = re.compile(r"[a-z][a-z0-9_.]{0,79}\Z", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks; it waits for an answer with the same ``id``."""

    id: str | int
    method: str
    params: Json


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A client's answer to an event or a ping of ours."""

    id: Any


class BadFrame(Exception):  # noqa: N818 - somebody else's mistake, answered
    """A frame that is no request, told in JSON-RPC's numbers; ``id`` where there is one to answer to."""

    def __init__(self, code: int, message: str, id_: str | int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.id = id_


class Denied(Exception):  # noqa: N818 - an answer, not an error of ours
    """A request that is refused, in the manner of HTTP: ``code`` 403, 404, 409, 422 or 503, a word and a sentence.

    ``at`` is when it would be granted, in Unix seconds, where that is known.
    """

    def __init__(self, code: int, reason: str, message: str, at: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.at = at


def parse(text: str) -> Request | Acknowledgement:
    """Read a frame. Raises ``BadFrame``."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadFrame(NOT_JSON, "Parse error") from None
    if not isinstance(found, dict):
        raise BadFrame(INVALID, "Invalid Request: not an object")
    id_ = found.get("id")
    if "method" not in found:
        if "result" in found or "error" in found:
            return Acknowledgement(id_)
        raise BadFrame(INVALID, "Invalid Request: no method", _plain_id(id_))
    id_ = _plain_id(id_)
    if id_ is None:
        raise BadFrame(INVALID, "Invalid Request: the id must be a string or a whole number")
    method, params = found["method"], found.get("params", {})
    if not isinstance(method, str) or not _METHOD.match(method):
        raise BadFrame(INVALID, "Invalid Request: the method is no name", id_)
    if not isinstance(params, dict):
        raise BadFrame(INVALID, "Invalid Request: the params are no object", id_)
    if not _can_be_written(params):
        raise BadFrame(INVALID, "Invalid Request: the params nest too deep", id_)
    return Request(id_, method, params)


def write(frame: Json) -> str:
    """Spell a frame. Numbers of any size pass: a room's ``meta`` may hold some."""
    try:
        return orjson.dumps(frame).decode()
    except TypeError:
        return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def result(id_: str | int, content: Json) -> Json:
    """An answer."""
    return {"jsonrpc": "2.0", "id": id_, "result": content}


def error(id_: str | int | None, code: int, message: str) -> Json:
    """An answer that says no."""
    return {"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message}}


def done(**more: Any) -> Json:
    """The content of an answer that says yes."""
    return {**OK, **more}


def denied(refusal: Denied) -> Json:
    """The content of an answer that says no for a reason. The SDK hands all of it to the application."""
    found = {"code": str(refusal.code), "message": str(refusal), "reason": refusal.reason}
    return found if refusal.at is None else {**found, "at": moment(refusal.at)}


def text_of(params: Json, name: str, most: int = 256, default: str | None = None) -> str:
    """A string among the parameters. Raises ``Denied`` with 422 where it is none, too long, or has a NUL in it.

    PostgreSQL keeps no NUL.
    """
    value = params.get(name, default)
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise Denied(422, "bad_parameter", f"{name} must be a string of at most {most} characters without NUL")
    return value


def object_of(params: Json, name: str) -> Json:
    """An object among the parameters, empty where it is missing. Raises ``Denied`` with 422 for anything else."""
    value = params.get(name) or {}
    if not isinstance(value, dict):
        raise Denied(422, "bad_parameter", f"{name} must be an object")
    return value


def _can_be_written(params: Json) -> bool:
    """Whether the answer may repeat any of this. orjson reads four times as many levels as the 254 that it writes."""
    try:
        orjson.dumps(params)
    except TypeError:
        return False
    return True


def _plain_id(value: Any) -> str | int | None:
    if isinstance(value, str) and 0 < len(value) <= ID_MAX:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return None
