"""Every request finds its handler here, and every one is answered."""

import contextlib
import logging
from collections.abc import Awaitable, Callable

from parlour.domain.errors import Unavailable
from parlour.front.signalling import acts, frames
from parlour.front.signalling.frames import Denied, Request, done
from parlour.front.signalling.session import Dialogue
from parlour.front.signalling.switchboard import Switchboard
from parlour.front.signalling.verto import BAD_OFFER, Answer, verto

log = logging.getLogger("parlour.signalling")


async def answer(board: Switchboard, dialogue: Dialogue, request: Request, reply: Callable[[str], None]) -> None:
    """Answer a request through ``reply``, which takes a frame as it is spelt.

    The same id again gets the same answer, without the deed being done again: the SDK repeats requests after a failure
    and after a reconnect. Only what failed may be tried again under its id.

    What may end the caller's own call is answered before anybody tells that it did: with its call the SDK drops the
    requests that wait for an answer.
    """
    with dialogue.holding() if request.method in acts.PARTING else contextlib.nullcontext():
        await _answer(board, dialogue, request, reply)


async def tell_state(board: Switchboard, dialogue: Dialogue) -> None:
    """Give the client what it resumes the session with."""
    state = await board.state_of(dialogue)
    dialogue.emit("signalwire.authorization.state", {"authorization_state": state})


async def _answer(board: Switchboard, dialogue: Dialogue, request: Request, reply: Callable[[str], None]) -> None:
    earlier = await dialogue.answers.find(request.id)
    if earlier is not None:
        reply(earlier)
        return
    with dialogue.answers.coming(request.id) as coming:
        text, found = await _outcome(board, dialogue, request)
        coming.set_result(text)
    if found is not None:
        dialogue.answers.keep(request.id, text)
    reply(text)
    if found is not None and found.after is not None:
        found.after()
    if found is not None and found.state_changed:
        await tell_state(board, dialogue)


async def _outcome(board: Switchboard, dialogue: Dialogue, request: Request) -> tuple[str, Answer | None]:
    """The frame that answers, as it is spelt, and the answer itself where it says yes."""
    try:
        found = await _handle(board, dialogue, request)
        return frames.write(frames.result(request.id, found.content)), found
    except Denied as refusal:
        board.counts.offers_malformed += refusal.reason == BAD_OFFER
        frame = frames.result(request.id, frames.denied(refusal))
    except Unavailable:
        frame = frames.result(request.id, frames.denied(Denied(503, "unavailable", "try again in a moment")))
    except frames.BadFrame as refusal:
        frame = frames.error(request.id, refusal.code, str(refusal))
    except Exception:
        # Nothing may stay unanswered: the SDK would cut the connection, and with it every call.
        board.counts.failures += 1
        log.exception("a %s request failed", request.method)
        frame = frames.error(request.id, frames.INTERNAL, "Internal error")
    return frames.write(frame), None


async def _handle(board: Switchboard, dialogue: Dialogue, request: Request) -> Answer:
    method = request.method
    if method in acts.SCREEN_METHODS:
        return await acts.act_on_screen(board, dialogue, request)
    handler = _METHODS.get(method)
    if handler is None and method.startswith(acts.PREFIX):
        handler = acts.act
    if handler is None:
        raise frames.BadFrame(frames.NO_METHOD, f"Method not found: {method}", request.id)
    return await handler(board, dialogue, request)


async def _ping(_board: Switchboard, _dialogue: Dialogue, request: Request) -> Answer:
    return Answer({"timestamp": request.params.get("timestamp")})


async def _online(_board: Switchboard, dialogue: Dialogue, request: Request) -> Answer:
    dialogue.online = request.method == "subscriber.online"
    return Answer(done())


async def _ok(_board: Switchboard, _dialogue: Dialogue, _request: Request) -> Answer:
    return Answer(done())


_METHODS: dict[str, Callable[[Switchboard, Dialogue, Request], Awaitable[Answer]]] = {
    "webrtc.verto": verto,
    "signalwire.ping": _ping,
    "signalwire.subscription": _ok,
    "subscriber.online": _online,
    "subscriber.offline": _online,
}
