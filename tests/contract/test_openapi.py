"""Our API document beside the contract's, fact by fact, and by the rules of OpenAPI 3.1.

``create-conference-room.contract.json`` holds what the contract's own document says of "Create conference room": its
structure without its prose, with ``true`` where it has a description.
"""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from parlour.front.app import build_app
from parlour.store.database import open_database

CONTRACT = json.loads(Path(__file__).with_name("create-conference-room.contract.json").read_text())
PATH = "/api/fabric/resources/conference_rooms"

REF = "#/components/schemas/"

Facts = dict[str, Any]

NO_FACTS = {"$ref", "properties", "items", "examples", "title"}
"""What a schema says that is followed, or that allows nothing and forbids nothing."""


def facts(document: dict[str, Any]) -> Facts:
    """Everything that a document says of the operation: a name for each fact, and what it is."""
    operation = document["paths"][PATH]["post"]
    found: Facts = {
        "operationId": operation["operationId"],
        "summary": "summary" in operation,
        "description": "description" in operation,
    }
    for parameter in operation["parameters"]:
        where = f"{parameter['in']} {parameter['name']}"
        found[where] = {"required": parameter.get("required", False), "schema": parameter["schema"]}
        found[f"{where}: description"] = "description" in parameter
    found["request body: required"] = operation["requestBody"].get("required", False)
    found |= body("request", document, operation["requestBody"])
    for status, response in operation["responses"].items():
        found[status] = sorted(response.get("content", ()))
        found[f"{status} response: description"] = "description" in response
        found |= body(status, document, response)
    for name, scheme in document["components"]["securitySchemes"].items():
        found[f"security {name}"] = {"type": scheme["type"], "scheme": scheme["scheme"]}
    return found


def body(where: str, document: dict[str, Any], described: dict[str, Any]) -> Facts:
    """The facts of a body."""
    (content,) = described["content"].values()
    return {f"{place}: {key}": value for place, key, value in schema(where, document, content["schema"])}


