"""What a charge was counted from: how many of each kind at which rate. Enough to compute the charge again.

A map of counts holds it, `input_tokens.3000: 1200` for 1,200 input tokens at 3,000 nanodollars each. It stands in
the usage record beside the upstream's counts, because neither those nor the price book of a later day say by
themselves which rate each sampling of an answer had. Kinds are named like the columns of a usage record.
"""

from collections import defaultdict
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
    """The lines of a charge as a map of counts, sorted by name; what costs nothing has none.

    None for a charge of more kinds and rates than a map can hold.
    """
    found: defaultdict[str, int] = defaultdict(int)
    for part in charge.parts:
        for kind, quantity, rate in zip(KINDS, _quantities(part.counts), _rates(part.rate), strict=True):
            if quantity and rate:
                found[f"{kind}.{rate}"] += quantity
    if len(found) > COUNT_NAMES_MAX or any(quantity > COUNT_MAX for quantity in found.values()):
        return None
    return dict(sorted(found.items()))


def lines(counts: Mapping[str, int]) -> tuple[Line, ...]:
    """The lines that a map of counts holds, in the order of `KINDS`. Raises ValueError for any other map."""
    found = []
    for name, quantity in counts.items():
        kind, _, rate = name.partition(".")
        if kind not in KINDS or not (rate.isascii() and rate.isdecimal()):
            raise ValueError("a line of a charge is named by a kind and a rate")
        found.append(Line(kind, quantity, int(rate)))
    return tuple(sorted(found, key=lambda line: (KINDS.index(line.kind), line.rate_nanousd)))


def _quantities(counts: UsageCounts) -> tuple[int | None, ...]:
    return (
        counts.input_tokens,
        counts.output_tokens,
        counts.cache_creation_5m_input_tokens,
        counts.cache_creation_1h_input_tokens,
        counts.cache_read_input_tokens,
        counts.web_search_requests,
    )


def _rates(rate: Rate) -> tuple[int, ...]:
    return (
        rate.input,
        rate.output,
        rate.cache_write_5m,
        rate.cache_write_1h,
        rate.cache_read,
        rate.web_search,
    )
