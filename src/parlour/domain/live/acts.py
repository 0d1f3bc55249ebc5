"""The in-call methods: what each does to the room, and how its parameters are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from parlour.domain.live.admission import NO_CAMERAS
from parlour.domain.live.capabilities import Scope, may
from parlour.domain.live.commands import Act, Done, Refused
from parlour.domain.live.layout import LAYOUTS
from parlour.domain.live.member import Member, MemberKind
from parlour.domain.live.parameters import (
    BadParameterError,
    read_channels,
    read_flags,
    read_layout,
    read_meta,
    read_number,
    read_positions,
    read_switch,
)
from parlour.domain.live.relief import Relief
from parlour.domain.live.room import LiveRoom, Outcome, changes
from parlour.domain.live.seats import ENDED, NO_SUCH_MEMBER, NOT_ALLOWED, REMOVED, end, past_of

EVERYBODY = "all"
VOLUME = (-50, 50)
SENSITIVITY = (0, 100)


def act(room: LiveRoom, command: Act, now: float) -> Outcome:
    """Do one of the in-call methods, for all its targets or for none.

    Without targets a method is about its actor. ``all`` means every person; shared screens end with the calls of their
    owners. Parameters: ``channels`` (mute, unmute), ``volume``, ``sensitivity``, the audio flags, ``layout``,
    ``positions`` (layout.set, member.position.set), which maps member ids or ``self`` to places, ``meta`` (meta.set,
    meta.update) and ``enable`` (handraise.prioritize.set, vmuted.hide.set).
    """
    actor = room.members.get(command.actor)
    if actor is None:
        return Outcome(room, (), NO_SUCH_MEMBER)
    try:
        if command.name in _ON_ROOM:
            if not may(actor.capabilities, _right(command)):
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
    if any(member_id not in room.members and member_id != EVERYBODY for member_id in asked):
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
    if room.relief >= Relief.NO_MORE_CAMERAS and "unmute.video" in rights and any(m.video_muted for m in targets):
        return Outcome(room, (), NO_CAMERAS)
    if name in _ENDINGS:
        return end(room, dict.fromkeys((member.id for member in targets), _ENDINGS[name]), now)
    if positions:
        after = room.positioned(_spread(positions, targets))
    else:
        after = room
        for member in targets:
            after = _change(after, command, member, now)
    after = after.settled(now)
    return Outcome(after, changes(room, after))


def _spread(positions: Mapping[str, str], targets: Sequence[Member]) -> dict[str, str]:
    """Places by member, where some may have been asked for ``all``; those that name a member go first."""
    general = positions.get(EVERYBODY)
    if general is None:
        return dict(positions)
    people = {member.id: general for member in targets if member.kind is MemberKind.MEMBER}
    return people | {member_id: place for member_id, place in positions.items() if member_id != EVERYBODY}


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
    past = past_of(room)
    return Outcome(room, (), Done({"members": list(room.members.values()), "session": past and past.session}))


def _set_layout(room: LiveRoom, command: Act, now: float) -> Outcome:
    layout = read_layout(command.params)
    positions = read_positions(command.params, command.actor)
    if any(member_id not in room.members and member_id != EVERYBODY for member_id in positions):
        return Outcome(room, (), NO_SUCH_MEMBER)
    after = room.laid_out(layout).positioned(_spread(positions, tuple(room.members.values()))).settled(now)
    return Outcome(after, changes(room, after))


def _right(command: Act) -> str:
    """What a method on the room takes. Hiding muted cameras and showing them again are two rights."""
    if command.name == "vmuted.hide.set":
        return "vmuted.hide.off" if command.params.get("enable") is False else "vmuted.hide.on"
    return command.name


def _set_meta(room: LiveRoom, command: Act, _now: float) -> Outcome:
    before = (room.session.meta or {}) if command.name == "meta.update" else None
    after = replace(room, session=replace(room.session, meta=read_meta(command.params, before)))
    return Outcome(after, changes(room, after))


def _prioritize_hands(room: LiveRoom, command: Act, now: float) -> Outcome:
    session = replace(room.session, prioritize_handraise=read_switch(command.params))
    after = replace(room, session=session).settled(now)
    return Outcome(after, changes(room, after))


def _hide_muted(room: LiveRoom, command: Act, now: float) -> Outcome:
    session = replace(room.session, hide_video_muted=read_switch(command.params))
    after = replace(room, session=session).settled(now)
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
    "meta.set": _set_meta,
    "meta.update": _set_meta,
    "handraise.prioritize.set": _prioritize_hands,
    "vmuted.hide.set": _hide_muted,
}
_ENDINGS = {"member.remove": REMOVED, "end": ENDED}
_MUTES = frozenset({"mute", "unmute"})


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
    return replace(member, input_volume=read_number(params, "volume", VOLUME))


def _output_volume(member: Member, params: Mapping[str, Any], _now: float) -> Member:
    return replace(member, output_volume=read_number(params, "volume", VOLUME))


def _sensitivity(member: Member, params: Mapping[str, Any], _now: float) -> Member:
    return replace(member, input_sensitivity=read_number(params, "sensitivity", SENSITIVITY))


def _audio_flags(member: Member, params: Mapping[str, Any], _now: float) -> Member:
    return replace(member, **read_flags(params))  # type: ignore[arg-type]  # the names are fields


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
