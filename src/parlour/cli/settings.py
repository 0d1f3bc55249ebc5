"""``parlour settings``: each setting, its value and its meaning."""

import re
from typing import Any

import typer
from pydantic import SecretStr
from rich.table import Table
from rich.text import Text

from parlour.cli.output import console, print_json
from parlour.settings import PREFIX, Settings, load_settings

HIDDEN = "********"
_PASSWORD = re.compile(r"(://[^/@]*?:)[^/]*@")
"""The password in a URL."""


def show(
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
    sample: bool = typer.Option(False, "--sample", help="Print a .env file with every setting, commented out."),
) -> None:
    """Print every setting: default, value now, meaning."""
    settings = load_settings()
    rows = [
        (PREFIX + name.upper(), _spell(field.default), _spell(getattr(settings, name)), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    if as_json:
        print_json([dict(zip(("name", "default", "value", "meaning"), row, strict=True)) for row in rows])
    elif sample:
        for name, default, _, meaning in rows:
            typer.echo(f"# {meaning}\n# {name}={default}\n")
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("Setting", "Default", "Now", "Meaning"):
            table.add_column(heading, overflow="fold")
        for name, default, value, meaning in rows:
            table.add_row(name, default, Text(value, style="" if value == default else "bold"), Text(meaning))
        console.print(table)


def _spell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return HIDDEN if isinstance(value, SecretStr) else _PASSWORD.sub(rf"\1{HIDDEN}@", str(value))
