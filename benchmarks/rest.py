"""How fast the REST API is: creates, gets and lists against a floor, on SQLite and on PostgreSQL.

``python -m benchmarks.rest`` starts both servers on both databases and lets them take turns in short rounds, so that
whatever else the machine does falls on both. ``docs/performance.md`` says what is measured and what came out.
"""

import argparse
import base64
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import uvloop
from rich.console import Console
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.server import PROJECT, TOKEN, serving

from benchmarks import report
from benchmarks.load import Kind, LoadError, Order, Round, send
from benchmarks.report import Cell, Memory, Sample
from parlour.front.bootstrap import ensure_credentials
from parlour.front.front import utc_now
from parlour.store.database import open_database

KINDS: tuple[Kind, ...] = ("create", "get", "list")
DATABASES = ("sqlite", "postgresql")
CONNECTIONS = (1, 16, 64)
ROOMS = 1000
"""Rooms that are there before the first round."""
MEMORY_STEP = 5000
MEMORY_CONNECTIONS = 16
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
AUTHORIZATION = "Basic " + base64.b64encode(f"{PROJECT}:{TOKEN}".encode()).decode()

console = Console(stderr=True)


@dataclass
class Target:
    """A running server and the rooms it has."""

    pid: int
    port: int
    ids: tuple[str, ...] = ()
    _rounds: Iterator[int] = field(default_factory=itertools.count)

    def fill(self) -> None:
        """Make the rooms that gets will ask for."""
        self.ids = self.send("create", 16, count=ROOMS).ids

    def send(self, kind: Kind, connections: int, *, seconds: float = 0.0, count: int = 0) -> Round:
        """Send requests and wait for the figures. Raises ``LoadError``."""
        name = f"round-{next(self._rounds)}"
        return send(Order(kind, self.port, AUTHORIZATION, connections, name, self.ids, seconds, count))

    def measure(self, kind: Kind, connections: int, seconds: float) -> Sample:
        """One round."""
        before = self.cpu_s()
        found = self.send(kind, connections, seconds=seconds)
        cpu_us = (self.cpu_s() - before) / found.answered * 1e6
        return Sample(found.per_second, found.p50_ms, found.p99_ms, cpu_us, found.load_cpu)

    def cpu_s(self) -> float:
        """CPU seconds of all the server's threads until now (``/proc/PID/stat``: utime and stime)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S

    def rss_kib(self) -> int:
        """Resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


@contextlib.contextmanager
def ours(folder: Path, url: str, access_log: bool) -> Iterator[Target]:
    """``parlour serve`` with its defaults."""
    with serving(folder, PARLOUR_DATABASE_URL=url, PARLOUR_ACCESS_LOG=str(access_log)) as server:
        yield Target(server.process.pid, server.port)


