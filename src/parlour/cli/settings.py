"""``parlour settings``: each setting, its value and its meaning."""

from typing import Any

import typer
from pydantic import SecretStr
from rich.table import Table

from parlour.cli.output import console, print_json
from parlour.settings import PREFIX, Settings, load_settings


def show(
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
    sample: bool = typer.Option(False, "--sample", help="Print a .env file with every setting, commented out."),
) -> None:
    """Print every setting with its default, its value now, and what it means."""
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
        table = Table("Setting", "Default", "Now", "Meaning", box=None, pad_edge=False)
        for name, default, value, meaning in rows:
            table.add_row(name, default, value if value == default else f"[bold]{value}[/bold]", meaning)
        console.print(table)


def _spell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return "********" if isinstance(value, SecretStr) else str(value)
