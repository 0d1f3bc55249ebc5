"""Whatever comes in, the answer is a clear 4xx and nothing is stored."""

import gzip
import json
from typing import Any

import httpx
import pytest

from parlour.front.errors import CODES
from tests.front.test_rooms import COFFEE, ROOMS, create

JSON = {"Content-Type": "application/json"}


async def refused(api: httpx.AsyncClient, content: bytes, headers: dict[str, str] = JSON) -> list[dict[str, Any]]:
    """Send a body that must be refused with 422, on create and on update; give the errors."""
    room = await create(api)
    before = (await api.get(ROOMS)).json()["data"]
    created = await api.post(ROOMS, content=content, headers=headers)
    updated = await api.put(f"{ROOMS}/{room['id']}", content=content, headers=headers)
    assert created.status_code == 422, created.text
    # To leave out what is required is wrong in a new room only.
    if updated.status_code != 200:
        assert updated.status_code == 422, updated.text
        assert (await api.get(ROOMS)).json()["data"] == before
    errors: list[dict[str, Any]] = created.json()["errors"]
    for item in errors:
        assert set(item) == {"type", "code", "message", "attribute", "url"}
        assert item["type"] == "validation_error"
        assert item["code"] in CODES
        assert item["url"] == f"http://parlour.test/docs/errors#{item['code']}"
    return errors


DEEP = b"[" * 30_000 + b"]" * 30_000
UNPARSABLE = {
    "nothing": b"",
    "no JSON": b"name=coffee_cafe",
    "cut off": b'{"name": "coff',
    "a list": b'["coffee_cafe"]',
    "a string": b'"coffee_cafe"',
    "null": b"null",
    "deep": DEEP,
    "deep in an ignored key": b'{"x": ' + DEEP + b"}",
    "a key twice": b'{"name": "a", "name": "b", "enable_room_previews": true}',
    "a key twice, within": b'{"name": "a", "enable_room_previews": true, "meta": {"a": 1, "a": 2}}',
    "NaN": b'{"name": "a", "enable_room_previews": true, "max_members": NaN}',
    "Infinity": b'{"name": "a", "enable_room_previews": true, "meta": {"a": -Infinity}}',
    "not UTF-8": b'{"name": "caf\xe9", "enable_room_previews": true}',
    "UTF-16": json.dumps(COFFEE).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(COFFEE).encode(),
    "a raw NUL": b'{"name": "a\x00b", "enable_room_previews": true}',
    "a number of 5000 digits": b'{"name": "a", "enable_room_previews": true, "meta": {"a": ' + b"9" * 5000 + b"}}",
}


@pytest.mark.parametrize("content", UNPARSABLE.values(), ids=UNPARSABLE.keys())
async def test_unparsable(api: httpx.AsyncClient, content: bytes) -> None:
    [error] = await refused(api, content)
    assert (error["code"], error["attribute"]) == ("not_parsable", None)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json-seq"},
        {"Content-Type": "application/json; charset=latin-1"},
        JSON | {"Content-Encoding": "gzip"},
    ],
    ids=str,
)
async def test_wrong_kind_of_body(api: httpx.AsyncClient, headers: dict[str, str]) -> None:
    [error] = await refused(api, json.dumps(COFFEE).encode(), headers)
    assert error["code"] == "not_parsable"


async def test_gzip_is_refused(api: httpx.AsyncClient) -> None:
    packed = gzip.compress(json.dumps(COFFEE).encode())
    [error] = await refused(api, packed, JSON | {"Content-Encoding": "gzip"})
    assert "compressed" in error["message"]
    [error] = await refused(api, packed)
    assert error["code"] == "not_parsable"


@pytest.mark.parametrize("kind", ["application/json;charset=UTF-8", 'Application/JSON; charset="utf-8"'])
async def test_right_kinds_of_body(api: httpx.AsyncClient, kind: str) -> None:
    answer = await api.post(ROOMS, content=json.dumps(COFFEE).encode(), headers={"Content-Type": kind})
    assert answer.status_code == 200


