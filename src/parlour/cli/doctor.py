"""``parlour doctor``: whether this machine and these settings will do, and what to do where they will not.

Each check is a function of what it looks at, so that each can be shown a thing that is broken.
"""

import asyncio
import contextlib
import errno
import shutil
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

import av
import httpx
import sqlalchemy as sa
import typer
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from rich.table import Table

from parlour.cli.output import console, visible
from parlour.domain.errors import Unavailable
from parlour.front.server import listen
from parlour.settings import BadSetting, Settings, load_settings
from parlour.store.database import check_database_url, open_database
from parlour.store.migrations import script

PYTHON_MIN = (3, 11)
CODECS: Final[tuple[tuple[str, Literal["r", "w"]], ...]] = (
    ("h264", "r"), ("vp8", "r"), ("libopus", "r"), ("libx264", "w"), ("libvpx", "w"), ("libopus", "w"), ("aac", "w"),
)  # fmt: skip
"""What live rooms and their recordings decode (r) and encode (w), as FFmpeg names it."""
SQLITE_MIN = (3, 35)
"""The first with RETURNING."""
DISK_LOW = 1 << 30
"""Bytes."""
CLOCK_OFF_S = 5.0
"""How far two clocks may be apart: more would let people in, and remove them, at visibly wrong times."""
CLOCK_FLOOR = datetime(2026, 1, 1, tzinfo=UTC)
"""This version was not there before; a clock that says so lost its time."""
ANSWER_S = 3.0


