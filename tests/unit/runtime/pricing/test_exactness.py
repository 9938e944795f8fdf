"""Every cost of the shipped price book, computed a second time: from its JSON, in fractions of a dollar, another way.

Whatever the book prices is tried: every model and alias, every combination of options, the second before, at and after
each date, prompts around each threshold. What genai-prices cannot confirm is listed, and a change of the list is seen.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from importlib import resources
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given, settings
from hypothesis import strategies as st

from crouter.runtime.pricing.book import PriceBook, Unpriced, shipped_price_book
from crouter.runtime.pricing.lines import lines, priced_counts
from crouter.runtime.pricing.settlement import settle
from crouter.runtime.proxy.attempt import Outcome, UsageRecordDraft
from crouter.runtime.proxy.options import ServiceOptions
from crouter.runtime.proxy.usage import UsageCounts

BOOK = shipped_price_book()
FILE: dict[str, Any] = json.loads(
    resources.files("crouter.runtime.pricing").joinpath("price_book.json").read_bytes(), parse_int=Decimal
)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NANO = Fraction(1, 10**9)
USD = Decimal("1e-9")

Row = dict[str, Any]
Options = tuple[str, str, str]


def options_of(row: Row) -> Options:
    return row.get("service_tier", "standard"), row.get("speed", "standard"), row.get("inference_geo", "global")


def moment(row: Row, name: str) -> datetime | None:
    return datetime.fromisoformat(row[name]) if name in row else None


def dates(rows: list[Row]) -> list[datetime]:
    """Noon, and the second around each date of the rows."""
    marks = {found for row in rows for name in ("from", "until") if (found := moment(row, name)) is not None}
    around = (timedelta(seconds=-1), timedelta(microseconds=-1), timedelta(0), timedelta(seconds=1))
    return [NOON, *(mark + shift for mark in sorted(marks) for shift in around)]


def row_for(rows: list[Row], options: Options, at: datetime, prompt: int) -> Row | None:
    """The one row that applies, found as a reader of the file would find it."""
    found = [
        row
        for row in rows
        if options_of(row) == options
        and ((begins := moment(row, "from")) is None or begins <= at)
        and ((ends := moment(row, "until")) is None or at < ends)
        and (prompt > row.get("above_prompt_tokens", 0) or "above_prompt_tokens" not in row)
    ]
    return max(found, key=lambda row: row.get("above_prompt_tokens", 0), default=None)


def dollars(row: Row, counts: UsageCounts) -> Fraction:
    """The cost in dollars: each count by its decimal price."""
    by_rate = {
        "input": counts.input_tokens,
        "output": counts.output_tokens,
        "cache_write_5m": counts.cache_creation_5m_input_tokens,
        "cache_write_1h": counts.cache_creation_1h_input_tokens,
        "cache_read": counts.cache_read_input_tokens,
        "web_search": counts.web_search_requests,
    }
    return sum((Fraction(row[name] * USD) * (count or 0) for name, count in by_rate.items()), Fraction(0))


CASES = [
    (name, model["prices"], options)
    for model in FILE["models"]
    for name in (model["id"], *model.get("aliases", []))
    for options in sorted({options_of(row) for row in model["prices"]})
]
LARGE = st.none() | st.integers(0, 3) | st.integers(0, 400_000) | st.integers(0, 10**12)


@st.composite
def counts_around(draw: st.DrawFn, rows: list[Row]) -> UsageCounts:
    """Any counts; half the time of a prompt within three tokens of a threshold, however it is made up."""
    output, searches = draw(LARGE), draw(st.none() | st.integers(0, 1000))
    if draw(st.booleans()):
        threshold = int(draw(st.sampled_from([row.get("above_prompt_tokens", 0) for row in rows])))
        left = max(0, threshold + draw(st.integers(-3, 3)))
        parts: list[int] = []
        for _ in range(3):
            parts.append(draw(st.integers(0, left)))
            left -= parts[-1]
        plain, five_minutes, one_hour, read = *parts, left
        return UsageCounts(plain, output, five_minutes, one_hour, read, searches)
    return UsageCounts(draw(LARGE), output, draw(LARGE), draw(LARGE), draw(LARGE), searches)


@pytest.mark.parametrize(("name", "rows", "options"), CASES, ids=[f"{case[0]}-{'-'.join(case[2])}" for case in CASES])
def test_every_cost_equals_an_independent_calculation_to_the_last_digit(
    name: str, rows: list[Row], options: Options
) -> None:
    @settings(max_examples=40, deadline=None)
    @given(counts_around(rows), st.sampled_from(dates(rows)), st.booleans())
    def equals(counts: UsageCounts, at: datetime, reported: bool) -> None:
        asked = ServiceOptions(*options)
        row = row_for(rows, options, at, counts.prompt_tokens)
        assert (row is None) == isinstance(BOOK.price_for(name, at, asked), Unpriced)
        if row is None:
            return
        told = UsageCounts(
            *(counts.input_tokens, counts.output_tokens, counts.cache_creation_5m_input_tokens),
            *(counts.cache_creation_1h_input_tokens, counts.cache_read_input_tokens, counts.web_search_requests),
            web_fetch_requests=7,
            service_tier=options[0] if reported else None,
            speed=options[1] if reported else None,
            inference_geo=options[2] if reported else None,
        )
        charge = settle(_draft(name, asked, told), BOOK, at)
        assert charge.cost_nanousd * NANO == dollars(row, counts)
        assert charge.anomalies == ()
        priced = priced_counts(charge)
        assert priced is not None
        assert sum(line.quantity * line.rate_nanousd for line in lines(priced)) * NANO == dollars(row, counts)

    equals()


def _draft(model: str, options: ServiceOptions, counts: UsageCounts) -> UsageRecordDraft:
    return UsageRecordDraft(
        model_requested=model,
        model_reported=model,
        options_requested=options,
        counts=counts,
        outcome=Outcome.COMPLETE,
        status=200,
        billable=True,
        output_is_placeholder=False,
        unknown_keys=(),
        anomalies=(),
    )


def test_the_whole_book_is_tried() -> None:
    """The cases are made from the file; what the service reads from it is the same."""
    assert {model["id"] for model in FILE["models"]} == set(BOOK.model_ids)
    for name, _, options in CASES:
        assert ServiceOptions(*options) in BOOK.options_of(name)
    assert sum(len(BOOK.options_of(name)) for name in {case[0] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("field", ["input", "output", "cache_write_5m", "cache_write_1h", "cache_read", "web_search"])
def test_a_rate_that_is_wrong_by_one_nanodollar_is_seen(field: str) -> None:
    model = FILE["models"][0]
    row = {**model["prices"][0], field: model["prices"][0][field] + 1}
    altered = {**FILE, "models": [{"id": model["id"], "prices": [row]}]}
    book = PriceBook.from_json(json.dumps(altered, default=int).encode())
    counts = UsageCounts(10**12, 1, 1, 1, 1, 1)
    charge = settle(_draft(model["id"], ServiceOptions(), counts), book, NOON)
    assert charge.cost_nanousd * NANO == dollars(row, counts)
    assert charge.cost_nanousd * NANO != dollars(model["prices"][0], counts)


# --- genai-prices: every model and date that it knows -----------------------------------------

# What stands in our book and not in genai-prices 0.2.3, beside every option: two models, and one price of the past.
UNCHECKED = {
    "claude-mythos-5 standard global: the model is not listed",
    "claude-mythos-5-1 standard global: the model is not listed",
    "claude-sonnet-5-5 standard global before 2026-10-07: another price is listed",
}


def their_cost(model: str, counts: UsageCounts, at: datetime) -> Fraction | None:
    """What their calculator makes of it; None for a model that it does not list."""
    usage = Usage(
        # They count cached tokens inside the input.
        input_tokens=counts.prompt_tokens,
        output_tokens=counts.output_tokens or 0,
        cache_write_tokens=(counts.cache_creation_5m_input_tokens or 0) + (counts.cache_creation_1h_input_tokens or 0),
        cache_write_1h_tokens=counts.cache_creation_1h_input_tokens or 0,
        cache_read_tokens=counts.cache_read_input_tokens or 0,
        web_searches=counts.web_search_requests or 0,
    )
    try:
        listed = calc_price(usage, model, provider_id="anthropic", genai_request_timestamp=at)
    except LookupError:
        return None
    return Fraction(listed.total_price)


def probes(rows: list[Row]) -> Iterator[UsageCounts]:
    """Each kind alone and all together, below, at and above each threshold."""
    for threshold in {int(row.get("above_prompt_tokens", 0)) for row in rows}:
        for prompt in {max(0, threshold - 1), threshold, threshold + 1, threshold + 7}:
            yield UsageCounts(prompt, 3)
            yield UsageCounts(0, 0, prompt)
            yield UsageCounts(0, 0, 0, prompt)
            yield UsageCounts(0, 0, 0, 0, prompt)
            yield UsageCounts(prompt, 11, 0, 0, 0, 13)


def test_every_model_that_genai_prices_knows_costs_the_same_there(capsys: pytest.CaptureFixture[str]) -> None:
    unchecked, options = set[str](), set[str]()
    for name, rows, (tier, speed, region) in CASES:
        what = f"{name} {tier} {region}"
        if (tier, speed, region) != ("standard", "standard", "global"):
            options.add(f"{what}: an option has no price there")
            continue
        for at in dates(rows):
            for counts in probes(rows):
                row = row_for(rows, (tier, speed, region), at, counts.prompt_tokens)
                theirs = their_cost(name, counts, at)
                if row is None or theirs is None:
                    unchecked.add(f"{what}: the model is not listed")
                elif theirs != dollars(row, counts):
                    ends = moment(row, "until")
                    assert ends is not None, (what, counts)
                    unchecked.add(f"{what} before {ends:%Y-%m-%d}: another price is listed")
    with capsys.disabled():
        listed = "".join(f"  {line}\n" for line in sorted(unchecked | options))
        sys.stdout.write(f"\nnot confirmed by genai-prices:\n{listed}")
    assert unchecked == UNCHECKED
