"""How commands speak: results on standard output, everything else on standard error."""

import itertools
import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


class Trouble(Exception):  # noqa: N818 - what the caller reads is the sentence in it
    """A command cannot do its work, for a reason told in words. ``code`` is what the process ends with."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class BrokenOff(Trouble):
    """An answer that ended before its end."""


def print_json(value: Any) -> None:
    """A result for programs."""
    sys.stdout.write(_json(value) + "\n")


def print_json_array(items: Iterable[Any]) -> None:
    """A result of any length for programs: each item is written when it comes, none is kept."""
    opened = False
    for item in items:
        sys.stdout.write((",\n" if opened else "[\n") + _indented(_json(item)))
        opened = True
    sys.stdout.write("\n]\n" if opened else "[]\n")


def print_pairs(pairs: Mapping[str, Any]) -> None:
    """One thing for people: what it has on the left, how it is on the right."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        table.add_row(name, spell(value))
    console.print(table)


def print_rows(columns: Mapping[str, int | None], rows: Iterable[Iterable[Any]], chunk: int = 100) -> int:
    """A list of any length for people; gives how many rows there were.

    ``columns`` are the headings with their widths in cells; the one of width ``None`` takes what is left. As the
    widths are known beforehand, no more than ``chunk`` rows are kept at a time.
    """
    count = 0
    for some in _chunks(rows, chunk):
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True, show_header=count == 0)
        for heading, width in columns.items():
            table.add_column(heading, width=width, ratio=None if width else 1, no_wrap=True, overflow="ellipsis")
        for row in some:
            table.add_row(*map(spell, row))
        console.print(table)
        count += len(some)
    return count


def say(message: str) -> None:
    """Something to know that is not the result."""
    errors.print(message, style="yellow", markup=False, soft_wrap=True)


def spell(value: Any) -> Text:
    """A JSON value as people read it, harmless to a terminal whatever it holds."""
    if value is None or value in ("", {}):
        return Text("-", style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return Text(visible(", ".join(value)))
    return Text(visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))


def visible(text: str) -> str:
    """``text`` with its control characters spelled out, except for line breaks.

    A room's description is somebody else's text: as it is, it could write anywhere on the reader's terminal.
    """
    return "".join(
        character if character == "\n" or unicodedata.category(character) != "Cc" else f"\\x{ord(character):02x}"
        for character in text
    )


def confirm(question: Callable[[], str]) -> None:
    """Go on only with the consent of a person. Raises ``Trouble`` without it, or where nobody can be asked.

    ``question`` is made when there is somebody to ask, for it may cost a request.
    """
    if not sys.stdin.isatty():
        raise Trouble("Nobody can be asked here: say --yes to do it without asking.", code=2)
    errors.print(visible(question()), "[y/N] ", end="", markup=False, soft_wrap=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Trouble("Nothing was done.")


def fail(message: str, code: int = 1) -> NoReturn:
    """End with a reason in words."""
    for line in message.splitlines():
        errors.print(visible(line), style="red", markup=False, soft_wrap=True)
    sys.exit(code)


def _json(value: Any) -> str:
    # The standard library's, as it keeps whole numbers of any size, which `meta` may have.
    unicode = sys.stdout.encoding.lower().startswith("utf")
    return json.dumps(value, ensure_ascii=not unicode, indent=2)


def _indented(text: str) -> str:
    # Line breaks inside strings are escaped in JSON, so every one here stands between tokens.
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _chunks(rows: Iterable[Iterable[Any]], size: int) -> Iterator[list[Iterable[Any]]]:
    rest = iter(rows)
    while some := list(itertools.islice(rest, size)):
        yield some
