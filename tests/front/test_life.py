"""The server as a process: killed, asked to end, its database taken away; nothing acknowledged is lost."""

import contextlib
import json
import re
import shlex
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from parlour.cores import granted_cores
from parlour.front.body import BODY_WAIT_S
from parlour.front.server import HEAD_MAX
from tests.front.test_rooms import COFFEE, ROOMS
from tests.support.caller import caller, has_worker
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.server import PROJECT, TOKEN, RunningServer, serving, spawn
from tests.support.waiting import PATIENCE_S, until, wait_until

pytestmark = pytest.mark.slow


def listed(client: httpx.Client) -> set[str]:
    """The ids of every room."""
    found: set[str] = set()
    url = f"{ROOMS}?page_size=1000"
    while url:
        page = client.get(url).json()
        found |= {room["id"] for room in page["data"]}
        url = page["links"].get("next", "")
    return found


@contextlib.contextmanager
def writers(server: RunningServer, count: int, acknowledged: list[dict[str, Any]]) -> Iterator[threading.Event]:
    """Clients that create, change and delete rooms as fast as they can until the server is gone or told to stop."""
    stop = threading.Event()

    def write() -> None:
        with server.client() as client, contextlib.suppress(httpx.HTTPError):
            while not stop.is_set():
                created = client.post(ROOMS, json=COFFEE)
                if created.status_code != 200:
                    continue
                room = created.json()
                acknowledged.append(room)
                changed = client.put(f"{ROOMS}/{room['id']}", json={"max_members": 7})
                if changed.status_code == 200:
                    acknowledged.append(changed.json())

    threads = [threading.Thread(target=write) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield stop
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("after", [1, 57, 260])
def test_what_was_acknowledged_survives_sigkill(database_url: str, tmp_path: Path, after: int) -> None:
    acknowledged: list[dict[str, Any]] = []
    server = spawn(tmp_path / "server", PARLOUR_DATABASE_URL=database_url)
    with writers(server, 8, acknowledged):
        wait_until(lambda: len(acknowledged) >= after)
        server.kill()
    with serving(tmp_path / "server", PARLOUR_DATABASE_URL=database_url) as again, again.client() as client:
        newest = {room["id"]: room for room in acknowledged}
        assert set(newest) <= listed(client)
        for room in list(newest.values())[:: max(1, len(newest) // 50)]:
            shown = client.get(f"{ROOMS}/{room['id']}").json()
            # A change that was made but not answered may show too.
            if room["conference_room"]["max_members"] == 7:
                assert shown == room
            else:
                assert shown["conference_room"] | {"max_members": 20} == room["conference_room"]


def test_sigterm_answers_what_is_in_flight_refuses_the_rest_and_ends_well(server: RunningServer) -> None:
    body = json.dumps(COFFEE).encode()
    with socket.create_connection(("localhost", server.port)) as slow:
        head = (
            f"POST {ROOMS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: {httpx.BasicAuth(PROJECT, TOKEN)._auth_header}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        slow.sendall(head.encode() + body[:10])
        with server.client() as client:  # the slow request is surely being handled once a later one was answered
            client.get(ROOMS)
        server.terminate()
        wait_until(lambda: refuses(server.port))
        assert server.process.poll() is None
        slow.sendall(body[10:])
        answer = slow.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200")
    assert server.process.wait(PATIENCE_S) == 0
    assert "Parlour has ended" in server.log.read_text()


def test_every_request_is_in_the_log_when_the_server_has_ended(server: RunningServer) -> None:
    with server.client() as client:
        for number in range(300):
            client.get("/healthz", headers={"X-Request-ID": f"number-{number}"})
    server.terminate()
    assert server.process.wait(PATIENCE_S) == 0
    found = re.findall(
        r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO GET /healthz 200 \d+\.\d ms number-(\d+)$",
        server.log.read_text(),
        re.MULTILINE,
    )
    assert found == [str(number) for number in range(300)]


def test_sigterm_ends_in_time_whatever_a_client_does(server: RunningServer) -> None:
    with socket.create_connection(("localhost", server.port)) as never:
        never.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
        with socket.create_connection(("localhost", server.port)) as idle, server.client() as keeping:
            keeping.get(ROOMS)
            server.terminate()
            assert server.process.wait(BODY_WAIT_S - 1) == 0, "it does not wait for as long as a body may take"
            assert idle.recv(100) == b""


def refuses(port: int) -> bool:
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return True
    return False


def test_a_locked_database_is_503_until_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "locked.sqlite3"
    with serving(tmp_path / "server", PARLOUR_DATABASE_URL=f"sqlite:///{path}") as server, server.client() as client:
        room = client.post(ROOMS, json=COFFEE).json()
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            ready = client.get("/readyz")
            assert (ready.status_code, ready.headers["retry-after"]) == (503, "1")
            assert ready.json() == {"error": "Service Unavailable"}
            assert client.get("/healthz").status_code == 200
            assert client.get(f"{ROOMS}/{room['id']}").json() == room  # reading goes on
            assert client.post(ROOMS, json=COFFEE).status_code == 503
            other.execute("ROLLBACK")
        assert client.get("/readyz").status_code == 200
        assert client.post(ROOMS, json=COFFEE).status_code == 200
        assert len(listed(client)) == 2


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    """A PostgreSQL that may die without hurting other tests."""
    with postgres_server() as server:
        yield server


def test_a_database_that_dies_comes_back_without_a_restart(mortal: PostgresServer, tmp_path: Path) -> None:
    url = mortal.new_database()
    acknowledged: list[dict[str, Any]] = []
    with serving(tmp_path / "server", PARLOUR_DATABASE_URL=url) as server, server.client() as client:
        with writers(server, 4, acknowledged):
            wait_until(lambda: len(acknowledged) > 20)
            mortal.stop("immediate")
            try:
                wait_until(lambda: client.get("/readyz").status_code == 503)
                assert client.get("/readyz").headers["retry-after"] == "1"
                statuses = {client.post(ROOMS, json=COFFEE).status_code, client.get(ROOMS).status_code}
                assert statuses <= {500, 503}
                assert client.get("/healthz").status_code == 200
            finally:
                mortal.start()
            wait_until(lambda: client.get("/readyz").status_code == 200)
            enough = len(acknowledged) + 20
            wait_until(lambda: len(acknowledged) > enough)
        assert {room["id"] for room in acknowledged} <= listed(client)


def exchange(port: int, data: bytes) -> bytes:
    """Send bytes; give everything that comes back."""
    with socket.create_connection(("localhost", port), timeout=PATIENCE_S) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                answer += part
        return answer


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A running server over SQLite, shared."""
    with serving(tmp_path_factory.mktemp("plain") / "server") as server:
        yield server


def test_a_head_without_end_is_refused(plain: RunningServer) -> None:
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * HEAD_MAX
    assert exchange(plain.port, head).startswith(b"HTTP/1.1 431")
    many = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * HEAD_MAX
    assert exchange(plain.port, many).startswith(b"HTTP/1.1 431")


def test_a_head_of_a_sane_size_is_read(plain: RunningServer) -> None:
    head = (
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " + b"x" * (HEAD_MAX - 200) + b"\r\n\r\n"
    )
    assert exchange(plain.port, head).startswith(b"HTTP/1.1 200")


def test_an_answer_may_be_its_head_alone(plain: RunningServer) -> None:
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    answer = exchange(plain.port, get.replace(b"GET", b"HEAD") + b"\r\n" + get + b"Connection: close\r\n\r\n")
    head, first, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert first
    assert rest.startswith(b"HTTP/1.1 200")
    assert rest.endswith(b'{"status":"ok"}')


def test_who_asks_before_sending_a_body_is_told_to_go_on(plain: RunningServer) -> None:
    body = json.dumps(COFFEE).encode()
    head = (
        f"POST {ROOMS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Authorization: {httpx.BasicAuth(PROJECT, TOKEN)._auth_header}\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("localhost", plain.port), timeout=PATIENCE_S) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
def test_what_is_not_http_is_400(plain: RunningServer, data: bytes) -> None:
    assert exchange(plain.port, data).startswith(b"HTTP/1.1 400")


def test_a_head_that_never_ends_is_dropped_in_time(plain: RunningServer) -> None:
    began = time.monotonic()
    assert exchange(plain.port, b"GET / HTTP/1.1\r\nHost: loc").startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < PATIENCE_S, "sooner than a connection that is idle"


def test_a_second_request_on_one_connection_is_bounded_too(plain: RunningServer) -> None:
    first = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    endless = exchange(plain.port, first + b"GET / HTTP/1.1\r\nX: " + b"x" * (64 * HEAD_MAX))
    assert endless.startswith(b"HTTP/1.1 200") or not endless  # it is closed, perhaps before the answer was out
    silent = exchange(plain.port, first + b"GET / HTTP/1.1\r\nX: ")
    assert silent.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 408" in silent


def test_there_is_a_worker_for_each_core_unless_it_is_said_how_many(tmp_path: Path) -> None:
    with serving(tmp_path / "server", PARLOUR_WORKERS="0") as server:
        told = f'parlour_bus{{figure="workers"}} {int(granted_cores())}'
        with server.client() as api:
            wait_until(lambda: told in api.get("/metrics").text)


NOTHING_SET = {"PARLOUR_PROJECT_ID": "", "PARLOUR_API_TOKEN": ""}


def test_first_start_prints_working_credentials_once(tmp_path: Path) -> None:
    with serving(tmp_path / "server", **NOTHING_SET) as server:
        text = server.log.read_text()
        command = re.search(r"^  (curl .*)$", text, re.MULTILINE)
        assert command
        done = subprocess.run(
            [*shlex.split(command[1]), "--silent", "--fail"], check=True, capture_output=True, timeout=PATIENCE_S
        )
        room = json.loads(done.stdout)
        assert room["conference_room"]["name"] == "coffee_cafe"
        assert room["project_id"] in text
        [token] = set(re.findall(r"PT[0-9a-f]{48}", text))
    with serving(tmp_path / "server", **NOTHING_SET) as again:
        text = again.log.read_text()
        assert room["project_id"] in text
        assert token not in text
        with httpx.Client(base_url=again.origin, auth=(room["project_id"], token), timeout=PATIENCE_S) as client:
            names = {room["conference_room"]["name"] for room in client.get(ROOMS).json()["data"]}
            assert names == {"first-room", "coffee_cafe"}


async def moderates(server: RunningServer, link: str) -> bool:
    """Whether a link to a room's page opens it to a moderator."""
    page, _, token = link.partition("#")
    origin, _, name = page.rpartition("/rooms/")
    assert origin == server.origin
    async with server.async_client() as client:
        assert (await client.get(page)).status_code == 200
    await until(lambda: has_worker(server))
    async with caller(server, f"/public/{name}?channel=video", token) as one:
        await one.join()
        assert one.seat is not None
        return bool((await one.seat.act("lock"))["code"] == "200")


async def test_the_first_start_that_succeeds_prints_a_token_and_a_way_into_a_room(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the bus is not available"):
        spawn(tmp_path / "server", arguments=(), **NOTHING_SET, PARLOUR_NATS_URL="nats://127.0.0.1:1")
    with serving(tmp_path / "server", **NOTHING_SET) as server:
        wait_until(lambda: "Create a room" in server.log.read_text())
        text = server.log.read_text()
        assert re.search(r"API token   PT[0-9a-f]{48}$", text, re.MULTILINE), text
        [link] = re.findall(r"^  (\S+/rooms/first-room#\S+)$", text, re.MULTILINE)
        assert await moderates(server, link)


def test_it_says_why_it_cannot_start(tmp_path: Path, plain: RunningServer) -> None:
    cases: list[tuple[dict[str, str], str]] = [
        ({"PARLOUR_PORT": str(plain.port)}, "cannot listen on localhost port"),
        (
            {"PARLOUR_DATABASE_URL": "postgresql://postgres@127.0.0.1:1/x"},
            "cannot start: the database is not available",
        ),
        ({"PARLOUR_DATA_DIR": "/proc/nowhere"}, "cannot start"),
        ({"PARLOUR_PORT": "eighty"}, "PARLOUR_PORT"),
    ]
    for settings, words in cases:
        with pytest.raises(RuntimeError, match=words) as caught:
            spawn(tmp_path / "server", arguments=(), **settings)
        assert "Traceback" not in str(caught.value)


def test_tls(tmp_path: Path) -> None:
    import trustme

    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    for number, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(tmp_path / "cert.pem", append=number > 0)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with serving(
        tmp_path / "server",
        scheme="https",
        PARLOUR_TLS_CERT=str(tmp_path / "cert.pem"),
        PARLOUR_TLS_KEY=str(tmp_path / "key.pem"),
    ) as server:
        import ssl

        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        with server.client(verify=context) as client:
            links = client.get(ROOMS).json()["links"]
            assert links["self"].startswith(f"https://localhost:{server.port}/api/")


def test_the_module_runs_too() -> None:
    done = subprocess.run([sys.executable, "-m", "parlour", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("parlour ")
