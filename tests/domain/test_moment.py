"""Moments: what RFC 3339 allows, nothing else."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.domain.moment import format_moment, parse_moment

FIRST, LAST = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - bounds of any zone
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(FIRST, LAST, timezones=offsets))
def test_any_moment_with_an_offset_is_read_as_utc(moment: datetime) -> None:
    found = parse_moment(moment.isoformat())
    assert found == moment
    assert found.tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read_back_to_the_second(moment: datetime) -> None:
    assert parse_moment(format_moment(moment)) == moment.replace(microsecond=0)


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-06", "2026-05-06T00:00:00Z"),
        ("2026-05-06T12:00:00z", "2026-05-06T12:00:00Z"),
        ("2026-05-06t12:00:00.9999999999Z", "2026-05-06T12:00:00Z"),
        ("2026-05-06T12:00:00-00:00", "2026-05-06T12:00:00Z"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_forms(text: str, expected: str) -> None:
    assert format_moment(parse_moment(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "2026", "2026-5-6", "20260506", "2026-W19-3", "2026-05-06T12:00Z", "2026-05-06T12:00:00", "2026-02-29",
        "2026-05-06 12:00:00Z", "2026-05-06T24:00:00Z", "2026-05-06T12:00:00+0200", "2026-05-06T12:00:00Z\n",
        "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:60Z", "٢٠٢٦-05-06",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not|outside|day|hour|must|month|range"):
        parse_moment(text)
