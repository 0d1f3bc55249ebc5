"""A front with rooms that live in the test, on a real port, and a client that speaks frame by frame."""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect

from parlour.domain.ticket import LIFE_S, Bearer, Ticket
from parlour.front.app import build_app
from parlour.front.front import utc_now
from parlour.front.server import listen, make_server
from parlour.front.signalling.switchboard import Switchboard
from parlour.front.tickets import Tickets
from parlour.store.database import Database
from tests.support.fake_rooms import SDP, FakeRooms
from tests.support.server import PROJECT, TOKEN
from tests.support.waiting import PATIENCE_S

ROOMS = "/api/fabric/resources/conference_rooms"
AGENT = "@signalwire/js/browser/3.30.0"
Json = dict[str, Any]


def open_socket(url: str) -> connect:
    """A socket as browsers open it, except that nothing is compressed and frames may have any size."""
    return connect(url, max_size=None, compression=None, open_timeout=PATIENCE_S)


@dataclass
class House:
    """A running front."""

    port: int
    rooms: FakeRooms
    board: Switchboard
    tickets: Tickets
    api: httpx.AsyncClient
    resources: dict[UUID, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where browsers connect."""
        return f"ws://localhost:{self.port}/"

    async def room(self, name: str = "coffee_cafe", **settings: Any) -> UUID:
        """Make a room; its ``room_id``."""
        answer = await self.api.post(ROOMS, json={"name": name, "enable_room_previews": True, **settings})
        assert answer.status_code == 200, answer.text
        room = answer.json()
        self.resources[UUID(room["conference_room"]["id"])] = room["id"]
        return UUID(room["conference_room"]["id"])

    async def change(self, room_id: UUID, **settings: Any) -> None:
        """Change a room that was made here, over REST."""
        answer = await self.api.put(f"{ROOMS}/{self.resources[room_id]}", json=settings)
        assert answer.status_code == 200, answer.text

    async def token(self, name: str = "Alice", **fields: Any) -> str:
        """A good token of a guest who may moderate and dial everywhere."""
        now = int(time.time())
        values: Json = {"moderator": True, "expires_at": now + LIFE_S, "issued_at": now, **fields}
        return await self.tickets.mint(Ticket(str(uuid4()), UUID(PROJECT), Bearer.GUEST, name=name, **values))

    @contextlib.asynccontextmanager
    async def client(self, token: str | None = None, **hello: Any) -> AsyncIterator["Client"]:
        """A client that is connected."""
        async with open_socket(self.url) as websocket:
            client = Client(websocket)
            await client.hello(token or await self.token(), **hello)
            yield client


@contextlib.asynccontextmanager
async def front_with_rooms(
    database: Database, rooms: FakeRooms | None = None, board: Switchboard | None = None
) -> AsyncIterator[House]:
    """Run a front over a database."""
    rooms = rooms or FakeRooms()
    board = board or Switchboard(database, Tickets(database, utc_now), rooms, strict=True)
    server = make_server(build_app(database, switchboard=board))
    sockets = listen("localhost", 0)
    port = sockets[0].getsockname()[1]
    serving = asyncio.create_task(server.serve(sockets))
    async with httpx.AsyncClient(base_url=f"http://localhost:{port}", auth=(PROJECT, TOKEN), timeout=PATIENCE_S) as api:
        try:
            yield House(port, rooms, board, board.tickets, api)
        finally:
            server.should_exit = True
            await serving
            for listener in sockets:
                listener.close()


@dataclass
class Client:
    """Speaks as the browser SDK does. ``events`` are all so far, in order."""

    websocket: ClientConnection
    protocol: str = ""
    state: str = ""
    welcome: Json = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    frames: list[Json] = field(default_factory=list)
    _untaken: list[Json] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def hello(self, token: str, agent: str = AGENT, **more: Any) -> Json:
        """Connect; the result."""
        params = {
            "version": {"major": 4, "minor": 0, "revision": 0},
            "event_acks": True,
            "agent": agent,
            "authentication": {"jwt_token": token},
            **more,
        }
        answer = await self.call("signalwire.connect", params)
        assert "result" in answer, answer
        self.welcome = answer["result"]
        self.protocol = self.welcome["protocol"]
        self.state = (await self.event("signalwire.authorization.state"))["authorization_state"]
        return self.welcome

    async def send(self, frame: Any) -> None:
        """Send anything."""
        await self.websocket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def receive(self, seconds: float = PATIENCE_S) -> Json:
        """The next frame; events are acknowledged and pings answered, as the SDK does. Raises ``TimeoutError``."""
        async with asyncio.timeout(seconds):
            frame: Json = json.loads(await self.websocket.recv())
        self.frames.append(frame)
        if frame.get("method") == "signalwire.event":
            assert isinstance(frame["id"], str)
            assert self.protocol in frame["params"]["event_channel"]
            self.events.append(frame["params"])
            self._untaken.append(frame["params"])
            if frame["params"]["event_type"] == "signalwire.authorization.state":
                self.state = frame["params"]["params"]["authorization_state"]
            await self.send({"jsonrpc": "2.0", "id": frame["id"], "result": {}})
        elif frame.get("method") == "signalwire.ping":
            await self.send({"jsonrpc": "2.0", "id": frame["id"], "result": frame["params"]})
        return frame

    async def call(self, method: str, params: Json, id_: str | None = None) -> Json:
        """Ask; the answer's frame."""
        id_ = id_ or f"u{next(self._numbers)}-{uuid4()}"
        await self.send({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})
        return await self.answer(id_)

    async def answer(self, id_: str) -> Json:
        """The answer to a request that was sent."""
        while True:
            frame = await self.receive()
            if frame.get("id") == id_ and "method" not in frame:
                return frame

    async def event(self, kind: str) -> Json:
        """The parameters of the next event of that kind that was not taken yet."""
        while True:
            for place, event in enumerate(self._untaken):
                if event["event_type"] == kind:
                    found: Json = self._untaken.pop(place)["params"]
                    return found
            await self.receive()

    async def verto(self, method: str, params: Json, id_: str | None = None, **outer: Any) -> Json:
        """A verto request; the whole result."""
        message = {"jsonrpc": "2.0", "id": str(uuid4()), "method": method, "params": params}
        answer = await self.call("webrtc.verto", {"message": message, **outer}, id_)
        found: Json = answer.get("result", answer)
        return found

    async def dial(
        self, to: str = "/public/coffee_cafe?channel=video", call_id: str | None = None, sdp: str = SDP, **dialog: Any
    ) -> Json:
        """Dial; the result of the invite."""
        parameters = {
            "callID": call_id or str(uuid4()),
            "destination_number": to,
            "attach": False,
            "reattaching": False,
            "userVariables": {},
            **dialog,
        }
        return await self.verto("verto.invite", {"dialogParams": parameters, "sdp": sdp})

    async def join(self, to: str = "/public/coffee_cafe?channel=video", **dialog: Any) -> "Seat":
        """Dial and wait until in."""
        result = await self.dial(to, **dialog)
        assert result["result"]["result"]["message"] == "CALL CREATED", result
        joined = await self.event("call.joined")
        await self.event("signalwire.authorization.state")
        return Seat(self, joined["call_id"], joined["member_id"], joined)


@dataclass
class Seat:
    """A client's place in a room."""

    client: Client
    call_id: str
    member_id: str
    joined: Json

    def of(self, client: Client) -> "Seat":
        """The same seat, spoken for by another socket."""
        return Seat(client, self.call_id, self.member_id, self.joined)

    def me(self) -> Json:
        """Oneself, as requests name it."""
        return {"member_id": self.member_id, "call_id": self.call_id, "node_id": "parlour"}

    async def act(self, method: str, target: str | None = None, **params: Any) -> Json:
        """An in-call method; its result."""
        target_of = {**self.me(), "member_id": target or self.member_id}
        answer = await self.client.call(f"call.{method}", {"self": self.me(), "target": target_of, **params})
        found: Json = answer.get("result", answer)
        return found
