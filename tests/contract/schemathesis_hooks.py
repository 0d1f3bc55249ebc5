"""What the API asks of a request as a whole and a schema cannot say, done to each request before it is sent.

Each rule here touches only what would be refused although every part of it fits the schema; all of them are tested as
refusals elsewhere. What breaks the schema is left as it was made.
"""

import os
import re
import uuid
from typing import Any

import schemathesis
from schemathesis.generation.meta import TestPhase

from parlour.domain.moment import parse_moment

Case = schemathesis.Case[Any]

IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
NUMBER = re.compile(r"[1-9][0-9]{0,9}\Z")
KEY = re.compile(r"[!-~]{1,255}\Z")
NOWHERE = "PA" + "0" * 32
"""A page token of the right form: the page behind everything."""

EXISTING = {
    "/api/fabric/": os.environ.get("EXISTING_ROOM", ""),
    "/api/project/tokens": os.environ.get("EXISTING_TOKEN", ""),
}
"""What there is to be asked for, by the beginning of the path."""
SPARE = [os.environ.get("SPARE_ROOM", "")]
"""What may be deleted."""


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Let a request keep the rules between its parts."""
    _ask_for_what_exists(case)
    _give_a_token_to_later_pages(case)
    _use_each_key_once(case)
    if isinstance(case.body, dict):
        _open_before_closing(case.body, change=case.method == "PUT")


def _ask_for_what_exists(case: Case) -> None:
    # Random ids find nothing, and 404 would hide what becomes of the rest of the request. Sequences of requests have
    # the ids of what they made.
    given = str(case.path_parameters.get("id"))
    sequence = case.meta is not None and case.meta.phase.name is TestPhase.STATEFUL
    if not IDENTIFIER.match(given):
        return
    if case.method != "DELETE":
        if not sequence:
            case.path_parameters["id"] = next(known for path, known in EXISTING.items() if case.path.startswith(path))
    elif case.path == "/api/fabric/resources/{id}":
        # In a sequence the room would go too, but the check for lost resources believes only in its other path.
        case.path_parameters["id"] = SPARE.pop() if SPARE and not sequence else str(uuid.uuid4())
    elif given in EXISTING.values():
        case.path_parameters["id"] = str(uuid.uuid4())


def _give_a_token_to_later_pages(case: Case) -> None:
    # A page above 0 is reached through a link, and the link carries a token.
    query = case.query
    if query and NUMBER.match(str(query.get("page_number"))) and "page_token" not in query:
        query["page_token"] = NOWHERE


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
