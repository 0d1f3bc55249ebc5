"""``parlour worker``: a media worker, started apart from the front."""

import asyncio
import gc
import os
import signal
import threading

import uvloop

from parlour.cli.logs import set_up_logging
from parlour.cli.output import fail
from parlour.domain.errors import Unavailable
from parlour.media.memory import give_back_large_blocks
from parlour.media.transport.addresses import resolve
from parlour.media.worker import WorkerOptions, work
from parlour.settings import Settings, listed

END_S = 8.0
"""How long a worker that was told to end may take: after that it ends whatever it does."""


def start(settings: Settings, number: int) -> None:
    """Serve rooms until told to end. What keeps it from starting ends the command with a sentence."""
    if settings.nats_url is None:
        fail("A worker needs PARLOUR_NATS_URL, the NATS server that it meets the fronts on.")
    set_up_logging(settings)
    if max(settings.udp_port, settings.ice_tcp_port) + number > 65535:
        fail(f"Worker {number} has no port: PARLOUR_UDP_PORT and PARLOUR_ICE_TCP_PORT plus its number end at 65535.")
    options = WorkerOptions(
        nats_url=settings.nats_url,
        objects_url=settings.objects,
        spool=settings.data_dir.absolute() / "spool",
        hosts=resolve(settings.media_host),
        udp_port=settings.udp_port and settings.udp_port + number,
        tcp_port=settings.ice_tcp_port + number if settings.ice_tcp_port else None,
        public_ips=listed(settings.public_ip),
        server_limit=settings.max_members,
        grace=settings.seat_grace,
        share=settings.worker_count,
        relief=settings.relief,
    )
    give_back_large_blocks()
    # What is imported stays: the collector need not look at it again, and so looks for calls that are over more often.
    gc.collect()
    gc.freeze()
    try:
        uvloop.run(_run(options))
    except Unavailable as error:
        fail(f"The worker cannot start: {error}")
    except OSError as error:
        ports = f"UDP port {options.udp_port}" + (f" and TCP port {options.tcp_port}" if options.tcp_port else "")
        fail(f"The worker cannot listen on {settings.media_host}, {ports}: {error.strerror or error}")


async def _run(options: WorkerOptions) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def end() -> None:
        stop.set()
        last_resort = threading.Timer(END_S, os._exit, (1,))
        last_resort.daemon = True
        last_resort.start()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end)
    await work(options, stop)
