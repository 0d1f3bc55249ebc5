"""Schemathesis against the running server: what the API document says holds for thousands of requests.

Every phase and every check is on. What is set apart, and why:

- NUL (``allow-x00``) is not generated. PostgreSQL cannot keep it, so it is refused everywhere; the patterns of the
  document say so, except for what lies deep inside ``meta``, where a pattern does not reach.
- Credentials are given (``--auth``), not generated: a request made to lack them would be given them back and then be
  reported as wrongly accepted. That they are needed is still checked, by the check ``ignored_auth``.
- Rules between the parts of a request, which no schema can say, are kept for it by ``schemathesis_hooks.py``; so is a
  supply of things to ask for.
- The routes for joining (tokens, invites, embeds, subscribers, the directory) are left out: their requests name things
  and tokens that only other requests give, and neither the document's links nor the hooks lead there yet.
- Nothing in the document leads to ``DELETE /api/fabric/resources/{id}``: after it, the check for lost resources would
  miss a room that was deleted by its other path. It is given one room that it may delete.
"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.server import RunningServer, serving

ROOT = Path(__file__).parents[2]
LONGEST_S = 240
JOINING = r"^/api/fabric/(addresses|embeds|guests|subscribers?|resources/subscribers)(/|$)"


def attack(server: RunningServer, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Schemathesis over everything that the server describes; report below ``folder``."""
    with server.client() as client:
        room, spare = (
            client.post(
                "/api/fabric/resources/conference_rooms", json={"name": "here", "enable_room_previews": True}
            ).json()
            for _ in range(2)
        )
        token = client.post("/api/project/tokens", json={"name": "here", "permissions": ["video"]}).json()
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.origin}/openapi.json"),
        *("--auth", f"{server.project}:{server.token}"),
        *("--phases", "examples,coverage,fuzzing,stateful"),
        *("--checks", "all"),
        *("--exclude-path-regex", JOINING),
        *("--max-examples", "100"),
        *("--seed", "20"),
        *("--generation-database", "none"),
        *("--generation-allow-x00", "false"),
        *("--generation-with-security-parameters", "false"),
        *("--request-timeout", "20"),
        *("--report", "ndjson", "--report-ndjson-path", str(folder / "report.ndjson")),
        "--continue-on-failure",
        "--no-color",
    ]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.contract.schemathesis_hooks",
        "EXISTING_ROOM": room["id"],
        "EXISTING_TOKEN": token["id"],
        "SPARE_ROOM": spare["id"],
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
def test_the_server_is_as_its_document_says(tmp_path: Path, database_url: str) -> None:
    with serving(tmp_path / "server", PARLOUR_DATABASE_URL=database_url, PARLOUR_ACCESS_LOG="0") as server:
        done = attack(server, tmp_path)
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]

        with server.client() as client:  # the attack has not locked itself out, so its answers count
            assert client.get("/api/fabric/resources/conference_rooms").status_code == 200
            paths = client.get("/openapi.json").json()["paths"]
        assert "Traceback" not in server.log.read_text()

    seen = answers(tmp_path / "report.ndjson")
    for path, operations in paths.items():
        if re.match(JOINING, path):
            continue
        for method in operations:
            statuses = seen[method.upper(), path]
            assert 401 in statuses, f"{method} {path} was never asked without credentials"
            assert statuses & {200, 204}, f"{method} {path} never worked"
            assert ("requestBody" in operations[method]) <= (422 in statuses), f"{method} {path} refused nothing"
