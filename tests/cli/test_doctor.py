"""``parlour doctor``: each check on a thing that is right and on one that is broken."""

import asyncio
import itertools
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from parlour.cli.doctor import (
    DISK_LOW,
    DatabaseState,
    Finding,
    Verdict,
    check_clock,
    check_database,
    check_disk,
    check_folder,
    check_media,
    check_port,
    check_python,
    check_settings,
    check_sqlite,
    check_udp,
    has_codec,
    read_database,
)
from parlour.settings import load_settings
from parlour.store.database import Database, open_database
from tests.cli.conftest import Parlour, stranger
from tests.support.server import RunningServer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OK, NOTE, WARN, FAIL = Verdict


def verdicts(out: str) -> dict[str, str]:
    """The verdict on each subject."""
    return {line[6:17].strip(): line[:4].strip() for line in out.splitlines() if line[:4].strip()}


@pytest.mark.parametrize(("version", "verdict"), [((3, 10, 14), FAIL), ((3, 11, 0), OK), ((4, 0, 0), OK)])
def test_python(version: tuple[int, ...], verdict: Verdict) -> None:
    assert check_python(version).verdict is verdict


@pytest.mark.parametrize(("version", "verdict"), [((3, 34, 1), FAIL), ((3, 35, 0), OK)])
def test_sqlite(version: tuple[int, ...], verdict: Verdict) -> None:
    assert check_sqlite(version).verdict is verdict


def test_media() -> None:
    assert check_media(has_codec).verdict is OK
    finding = check_media(lambda name, mode: mode == "r")
    assert finding.verdict is FAIL
    assert "libx264" in finding.words
    assert not has_codec("nonesuch", "w")


