"""Pages of a list as links: ``page_number``, ``page_size`` and an opaque ``page_token``."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.datastructures import QueryParams

from parlour.domain.errors import InvalidInput, Problem
from parlour.store.paging import Page, Position

SIZE_DEFAULT, SIZE_MAX = 50, 1000
NUMBER_MAX = 2**31 - 1

FORWARD, BACKWARD = "PA", "PB"
_TOKEN = re.compile(rf"({FORWARD}|{BACKWARD})([0-9a-f]{{32}})\Z")
_DIGITS = re.compile(r"[0-9]{1,10}\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """The page that a request asks for."""

    number: int
    size: int
    position: Position

    @classmethod
    def read(cls, query: QueryParams) -> "Asked":
        """Read the query. Raises ``InvalidInput`` with every problem it has."""
        problems: list[Problem] = []
        number = _whole(query, "page_number", 0, 0, NUMBER_MAX, problems)
        size = _whole(query, "page_size", SIZE_DEFAULT, 1, SIZE_MAX, problems)
        position = Position()
        if "page_token" in query:
            found = _TOKEN.match(query["page_token"])
            if found:
                position = Position(UUID(found[2]), backward=found[1] == BACKWARD)
            else:
                problems.append(
                    Problem("page_token_is_invalid", "page_token is none that this server gave", "page_token")
                )
        elif number > 0:
            problems.append(Problem("page_token_required", "page_number above 0 needs a page_token", "page_token"))
        if problems:
            raise InvalidInput(*problems)
        return cls(number, size, position)

    def links(self, url: str, page: Page[Any], **filters: str) -> dict[str, str]:
        """The links of the page that was found; ``next`` and ``prev`` only where there is such a page."""

        def link(number: int, token: str | None = None) -> str:
            query: dict[str, Any] = {**filters, "page_number": number, "page_size": self.size}
            if token:
                query["page_token"] = token
            return f"{url}?{urlencode(query)}"

        here = self.position.key
        token = (BACKWARD if self.position.backward else FORWARD) + here.hex if here else None
        links = {
            "self": link(self.number, token),
            "first": link(0),
        }
        if page.older:
            links["next"] = link(min(self.number + 1, NUMBER_MAX), FORWARD + page.older.hex)
        if page.newer:
            links["prev"] = link(max(self.number - 1, 0), BACKWARD + page.newer.hex)
        return links


def _whole(query: QueryParams, name: str, default: int, low: int, high: int, problems: list[Problem]) -> int:
    text = query.get(name)
    if text is None:
        return default
    if _DIGITS.match(text) and low <= int(text) <= high:
        return int(text)
    problems.append(Problem("invalid_parameter", f"{name} must be a whole number from {low} to {high}", name))
    return default
