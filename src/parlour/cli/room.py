"""``parlour room``: conference rooms over the REST API."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parlour.cli.options import AsJson, Listing, Server, Yes, identifier, unfold
from parlour.cli.output import confirm, console, print_json, print_pairs
from parlour.domain.room import Layout, Quality

if TYPE_CHECKING:
    from parlour.cli.client import Api

PATH = "/api/fabric/resources/conference_rooms"
PERMISSIONS = "one of the permissions video, calling, messaging and fax"
COLUMNS = {"ID": 36, "Name": None, "Max": 4, "Created": 10}
CLEARABLE = (
    "description",
    "join_from",
    "join_until",
    "remove_at",
    "remove_after_seconds_elapsed",
    "meta",
    "sync_audio_video",
)
"""The fields that can be null in the contract."""

app = typer.Typer(help="Create, list, show, update and delete rooms; make links to them.", no_args_is_help=True)


class Fps(StrEnum):
    """Frames a second."""

    TWENTY = "20"
    THIRTY = "30"


def _object(text: str | None) -> str | None:
    """Refuse what is no JSON object where it is given, not at the server."""
    if text is not None and _parse(text) is None:
        raise typer.BadParameter("""must be a JSON object such as '{"department": "sales"}'""")
    return text


def _parse(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _fields(names: list[str] | None) -> list[str]:
    wanted = [name.replace("-", "_") for name in names or []]
    if strange := [name for name in wanted if name not in CLEARABLE]:
        raise typer.BadParameter(f"{strange[0]} cannot be cleared; {', '.join(CLEARABLE)} can.")
    return wanted


Id = Annotated[str, identifier("room")]


@dataclass(frozen=True, slots=True)
class Fields:
    """The room's fields as options, named as in the API; ``None`` is what was not given."""

    display_name: Annotated[str | None, typer.Option(metavar="TEXT", help="The name as people read it.")] = None
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What the room is for.")] = None
    join_from: Annotated[
        str | None, typer.Option(metavar="TIME", help="From when people may join, such as 2026-05-06T12:00:00Z.")
    ] = None
    join_until: Annotated[str | None, typer.Option(metavar="TIME", help="Until when people may join.")] = None
    max_members: Annotated[
        int | None, typer.Option(metavar="N", help="How many may be in at once. 0: as many as the server lets in.")
    ] = None
    quality: Annotated[Quality | None, typer.Option(help="Size of the picture.")] = None
    remove_at: Annotated[str | None, typer.Option(metavar="TIME", help="When everybody is removed.")] = None
    remove_after_seconds_elapsed: Annotated[
        int | None, typer.Option(metavar="N", help="Seconds a member may stay. 0: without end.")
    ] = None
    layout: Annotated[
        Layout | None,
        typer.Option(metavar="LAYOUT", help=f"How the picture is laid out at the start: {', '.join(Layout)}."),
    ] = None
    record_on_start: Annotated[
        bool | None,
        typer.Option("--record-on-start/--no-record-on-start", help="Record each session from its start."),
    ] = None
    enable_room_previews: Annotated[
        bool | None, typer.Option("--previews/--no-previews", help="Offer a small moving picture of the session.")
    ] = None
    meta: Annotated[
        str | None, typer.Option(metavar="JSON", callback=_object, help="A JSON object of your own, given to members.")
    ] = None
    sync_audio_video: Annotated[
        bool | None,
        typer.Option("--sync-audio-video/--no-sync-audio-video", help="Align each sender's sound and picture."),
    ] = None
    tone_on_entry_and_exit: Annotated[
        bool | None,
        typer.Option(
            "--tone-on-entry-and-exit/--no-tone-on-entry-and-exit", help="Play a tone when somebody comes or goes."
        ),
    ] = None
    room_join_video_off: Annotated[
        bool | None,
        typer.Option(
            "--room-join-video-off/--no-room-join-video-off",
            help="Give members the room's picture only once they ask for it.",
        ),
    ] = None
    user_join_video_off: Annotated[
        bool | None,
        typer.Option("--user-join-video-off/--no-user-join-video-off", help="Let members join with their camera off."),
    ] = None
    fps: Annotated[Fps | None, typer.Option(help="Frames a second of the picture.")] = None
    prioritize_handraise: Annotated[
        bool | None,
        typer.Option("--prioritize-handraise/--no-prioritize-handraise", help="Show raised hands first."),
    ] = None

    def body(self) -> dict[str, Any]:
        """What was given, as the API takes it."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        if self.meta is not None:
            given["meta"] = _parse(self.meta)
        if self.fps is not None:
            given["fps"] = int(self.fps)
        return given


@app.command("create")
@unfold
def create(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The room's name. Need not be unique.", show_default=False)
    ],
    room: Fields,
    as_json: AsJson = False,
    *,
    server: Server,
) -> None:
    """Create a room. What is not given gets the API's default; there are no previews unless asked for."""
    with _api(server) as api:
        _print(api.post(PATH, {"name": name, "enable_room_previews": False, **room.body()}), as_json)


@app.command("list")
@unfold
def list_rooms(listing: Listing, server: Server) -> None:
    """List rooms, the newest first."""
    with _api(server) as api:
        listing.show(lambda size: api.walk(PATH, size), COLUMNS, _row, "There are no rooms yet.")


@app.command("show")
@unfold
def show(room_id: Id, as_json: AsJson = False, *, server: Server) -> None:
    """Show a room."""
    with _api(server) as api:
        _print(api.get(*_one(room_id)), as_json)


@app.command("update")
@unfold
def update(
    room_id: Id,
    room: Fields,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="Another name, and with it another address.")] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD", callback=_fields, help=f"Empty a field; repeat for more. One of {', '.join(CLEARABLE)}."
        ),
    ] = None,
    as_json: AsJson = False,
    *,
    server: Server,
) -> None:
    """Change a room. What is not given stays as it is."""
    given = room.body() | ({} if name is None else {"name": name})
    if both := [field for field in clear or [] if field in given]:
        raise typer.BadParameter(f"{both[0]} is given and cleared at once.")
    if not given and not clear:
        raise typer.BadParameter("Nothing to change: give at least one option.")
    path, thing = _one(room_id)
    with _api(server) as api:
        _print(api.put(path, given | dict.fromkeys(clear or []), thing), as_json)


@app.command("delete")
@unfold
def delete(room_id: Id, yes: Yes = False, *, server: Server) -> None:
    """Delete a room and its address."""
    path, thing = _one(room_id)
    with _api(server) as api:
        if not yes:
            confirm(lambda: f"Delete the room {_settings(api.get(path, thing)).get('name')} ({room_id})?")
        api.delete(path, thing)
    console.print(f"Deleted {room_id}.", soft_wrap=True)


def _api(server: Server) -> "Api":
    return server.api(PERMISSIONS)


def _one(room_id: str) -> tuple[str, str]:
    return f"{PATH}/{room_id}", f"room {room_id}"


def _settings(resource: dict[str, Any]) -> dict[str, Any]:
    settings = resource.get("conference_room")
    return settings if isinstance(settings, dict) else {}


def _row(resource: dict[str, Any]) -> list[Any]:
    settings = _settings(resource)
    created = str(resource.get("created_at", ""))[:10]
    return [resource.get("id"), *(settings.get(key) for key in ("name", "max_members")), created]


def _print(resource: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(resource)
        return
    pairs = {key: value for key, value in _settings(resource).items() if key != "id"}
    print_pairs({"id": resource.get("id"), **pairs, **{key: resource.get(key) for key in ("created_at", "updated_at")}})
