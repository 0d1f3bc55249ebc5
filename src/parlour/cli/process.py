"""The server's process, from start to end."""

import asyncio
import logging
import shlex
import signal
import socket
import sys

import uvloop

from parlour import __version__
from parlour.cli.output import console, fail
from parlour.domain.errors import Unavailable
from parlour.front.app import build_app
from parlour.front.bootstrap import Credentials, ensure_credentials
from parlour.front.front import utc_now
from parlour.front.server import Server, listen, make_server
from parlour.front.sweep import sweep
from parlour.settings import Settings
from parlour.store.database import open_database
from parlour.store.migrations import SchemaTooNew

log = logging.getLogger("parlour")


def start(settings: Settings) -> None:
    """Serve until told to end. What keeps it from starting ends the command with a sentence."""
    _log_cheaply()
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    for name in ("alembic", "asyncio", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        sockets = listen(settings.host, settings.port)
    except OSError as error:
        fail(f"Parlour cannot listen on {settings.host} port {settings.port}: {error.strerror or error}")
    try:
        uvloop.run(run(settings, sockets))
    except (Unavailable, SchemaTooNew) as error:
        fail(f"Parlour cannot start: {error}")


async def run(settings: Settings, sockets: list[socket.socket]) -> None:
    """Start up, serve until told to end, shut down."""
    database = open_database(settings.database)
    try:
        await database.migrate()
        secret = settings.api_token.get_secret_value() if settings.api_token else None
        credentials = await database.transact(
            lambda connection: ensure_credentials(connection, settings.project_id, secret, utc_now())
        )
        app = build_app(
            database,
            public_url=settings.public_url,
            lenient_create=settings.lenient_create,
            log_requests=settings.access_log,
        )
        server = make_server(app, settings.tls_cert, settings.tls_key)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _end, server, number)
        _greet(settings, sockets[0], credentials)
        async with asyncio.TaskGroup() as tasks:
            sweeping = tasks.create_task(sweep(database, utc_now))
            await server.serve(sockets)
            sweeping.cancel()
    finally:
        for listener in sockets:
            listener.close()
        await database.close()
    log.info("Parlour has ended")


def _log_cheaply() -> None:
    # What no line of ours shows need not be looked up for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = logging.logAsyncioTasks = False  # type: ignore[attr-defined, unused-ignore]  # the last is newer than 3.11


def _end(server: Server, number: signal.Signals) -> None:
    if server.should_exit:
        server.force_exit = True  # asked twice: do not wait for the requests in flight
    else:
        log.info("%s: finishing what is in flight", number.name)
        server.should_exit = True


def _greet(settings: Settings, listener: socket.socket, credentials: Credentials) -> None:
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
    console.print(f"\n[bold]Parlour {__version__}[/bold] listens on [link={origin}]{origin}[/link]\n", soft_wrap=True)
    console.print(f"  Project ID  {credentials.project}", soft_wrap=True)
    console.print(f"  API token   {shown}", soft_wrap=True, markup=False)
    if token:
        console.print("              [yellow]Shown this once: keep it.[/yellow]")
    console.print(f"  API page    {origin}/docs\n", soft_wrap=True)
    console.print("Create a room:\n", soft_wrap=True)
    console.print(f"  {shlex.join(curl)}\n", soft_wrap=True, markup=False)
