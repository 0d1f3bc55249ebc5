"""What the API asks of a request as a whole and a schema cannot say, done to each request before it is sent.

Each rule here touches only what would be refused although every part of it fits the schema; all of them are tested as
refusals elsewhere. What breaks the schema is left as it was made.
"""

import json
import os
import re
import time
import uuid
from typing import Any, Final

import schemathesis
from requests.auth import _basic_auth_str
from schemathesis.core.transport import Response
from schemathesis.generation.meta import TestPhase

from parlour.domain.moment import parse_moment
from parlour.domain.subscriber import REFERENCE_MAX
from parlour.domain.ticket import GUEST_ADDRESSES_MAX, LIFE_MAX_S
from parlour.front.api.join_token_schema import EMBED_PATTERN
from parlour.front.api.subscriber_schema import EMAIL_PATTERN
from parlour.front.tickets import TOKEN_MAX

Case = schemathesis.Case[Any]

IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
NUMBER = re.compile(r"[1-9][0-9]{0,9}\Z")
KEY = re.compile(r"[!-~]{1,255}\Z")
PAGE_TOKEN = re.compile(r"(P[AB])[0-9a-f]{32}\Z")
EMAIL = re.compile(EMAIL_PATTERN[:-1] + r"\Z")
EMBED_TOKEN = re.compile(EMBED_PATTERN[:-1] + r"\Z")
NOWHERE = "PA" + "0" * 32
"""A page token of the right form: the page behind everything."""
A_WHILE_S: Final = 60
"""Longer than a request can be on its way."""

HERE: dict[str, str] = json.loads(os.environ.get("HERE", "{}"))
"""What there is to be asked for, and stays: ids and tokens by what they are of."""
KINDS = {
    "/api/fabric/resources/subscribers/": "subscriber",
    "/api/fabric/resources/": "room",
    "/api/fabric/addresses/": "address",
    "/api/fabric/embeds/": "embed",
    "/api/video/room_sessions/": "session",
    "/api/video/room_recordings/": "recording",
    "/api/project/tokens/": "api_token",
}
"""What the id in a path is of, by the path's beginning."""
SPARE: dict[str, str] = json.loads(os.environ.get("SPARE", "{}"))
"""What may be deleted: an id by the path that deletes it."""
BEARER = f"Bearer {os.environ.get('JOIN_TOKEN')}"
BASIC = _basic_auth_str(os.environ.get("PROJECT", ""), os.environ.get("API_TOKEN", ""))

