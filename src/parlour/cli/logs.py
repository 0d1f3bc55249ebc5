"""What a server and its workers say of themselves while they run."""

import logging
import sys

from parlour.settings import Settings


def set_up_logging(settings: Settings) -> None:
    """Log to standard error, at the level of the settings."""
    # What no line of ours shows need not be looked up for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    for name in ("aioice", "aiortc", "alembic", "asyncio", "nats", "uvicorn", "websockets"):
        logging.getLogger(name).setLevel(logging.WARNING)