WRONG = [
    ("name", None, "not_a_string"),
    ("name", 7, "not_a_string"),
    ("name", ["a"], "not_a_string"),
    ("name", "", "missing_required_parameter"),
    ("name", "   ", "missing_required_parameter"),
    ("name", "x" * 101, "invalid_parameter_value"),
    ("name", "a\nb", "invalid_parameter_value"),
    ("name", "a\u0000b", "invalid_parameter_value"),
    ("name", "a\u0085b", "invalid_parameter_value"),
    ("name", "\ud800", "invalid_parameter_value"),
    ("display_name", None, "not_a_string"),
    ("display_name", "x" * 201, "invalid_parameter_value"),
    ("display_name", "a\tb", "invalid_parameter_value"),
    ("description", 1, "not_a_string"),
    ("description", "x" * 3001, "invalid_parameter_value"),
    ("description", "a\u0000b", "invalid_parameter_value"),
    ("join_from", 1_746_531_600, "not_a_datetime"),
    ("join_from", "tomorrow", "not_a_datetime"),
    ("join_from", "2026-05-06T12:00:00", "not_a_datetime"),
    ("join_from", "2026-05-06 12:00:00Z", "not_a_datetime"),
    ("join_from", "2026-02-30T12:00:00Z", "not_a_datetime"),
    ("join_from", "0001-01-01T00:00:00+14:00", "not_a_datetime"),
    ("join_from", "9999-12-31T23:59:59-14:00", "not_a_datetime"),
    ("join_from", "２026-05-06T12:00:00Z", "not_a_datetime"),
    ("join_until", True, "not_a_datetime"),
    ("remove_at", {}, "not_a_datetime"),
    ("max_members", "30", "invalid_parameter_value"),
    ("max_members", 30.5, "invalid_parameter_value"),
    ("max_members", 1e300, "invalid_parameter_value"),
    ("max_members", True, "invalid_parameter_value"),
    ("max_members", None, "invalid_parameter_value"),
    ("max_members", -1, "invalid_parameter_value"),
    ("max_members", 301, "invalid_parameter_value"),
    ("max_members", 2**63, "invalid_parameter_value"),
    ("max_members", 10**400, "invalid_parameter_value"),
    ("remove_after_seconds_elapsed", -1, "invalid_parameter_value"),
    ("remove_after_seconds_elapsed", 200_001, "invalid_parameter_value"),
    ("remove_after_seconds_elapsed", "60", "invalid_parameter_value"),
    ("quality", "4k", "invalid_parameter"),
    ("quality", None, "invalid_parameter"),
    ("quality", 720, "invalid_parameter"),
    ("layout", "7x7", "invalid_parameter"),
    ("layout", ["1x1"], "invalid_parameter"),
    ("layout", {}, "invalid_parameter"),
    ("fps", 25, "invalid_parameter"),
    ("fps", 30.5, "invalid_parameter"),
    ("fps", True, "invalid_parameter"),
    ("fps", None, "invalid_parameter"),
    ("record_on_start", "true", "not_a_boolean"),
    ("record_on_start", 1, "not_a_boolean"),
    ("record_on_start", None, "not_a_boolean"),
    ("enable_room_previews", None, "not_a_boolean"),
    ("enable_room_previews", "yes", "not_a_boolean"),
    ("sync_audio_video", "true", "not_a_boolean"),
    ("tone_on_entry_and_exit", 0, "not_a_boolean"),
    ("room_join_video_off", [], "not_a_boolean"),
    ("user_join_video_off", "", "not_a_boolean"),
    ("prioritize_handraise", None, "not_a_boolean"),
    ("meta", [], "not_a_hash"),
    ("meta", "{}", "not_a_hash"),
    ("meta", {"a": "x" * 2000}, "invalid_parameter_value"),
    ("meta", {"a": "\u0000"}, "invalid_parameter_value"),
    ("meta", {"\u0000": 1}, "invalid_parameter_value"),
    ("meta", {"a": ["\udfff"]}, "invalid_parameter_value"),
    ("meta", {"\ud800": 1}, "invalid_parameter_value"),
    ("meta", {"a": json.loads("[" * 40 + "]" * 40)}, "invalid_parameter_value"),
]


@pytest.mark.parametrize(("field", "value", "code"), WRONG, ids=lambda value: ascii(value)[:40])
async def test_wrong_values(api: httpx.AsyncClient, field: str, value: Any, code: str) -> None:
    body = json.dumps(COFFEE | {field: value}).encode()
    [error] = await refused(api, body)
    assert (error["code"], error["attribute"]) == (code, field)
    assert error["message"].startswith(field)


async def test_a_number_too_large_for_any_float(api: httpx.AsyncClient) -> None:
    [error] = await refused(api, b'{"name": "a", "enable_room_previews": true, "meta": {"a": 1e999}}')
    assert error["attribute"] == "meta"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 100),
        ("name", "🙂" * 100),
        ("display_name", ""),
        ("description", "a\r\n\tb"),
        ("join_from", "2026-12-31T23:59:60Z"),
        ("join_from", "2026-05-06t12:00:00.123456789z"),
        ("max_members", 300),
        ("max_members", 30.0),  # to JSON Schema an integer
        ("remove_after_seconds_elapsed", 0),
        ("fps", "20"),
        ("meta", {"a": "x" * 1992}),
        ("meta", {}),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_values_at_the_edge(api: httpx.AsyncClient, field: str, value: Any) -> None:
    assert (await api.post(ROOMS, json=COFFEE | {field: value})).status_code == 200


