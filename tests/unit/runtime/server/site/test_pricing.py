"""Limits are published in words, whatever limits there are."""

from crouter.contract.traffic import Limits
from crouter.runtime.server.site.pricing import limits_in_words


def test_every_limit_is_published() -> None:
    limits = Limits(requests_per_minute=50, requests_per_hour=1000, requests_per_day=10_000)
    assert limits_in_words(limits)[:3] == (
        ("50 requests", "a minute"),
        ("1,000 requests", "an hour"),
        ("10,000 requests", "a day"),
    )
