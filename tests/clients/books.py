"""Compares what the service wrote with what its upstream says it reported, attempt by attempt, field by field.

The prices are written down here once more, so that a wrong price book is seen.
"""

import uuid
from collections import Counter
from typing import Any

from crouter.simulator import Attempt
from tests.behaviour.service import Service, until

# Nanodollars: per token, and per web search. https://docs.claude.com/en/docs/about-claude/pricing
RATES: dict[str, dict[str, int]] = {
    "claude-haiku-4-5": {"input": 1_000, "output": 5_000, "write_5m": 1_250, "write_1h": 2_000, "read": 100},
    "claude-sonnet-4-5": {"input": 3_000, "output": 15_000, "write_5m": 3_750, "write_1h": 6_000, "read": 300},
    "claude-haiku-5-5": {"input": 100, "output": 500, "write_5m": 125, "write_1h": 200, "read": 10},
    "claude-opus-4-8": {"input": 5_000, "output": 25_000, "write_5m": 6_250, "write_1h": 10_000, "read": 500},
}
WEB_SEARCH = 10_000_000

COUNTED = (
    *("input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"),
    "web_search_requests",
)
Counts = dict[str, int]
Line = tuple[str, tuple[int, ...], int]


def reported(attempt: Attempt) -> Counts | None:
    """The upstream's own counts of one attempt by our column names; None if it reported nothing."""
    usage: dict[str, Any] | None = attempt.usage
    if attempt.path != "/v1/messages" or usage is None:
        return None
    split = usage.get("cache_creation") or {}
    tools = usage.get("server_tool_use") or {}
    return {
        "input_tokens": usage["input_tokens"],
        "output_tokens": usage["output_tokens"],
        "cache_write_5m_tokens": split.get("ephemeral_5m_input_tokens") or 0,
        "cache_write_1h_tokens": split.get("ephemeral_1h_input_tokens") or 0,
        "cache_read_tokens": usage.get("cache_read_input_tokens") or 0,
        "web_search_requests": tools.get("web_search_requests") or 0,
    }


def cost_nanousd(model: str, counts: Counts) -> int:
    """What the counts cost. Raises StopIteration for a model without a rate here."""
    rate = next(rates for name, rates in RATES.items() if model.startswith(name))
    return (
        counts["input_tokens"] * rate["input"]
        + counts["output_tokens"] * rate["output"]
        + counts["cache_write_5m_tokens"] * rate["write_5m"]
        + counts["cache_write_1h_tokens"] * rate["write_1h"]
        + counts["cache_read_tokens"] * rate["read"]
        + counts["web_search_requests"] * WEB_SEARCH
    )


async def assert_books_agree(service: Service, attempts: int, key_id: uuid.UUID | None = None) -> None:
    """Every attempt that reported usage has its one row and its one charge, to the token and the nanodollar, and
    nothing else has. An attempt whose client left may have less than was sent to it, never more.

    `attempts` is how many there have to be, so that books which agree are not empty ones; `key_id` the key they used,
    if it is not the service's first. At most one client may have left.
    """
    await service.simulator.ledger.settled()
    told = [(attempt, counts) for attempt in service.simulator.ledger if (counts := reported(attempt)) is not None]
    assert len(told) == attempts
    await until(lambda: len(service.rows("usage")) >= attempts)
    rows = await service.settled("usage")
    charges = [row for row in service.rows("ledger") if row["kind"] == "charge"]
    assert len(rows) == attempts
    assert {row["id"] for row in rows} == {row["id"] for row in charges}
    assert all((row["account_id"], row["api_key_id"]) == (service.account, key_id or service.key_id) for row in rows)
    costs = {row["id"]: -row["amount_nanousd"] for row in charges}
    # Requests that come at once may reach the upstream in another order: compared are lists without one.
    written = Counter(_line(row["model"], {name: row[name] or 0 for name in COUNTED}, costs[row["id"]]) for row in rows)
    whole = Counter(_told(attempt, counts) for attempt, counts in told if attempt.outcome == "complete")
    left = [_told(attempt, counts) for attempt, counts in told if attempt.outcome != "complete"]
    assert whole - written == Counter()
    assert all(_is_within(line, most) for line, most in zip((written - whole).elements(), left, strict=True))
    entries = sum(row["amount_nanousd"] for row in await service.settled("ledger"))
    assert await service.accounts.balance(service.account) == entries


def _told(attempt: Attempt, counts: Counts) -> Line:
    assert attempt.model is not None, "only answers that nobody scripted name their model"
    return _line(attempt.model, counts, cost_nanousd(attempt.model, counts))


def _line(model: str, counts: Counts, cost: int) -> Line:
    return model, tuple(counts[name] for name in COUNTED), cost


def _is_within(line: Line, most: Line) -> bool:
    return line[0] == most[0] and all(a <= b for a, b in zip((*line[1], line[2]), (*most[1], most[2]), strict=True))
