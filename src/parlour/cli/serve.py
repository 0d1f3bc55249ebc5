"""``parlour serve``."""

from pathlib import Path

import typer

from parlour.settings import load_settings


def serve(
    host: str | None = typer.Option(None, help="Name or address to listen on; else PARLOUR_HOST."),
    port: int | None = typer.Option(None, min=0, max=65535, help="TCP port; else PARLOUR_PORT."),
    data_dir: Path | None = typer.Option(None, help="Folder of everything that is kept; else PARLOUR_DATA_DIR."),
) -> None:
    """Start the server. Ctrl-C or SIGTERM ends it once the requests in flight are answered."""
    from parlour.cli.process import start  # a server's worth of imports, which the other commands do without

    given = {"host": host, "port": port, "data_dir": data_dir}
    start(load_settings(**{name: value for name, value in given.items() if value is not None}))
