"""The price book: its form, its look-up, and the shipped one against an independent price list."""

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from importlib import resources
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers
from hypothesis import given, settings
from hypothesis import strategies as st

from crouter.runtime.pricing.book import PriceBook, PriceBookError, Unpriced, shipped_price_book
from crouter.runtime.pricing.rates import Price, Rate, cost
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions
from crouter.runtime.proxy.usage import UsageCounts

ROW = {"input": 1, "output": 2, "cache_write_5m": 3, "cache_write_1h": 4, "cache_read": 5, "web_search": 6}
US = ServiceOptions("standard", "standard", "us")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MARCH = datetime(2026, 3, 13, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 7, tzinfo=UTC)

SHIPPED = shipped_price_book()


def book_of(*models: dict[str, Any], **members: Any) -> PriceBook:
    file = {"version": "1", "unit": "nanousd", "source": "a test", "models": list(models), **members}
    return PriceBook.from_json(json.dumps(file).encode())


def model_of(*rows: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"id": "m", "prices": [{**ROW, **row} for row in rows], **members}


def test_what_is_in_the_book_has_its_price() -> None:
    price = book_of(model_of({})).price_for("m", NOON)
    assert isinstance(price, Price)
    assert asdict(price.rate_for(10**9)) == ROW


def test_an_unknown_model_has_no_price() -> None:
    book = book_of(model_of({}))
    assert book.price_for("m-20260101", NOON) == Unpriced("model")
    assert book.canonical("M") is None
    assert Unpriced("model").message == "model: has no price here, so the request was not forwarded"


def test_an_alias_is_exact_and_declared() -> None:
    book = book_of(model_of({}, aliases=["m-20260101"]))
    assert book.price_for("m-20260101", NOON) == book.price_for("m", NOON)
    assert book.canonical("m-20260101") == "m"
    assert book.canonical("m-2026010") is None
    assert book.model_ids == ("m",)


def test_prices_change_at_their_date_and_not_a_microsecond_before() -> None:
    book = book_of(model_of({"until": "2026-03-13T00:00:00Z"}, {"from": "2026-03-13T00:00:00Z", "input": 9}))
    before, after = book.price_for("m", MARCH - timedelta(microseconds=1)), book.price_for("m", MARCH)
    assert isinstance(before, Price)
    assert isinstance(after, Price)
    assert (before.rate_for(0).input, after.rate_for(0).input) == (1, 9)


def test_before_its_first_price_and_after_its_last_a_model_has_none() -> None:
    book = book_of(model_of({"from": "2026-03-13T00:00:00Z", "until": "2026-10-07T00:00:00Z"}))
    assert book.price_for("m", MARCH - timedelta(seconds=1)) == Unpriced("model")
    assert isinstance(book.price_for("m", OCTOBER - timedelta(seconds=1)), Price)
    assert book.price_for("m", OCTOBER) == Unpriced("model")


@pytest.mark.parametrize(
    ("options", "subject"),
    [
        (ServiceOptions(speed="fast"), "speed"),
        (ServiceOptions(inference_geo="eu"), "inference_geo"),
        (ServiceOptions(service_tier="batch"), "service_tier"),
    ],
)
def test_an_option_without_a_row_is_refused_by_name(options: ServiceOptions, subject: str) -> None:
    book = book_of(model_of({}, {"inference_geo": "us", "input": 7}))
    assert book.price_for("m", NOON, options) == Unpriced(subject)
    priced = book.price_for("m", NOON, US)
    assert isinstance(priced, Price)
    assert priced.rate_for(0).input == 7
    assert book.options_of("m") == (ORDINARY, US)


def test_of_two_options_the_one_without_a_price_is_named() -> None:
    book = book_of(model_of({}, {"inference_geo": "us"}))
    assert book.price_for("m", NOON, ServiceOptions("priority", "standard", "us")) == Unpriced("service_tier")
    assert book.price_for("m", NOON, ServiceOptions("standard", "fast", "us")) == Unpriced("speed")


def test_a_tool_whose_price_no_answer_reports_is_refused() -> None:
    book = book_of(model_of({}), unpriced_tools=["code_execution_"])
    assert book.unpriced_tool(("web_search_20260318", "code_execution_20260521")) == Unpriced("tool")
    assert book.unpriced_tool(("web_search_20260318",)) is None
    assert book_of(model_of({})).unpriced_tool(("code_execution_20260521",)) is None


def test_the_digest_is_that_of_the_file() -> None:
    source = resources.files("crouter.runtime.pricing").joinpath("price_book.json").read_bytes()
    assert SHIPPED.digest == hashlib.sha256(source).hexdigest()
    assert SHIPPED.version == "2026-11-23"


