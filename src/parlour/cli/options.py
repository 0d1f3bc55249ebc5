"""Options that several commands share, declared once."""

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints
from uuid import UUID

import typer

from parlour.cli.output import print_json_array, print_rows, say

if TYPE_CHECKING:
    from parlour.cli.client import Api

PAGE_MAX = 100
"""Items that a list asks for at a time: few requests, yet never many items in memory."""

AsJson = Annotated[bool, typer.Option("--json", help="Print the API's JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def identifier(thing: str) -> Any:
    """The argument that names one ``thing`` by its ID, to annotate a ``str`` with."""
    words = f"The {thing}'s ID; `parlour {thing} list` shows it."
    return typer.Argument(metavar="ID", callback=_id_of(thing), show_default=False, help=words)


def of(thing: str) -> Any:
    """The option that names the ``thing`` that what is listed belongs to, to annotate a ``str | None`` with."""
    return typer.Option(metavar="ID", callback=_id_of(thing), help=f"Only those of this {thing}.")


def _id_of(thing: str) -> Callable[[str | None], str | None]:
    def check(text: str | None) -> str | None:
        try:
            return None if text is None else str(UUID(text))
        except ValueError:
            raise typer.BadParameter(f"{text} is no ID; `parlour {thing} list` shows them.") from None

    return check


def _origin(host: str) -> str:
    from parlour.cli.client import origin_of  # a client's worth of imports, which servers and workers do without

    try:
        return origin_of(host)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@dataclass(frozen=True, slots=True)
class Server:
    """Which server to ask, and in whose name."""

    project: Annotated[
        str | None,
        typer.Option(envvar="SIGNALWIRE_PROJECT_ID", help="Project ID.", metavar="ID"),
    ] = None
    token: Annotated[
        str | None,
        typer.Option(
            envvar="SIGNALWIRE_API_TOKEN",
            help="API token. In the variable, other users of the machine do not see it.",
            metavar="TOKEN",
        ),
    ] = field(default=None, repr=False)
    host: Annotated[
        str,
        typer.Option(
            envvar="SIGNALWIRE_SPACE",
            callback=_origin,
            help="Server, as host, host:port or URL. Without a scheme: HTTP on this machine, HTTPS elsewhere.",
            metavar="HOST",
        ),
    ] = "localhost:8080"
    ca_file: Annotated[
        str | None,
        typer.Option(
            envvar="SIGNALWIRE_REST_CA_FILE",
            help="PEM file of the CA to trust, where it is a private one.",
            metavar="FILE",
        ),
    ] = None

    def api(self, needs: str) -> "Api":
        """A client. ``needs`` says, for the one whose token does not do, which permission it takes."""
        from parlour.cli.client import Api  # as above

        return Api(self.host, self.project, self.token, self.ca_file, needs)


@dataclass(frozen=True, slots=True)
class Listing:
    """How much of a list to show, and how."""

    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="How many to list at most.")] = 50
    everything: Annotated[bool, typer.Option("--all", help="List all, whatever the limit.")] = False
    as_json: AsJson = False

    def show(
        self,
        items: Callable[[int], Iterator[dict[str, Any]]],
        columns: Mapping[str, int | None],
        row: Callable[[dict[str, Any]], Sequence[Any]],
        nothing: str,
    ) -> None:
        """Print a list that ``items`` gives, told how many to fetch at a time; ``nothing`` says that it is empty."""
        # One more than is shown tells whether there are more, mostly without another request.
        coming = items(PAGE_MAX if self.everything else min(self.limit + 1, PAGE_MAX))
        shown = coming if self.everything else itertools.islice(coming, self.limit)
        if self.as_json:
            print_json_array(shown)
        elif print_rows(columns, map(row, shown)) == 0:
            say(nothing)
        if next(coming, None) is not None:
            say("There are more: --limit N or --all shows them.")


def unfold(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function that takes options in groups.

    A parameter whose type is a dataclass becomes one option for each of its fields; the function gets the dataclass.
    """
    groups: dict[str, type[Any]] = {}
    parameters: list[inspect.Parameter] = []
    hints = get_type_hints(command, include_extras=True)
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        if is_dataclass(kind) and isinstance(kind, type):
            groups[parameter.name] = kind
            parameters += _options(kind)
        else:
            parameters.append(parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY))

    def run(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{item.name: given.pop(item.name) for item in fields(kind)})
        command(**given)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # how the standard library lets it be said
    return run


def _options(group: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(item.name, inspect.Parameter.KEYWORD_ONLY, default=item.default, annotation=hints[item.name])
        for item in fields(group)
    ]
