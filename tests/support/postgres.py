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

ACCOUNT = "postgres"
"""Who runs it where the tests run as root, which PostgreSQL refuses."""


@dataclass
class PostgresServer:
    """A cluster that can be stopped and started again; ``new_database`` gives a URL of an empty database."""

    folder: Path
    port: int
    binaries: Path
    _made: int = field(default=0)

    def start(self) -> None:
        """Start and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", str(self.folder / "log"), "-w", "start"
        )

    def stop(self, mode: str = "immediate") -> None:
        """Stop: ``fast`` says goodbye, ``immediate`` does not."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def new_database(self) -> str:
        """Make an empty database and give its URL."""
        self._made += 1
        name = f"parlour_{self._made}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def drop_database(self, url: str) -> None:
        """Remove a database that ``new_database`` made, whoever is still connected."""
        self.sql(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

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
            command, cwd="/", check=False, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60
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