BAD: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    ("the unit is nanousd", [model_of({})], {"unit": "usd"}),
    ("unknown field", [model_of({})], {"extra": 1}),
    ("unknown field", [model_of({"inputs": 1})], {}),
    ("Expected `int`", [model_of({"input": 1.5})], {}),
    ("Expected `int`", [model_of({"input": "1"})], {}),
    (">= 0", [model_of({"input": -1})], {}),
    ("missing required field", [{"id": "m", "prices": [{"input": 1}]}], {}),
    ("regex", [model_of({}, id="a b")], {}),
    ("timezone", [model_of({"from": "2026-03-13T00:00:00"})], {}),
    ("m is named twice", [model_of({}), model_of({})], {}),
    ("m is named twice", [model_of({}, aliases=["m"])], {}),
    ("no price without options", [model_of({"speed": "fast"})], {}),
    ("tiers rise from zero", [model_of({"above_prompt_tokens": 5})], {}),
    ("tiers rise from zero", [model_of({}, {})], {}),
    ("ends before it begins", [model_of({"from": "2026-03-13T00:00:00Z", "until": "2026-03-13T00:00:00Z"})], {}),
    ("two prices for the same time", [model_of({}, {"from": "2026-03-13T00:00:00Z"})], {}),
]


@pytest.mark.parametrize(("words", "models", "members"), BAD)
def test_a_bad_book_is_refused(words: str, models: list[dict[str, Any]], members: dict[str, Any]) -> None:
    with pytest.raises(PriceBookError, match=words):
        book_of(*models, **members)


def test_a_book_that_is_no_json_is_refused() -> None:
    with pytest.raises(PriceBookError):
        PriceBook.from_json(b"{")


# --- the shipped book -------------------------------------------------------------------------

# In the public price page, not in genai-prices 0.2.3 (2026-11-23).
NOT_LISTED_THERE = {"claude-mythos-5", "claude-mythos-5-1"}

# In genai-prices, retired at the API (Anthropic's deprecation dates), so nobody can be charged for them.
RETIRED = {
    "claude-2",
    "claude-3-5-haiku-latest",
    "claude-3-5-sonnet",
    "claude-3-7-sonnet-latest",
    "claude-3-haiku",
    "claude-3-opus-latest",
    "claude-3-sonnet",
    "claude-opus-4-0",
    "claude-opus-4-1",
    "claude-sonnet-4-0",
    "claude-v1",
}

# (model, before this date) where genai-prices has no history, and the field that differs: the cache read
# of Sonnet 5.5 was cut from $0.20 to $0.10 on 2026-10-07 (seen 2026-11-23).
DISAGREEMENTS = {("claude-sonnet-5-5", OCTOBER): "cache_read"}

FIELDS = {
    "input": ("input_tokens",),
    "output": ("output_tokens",),
    "cache_write_5m": ("input_tokens", "cache_write_tokens"),
    "cache_write_1h": ("input_tokens", "cache_write_tokens", "cache_1h_write_tokens"),
    "cache_read": ("input_tokens", "cache_read_tokens"),
}


def disagrees(model: str, at: datetime, field: str) -> bool:
    return any(name == model and at < until and field == known for (name, until), known in DISAGREEMENTS.items())


def theirs() -> dict[str, Any]:
    anthropic = next(provider for provider in providers if provider.id == "anthropic")
    return {model.id: model for model in anthropic.models}


def their_model(model: str) -> Any:
    return next((known for known in theirs().values() if known.is_match(model)), None)


def their_rate(model: str, at: datetime, long_prompt: bool) -> dict[str, Fraction]:
    """Their published prices in nanodollars, read from their table and not through their arithmetic."""
    prices = their_model(model).get_prices(at)
    names = {
        "input": "input_mtok",
        "output": "output_mtok",
        "cache_write_5m": "cache_write_mtok",
        "cache_write_1h": "cache_write_1h_mtok",
        "cache_read": "cache_read_mtok",
        "web_search": "web_searches_kcount",
    }
    rates = {}
    for field, name in names.items():
        value = getattr(prices, name)
        if hasattr(value, "tiers"):
            value = value.tiers[-1].price if long_prompt else value.base
        rates[field] = Fraction(value) * (10**6 if field == "web_search" else 10**3)
    return rates


def ours(model: str, at: datetime, long_prompt: bool) -> Rate:
    price = SHIPPED.price_for(model, at)
    assert isinstance(price, Price)
    return price.rate_for(10**9 if long_prompt else 0)


LISTED = [model for model in SHIPPED.model_ids if model not in NOT_LISTED_THERE]
DATES = [MARCH - timedelta(days=1), MARCH, OCTOBER - timedelta(days=1), OCTOBER, NOON]


@pytest.mark.parametrize("long_prompt", [False, True])
@pytest.mark.parametrize("at", DATES)
@pytest.mark.parametrize("model", LISTED)
def test_every_rate_equals_genai_prices_to_the_last_digit(model: str, at: datetime, long_prompt: bool) -> None:
    mine, listed = asdict(ours(model, at, long_prompt)), their_rate(model, at, long_prompt)
    for field, rate in mine.items():
        assert (Fraction(rate) == listed[field]) != disagrees(model, at, field), field


