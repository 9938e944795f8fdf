"""The pricing page, from the price book: every model, every rate, since when, and how a request is billed."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from crouter.contract.traffic import Limits
from crouter.runtime.pricing.book import ListedPrice, PriceBook
from crouter.runtime.pricing.rates import Rate
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SiteRoute, exactly
from crouter.runtime.server.site.visiting import known_visitor
from crouter.runtime.web.amounts import usd
from crouter.runtime.web.table import Column, Table

TOKENS: Final = 1_000_000
"""Rates are told for so many tokens."""
SEARCHES: Final = 1000

COLUMNS: Final = (
    Column("For"),
    Column("Input", "number"),
    Column("Output", "number"),
    Column("Cache write, 5 min", "number"),
    Column("Cache write, 1 h", "number"),
    Column("Cache read", "number"),
    Column("Web search", "number"),
)


@dataclass(frozen=True, slots=True)
class ModelPrices:
    """One model: its names and its rates, the ordinary ones first."""

    id: str
    aliases: str
    table: Table


@dataclass(frozen=True, slots=True)
class PricingView:
    """What the page says."""

    version: str
    upstream: str
    overview: Table
    models: tuple[ModelPrices, ...]
    limits: tuple[tuple[str, str], ...]


class Pricing:
    """Answers GET and HEAD of `/pricing`."""

    def __init__(self, parts: Parts, pages: SitePages) -> None:
        self._parts = parts
        self._pages = pages

    def routes(self) -> tuple[SiteRoute, ...]:
        return (SiteRoute("pricing", exactly("/pricing"), READING, self.answer),)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """The page, with the prices in effect today."""
        parts = self._parts
        deployment = parts.deployment
        view = PricingView(
            version=parts.prices.version,
            upstream=deployment.processor(deployment.proxy.upstream).label,
            overview=overview(parts.prices, exchange.received_at),
            models=tuple(_model(parts.prices, model) for model in parts.prices.model_ids),
            limits=limits_in_words(deployment.proxy.limits),
        )
        return self._pages.public(exchange, "pricing.html.jinja", view, await known_visitor(parts, exchange))


def overview(prices: PriceBook, now: datetime) -> Table:
    """The ordinary rates of every model that has a price now."""
    rows = []
    for model in prices.model_ids:
        current = [one for one in prices.prices_of(model) if one.options == ORDINARY and _is_current(one, now)]
        rows += [(model, *_rates(one.price.tiers[0].rate)) for one in current]
    columns = (Column("Model"), *COLUMNS[1:])
    return Table("US dollars per million tokens; web searches per thousand", columns, rows)


def limits_in_words(limits: Limits) -> tuple[tuple[str, str], ...]:
    """What an API key may do by default: how many of what, and in what time. Limits that are not set are left out."""
    told = ((field.name, getattr(limits, field.name)) for field in fields(limits))
    return tuple(_limit_in_words(name, most) for name, most in told if most is not None)


def _limit_in_words(name: str, most: int) -> tuple[str, str]:
    counted, _, time = name.partition("_per_")
    counted = counted.replace("_", " ")
    if not time:
        return f"{most:,} requests", "at the same time"
    return f"{most:,} {counted}", f"{'an' if time == 'hour' else 'a'} {time}"


def _model(prices: PriceBook, model: str) -> ModelPrices:
    listed = prices.prices_of(model)
    rows = [(_words(one, tier.above_prompt_tokens), *_rates(tier.rate)) for one in listed for tier in one.price.tiers]
    return ModelPrices(model, ", ".join(prices.aliases_of(model)), Table(f"Every rate of {model}", COLUMNS, rows))


def _rates(rate: Rate) -> Sequence[str]:
    by_token = (rate.input, rate.output, rate.cache_write_5m, rate.cache_write_1h, rate.cache_read)
    return (*(usd(nanousd * TOKENS) for nanousd in by_token), usd(rate.web_search * SEARCHES))


def _is_current(one: ListedPrice, now: datetime) -> bool:
    return (one.begins is None or one.begins <= now) and (one.ends is None or now < one.ends)


def _words(one: ListedPrice, above_prompt_tokens: int) -> str:
    """Whom a row is for: its options, its prompt's length, its dates."""
    said = [_option_words(one.options)]
    if above_prompt_tokens:
        said.append(f"prompt above {above_prompt_tokens:,} tokens")
    if one.begins is not None:
        said.append(f"from {_day(one.begins)}")
    if one.ends is not None:
        said.append(f"before {_day(one.ends)}")
    return ", ".join(said)


def _option_words(options: ServiceOptions) -> str:
    if options == ORDINARY:
        return "ordinary requests"
    said = []
    if options.service_tier != ORDINARY.service_tier:
        said.append("message batches" if options.service_tier == "batch" else f"service tier {options.service_tier}")
    if options.speed != ORDINARY.speed:
        said.append(f"speed {options.speed}")
    if options.inference_geo != ORDINARY.inference_geo:
        said.append(f"inference in {options.inference_geo.upper()} only")
    return ", ".join(said)


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d")
