"""``parlour token``: API tokens over the REST API."""

from typing import TYPE_CHECKING, Annotated

import typer

from parlour.cli.options import AsJson, Listing, Server, Yes, identifier, unfold
from parlour.cli.output import confirm, console, print_json, print_pairs, say
from parlour.domain.token import Permission

if TYPE_CHECKING:
    from parlour.cli.client import Api

PATH = "/api/project/tokens"
COLUMNS = {"ID": 36, "Token": 7, "Name": 14, "May": None}

app = typer.Typer(help="Create, list and revoke API tokens.", no_args_is_help=True)


@app.command("create")
@unfold
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the token is for.", show_default=False)],
    permission: Annotated[
        list[Permission],
        typer.Option(
            metavar="NAME", help=f"What it may do; repeat for more. One of {', '.join(Permission)}.", show_default=False
        ),
    ],
    as_json: AsJson = False,
    *,
    server: Server,
) -> None:
    """Create an API token and print it, this once."""
    with _api(server) as api:
        token = api.post(PATH, {"name": name, "permissions": [item.value for item in permission]})
    if as_json:
        print_json(token)
    else:
        pairs = {"ID": "id", "Name": "name", "Token": "token", "May": "permissions", "Created": "created_at"}
        print_pairs({label: token.get(key) for label, key in pairs.items()})
    say("The token is shown this once: keep it.")


@app.command("list")
@unfold
def list_tokens(listing: Listing, server: Server) -> None:
    """List API tokens, the newest first."""
    with _api(server) as api:
        listing.show(
            lambda size: api.walk(PATH, size),
            COLUMNS,
            lambda token: [token.get(key) for key in ("id", "token", "name", "permissions")],
            "There are no tokens.",
        )


@app.command("revoke")
@unfold
def revoke(
    token_id: Annotated[str, identifier("token")],
    yes: Yes = False,
    *,
    server: Server,
) -> None:
    """Revoke an API token: requests with it are refused from then on."""
    path, thing = f"{PATH}/{token_id}", f"token {token_id}"
    with _api(server) as api:
        if not yes:
            confirm(lambda: f"Revoke the token {api.get(path, thing).get('name')} ({token_id})?")
        api.delete(path, thing)
    console.print(f"Revoked {token_id}.", soft_wrap=True)


def _api(server: Server) -> "Api":
    return server.api("the permission management")
