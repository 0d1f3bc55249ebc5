"""``parlour``: the commands and how they hang together."""

import io
import sys

import typer

from parlour import __version__
from parlour.cli import link, loadtest, recording, room, serve, session, settings, token
from parlour.cli.output import Trouble, fail
from parlour.settings import BadSetting

app = typer.Typer(
    name="parlour",
    help="Self-hosted video conference rooms.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve)
app.command("loadtest")(loadtest.loadtest)
app.command("settings")(settings.show)
room.app.command("link")(link.link)
app.add_typer(room.app, name="room")
app.add_typer(session.app, name="session")
app.add_typer(recording.app, name="recording")
app.add_typer(token.app, name="token")


@app.command()
def doctor() -> None:
    """Check this machine and the settings; say what to do."""
    from parlour.cli.doctor import examine  # a server's worth of imports, which the other commands do without

    examine()


@app.command()
def worker(number: int = typer.Option(0, min=0, help="Added to the first port of the settings.")) -> None:
    """Start a media worker apart; needs PARLOUR_NATS_URL."""
    from parlour.cli.worker import start  # as above
    from parlour.settings import load_settings

    start(load_settings(), number)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"parlour {__version__}\n")
        raise typer.Exit


@app.callback()
def main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Self-hosted video conference rooms."""


def run(arguments: list[str] | None = None) -> None:
    """Run the command line, by default with the process's arguments; what cannot be done ends it with a sentence."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a room's name may have letters that the terminal has not
    try:
        app(arguments)
    except BadSetting as error:
        fail(str(error))
    except Trouble as error:
        fail(str(error), error.code)
