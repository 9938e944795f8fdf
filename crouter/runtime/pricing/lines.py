"""What a charge was counted from: how many of each kind at which rate. Enough to compute the charge again.

A map of counts holds it, `input_tokens.3000: 1200` for 1,200 input tokens at 3,000 nanodollars each. It stands in
the usage record beside the upstream's counts, because neither those nor the price book of a later day say by
themselves which rate each sampling of an answer had. Kinds are named like the columns of a usage record.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crouter.contract.measures import COUNT_MAX, COUNT_NAMES_MAX
from crouter.runtime.pricing.rates import Rate
from crouter.runtime.pricing.settlement import Charge
from crouter.runtime.proxy.usage import UsageCounts

KINDS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "web_search_requests",
)


@dataclass(frozen=True, slots=True)
class Line:
    """`quantity` of one kind at one rate."""

    kind: str
    quantity: int
    rate_nanousd: int

    @property
    def cost_nanousd(self) -> int:
        return self.quantity * self.rate_nanousd


def priced_counts(charge: Charge) -> dict[str, int] | None:
    """The lines of a charge as a map of counts; what costs nothing has none.

    None for a charge of more kinds and rates than a map can hold.
    """
    found: dict[str, int] = {}
    for part in charge.parts:
        _add(found, part.counts, part.rate)
    # One part has too few lines to fill a map, and each is a single count.
    if len(charge.parts) > 1 and (len(found) > COUNT_NAMES_MAX or max(found.values(), default=0) > COUNT_MAX):
        return None
    return found


def lines(counts: Mapping[str, int]) -> tuple[Line, ...]:
    """The lines that a map of counts holds, in the order of `KINDS`. Raises ValueError for any other map."""
    found = []
    for name, quantity in counts.items():
        kind, _, rate = name.partition(".")
        if kind not in KINDS or not (rate.isascii() and rate.isdecimal()):
            raise ValueError("a line of a charge is named by a kind and a rate")
        found.append(Line(kind, quantity, int(rate)))
    return tuple(sorted(found, key=lambda line: (KINDS.index(line.kind), line.rate_nanousd)))


def _add(found: dict[str, int], counts: UsageCounts, rate: Rate) -> None:
    # Written out: every answer goes through here, and a loop over names takes three times as long.
    if counts.input_tokens and rate.input:
        _count(found, f"input_tokens.{rate.input}", counts.input_tokens)
    if counts.output_tokens and rate.output:
        _count(found, f"output_tokens.{rate.output}", counts.output_tokens)
    if counts.cache_creation_5m_input_tokens and rate.cache_write_5m:
        _count(found, f"cache_write_5m_tokens.{rate.cache_write_5m}", counts.cache_creation_5m_input_tokens)
    if counts.cache_creation_1h_input_tokens and rate.cache_write_1h:
        _count(found, f"cache_write_1h_tokens.{rate.cache_write_1h}", counts.cache_creation_1h_input_tokens)
    if counts.cache_read_input_tokens and rate.cache_read:
        _count(found, f"cache_read_tokens.{rate.cache_read}", counts.cache_read_input_tokens)
    if counts.web_search_requests and rate.web_search:
        _count(found, f"web_search_requests.{rate.web_search}", counts.web_search_requests)


def _count(found: dict[str, int], name: str, quantity: int) -> None:
    found[name] = found.get(name, 0) + quantity
