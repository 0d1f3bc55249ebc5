"""``parlour room link``: a link to a room's page, with the way in."""

import time
from typing import Annotated

import typer

from parlour.cli.options import Server, unfold
from parlour.cli.output import Trouble
from parlour.cli.room import PERMISSIONS

HOURS_MAX = 30 * 24


@unfold
def link(
    name: Annotated[str, typer.Argument(metavar="ADDRESS", help="The last part of the room's address.")],
    moderator: Annotated[bool, typer.Option("--moderator", help="Let the holder moderate the room.")] = False,
    hours: Annotated[int, typer.Option(min=1, max=HOURS_MAX, metavar="N", help="How long the link is good for.")] = 2,
    *,
    server: Server,
) -> None:
    """Print a link that lets people into a room. Whoever holds it gets in: pass it on with care."""
    with server.api(PERMISSIONS) as api:
        address = next(api.walk("/api/fabric/addresses", 1, name=name, type="room"), None)
        if address is None:
            raise Trouble(f"There is no room at /public/{name}.")
        body = {"address_id": address["id"], "moderator": moderator, "expires_at": int(time.time()) + hours * 3600}
        token = api.post("/api/fabric/subscriber/invites", body)["token"]
        typer.echo(f"{api.origin}/rooms/{address['name']}#{token}")
