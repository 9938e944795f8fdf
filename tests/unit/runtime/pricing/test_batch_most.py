"""The most that an entry of a batch can cost is never less than what it costs, and is half of the ordinary most."""

from datetime import UTC, datetime

import pytest

from crouter.runtime.pricing.batch_most import INPUT_TOKENS_MAX, most_of_batch_entry
from crouter.runtime.pricing.book import shipped_price_book
from crouter.runtime.pricing.rates import Price, cost
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions
from crouter.runtime.proxy.request import Accepted
from crouter.runtime.proxy.usage import UsageCounts

BOOK = shipped_price_book()
AT = datetime(2026, 11, 1, tzinfo=UTC)
BATCH = ServiceOptions(service_tier="batch")


@pytest.mark.parametrize("model", BOOK.model_ids)
def test_no_way_to_use_what_was_asked_costs_more(model: str) -> None:
    params = b"x" * 1000
    most = most_of_batch_entry(Accepted(model, False, 50, BATCH), params, BOOK, AT)
    price = BOOK.price_for(model, AT, BATCH)
    assert isinstance(price, Price)
    for tier in price.tiers:
        for counts in (
            UsageCounts(input_tokens=len(params), output_tokens=50),
            UsageCounts(cache_creation_5m_input_tokens=len(params), output_tokens=50),
            UsageCounts(cache_creation_1h_input_tokens=len(params), output_tokens=50),
        ):
            assert cost(counts, tier.rate) <= most


@pytest.mark.parametrize("model", BOOK.model_ids)
def test_every_model_has_a_batch_price_of_half_each_rate_rounded_down(model: str) -> None:
    for options in (ORDINARY, ServiceOptions(inference_geo="us")):
        ordinary = BOOK.price_for(model, AT, options)
        batch = BOOK.price_for(model, AT, ServiceOptions("batch", "standard", options.inference_geo))
        if not isinstance(ordinary, Price):
            assert not isinstance(batch, Price)
            continue
        assert isinstance(batch, Price)
        for dear, cheap in zip(ordinary.tiers, batch.tiers, strict=True):
            assert dear.above_prompt_tokens == cheap.above_prompt_tokens
            for kind in ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read"):
                assert getattr(cheap.rate, kind) == getattr(dear.rate, kind) // 2
            assert cheap.rate.web_search == dear.rate.web_search


def test_what_is_fetched_by_address_may_fill_the_whole_prompt() -> None:
    accepted = Accepted("claude-haiku-4-5", False, 0, BATCH)
    short = most_of_batch_entry(accepted, b'{"source":{"type":"text"}}', BOOK, AT)
    fetched = most_of_batch_entry(accepted, b'{"source":{"type":"url","url":"https://a.example"}}', BOOK, AT)
    assert fetched >= 1000 * INPUT_TOKENS_MAX // 2 > 100 * short


def test_a_further_model_is_reserved_for_as_well() -> None:
    one = most_of_batch_entry(Accepted("claude-haiku-4-5", False, 50, BATCH), b"{}", BOOK, AT)
    two = most_of_batch_entry(
        Accepted("claude-haiku-4-5", False, 50, BATCH, further_models=("claude-opus-4-8",)), b"{}", BOOK, AT
    )
    assert two > 2 * one
