"""One WebSocket, from its opening to its end.

Any web page may connect, whatever its ``Origin``: who may do what is decided by the token that the page presents, and
no cookie or other ambient credential is ever read, so another site's page can do nothing in somebody's name.

Everything is bounded: the size of a frame (by the server, ``server.py``), the time until somebody says who is there,
the requests in flight, bad frames, frames that wait to be sent. A client that does not read is let go; it reconnects.
"""

import asyncio
import logging
import secrets
from typing import Any, NoReturn

from starlette.websockets import WebSocket, WebSocketDisconnect

from parlour.front.signalling import frames
from parlour.front.signalling.dispatch import answer, tell_state
from parlour.front.signalling.frames import Acknowledgement, BadFrame, Request
from parlour.front.signalling.session import Dialogue
from parlour.front.signalling.switchboard import Switchboard
from parlour.front.signalling.welcome import connect, reauthenticate
from parlour.front.signalling.wire import Json

HELLO_S = 10.0
"""How long a client may take to say who it is."""
PING_S = 10.0
"""How often we ping. Once pinged, the SDK wants the next one within 15 seconds."""
SILENCE_S = 30.0
"""A client that has sent nothing for so long, pongs included, is gone."""
IN_FLIGHT_MAX = 32
"""Requests of one socket that are worked on at once; beyond that it is not read."""
OUTBOX_MAX = 1024
"""Frames that wait to be sent."""
OUTBOX_BYTES_MAX = 4 * 1024 * 1024
BAD_FRAMES_MAX = 20
BAD_TOKENS_MAX = 5
FAREWELL_S = 1.0

NORMAL, GOING_AWAY, UNSUPPORTED, POLICY, TOO_LARGE, RESTART, TRY_AGAIN = 1000, 1001, 1003, 1008, 1009, 1012, 1013

log = logging.getLogger("parlour.signalling")


