"""Each feature whose cost is measured is done where the bench looks for it."""

import pytest

from bench.proxying.variant import FEATURES, is_known, leave_out


@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_is_known_where_it_is_done(feature: str) -> None:
    assert is_known(feature)


def test_a_feature_that_is_done_nowhere_is_refused() -> None:
    assert not is_known("telepathy")
    with pytest.raises(LookupError, match="telepathy"):
        leave_out("telepathy")
