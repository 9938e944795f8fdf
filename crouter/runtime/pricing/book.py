"""The price book: which model costs what, since when, with which options.

A book is a JSON file; every rate stands in it as an integer. What has no row has no price, and a request for
it is refused before it is forwarded: an unknown model, a region, a speed, a server tool whose price no
answer reports. So nothing is given away silently, and nothing is charged that was not published.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources
from typing import Final

import msgspec

from crouter.runtime.pricing.book_file import BEGINNING, END, File, Model, Row
from crouter.runtime.pricing.rates import Price
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions

UNIT: Final = "nanousd"
SHIPPED_FILE: Final = "price_book.json"


class PriceBookError(ValueError):
    """The file is no usable price book; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Why something has no price: `subject` is `model`, `speed`, `inference_geo`, `service_tier` or `tool`."""

    subject: str

    @property
    def message(self) -> str:
        """What the client is told."""
        return f"{self.subject}: has no price here, so the request was not forwarded"


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """One price as it is published: for whom, and from when to when. None is without a beginning, or an end."""

    options: ServiceOptions
    begins: datetime | None
    ends: datetime | None
    price: Price


@dataclass(frozen=True, slots=True)
class _Period:
    begins: datetime
    ends: datetime
    price: Price


_Periods = tuple[_Period, ...]


class PriceBook:
    """A checked price book. `version` and `digest` (SHA-256 of the file) belong into every record priced by it."""

    def __init__(
        self,
        version: str,
        digest: str,
        models: dict[str, dict[ServiceOptions, _Periods]],
        names: dict[str, str],
        unpriced_tools: tuple[str, ...],
    ) -> None:
        self.version = version
        self.digest = digest
        self._models = models
        self._names = names
        self._unpriced_tools = unpriced_tools
        # What nearly every request asks for, by any name of its model.
        self._ordinary = {name: models[model].get(ORDINARY, ()) for name, model in names.items()}

    @classmethod
    def from_json(cls, source: bytes) -> "PriceBook":
        """Reads and checks a book. Raises PriceBookError with a place and a sentence."""
        try:
            file = msgspec.json.decode(source, type=File)
        except msgspec.MsgspecError as error:
            raise PriceBookError(f"price book: {error}") from None
        if file.unit != UNIT:
            raise PriceBookError(f"price book: the unit is {UNIT}")
        return cls(
            version=file.version,
            digest=hashlib.sha256(source).hexdigest(),
            models={model.id: _prices(model) for model in file.models},
            names=_names(file.models),
            unpriced_tools=tuple(file.unpriced_tools),
        )

    @property
    def model_ids(self) -> tuple[str, ...]:
        """Every id with a price, without aliases, in the order of the book."""
        return tuple(self._models)

    def canonical(self, model: str) -> str | None:
        """The id under which an exact id or declared alias is priced; None if it has no price."""
        return self._names.get(model)

    def options_of(self, model: str) -> tuple[ServiceOptions, ...]:
        """The combinations of options that a model has prices for, at any time."""
        return tuple(self._models.get(self._names.get(model, ""), {}))

    def aliases_of(self, model: str) -> tuple[str, ...]:
        """The other names under which a model is priced the same."""
        return tuple(name for name, named in self._names.items() if named == model and name != model)

    def prices_of(self, model: str) -> tuple[ListedPrice, ...]:
        """Every price of a model, past and to come, in the order of the book."""
        return tuple(
            ListedPrice(
                options,
                None if period.begins == BEGINNING else period.begins,
                None if period.ends == END else period.ends,
                period.price,
            )
            for options, periods in self._models.get(self._names.get(model, ""), {}).items()
            for period in periods
        )

    def price_for(self, model: str, at: datetime, options: ServiceOptions = ORDINARY) -> Price | Unpriced:
        """The price in effect at an aware time, or why there is none."""
        assert at.tzinfo is not None, "prices have dates in UTC"
        if options is ORDINARY:
            for period in self._ordinary.get(model, ()):
                if period.begins <= at < period.ends:
                    return period.price
        by_options = self._models.get(self._names.get(model, ""))
        if by_options is None:
            return Unpriced("model")
        price = _in_effect(by_options.get(options, ()), at)
        if price is not None:
            return price
        if _in_effect(by_options.get(ORDINARY, ()), at) is None:
            return Unpriced("model")
        return Unpriced(_odd_option(options, by_options, at))

    def unpriced_tool(self, tool_types: Iterable[str]) -> Unpriced | None:
        """Whether a request uses a server tool that costs something no answer reports."""
        prefixes = self._unpriced_tools
        if prefixes and any(kind.startswith(prefixes) for kind in tool_types):
            return Unpriced("tool")
        return None


def shipped_price_book() -> PriceBook:
    """The price book beside this module."""
    return PriceBook.from_json(resources.files(__package__).joinpath(SHIPPED_FILE).read_bytes())


def _odd_option(options: ServiceOptions, priced: dict[ServiceOptions, _Periods], at: datetime) -> str:
    """The option that stands in the way: without it, the rest would have a price; or else the first odd one."""
    without = {
        "speed": replace(options, speed=ORDINARY.speed),
        "inference_geo": replace(options, inference_geo=ORDINARY.inference_geo),
        "service_tier": replace(options, service_tier=ORDINARY.service_tier),
    }
    odd = [name for name, rest in without.items() if rest != options]
    return next((name for name in odd if _in_effect(priced.get(without[name], ()), at) is not None), odd[0])


def _in_effect(periods: _Periods, at: datetime) -> Price | None:
    for period in periods:
        if period.begins <= at < period.ends:
            return period.price
    return None


def _names(models: list[Model]) -> dict[str, str]:
    names: dict[str, str] = {}
    for model in models:
        for name in (model.id, *model.aliases):
            if name in names:
                raise PriceBookError(f"price book: {name} is named twice")
            names[name] = model.id
    return names


def _prices(model: Model) -> dict[ServiceOptions, _Periods]:
    rows: dict[ServiceOptions, dict[tuple[datetime, datetime], list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in model.prices:
        if row.begins >= row.ends:
            raise PriceBookError(f"price book: {model.id}: a price ends before it begins")
        rows[row.options][row.begins, row.ends].append(row)
    if ORDINARY not in rows:
        raise PriceBookError(f"price book: {model.id}: no price without options")
    return {options: _periods(model.id, by_period) for options, by_period in rows.items()}


def _periods(model_id: str, rows: dict[tuple[datetime, datetime], list[Row]]) -> _Periods:
    periods: list[_Period] = []
    for (begins, ends), tiers in sorted(rows.items()):
        if periods and begins < periods[-1].ends:
            raise PriceBookError(f"price book: {model_id}: two prices for the same time")
        ordered = sorted((row.tier for row in tiers), key=lambda tier: tier.above_prompt_tokens)
        thresholds = [tier.above_prompt_tokens for tier in ordered]
        if thresholds[0] != 0 or len(set(thresholds)) != len(thresholds):
            raise PriceBookError(f"price book: {model_id}: tiers rise from zero, each given once")
        periods.append(_Period(begins, ends, Price(tuple(ordered))))
    return tuple(periods)
