"""Where the server is, who asks, and everything that can go wrong on the way, for real."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from parlour.cli import client
from parlour.cli.client import origin_of
from tests.cli.conftest import Parlour, SecureServer, point_to, stranger
from tests.support.server import PROJECT, TOKEN, RunningServer, serving
from tests.support.waiting import PATIENCE_S, wait_until


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost", "http://localhost"),
        ("localhost:8080", "http://localhost:8080"),
        ("LOCALHOST:8080", "http://localhost:8080"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("[::1]", "http://[::1]"),
        ("127.0.0.2:8080", "https://127.0.0.2:8080"),
        ("rooms.example.com", "https://rooms.example.com"),
        ("localhost.example.com:8443", "https://localhost.example.com:8443"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("http://rooms.example.com/", "http://rooms.example.com"),
    ],
)
def test_the_scheme_is_that_of_the_official_sdk(host: str, origin: str) -> None:
    assert origin_of(host) == origin


@pytest.mark.parametrize(
    "host",
    ["", " ", "a b", "localhost:99999", "localhost:x", "ftp://localhost", "http://a/b", "a/b", "user@a", "a?b", "a#b"],
)
def test_what_is_no_host_is_a_usage_error(nowhere: Parlour, host: str) -> None:
    done = nowhere("room", "list", "--project", PROJECT, "--token", TOKEN, "--host", host)
    assert done.code == 2
    assert "must be a host" in done.err


def test_options_do_without_the_environment(nowhere: Parlour, shared_server: RunningServer) -> None:
    who = ["--project", PROJECT, "--token", TOKEN, "--host", f"127.0.0.1:{shared_server.port}"]
    assert nowhere.ok("room", "create", "coffee", *who).pairs["name"] == "coffee"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Give --project and --token, or set SIGNALWIRE_PROJECT_ID and SIGNALWIRE_API_TOKEN."),
        (["--project", PROJECT], "Give --token, or set SIGNALWIRE_API_TOKEN."),
        (["--token", TOKEN], "Give --project, or set SIGNALWIRE_PROJECT_ID."),
        (["--token", TOKEN, "--project", ""], "Give --project, or set SIGNALWIRE_PROJECT_ID."),
    ],
)
def test_missing_credentials(nowhere: Parlour, words: list[str], said: str) -> None:
    assert said in nowhere.trouble("room", "list", *words)


def test_wrong_credentials(parlour: Parlour) -> None:
    said = parlour.trouble("room", "list", "--token", "PTwrong")
    assert "does not accept the project ID and API token" in said
    assert "PTwrong" not in said


def test_every_problem_has_a_line(parlour: Parlour) -> None:
    said = parlour.trouble("room", "create", "x" * 101, "--max-members", "301", "--join-from", "soon")
    first, *problems = said.splitlines()
    assert first == "The server refuses this:"
    assert [problem.split()[0] for problem in problems] == ["join_from", "max_members", "name"]
    assert problems[1] == "  max_members must be at most 300"


def test_nobody_listens(parlour: Parlour) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    assert f"Nothing answers at http://{host}: connection refused." in parlour.trouble("room", "list", "--host", host)


def test_no_such_host(parlour: Parlour) -> None:
    assert "Nothing answers at https://parlour.invalid: " in parlour.trouble(
        "room", "list", "--host", "parlour.invalid"
    )


def test_silence(parlour: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_S", 0.2)
    with stranger(None) as host:
        assert f"http://{host} did not answer within" in parlour.trouble("room", "list", "--host", host)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "broke off without an answer"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>", "not as Parlour does"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "not as Parlour does"),
        (b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n", "not as Parlour does"),
        (b"HTTP/1.1 422 Unprocessable\r\nConnection: close\r\n\r\n?", "it does not say why"),
        (b"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\n\r\n", "refuses this: 429 Too Many Requests."),
        (b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n", "could not do it: 502 Bad Gateway."),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: https://rooms.example.com/x\r\nConnection: close\r\n\r\n",
            "points to https://rooms.example.com/x",
        ),
    ],
)
def test_something_else_answers(parlour: Parlour, answer: bytes, said: str) -> None:
    with stranger(answer) as host:
        assert said in parlour.trouble("room", "list", "--host", host)


def test_a_server_in_trouble_names_the_request(
    nowhere: Parlour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path / "server") as server:
        point_to(server, monkeypatch)
        nowhere.ok("room", "list")
        for file in (tmp_path / "server" / "data").glob("parlour.sqlite3*"):
            file.unlink()
        said = nowhere.trouble("room", "list")
        server.terminate()
        server.process.wait(PATIENCE_S)  # now its log is complete
        assert "could not do it: 503 Service Unavailable. Try again in a moment." in said
        request_id = said.split()[-1].rstrip(".")
        lines = [line for line in server.log.read_text().splitlines() if request_id in line]
        assert " 503 " in lines[-1]


class TestTls:
    """A server with a certificate of a private CA."""

    @pytest.fixture(autouse=True)
    def _point(self, nowhere: Parlour, secure: SecureServer, monkeypatch: pytest.MonkeyPatch) -> None:
        point_to(secure.server, monkeypatch)

    def test_a_private_ca(self, nowhere: Parlour, secure: SecureServer, monkeypatch: pytest.MonkeyPatch) -> None:
        arguments = ["room", "list", "--host", secure.server.origin]
        assert nowhere.ok(*arguments, "--ca-file", secure.ca_file).code == 0
        monkeypatch.setenv("SIGNALWIRE_REST_CA_FILE", secure.ca_file)
        assert nowhere.ok(*arguments).code == 0

    def test_an_unknown_ca(self, nowhere: Parlour, secure: SecureServer) -> None:
        said = nowhere.trouble("room", "list", "--host", secure.server.origin)
        assert "is not to be trusted" in said
        assert "--ca-file" in said

    def test_a_certificate_of_another_name(self, nowhere: Parlour, secure: SecureServer) -> None:
        host = secure.server.origin.replace("localhost", "127.0.0.1")
        assert "is not to be trusted" in nowhere.trouble("room", "list", "--host", host, "--ca-file", secure.ca_file)

    def test_plain_http_to_https(self, nowhere: Parlour) -> None:
        assert "give --host with https://" in nowhere.trouble("room", "list")

    def test_https_to_plain_http(self, nowhere: Parlour, shared_server: RunningServer) -> None:
        said = nowhere.trouble("room", "list", "--host", f"https://localhost:{shared_server.port}")
        assert "begins with http://" in said


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read: No such file"), ("nothing", "is not a PEM file of certificates")]
)
def test_a_ca_file_that_is_none(parlour: Parlour, tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    assert said in parlour.trouble("room", "list", "--ca-file", str(tmp_path / "ca.pem"))


def test_a_proxy_is_asked_for_what_is_far_away_only(parlour: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    with stranger(b"HTTP/1.1 403 Not there\r\nConnection: close\r\n\r\n") as proxy:
        monkeypatch.setenv("ALL_PROXY", f"http://{proxy}")
        parlour.ok("room", "list")
        said = parlour.trouble("room", "list", "--host", "parlour.invalid")
        assert said == "The proxy on the way to https://parlour.invalid refuses: 403 Not there.\n"
    monkeypatch.setenv("ALL_PROXY", "carrier-pigeon://127.0.0.1:1")
    parlour.ok("room", "list")
    assert "A proxy that the environment names" in parlour.trouble("room", "list", "--host", "parlour.invalid")


def test_what_is_not_unicode(parlour: Parlour) -> None:
    assert "not valid Unicode" in parlour.trouble("room", "create", "a\udcff")
    assert "not valid Unicode" in parlour.trouble("room", "list", "--token", "a\udcff")


def test_an_interrupt_is_quiet(parlour: Parlour) -> None:
    with stranger(None) as host:
        process = subprocess.Popen(
            [sys.executable, "-m", "parlour", "room", "list", "--host", host],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        port = f":{int(host.rsplit(':', 1)[1]):04X} 01"
        wait_until(lambda: port in Path("/proc/net/tcp").read_text())
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, output) == (130, b"")
