"""Refusals and failures as HTTP, in one place."""

import logging
from typing import Any
from uuid import UUID

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from parlour.domain.errors import (
    Gone,
    InvalidInput,
    NotAuthorized,
    NotFound,
    Refusal,
    TooLarge,
    TooMany,
    TooSlow,
    Unavailable,
)
from parlour.front.front import front_of

log = logging.getLogger("parlour.front")

CODES = {
    "allowed_address_limit_exceeded": "More addresses are named than one token may open.",
    "invalid_auth_token_permissions": "The permissions are not a list of known names with at least one in it.",
    "invalid_join_until_date": "The time until which people may join lies before the time from which they may.",
    "invalid_parameter": "The value is not one of those that the field takes.",
    "invalid_parameter_value": "The value is of the right kind but out of bounds, or of a wrong kind.",
    "invalid_list_items": "The value is not a list of ids.",
    "invalid_subproject_id": "The project has no subproject of that id.",
    "invalid_token_format": "The token does not look like one of its kind.",
    "missing_required_parameter": "A field that has to be there is missing or blank.",
    "must_belong_to_project": "The address is none of the project's.",
    "not_a_boolean": "The value is not true or false.",
    "not_a_datetime": "The value is not an RFC 3339 date-time such as 2026-05-06T12:20:00Z, nor a date.",
    "not_a_hash": "The value is not a JSON object.",
    "not_a_refresh_token": "The token is one to join with, or none of this server's; a refresh token is wanted.",
    "not_a_string": "The value is not a string.",
    "not_an_id": "The value is not a UUID.",
    "not_parsable": "The body as a whole cannot be read as a JSON object.",
    "not_unique_within_project": "The project has another one with the same value.",
    "page_token_is_invalid": "The page token is none that this server gave.",
    "page_token_required": "A page after the first needs the page token of the link that led there.",
    "sort_order_validations": "Lists can be sorted by a few fields only, and only up or down.",
    "token_expired": "The token's time is past.",
    "token_invalid": "The token was good once, but its subscriber is gone.",
}
"""Every code that a 422 can carry, and what it means; the page at /docs/errors shows them."""


def to_json(body: Any) -> bytes:
    """A body as JSON: moments to the second and in UTC, ids as their digits."""
    return orjson.dumps(body, default=_spelled, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)


def _spelled(value: Any) -> str:
    if isinstance(value, UUID):  # the PostgreSQL driver's own kind
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def render(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(to_json(body), status, headers, "application/json")


def refused(request: Request, refusal: Exception) -> Response:
    """Say a refusal in HTTP."""
    match refusal:
        case InvalidInput():
            return render(422, {"errors": [_item(request, problem) for problem in refusal.problems]})
        case NotAuthorized():
            return render(401, {"error": "Unauthorized"}, {"WWW-Authenticate": f'{refusal.scheme} realm="parlour"'})
        case NotFound():
            return render(404, {"error": "Not Found"})
        case Gone():
            return render(410, {"error": "Gone"})
        case TooLarge():
            # The rest of the body would be read as the next request.
            return render(413, {"error": "Payload Too Large"}, {"Connection": "close"})
        case TooMany():
            return render(429, {"error": "Too Many Requests"}, {"Retry-After": str(refusal.retry_after)})
        case TooSlow():
            return render(408, {"error": "Request Timeout"}, {"Connection": "close"})
        case Unavailable():
            log.warning("503: %s", refusal)
            return render(503, {"error": "Service Unavailable"}, {"Retry-After": str(refusal.retry_after)})
        case _:
            raise refusal


def _item(request: Request, problem: Any) -> dict[str, Any]:
    return {
        "type": "validation_error",
        "code": problem.code,
        "message": problem.message,
        "attribute": problem.attribute,
        "url": f"{front_of(request).origin(request)}/docs/errors#{problem.code}",
    }


def unrouted(request: Request, error: HTTPException) -> Response:
    """Say in HTTP what the router says: no such path, or not with that method."""
    if error.status_code == 405:
        return render(405, {"error": "Method Not Allowed"}, {"Allow": ", ".join(_allowed(request))})
    if error.status_code == 404:
        return render(404, {"error": "Not Found"})
    return render(error.status_code, {"error": error.detail})


def failed(_request: Request, _error: Exception) -> Response:
    """What a caller may know of an unexpected failure; the log has the rest under the request's id."""
    return render(500, {"error": "Internal Server Error"})


def _allowed(request: Request) -> list[str]:
    methods: set[str] = set()
    for route in front_of(request).routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return sorted(methods)


HANDLERS: dict[int | type[Exception], Any] = {
    Refusal: refused,
    HTTPException: unrouted,
    Exception: failed,
}