def schema(where: str, document: dict[str, Any], node: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """The facts of a schema and of those in it, references followed: where, which and what."""
    if "$ref" in node:
        name = node["$ref"].removeprefix(REF)
        yield where, "named", name
        node = document["components"]["schemas"][name] | {key: node[key] for key in node if key != "$ref"}
    for field, inner in node.get("properties", {}).items():
        yield where, f"property {field}", True
        yield from schema(f"{where}/{field}", document, inner)
    if "items" in node:
        yield from schema(f"{where}[]", document, node["items"])
    for key, value in node.items():
        match key:
            case "description":
                yield where, key, True
            case "const":
                yield where, "enum", [value]
            case "type" | "required" if isinstance(value, list):
                yield where, key, sorted(value)
            case _ if key not in NO_FACTS and (key, value) != ("additionalProperties", True):
                yield where, key, value


TAKES_WHAT_WAS_GIVEN = {
    "refresh-subscriber-token",
    "create-guest-token",
    "create-invite-token",
    "create-embed",
    "create-embed-join-token",
}

NULLABLE = "null is taken for 'not set', so that what was read from a room can be sent for another"
BOUND = "the service's full specification or its Video API has the bound; the contract page leaves it out"
KEPT = "PostgreSQL cannot keep NUL, and a line of text has no control characters"
DEFAULT = "the contract does not say what happens without the field; we do"
EXTENSION = "every answer has this field, and the contract has no way to set it"
SHARED = "the same schema in request and answer has one name with us"
IN_PLACE = "so small a schema stands with us where it is used; what it says is compared there"
ONE_NAME = "every operation refuses in the same way, so its schema has one name with us, like the other failures"
TOO_LARGE = "a body has a limit, and who exceeds it is told so rather than cut off"
AWAY = "while the database is away a caller is told to come again, rather than that something is broken"
BASIC = "OpenAPI 3.1 has Authorization ignored among the parameters; the security scheme says the same"

NO_CONTROL = r"\u0000-\u001f\u007f-\u009f"

INTENDED: dict[str, tuple[Any, Any, str]] = {
    "request body: required": (False, True, "without a body there is no name, so there is no room without one"),
    "request: property fps": (None, True, EXTENSION),
    "request/fps: type": (None, ["integer", "string"], EXTENSION),
    "request/fps: enum": (None, [20, 30, "20", "30"], EXTENSION),
    "request/fps: default": (None, 30, EXTENSION),
    "request: property prioritize_handraise": (None, True, EXTENSION),
    "request/prioritize_handraise: type": (None, "boolean", EXTENSION),
    "request/prioritize_handraise: default": (None, False, EXTENSION),
    "request/name: minLength": (None, 1, BOUND),
    "request/name: maxLength": (None, 100, BOUND),
    "request/name: pattern": (None, rf"^[^{NO_CONTROL}]*[^\s{NO_CONTROL}][^{NO_CONTROL}]*$", KEPT + "; not blank"),
    "request/display_name: maxLength": (None, 200, BOUND),
    "request/display_name: pattern": (None, rf"^[^{NO_CONTROL}]*$", KEPT),
    "request/description: type": ("string", ["null", "string"], NULLABLE),
    "request/description: maxLength": (None, 3000, BOUND),
    "request/description: pattern": (None, r"^[^\u0000]*$", KEPT),
    "request/description: default": (None, "", DEFAULT),
    "request/join_from: type": ("string", ["null", "string"], NULLABLE),
    "request/join_until: type": ("string", ["null", "string"], NULLABLE),
    "request/remove_at: type": ("string", ["null", "string"], NULLABLE),
    "request/max_members: format": (None, "int32", BOUND),
    "request/max_members: minimum": (None, 0, BOUND),
    "request/max_members: maximum": (None, 300, BOUND),
    "request/max_members: default": (None, 20, DEFAULT),
    "request/remove_after_seconds_elapsed: type": ("integer", ["integer", "null"], NULLABLE),
    "request/remove_after_seconds_elapsed: minimum": (None, 0, BOUND),
    "request/remove_after_seconds_elapsed: maximum": (None, 200_000, BOUND),
    "request/quality: named": ("ConferenceRoomCreateRequestQuality", "Quality", SHARED),
    "request/layout: default": (None, "grid-responsive", DEFAULT),
    "request/record_on_start: default": (None, False, DEFAULT),
    "request/meta: named": ("ConferenceRoomCreateRequestMeta", None, IN_PLACE),
    "request/meta: type": ("object", ["null", "object"], NULLABLE),
    "request/sync_audio_video: type": ("boolean", ["boolean", "null"], NULLABLE),
    "request/tone_on_entry_and_exit: default": (None, True, DEFAULT),
    "request/room_join_video_off: default": (None, False, DEFAULT),
    "request/user_join_video_off: default": (None, False, DEFAULT),
    "200/id: named": ("uuid", None, IN_PLACE),
    "200/project_id: named": ("uuid", None, IN_PLACE),
    "200/type: named": ("ConferenceRoomResponseType", None, IN_PLACE),
    "200/conference_room/id: named": ("uuid", None, IN_PLACE),
    "200/conference_room/quality: named": ("ConferenceRoomQuality", "Quality", SHARED),
    "200/conference_room/quality: default": ("720p", None, "the answer always has it, so a default would mean nothing"),
    "200/conference_room/fps: named": ("ConferenceRoomFps", None, IN_PLACE),
    "200/conference_room/meta: named": ("ConferenceRoomMeta", None, IN_PLACE),
    "401/error: named": ("TypesStatusCodesStatusCode401Error", None, IN_PLACE),
    "404/error: named": ("TypesStatusCodesStatusCode404Error", None, IN_PLACE),
    "500/error: named": ("TypesStatusCodesStatusCode500Error", None, IN_PLACE),
    "422: named": ("ConferenceRoomCreateStatusCode422", "Types.StatusCodes.StatusCode422", ONE_NAME),
    "413": (None, ["application/json"], TOO_LARGE),
    "413: named": (None, "Types.StatusCodes.StatusCode413", TOO_LARGE),
    "413: type": (None, "object", TOO_LARGE),
    "413: required": (None, ["error"], TOO_LARGE),
    "413: property error": (None, True, TOO_LARGE),
    "413/error: type": (None, "string", TOO_LARGE),
    "413/error: enum": (None, ["Payload Too Large"], TOO_LARGE),
    "503": (None, ["application/json"], AWAY),
    "503: named": (None, "Types.StatusCodes.StatusCode503", AWAY),
    "503: type": (None, "object", AWAY),
    "503: required": (None, ["error"], AWAY),
    "503: property error": (None, True, AWAY),
    "503/error: type": (None, "string", AWAY),
    "503/error: enum": (None, ["Service Unavailable"], AWAY),
    "header Authorization": ({"required": True, "schema": {"type": "string"}}, None, BASIC),
    "header Authorization: description": (True, None, BASIC),
    "security SignalWireBasicAuth": ({"type": "http", "scheme": "basic"}, None, "the scheme has a name of our own"),
    "security JoinToken": (None, {"type": "http", "scheme": "bearer"}, "for the routes that browsers call"),
    "security ProjectToken": (None, {"type": "http", "scheme": "basic"}, "the scheme has a name of our own"),
    "header Idempotency-Key": (
        None,
        {"required": False, "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}},
        "makes retries safe, and who does not send it notices nothing",
    ),
}
"""Every difference: the fact, what the contract says, what we say (``None``: nothing), and why."""


@pytest.fixture
async def ours(tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    """Our document, as it is served."""
    database = open_database(f"sqlite:///{tmp_path}/unused.sqlite3")
    transport = httpx.ASGITransport(build_app(database))
    async with httpx.AsyncClient(transport=transport, base_url="http://parlour.test") as client:
        yield (await client.get("/openapi.json")).json()
    await database.close()


def differences(contract: Facts, ours: Facts) -> dict[str, tuple[Any, Any]]:
    """Where two sets of facts differ. A description that only we have is none."""
    return {
        name: (contract.get(name), ours.get(name))
        for name in contract.keys() | ours.keys()
        if contract.get(name) != ours.get(name) and not (name.endswith(": description") and name not in contract)
    }


def test_we_differ_from_the_contract_only_where_we_mean_to(ours: dict[str, Any]) -> None:
    intended = {name: (contract, ours) for name, (contract, ours, _) in INTENDED.items()}
    assert differences(facts(CONTRACT), facts(ours)) == intended


def test_every_operation_is_described_by_the_rules(ours: dict[str, Any]) -> None:
    OPENAPI_31_VALIDATOR.validate(ours)
    for node in nodes(ours):
        assert node.get("$ref", REF).startswith(REF)
        assert node.get("$ref", REF).removeprefix(REF) in {"", *ours["components"]["schemas"]}
    operations = [operation for path in ours["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert "security" in operation  # an empty one where the token is in the body
        assert all(way in ({"ProjectToken": []}, {"JoinToken": []}) for way in operation["security"])
        for response in operation["responses"].values():
            assert {link["operationId"] for link in response.get("links", {}).values()} <= set(names)


def test_every_link_leads_from_what_is_given_to_what_is_taken(ours: dict[str, Any]) -> None:
    operations = {one["operationId"]: one for path in ours["paths"].values() for one in path.values()}
    linked = set()
    for operation in operations.values():
        for response in operation["responses"].values():
            for link in response.get("links", {}).values():
                target = operations[link["operationId"]]
                assert link.get("parameters", {}).keys() <= {one["name"] for one in target.get("parameters", ())}
                if "requestBody" in link:
                    taken = resolved(ours, target["requestBody"]["content"]["application/json"]["schema"])
                    assert link["requestBody"].keys() <= taken["properties"].keys()
                for pointer in pointers(link):
                    given = response["content"]["application/json"]["schema"]
                    for step in pointer.removeprefix("$response.body#/").split("/"):
                        given = resolved(ours, given)
                        given = given["items"] if step.isdecimal() else given["properties"][step]
                    linked.add(link["operationId"])
    # Whatever takes an id or a token that only an answer gives; the one is deleted by its own path alone.
    assert linked == {
        operation["operationId"]
        for path, methods in ours["paths"].items()
        for operation in methods.values()
        if "{id}" in path or operation["operationId"] in TAKES_WHAT_WAS_GIVEN
    } - {"delete-resource"}


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema itself, where a reference to it may stand."""
    name = schema.get("$ref", "").removeprefix(REF)
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def pointers(node: Any) -> Iterator[str]:
    """What a link takes from an answer."""
    if isinstance(node, str) and node.startswith("$"):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from pointers(inner)


def test_every_schema_is_one_and_takes_its_own_examples_and_default(ours: dict[str, Any]) -> None:
    schemas = ours["components"]["schemas"]
    for name, described in schemas.items():
        assert described["title"] == name
        assert described["description"]
        jsonschema_rs.meta.validate(described)
        for field in described.get("properties", {}).values():
            validator = jsonschema_rs.validator_for({"components": {"schemas": schemas}, "allOf": [field]})
            for value in [*field.get("examples", ()), *([field["default"]] if "default" in field else ())]:
                validator.validate(value)


def test_nothing_is_said_that_means_nothing(ours: dict[str, Any]) -> None:
    for node in nodes(ours):
        assert node.get("default", ...) is not None
        assert node.get("type", ...) is not None
        assert {"type": "null"} not in node.get("anyOf", ())


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(inner)
