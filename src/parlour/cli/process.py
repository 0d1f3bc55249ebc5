"""The server's process, from start to end."""

import asyncio
import logging
import shlex
import signal
import socket
from contextlib import AsyncExitStack

import uvloop

from parlour import __version__
from parlour.bus.embedded import private_server
from parlour.bus.rooms import BusRooms, bus_rooms
from parlour.cli.logs import set_up_logging
from parlour.cli.output import console, fail
from parlour.cli.workers import Workers, workers
from parlour.domain.errors import Unavailable
from parlour.domain.ticket import Ticket
from parlour.domain.turn import IceServer, ice_servers
from parlour.front.app import build_app
from parlour.front.bootstrap import Credentials, ensure_credentials
from parlour.front.first_room import open_first_room
from parlour.front.front import utc_now
from parlour.front.keeper import Keeper, Reaper
from parlour.front.objects import Objects
from parlour.front.server import Server, listen, make_server
from parlour.front.signalling.switchboard import Switchboard
from parlour.front.sweep import sweep
from parlour.front.tickets import Tickets
from parlour.settings import Settings, listed
from parlour.store.database import open_database
from parlour.store.migrations import SchemaTooNew

log = logging.getLogger("parlour")


def start(settings: Settings) -> None:
    """Serve until told to end. What keeps it from starting ends the command with a sentence."""
    set_up_logging(settings)
    try:
        sockets = listen(settings.host, settings.port)
    except OSError as error:
        fail(f"Parlour cannot listen on {settings.host} port {settings.port}: {error.strerror or error}")
    try:
        uvloop.run(run(settings, sockets))
    except (Unavailable, SchemaTooNew) as error:
        fail(f"Parlour cannot start: {error}")


async def run(settings: Settings, sockets: list[socket.socket]) -> None:
    """Start up, serve until told to end, shut down: the rooms first, then the front, then the bus."""
    async with AsyncExitStack() as stack:
        for listener in sockets:
            stack.callback(listener.close)
        database = open_database(settings.database)
        stack.push_async_callback(database.close)
        await database.migrate()
        nats_url = settings.nats_url
        if nats_url is None:
            nats_url = await stack.enter_async_context(private_server(settings.data_dir / "nats"))
        fleet = await stack.enter_async_context(workers(settings.worker_count, nats_url, settings))
        rooms = await stack.enter_async_context(bus_rooms(nats_url))
        switchboard = Switchboard(
            database,
            Tickets(database, utc_now, settings.connect_host),
            rooms,
            grace=settings.seat_grace,
            ice_servers=lambda ticket: told_ice_servers(settings, ticket, utc_now().timestamp()),
        )
        objects = Objects(settings.objects)
        stack.callback(objects.close)
        keeper = Keeper(database)
        reaper = Reaper(database, rooms, settings.seat_grace, utc_now)
        # Not before all else is up: a new token is shown once, and a start that fails on the way shows nothing.
        secret = settings.api_token.get_secret_value() if settings.api_token else None
        credentials = await database.transact(
            lambda connection: ensure_credentials(connection, settings.project_id, secret, utc_now())
        )
        app = build_app(
            database,
            switchboard=switchboard,
            bus=rooms,
            public_url=settings.public_url,
            lenient_create=settings.lenient_create,
            log_requests=settings.access_log,
            open_project=credentials.project if settings.open_rooms else None,
            objects=objects,
            figures={"keeper": keeper.statistics, "reaper": reaper.statistics},
        )
        server = make_server(app, settings.tls_cert, settings.tls_key)
        loop = asyncio.get_running_loop()
        ending = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _end, server, ending, number)
        first_room = None
        if credentials.new_token:
            first_room = await open_first_room(database, switchboard.tickets, credentials.project, utc_now())
        _greet(settings, sockets[0], credentials, first_room)
        async with asyncio.TaskGroup() as tasks:
            chores = [
                tasks.create_task(chore)
                for chore in (
                    sweep(database, objects, utc_now),
                    switchboard.run(),
                    switchboard.notices.run(),
                    rooms.journal.run(keeper.keep),
                    reaper.run(),
                    _drain(ending, rooms, fleet, switchboard, server),
                )
            ]
            await server.serve(sockets)
            for chore in chores:
                chore.cancel()
    log.info("Parlour has ended")


def told_ice_servers(settings: Settings, ticket: Ticket, now: float) -> list[IceServer]:
    """The STUN and TURN servers that a ticket's bearer is told of; ``now`` is Unix time."""
    secret = settings.turn_secret.get_secret_value() if settings.turn_secret else ""
    name = str(ticket.subscriber or ticket.id)
    return ice_servers(listed(settings.stun_urls), listed(settings.turn_urls), secret, name, now)


async def _drain(
    ending: asyncio.Event, rooms: BusRooms, fleet: Workers, switchboard: Switchboard, server: Server
) -> None:
    """Once the end is wished for: hand the rooms over while everybody can still be told, then let the front end."""
    await ending.wait()
    rooms.end()
    await fleet.end()
    switchboard.part()
    server.should_exit = True


def _end(server: Server, ending: asyncio.Event, number: signal.Signals) -> None:
    if ending.is_set():
        server.should_exit = server.force_exit = True  # asked twice: do not wait for the requests in flight
    else:
        log.info("%s: finishing what is in flight", number.name)
        ending.set()


def _greet(settings: Settings, listener: socket.socket, credentials: Credentials, first_room: str | None) -> None:
    scheme = "https" if settings.tls_cert else "http"
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(settings.host, settings.host)  # noqa: S104 - not bound here
    origin = settings.public_url or f"{scheme}://{host}:{listener.getsockname()[1]}"
    token = credentials.new_token
    shown = token or ("the one in PARLOUR_API_TOKEN" if settings.api_token else "the one shown at the first start")
    curl = [
        "curl",
        f"{origin}/api/fabric/resources/conference_rooms",
        "-u",
        f"{credentials.project}:{token or '<api_token>'}",
        "-H",
        "Content-Type: application/json",
        "-d",
        '{"name": "coffee_cafe", "enable_room_previews": true}',
    ]
    with console:  # written in one piece, so that nobody reads half of it
        console.print(
            f"\n[bold]Parlour {__version__}[/bold] listens on [link={origin}]{origin}[/link]\n", soft_wrap=True
        )
        console.print(f"  Project ID  {credentials.project}", soft_wrap=True)
        console.print(f"  API token   {shown}", soft_wrap=True, markup=False)
        if token:
            console.print("              [yellow]Shown this once: keep it.[/yellow]")
        console.print(f"  API page    {origin}/docs\n", soft_wrap=True)
        if first_room:
            console.print("Walk into your first room, as its moderator (the link is good for a day):\n", soft_wrap=True)
            console.print(f"  {origin}{first_room}\n", soft_wrap=True, markup=False)
        console.print("Create a room:\n", soft_wrap=True)
        console.print(f"  {shlex.join(curl)}\n", soft_wrap=True, markup=False)
