"""Lists as answers: the page that a request asks for, with its links. Every list of the API is one of these."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import InvalidInput, Problem
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.front.paging import Asked
from parlour.store.paging import Page, Position

Item = TypeVar("Item")
Fetch = Callable[[sa.Connection, UUID, Position, int], Page[Item] | None]
"""Reads a page of a project: its position and how many to show. ``None`` where the position is no more."""


async def listed(
    request: Request, project: UUID, fetch: Fetch[Item], show: Callable[[Item], dict[str, Any]], **filters: str
) -> Response:
    """Answer with the page of a project's list that the request asks for; ``filters`` go into its links.

    Raises ``InvalidInput`` for a page that cannot be.
    """
    asked = Asked.read(request.query_params)
    page = await front_of(request).database.run(
        lambda connection: fetch(connection, project, asked.position, asked.size)
    )
    if page is None:
        raise gone_page()
    return render_page(request, asked, page, show, **filters)


def gone_page() -> InvalidInput:
    """The refusal of a page behind something that is gone."""
    return InvalidInput(
        Problem("page_token_is_invalid", "page_token is of something that is gone; start over", "page_token")
    )


def render_page(
    request: Request, asked: Asked, page: Page[Item], show: Callable[[Item], dict[str, Any]], **filters: str
) -> Response:
    """A page that was found, as an answer."""
    links = asked.links(front_of(request).origin(request) + request.url.path, page, **filters)
    return render(200, {"data": [show(item) for item in page.items], "links": links})
