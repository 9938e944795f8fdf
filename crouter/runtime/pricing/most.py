"""The most that a request can cost, in nanodollars, known before it is forwarded: what is reserved for it.

A token of text stands for at least one byte of the body, so that the body's length bounds what is read; what is written
is bound by `max_tokens`. Pictures count for more than their bytes may say. What can bring in more than the body holds -
documents, things behind an address or a file id, tools that the upstream runs - is bound by the model's context window.
What a body says of all that is in `proxy/cost_factors.py`.

A loop of server tools reads its prompt again with each turn; here that is bound as one full window. What an upstream
reports beyond the bound is charged as reported.
"""

from datetime import datetime
from typing import Final

from crouter.runtime.pricing.book import PriceBook
from crouter.runtime.pricing.rates import Price, Rate
from crouter.runtime.proxy.cost_factors import CostFactors, factors_of
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions
from crouter.runtime.proxy.request import Accepted

WINDOW_TOKENS: Final = 1_000_000
"""The longest context window of any model."""
OUTPUT_TOKENS_MAX: Final = 128_000
"""The most that a model writes where a request does not say."""
IMAGE_TOKENS_MAX: Final = 5_000
"""The most that one picture counts for, after the upstream has scaled it down."""
OVERHEAD_TOKENS: Final = 4_096
"""What the upstream adds by itself: instructions for tools, separators."""


def most_it_can_cost(accepted: Accepted, body: bytes, prices: PriceBook, at: datetime) -> int:
    """Nanodollars. Every model of the request has a price at `at`, an aware time, or it would have been refused."""
    factors = accepted.factors
    if factors is None:
        factors = factors_of(body)
    tokens = WINDOW_TOKENS
    if not factors.opens:
        tokens = min(tokens, len(body) + factors.images * IMAGE_TOKENS_MAX + OVERHEAD_TOKENS)
    output = OUTPUT_TOKENS_MAX if accepted.max_tokens is None else accepted.max_tokens
    asked = _cost(prices, accepted.model, accepted.options, at, tokens, output, factors)
    further = [_cost(prices, model, ORDINARY, at, tokens, output, factors) for model in accepted.further_models]
    if not factors.any_model:
        return asked + sum(further)
    # A fallback or an advisor runs beside what was asked for; of those that the upstream may choose it runs one.
    chosen = [_cost(prices, model, ORDINARY, at, tokens, output, factors) for model in prices.model_ids]
    return asked + max((asked, *further, *chosen))


def _cost(
    prices: PriceBook, model: str, options: ServiceOptions, at: datetime, tokens: int, output: int, factors: CostFactors
) -> int:
    price = prices.price_for(model, at, options)
    if not isinstance(price, Price):
        return 0
    most = 0
    is_shortest = True
    for tier in price.tiers:
        # A short prompt may be dearer than its bound says only if rates fell with length.
        if is_shortest or tier.above_prompt_tokens < tokens:
            rate = tier.rate
            read = factors.rounds * (tokens * _dearest(rate, factors) + output * rate.output)
            most = max(most, read + factors.searches * rate.web_search)
        is_shortest = False
    return most


def _dearest(rate: Rate, factors: CostFactors) -> int:
    """What a token that is read costs at most: written to the cache only where the request asks for it."""
    dearest = max(rate.input, rate.cache_read)
    if factors.writes_5m:
        dearest = max(dearest, rate.cache_write_5m)
    if factors.writes_1h:
        dearest = max(dearest, rate.cache_write_1h)
    return dearest