async def test_every_problem_is_listed_at_once_in_order(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        ROOMS, json={"layout": "round", "max_members": -1, "display_name": 5, "meta": [], "join_from": "never"}
    )
    found = [(item["attribute"], item["code"], item["message"]) for item in answer.json()["errors"]]
    assert [attribute for attribute, _, _ in found] == [
        "display_name", "join_from", "max_members", "layout", "meta", "name", "enable_room_previews",
    ]  # fmt: skip
    assert ("name", "missing_required_parameter", "name is required") in found
    assert ("enable_room_previews", "missing_required_parameter", "enable_room_previews is required") in found


async def test_join_until_before_join_from(api: httpx.AsyncClient) -> None:
    window = {"join_from": "2026-05-06T12:00:00Z", "join_until": "2026-05-06T11:59:59Z"}
    [error] = await refused(api, json.dumps(COFFEE | window).encode())
    assert (error["code"], error["attribute"]) == ("invalid_join_until_date", "join_until")
    assert (await api.post(ROOMS, json=COFFEE | window | {"join_until": window["join_from"]})).status_code == 200


async def test_a_body_over_the_limit_is_413(api: httpx.AsyncClient) -> None:
    body = json.dumps(COFFEE | {"x": "y" * 65_536}).encode()

    async def chunks() -> Any:
        for at in range(0, len(body), 1000):
            yield body[at : at + 1000]

    for content in (body, chunks()):
        answer = await api.post(ROOMS, content=content, headers=JSON)
        assert (answer.status_code, answer.json()) == (413, {"error": "Payload Too Large"})
    assert (await api.get(ROOMS)).json()["data"] == []


async def test_a_body_within_the_limit_is_read_in_pieces(api: httpx.AsyncClient) -> None:
    body = json.dumps(COFFEE | {"x": "y" * 60_000}).encode()

    async def bytes_of() -> Any:
        for at in range(0, len(body), 777):
            yield body[at : at + 777]

    assert (await api.post(ROOMS, content=bytes_of(), headers=JSON)).status_code == 200


@pytest.mark.parametrize(
    ("query", "code", "attribute"),
    [
        ("page_size=0", "invalid_parameter", "page_size"),
        ("page_size=1001", "invalid_parameter", "page_size"),
        ("page_size=ten", "invalid_parameter", "page_size"),
        ("page_size=", "invalid_parameter", "page_size"),
        ("page_size=%EF%BC%91", "invalid_parameter", "page_size"),
        ("page_size=99999999999999999999", "invalid_parameter", "page_size"),
        ("page_number=-1", "invalid_parameter", "page_number"),
        ("page_number=1", "page_token_required", "page_token"),
        ("page_token=", "page_token_is_invalid", "page_token"),
        ("page_token=PA123", "page_token_is_invalid", "page_token"),
        ("page_token=PC" + "0" * 32, "page_token_is_invalid", "page_token"),
        ("page_token=PA" + "0" * 32 + "%0A", "page_token_is_invalid", "page_token"),
    ],
)
@pytest.mark.parametrize("path", [ROOMS, "/api/fabric/resources", "/api/project/tokens"])
async def test_bad_paging(api: httpx.AsyncClient, path: str, query: str, code: str, attribute: str) -> None:
    answer = await api.get(f"{path}?{query}")
    assert answer.status_code == 422
    assert [(item["code"], item["attribute"]) for item in answer.json()["errors"]] == [(code, attribute)]


async def test_several_paging_problems_at_once(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{ROOMS}?page_size=0&page_number=x&page_token=y")
    assert [item["attribute"] for item in answer.json()["errors"]] == ["page_number", "page_size", "page_token"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PATCH", ROOMS, "GET, HEAD, POST"),
        ("DELETE", ROOMS, "GET, HEAD, POST"),
        ("POST", f"{ROOMS}/8f0a119a-cda7-4497-a47d-c81493b824d4", "DELETE, GET, HEAD, PUT"),
        ("POST", "/api/fabric/resources", "GET, HEAD"),
        ("PUT", "/api/project/tokens/8f0a119a-cda7-4497-a47d-c81493b824d4", "DELETE, GET, HEAD, PATCH"),
        ("POST", "/healthz", "GET, HEAD"),
    ],
)
async def test_unsupported_method_is_405_with_allow(api: httpx.AsyncClient, method: str, path: str, allow: str) -> None:
    answer = await api.request(method, path)
    assert (answer.status_code, answer.json()) == (405, {"error": "Method Not Allowed"})
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/", "/api", "/api/fabric", f"{ROOMS}/", "/api/nothing", "//", "/docs/assets/x.js"])
async def test_unknown_path_is_404(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path)
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})
