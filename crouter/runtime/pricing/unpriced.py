"""Whether everything that the upstream may run for a request has a price; asked before anything is forwarded."""

from datetime import datetime

from crouter.runtime.pricing.book import PriceBook, Unpriced
from crouter.runtime.proxy.options import ORDINARY
from crouter.runtime.proxy.request import Accepted


def unpriced_in(accepted: Accepted, prices: PriceBook, at: datetime) -> Unpriced | None:
    """The first thing without a price at `at`, an aware time: a model with its options, a further model, a tool."""
    price = prices.price_for(accepted.model, at, accepted.options)
    if isinstance(price, Unpriced):
        return price
    for model in accepted.further_models:
        price = prices.price_for(model, at, ORDINARY)
        if isinstance(price, Unpriced):
            return price
    return prices.unpriced_tool(accepted.tool_types) if accepted.tool_types else None
