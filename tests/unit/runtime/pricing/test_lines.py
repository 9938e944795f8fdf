"""A charge's lines: what was counted at which rate, from which the charge is computed again."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.contract.measures import COUNT_NAME
from crouter.runtime.pricing.lines import KINDS, Line, lines, priced_counts
from crouter.runtime.pricing.rates import Rate, cost
from crouter.runtime.pricing.settlement import Charge, Part
from crouter.runtime.proxy.usage import UsageCounts

RATE = Rate(input=4, output=20, cache_write_5m=5, cache_write_1h=8, cache_read=2, web_search=10_000_000)
CHEAP = Rate(input=1, output=5, cache_write_5m=5, cache_write_1h=2, cache_read=1, web_search=10_000_000)

COUNT = st.none() | st.integers(0, 10**9)
COUNTS = st.builds(UsageCounts, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT)
RATES = st.builds(Rate, *[st.integers(0, 10**7)] * 6)


def charge(*parts: tuple[UsageCounts, Rate]) -> Charge:
    priced = tuple(Part("m", counts, rate, cost(counts, rate)) for counts, rate in parts)
    return Charge(sum(part.cost_nanousd for part in priced), priced, "1", ())


def test_each_kind_at_each_rate_is_one_line_and_equal_rates_are_added_up() -> None:
    counts = UsageCounts(input_tokens=10, output_tokens=3, cache_creation_5m_input_tokens=7, web_search_requests=1)
    found = priced_counts(charge((counts, RATE), (UsageCounts(10, 1, 1), CHEAP)))
    assert found == {
        "cache_write_5m_tokens.5": 8,
        "input_tokens.1": 10,
        "input_tokens.4": 10,
        "output_tokens.20": 3,
        "output_tokens.5": 1,
        "web_search_requests.10000000": 1,
    }
    assert lines(found)[:2] == (Line("input_tokens", 10, 1), Line("input_tokens", 10, 4))


def test_what_costs_nothing_has_no_line() -> None:
    assert priced_counts(charge()) == {}
    assert priced_counts(charge((UsageCounts(input_tokens=0, web_fetch_requests=4), RATE))) == {}


@given(st.lists(st.tuples(COUNTS, RATES), max_size=5))
def test_the_lines_of_a_charge_add_up_to_it(parts: list[tuple[UsageCounts, Rate]]) -> None:
    made = charge(*parts)
    found = priced_counts(made)
    assert found is not None
    assert sum(line.cost_nanousd for line in lines(found)) == made.cost_nanousd
    assert all(re.fullmatch(COUNT_NAME, name) for name in found)


def test_a_charge_of_too_many_rates_or_too_large_a_sum_has_none() -> None:
    rates = [Rate(n, n, n, n, n, 1) for n in range(1, 8)]
    assert priced_counts(charge(*((UsageCounts(1, 1, 1, 1, 1), rate) for rate in rates))) is None
    assert priced_counts(charge(*[(UsageCounts(10**12), RATE)] * 2)) is None


@pytest.mark.parametrize("name", ["", "input_tokens", "input_tokens.", "input_tokens.1.5", "mood.1", "input_tokens.-1"])
def test_a_map_of_other_counts_is_no_charge(name: str) -> None:
    with pytest.raises(ValueError, match="a kind and a rate"):
        lines({name: 1})
    assert lines({f"{kind}.1": 1 for kind in reversed(KINDS)}) == tuple(Line(kind, 1, 1) for kind in KINDS)