class Verdict(StrEnum):
    """How a check came out; only ``FAIL`` keeps the server from working."""

    OK = "OK"
    NOTE = "NOTE"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: ``words`` say how it is, or what to do."""

    subject: str
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """What a database says of itself. ``revision`` is ``None`` where there is no schema yet, ``clock`` where it has no
    clock of its own."""

    revision: str | None
    clock: datetime | None


def check_python(version: tuple[int, ...]) -> Finding:
    """The interpreter is new enough."""
    fine = version >= PYTHON_MIN
    todo = "" if fine else f": Parlour needs {_dotted(PYTHON_MIN)} or newer; make its environment with that."
    return Finding("Python", Verdict.OK if fine else Verdict.FAIL, _dotted(version[:3]) + todo)


def check_sqlite(version: tuple[int, ...]) -> Finding:
    """The SQLite library is new enough."""
    fine = version >= SQLITE_MIN
    todo = "" if fine else f": Parlour needs {_dotted(SQLITE_MIN)} or newer; use a Python built with that."
    return Finding("SQLite", Verdict.OK if fine else Verdict.FAIL, _dotted(version) + todo)


def check_media(present: Callable[[str, Literal["r", "w"]], bool]) -> Finding:
    """The codecs that live rooms need are there; ``present`` says of a name whether it decodes (r) or encodes (w)."""
    missing = [name for name, mode in CODECS if not present(name, mode)]
    if missing:
        return Finding("Media", Verdict.FAIL, f"PyAV lacks {', '.join(missing)}: install its wheel from PyPI.")
    return Finding("Media", Verdict.OK, "All codecs are there.")


def has_codec(name: str, mode: Literal["r", "w"]) -> bool:
    """Whether FFmpeg, as PyAV carries it, has a codec."""
    try:
        av.Codec(name, mode)
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def check_settings(load: Callable[[], Settings]) -> tuple[Settings | None, Finding]:
    """The settings make sense; gives them."""
    try:
        return load(), Finding("Settings", Verdict.OK, "They make sense.")
    except BadSetting as error:
        return None, Finding("Settings", Verdict.FAIL, str(error))


def check_port(host: str, port: int, scheme: str = "http") -> Finding:
    """The TCP port is free, or this very server has it."""
    where = f"{host} port {port}"
    try:
        for listener in listen(host, port):
            listener.close()
    except socket.gaierror:
        return Finding("TCP port", Verdict.FAIL, f"There is no address {host}: set PARLOUR_HOST.")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            if _is_parlour(host, port, scheme):
                return Finding("TCP port", Verdict.OK, f"Parlour is running on {where}.")
            todo = "Another program has it: end that one, or set PARLOUR_PORT."
        elif error.errno == errno.EACCES:
            todo = "Only root may listen there: set PARLOUR_PORT to 1024 or more."
        else:
            todo = f"{error.strerror or error}: set PARLOUR_HOST and PARLOUR_PORT."
        return Finding("TCP port", Verdict.FAIL, f"{where} cannot be had. {todo}")
    return Finding("TCP port", Verdict.OK, f"{where} is free." if port else f"Any free port of {host}.")


def check_udp(host: str = "127.0.0.1") -> Finding:
    """A datagram gets from one socket of this machine to another."""
    try:
        with _udp(host) as here, _udp(host) as there:
            here.sendto(b"parlour", there.getsockname())
            there.recv(16)
    except OSError as error:
        reason = error.strerror or "nothing arrives"
        return Finding(
            "UDP", Verdict.FAIL, f"No datagrams on {host} ({reason}): look at the firewall or the container."
        )
    return Finding("UDP", Verdict.OK, f"Datagrams arrive on {host}.")


def check_clock(now: datetime, reference: datetime | None, ticks: Callable[[], float]) -> Finding:
    """The wall clock is right, as far as can be told from ``reference``, and ``ticks`` (seconds) go forward."""
    before = ticks()
    time.sleep(0.001)
    if ticks() <= before:
        return Finding("Clock", Verdict.FAIL, "The monotonic clock stands still: look at the virtual machine.")
    spelled = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now < CLOCK_FLOOR:
        return Finding("Clock", Verdict.FAIL, f"It cannot be {spelled}: set the clock, best with NTP.")
    if reference is None:
        return Finding("Clock", Verdict.OK, f"{spelled}.")
    apart = abs((now - reference).total_seconds())
    if apart > CLOCK_OFF_S:
        todo = "run NTP on both machines."
        return Finding("Clock", Verdict.FAIL, f"{apart:.0f} seconds away from the database server's clock: {todo}")
    return Finding("Clock", Verdict.OK, f"{spelled}, as on the database server.")


def check_database(url: str, read: Callable[[str], DatabaseState]) -> tuple[datetime | None, Finding]:
    """The database answers and has this version's schema; gives its clock. Nothing is changed in it."""
    path = _sqlite_path(url)
    if path is not None and not path.exists():
        trouble = _not_writable(path.parent)
        if trouble:
            return None, Finding("Database", Verdict.FAIL, f"{path} cannot be made: {trouble}.")
        return None, Finding("Database", Verdict.OK, f"{path} will be made at the first start.")
    try:
        state = read(url)
    except (Unavailable, sa.exc.SQLAlchemyError, TypeError) as error:  # TypeError: a parameter that asyncpg has not
        reason = getattr(error, "orig", None) or error
        return None, Finding("Database", Verdict.FAIL, f"{_sentence(str(reason))} Look at PARLOUR_DATABASE_URL.")
    return state.clock, _judge_schema(state.revision)


def check_folder(folder: Path) -> Finding:
    """The data folder can be written to, or made."""
    trouble = _not_writable(folder)
    if trouble:
        todo = "Give this user the right to write there, or set PARLOUR_DATA_DIR."
        return Finding("Data folder", Verdict.FAIL, f"{folder.absolute()}: {trouble}. {todo}")
    there = "can be written to" if folder.exists() else "will be made at the first start"
    return Finding("Data folder", Verdict.OK, f"{folder.absolute()} {there}.")


def check_disk(folder: Path, free: Callable[[Path], int]) -> Finding:
    """There is room in the data folder; ``free`` gives bytes."""
    try:
        left = free(_nearest(folder))
    except OSError as error:
        return Finding("Disk", Verdict.FAIL, f"{folder.absolute()}: {error.strerror or error}.")
    spelled = f"{left / (1 << 30):.1f} GiB free"
    if left < DISK_LOW:
        return Finding("Disk", Verdict.WARN, f"Only {spelled}: make room, or set PARLOUR_DATA_DIR to a larger disk.")
    return Finding("Disk", Verdict.OK, f"{spelled}.")


