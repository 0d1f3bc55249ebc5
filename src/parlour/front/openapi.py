"""The API document (OpenAPI 3.1), made from the routes and the models they name."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from parlour.front.api.join_token_schema import JOIN_TOKEN_REQUESTS
from parlour.front.api.recording_schema import ChangeRecordingRequest, StartRecordingRequest
from parlour.front.api.room_schema import ConferenceRoomCreateRequest, ConferenceRoomUpdateRequest
from parlour.front.api.subscriber_schema import CreateSubscriberRequest, UpdateSubscriberRequest
from parlour.front.api.tokens import CreateTokenRequest, UpdateTokenRequest
from parlour.front.describe import FAILURES

REQUESTS: tuple[type[BaseModel], ...] = (
    ConferenceRoomCreateRequest,
    ConferenceRoomUpdateRequest,
    CreateTokenRequest,
    UpdateTokenRequest,
    *JOIN_TOKEN_REQUESTS,
    CreateSubscriberRequest,
    UpdateSubscriberRequest,
    StartRecordingRequest,
    ChangeRecordingRequest,
)
_REF = "#/components/schemas/"
_SHARED = {model.__name__: f"Types.StatusCodes.{model.__name__}" for model in FAILURES.values()} | {
    "RestApiErrorItem": "Types.StatusCodes.RestApiErrorItem"
}


def api_document(app: FastAPI) -> dict[str, Any]:
    """Describe the application's routes."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
        servers=[{"url": "/", "description": "This server"}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    _, definitions = models_json_schema([(model, "validation") for model in REQUESTS], ref_template=_REF + "{model}")
    document["components"]["schemas"].update(definitions["$defs"])
    document["components"]["securitySchemes"] = {
        "ProjectToken": {
            "type": "http",
            "scheme": "basic",
            "description": "The project's id as user name, one of its API tokens as password.",
        },
        "JoinToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token to join with, such as one of `/api/fabric/subscribers/tokens`.",
        },
    }
    found: dict[str, Any] = _tidy(document)
    schemas = found["components"]["schemas"]
    named = {_SHARED.get(name, name): schema for name, schema in schemas.items()}
    found["components"]["schemas"] = {name: named[name] | {"title": name} for name in sorted(named)}
    return found


def _tidy(node: Any) -> Any:
    """Name shared schemas as the service does, and write "or null" as a type rather than as an alternative."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _tidy(value) for key, value in node.items()}
    for field in node.get("properties", {}).values():
        field.pop("title", None)  # made up from the field's name
    if isinstance(node.get("$ref"), str):
        name = node["$ref"].removeprefix(_REF)
        node["$ref"] = _REF + _SHARED.get(name, name)
    match node.get("anyOf"):
        case [{"type": str(kind), **rest}, {"type": "null"}]:
            del node["anyOf"]
            node = {**rest, **node, "type": [kind, "null"]}
    return node
