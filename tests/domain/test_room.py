"""The rules between a room's settings."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.domain.errors import InvalidInput
from parlour.domain.room import RoomSettings

moments = st.none() | st.datetimes(timezones=st.just(UTC))
changes = st.fixed_dictionaries(
    {},
    optional={
        "display_name": st.text(max_size=5),
        "max_members": st.integers(0, 300),
        "join_from": moments,
        "join_until": moments,
        "remove_at": moments,
        "sync_audio_video": st.none() | st.booleans(),
        "meta": st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    },
)
NEW: dict[str, Any] = {"name": "a", "enable_room_previews": True}


@given(changes)
def test_a_window_never_ends_before_it_begins(given_fields: dict[str, Any]) -> None:
    start, end = given_fields.get("join_from"), given_fields.get("join_until")
    if start and end and end < start:
        with pytest.raises(InvalidInput) as caught:
            RoomSettings.created(NEW | given_fields)
        [problem] = caught.value.problems
        assert (problem.code, problem.attribute) == ("invalid_join_until_date", "join_until")
    else:
        assert RoomSettings.created(NEW | given_fields).join_until == end


@given(changes, changes)
def test_an_update_changes_what_it_names_and_nothing_else(first: dict[str, Any], second: dict[str, Any]) -> None:
    try:
        before = RoomSettings.created(NEW | first)
        after = before.updated(second)
    except InvalidInput:
        return
    for field in RoomSettings.__dataclass_fields__:
        assert getattr(after, field) == second.get(field, getattr(before, field))


def test_the_display_name_is_the_name_unless_given() -> None:
    assert RoomSettings.created(NEW).display_name == "a"
    assert RoomSettings.created(NEW | {"display_name": ""}).display_name == ""


def test_the_end_of_a_window_may_be_its_beginning() -> None:
    noon = datetime(2026, 5, 6, 12, tzinfo=UTC)
    assert RoomSettings.created(NEW | {"join_from": noon, "join_until": noon}).join_from == noon
