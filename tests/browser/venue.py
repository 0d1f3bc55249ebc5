"""A real server and real people in it: rooms made over REST, each person in a browser."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Error, Playwright, async_playwright

from tests.cluster.conftest import figures, until
from tests.support.people import POLL_S, Person, start_browser, visitor
from tests.support.server import RunningServer, serving
from tests.support.waiting import PATIENCE_S


@dataclass(frozen=True)
class Room:
    """A room's door."""

    id: str
    address_id: str
    path: str


@dataclass
class Venue:
    """Where a module's tests meet. Each colour's browser is started when it is first needed and kept."""

    server: RunningServer
    playwright: Playwright
    site: str
    folder: Path
    browsers: dict[str, Browser] = field(default_factory=dict)
    _names: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def host(self) -> str:
        """What the SDK connects to."""
        return f"ws://localhost:{self.server.port}"

    async def room(self, **settings: Any) -> Room:
        """Make a room, as soon as there is somebody to have it."""
        await until(lambda: figures(self.server))
        async with self.server.async_client() as client:
            asked = {"name": f"room {next(self._names)}", "enable_room_previews": False} | settings
            made = (await client.post("/api/fabric/resources/conference_rooms", json=asked)).json()
            found = await client.get(f"/api/fabric/resources/conference_rooms/{made['id']}/addresses")
            address = found.json()["data"][0]
        return Room(made["id"], address["id"], f"/public/{address['name']}")

    async def change(self, room: Room, **settings: Any) -> None:
        """Change a room."""
        async with self.server.async_client() as client:
            answer = await client.put(f"/api/fabric/resources/conference_rooms/{room.id}", json=settings)
            assert answer.status_code == 200, answer.text

    async def token(self, room: Room) -> str:
        """Let somebody in, as a moderator."""
        async with self.server.async_client() as client:
            asked = {"address_id": room.address_id, "moderator": True}
            token: str = (await client.post("/api/fabric/subscriber/invites", json=asked)).json()["token"]
        return token

    async def figures(self, members: int, **expected: float) -> dict[str, float]:
        """What the media worker with so many people and these figures says of itself, now or soon."""
        expected |= {"members": members}
        async with asyncio.timeout(PATIENCE_S):
            while True:
                workers = await asyncio.to_thread(figures, self.server)
                found = next((of for of in workers.values() if expected.items() <= of.items()), None)
                if found is not None:
                    return found
                await asyncio.sleep(POLL_S)

    async def browser(self, colour: str) -> Browser:
        """The browser with this camera."""
        if colour not in self.browsers:
            self.browsers[colour] = await start_browser(self.playwright, self.folder, colour)
        return self.browsers[colour]

    async def enter(self, room: Room, someone: Person, channel: str = "video", **options: Any) -> None:
        """Let somebody join."""
        await someone.join(self.host, await self.token(room), f"{room.path}?channel={channel}", **options)

    @contextlib.asynccontextmanager
    async def person(self, colour: str, *scripts: str, browser: Browser | None = None) -> AsyncIterator[Person]:
        """Somebody at the door. Their SDK must not have complained in the end."""
        async with visitor(browser or await self.browser(colour), self.site, colour, *scripts) as someone:
            yield someone
            # Whoever is still in leaves, so that the room does not wait for them. A call that ends at this moment by
            # itself may leave the SDK's promise open for ever.
            with contextlib.suppress(Error, TimeoutError):
                async with asyncio.timeout(10):
                    await someone.page.evaluate("window.call?.hangup()")
            assert someone.complaints == [], someone.complaints

    @contextlib.asynccontextmanager
    async def party(self, *colours: str, room: Room | None = None) -> AsyncIterator[list[Person]]:
        """People who are in a room, see each other and hear each other."""
        async with contextlib.AsyncExitStack() as stack:
            people = [await stack.enter_async_context(self.person(colour)) for colour in colours]
            door = room or await self.room()
            for someone in people:
                await self.enter(door, someone)
            await meet(*people)
            yield people

    async def close(self) -> None:
        """End the browsers."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(browser.close() for browser in self.browsers.values()))


async def meet(*people: Person) -> None:
    """Everybody sees everybody, and hears the others and not themselves."""
    for someone in people:
        others = [other for other in people if other is not someone]
        for member in people:
            assert await someone.sees(member), (
                f"{someone.colour} sees {await someone.shows(member)}, not {member.colour}"
            )
        if others:
            assert await someone.hears(*others, but=(someone,)), f"{someone.colour} does not hear the others alone"


@contextlib.asynccontextmanager
async def opened(folder: Path, site: str, *, workers: int = 1) -> AsyncIterator[Venue]:
    """A venue on a server of its own below ``folder``, which must have sent nothing malformed and end well."""
    with serving(folder / "server", PARLOUR_WORKERS=str(workers)) as server:
        async with async_playwright() as playwright:
            place = Venue(server, playwright, site, folder)
            yield place
            await place.close()
            await nothing_malformed(server)
        server.terminate()
        assert await asyncio.to_thread(server.process.wait, PATIENCE_S) == 0


async def nothing_malformed(server: RunningServer) -> None:
    """Whatever was sent to the SDKs had passed the last look at it."""
    async with server.async_client() as client:
        figures = (await client.get("/metrics")).text
    assert 'parlour_signalling{figure="malformed"} 0.0' in figures
