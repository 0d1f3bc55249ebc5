"""How commands speak: results on standard output, everything else on standard error."""

import sys
from typing import Any, NoReturn

import orjson
from rich.console import Console

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """A result for programs."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def fail(message: str, code: int = 1) -> NoReturn:
    """End with a reason in words."""
    for line in message.splitlines():
        errors.print(line, style="red", markup=False, soft_wrap=True)
    sys.exit(code)
