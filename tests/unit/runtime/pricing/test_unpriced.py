"""Whatever the upstream may run for a request needs a price before it is asked."""

from datetime import UTC, datetime

import pytest

from crouter.runtime.pricing.book import Unpriced, shipped_price_book
from crouter.runtime.pricing.unpriced import unpriced_in
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions
from crouter.runtime.proxy.request import Accepted

BOOK = shipped_price_book()
AT = datetime(2026, 11, 1, tzinfo=UTC)
MODEL = "claude-haiku-4-5"


@pytest.mark.parametrize(
    ("accepted", "subject"),
    [
        (Accepted("claude-imaginary", False, 9, ORDINARY), "model"),
        (Accepted(MODEL, False, 9, ServiceOptions(speed="fast")), "speed"),
        (Accepted(MODEL, False, 9, ServiceOptions(service_tier="batch", speed="fast")), "speed"),
        (Accepted(MODEL, False, 9, ORDINARY, further_models=("claude-imaginary",)), "model"),
        (Accepted(MODEL, False, 9, ORDINARY, tool_types=("code_execution_20260521",)), "tool"),
    ],
)
def test_the_first_thing_without_a_price_is_named(accepted: Accepted, subject: str) -> None:
    assert unpriced_in(accepted, BOOK, AT) == Unpriced(subject)


@pytest.mark.parametrize("options", [ORDINARY, ServiceOptions(service_tier="batch")])
def test_what_has_prices_for_everything_goes_on(options: ServiceOptions) -> None:
    assert unpriced_in(Accepted(MODEL, False, 9, options, ("claude-opus-4-8",), ("web_search_1",)), BOOK, AT) is None
