"""The ``verto.*`` messages: dialling, negotiating anew, hanging up."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from parlour.domain import meta
from parlour.domain.dial import parse_dialled
from parlour.domain.live.commands import Accepted, Answered, Hold, Join, Leave, Refused, Reoffer
from parlour.domain.live.member import MemberKind
from parlour.domain.room import NAME_MAX, Room
from parlour.domain.subscriber import CONTEXT as PRIVATE
from parlour.front.signalling import wire
from parlour.front.signalling.frames import Denied, Request, done, object_of, text_of
from parlour.front.signalling.session import CALLS_MAX, Call, Dialogue, Stage
from parlour.front.signalling.switchboard import Switchboard
from parlour.front.signalling.wire import Json
from parlour.store import rooms

SDP_MAX = 64 * 1024
"""Characters; the bus carries no longer ones."""
VARIABLES_MAX = 8 * 1024
POSITIONS_MAX = 300
NO_SUCH_CALL = "INVALID_CALL_REFERENCE"
GUEST_NAME = "Guest"
BAD_OFFER = "bad_offer"
"""The reason of a refusal that says that a session description cannot be taken; the rooms have it too."""
BUSY = 503
"""The code of a refusal that may be none in a moment."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Control characters, which no name has: REST refuses them, and PostgreSQL keeps no NUL."""
_CALL_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer, and what to do once that has been sent."""

    content: Json
    after: Callable[[], None] | None = None
    state_changed: bool = False


async def verto(board: Switchboard, dialogue: Dialogue, request: Request) -> Answer:
    """Answer a ``webrtc.verto`` request. Raises ``Denied``."""
    message = object_of(request.params, "message")
    if "method" not in message:
        return Answer(done(node_id=wire.NODE))  # what the client says to a message of ours
    method = text_of(message, "method")
    params = object_of(message, "params")
    handler = _METHODS.get(method)
    if handler is None:
        raise Denied(404, "no_such_method", f"{method} is not known")
    answer = await handler(board, dialogue, params)
    inner = {"jsonrpc": "2.0", "id": message.get("id"), **answer.content}
    return Answer(done(node_id=wire.NODE, result=inner), answer.after, answer.state_changed)


async def _invite(board: Switchboard, dialogue: Dialogue, params: Json) -> Answer:
    dialog = object_of(params, "dialogParams")
    call_id = text_of(dialog, "callID")
    if not _CALL_ID.match(call_id):
        raise Denied(422, "bad_parameter", "callID must be 1 to 64 letters, digits, dots, dashes or underscores")
    call = dialogue.calls.get(call_id)
    if call is None and not dialogue.vacant and (dialog.get("attach") or dialog.get("reattaching")):
        return _no_such_call()
    if call is None and len(dialogue.calls) >= CALLS_MAX:
        raise Denied(409, "too_many_calls", f"one session may have at most {CALLS_MAX} calls")
    reattach = call is not None
    if call is None:
        call = dialogue.calls[call_id] = Call(call_id)
    async with call.lock:
        if dialogue.calls.get(call_id) is not call:  # it went down while this waited
            return await _invite(board, dialogue, params)
        before = call.stage
        try:
            return await _join(board, dialogue, call, params, reattach)
        except BaseException:
            if reattach:
                dialogue.resume(call, before)
            raise
        finally:
            if not call.member_id:
                dialogue.abandon(call)


async def _join(board: Switchboard, dialogue: Dialogue, call: Call, params: Json, reattach: bool) -> Answer:
    dialog = object_of(params, "dialogParams")
    sdp = _sdp(params)
    room, channel = await _room(board, dialogue, text_of(dialog, "destination_number", 300))
    if reattach and call.room_id != room.room_id:
        return _no_such_call()
    call.room_id = room.room_id
    call.stage = Stage.JOINING
    variables = _variables(dialog)
    owner = None
    if dialog.get("screenShare"):
        owner = _owner(dialogue, call, variables)
        call.kind = call.kind if reattach else MemberKind.SCREEN
    elif dialog.get("additionalDevice"):
        raise Denied(422, "bad_parameter", "a second camera is not supported")
    ticket = dialogue.ticket
    vacant = dialogue.vacant.get(room.room_id) if not reattach and owner is None else None
    returns = reattach or vacant is not None
    if not returns and (dialog.get("attach") or dialog.get("reattaching")):
        return _no_such_call()
    if not returns and ticket.over(board.tickets.now().timestamp()):
        raise Denied(401, "token_expired", "the token has expired; renew it before dialling")
    await board.listen(room.room_id, dialogue)
    reply = await board.ask(
        room.room_id,
        Join(
            room,
            call.id,
            sdp,
            _name(dialogue, variables),
            ticket.capabilities,
            subscriber_id=str(ticket.subscriber or ""),
            channel=channel,
            audio_first=dialogue.audio_first and _video_first(sdp),
            reattach=reattach,
            screen_of=owner,
            layout=text_of(params, "layout", 64) if params.get("layout") else None,
            positions=positions_of(params),
            user_variables=variables,
            seat=board.seat(call) if reattach else vacant,
            past=board.past(room.room_id, returning=reattach),
            front=board.front,
        ),
    )
    if vacant is not None and not (isinstance(reply, Refused) and reply.code == BUSY):
        dialogue.vacant.pop(room.room_id, None)
    if isinstance(reply, Refused):
        return _refused(dialogue, call, reply, reattach)
    if not isinstance(reply, Accepted):
        raise Denied(503, "unavailable", "the room gave no answer to that")
    call.member_id = reply.member_id
    if not dialogue.connected:
        await board.absent(dialogue)  # the client went away while the room was asked
    created = {"message": "CALL CREATED", "callID": call.id, "memberID": call.member_id}
    return Answer({"result": created}, lambda: dialogue.answered(call, reply.sdp), state_changed=True)


def _refused(dialogue: Dialogue, call: Call, reply: Refused, reattach: bool) -> Answer:
    """The room says no. A call that came back may be over by that. Raises ``Denied`` where it is not."""
    if reattach and reply.reason == "no_such_call":
        dialogue.end(call, reply.message)
        return _no_such_call()
    raise Denied(reply.code, reply.reason, reply.message, reply.at)


async def _modify(board: Switchboard, dialogue: Dialogue, params: Json) -> Answer:
    call = _call(dialogue, params)
    match text_of(params, "action"):
        case "updateMedia":
            async with call.lock:
                sdp = _sdp(params)
                reply = await _ask(board, call, Reoffer(call.id, sdp, dialogue.audio_first and _video_first(sdp)))
            if not isinstance(reply, Answered):
                raise Denied(503, "unavailable", "the room gave no answer to that")
            found = {"action": "updateMedia", "callID": call.id, "holdState": "active", "sdp": reply.sdp}
        case "hold" | "unhold" as action:
            async with call.lock:
                await _ask(board, call, Hold(call.id, action == "hold"))
            found = {"action": action, "callID": call.id, "holdState": "held" if action == "hold" else "active"}
        case action:
            raise Denied(422, "bad_parameter", f"{action} is no action of verto.modify")
    return Answer({"result": found})


async def _bye(board: Switchboard, dialogue: Dialogue, params: Json) -> Answer:
    call_id = text_of(object_of(params, "dialogParams"), "callID")
    cause, code = params.get("cause", "NORMAL_CLEARING"), params.get("causeCode", "16")
    ended: Json = {"result": {"message": "CALL ENDED", "callID": call_id, "cause": cause, "causeCode": code}}
    call = dialogue.calls.get(call_id)
    if call is None:
        return Answer(ended)  # it is over: that is what was wanted
    async with call.lock:
        if call.id in dialogue.calls and call.member_id:
            call.stage = Stage.LEAVING
            await _ask(board, call, Leave(call.id), may_fail=True)
        dialogue.end(call, "left")
    return Answer(ended, state_changed=True)


async def _info(_board: Switchboard, dialogue: Dialogue, params: Json) -> Answer:
    call = _call(dialogue, params)
    return Answer({"result": {"message": "SENT", "callID": call.id}})


async def _nothing(_board: Switchboard, _dialogue: Dialogue, _params: Json) -> Answer:
    return Answer({"result": {"message": "OK"}})


_METHODS: dict[str, Callable[[Switchboard, Dialogue, Json], Awaitable[Answer]]] = {
    "verto.invite": _invite,
    "verto.attach": _invite,
    "verto.modify": _modify,
    "verto.bye": _bye,
    "verto.info": _info,
    "verto.ping": _nothing,
    "verto.pong": _nothing,
    "verto.subscribe": _nothing,
    "verto.unsubscribe": _nothing,
}


async def _ask(board: Switchboard, call: Call, command: Any, may_fail: bool = False) -> Any:
    if call.room_id is None:
        raise Denied(409, "too_early", "the call is not there yet")
    try:
        reply = await board.ask(call.room_id, command)
    except Denied:
        if may_fail:  # the room will miss the member by itself
            return None
        raise
    if isinstance(reply, Refused) and not may_fail:
        raise Denied(reply.code, reply.reason, reply.message, reply.at)
    return reply


async def _room(board: Switchboard, dialogue: Dialogue, destination: str) -> tuple[Room, str]:
    """The room that somebody dials, and the channel. Raises ``Denied`` where the ticket does not reach it."""
    ticket = dialogue.ticket
    try:
        dialled = parse_dialled(destination)
    except ValueError as error:
        raise Denied(404, "to_destination_unresolvable", f"{destination!r} is {error}") from None
    if dialled.context == PRIVATE:
        raise Denied(404, "resource_not_callable", "people cannot be called here, only rooms")
    room = await board.database.run(lambda connection: rooms.at_address(connection, ticket.project, dialled.name))
    if ticket.addresses is not None and (room is None or not ticket.opens(room.address.id)):
        raise Denied(403, "resource_not_allowed", "the token does not reach this address")
    if room is None or f"/{dialled.context}/{dialled.name}" != room.address.uri:
        raise Denied(404, "uri_does_not_resolve_to_address", f"there is nothing at {destination!r}")
    return room, dialled.channel


def positions_of(params: Json, me: str = "") -> dict[str, str]:
    """Members' wanted positions; ``self`` is resolved to ``me``. Raises ``Denied``.

    Without ``me`` it stays: in an invite it is whom the room is about to let in.
    """
    found = object_of(params, "positions")
    good = meta.is_plain(found) and all(isinstance(value, str) and len(value) <= 64 for value in found.values())
    if len(found) > POSITIONS_MAX or not good:
        raise Denied(422, "bad_parameter", "positions must map members to names of positions")
    return {me if key == "self" and me else key: value for key, value in found.items()}


def _owner(dialogue: Dialogue, call: Call, variables: Json) -> str:
    member_id = variables.get("memberId")
    for one in dialogue.calls.values():
        if one.kind is MemberKind.MEMBER and one.member_id == member_id and one.room_id == call.room_id:
            return one.member_id
    raise Denied(403, "not_allowed", "a screen belongs to a member of the same room and session")


def _call(dialogue: Dialogue, params: Json) -> Call:
    call = dialogue.calls.get(text_of(object_of(params, "dialogParams"), "callID"))
    if call is None or not call.member_id:
        raise Denied(404, "no_such_call", NO_SUCH_CALL)
    return call


def _no_such_call() -> Answer:
    return Answer({"error": {"code": -32602, "message": NO_SUCH_CALL}})


def _sdp(params: Json) -> str:
    sdp = text_of(params, "sdp", SDP_MAX)
    if not sdp.startswith("v=0"):
        raise Denied(422, BAD_OFFER, "sdp must be a session description")
    return sdp


def _variables(dialog: Json) -> Json:
    found = object_of(dialog, "userVariables")
    if len(orjson.dumps(found)) > VARIABLES_MAX:
        raise Denied(422, "bad_parameter", f"userVariables must be at most {VARIABLES_MAX} bytes of JSON")
    return found


def _name(dialogue: Dialogue, variables: Json) -> str:
    """The ticket's name; who has none there may bring one in the invite's ``userVariables``."""
    given = variables.get("display_name") or variables.get("displayName")
    own = " ".join(_CONTROLS.sub(" ", given).split())[:NAME_MAX] if isinstance(given, str) else ""
    return dialogue.ticket.name or own or GUEST_NAME


def _video_first(sdp: str) -> bool:
    video, audio = sdp.find("\nm=video"), sdp.find("\nm=audio")
    return 0 <= video < audio
