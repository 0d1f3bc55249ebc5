"""``parlour loadtest``: how many a machine carries, found out with members that join and send as browsers do."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from parlour.cli.options import AsJson, Server, unfold
from parlour.cli.output import Trouble, print_json, say
from parlour.cli.room import PATH, PERMISSIONS
from parlour.loadtest.places import is_loopback, own_addresses
from parlour.loadtest.plan import Plan
from parlour.media.video.codec import VideoCodec

if TYPE_CHECKING:
    import ssl

    from parlour.cli.client import Api
    from parlour.loadtest.report import Report

BOUND_S = 120.0
"""How long coming and going may take beside what is measured, and a second more for each member."""
LOSSES = (2.0, 10.0)


@dataclass(frozen=True, slots=True)
class Venue:
    """The room: where its server is, the last part of its address, and a token that opens it."""

    origin: str
    name: str
    token: str


def _size(text: str) -> str:
    if text != "auto":
        width, _, height = text.lower().partition("x")
        if not (width.isdigit() and height.isdigit()):
            raise typer.BadParameter(f"{text} is no size such as 640x360, nor auto.")
    return text


@dataclass(frozen=True, slots=True)
class Load:
    """What the room has to bear."""

    senders: Annotated[
        int, typer.Option("--senders", "-n", min=0, metavar="N", help="Members with camera and microphone.")
    ] = 9
    watchers: Annotated[int, typer.Option("--watchers", "-w", min=0, metavar="N", help="Members who only receive.")] = 0
    speakers: Annotated[int, typer.Option(min=0, metavar="N", help="How many of the senders speak.")] = 1
    codec: Annotated[
        VideoCodec, typer.Option(case_sensitive=False, help="The codec of cameras and of the room's picture.")
    ] = VideoCodec.H264
    size: Annotated[
        str, typer.Option(callback=_size, metavar="WxH", help="What cameras send; auto: what so many are asked for.")
    ] = "auto"
    seconds: Annotated[float, typer.Option(min=1, metavar="S", help="How long everybody is measured.")] = 10.0
    join_every: Annotated[float, typer.Option(min=0, max=60, metavar="S", help="Seconds from join to join.")] = 0.1
    loss: Annotated[
        list[float] | None,
        typer.Option(metavar="PERCENT", help="Then let one member lose packets; repeat for more, 0 for none. [2, 10]"),
    ] = None

    def plan(self) -> Plan:
        """The plan. Raises ``Trouble`` where it makes no sense."""
        size = None
        if self.size != "auto":
            width, _, height = self.size.lower().partition("x")
            size = int(width), int(height)
        losses = tuple(loss / 100 for loss in (LOSSES if self.loss is None else self.loss) if loss)
        try:
            return Plan(
                senders=self.senders,
                watchers=self.watchers,
                codec=self.codec,
                size=size,
                speakers=min(self.speakers, self.senders),
                seconds=self.seconds,
                join_every=self.join_every,
                losses=losses,
            )
        except ValueError as problem:
            raise Trouble(str(problem), code=2) from None


@unfold
def loadtest(
    room: Annotated[
        str | None,
        typer.Argument(
            metavar="[ROOM]",
            show_default=False,
            help="A link as `parlour room link` prints it, or the last part of a room's address. Without it a room is "
            "made, and deleted afterwards.",
        ),
    ] = None,
    invite: Annotated[
        str | None,
        typer.Option(envvar="PARLOUR_INVITE", metavar="TOKEN", help="A token that opens ROOM; else one is asked for."),
    ] = None,
    yes_remote: Annotated[
        bool, typer.Option("--yes-remote", help="Load another machine than this one: only ever one of your own.")
    ] = False,
    as_json: AsJson = False,
    *,
    load: Load,
    server: Server,
) -> None:
    """Find out how many a machine carries.

    Members join as browsers do, send pictures and sound that were encoded before, and check what they receive. One of
    them decodes the room's picture and reads from it how old it is. Ends with 1 where the server does not carry it.
    """
    plan = load.plan()
    _stay_home(urlsplit(room if room is not None and "://" in room else server.host).hostname or "", yes_remote)
    with _venue(room, invite, server, plan) as venue:
        report = _run(plan, venue, server, None if yes_remote else own_addresses())
    from parlour.cli.loadtest_show import show

    if as_json:
        print_json(report.as_json())
    else:
        show(report, plan)
    if report.complaints:
        raise typer.Exit(1)


def _stay_home(host: str, yes_remote: bool) -> None:
    try:
        home = is_loopback(host)
    except (OSError, ValueError):
        raise Trouble(f"There is no host {host}.") from None
    if not home and not yes_remote:
        raise Trouble(
            f"{host} is not this machine's loopback address. A load test takes all that a server has, from everybody "
            "who is on it:\ndo it only to a server of your own, and say --yes-remote.",
            code=2,
        )


@contextmanager
def _venue(room: str | None, invite: str | None, server: Server, plan: Plan) -> Iterator[Venue]:
    """The room to go to; one that was made for this is deleted at the end."""
    if room is not None and "://" in room:
        yield _linked(room, invite)
    elif room is not None and invite is not None:
        yield Venue(server.host, room, invite)
    elif invite is not None:
        raise Trouble("The token of --invite opens one room: say which, by the last part of its address.", code=2)
    else:
        with server.api(PERMISSIONS) as api:
            if room is not None:
                address = next(api.walk("/api/fabric/addresses", 1, name=room, type="room"), None)
                if address is None:
                    raise Trouble(f"There is no room at /public/{room}.")
                yield _invited(api, address, plan)
                return
            made = api.post(
                PATH,
                {
                    "name": f"loadtest-{secrets.token_hex(4)}",
                    "enable_room_previews": False,
                    "tone_on_entry_and_exit": False,
                    "max_members": plan.members,
                },
            )
            path = f"{PATH}/{made['id']}"
            try:
                yield _invited(api, api.get(f"{path}/addresses", "room")["data"][0], plan)
            finally:
                api.delete(path, "room")


def _linked(link: str, invite: str | None) -> Venue:
    from parlour.cli.client import origin_of  # as for the other clients

    parts = urlsplit(link)
    name = parts.path.removeprefix("/rooms/")
    token = invite or parts.fragment
    try:
        origin = origin_of(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        origin = ""
    if not origin or not name or "/" in name or not token:
        raise Trouble("That is no link to a room: `parlour room link` prints one, with its token behind the #.", code=2)
    return Venue(origin, name, token)


def _invited(api: "Api", address: dict[str, Any], plan: Plan) -> Venue:
    until = int(time.time() + _bound(plan)) + 60
    body = {"address_id": address["id"], "moderator": False, "expires_at": until}
    return Venue(api.origin, address["name"], api.post("/api/fabric/subscriber/invites", body)["token"])


def _bound(plan: Plan) -> float:
    return BOUND_S + plan.members * (1.0 + plan.join_every) + plan.lasts


def _run(plan: Plan, venue: Venue, server: Server, own: frozenset[str] | None) -> "Report":
    # the codecs and the transport, which other commands do without
    import uvloop

    from parlour.cli.client import trusting
    from parlour.cli.loadtest_show import progress
    from parlour.loadtest.run import LoadTest
    from parlour.loadtest.server import read
    from parlour.loadtest.signalling import Caller, NotIn

    url = f"ws{venue.origin.removeprefix('http')}/"
    secure: ssl.SSLContext | None = trusting(server.ca_file) if server.ca_file and url.startswith("wss") else None
    destination = f"/public/{venue.name}?channel=video"

    def open_door(number: int, tiles: Any) -> Caller:
        caller = Caller(url, venue.token, destination, f"Load {number + 1}", trust=secure)
        caller.tiles = tiles
        return caller

    async def bounded(tell: Any) -> "Report":
        async with asyncio.timeout(_bound(plan)):
            return await LoadTest(plan, open_door, own, tell, lambda: read(venue.origin, secure)).run()

    try:
        with progress() as tell:
            return uvloop.run(bounded(tell))
    except NotIn as problem:
        raise Trouble(f"Nobody gets in: {problem}.") from None
    except TimeoutError:
        raise Trouble(f"It was not over after {_bound(plan):.0f} seconds, and was given up.") from None
    except KeyboardInterrupt:
        say("Broken off; everybody has left.")
        raise
