"""Networks that are not plain UDP over IPv4: the unmodified SDK in a real browser, and the room is seen and heard."""

import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright

from tests.browser.venue import Venue, meet
from tests.support.people import Person, start_browser
from tests.support.server import serving

pytestmark = pytest.mark.slow

LOOPBACK = "--allow-loopback-in-peer-connection"
"""Chromium looks for no addresses on loopback unless it is told to. To 127.0.0.1 it gets from any other address too."""
CANDIDATES = """
  const setRemoteDescription = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    const lines = description.sdp.split("\\r\\n").map(seen).filter((line) => line !== null);
    return setRemoteDescription.call(this, { type: description.type, sdp: lines.join("\\r\\n") });
  };
"""
"""What ``seen`` makes of each line of the answer is what the page hears of it."""
NO_UDP = "const seen = (line) => (/^a=candidate:.* udp /.test(line) ? null : line);"
SELECTED = """async () => {
  const stats = await call.peer.instance.getStats();
  const pair = stats.get([...stats.values()].find((one) => one.type === "transport").selectedCandidatePairId);
  const { protocol, address } = stats.get(pair.remoteCandidateId);
  return [protocol, address];
}"""


def udp_leads_to(port: int) -> str:
    """A network that swallows UDP: what is sent goes to a port where nobody answers."""
    return f'const seen = (line) => line.replace(/^(a=candidate:.* udp \\d+ \\S+) \\d+/, "$1 {port}");'


@contextlib.asynccontextmanager
async def place(folder: Path, site: str, host: str) -> AsyncIterator[Venue]:
    """A server whose media are reached at one address, over UDP and TCP."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        port = str(probe.getsockname()[1])
    settings = {"PARLOUR_MEDIA_HOST": host, "PARLOUR_ICE_TCP_PORT": port}
    with serving(folder / "server", **settings) as server:
        async with async_playwright() as playwright:
            venue = Venue(server, playwright, site, folder)
            yield venue
            await venue.close()


async def over(someone: Person) -> list[Any]:
    """Protocol and address of the server's end of the path that media takes."""
    found: list[Any] = await someone.page.evaluate(SELECTED)
    return found


async def test_where_udp_does_not_get_through_media_goes_over_tcp(tmp_path: Path, site: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nowhere:
        nowhere.bind(("127.0.0.1", 0))
        blocked = udp_leads_to(nowhere.getsockname()[1])
        async with (
            place(tmp_path, site, "127.0.0.1") as venue,
            venue.person("red") as red,
            venue.person("green", blocked + CANDIDATES) as green,
            venue.person("blue", NO_UDP + CANDIDATES) as blue,
        ):
            room = await venue.room()
            for someone in (red, green, blue):
                await venue.enter(room, someone)
            await meet(red, green, blue)
            assert await over(red) == ["udp", "127.0.0.1"]
            assert await over(green) == ["tcp", "127.0.0.1"]
            assert await over(blue) == ["tcp", "127.0.0.1"]
            assert (await venue.figures(members=3))["tcp_connections"] >= 2
        nowhere.setblocking(False)
        assert nowhere.recv(2048), "it was tried over UDP first"


async def test_media_goes_over_ipv6(tmp_path: Path, site: str) -> None:
    async with place(tmp_path, site, "::1") as venue:
        for colour in ("red", "green"):
            venue.browsers[colour] = await start_browser(venue.playwright, tmp_path, colour, LOOPBACK)
        room = await venue.room()
        async with venue.person("red") as red, venue.person("green", NO_UDP + CANDIDATES) as green:
            await venue.enter(room, red)
            await venue.enter(room, green)
            await meet(red, green)
            assert await over(red) == ["udp", "::1"]
            assert await over(green) == ["tcp", "::1"]
