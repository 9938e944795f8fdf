"""Asks the upstream for its usage report and its cost report, by day and model.

The shapes are those of Anthropic's Admin API (Usage and Cost API, version 2023-06-01). A count that the report has
under a name that is not known here is kept under that name: it becomes a figure like any other, and never vanishes.
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlencode

from crouter.runtime.egress import ContentChannel, EgressRefusedError, UpstreamError
from crouter.runtime.reconciliation.settings import ReportSettings

USAGE_PATH: Final = "/v1/organizations/usage_report/messages"
COST_PATH: Final = "/v1/organizations/cost_report"
DAYS_MAX: Final = 31
PAGES_MAX: Final = 50
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
BATCH_TIER: Final = "batch"
CENT_NANOUSD: Final = 10**7
# The report's names for what we keep under names of our own.
_OUR_NAMES: Final[Mapping[str, str]] = {
    "uncached_input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m_tokens",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h_tokens",
    "server_tool_use.web_search_requests": "web_search_requests",
    "server_tool_use.web_fetch_requests": "web_fetch_requests",
}


class ReportError(Exception):
    """The report cannot be had, or is none that can be read. The message holds nothing of the answer."""


Counts = dict[str, int]
Place = tuple[date, str]
"""A day and a model."""


@dataclass(slots=True)
class UsageReport:
    """What the upstream counted: in all with our keys, of that in batches, and with other keys of the organization."""

    ours: dict[Place, Counts] = field(default_factory=lambda: defaultdict(Counts))
    batches: dict[Place, Counts] = field(default_factory=lambda: defaultdict(Counts))
    others: dict[Place, Counts] = field(default_factory=lambda: defaultdict(Counts))


class AdminReport:
    """The reports of one organization. Methods raise ReportError."""

    def __init__(self, channel: ContentChannel, settings: ReportSettings) -> None:
        self._channel = channel
        self._settings = settings

    async def usage(self, first: date, last: date) -> UsageReport:
        """Usage of all days from `first` to `last`."""
        report = UsageReport()
        grouping = [("group_by[]", name) for name in ("model", "service_tier", "api_key_id")]
        async for day, result in self._results(USAGE_PATH, first, last, [("bucket_width", "1d"), *grouping]):
            model = result.get("model")
            place = (day, model if isinstance(model, str) and model else "unknown")
            key_ids = self._settings.key_ids
            is_ours = not key_ids or result.get("api_key_id") in key_ids
            for name, count in _counts(result):
                _add(report.ours if is_ours else report.others, place, name, count)
                if is_ours and result.get("service_tier") == BATCH_TIER:
                    _add(report.batches, place, name, count)
        return report

    async def costs(self, first: date, last: date) -> dict[Place, int]:
        """Costs in nanodollars of all days from `first` to `last`. Those of no model have the subject `other`."""
        costs: dict[Place, int] = defaultdict(int)
        async for day, result in self._results(COST_PATH, first, last, [("group_by[]", "description")]):
            if result.get("currency") != "USD":
                raise ReportError("a cost is not in US dollars")
            costs[day, result.get("model") or "other"] += _nanousd(result.get("amount"))
        return costs

    async def _results(
        self, path: str, first: date, last: date, parameters: list[tuple[str, str]]
    ) -> AsyncIterator[tuple[date, Mapping[str, Any]]]:
        assert (last - first).days < DAYS_MAX, "the report has so many days on a page"
        asked = [
            ("starting_at", _midnight(first)),
            ("ending_at", _midnight(last + timedelta(days=1))),
            ("limit", str(DAYS_MAX)),
            *parameters,
        ]
        page: str | None = None
        for _ in range(PAGES_MAX):
            told = await self._ask(path, [*asked, *([("page", page)] if page else [])])
            try:
                for bucket in told["data"]:
                    day = datetime.fromisoformat(bucket["starting_at"]).astimezone(UTC).date()
                    for result in bucket["results"]:
                        yield day, result
                if not told["has_more"]:
                    return
                page = str(told["next_page"])
            except (KeyError, TypeError, ValueError):
                raise ReportError("the report does not have its documented form") from None
        raise ReportError("the report does not end")

    async def _ask(self, path: str, parameters: list[tuple[str, str]]) -> Any:
        headers = (
            ("x-api-key", self._settings.key.reveal()),
            ("anthropic-version", "2023-06-01"),
            ("accept", "application/json"),
            ("user-agent", "crouter"),
        )
        try:
            answer = await self._channel.send("GET", f"{path}?{urlencode(parameters)}", headers, None)
            try:
                content = bytearray()
                async for piece in answer.pieces():
                    content += piece
                    if len(content) > ANSWER_BYTES_MAX:
                        raise ReportError("the report is too large")
            finally:
                answer.close()
        except EgressRefusedError:
            raise ReportError("the report's host is not declared in policy.yaml") from None
        except UpstreamError:
            raise ReportError("the report could not be reached") from None
        if answer.status != 200:
            raise ReportError(f"the report was refused with status {answer.status}")
        try:
            return json.loads(bytes(content))
        except ValueError:
            raise ReportError("the report is no JSON") from None


def _counts(result: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Every number of a result under our name for it, or under its own."""
    for name, value in result.items():
        inner = value.items() if isinstance(value, dict) else [("", value)]
        for below, count in inner:
            full = f"{name}.{below}" if below else name
            if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
                yield _OUR_NAMES.get(full, full), count


def _add(report: dict[Place, Counts], place: Place, name: str, count: int) -> None:
    counts = report[place]
    counts[name] = counts.get(name, 0) + count


def _nanousd(amount: object) -> int:
    """The amount is a decimal number of cents, as text; what is less than a nanodollar is rounded."""
    try:
        return int((Decimal(str(amount)) * CENT_NANOUSD).to_integral_value())
    except (InvalidOperation, ValueError, OverflowError):
        raise ReportError("a cost is no number") from None


def _midnight(day: date) -> str:
    return datetime.combine(day, time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
