"""Prices one finished attempt, once, by what the upstream reported.

An answer may come from several samplings: turns of a server-side tool loop, a compaction, an advisor, a
fallback model. `usage.iterations` lists them. Each is priced by its own model, and by the length of its own prompt,
because a loop of three short prompts is no long prompt. Turns add up to the top-level counts; compactions and
advisors stand beside them (Anthropic's description of `iterations`). Where turns do not add up, the top-level
counts are charged as they stand, and the contradiction is named.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from crouter.runtime.pricing.book import PriceBook
from crouter.runtime.pricing.rates import Price, Rate, cost
from crouter.runtime.proxy.attempt import UsageRecordDraft
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions, service_options
from crouter.runtime.proxy.usage import Iteration, UsageCounts

_TURNS: Final = frozenset({"message", "fallback_message"})
_BESIDE: Final = frozenset({"compaction", "advisor_message"})


# Not frozen, and with an `__init__` of their own: both are made for every answer, several times as fast.
@dataclass(init=False, slots=True)
class Part:
    """One priced piece of an answer: the model's canonical id, its counts, the rate they have, nanodollars."""

    model: str
    counts: UsageCounts
    rate: Rate
    cost_nanousd: int

    def __init__(self, model: str, counts: UsageCounts, rate: Rate, cost_nanousd: int) -> None:
        self.model = model
        self.counts = counts
        self.rate = rate
        self.cost_nanousd = cost_nanousd


@dataclass(init=False, slots=True)
class Charge:
    """What one attempt costs. The parts add up to `cost_nanousd`; none of them is derived from an estimate."""

    cost_nanousd: int
    parts: tuple[Part, ...]
    price_version: str
    anomalies: tuple[str, ...]

    def __init__(
        self, cost_nanousd: int, parts: tuple[Part, ...], price_version: str, anomalies: tuple[str, ...]
    ) -> None:
        self.cost_nanousd = cost_nanousd
        self.parts = parts
        self.price_version = price_version
        self.anomalies = anomalies


def settle(draft: UsageRecordDraft, book: PriceBook, started_at: datetime) -> Charge:
    """The charge of an attempt that began at `started_at`, an aware time.

    The requested model had a price when it was forwarded; the reported model and options decide
    where they have one, too, and are named as an anomaly where they have not.
    """
    if not draft.billable:
        return Charge(0, (), book.version, ())
    counts = draft.counts
    if not counts.iterations:
        # One sampling, of a model and options that have a price: nearly every answer.
        model = draft.model_reported or draft.model_requested
        price = book.price_for(model, started_at, _reported_options(draft))
        if isinstance(price, Price):
            rate = price.rate_for(counts.prompt_tokens)
            total = cost(counts, rate)
            return Charge(total, (Part(book.canonical(model) or model, counts, rate, total),), book.version, ())
    pricing = _Pricing(draft, book, started_at)
    parts = pricing.parts()
    total = sum(part.cost_nanousd for part in parts)
    return Charge(total, parts, book.version, tuple(sorted(pricing.anomalies)))


class _Pricing:
    """The prices of one attempt, and what was odd about it."""

    def __init__(self, draft: UsageRecordDraft, book: PriceBook, at: datetime) -> None:
        self._draft = draft
        self._book = book
        self._at = at
        self.anomalies: set[str] = set()

    def parts(self) -> tuple[Part, ...]:
        counts = self._draft.counts
        model = self._draft.model_reported or self._draft.model_requested
        turns = [turn for turn in counts.iterations if turn.type in _TURNS]
        beside = [extra for extra in counts.iterations if extra.type in _BESIDE]
        if len(turns) + len(beside) != len(counts.iterations):
            self.anomalies.add("iteration_type_unknown")
        if turns and not _add_up(turns, counts):
            self.anomalies.add("iterations_do_not_add_up")
            turns = []
        # Server tools are counted per answer, not per sampling: their fee goes with the first part.
        searches = counts.web_search_requests
        pieces: list[tuple[str, UsageCounts]] = []
        for turn in turns:
            pieces.append((turn.model or model, replace(turn.counts, web_search_requests=searches)))
            searches = None
        if not turns:
            pieces.append((model, replace(counts, iterations=())))
        pieces += [(extra.model or model, extra.counts) for extra in beside]
        return tuple(self._part(name, piece) for name, piece in pieces)

    def _part(self, model: str, counts: UsageCounts) -> Part:
        name, price = self._price(model)
        rate = price.rate_for(counts.prompt_tokens)
        return Part(name, counts, rate, cost(counts, rate))

    def _price(self, reported_model: str) -> tuple[str, Price]:
        reported, asked = _reported_options(self._draft), self._draft.options_requested
        for model in (reported_model, self._draft.model_requested):
            for options in dict.fromkeys((reported, asked, ORDINARY)):
                price = self._book.price_for(model, self._at, options)
                if isinstance(price, Price):
                    return self._book.canonical(model) or model, price
                self.anomalies.add(f"{price.subject}_unpriced")
        raise AssertionError("a model without a price is not forwarded")


def _reported_options(draft: UsageRecordDraft) -> ServiceOptions:
    counts, asked = draft.counts, draft.options_requested
    tier, speed, geo = counts.service_tier, counts.speed, counts.inference_geo
    if tier is None and speed is None and geo is None:
        return asked
    return service_options(
        service_tier=tier or asked.service_tier,
        speed=speed or asked.speed,
        inference_geo=geo or asked.inference_geo,
    )


def _add_up(turns: list[Iteration], counts: UsageCounts) -> bool:
    return _kinds(counts) == tuple(sum(column) for column in zip(*(_kinds(turn.counts) for turn in turns), strict=True))


def _kinds(counts: UsageCounts) -> tuple[int, ...]:
    return (
        counts.input_tokens or 0,
        counts.output_tokens or 0,
        # The split by lifetime is often left out at the top level while each turn has it.
        (counts.cache_creation_5m_input_tokens or 0) + (counts.cache_creation_1h_input_tokens or 0),
        counts.cache_read_input_tokens or 0,
    )
