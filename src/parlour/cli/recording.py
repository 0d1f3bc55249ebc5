"""``parlour recording``: recordings over the REST API."""

import re
import sys
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO
from urllib.parse import unquote

import typer

from parlour.cli.options import AsJson, Listing, Server, Yes, identifier, of, unfold
from parlour.cli.output import BrokenOff, Trouble, confirm, console, print_json, print_pairs, say
from parlour.cli.room import PERMISSIONS
from parlour.cli.session import PATH as SESSIONS
from parlour.cli.session import length_of, time_of

if TYPE_CHECKING:
    import httpx

    from parlour.cli.client import Api

PATH = "/api/video/room_recordings"
COLUMNS = {"ID": 36, "Status": 10, "Started (UTC)": 16, "Length": None}
TRIES = 5
"""How often a download is taken up again that breaks off."""
_FILE_NAME = re.compile(r"filename\*=UTF-8''([^;]{1,600})")
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\]+")

app = typer.Typer(help="Record sessions; list, show, download and delete recordings.", no_args_is_help=True)

Id = Annotated[str, identifier("recording")]


@app.command("list")
@unfold
def list_recordings(
    listing: Listing,
    session: Annotated[str | None, of("session")] = None,
    *,
    server: Server,
) -> None:
    """List recordings, the newest first."""
    path = PATH if session is None else f"{SESSIONS}/{session}/recordings"
    thing = None if session is None else f"session {session}"
    with _api(server) as api:
        listing.show(lambda size: api.walk(path, size, thing), COLUMNS, _row, "There are no recordings yet.")


@app.command("show")
@unfold
def show(recording_id: Id, as_json: AsJson = False, *, server: Server) -> None:
    """Show a recording, with a link to its file that is good for 15 minutes."""
    with _api(server) as api:
        _print(api.get(*_one(recording_id)), as_json)


@app.command("start")
@unfold
def start(session_id: Annotated[str, identifier("session")], as_json: AsJson = False, *, server: Server) -> None:
    """Start to record a session that goes on. Everybody in it sees that it is recorded."""
    with _api(server) as api:
        _print(api.post(f"{SESSIONS}/{session_id}/recordings", {}, f"session {session_id} that goes on"), as_json)


def _changing(action: str, what: str) -> Callable[..., None]:
    def change(recording_id: Id, as_json: AsJson = False, *, server: Server) -> None:
        path, thing = _one(recording_id)
        with _api(server) as api:
            session = api.get(path, thing).get("room_session_id")
            path = f"{SESSIONS}/{session}/recordings/{recording_id}"
            _print(api.put(path, {"action": action}, f"{thing} that goes on"), as_json)

    change.__doc__ = what
    return unfold(change)


app.command("pause")(_changing("pause", "Pause a recording that goes on."))
app.command("resume")(_changing("resume", "Go on with a recording that is paused."))
app.command("stop")(_changing("stop", "Stop a recording. Its file is there a moment later."))


@app.command("download")
@unfold
def download(
    recording_id: Id,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write it; - for standard output. By default a"
            " file in this folder, named after the room and the time.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    *,
    server: Server,
) -> None:
    """Download a recording's file. A connection that breaks off is taken up again."""
    with _api(server) as api, ExitStack() as stack:
        if output == Path("-"):
            _fetch(api, recording_id, lambda _: sys.stdout.buffer)
            return
        target = output or Path()

        def begin(answer: "httpx.Response") -> BinaryIO:
            nonlocal target
            target = output or Path(_name_of(answer, recording_id))
            if target.exists() and not force:
                raise Trouble(f"{target} is there already: --force replaces it, --output names another file.")
            stack.callback(_part(target).unlink, missing_ok=True)
            return stack.enter_context(_part(target).open("wb"))

        try:
            _fetch(api, recording_id, begin)
            _part(target).replace(target)
        except OSError as error:
            raise Trouble(f"{error.filename or target} cannot be written: {error.strerror}.") from None
    console.print(str(target), soft_wrap=True, markup=False)


@app.command("delete")
@unfold
def delete(recording_id: Id, yes: Yes = False, *, server: Server) -> None:
    """Delete a recording and its file."""
    path, thing = _one(recording_id)
    with _api(server) as api:
        if not yes:
            confirm(
                lambda: f"Delete the recording of {time_of(api.get(path, thing).get('started_at'))} ({recording_id})?"
            )
        api.delete(path, thing)
    console.print(f"Deleted {recording_id}.", soft_wrap=True)


def _fetch(api: "Api", recording_id: str, begin: "Callable[[httpx.Response], BinaryIO]") -> None:
    """Write a recording's file to what ``begin`` opens for the first answer, from where an earlier try broke off."""
    path, thing = _one(recording_id)
    file: BinaryIO | None = None
    done, etag, tries = 0, "", TRIES
    while True:
        recording = api.get(path, thing)
        if not recording.get("uri"):
            raise Trouble(_no_file(recording))
        rest = {"Range": f"bytes={done}-", "If-Range": etag} if done else {}
        try:
            with api.download(recording["uri"], f"file of the {thing}", rest) as answer:
                if done and answer.status_code != HTTPStatus.PARTIAL_CONTENT:
                    raise Trouble("The file has changed while it was downloaded: start again.")
                etag = answer.headers.get("etag", "")
                file = file or begin(answer)
                for piece in answer.iter_raw():
                    file.write(piece)
                    done += len(piece)
                file.flush()
        except BrokenOff:
            tries -= 1
            if not tries:
                raise
            say("The connection broke off; taking it up again.")
        else:
            return


def _api(server: Server) -> "Api":
    return server.api(PERMISSIONS)


def _one(recording_id: str) -> tuple[str, str]:
    return f"{PATH}/{recording_id}", f"recording {recording_id}"


def _no_file(recording: dict[str, Any]) -> str:
    if recording.get("status") == "completed":
        return f"This recording has no file: {recording.get('reason') or 'nothing was recorded.'}"
    return f"This recording has no file yet: it is {recording.get('status')}."


def _part(target: Path) -> Path:
    """Where a file is written until it is whole."""
    return target.with_name(f"{target.name}.part")


def _name_of(answer: "httpx.Response", recording_id: str) -> str:
    """The name that the server gives the file, harmless whatever it says."""
    found = _FILE_NAME.search(answer.headers.get("content-disposition", ""))
    name = _UNFIT.sub("_", unquote(found[1])).strip(" .") if found else ""
    return name or f"{recording_id}.mp4"


def _began(recording: dict[str, Any]) -> str | None:
    return time_of(recording.get("started_at"))


def _row(recording: dict[str, Any]) -> list[Any]:
    length = length_of(recording.get("duration"))
    return [recording.get("id"), recording.get("status"), _began(recording), length or recording.get("reason")]


def _print(recording: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(recording)
    else:
        print_pairs(recording)
