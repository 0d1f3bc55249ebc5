"""A member's way in, as the browser SDK takes it: a WebSocket, ``signalwire.connect``, ``verto.invite``."""

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn
from uuid import uuid4

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import WebSocketException

from parlour import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from parlour.loadtest.timecode import Rect

AGENT: Final = f"parlour/loadtest/{__version__}"
ANSWER_S: Final = 15.0
"""How long the server may take to answer a request, and to send the answer to an offer."""
FRAME_MAX: Final = 4 << 20

Json = dict[str, Any]


class NotIn(Exception):  # noqa: N818 - what the server says, not an error of ours
    """The member did not get in, for this reason."""


@dataclass(frozen=True, slots=True)
class Seat:
    """The server's answer to an offer, and as whom it was given."""

    member_id: str
    sdp: str


class Caller:
    """One session with one call. ``tiles`` is called with where everybody is shown, where somebody wants to know.

    ``over`` says why the call has ended, if the server ended it.
    """

    def __init__(self, url: str, token: str, destination: str, name: str, *, trust: Any = None) -> None:
        """``trust`` is an ``ssl.SSLContext`` for ``wss``, ``None`` for the system's."""
        self.tiles: Callable[[dict[str, Rect]], None] | None = None
        self.over = ""
        self.frames = 0
        self._url, self._token, self._destination, self._name = url, token, destination, name
        self._trust = trust
        self._call_id = str(uuid4())
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)
        self._answers: dict[str, asyncio.Future[Json]] = {}
        self._sdp: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def enter(self, offer: str) -> Seat:
        """Open the socket, say who is there and dial. Raises :class:`NotIn` with the server's reason."""
        await self._connect()
        return await self._invite(offer)

    async def _connect(self) -> None:
        more = {"ssl": self._trust} if self._trust is not None else {}
        try:
            self._socket = await open_websocket(
                self._url, max_size=FRAME_MAX, compression=None, open_timeout=ANSWER_S, proxy=None, **more
            )
        except (OSError, WebSocketException, TimeoutError) as problem:
            raise NotIn(f"the socket does not open: {str(problem) or type(problem).__name__}") from None
        self._reading = asyncio.create_task(self._read(self._socket))
        await self._ask(
            "signalwire.connect",
            {
                "version": {"major": 4, "minor": 0, "revision": 0},
                "event_acks": True,
                "agent": AGENT,
                "authentication": {"jwt_token": self._token},
            },
        )

    async def _invite(self, offer: str) -> Seat:
        dialog = {
            "callID": self._call_id,
            "destination_number": self._destination,
            "attach": False,
            "reattaching": False,
            "userVariables": {"display_name": self._name},
        }
        created = await self._verto("verto.invite", {"dialogParams": dialog, "sdp": offer})
        try:
            async with asyncio.timeout(ANSWER_S):
                return Seat(str(created.get("memberID", "")), await self._sdp)
        except TimeoutError:
            raise NotIn("the server lets us in and then says nothing") from None

    async def leave(self) -> None:
        """Hang up and go. Never raises for what the server does."""
        if self._socket is None:
            return
        if not self.over:
            try:
                await self._verto("verto.bye", {"dialogParams": {"callID": self._call_id}})
            except NotIn as problem:
                self.over = str(problem)
        await self._socket.close()
        await self._stop()

    async def vanish(self) -> None:
        """Be gone without a word, as a browser is whose machine fell asleep."""
        self.over = self.over or "vanished"
        if self._socket is not None:
            self._socket.transport.abort()
        await self._stop()

    async def _stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _verto(self, method: str, params: Json) -> Json:
        message = {"jsonrpc": "2.0", "id": str(uuid4()), "method": method, "params": params}
        content = (await self._ask("webrtc.verto", {"message": message})).get("result", {})
        if "error" in content:
            raise NotIn(str(content["error"].get("message", "refused")))
        found: Json = content.get("result", {})
        return found

    async def _ask(self, method: str, params: Json) -> Json:
        socket = self._socket
        if socket is None:
            raise NotIn("there is no socket")
        number = str(next(self._numbers))
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await socket.send(_text({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
            async with asyncio.timeout(ANSWER_S):
                frame = await answer
        except TimeoutError:
            raise NotIn(f"no answer to {method} within {ANSWER_S:.0f} s") from None
        except (OSError, WebSocketException) as problem:
            raise NotIn(f"the socket broke: {problem}") from None
        finally:
            self._answers.pop(number, None)
        if "error" in frame:
            raise NotIn(str(frame["error"].get("message", "refused")))
        result: Json = frame.get("result", {})
        if str(result.get("code", "200")) != "200":
            raise NotIn(str(result.get("message", "refused")))
        return result

    async def _read(self, socket: ClientConnection) -> None:
        try:
            await self._read_on(socket)
        except (OSError, WebSocketException) as problem:
            self._end(f"the socket broke: {problem}")
        except (ValueError, KeyError, TypeError, AttributeError):
            self._end("the server says what nobody understands")

    def _end(self, reason: str) -> None:
        self.over = self.over or reason
        waiting: list[asyncio.Future[Any]] = [*self._answers.values(), self._sdp]
        for answer in waiting:
            if not answer.done():
                answer.set_exception(NotIn(self.over))
        if not self._sdp.cancelled():
            self._sdp.exception()  # whoever waits for it hears it; where nobody does, it is no accident

    async def _read_on(self, socket: ClientConnection) -> NoReturn:
        while True:
            text = await socket.recv()
            self.frames += 1
            raw = text.encode() if isinstance(text, str) else text
            frame: Json = orjson.loads(raw)
            method = frame.get("method")
            if method is None:
                answer = self._answers.get(str(frame.get("id")))
                if answer is not None and not answer.done():
                    answer.set_result(frame)
                continue
            content = frame.get("params", {}) if method == "signalwire.ping" else {}
            await socket.send(_text({"jsonrpc": "2.0", "id": frame["id"], "result": content}))
            if method == "signalwire.event":
                self._hear(frame["params"])

    def _hear(self, event: Json) -> None:
        kind, params = event["event_type"], event["params"]
        if kind == "webrtc.message":
            if params["method"] == "verto.answer" and not self._sdp.done():
                self._sdp.set_result(params["params"]["sdp"])
            elif params["method"] == "verto.bye":
                self.over = self.over or str(params["params"].get("cause", "ended by the server"))
        elif kind == "call.left":
            self.over = self.over or str(params.get("reason", "ended by the server"))
        elif kind == "layout.changed" and self.tiles is not None:
            self.tiles(
                {
                    layer["member_id"]: (layer["x"], layer["y"], layer["width"], layer["height"])
                    for layer in params["layout"]["layers"]
                    if "member_id" in layer
                }
            )


def _text(frame: Json) -> str:
    return orjson.dumps(frame).decode()
