"""What two versions side by side say of their difference."""

import pytest
from benchmarks.versions import differences


def test_the_middle_of_the_differences_counts_not_the_difference_of_the_middles() -> None:
    turns = [({"all": slow}, {"all": slow - 0.01}) for slow in (0.34, 0.45, 0.36)]
    turns.append(({"all": 0.30}, {"all": 0.40}))
    found = differences(turns)["all"]
    assert found.middle == pytest.approx(-0.01)
    assert tuple(found) == pytest.approx((0.35, 0.375, -0.01, -0.01, 0.1))