@contextlib.contextmanager
def floor(url: str) -> Iterator[Target]:
    """The floor, over a database that has our tables."""
    uvloop.run(_migrate(url))
    with subprocess.Popen([sys.executable, "-m", "benchmarks.floor", url], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield Target(process.pid, int(process.stdout.readline() or 0))
        finally:
            process.kill()


async def _migrate(url: str) -> None:
    database = open_database(url)
    await database.migrate()
    await database.transact(lambda connection: ensure_credentials(connection, UUID(PROJECT), TOKEN, utc_now()))
    await database.close()


class Bench:
    """One run: where its files lie and what it was asked for."""

    def __init__(self, folder: Path, postgres: PostgresServer | None, asked: argparse.Namespace) -> None:
        self._folder = folder
        self._postgres = postgres
        self._asked = asked
        self._numbers = itertools.count()

    def throughput(self, database: str) -> list[Cell]:
        """Both servers on one database, taking turns; who begins alternates too."""
        asked = self._asked
        cells = []
        with (
            ours(self._folder / f"ours-{database}", self._new_url(database), asked.access_log) as mine,
            floor(self._new_url(database)) as least,
        ):
            mine.fill()
            least.fill()
            for kind, connections in itertools.product(asked.requests, asked.connections):
                cell = Cell(database, kind, connections)
                sides = [(mine, cell.ours), (least, cell.floor)]
                for _ in range(asked.rounds):
                    for target, samples in sides:
                        samples.append(target.measure(kind, connections, asked.seconds))
                    sides.reverse()
                console.print(f"{database} {kind} at {connections}: {cell.ratio:.2f} of the floor")
                cells.append(cell)
        return cells

    def memory(self, database: str) -> Memory:
        """Our server's memory while it makes rooms."""
        found = Memory(database, [0], [])
        with ours(self._folder / f"memory-{database}", self._new_url(database), self._asked.access_log) as server:
            found.rss_kib.append(server.rss_kib())
            while found.creates[-1] < self._asked.creates:
                count = min(MEMORY_STEP, self._asked.creates - found.creates[-1])
                made = server.send("create", MEMORY_CONNECTIONS, count=count)
                found.creates.append(found.creates[-1] + count)
                found.rss_kib.append(server.rss_kib())
                console.print(
                    f"{database}: {found.creates[-1]:,} creates, {found.rss_kib[-1] / 1024:.1f} MiB,"
                    f" {made.per_second:,.0f}/s"
                )
        return found

    def _new_url(self, database: str) -> str:
        if self._postgres is not None and database == "postgresql":
            return self._postgres.new_database()
        return f"sqlite:///{self._folder}/{next(self._numbers)}.sqlite3"


def read_arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rest", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    parser.add_argument("--requests", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--connections", nargs="+", type=int, default=CONNECTIONS)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each server in each cell (3)")
    parser.add_argument("--seconds", type=float, default=1.5, help="measured seconds of a round (1.5)")
    parser.add_argument("--quick", action="store_true", help="one round of half a second: only to see that it runs")
    parser.add_argument("--access-log", choices=("on", "off"), default="on", help="our server's (on, its default)")
    parser.add_argument("--memory", action="store_true", help="watch our server's memory instead")
    parser.add_argument("--creates", type=int, default=100_000, help="how long to watch it (100000)")
    parser.add_argument("--folder", type=Path, help="where the databases lie meanwhile (a temporary folder)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round's figures there")
    parser.add_argument("--markdown", action="store_true", help="print Markdown for docs/performance.md")
    asked = parser.parse_args()
    asked.access_log = asked.access_log == "on"
    if asked.quick:
        asked.rounds, asked.seconds = 1, 0.5
        asked.creates = min(asked.creates, 4 * MEMORY_STEP)
    return asked


def run(asked: argparse.Namespace) -> tuple[list[Cell], list[Memory]]:
    """Measure what is asked for. Raises ``LoadError``."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parlour-bench-", dir=asked.folder)))
        postgres = None
        if "postgresql" in asked.databases:
            postgres = stack.enter_context(postgres_server())
        bench = Bench(folder, postgres, asked)
        if asked.memory:
            return [], [bench.memory(database) for database in asked.databases]
        return [cell for database in asked.databases for cell in bench.throughput(database)], []


def main() -> None:
    """Measure and show."""
    asked = read_arguments()
    settings: dict[str, Any] = {name: value for name, value in vars(asked).items() if name not in {"folder", "json"}}
    try:
        cells, memory = run(asked)
    except LoadError as error:
        sys.exit(f"The figures would be worthless: {error}")
    if asked.json:
        asked.json.write_bytes(orjson.dumps(report.raw(cells, memory, settings), option=orjson.OPT_INDENT_2))
    output = Console(width=None if sys.stdout.isatty() else 130)
    output.print(report.machine(), soft_wrap=True)
    if asked.markdown:
        print("\n" + (report.memory_markdown(memory) if memory else report.markdown(cells)))
    else:
        output.print(report.memory_table(memory) if memory else report.table(cells))


if __name__ == "__main__":
    main()
