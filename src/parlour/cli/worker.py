"""``parlour worker``: a media worker, started apart from the front."""

import asyncio
import signal

import uvloop

from parlour.cli.output import fail
from parlour.cli.process import set_up_logging
from parlour.domain.errors import Unavailable
from parlour.media.transport.addresses import resolve
from parlour.media.worker import WorkerOptions, work
from parlour.settings import Settings


def start(settings: Settings, number: int) -> None:
    """Serve rooms until told to end. What keeps it from starting ends the command with a sentence."""
    if settings.nats_url is None:
        fail("A worker needs PARLOUR_NATS_URL, the NATS server that it meets the fronts on.")
    set_up_logging(settings)
    options = WorkerOptions(
        nats_url=settings.nats_url,
        hosts=resolve(settings.media_host),
        udp_port=settings.udp_port and settings.udp_port + number,
        tcp_port=settings.ice_tcp_port + number if settings.ice_tcp_port else None,
        public_ips=tuple(ip.strip() for ip in (settings.public_ip or "").split(",") if ip.strip()),
        server_limit=settings.max_members,
    )
    try:
        uvloop.run(_run(options))
    except Unavailable as error:
        fail(f"The worker cannot start: {error}")
    except OSError as error:
        fail(f"The worker cannot listen on {settings.media_host} port {options.udp_port}: {error.strerror or error}")


async def _run(options: WorkerOptions) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await work(options, stop)
