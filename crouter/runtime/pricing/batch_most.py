"""The most that one request of a batch can cost, so that it can be reserved before the batch is made. Integers only.

Every byte of the request counts as a token of input at its dearest kind, and every token that it may answer with as
output. Content that is fetched by address counts more tokens than bytes: each source adds what the largest one holds.
"""

from datetime import datetime
from typing import Final

from crouter.runtime.pricing.book import PriceBook
from crouter.runtime.pricing.rates import Price, Rate
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions
from crouter.runtime.proxy.request import Accepted

# What a model answers at most; a request for more is refused upstream.
OUTPUT_TOKENS_MAX: Final = 128_000
# The longest prompt that any model reads.
INPUT_TOKENS_MAX: Final = 1_000_000
_BY_ADDRESS: Final = b'"url"'
_SEARCHES_MAX: Final = 10


def most_of_batch_entry(accepted: Accepted, params: bytes, prices: PriceBook, at: datetime) -> int:
    """Nanodollars, for an entry whose models have prices at `at`, an aware time."""
    models = [(accepted.model, accepted.options), *((model, ORDINARY) for model in accepted.further_models)]
    return sum(_most(model, options, accepted, params, prices, at) for model, options in models)


def _most(
    model: str, options: ServiceOptions, accepted: Accepted, params: bytes, prices: PriceBook, at: datetime
) -> int:
    price = prices.price_for(model, at, options)
    assert isinstance(price, Price), "a model without a price is refused before"
    grows = bool(accepted.tool_types) or _BY_ADDRESS in params
    read = INPUT_TOKENS_MAX if grows else min(len(params), INPUT_TOKENS_MAX)
    written = OUTPUT_TOKENS_MAX if accepted.max_tokens is None else accepted.max_tokens
    searches = _SEARCHES_MAX if accepted.tool_types else 0
    return max(_cost(tier.rate, read, written, searches) for tier in price.tiers)


def _cost(rate: Rate, read: int, written: int, searches: int) -> int:
    dearest = max(rate.input, rate.cache_write_5m, rate.cache_write_1h, rate.cache_read)
    return read * dearest + written * rate.output + searches * rate.web_search
