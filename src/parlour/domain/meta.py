"""What a room's ``meta`` may hold: a JSON object of bounded size and depth, over REST and in the live room alike."""

import json
import math
from collections.abc import Mapping
from typing import Any

from parlour.domain.room import META_DEPTH, META_MAX

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def compact_json(value: Mapping[str, Any]) -> str:
    """A JSON object without spaces, in any script."""
    return _encoder.encode(dict(value))


def is_plain(value: Any, depth: int = META_DEPTH) -> bool:
    """Whether a value nests at most ``depth`` levels and holds no NUL and no number beyond any size."""
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return depth > 0 and all("\0" not in key and is_plain(item, depth - 1) for key, item in value.items())
    if isinstance(value, list):
        return depth > 0 and all(is_plain(item, depth - 1) for item in value)
    return True


def complaint(value: Any) -> str | None:
    """Why this cannot be a ``meta``, in words that go on from the field's name; ``None`` where it can."""
    if not isinstance(value, dict):
        return "must be an object"
    if not is_plain(value):
        return f"must not contain NUL, numbers beyond any size, or more than {META_DEPTH} levels"
    text = compact_json(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must be valid Unicode"
    return f"must be at most {META_MAX} characters of JSON" if len(text) > META_MAX else None
