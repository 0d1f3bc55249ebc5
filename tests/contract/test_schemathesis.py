"""Schemathesis against the running server: what the API document says holds for thousands of requests.

Every phase and every check is on. What is set apart, and why:

- NUL (``allow-x00``) is not generated. PostgreSQL cannot keep it, so it is refused everywhere; the patterns of the
  document say so, except for what lies deep inside ``meta``, where a pattern does not reach.
- Credentials are given (``schemathesis.toml``), not generated: a request made to lack them would be given them back and
  then be reported as wrongly accepted. That they are needed is still checked, by the check ``ignored_auth``.
- Rules between the parts of a request, which no schema can say, are kept for it by ``schemathesis_hooks.py``; so is a
  supply of things to ask for: ids and tokens that there are, and a session that goes on.
- Whether a recording can be started, changed or deleted depends on what is being recorded: 422 is no surprise there.
- Nothing in the document leads to ``DELETE /api/fabric/resources/{id}``: after it, the check for lost resources would
  miss what was deleted by its other path. Like every route that deletes it is given one thing that it may delete.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.front.test_recordings import done
from tests.store.entries import Story
from tests.support.caller import somebody_in_a_room
from tests.support.history import tell
from tests.support.server import RunningServer, serving

ROOT = Path(__file__).parents[2]
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
LONGEST_S = 900
RESOURCES = "/api/fabric/resources"
ROOMS = f"{RESOURCES}/conference_rooms"
SUBSCRIBERS = f"{RESOURCES}/subscribers"
EMBEDS = "/api/fabric/embeds"
RECORDINGS = "/api/video/room_recordings"
TOKENS = "/api/project/tokens"


def supply(server: RunningServer, database_url: str, session: str) -> dict[str, dict[str, str]]:
    """Make what the requests may ask for: ``HERE``, what stays, by what it is; ``SPARE``, ids by what deletes them.

    ``session`` is one that goes on.
    """

    def make(path: str, **body: object) -> dict[str, str]:
        made: dict[str, str] = client.post(path, json=body).raise_for_status().json()
        return made

    def room() -> str:
        return make(ROOMS, name="here", enable_room_previews=True)["id"]

    def embed() -> dict[str, str]:
        return make(EMBEDS, address_id=address)

    def api_token() -> str:
        return make(TOKENS, name="here", permissions=["video"])["id"]

    story = Story()
    recording, doomed = (done(story, number) for number in (5, 6))
    tell(database_url, [story.started(), *(story.recorded(one, 9.0) for one in (recording, doomed)), story.ended(9.0)])
    with server.client() as client:
        own_token = client.get(TOKENS).raise_for_status().json()["data"][0]["id"]
        meeting = room()
        address = client.get(f"{ROOMS}/{meeting}/addresses").json()["data"][0]["id"]
        person = make("/api/fabric/subscribers/tokens", reference="here@example.com")
        embedded = embed()
        here = {
            "room": meeting,
            "address": address,
            "subscriber": person["subscriber_id"],
            "join_token": person["token"],
            "refresh_token": person["refresh_token"],
            "embed": embedded["id"],
            "embed_token": embedded["token"],
            "api_token": api_token(),
            "own_token": own_token,
            "session": session,
            "recording": recording.id,
        }
        spare = {
            f"{ROOMS}/{{id}}": room(),
            f"{RESOURCES}/{{id}}": room(),
            f"{SUBSCRIBERS}/{{id}}": make(SUBSCRIBERS, email="spare@example.com")["id"],
            f"{EMBEDS}/{{id}}": embed()["id"],
            f"{TOKENS}/{{id}}": api_token(),
            f"{RECORDINGS}/{{id}}": doomed.id,
        }
    return {"HERE": here, "SPARE": spare}


def attack(server: RunningServer, database_url: str, session: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Schemathesis over everything that the server describes; report below ``folder``."""
    supplied = supply(server, database_url, session)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)),
        *("run", f"{server.origin}/openapi.json"),
        *("--phases", "examples,coverage,fuzzing,stateful"),
        *("--checks", "all"),
        *("--seed", "20"),
        *("--generation-database", "none"),
        *("--generation-allow-x00", "false"),
        *("--generation-with-security-parameters", "false"),
        *("--request-timeout", "60"),
        *("--report", "ndjson", "--report-ndjson-path", str(folder / "report.ndjson")),
        "--continue-on-failure",
        "--no-color",
    ]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.contract.schemathesis_hooks",
        "PROJECT": server.project,
        "API_TOKEN": server.token,
        "JOIN_TOKEN": supplied["HERE"]["join_token"],
        **{name: json.dumps(things) for name, things in supplied.items()},
    }
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, check=False, text=True, timeout=LONGEST_S
    )


def answers(report: Path) -> dict[tuple[str, str], set[int]]:
    """The statuses that each operation was seen to answer."""
    seen = defaultdict(set)
    for line in report.read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for name, interaction in recorder.get("interactions", {}).items():
            case = recorder["cases"][name]["value"]
            if interaction["response"]:
                seen[case["method"], case["path"]].add(interaction["response"]["status_code"])
    return seen


@pytest.mark.slow
@pytest.mark.timeout(LONGEST_S + 100)
def test_the_server_is_as_its_document_says(tmp_path: Path, database_url: str) -> None:
    settings = {"PARLOUR_DATABASE_URL": database_url, "PARLOUR_ACCESS_LOG": "0"}
    with serving(tmp_path / "server", **settings) as server, somebody_in_a_room(server) as session:
        ended = attack(server, database_url, session, tmp_path)
        assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2_000:]

        with server.client() as client:  # the attack has not locked itself out, so its answers count
            assert client.get(ROOMS).status_code == 200
            paths = client.get("/openapi.json").json()["paths"]
        assert "Traceback" not in server.log.read_text()

    seen = answers(tmp_path / "report.ndjson")
    for path, operations in paths.items():
        for method, operation in operations.items():
            statuses = seen[method.upper(), path]
            assert bool(operation["security"]) == (401 in statuses), f"{method} {path}: who was let in?"
            assert statuses & {200, 201, 204}, f"{method} {path} never worked"
            assert ("requestBody" in operation) <= (422 in statuses), f"{method} {path} refused nothing"
