"""``signalwire.connect`` and ``signalwire.reauthenticate``: who is there, and which session is taken up."""

from parlour.domain.errors import Refusal, Unavailable
from parlour.domain.ticket import Ticket
from parlour.front.signalling import frames, wire
from parlour.front.signalling.frames import BadFrame, Denied, Request, object_of, text_of
from parlour.front.signalling.session import Dialogue
from parlour.front.signalling.switchboard import Switchboard
from parlour.front.signalling.wire import Json
from parlour.front.tickets import TOKEN_MAX, OldToken

AGENT_MAX = 200


async def connect(board: Switchboard, request: Request) -> tuple[Dialogue, Json]:
    """Take up or begin a session; give it with the answer. Raises ``BadFrame`` with -32002 for a bad token."""
    params = request.params
    try:
        protocol = text_of(params, "protocol", 300, default="") if params.get("protocol") else ""
        state = text_of(params, "authorization_state", TOKEN_MAX, default="") if protocol else ""
    except Denied:
        protocol = state = ""  # a session that we do not know begins anew
    ticket = await _admitted(board, request, protocol, state)
    agent = params.get("agent")
    dialogue = await board.open(ticket, agent[:AGENT_MAX] if isinstance(agent, str) else "", protocol, state)
    board.counts.connects += 1
    return dialogue, {
        "identity": f"{ticket.id}@{wire.NODE}",
        "protocol": dialogue.protocol,
        "authorization": _authorization(dialogue),
        "ice_servers": list(board.ice_servers(ticket)),
    }


async def reauthenticate(board: Switchboard, dialogue: Dialogue, request: Request) -> Json:
    """Go on with a newer token of the same person. Raises ``BadFrame`` with -32002."""
    ticket = await _admitted(board, request)
    if (ticket.project, ticket.subscriber) != (dialogue.ticket.project, dialogue.ticket.subscriber):
        raise _unauthorized(request, "the token is somebody else's")
    dialogue.ticket = ticket
    return {"authorization": _authorization(dialogue), "message": "OK", "code": "200"}


async def _admitted(board: Switchboard, request: Request, protocol: str = "", state: str = "") -> Ticket:
    try:
        token = text_of(object_of(request.params, "authentication"), "jwt_token", TOKEN_MAX)
        return await board.admit(token, protocol, state)
    except Unavailable:
        raise BadFrame(frames.INTERNAL, "not available just now; try again", request.id) from None
    except OldToken:
        raise _unauthorized(request, "the token has expired") from None
    except (Refusal, Denied):
        raise _unauthorized(request, "the token is not valid") from None


def _unauthorized(request: Request, why: str) -> BadFrame:
    return BadFrame(frames.UNAUTHORIZED, f"Unauthorized: {why}", request.id)


def _authorization(dialogue: Dialogue) -> Json:
    ticket = dialogue.ticket
    project = str(ticket.project)
    return {
        # The SDK takes a session up again only while this is the protocol's second part.
        "jti": dialogue.protocol.split("_")[1],
        "project_id": project,
        "fabric_subscriber": {
            "version": 1,
            "expires_at": ticket.expires_at,
            "subscriber_id": str(ticket.subscriber or ticket.id),
            "application_id": project,
            "project_id": project,
            "space_id": project,
        },
    }
