"""What a receipt says: the claims of one usage record and its charge. Content, account and key are not among them.

Counts are named as in Anthropic's usage object, by their dotted paths in it. Everything about money is an integer of
nanodollars.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from crouter.runtime.pricing.lines import lines

KIND: Final = "crouter-receipt+jwt"
CURRENCY: Final = "USD"

PATHS: Final[dict[str, str]] = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_write_5m_tokens": "cache_creation.ephemeral_5m_input_tokens",
    "cache_write_1h_tokens": "cache_creation.ephemeral_1h_input_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "web_search_requests": "server_tool_use.web_search_requests",
    "web_fetch_requests": "server_tool_use.web_fetch_requests",
}
"""By the columns of a usage record."""

COLUMNS: Final = (
    *PATHS,
    "further_counts",
    "priced_counts",
    "model",
    "service_tier",
    "occurred_at",
    "policy_digest",
)
"""The columns of a usage record that a receipt tells, where the policy declares them."""


def claims_of(
    name: str, issuer: str, row: Mapping[str, Any], cost_nanousd: int, price_version: str | None, now: datetime
) -> dict[str, Any]:
    """The claims of a record that a client calls `name`. `row` holds those of `COLUMNS` that there are.

    What was never reported is left out, and an explicit zero is not.
    """
    priced = row.get("priced_counts")
    occurred_at = row.get("occurred_at")
    told = {
        "iss": issuer,
        "jti": name,
        "iat": int(now.timestamp()),
        "occurred_at": occurred_at.astimezone(UTC).isoformat() if occurred_at else None,
        "model": row.get("model"),
        "service_tier": row.get("service_tier"),
        "usage": _usage(row),
        "further_counts": row.get("further_counts"),
        "currency": CURRENCY,
        "cost_nanousd": cost_nanousd,
        "price_version": price_version,
        "charged": None if priced is None else _charged(priced),
        "policy_digest": row.get("policy_digest"),
    }
    return {claim: value for claim, value in told.items() if value is not None}


def leaves(usage: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a usage object with its dotted path."""
    for name, value in usage.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _charged(priced: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {"count": PATHS[line.kind], "quantity": line.quantity, "nanousd_each": line.rate_nanousd}
        for line in lines(priced)
    ]


def _usage(row: Mapping[str, Any]) -> dict[str, Any]:
    usage: dict[str, Any] = {}
    for column, path in PATHS.items():
        group, _, name = path.rpartition(".")
        if row.get(column) is not None:
            (usage.setdefault(group, {}) if group else usage)[name] = row[column]
    if "cache_creation" in usage:
        usage["cache_creation_input_tokens"] = sum(usage["cache_creation"].values())
    return usage
