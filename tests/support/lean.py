"""People without a browser in a room of a running server: they speak as the browser SDK does, and send what was encoded
before.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

from parlour.loadtest.content import make_film
from parlour.loadtest.plan import Plan
from parlour.media.video.codec import VideoCodec
from tests.media.audio.signals import opus, sine
from tests.support.media import Content, Media
from tests.support.signalling import Client, Json, Seat, open_socket

TONE_AMPLITUDE = 8000.0
TONE_FRAMES = 50


class Lean:
    """One person. ``enter`` brings them in; whatever the server tells afterwards is taken note of and acknowledged."""

    def __init__(
        self, client: Client, to: str, codec: VideoCodec, *, sends: bool = True, watches: bool = False
    ) -> None:
        self.client = client
        self.to = to
        self.codec = codec
        self.call_id = str(uuid4())
        self.media = Media(codec, sends=sends, watches=watches)
        self.answer = ""
        self.seat: Seat | None = None
        self._reader: asyncio.Task[None] | None = None

    async def dial(self, **dialog: Any) -> str:
        """Take a seat; the answer, without its candidates over TCP."""
        result = await self.client.dial(self.to, self.call_id, self.media.offer(), **dialog)
        assert result["result"]["result"].get("message") == "CALL CREATED", result
        while (message := await self.client.event("webrtc.message"))["method"] != "verto.answer":
            pass
        self.answer = message["params"]["sdp"]
        joined = await self.client.event("call.joined")
        self.seat = Seat(self.client, self.call_id, joined["member_id"], joined)
        self._reader = asyncio.create_task(self._read())
        return "\r\n".join(line for line in self.answer.split("\r\n") if not line.startswith("a=candidate:tcp"))

    async def enter(self, **dialog: Any) -> "Lean":
        """Dial, and wait until the room's first picture has come."""
        await self.media.connect(await self.dial(**dialog))
        return self

    async def act(self, method: str, target: str | None = None, **params: Any) -> Json:
        """An in-call method; its result."""
        assert self.seat is not None
        return await self._alone(self.seat.act(method, target, **params))

    async def verto(self, method: str, **params: Any) -> Json:
        """A verto request about the call; its result."""
        return await self._alone(self.client.verto(method, {"dialogParams": {"callID": self.call_id}, **params}))

    async def leave(self) -> None:
        """Hang up."""
        await self.verto("verto.bye")

    async def close(self) -> None:
        """Say nothing more."""
        await self._stop_reading()
        await self.media.gone()

    async def _alone(self, asked: Any) -> Json:
        """Ask while nobody else reads what comes."""
        await self._stop_reading()
        try:
            found: Json = await asked
        finally:
            self._reader = asyncio.create_task(self._read())
        return found

    async def _stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await self.client.receive()


@contextlib.asynccontextmanager
async def connected(port: int, token: str) -> AsyncIterator[Client]:
    """A connection to a server's front."""
    async with open_socket(f"ws://localhost:{port}/") as websocket:
        client = Client(websocket)
        await client.hello(token)
        yield client


@contextlib.asynccontextmanager
async def lean(
    port: int, to: str, token: str, codec: VideoCodec = VideoCodec.H264, **options: bool
) -> AsyncIterator[Lean]:
    """Somebody who is about to enter, and who is silent afterwards; ``options`` are those of ``Lean``."""
    async with connected(port, token) as client:
        someone = Lean(client, to, codec, **options)
        try:
            yield someone
        finally:
            await someone.close()


def content(codec: VideoCodec, people: int = 4) -> Content:
    """A camera as it is asked for in a room of so many; nobody speaks."""
    return Content(make_film(codec, *Plan(people).film), opus(sine(1000, 10, 0.0))[-1])


def tone(hertz: int) -> list[bytes]:
    """A second of a tone as packets, without a seam where it starts over."""
    return opus(sine(hertz, 3 * TONE_FRAMES, TONE_AMPLITUDE))[TONE_FRAMES : 2 * TONE_FRAMES]
