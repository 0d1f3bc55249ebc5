"""Somebody in a room with real media: speaks as the browser SDK does, sends silence, and watches the room's picture."""

import asyncio
import contextlib
import re
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from typing import Any
from uuid import uuid4

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack

from tests.support.server import RunningServer
from tests.support.signalling import Client, Json, Seat, open_socket
from tests.support.waiting import PATIENCE_S, wait_until


class Caller:
    """One person; ``join`` makes a call, as often as wanted."""

    def __init__(self, client: Client, to: str, token: str) -> None:
        self.client = client
        self.to = to
        self.token = token
        self.seat: Seat | None = None
        self._peer: RTCPeerConnection | None = None
        self._picture: asyncio.Future[MediaStreamTrack] | None = None

    async def join(self, call_id: str | None = None, **dialog: Any) -> Json:
        """Dial and wait until in; what ``call.joined`` says."""
        call_id = call_id or str(uuid4())
        result = await self.dial(call_id, **dialog)
        assert result["result"]["result"].get("message") == "CALL CREATED", result
        while (message := await self.client.event("webrtc.message"))["method"] != "verto.answer":
            pass
        assert self._peer is not None
        await self._peer.setRemoteDescription(RTCSessionDescription(message["params"]["sdp"], "answer"))
        joined = await self.client.event("call.joined")
        self.seat = Seat(self.client, call_id, joined["member_id"], joined)
        return joined

    async def dial(self, call_id: str, **dialog: Any) -> Json:
        """Dial with new media; what is answered."""
        await self.hang_up()
        peer = self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._picture = asyncio.get_running_loop().create_future()
        peer.add_listener("track", self._found)
        peer.addTrack(AudioStreamTrack())
        peer.addTransceiver("video", "recvonly")
        await peer.setLocalDescription(await peer.createOffer())
        return await self.client.dial(self.to, call_id, peer.localDescription.sdp, **dialog)

    async def sees(self) -> None:
        """Wait for a frame of the room's picture."""
        assert self._picture is not None
        async with asyncio.timeout(PATIENCE_S):
            await (await self._picture).recv()

    async def bye(self) -> Json:
        """Wait for the end of the call; the parameters of ``verto.bye``."""
        while (message := await self.client.event("webrtc.message"))["method"] != "verto.bye":
            pass
        found: Json = message["params"]
        return found

    async def hang_up(self) -> None:
        """Close the media, without a word."""
        if self._peer is not None:
            await self._peer.close()

    def me(self, joined: Json) -> Json:
        """Oneself among the members that ``call.joined`` lists."""
        members: list[Json] = joined["room_session"]["members"]
        return next(member for member in members if member["member_id"] == joined["member_id"])

    def _found(self, track: MediaStreamTrack) -> None:
        if track.kind == "video" and self._picture is not None and not self._picture.done():
            self._picture.set_result(track)


@contextlib.asynccontextmanager
async def caller(server: RunningServer, to: str, token: str, **hello: Any) -> AsyncIterator[Caller]:
    """Somebody who is connected to a server's front."""
    async with open_socket(f"ws://localhost:{server.port}/") as websocket:
        client = Client(websocket)
        await client.hello(token, **hello)
        found = Caller(client, to, token)
        try:
            yield found
        finally:
            await found.hang_up()


def has_worker(server: RunningServer) -> bool:
    """Whether a room can live somewhere."""
    with server.client() as api:
        found = re.search(r'^parlour_bus\{figure="workers"\} (\S+)$', api.get("/metrics").text, re.MULTILINE)
    return found is not None and float(found[1]) > 0


def make_room(server: RunningServer, name: str = "coffee", **settings: Any) -> str:
    """Make a room; where to dial it."""
    with server.client() as api:
        body = {"name": name, "enable_room_previews": False, **settings}
        room = api.post("/api/fabric/resources/conference_rooms", json=body).json()
        addresses = api.get(f"/api/fabric/resources/conference_rooms/{room['id']}/addresses").json()["data"]
        return f"/public/{addresses[0]['name']}?channel=video"


def invite(server: RunningServer, to: str) -> str:
    """A token of a guest who may moderate the room."""
    with server.client() as api:
        name = to.removeprefix("/public/").partition("?")[0]
        address = api.get("/api/fabric/addresses", params={"name": name}).json()["data"][0]
        body = {"address_id": address["id"], "moderator": True}
        token: str = api.post("/api/fabric/subscriber/invites", json=body).json()["token"]
        return token


@contextlib.contextmanager
def somebody_in_a_room(server: RunningServer) -> Iterator[str]:
    """A session with one person in it for the length of a block; its id. Lives in a thread of its own."""
    inside: Future[str] = Future()
    over = threading.Event()

    async def live() -> None:
        to = make_room(server)
        async with caller(server, to, invite(server, to)) as one:
            inside.set_result((await one.join())["room_session_id"])
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    await one.client.receive(0.5)

    def run() -> None:
        try:
            wait_until(lambda: has_worker(server), every=0.05)
            asyncio.run(live())
        except BaseException as error:
            if inside.done():
                raise
            inside.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield inside.result(2 * PATIENCE_S)
    finally:
        over.set()
        thread.join()
