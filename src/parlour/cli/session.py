"""``parlour session``: what goes on in the rooms, and what went on, over the REST API."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parlour.cli.options import AsJson, Listing, Server, identifier, unfold
from parlour.cli.output import console, print_json, print_pairs, print_rows
from parlour.cli.room import PERMISSIONS

if TYPE_CHECKING:
    from parlour.cli.client import Api

PATH = "/api/video/room_sessions"
COLUMNS = {"ID": 36, "Room": None, "Status": 11, "Started (UTC)": 16}
MEMBERS = {"Member": None, "Came (UTC)": 16, "Left (UTC)": 16, "Stayed": 8}

app = typer.Typer(help="List and show sessions: who was in a room, and when.", no_args_is_help=True)


class Status(StrEnum):
    """Whether a session goes on."""

    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"


@app.command("list")
@unfold
def list_sessions(
    listing: Listing,
    status: Annotated[Status | None, typer.Option(help="Only those that go on, or only those that are over.")] = None,
    room: Annotated[str | None, typer.Option(metavar="NAME", help="Only those of rooms of this name.")] = None,
    *,
    server: Server,
) -> None:
    """List sessions, the newest first."""
    filters = {"status": status and status.value, "room_name": room}
    given = {name: value for name, value in filters.items() if value is not None}
    with _api(server) as api:
        listing.show(lambda size: api.walk(PATH, size, **given), COLUMNS, _row, "There were no sessions yet.")


@app.command("show")
@unfold
def show(session_id: Annotated[str, identifier("session")], as_json: AsJson = False, *, server: Server) -> None:
    """Show a session and who was in it."""
    path = f"{PATH}/{session_id}"
    with _api(server) as api:
        session = api.get(path, f"session {session_id}")
        if as_json:
            print_json(session)
            return
        print_pairs(session)
        console.print()
        print_rows(MEMBERS, map(_member, api.walk(f"{path}/members", 100)))


def time_of(moment: Any) -> str | None:
    """A moment to the minute; ``None`` where there is none."""
    return str(moment)[:16].replace("T", " ") if moment else None


def length_of(seconds: Any) -> str | None:
    """Seconds as hours, minutes and seconds; ``None`` where there are none."""
    if not isinstance(seconds, int):
        return None
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _api(server: Server) -> "Api":
    return server.api(PERMISSIONS)


def _row(session: dict[str, Any]) -> list[Any]:
    return [*(session.get(key) for key in ("id", "name", "status")), time_of(session.get("start_time"))]


def _member(member: dict[str, Any]) -> list[Any]:
    shared = "" if member.get("type") == "member" else f" ({member.get('type')})"
    times = [time_of(member.get(key)) for key in ("join_time", "leave_time")]
    return [f"{member.get('name') or '-'}{shared}", *times, length_of(member.get("duration"))]
