"""Media workers read what strangers send. They do not know what they need not."""

from pathlib import Path

import pytest

from tests.cluster.conftest import figures, until
from tests.support.server import TOKEN, serving

pytestmark = pytest.mark.slow

PASSWORD = "a-turn-secret"


def told(pid: int, what: str) -> str:
    """What the kernel tells of a process."""
    return Path(f"/proc/{pid}/{what}").read_text()


async def test_a_worker_knows_neither_tokens_nor_databases(tmp_path: Path) -> None:
    settings = {
        "PARLOUR_DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere.sqlite3",
        "PARLOUR_TURN_URLS": "turn:127.0.0.1:3478",
        "PARLOUR_TURN_SECRET": PASSWORD,
        "PARLOUR_SEAT_GRACE": "7",
    }
    with serving(tmp_path, **settings) as server:
        await until(lambda: figures(server))
        (worker,) = figures(server)
        environment, libraries = told(worker, "environ"), told(worker, "maps")
    assert "PARLOUR_SEAT_GRACE=7" in environment
    assert "PARLOUR_NATS_URL=" in environment
    for secret in (TOKEN, PASSWORD, "elsewhere.sqlite3"):
        assert secret not in environment
    assert "sqlalchemy" not in libraries
