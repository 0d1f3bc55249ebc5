"""A real PostgreSQL on loopback, in a temporary folder, for as long as a test run."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.waiting import PATIENCE_S

ACCOUNT = "postgres"
"""Who runs it where the tests run as root, which PostgreSQL refuses."""
_EMPTY = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
"""


def make_way(leader: int) -> None:
    """Give a session that a program began for itself our own priority.

    Linux may share the processor out to sessions first; what a process's priority is then counts only within its own.
    """
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    autogroup = Path(f"/proc/{leader}/autogroup")
    if niceness > 0 and os.access(autogroup, os.W_OK):
        autogroup.write_text(str(niceness))


@dataclass
class PostgresServer:
    """A cluster that can be stopped and started again; ``new_database`` gives a URL of an empty database.

    Making a database takes a quarter of a second of the processor, emptying one a twentieth of that: so a database that
    is given back is given out again.
    """

    folder: Path
    port: int
    binaries: Path
    _made: int = field(default=0)
    _empty: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Start and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", str(self.folder / "log"), "-w", "start"
        )
        make_way(int((self.folder / "data" / "postmaster.pid").read_text().split()[0]))

    def stop(self, mode: str = "immediate") -> None:
        """Stop: ``fast`` says goodbye, ``immediate`` does not."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def new_database(self) -> str:
        """The URL of an empty database."""
        if self._empty:
            return self._empty.pop()
        self._made += 1
        name = f"parlour_{self._made}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def give_back(self, url: str) -> None:
        """Empty a database that ``new_database`` gave, whoever is still connected."""
        self.sql(_EMPTY, url.rpartition("/")[2])
        self._empty.append(url)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement with psql; give what it prints."""
        return self._run(
            "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-XAtqc", statement, database
        )

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self.binaries / program), *arguments]
        if os.getuid() == 0:
            command = ["runuser", "-u", ACCOUNT, "--", *command]
        done = subprocess.run(
            command,
            cwd="/",
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=PATIENCE_S,
        )
        if done.returncode != 0:
            log = self.folder / "log"
            raise RuntimeError(f"{program} failed:\n{done.stdout}\n{log.read_text() if log.exists() else ''}")
        return done.stdout.strip()


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a PostgreSQL in a folder of its own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise RuntimeError("PostgreSQL is missing; `make test` installs it")
    # Not below pytest's folder: what runs as another account has no way through it.
    folder = Path(tempfile.mkdtemp(prefix="parlour-postgres-"))
    if os.getuid() == 0:
        shutil.chown(folder, pwd.getpwnam(ACCOUNT).pw_uid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = PostgresServer(folder, port, found[-1].parent)
    server._run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
