"""The command line against a real server over SQLite, started once."""

import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from parlour.cli.main import run
from tests.support.server import RunningServer, serving


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def pairs(self) -> dict[str, str]:
        """The two-column view, of each value the first line."""
        lines = [line.partition(" ") for line in self.out.splitlines() if line[:1].strip()]
        return {name: value.strip() for name, _, value in lines}


class Parlour:
    """Runs the command line in this process, by the same way in as the installed program."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Done:
        """Run to the end, whatever that is."""
        self._capsys.readouterr()
        code: Any = 0
        try:
            run(list(arguments))
        except SystemExit as end:
            code = end.code or 0
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        return Done(code, out, err)

    def ok(self, *arguments: str) -> Done:
        """Run what has to succeed."""
        done = self(*arguments)
        assert done.code == 0, done.err
        return done

    def trouble(self, *arguments: str) -> str:
        """Run what has to fail with a sentence; give what it says."""
        done = self(*arguments)
        assert (done.code, done.out) == (1, "")
        return done.err


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for every test that does not break it."""
    with serving(tmp_path_factory.mktemp("cli") / "server") as running:
        yield running


@dataclass(frozen=True)
class SecureServer:
    """A server whose certificate a private CA signed. Nobody makes rooms on it."""

    server: RunningServer
    ca_file: str


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServer]:
    """HTTPS under the name ``localhost``."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    files = {name: str(folder / f"{name}.pem") for name in ("ca", "key", "cert")}
    authority.cert_pem.write_to_path(files["ca"])
    certificate.private_key_and_cert_chain_pem.write_to_path(files["key"])
    certificate.cert_chain_pems[0].write_to_path(files["cert"])
    settings = {"PARLOUR_TLS_CERT": files["cert"], "PARLOUR_TLS_KEY": files["key"]}
    with serving(folder / "server", scheme="https", **settings) as server:
        yield SecureServer(server, files["ca"])


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Parlour:
    """The command line in an empty folder of an environment that says nothing."""
    for name in os.environ:
        if name.startswith(("PARLOUR_", "SIGNALWIRE_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    return Parlour(capsys)


@pytest.fixture
def parlour(nowhere: Parlour, shared_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Parlour:
    """The command line in an environment that names the server."""
    point_to(shared_server, monkeypatch)
    return nowhere


def point_to(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name a server by the environment, as the official SDK reads it."""
    monkeypatch.setenv("SIGNALWIRE_PROJECT_ID", server.project)
    monkeypatch.setenv("SIGNALWIRE_API_TOKEN", server.token)
    monkeypatch.setenv("SIGNALWIRE_SPACE", f"localhost:{server.port}")


@contextlib.contextmanager
def stranger(answer: bytes | None) -> Iterator[str]:
    """A program that is no Parlour: it gives every request the same bytes, or with ``None`` never anything."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def live() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                held.append(connection)
                if answer is not None:
                    connection.recv(65536)
                    connection.sendall(answer)
                    connection.close()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in held:
            connection.close()
