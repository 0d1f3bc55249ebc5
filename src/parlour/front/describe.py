"""How routes describe themselves in the API document, and the schemas that all of them share.

Handlers take the request and give the response. Reading and checking input is theirs, because this API refuses more
than a model can express (see ``body.py``).
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field


def _no_default(schema: dict[str, Any]) -> None:
    del schema["default"]


class Links(BaseModel):
    """Where to go from this page."""

    self: str = Field(description="This page.")
    first: str = Field(description="The first page.")
    next: str = Field("", description="The next page; absent on the last one.", json_schema_extra=_no_default)
    prev: str = Field("", description="The page before; absent on the first one.", json_schema_extra=_no_default)


class StatusCode401(BaseModel):
    """No credentials, wrong ones, or ones without the permission that this needs."""

    error: Literal["Unauthorized"]


class StatusCode404(BaseModel):
    """There is no such thing in this project."""

    error: Literal["Not Found"]


class StatusCode413(BaseModel):
    """The body is over 64 KiB."""

    error: Literal["Payload Too Large"]


class StatusCode500(BaseModel):
    """Something went wrong here; the answer's `X-Request-ID` finds it in the log."""

    error: Literal["Internal Server Error"]


class StatusCode503(BaseModel):
    """Something needed is away; try again after `Retry-After` seconds."""

    error: Literal["Service Unavailable"]


class RestApiErrorItem(BaseModel):
    """One thing that is wrong with the request."""

    type: str = Field(description="The category of the error.", examples=["validation_error"])
    code: str = Field(description="What is wrong, for programs.", examples=["missing_required_parameter"])
    message: str = Field(description="What is wrong, for people.", examples=["name is required"])
    attribute: str | None = Field(None, description="The field at fault, where there is one.", examples=["name"])
    url: str = Field(description="Where the code is explained.")


class StatusCode422(BaseModel):
    """The request breaks rules; every one of them is listed."""

    errors: list[RestApiErrorItem] = Field(description="What is wrong, in the order of the fields.")


FAILURES: dict[int, type[BaseModel]] = {
    401: StatusCode401,
    404: StatusCode404,
    413: StatusCode413,
    422: StatusCode422,
    500: StatusCode500,
    503: StatusCode503,
}

_HEADERS = {
    "X-Request-ID": {
        "description": "Finds the request in the log. The request's own, where it brought a sane one.",
        "schema": {"type": "string"},
    }
}
_FAILURE_HEADERS = {
    401: {"WWW-Authenticate": {"description": "`Basic` or `Bearer`.", "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
}

PAGING: list[dict[str, Any]] = [
    {
        "name": "page_number",
        "in": "query",
        "description": "The number of the page, from 0. Above 0 it needs a `page_token`.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "default": 0},
    },
    {
        "name": "page_size",
        "in": "query",
        "description": "How many to show.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50},
    },
    {
        "name": "page_token",
        "in": "query",
        "description": "Where the page lies: the token of the link that leads there.",
        "schema": {"type": "string", "pattern": "^P[AB][0-9a-f]{32}$"},
    },
]


class Lead(NamedTuple):
    """What an answer has for another operation: its path parameters and fields of its body, as JSON pointers."""

    parameters: Mapping[str, str] = {}
    body: Mapping[str, str | list[str]] = {}


BY_ID = Lead({"id": "/id"})
"""Leads to what the answer's own ``id`` names."""


def identifier(name: str, of_what: str) -> dict[str, Any]:
    """A path parameter that takes a UUID."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": f"The id of {of_what}.",
        "schema": {"type": "string", "format": "uuid"},
    }


def described(
    operation: str,
    summary: str,
    gives: type[BaseModel] | None,
    failures: tuple[int, ...],
    *,
    takes: type[BaseModel] | None = None,
    may_take: type[BaseModel] | None = None,
    parameters: list[dict[str, Any]] | None = None,
    leads_to: Mapping[str, Lead] | None = None,
    status: int | None = None,
    security: tuple[str, ...] = ("ProjectToken",),
) -> dict[str, Any]:
    """The arguments that describe a route.

    ``gives`` is the answer's model, ``None`` for 204 without a body. ``takes`` is the body's model, ``may_take`` that
    of one that may be left out. ``leads_to`` maps operations to what this answer has for them. ``security`` names the
    ways in, each good by itself; none: open to all.
    """
    extra: dict[str, Any] = {"security": [{scheme: []} for scheme in security]}
    body = takes or may_take
    if body is not None:
        schema = {"$ref": f"#/components/schemas/{body.__name__}"}
        extra["requestBody"] = {"required": takes is not None, "content": {"application/json": {"schema": schema}}}
    if parameters:
        extra["parameters"] = parameters
    success: dict[str, Any] = {"description": "Done."}
    if gives is not None:
        success = {"description": gives.__doc__, "model": gives}
    if leads_to:
        success["links"] = {target: _link(target, lead) for target, lead in leads_to.items()}
    status = status or (200 if gives else 204)
    success["headers"] = _HEADERS
    return {
        "operation_id": operation,
        "summary": summary,
        "status_code": status,
        "response_model": None,
        "responses": {
            status: success,
            **{
                code: {
                    "model": FAILURES[code],
                    "description": FAILURES[code].__doc__,
                    "headers": {**_HEADERS, **_FAILURE_HEADERS.get(code, {})},
                }
                for code in failures
            },
        },
        "openapi_extra": extra,
    }


def _link(target: str, lead: Lead) -> dict[str, Any]:
    link: dict[str, Any] = {"operationId": target}
    if lead.parameters:
        link["parameters"] = {name: _taken(pointer) for name, pointer in lead.parameters.items()}
    if lead.body:
        link["requestBody"] = {
            name: [_taken(one) for one in pointer] if isinstance(pointer, list) else _taken(pointer)
            for name, pointer in lead.body.items()
        }
    return link


def _taken(pointer: str) -> str:
    return f"$response.body#{pointer}"
