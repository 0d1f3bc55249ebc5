"""Identifiers that sort by time."""

from hypothesis import given
from hypothesis import strategies as st

from parlour.domain.identity import made_at, time_ordered_id

nanoseconds = st.integers(0, (2**48 - 1) * 10**6)
randomness = st.integers(0, 2**64 - 1)


@given(nanoseconds, randomness)
def test_it_is_a_uuid_of_version_7(moment: int, random: int) -> None:
    made = time_ordered_id(moment, random)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == moment // 10**6
    assert made_at(made) == moment // 10**6 / 1000


@given(nanoseconds, st.integers(250, 10**12), randomness, randomness)
def test_they_sort_by_time_to_the_quarter_of_a_microsecond(moment: int, later: int, random: int, more: int) -> None:
    if moment + later < (2**48 - 1) * 10**6:
        assert time_ordered_id(moment, random) < time_ordered_id(moment + later, more)


@given(nanoseconds, randomness, randomness)
def test_all_the_randomness_counts(moment: int, one: int, other: int) -> None:
    same = one & (2**62 - 1) == other & (2**62 - 1)
    assert (time_ordered_id(moment, one) == time_ordered_id(moment, other)) is same
