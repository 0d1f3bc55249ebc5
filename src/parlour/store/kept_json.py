"""JSON objects as the compact text that they are kept as."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from parlour.domain import meta


class KeptJson(Mapping[str, Any]):
    """A JSON object that is its text, and is read when somebody looks into it.

    Most are only passed on, from a row into an answer, and reading and writing each would cost more than the rest of
    the row does.
    """

    __slots__ = ("_found", "text")

    def __init__(self, text: str) -> None:
        """``text`` is compact JSON of an object, as ``compact_json`` writes it."""
        self.text = text
        self._found: dict[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __bool__(self) -> bool:
        return self.text != "{}"

    def __repr__(self) -> str:
        return f"KeptJson({self.text!r})"

    def _read(self) -> dict[str, Any]:
        found = self._found
        if found is None:
            found = self._found = json.loads(self.text)
        return found


def compact_json(value: Mapping[str, Any]) -> str:
    """A JSON object without spaces, in any script."""
    return value.text if isinstance(value, KeptJson) else meta.compact_json(value)