def test_settings(nowhere: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_settings(load_settings)[1].verdict is OK
    monkeypatch.setenv("PARLOUR_PORT", "x")
    settings, finding = check_settings(load_settings)
    assert (settings, finding.verdict) == (None, FAIL)
    assert finding.words.startswith("PARLOUR_PORT: ")


class TestPort:
    """A TCP port that is free, Parlour's, somebody else's, or not to be had."""

    def test_free(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        assert check_port("127.0.0.1", port) == Finding("TCP port", OK, f"127.0.0.1 port {port} is free.")
        assert check_port("localhost", 0).verdict is OK

    def test_parlour_s(self, shared_server: RunningServer) -> None:
        for host in ("localhost", "0.0.0.0"):  # noqa: S104 - what is checked is whether somebody has it
            finding = check_port(host, shared_server.port)
            assert finding == Finding("TCP port", OK, f"Parlour is running on {host} port {shared_server.port}.")

    def test_somebody_else_s(self) -> None:
        body = b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"status": "ok"}'
        for answer in (body, b"", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>"):
            with stranger(answer) as host:
                finding = check_port("127.0.0.1", int(host.rsplit(":", 1)[1]))
                assert finding.verdict is FAIL
                assert "Another program has it" in finding.words

    @pytest.mark.parametrize(("host", "said"), [("parlour.invalid", "no address"), ("192.0.2.1", "cannot be had")])
    def test_not_ours(self, host: str, said: str) -> None:
        finding = check_port(host, 8080)
        assert finding.verdict is FAIL
        assert said in finding.words


def test_udp() -> None:
    assert check_udp().verdict is OK
    assert check_udp("192.0.2.1").verdict is FAIL


@pytest.mark.parametrize(
    ("now", "reference", "verdict"),
    [
        (NOW, None, OK),
        (NOW, NOW + timedelta(seconds=4), OK),
        (NOW, NOW - timedelta(seconds=6), FAIL),
        (NOW, NOW + timedelta(seconds=6), FAIL),
        (datetime(1970, 1, 1, tzinfo=UTC), None, FAIL),
    ],
)
def test_clock(now: datetime, reference: datetime | None, verdict: Verdict) -> None:
    assert check_clock(now, reference, itertools.count().__next__).verdict is verdict


def test_a_clock_that_stands_still() -> None:
    assert check_clock(NOW, None, lambda: 1.0).verdict is FAIL


async def test_a_database_at_the_newest_revision(prepared_url: str, database: Database) -> None:
    clock, finding = await asyncio.to_thread(check_database, prepared_url, read_database)
    assert finding.verdict is OK
    assert "newest revision" in finding.words
    if prepared_url.startswith("postgresql"):
        assert clock is not None
        assert abs(clock - datetime.now(UTC)) < timedelta(seconds=5)
    else:
        assert clock is None


async def test_a_database_of_another_revision(database_url: str) -> None:
    database = open_database(database_url)
    await database.migrate()
    await database.transact(lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num='x'"))
    await database.close()
    _, finding = await asyncio.to_thread(check_database, database_url, read_database)
    assert finding.verdict is FAIL
    assert "newer Parlour" in finding.words


def test_an_empty_database_is_left_alone(database_url: str) -> None:
    path = Path(database_url.removeprefix("sqlite:///"))
    sqlite = database_url.startswith("sqlite")
    if sqlite:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE mine (id)")
        connection.close()
    before = path.read_bytes() if sqlite else b""
    _, finding = check_database(database_url, read_database)
    assert finding.verdict is OK
    assert "will be made" in finding.words
    assert before == (path.read_bytes() if sqlite else b"")


def test_a_sqlite_file_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "data" / "parlour.sqlite3"
    finding = check_database(f"sqlite:///{path}", read_database)[1]
    assert finding.verdict is OK
    assert "first start" in finding.words
    assert not path.parent.exists()
    (tmp_path / "data").write_text("")
    assert check_database(f"sqlite:///{path}", read_database)[1].verdict is FAIL


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("not a database, but long enough to be looked at" * 100)
    finding = check_database(f"sqlite:///{tmp_path}/notes", read_database)[1]
    assert finding == Finding("Database", FAIL, "File is not a database. Look at PARLOUR_DATABASE_URL.")


@pytest.mark.parametrize("query", ["", "?sslmode=require"])
def test_a_postgresql_that_cannot_be_reached(query: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    finding = check_database(f"postgresql://user:geheim@127.0.0.1:{port}/rooms{query}", read_database)[1]
    assert finding.verdict is FAIL
    assert "geheim" not in finding.words


def test_the_database_s_clock_is_handed_on(tmp_path: Path) -> None:
    clock, _ = check_database("postgresql://host/rooms", lambda url: DatabaseState(None, NOW))
    assert clock == NOW


def test_data_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert check_folder(tmp_path) == Finding("Data folder", OK, f"{tmp_path} can be written to.")
    assert check_folder(tmp_path / "a" / "b").verdict is OK
    assert check_folder(tmp_path / "file" / "data").verdict is FAIL
    assert check_folder(tmp_path / "file").verdict is FAIL
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_disk(tmp_path: Path) -> None:
    def gone(path: Path) -> int:
        raise FileNotFoundError(2, "No such file or directory")

    assert check_disk(tmp_path / "data", lambda path: DISK_LOW).verdict is OK
    assert check_disk(tmp_path / "data", lambda path: DISK_LOW - 1).verdict is WARN
    assert check_disk(tmp_path / "data", gone).verdict is FAIL


def test_all_is_well(nowhere: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_PORT", "0")
    found = verdicts(nowhere.ok("doctor").out)
    assert found.pop("Media") == "OK"
    assert set(found) == {
        "Python", "SQLite", "Settings", "UDP", "TCP port", "Database", "Clock", "Data folder", "Disk",
    }  # fmt: skip
    assert set(found.values()) <= {"OK", "WARN"}
    assert not Path("data").exists()


def test_something_is_wrong(nowhere: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").write_text("")
    monkeypatch.setenv("PARLOUR_DATA_DIR", "file/data")
    monkeypatch.setenv("PARLOUR_PORT", "0")
    done = nowhere("doctor")
    assert (done.code, done.err) == (1, "")
    failed = {subject for subject, verdict in verdicts(done.out).items() if verdict == "FAIL"}
    assert failed == {"Database", "Data folder"}


def test_bad_settings(nowhere: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_PORT", "x")
    done = nowhere("doctor")
    assert done.code == 1
    assert verdicts(done.out)["Settings"] == "FAIL"
    assert verdicts(done.out)["The rest"] == "NOTE"


def test_a_running_server(
    nowhere: Parlour, tmp_path: Path, server: RunningServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLOUR_PORT", str(server.port))
    monkeypatch.setenv("PARLOUR_DATABASE_URL", database_url)
    done = nowhere.ok("doctor")
    assert f"Parlour is running on localhost port {server.port}." in done.out
    assert "newest revision" in done.out
    assert ("as on the database server" in done.out) == database_url.startswith("postgresql")
