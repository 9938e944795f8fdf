"""Costs are exact integers: compared with fractions of dollars computed another way."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.pricing.rates import Price, Rate, Tier, cost
from crouter.runtime.proxy.usage import UsageCounts

OPUS = Rate(input=5000, output=25000, cache_write_5m=6250, cache_write_1h=10000, cache_read=500, web_search=10_000_000)
COUNT = st.none() | st.integers(0, 10**9)
NANO = st.integers(0, 10**8)


def test_one_million_tokens_of_each_kind_cost_the_published_dollars() -> None:
    million = 10**6
    assert cost(UsageCounts(input_tokens=million), OPUS) == 5 * 10**9
    assert cost(UsageCounts(output_tokens=million), OPUS) == 25 * 10**9
    assert cost(UsageCounts(cache_creation_5m_input_tokens=million), OPUS) == 6_250_000_000
    assert cost(UsageCounts(cache_creation_1h_input_tokens=million), OPUS) == 10 * 10**9
    assert cost(UsageCounts(cache_read_input_tokens=million), OPUS) == 500_000_000
    assert cost(UsageCounts(web_search_requests=1000), OPUS) == 10 * 10**9
    assert cost(UsageCounts(web_fetch_requests=1000), OPUS) == 0


def test_nothing_reported_costs_nothing() -> None:
    assert cost(UsageCounts(), OPUS) == 0


@given(st.tuples(*[COUNT] * 6), st.tuples(*[NANO] * 6))
def test_a_cost_equals_the_sum_in_fractions_of_a_dollar(counts: tuple[int | None, ...], rates: tuple[int, ...]) -> None:
    usage = UsageCounts(
        input_tokens=counts[0],
        output_tokens=counts[1],
        cache_creation_5m_input_tokens=counts[2],
        cache_creation_1h_input_tokens=counts[3],
        cache_read_input_tokens=counts[4],
        web_search_requests=counts[5],
    )
    rate = Rate(
        input=rates[0],
        output=rates[1],
        cache_write_5m=rates[2],
        cache_write_1h=rates[3],
        cache_read=rates[4],
        web_search=rates[5],
    )
    dollars = sum(
        (Fraction(count or 0) * Fraction(nano, 10**9) for count, nano in zip(counts, rates, strict=True)), Fraction(0)
    )
    assert Fraction(cost(usage, rate), 10**9) == dollars


@pytest.mark.parametrize(("prompt", "tier"), [(0, 0), (100_000, 0), (100_001, 1), (200_000, 1), (200_001, 2)])
def test_a_tier_begins_above_its_threshold(prompt: int, tier: int) -> None:
    rates = [Rate(n, n, n, n, n, n) for n in range(3)]
    price = Price((Tier(0, rates[0]), Tier(100_000, rates[1]), Tier(200_000, rates[2])))
    assert price.rate_for(prompt) == rates[tier]