def findings() -> Iterator[Finding]:
    """Every check on the machine as it is; each is made when it is asked for."""
    yield check_python(sys.version_info[:3])
    yield check_sqlite(sqlite3.sqlite_version_info)
    yield check_media(has_codec)
    settings, finding = check_settings(load_settings)
    yield finding
    yield check_udp()
    if settings is None:
        yield check_clock(datetime.now(UTC), None, time.monotonic)
        yield Finding("The rest", Verdict.NOTE, "Port, database and disk are looked at once the settings make sense.")
        return
    yield check_port(settings.host, settings.port, "https" if settings.tls_cert else "http")
    clock, finding = check_database(settings.database, read_database)
    yield finding
    yield check_clock(datetime.now(UTC), clock, time.monotonic)
    yield check_folder(settings.data_dir)
    yield check_disk(settings.data_dir, lambda path: shutil.disk_usage(path).free)


def examine() -> None:
    """Print every finding. Ends the command with 1 where one keeps the server from working."""
    failed = 0
    for finding in findings():
        failed += finding.verdict is Verdict.FAIL
        _print(finding)
    if failed:
        raise typer.Exit(1)


def read_database(url: str) -> DatabaseState:
    """Ask a database for its revision and its time, and change nothing. Raises ``Unavailable`` or SQLAlchemy's own."""
    path = _sqlite_path(url)
    if path is not None:
        # Not by the store's way in, which puts the file in WAL mode.
        uri = f"{path.absolute().as_uri()}?mode=ro"
        engine = sa.create_engine(
            "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=sa.pool.NullPool
        )
        with engine.connect() as connection:
            return DatabaseState(_revision(connection), None)
    return asyncio.run(_ask(url))


async def _ask(url: str) -> DatabaseState:
    database = open_database(url)
    try:
        return await database.run(
            lambda connection: DatabaseState(
                _revision(connection), connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
            )
        )
    finally:
        await database.close()


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _judge_schema(revision: str | None) -> Finding:
    newest = ScriptDirectory.from_config(script())
    if revision is None:
        return Finding("Database", Verdict.OK, "It answers; its tables will be made at the first start.")
    if revision == newest.get_current_head():
        return Finding("Database", Verdict.OK, f"It answers and is at the newest revision, {revision}.")
    if revision in {item.revision for item in newest.walk_revisions()}:
        todo = "the next start of `parlour serve` brings it to the newest; make a backup first."
        return Finding("Database", Verdict.WARN, f"It is at the older revision {revision}: {todo}")
    todo = "start that version, or restore a backup."
    return Finding("Database", Verdict.FAIL, f"It is at revision {revision}, which a newer Parlour has made: {todo}")


def _sqlite_path(url: str) -> Path | None:
    parsed = check_database_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def _not_writable(folder: Path) -> str | None:
    """Why nothing can be written in a folder, or, where it is not there yet, in the one it would be made in."""
    try:
        with tempfile.TemporaryFile(dir=_nearest(folder)):
            return None
    except OSError as error:
        return (error.strerror or str(error)).lower()


def _nearest(path: Path) -> Path:
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _is_parlour(host: str, port: int, scheme: str) -> bool:
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    name = f"[{name}]" if ":" in name else name
    with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL, ValueError):
        # Nothing secret is said, and the certificate need not name this host: it need not be verified.
        answer = httpx.get(f"{scheme}://{name}:{port}/healthz", verify=False, trust_env=False, timeout=ANSWER_S)  # noqa: S501
        return answer.json() == {"status": "ok"} and "x-request-id" in answer.headers
    return False


@contextlib.contextmanager
def _udp(host: str) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as endpoint:
        endpoint.settimeout(ANSWER_S)
        endpoint.bind((host, 0))
        yield endpoint


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


_COLOURS = {Verdict.OK: "green", Verdict.NOTE: "dim", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


def _print(finding: Finding) -> None:
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_column(width=4, style=_COLOURS[finding.verdict])
    line.add_column(width=11)
    line.add_column(overflow="fold")
    line.add_row(finding.verdict, finding.subject, visible(finding.words))
    console.print(line)
