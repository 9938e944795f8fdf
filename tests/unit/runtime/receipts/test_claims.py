"""What a receipt says, and what it never does."""

from crouter.contract.measures import MEASURES
from crouter.runtime.receipts.claims import COLUMNS, claims_of, leaves
from tests.unit.runtime.receipts.receipt_keys import COST, ISSUER, NAME, NOW, claims


def test_counts_stand_under_anthropics_names_and_what_was_not_reported_is_left_out() -> None:
    assert claims() == {
        "iss": ISSUER,
        "jti": NAME,
        "iat": 1_795_435_201,
        "occurred_at": "2026-11-23T12:00:00.250000+00:00",
        "model": "claude-sonnet-4-5",
        "service_tier": "standard",
        "usage": {
            "input_tokens": 1200,
            "output_tokens": 300,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 40},
            "cache_creation_input_tokens": 40,
            "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 2},
        },
        "further_counts": {"audio_tokens": 0},
        "currency": "USD",
        "cost_nanousd": COST,
        "price_version": "2026-11-23",
        "charged": [
            {"count": "input_tokens", "quantity": 1200, "nanousd_each": 3000},
            {"count": "output_tokens", "quantity": 300, "nanousd_each": 15000},
            {"count": "cache_creation.ephemeral_1h_input_tokens", "quantity": 40, "nanousd_each": 6000},
            {"count": "server_tool_use.web_search_requests", "quantity": 1, "nanousd_each": 10_000_000},
        ],
        "policy_digest": "d1",
    }


def test_a_policy_that_keeps_little_has_receipts_that_say_little() -> None:
    told = claims_of(NAME, ISSUER, {"input_tokens": 5}, 7, None, NOW)
    assert told.keys() == {"iss", "jti", "iat", "usage", "currency", "cost_nanousd"}


def test_every_column_of_a_receipt_is_a_measure() -> None:
    assert set(COLUMNS) == set(MEASURES)


def test_the_leaves_of_a_usage_object_have_dotted_paths() -> None:
    assert dict(leaves({"a": 1, "b": {"c": 2, "d": {"e": 3}}})) == {"a": 1, "b.c": 2, "b.d.e": 3}
