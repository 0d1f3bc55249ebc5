"""The in-call methods: ``call.mute``, ``call.layout.set``, ``call.member.list`` and their like.

They become ``Act`` commands. What a member may do, and what there is to do, the room knows: it has the member's
capabilities from the join. Here is only made sure that the caller acts as a member that is the caller's own.
"""

from typing import Any

from parlour.domain import meta
from parlour.domain.live.commands import Act, Done, Refused
from parlour.domain.live.member import MemberKind
from parlour.domain.room import META_DEPTH
from parlour.front.signalling import wire
from parlour.front.signalling.frames import Denied, Request, done, object_of, text_of
from parlour.front.signalling.session import Call, Dialogue, Stage
from parlour.front.signalling.switchboard import Switchboard
from parlour.front.signalling.verto import Answer, positions_of
from parlour.front.signalling.wire import Json

PREFIX = "call."
PARTING = frozenset({"call.end", "call.member.remove"})
"""What may end the call of whoever asks."""
TARGETS_MAX = 300
DEPTH_MAX = META_DEPTH + 2
"""Levels of parameters: those of a ``meta`` that is just too deep still get to where that is said in its own words."""

SCREEN_METHODS: dict[str, tuple[str, Json]] = {
    "video.member.audio_mute": ("mute", {"channels": ["audio"]}),
    "video.member.audio_unmute": ("unmute", {"channels": ["audio"]}),
    "video.member.video_mute": ("mute", {"channels": ["video"]}),
    "video.member.video_unmute": ("unmute", {"channels": ["video"]}),
    "video.member.set_input_volume": ("microphone.volume.set", {}),
    "video.member.set_input_sensitivity": ("microphone.sensitivity.set", {}),
}
"""What the SDK's object for a shared screen asks in older words."""


async def act(board: Switchboard, dialogue: Dialogue, request: Request) -> Answer:
    """Answer a ``call.*`` request. Raises ``Denied``."""
    params = request.params
    actor = _actor(dialogue, object_of(params, "self"))
    targets, positions = _targets(params, actor.member_id)
    rest = {key: value for key, value in params.items() if key not in {"self", "target", "targets"}}
    if "positions" in rest:
        rest["positions"] = positions_of(params, actor.member_id)
    if positions:
        rest["positions"] = positions
    return await _ask(board, actor, request.method.removeprefix(PREFIX), targets, rest)


async def act_on_screen(board: Switchboard, dialogue: Dialogue, request: Request) -> Answer:
    """Answer a ``video.member.*`` request about a screen of the caller's own. Raises ``Denied``."""
    name, fixed = SCREEN_METHODS[request.method]
    target = text_of(request.params, "member_id")
    screen = next((call for call in dialogue.calls.values() if call.member_id == target), None)
    if screen is None:
        raise Denied(404, "no_such_member", "no screen of yours has this id")
    owner = next(
        (
            call
            for call in dialogue.calls.values()
            if call.room_id == screen.room_id and call.kind is MemberKind.MEMBER and call.member_id
        ),
        screen,
    )
    rest = {key: value for key, value in request.params.items() if key not in {"room_session_id", "member_id"}}
    return await _ask(board, owner, name, (target,), {**rest, **fixed})


async def _ask(board: Switchboard, actor: Call, name: str, targets: tuple[str, ...], params: Json) -> Answer:
    if actor.room_id is None:
        raise Denied(409, "too_early", "the call is not there yet")
    if not meta.is_plain(params, DEPTH_MAX):
        raise Denied(422, "bad_parameter", f"the parameters must have no NUL in them and at most {DEPTH_MAX} levels")
    async with actor.lock:
        reply = await board.ask(actor.room_id, Act(actor.member_id, name, targets, params))
    if isinstance(reply, Refused):
        raise Denied(reply.code, reply.reason, reply.message, reply.at)
    result: dict[str, Any] = reply.result if isinstance(reply, Done) else {}
    live = actor.live
    room_id, session_id = (live.room_id, live.id) if live else (str(actor.room_id), "")
    return Answer(done(**wire.listing(result, room_id, session_id)))


def _actor(dialogue: Dialogue, me: Json) -> Call:
    """The caller's own call that acts. Its ``member_id`` in the request must be its own too."""
    call = dialogue.calls.get(text_of(me, "call_id"))
    if call is None or not call.member_id or call.stage is Stage.LEAVING:
        raise Denied(404, "no_such_call", "no call of yours has this id")
    if text_of(me, "member_id") != call.member_id:
        raise Denied(403, "not_allowed", "one can only act as oneself")
    return call


def _targets(params: Json, me: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Whom a request is about, and the positions where it wants each of them."""
    several = params.get("targets")
    if several is None:
        return (text_of(object_of(params, "target"), "member_id", default=me),), {}
    if not isinstance(several, list) or len(several) > TARGETS_MAX:
        raise Denied(422, "bad_parameter", "targets must be a list of members")
    targets: list[str] = []
    positions: dict[str, str] = {}
    for one in several:
        if not isinstance(one, dict):
            raise Denied(422, "bad_parameter", "targets must be a list of members")
        member_id = text_of(object_of(one, "target") or one, "member_id")
        targets.append(member_id)
        if "position" in one:
            positions[member_id] = text_of(one, "position", 64)
    return tuple(targets), positions
