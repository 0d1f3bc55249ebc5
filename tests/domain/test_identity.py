"""Identifiers that sort by time."""

from hypothesis import given
from hypothesis import strategies as st

from parlour.domain.identity import time_ordered_id

milliseconds = st.integers(0, 2**48 - 1)
randomness = st.integers(0, 2**80 - 1)


@given(milliseconds, randomness)
def test_it_is_a_uuid_of_version_7(moment: int, random: int) -> None:
    made = time_ordered_id(moment, random)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == moment


@given(milliseconds, milliseconds, randomness, randomness)
def test_they_sort_by_time(one: int, other: int, random: int, more: int) -> None:
    if one < other:
        assert time_ordered_id(one, random) < time_ordered_id(other, more)


@given(milliseconds, randomness, randomness)
def test_all_the_randomness_counts(moment: int, one: int, other: int) -> None:
    same = one & (2**74 - 1) == other & (2**74 - 1)
    assert (time_ordered_id(moment, one) == time_ordered_id(moment, other)) is same
