"""How the parameters of the in-call methods are read. They come from outside: nothing is taken for granted."""

from collections.abc import Mapping
from typing import Any

from parlour.domain import meta
from parlour.domain.live.capabilities import CHANNELS
from parlour.domain.live.layout import AUTO, LAYOUTS, is_position, is_slot

AUDIO_FLAGS = ("echo_cancellation", "auto_gain", "noise_suppression")


class BadParameterError(ValueError):
    """A parameter is missing, of the wrong type or out of its range; the message says which."""


def read_channels(params: Mapping[str, Any]) -> tuple[str, ...]:
    """The ``channels`` of a mute: ``audio``, ``video`` or both."""
    given = params.get("channels")
    if not isinstance(given, list | tuple) or not given or any(channel not in CHANNELS for channel in given):
        raise BadParameterError("channels must be a list of audio, video or both")
    return tuple(channel for channel in CHANNELS if channel in given)


def read_layout(params: Mapping[str, Any]) -> str:
    """The name of the ``layout`` asked for."""
    given = params.get("layout")
    if not isinstance(given, str) or given not in LAYOUTS:
        raise BadParameterError("layout must be the name of a layout")
    return given


def read_positions(params: Mapping[str, Any], actor: str) -> dict[str, str]:
    """The ``positions`` asked for, by member id; the key ``self`` stands for ``actor``. Empty where there are none.

    ``all`` can be given back to the layout or taken off the canvas; a slot is for one.
    """
    given = params.get("positions") or {}
    if not isinstance(given, Mapping):
        raise BadParameterError("positions must map members to places")
    asked: dict[str, str] = {}
    for member_id, position in given.items():
        if not isinstance(member_id, str) or not isinstance(position, str) or not is_position(position):
            raise BadParameterError("positions must map members to places such as standard-1, off-canvas or auto")
        asked[actor if member_id == "self" else member_id] = position
    if is_slot(asked.get("all", AUTO)):
        raise BadParameterError("one place cannot be everybody's; for all it must be auto or off-canvas")
    slots = [position for position in asked.values() if is_slot(position)]
    if len(slots) != len(set(slots)):
        raise BadParameterError("two members cannot have the same place")
    return asked


def read_number(params: Mapping[str, Any], name: str, bounds: tuple[int, int]) -> int:
    """A whole number within ``bounds``; fractions are rounded."""
    given = params.get(name)
    low, high = bounds
    if isinstance(given, bool) or not isinstance(given, int | float) or not low <= given <= high:
        raise BadParameterError(f"{name} must be a number from {low} to {high}")
    return round(given)


def read_flags(params: Mapping[str, Any]) -> dict[str, bool]:
    """The audio flags that are given, at least one."""
    flags = {name: params[name] for name in AUDIO_FLAGS if name in params}
    if not flags or any(not isinstance(flag, bool) for flag in flags.values()):
        raise BadParameterError(f"at least one of {', '.join(AUDIO_FLAGS)} must be given, as true or false")
    return flags


def read_switch(params: Mapping[str, Any]) -> bool:
    """The ``enable`` of a switch."""
    given = params.get("enable")
    if not isinstance(given, bool):
        raise BadParameterError("enable must be true or false")
    return given


def read_meta(params: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The ``meta`` asked for; laid over ``before`` key by key, where that is given."""
    given = params.get("meta")
    if isinstance(given, dict) and before is not None:
        given = {**before, **given}
    wrong = meta.complaint(given)
    if wrong is not None:
        raise BadParameterError(f"meta {wrong}")
    return dict(given or {})