@pytest.mark.parametrize("model", LISTED)
def test_tiers_begin_where_genai_prices_says(model: str) -> None:
    for at in DATES:
        price = SHIPPED.price_for(model, at)
        assert isinstance(price, Price)
        value = their_model(model).get_prices(at).input_mtok
        starts = [0, *(tier.start for tier in getattr(value, "tiers", []))]
        assert [tier.above_prompt_tokens for tier in price.tiers] == starts


def test_each_listed_difference_is_one() -> None:
    for model in NOT_LISTED_THERE:
        assert SHIPPED.canonical(model) == model
        assert their_model(model) is None
    assert {known for known in theirs() if SHIPPED.canonical(known) is None} == RETIRED
    for (model, until), field in DISAGREEMENTS.items():
        before = until - timedelta(seconds=1)
        assert asdict(ours(model, before, False))[field] != their_rate(model, before, False)[field]


def test_mythos_costs_what_its_fable_costs() -> None:
    for mythos, fable in (("claude-mythos-5", "claude-fable-5"), ("claude-mythos-5-1", "claude-fable-5-1")):
        assert SHIPPED.price_for(mythos, NOON) == SHIPPED.price_for(fable, NOON)
        assert SHIPPED.price_for(mythos, NOON, US) == SHIPPED.price_for(fable, NOON, US)


@pytest.mark.parametrize("model", SHIPPED.model_ids)
def test_inference_in_the_us_costs_eleven_tenths_per_token_where_it_has_a_price(model: str) -> None:
    """The published rule checks the explicit rates; a search costs the same everywhere."""
    price, ordinary = SHIPPED.price_for(model, NOON, US), SHIPPED.price_for(model, NOON)
    assert isinstance(ordinary, Price)
    if isinstance(price, Unpriced):
        assert model in {"claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5", "claude-haiku-5-5"}
        return
    for here, there in zip(price.tiers, ordinary.tiers, strict=True):
        raised = {field: Fraction(rate) * 11 / 10 for field, rate in asdict(there.rate).items()}
        raised["web_search"] = Fraction(there.rate.web_search)
        assert asdict(here.rate) == raised


def test_fast_mode_has_no_price_in_the_shipped_book() -> None:
    for model in SHIPPED.model_ids:
        assert SHIPPED.price_for(model, NOON, ServiceOptions(speed="fast")) == Unpriced("speed")


@pytest.mark.parametrize(
    "alias", ["claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001", "claude-opus-4-5-20251101"]
)
def test_dated_snapshots_are_explicit(alias: str) -> None:
    assert SHIPPED.canonical(alias) == alias[:-9]
    assert SHIPPED.canonical(alias[:-1] + "7") is None


TOKENS = st.integers(0, 60_000)


@settings(max_examples=150)
@given(st.sampled_from(LISTED), st.tuples(*[TOKENS] * 5), st.booleans())
def test_whole_requests_cost_what_genai_prices_computes(
    model: str, tokens: tuple[int, int, int, int, int], long: bool
) -> None:
    """Their calculator counts cached tokens inside the input, ours beside it: an independent way to the same sum."""
    plain, output, five_minutes, one_hour, read = tokens
    plain += 250_000 if long else 0
    counts = UsageCounts(plain, output, five_minutes, one_hour, read)
    price = SHIPPED.price_for(model, NOON)
    assert isinstance(price, Price)
    usage = Usage(
        input_tokens=counts.prompt_tokens,
        output_tokens=output,
        cache_write_tokens=five_minutes + one_hour,
        cache_write_1h_tokens=one_hour,
        cache_read_tokens=read,
    )
    listed = calc_price(usage, model, provider_id="anthropic", genai_request_timestamp=NOON)
    mine = Fraction(cost(counts, price.rate_for(counts.prompt_tokens)), 10**9)
    assert mine == Fraction(listed.total_price)


@pytest.mark.parametrize("model", SHIPPED.model_ids)
def test_every_model_has_a_batch_price_of_half_each_rate_rounded_down(model: str) -> None:
    for options in (ORDINARY, ServiceOptions(inference_geo="us")):
        ordinary = SHIPPED.price_for(model, NOON, options)
        batch = SHIPPED.price_for(model, NOON, ServiceOptions("batch", "standard", options.inference_geo))
        if not isinstance(ordinary, Price):
            assert not isinstance(batch, Price)
            continue
        assert isinstance(batch, Price)
        for dear, cheap in zip(ordinary.tiers, batch.tiers, strict=True):
            assert dear.above_prompt_tokens == cheap.above_prompt_tokens
            for kind in ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read"):
                assert getattr(cheap.rate, kind) == getattr(dear.rate, kind) // 2
            assert cheap.rate.web_search == dear.rate.web_search
