"""The in-call methods: what each does to the room, and how its parameters are read."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from parlour.domain.live.capabilities import CHANNELS, Scope, may
from parlour.domain.live.commands import Act, Done, Refused
from parlour.domain.live.layout import LAYOUTS, is_position, is_slot
from parlour.domain.live.member import Member, MemberKind
from parlour.domain.live.room import LiveRoom, Outcome, changes
from parlour.domain.live.seats import ENDED, NO_SUCH_MEMBER, NOT_ALLOWED, REMOVED, end

EVERYBODY = "all"
VOLUME = (-50, 50)
SENSITIVITY = (0, 100)
AUDIO_FLAGS = ("echo_cancellation", "auto_gain", "noise_suppression")


def act(room: LiveRoom, command: Act, now: float) -> Outcome:
    """Do one of the in-call methods, for all its targets or for none.

    Without targets a method is about its actor. ``all`` means every person; shared screens end with the calls of their
    owners. Parameters: ``channels`` (mute, unmute), ``volume``, ``sensitivity``, the audio flags, ``layout``, and
    ``positions`` (layout.set, member.position.set), which maps member ids or ``self`` to places.
    """
    actor = room.members.get(command.actor)
    if actor is None:
        return Outcome(room, (), NO_SUCH_MEMBER)
    try:
        if command.name in _ON_ROOM:
            if not may(actor.capabilities, command.name):
                return Outcome(room, (), NOT_ALLOWED)
            return _ON_ROOM[command.name](room, command, now)
        return _act_on_members(room, command, actor, now)
    except BadParameterError as error:
        return Outcome(room, (), Refused(422, "bad_parameter", str(error)))


def _act_on_members(room: LiveRoom, command: Act, actor: Member, now: float) -> Outcome:
    name = command.name
    if name not in _ON_MEMBERS and name not in {"member.position.set", *_ENDINGS}:
        return Outcome(room, (), Refused(404, "no_such_method", f"There is no method {name}."))
    positions = read_positions(command.params, actor.id) if name == "member.position.set" else {}
    if name == "member.position.set" and not positions:
        raise BadParameterError("positions must name at least one member")
    asked = tuple(positions) or command.targets or (actor.id,)
    everybody = EVERYBODY in asked
    if not everybody and any(member_id not in room.members for member_id in asked):
        return Outcome(room, (), NO_SUCH_MEMBER)
    targets = [
        member
        for member in room.members.values()
        if member.id in asked or (everybody and member.kind is MemberKind.MEMBER)
    ]
    scopes: set[Scope] = {"member"} if everybody else {_scope(actor, member) for member in targets}
    rights = [f"{name}.{channel}" for channel in read_channels(command.params)] if name in _MUTES else [name]
    if not all(may(actor.capabilities, right, scopes) for right in rights):
        return Outcome(room, (), NOT_ALLOWED)
    if name in _ENDINGS:
        return end(room, dict.fromkeys((member.id for member in targets), _ENDINGS[name]), now)
    if positions:
        after = room.positioned(positions)
    else:
        after = room
        for member in targets:
            after = _change(after, command, member, now)
    after = after.settled(now)
    return Outcome(after, changes(room, after))


def _scope(actor: Member, target: Member) -> Scope:
    return "self" if actor.id in {target.id, target.parent_id} else "member"


def _change(room: LiveRoom, command: Act, member: Member, now: float) -> LiveRoom:
    """The room with one member changed.

    Deafness mutes the microphone too, and gives back what it took; a picture that was withheld at the join comes with
    the member's own.
    """
    after = _ON_MEMBERS[command.name](member, command.params, now)
    if command.name == "deaf" and not member.deaf and not member.audio_muted:
        after = replace(after, audio_muted=True, hushed=True)
    elif command.name == "undeaf" and member.hushed:
        after = replace(after, audio_muted=False, hushed=False)
    elif command.name in _MUTES and "audio" in read_channels(command.params):
        after = replace(after, hushed=False)
    if command.name == "unmute" and member.withheld and "video" in read_channels(command.params):
        after = replace(after, receives_video=True, withheld=False)
    return room if after == member else replace(room, members={**room.members, member.id: after})


def _list_layouts(room: LiveRoom, _command: Act, _now: float) -> Outcome:
    return Outcome(room, (), Done({"layouts": list(LAYOUTS)}))


def _list_members(room: LiveRoom, _command: Act, _now: float) -> Outcome:
    return Outcome(room, (), Done({"members": list(room.members.values())}))


def _set_layout(room: LiveRoom, command: Act, now: float) -> Outcome:
    layout = read_layout(command.params)
    positions = read_positions(command.params, command.actor)
    if any(member_id not in room.members for member_id in positions):
        return Outcome(room, (), NO_SUCH_MEMBER)
    after = room.laid_out(layout).positioned(positions).settled(now)
    return Outcome(after, changes(room, after))


def _lock(room: LiveRoom, command: Act, _now: float) -> Outcome:
    after = replace(room, session=replace(room.session, locked=command.name == "lock"))
    return Outcome(after, changes(room, after))


_ON_ROOM: Mapping[str, Callable[[LiveRoom, Act, float], Outcome]] = {
    "layout.list": _list_layouts,
    "layout.set": _set_layout,
    "member.list": _list_members,
    "lock": _lock,
    "unlock": _lock,
}
_ENDINGS = {"member.remove": REMOVED, "end": ENDED}
_MUTES = frozenset({"mute", "unmute"})


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
    """The ``positions`` asked for, by member id; the key ``self`` stands for ``actor``. Empty where there are none."""
    given = params.get("positions") or {}
    if not isinstance(given, Mapping):
        raise BadParameterError("positions must map members to places")
    asked: dict[str, str] = {}
    for member_id, position in given.items():
        if not isinstance(member_id, str) or not isinstance(position, str) or not is_position(position):
            raise BadParameterError("positions must map members to places such as standard-1, off-canvas or auto")
        asked[actor if member_id == "self" else member_id] = position
    slots = [position for position in asked.values() if is_slot(position)]
    if len(slots) != len(set(slots)):
        raise BadParameterError("two members cannot have the same place")
    return asked


def _number(params: Mapping[str, Any], name: str, bounds: tuple[int, int]) -> int:
    given = params.get(name)
    low, high = bounds
    if isinstance(given, bool) or not isinstance(given, int | float) or not low <= given <= high:
        raise BadParameterError(f"{name} must be a number from {low} to {high}")
    return round(given)


def _mute(muted: bool) -> Callable[[Member, Mapping[str, Any], float], Member]:
    def change(member: Member, params: Mapping[str, Any], _now: float) -> Member:
        asked = read_channels(params)
        return replace(
            member,
            audio_muted=muted if "audio" in asked else member.audio_muted,
            video_muted=muted if "video" in asked else member.video_muted,
        )

    return change


def _deaf(deaf: bool) -> Callable[[Member, Mapping[str, Any], float], Member]:
    return lambda member, _params, _now: replace(member, deaf=deaf)


def _raise(member: Member, _params: Mapping[str, Any], now: float) -> Member:
    return member if member.handraised else replace(member, hand_raised_at=now)


def _lower(member: Member, _params: Mapping[str, Any], _now: float) -> Member:
    return replace(member, hand_raised_at=None)


def _input_volume(member: Member, params: Mapping[str, Any], _now: float) -> Member:
    return replace(member, input_volume=_number(params, "volume", VOLUME))


def _output_volume(member: Member, params: Mapping[str, Any], _now: float) -> Member:
    return replace(member, output_volume=_number(params, "volume", VOLUME))


def _sensitivity(member: Member, params: Mapping[str, Any], _now: float) -> Member:
    return replace(member, input_sensitivity=_number(params, "sensitivity", SENSITIVITY))


def _audio_flags(member: Member, params: Mapping[str, Any], _now: float) -> Member:
    flags = {name: params[name] for name in AUDIO_FLAGS if name in params}
    if not flags or any(not isinstance(flag, bool) for flag in flags.values()):
        raise BadParameterError(f"at least one of {', '.join(AUDIO_FLAGS)} must be given, as true or false")
    return replace(member, **flags)


_ON_MEMBERS: Mapping[str, Callable[[Member, Mapping[str, Any], float], Member]] = {
    "mute": _mute(muted=True),
    "unmute": _mute(muted=False),
    "deaf": _deaf(deaf=True),
    "undeaf": _deaf(deaf=False),
    "raisehand": _raise,
    "lowerhand": _lower,
    "microphone.volume.set": _input_volume,
    "speaker.volume.set": _output_volume,
    "microphone.sensitivity.set": _sensitivity,
    "audioflags.set": _audio_flags,
}
"""The acts that change flags of their targets, by name."""
