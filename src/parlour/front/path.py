"""What a request's path names."""

from uuid import UUID

from starlette.requests import Request

from parlour.domain.errors import NotFound


def path_id(request: Request) -> UUID:
    """The id in the path. Raises ``NotFound`` for what is no UUID: there is nothing of that name."""
    try:
        return UUID(str(request.path_params["id"]))
    except ValueError:
        raise NotFound from None