started: list[str] = []
"""Recordings that were started, the latest last: only those can be paused, resumed and stopped."""
answered: set[str] = set()
"""Addresses and tokens that answers gave since something was last deleted: sequences of requests go on with these."""


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Let a request keep the rules between its parts, and name what there is."""
    _ask_for_what_exists(case)
    _give_a_token_to_later_pages(case)
    _use_each_key_once(case)
    if isinstance(case.body, dict):
        _open_before_closing(case.body, change=case.method == "PUT")
        _name_what_exists(case.body)
        _expire_in_time(case.body)
        _be_nobody_else(case.body)
        _ask_as_who_may(case, case.body)


@schemathesis.hook
def after_call(_context: schemathesis.HookContext, case: Case, response: Response) -> None:
    """Remember what an answer gave."""
    if not 200 <= response.status_code < 300:
        return
    if case.method == "DELETE":
        # It may have been of what is deleted.
        answered.clear()
    elif case.method == "GET" and case.path.endswith("/addresses"):
        answered.update(address["id"] for address in response.json()["data"])
    elif case.method == "POST" and case.path.startswith("/api/video/"):
        started.append(response.json()["id"])
    elif case.method == "POST" and case.path.startswith("/api/fabric/"):
        body = response.json()
        answered.update(body[name] for name in ("token", "refresh_token") if name in body)


def _ask_for_what_exists(case: Case) -> None:
    # Random ids find nothing, and 404 would hide what becomes of the rest of the request. Sequences of requests have
    # the ids of what they made.
    given = str(case.path_parameters.get("id"))
    sequence = case.meta is not None and case.meta.phase.name is TestPhase.STATEFUL
    if IDENTIFIER.match(str(case.path_parameters.get("recording_id"))) and started:
        case.path_parameters["recording_id"] = started[-1]
    if not IDENTIFIER.match(given):
        return
    if case.method != "DELETE":
        if not sequence or given == HERE["own_token"]:  # whose permissions may not change either
            kind = next(kind for path, kind in KINDS.items() if case.path.startswith(path))
            case.path_parameters["id"] = HERE[kind]
    elif not sequence and case.path in SPARE:
        case.path_parameters["id"] = SPARE.pop(case.path)
    elif given in HERE.values() or case.path == "/api/fabric/resources/{id}":
        # In a sequence a resource would go too, but the check for lost ones believes only in its other path.
        case.path_parameters["id"] = str(uuid.uuid4())


def _give_a_token_to_later_pages(case: Case) -> None:
    # A page above 0 is reached through a link, and the link carries a token. Where a list is sorted by name, that
    # token is of something that has one.
    query = case.query
    if not query:
        return
    if NUMBER.match(str(query.get("page_number"))) and "page_token" not in query:
        query["page_token"] = NOWHERE
    token = PAGE_TOKEN.match(str(query.get("page_token")))
    if token and query.get("sort_by") in ("name", "display_name"):
        query["page_token"] = token[1] + uuid.UUID(HERE["room"]).hex


def _use_each_key_once(case: Case) -> None:
    # One key names one request; the same short key with many bodies would be many refusals.
    headers = case.headers
    if headers and KEY.match(str(headers.get("Idempotency-Key", ""))):
        headers["Idempotency-Key"] = uuid.uuid4().hex


def _open_before_closing(body: dict[str, Any], *, change: bool) -> None:
    # join_until must not be before join_from, be it the one of this request or the one that the room has already.
    names = ("join_from", "join_until")
    if change and any(name in body for name in names):
        for name in names:
            body.setdefault(name, None)
    try:
        opens, closes = (parse_moment(body[name]) for name in names)
    except (KeyError, TypeError, ValueError):
        return
    if closes < opens:
        body["join_from"], body["join_until"] = body["join_until"], body["join_from"]


def _name_what_exists(body: dict[str, Any]) -> None:
    # Addresses and tokens that nobody gave are none of the project's.
    address, addresses = body.get("address_id"), body.get("allowed_addresses")
    if isinstance(address, str) and IDENTIFIER.match(address):
        body["address_id"] = _known(address, "address")
    if (
        isinstance(addresses, list)
        and len(addresses) <= GUEST_ADDRESSES_MAX
        and all(isinstance(one, str) and IDENTIFIER.match(one) for one in addresses)
    ):
        body["allowed_addresses"] = [_known(one, "address") for one in addresses]
    refresh, embed = body.get("refresh_token"), body.get("token")
    if isinstance(refresh, str) and len(refresh) <= TOKEN_MAX:
        body["refresh_token"] = _known(refresh, "refresh_token")
    if isinstance(embed, str) and EMBED_TOKEN.match(embed):
        body["token"] = _known(embed, "embed_token")


def _known(given: str, kind: str) -> str:
    return given if given in answered else HERE[kind]


def _expire_in_time(body: dict[str, Any]) -> None:
    # A token's time ends in the future, but not in the far future.
    for name in ("expire_at", "expires_at"):
        moment = body.get(name)
        if isinstance(moment, int | float) and not isinstance(moment, bool) and 0 <= moment <= 2**53:
            body[name] = int(time.time()) + A_WHILE_S + moment % (LIFE_MAX_S - 2 * A_WHILE_S)


def _be_nobody_else(body: dict[str, Any]) -> None:
    # An e-mail address is one person's.
    email = body.get("email")
    if isinstance(email, str) and len(email) <= REFERENCE_MAX and EMAIL.match(email):
        name, _, host = email.partition("@")
        body["email"] = f"{name[:16]}.{uuid.uuid4().hex}@{host[:250]}"


def _ask_as_who_may(case: Case, body: dict[str, Any]) -> None:
    # Only a server makes somebody a moderator.
    if body.get("moderator") is True and case.headers.get("Authorization") == BEARER:
        case.headers["Authorization"] = BASIC
