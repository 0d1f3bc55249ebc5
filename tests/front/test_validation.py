"""Every value of every field is either kept as it was given or refused by name; never changed, never a failure."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.domain.errors import InvalidInput
from parlour.domain.moment import parse_moment
from parlour.domain.room import Layout, Quality, RoomSettings
from parlour.front.api.room_schema import ConferenceRoomCreateRequest, ConferenceRoomUpdateRequest, named
from parlour.front.errors import CODES
from parlour.front.problems import validate

FIELDS = list(ConferenceRoomCreateRequest.model_fields)
any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | any_text
likely = st.sampled_from(
    [*Layout, *Quality, "20", "30", 20, 30, 0, 1, 300, 301, 200_000, 2**31, 2**63, "2026-05-06T12:00:00Z", "2026-05-06"]
)
anything = st.recursive(
    likely | scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400)
@given(st.sampled_from(FIELDS), anything)
def test_one_field(field: str, value: Any) -> None:
    given_fields = {"name": "a", "enable_room_previews": False, field: value}
    try:
        found = named(validate(ConferenceRoomCreateRequest, given_fields))
    except InvalidInput as refusal:
        [problem] = refusal.problems
        assert problem.attribute == field
        assert problem.code in CODES
        assert problem.message.startswith(field)
        assert "{" not in problem.message
        return
    kept = found[field]
    match field:
        case "name":
            assert kept == value.strip() != ""
        case "join_from" | "join_until" | "remove_at":
            assert kept == (value and parse_moment(value))
            assert value is None or isinstance(kept, datetime)
        case "description":
            assert kept == (value or "")
        case "meta":
            assert kept == (value or {})
            assert len(json.dumps(dict(kept))) < 20_000
        case "fps":
            assert kept == int(value)
        case _:
            assert kept == value
            assert isinstance(kept, bool) == isinstance(value, bool)
    RoomSettings.created(found)


@given(st.dictionaries(st.sampled_from([*FIELDS, "unknown"]), anything))
def test_every_wrong_field_is_named_once_in_order(given_fields: dict[str, Any]) -> None:
    wrong = []
    for field in ConferenceRoomUpdateRequest.model_fields:
        if field in given_fields:
            try:
                validate(ConferenceRoomUpdateRequest, {field: given_fields[field]})
            except InvalidInput:
                wrong.append(field)
    if wrong:
        with pytest.raises(InvalidInput) as caught:
            validate(ConferenceRoomUpdateRequest, given_fields)
        assert [problem.attribute for problem in caught.value.problems] == wrong
    else:
        assert set(validate(ConferenceRoomUpdateRequest, given_fields).model_fields_set) == set(given_fields) - {
            "unknown"
        }
