"""``parlour settings``, and settings that make no sense."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from parlour.settings import Settings
from tests.cli.conftest import Parlour


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
        ("PUBLIC_URL", "rooms.example.com", "PARLOUR_PUBLIC_URL: must be an origin"),
        ("DATABASE_URL", "mysql://host/name", "PARLOUR_DATABASE_URL: mysql is not supported"),
        ("DATABASE_URL", "sqlite://", "PARLOUR_DATABASE_URL: SQLite needs a file"),
        ("STORAGE_URL", "ftp://host", "PARLOUR_STORAGE_URL: must be a URL that begins with"),
        ("API_TOKEN", "short", "PARLOUR_API_TOKEN: must be 16 to 200"),
        ("TLS_CERT", "cert.pem", "PARLOUR_TLS_CERT and PARLOUR_TLS_KEY go together"),
        ("LOG_LEVEL", "loud", "PARLOUR_LOG_LEVEL: "),
    ],
)
def test_a_value_that_makes_no_sense(
    nowhere: Parlour, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"PARLOUR_{name}", value)
    assert nowhere.trouble("settings").lower().startswith(said.lower())


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
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("PARLOUR_PORT: ")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()
