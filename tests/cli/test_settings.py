"""``parlour settings``, and settings that make no sense."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from dotenv import dotenv_values

from parlour.cli.process import told_ice_servers
from parlour.domain.ticket import Bearer, Ticket
from parlour.domain.turn import LIFE_S
from parlour.settings import Settings, load_settings
from tests.cli.conftest import Parlour
from tests.support.waiting import PATIENCE_S


def test_each_setting_is_shown(nowhere: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_PORT", "9000")
    shown = {item["name"]: item for item in nowhere.ok("settings", "--json").json}
    assert set(shown) == {f"PARLOUR_{name.upper()}" for name in Settings.model_fields}
    assert (shown["PARLOUR_PORT"]["default"], shown["PARLOUR_PORT"]["value"]) == ("8080", "9000")
    assert all(item["meaning"] for item in shown.values())
    table = nowhere.ok("settings").out
    assert all(name in table for name in shown)
    assert "9000" in table


def test_secrets_are_not_shown(nowhere: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_API_TOKEN", "PTsecretsecretsecret")
    monkeypatch.setenv("PARLOUR_TURN_URLS", "turn:turn.example.com")
    monkeypatch.setenv("PARLOUR_TURN_SECRET", "secretsecret")
    monkeypatch.setenv("PARLOUR_DATABASE_URL", "postgresql://user:geheim@db.example.com/rooms")
    for arguments in (["--json"], [], ["--sample"]):
        said = nowhere.ok("settings", *arguments).out
        assert "secretsecret" not in said
        assert "geheim" not in said
    values = {item["name"]: item["value"] for item in nowhere.ok("settings", "--json").json}
    assert values["PARLOUR_DATABASE_URL"] == "postgresql://user:********@db.example.com/rooms"


def test_the_sample_is_a_file_that_changes_nothing(nowhere: Parlour) -> None:
    sample = nowhere.ok("settings", "--sample").out
    assert "\n# PARLOUR_PORT=8080\n" in sample
    before = nowhere.ok("settings", "--json").json
    Path(".env").write_text(sample)
    assert nowhere.ok("settings", "--json").json == before
    Path(".env").write_text(sample.replace("# PARLOUR_", "PARLOUR_"))
    assert set(dotenv_values(".env")) == {item["name"] for item in before}
    assert nowhere.ok("settings", "--json").json == before


def test_the_env_file_counts_and_the_environment_more(nowhere: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PARLOUR_PORT=9001\nPARLOUR_LOG_LEVEL=debug\nOTHER=1\n")
    monkeypatch.setenv("PARLOUR_LOG_LEVEL", "error")
    values = {item["name"]: item["value"] for item in nowhere.ok("settings", "--json").json}
    assert (values["PARLOUR_PORT"], values["PARLOUR_LOG_LEVEL"]) == ("9001", "error")


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_an_unknown_name_suggests_the_near_one(nowhere: Parlour, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    if where == ".env":
        Path(".env").write_text("PARLOUR_DATABSE_URL=sqlite:///x\n")
    else:
        monkeypatch.setenv("PARLOUR_DATABSE_URL", "sqlite:///x")
    said = nowhere.trouble("settings")
    assert said == "PARLOUR_DATABSE_URL is not a setting. Did you mean PARLOUR_DATABASE_URL?\n"


def test_an_unknown_name_near_none(nowhere: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_XYZZY", "1")
    assert nowhere.trouble("settings") == "PARLOUR_XYZZY is not a setting. `parlour settings` lists them.\n"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "http", "PARLOUR_PORT: input should be a valid integer"),
        ("PORT", "65536", "PARLOUR_PORT: input should be less than or equal to 65535"),
        ("SEAT_GRACE", "4", "PARLOUR_SEAT_GRACE: input should be greater than or equal to 5"),
        ("SEAT_GRACE", "601", "PARLOUR_SEAT_GRACE: input should be less than or equal to 600"),
        ("PUBLIC_URL", "rooms.example.com", "PARLOUR_PUBLIC_URL: must be an origin"),
        ("DATABASE_URL", "mysql://host/name", "PARLOUR_DATABASE_URL: mysql is not supported"),
        ("DATABASE_URL", "sqlite://", "PARLOUR_DATABASE_URL: SQLite needs a file"),
        ("STORAGE_URL", "ftp://host", "PARLOUR_STORAGE_URL: must be a URL that begins with"),
        ("API_TOKEN", "short", "PARLOUR_API_TOKEN: must be 16 to 200"),
        ("TLS_CERT", "cert.pem", "PARLOUR_TLS_CERT and PARLOUR_TLS_KEY go together"),
        ("LOG_LEVEL", "loud", "PARLOUR_LOG_LEVEL: "),
        ("PUBLIC_IP", "rooms.example.com", "PARLOUR_PUBLIC_IP: rooms.example.com is not an IP address"),
        ("PUBLIC_IP", "192.0.2.1, 0.0.0.0", "PARLOUR_PUBLIC_IP: 0.0.0.0 is not an address that a client can send to"),
        ("STUN_URLS", "stun.example.com", "PARLOUR_STUN_URLS: stun.example.com is not like stun:host:3478"),
        ("STUN_URLS", "turn:t.example.com", "PARLOUR_STUN_URLS: turn:t.example.com is not like stun:host:3478"),
        ("TURN_URLS", "turn:t.example.com", "PARLOUR_TURN_URLS and PARLOUR_TURN_SECRET go together"),
        ("TURN_SECRET", "shared", "PARLOUR_TURN_URLS and PARLOUR_TURN_SECRET go together"),
    ],
)
def test_a_value_that_makes_no_sense(
    nowhere: Parlour, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"PARLOUR_{name}", value)
    assert nowhere.trouble("settings").lower().startswith(said.lower())


@pytest.mark.parametrize("name", ["UDP_PORT", "ICE_TCP_PORT"])
def test_the_ports_last_for_the_workers(nowhere: Parlour, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("PARLOUR_WORKERS", "4")
    monkeypatch.setenv(f"PARLOUR_{name}", "65533")
    said = nowhere.trouble("settings")
    assert said == f"PARLOUR_{name}: 4 workers from 65533 on need ports beyond 65535.\n"
    monkeypatch.setenv(f"PARLOUR_{name}", "65532")
    nowhere.ok("settings")


def test_what_clients_are_told_of_stun_and_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = Ticket("t1", UUID(int=1), Bearer.GUEST, 0, 1)
    assert told_ice_servers(load_settings(), ticket, 1000) == []
    monkeypatch.setenv("PARLOUR_STUN_URLS", "stun:one.example.com, stuns:two.example.com:5349")
    monkeypatch.setenv("PARLOUR_TURN_URLS", "turn:[2001:db8::1]:3478?transport=udp")
    monkeypatch.setenv("PARLOUR_TURN_SECRET", "shared")
    stun, turn = told_ice_servers(load_settings(), ticket, 1000)
    assert stun == {"urls": ["stun:one.example.com", "stuns:two.example.com:5349"]}
    assert turn["urls"] == ["turn:[2001:db8::1]:3478?transport=udp"]
    assert turn["username"] == f"{1000 + LIFE_S}:t1"


def test_every_complaint_is_made_at_once(nowhere: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PORT", "x"), ("LOG_LEVEL", "loud"), ("PROT", "1")):
        monkeypatch.setenv(f"PARLOUR_{name}", value)
    assert len(nowhere.trouble("settings").splitlines()) == 3


def test_serve_does_not_start_with_it(nowhere: Parlour, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "parlour", "serve"],
        env=os.environ | {"PARLOUR_PORT": "http", "PARLOUR_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("PARLOUR_PORT: ")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()