class _Over(Exception):  # noqa: N818 - the end of a socket, with its reason
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """A client's connection."""

    def __init__(self, websocket: WebSocket, board: Switchboard, origin: str) -> None:
        """``origin`` is where the client reaches this server."""
        self._websocket = websocket
        self._board = board
        self._origin = origin
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._outbox_bytes = 0
        self._dialogue: Dialogue | None = None
        self._heard_at = board.now()
        self._bad_frames = 0
        self._bad_tokens = 0
        self._parting = False
        self._slots = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._over: asyncio.Future[_Over] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Serve the client until one of us has enough. Requests in flight are finished before this returns."""
        await self._websocket.accept()
        self._board.counts.sockets += 1
        async with asyncio.TaskGroup() as requests:
            parts = [asyncio.ensure_future(part) for part in (self._read(requests), self._write(), self._watch())]
            ends_first: list[asyncio.Future[Any]] = [*parts, self._over]
            try:
                await asyncio.wait(ends_first, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for part in parts:
                    part.cancel()
                ends = await asyncio.gather(*parts, return_exceptions=True)
                await self._leave()
            await self._farewell(ends)

    async def _read(self, requests: asyncio.TaskGroup) -> NoReturn:
        while True:
            try:
                message = await self._websocket.receive()
            except (WebSocketDisconnect, RuntimeError):
                raise _Over(NORMAL, "the client is gone") from None
            if message["type"] == "websocket.disconnect":
                self._board.counts.frames_too_large += message["code"] == TOO_LARGE
                raise _Over(NORMAL, "the client is gone")
            self._heard_at = self._board.now()
            text = message.get("text")
            if text is None:
                self._board.counts.frames_binary += 1
                raise _Over(UNSUPPORTED, "text frames only")
            try:
                frame = frames.parse(text)
            except BadFrame as complaint:
                self._complain(complaint)
                continue
            if isinstance(frame, Acknowledgement):
                continue
            self._board.counts.requests += 1
            if frame.method == "signalwire.connect":
                if self._dialogue is None:
                    await self._connect(frame, requests)  # nothing else can be worked on before
                else:  # each would be a session to remember
                    self._complain(BadFrame(frames.INVALID, "Invalid Request: connected already", frame.id))
            elif self._dialogue is None:
                self._complain(BadFrame(frames.UNAUTHORIZED, "Unauthorized: connect first", frame.id))
            else:
                await self._slots.acquire()
                requests.create_task(self._work(self._dialogue, frame))

    async def _work(self, dialogue: Dialogue, request: Request) -> None:
        try:
            if request.method == "signalwire.reauthenticate":
                await self._reauthenticate(dialogue, request)
            else:
                await answer(self._board, dialogue, request, self._send_text)
        finally:
            self._slots.release()

    async def _reauthenticate(self, dialogue: Dialogue, request: Request) -> None:
        try:
            content = await reauthenticate(self._board, dialogue, request)
        except BadFrame as refusal:
            self._send(frames.error(refusal.id, refusal.code, str(refusal)))
            return
        self._send(frames.result(request.id, content))
        await tell_state(self._board, dialogue)  # it says which token the session goes on with

    async def _connect(self, request: Request, requests: asyncio.TaskGroup) -> None:
        board = self._board
        try:
            dialogue, content = await connect(board, request)
        except BadFrame as refusal:
            board.counts.refused += 1
            self._send(frames.error(refusal.id, refusal.code, str(refusal)))
            self._bad_tokens += 1
            if self._bad_tokens >= BAD_TOKENS_MAX:
                raise _Over(POLICY, "too many bad tokens") from None
            return
        self._dialogue = dialogue
        self._send(frames.result(request.id, content))
        dialogue.attach(self._send, self._let_go, self._origin)
        dialogue.catch_up()
        await tell_state(board, dialogue)
        requests.create_task(board.present(dialogue))

    async def _write(self) -> NoReturn:
        while True:
            text = await self._outbox.get()
            try:
                await self._websocket.send_text(text)
            except (WebSocketDisconnect, RuntimeError):
                raise _Over(NORMAL, "the client is gone") from None
            self._outbox_bytes -= len(text)
            if self._parting and self._outbox.empty():
                raise _Over(RESTART, "the server ends; come back")

    async def _watch(self) -> NoReturn:
        await asyncio.sleep(HELLO_S)
        if self._dialogue is None:
            self._board.counts.silent += 1
            raise _Over(POLICY, "nobody said who is there")
        while True:
            if self._board.now() - self._heard_at > SILENCE_S:
                self._board.counts.silent += 1
                raise _Over(GOING_AWAY, "no answer")
            ping: Json = {
                "jsonrpc": "2.0",
                "id": f"p{secrets.token_hex(8)}",
                "method": "signalwire.ping",
                "params": {"timestamp": self._board.now()},
            }
            self._send(ping)
            await asyncio.sleep(PING_S)

    def _send(self, frame: Json) -> None:
        self._send_text(frames.write(frame))

    def _send_text(self, text: str) -> None:
        if self._over.done():
            return
        self._outbox_bytes += len(text)
        if self._outbox.qsize() >= OUTBOX_MAX or self._outbox_bytes > OUTBOX_BYTES_MAX:
            self._board.counts.slow += 1
            self._over.set_result(_Over(TRY_AGAIN, "too slow"))
            return
        self._outbox.put_nowait(text)

    def _complain(self, complaint: BadFrame) -> None:
        self._board.counts.bad_frames += 1
        self._send(frames.error(complaint.id, complaint.code, str(complaint)))
        self._bad_frames += 1
        if self._bad_frames >= BAD_FRAMES_MAX:
            raise _Over(POLICY, "too many bad frames")

    def _let_go(self, last: Json | None = None) -> None:
        if last is not None:
            self._parting = True
            self._send(last)
        elif not self._over.done():
            self._over.set_result(_Over(NORMAL, "the session goes on elsewhere"))

    async def _leave(self) -> None:
        dialogue, self._dialogue = self._dialogue, None
        if dialogue is not None and dialogue.detach(self._send, self._board.now()):
            await self._board.absent(dialogue)

    async def _farewell(self, ends: list[BaseException]) -> None:
        reasons = [end for end in ends if isinstance(end, _Over)]
        reason = self._over.result() if self._over.done() else reasons[0] if reasons else None
        for end in ends:
            if not isinstance(end, _Over | asyncio.CancelledError):
                log.error("a socket failed", exc_info=end)
        code, words = (reason.code, reason.reason) if reason else (GOING_AWAY, "the server is ending")
        try:
            async with asyncio.timeout(FAREWELL_S):
                await self._websocket.close(code, words)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            log.debug("a socket was gone before it was closed")


async def signalling(websocket: WebSocket) -> None:
    """Serve a WebSocket."""
    front = websocket.app.state.front
    await Socket(websocket, front.switchboard, front.origin(websocket)).serve()
