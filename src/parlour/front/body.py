"""Request bodies: JSON objects, read with suspicion."""

import asyncio
import json
from typing import Any

from starlette.requests import Request

from parlour.domain.errors import InvalidInput, Problem, TooLarge, TooSlow
from parlour.front.header import header

BODY_MAX = 64 * 1024
"""Bytes. The largest room that can be described takes about 30 KiB."""
BODY_WAIT_S = 15.0
"""How long a whole body may take to arrive."""


class _UnparsableError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _UnparsableError("a key appears twice in one object")
    return found


def _no_constant(name: str) -> float:
    raise _UnparsableError(f"{name} is not JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


async def read_object(request: Request) -> tuple[dict[str, Any], bytes]:
    """Read the request's body as a JSON object; give it with its bytes.

    Raises ``TooLarge`` over ``BODY_MAX``, ``TooSlow`` after ``BODY_WAIT_S``, and ``InvalidInput`` with code
    ``not_parsable`` for what is no JSON object in plain UTF-8, or has a key twice.
    """
    _check_type(request)
    raw = await _read(request)
    try:
        found = _decoder.decode(raw.decode())
    except UnicodeDecodeError:
        raise _not_parsable("the body is not UTF-8") from None
    except RecursionError:
        raise _not_parsable("the body nests too deep") from None
    except json.JSONDecodeError as error:
        raise _not_parsable(f"the body is not JSON: {error}") from None
    except ValueError as error:  # a number of thousands of digits, besides our own
        raise _not_parsable(f"the body is not JSON that can be kept: {error}") from None
    if not isinstance(found, dict):
        raise _not_parsable("the body must be a JSON object")
    return found, raw


async def read_object_or_nothing(request: Request) -> dict[str, Any]:
    """As ``read_object``, for a request that need not have a body; without one it says nothing."""
    if header(request, b"transfer-encoding") is None and (header(request, b"content-length") or "0") == "0":
        return {}
    return (await read_object(request))[0]


def _check_type(request: Request) -> None:
    encoding = header(request, b"content-encoding")
    if encoding is not None and encoding.lower() != "identity":
        raise _not_parsable("a compressed body is not accepted; send it plain")
    kind, _, parameters = (header(request, b"content-type") or "").lower().partition(";")
    if kind.strip() != "application/json":
        raise _not_parsable("the body must be JSON, with Content-Type: application/json")
    charset = parameters.partition("charset=")[2].split(";")[0].strip(' "')
    if charset not in {"", "utf-8", "utf8"}:
        raise _not_parsable("the body must be UTF-8")


async def _read(request: Request) -> bytes:
    declared = header(request, b"content-length") or "0"
    if declared.isdecimal() and int(declared[:20]) > BODY_MAX:
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            more = True
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise _not_parsable("the body ended early")
                part = message.get("body", b"")
                more = message.get("more_body", False)
                size += len(part)
                if size > BODY_MAX:
                    raise TooLarge
                parts.append(part)
    except TimeoutError:
        raise TooSlow from None
    return b"".join(parts)


def _not_parsable(message: str) -> InvalidInput:
    return InvalidInput(Problem("not_parsable", message))
