"""A stand-in for Anthropic's Usage and Cost API, with a state that tests set.

Shapes, parameters and limits are those of the documentation (Admin API, version 2023-06-01): buckets of a day with
their results, grouped as asked, in pages of `limit` buckets, with `has_more` and `next_page`.
"""

import base64
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from aiohttp import web

KEY = "sk-ant-admin01-of-a-test"
USAGE = "/v1/organizations/usage_report/messages"
COST = "/v1/organizations/cost_report"
DEFAULT_LIMIT, LIMIT_MAX = 7, 31
USAGE_DIMENSIONS = ("api_key_id", "workspace_id", "model", "service_tier", "context_window")
COST_DIMENSIONS = ("workspace_id", "description")


@dataclass
class Use:
    """What was used on a day with one key and model; counts under the report's own names."""

    day: date
    model: str
    uncached_input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0
    web_search_requests: int = 0
    api_key_id: str = "apikey_01ours"
    service_tier: str = "standard"
    further: dict[str, Any] = field(default_factory=dict)

    def result(self, groups: list[str]) -> dict[str, Any]:
        """The use as the report shows it: dimensions that were not asked for are null."""
        dimensions = {
            "api_key_id": self.api_key_id,
            "workspace_id": None,
            "model": self.model,
            "service_tier": self.service_tier,
            "context_window": "0-200k",
        }
        return {
            "uncached_input_tokens": self.uncached_input_tokens,
            "cache_creation": {
                "ephemeral_1h_input_tokens": self.ephemeral_1h_input_tokens,
                "ephemeral_5m_input_tokens": self.ephemeral_5m_input_tokens,
            },
            "cache_read_input_tokens": self.cache_read_input_tokens,
            "output_tokens": self.output_tokens,
            "server_tool_use": {"web_search_requests": self.web_search_requests},
            **self.further,
            **{name: value if name in groups else None for name, value in dimensions.items()},
        }


@dataclass
class Cost:
    """What a day's use of a model cost: cents as a decimal number."""

    day: date
    model: str | None
    amount_cents: str
    token_type: str | None = "output_tokens"

    def result(self, groups: list[str]) -> dict[str, Any]:
        is_told = "description" in groups
        return {
            "currency": "USD",
            "amount": self.amount_cents,
            "workspace_id": None,
            "description": f"{self.model} Usage" if is_told else None,
            "cost_type": "tokens" if is_told else None,
            "context_window": "0-200k" if is_told else None,
            "model": self.model if is_told else None,
            "service_tier": "standard" if is_told else None,
            "token_type": self.token_type if is_told else None,
        }


@dataclass
class AnthropicAdmin:
    """The organization."""

    uses: list[Use] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    page_buckets: int = LIMIT_MAX
    """How many buckets a page has at most, so that tests can have several pages."""
    status: int = 200
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its address, until the block ends."""
        app = web.Application()
        app.router.add_get(USAGE, self._usage)
        app.router.add_get(COST, self._cost)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()

    async def _usage(self, request: web.Request) -> web.Response:
        return self._report(request, self.uses, USAGE_DIMENSIONS)

    async def _cost(self, request: web.Request) -> web.Response:
        return self._report(request, self.costs, COST_DIMENSIONS)

    def _report(self, request: web.Request, rows: list[Any], dimensions: tuple[str, ...]) -> web.Response:
        self.asked.append(request.path_qs)
        if request.headers.get("x-api-key") != KEY:
            return _error(401, "authentication_error", "invalid x-api-key")
        if request.headers.get("anthropic-version") != "2023-06-01":
            return _error(400, "invalid_request_error", "anthropic-version: header is required")
        if self.status != 200:
            return _error(self.status, "api_error", "Internal server error")
        query = request.query
        groups = query.getall("group_by[]", [])
        if "starting_at" not in query or not set(groups) <= set(dimensions):
            return _error(400, "invalid_request_error", "starting_at and known groups are required")
        limit = int(query.get("limit", DEFAULT_LIMIT))
        if not 1 <= limit <= LIMIT_MAX:
            return _error(400, "invalid_request_error", "limit: Input should be less than or equal to 31")
        first, end = _day(query["starting_at"]), _day(query["ending_at"])
        start = _day(base64.b64decode(query["page"].removeprefix("page_")).decode()) if "page" in query else first
        days = list(_days(start, end))
        shown = days[: min(limit, self.page_buckets)]
        rest = days[len(shown) :]
        by_day = defaultdict(list)
        for row in rows:
            by_day[row.day].append(row.result(groups))
        return web.json_response(
            {
                "data": [
                    {
                        "starting_at": _text(day),
                        "ending_at": _text(day + timedelta(days=1)),
                        "results": by_day[day],
                    }
                    for day in shown
                ],
                "has_more": bool(rest),
                "next_page": f"page_{base64.b64encode(_text(rest[0]).encode()).decode()}" if rest else None,
            }
        )


def _error(status: int, kind: str, text: str) -> web.Response:
    return web.json_response({"type": "error", "error": {"type": kind, "message": text}}, status=status)


def _days(first: date, end: date) -> Iterator[date]:
    while first < end:
        yield first
        first += timedelta(days=1)


def _day(text: str) -> date:
    return datetime.fromisoformat(text).astimezone(UTC).date()


def _text(day: date) -> str:
    return datetime.combine(day, time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
