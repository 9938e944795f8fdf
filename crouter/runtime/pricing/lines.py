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
    parts = charge.parts
    if len(parts) == 1:
        # One part has too few lines to fill a map, and each is a single count.
        return _of_part(parts[0].counts, parts[0].rate)
    found: dict[str, int] = {}
    for part in parts:
        for name, quantity in _of_part(part.counts, part.rate).items():
            found[name] = found.get(name, 0) + quantity
    return None if len(found) > COUNT_NAMES_MAX or max(found.values(), default=0) > COUNT_MAX else found


def lines(counts: Mapping[str, int]) -> tuple[Line, ...]:
    """The lines that a map of counts holds, in the order of `KINDS`. Raises ValueError for any other map."""
    found = []
    for name, quantity in counts.items():
        kind, _, rate = name.partition(".")
        if kind not in KINDS or not (rate.isascii() and rate.isdecimal()):
            raise ValueError("a line of a charge is named by a kind and a rate")
        found.append(Line(kind, quantity, int(rate)))
    return tuple(sorted(found, key=lambda line: (KINDS.index(line.kind), line.rate_nanousd)))


class _Names:
    """Names of the lines of one kind. There are few rates, and each answer needs several names."""

    __slots__ = ("_kind", "_made")

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._made: dict[int, str] = {}

    def at(self, rate: int) -> str:
        """The name of the line at a rate."""
        name = self._made.get(rate)
        if name is None:
            name = self._made[rate] = f"{self._kind}.{rate}"
        return name


_INPUT: Final = _Names("input_tokens")
_OUTPUT: Final = _Names("output_tokens")
_CACHE_WRITE_5M: Final = _Names("cache_write_5m_tokens")
_CACHE_WRITE_1H: Final = _Names("cache_write_1h_tokens")
_CACHE_READ: Final = _Names("cache_read_tokens")
_WEB_SEARCH: Final = _Names("web_search_requests")


def _of_part(counts: UsageCounts, rate: Rate) -> dict[str, int]:
    # Written out: every answer goes through here, and a loop over names takes three times as long.
    found: dict[str, int] = {}
    if counts.input_tokens and rate.input:
        found[_INPUT.at(rate.input)] = counts.input_tokens
    if counts.output_tokens and rate.output:
        found[_OUTPUT.at(rate.output)] = counts.output_tokens
    if counts.cache_creation_5m_input_tokens and rate.cache_write_5m:
        found[_CACHE_WRITE_5M.at(rate.cache_write_5m)] = counts.cache_creation_5m_input_tokens
    if counts.cache_creation_1h_input_tokens and rate.cache_write_1h:
        found[_CACHE_WRITE_1H.at(rate.cache_write_1h)] = counts.cache_creation_1h_input_tokens
    if counts.cache_read_input_tokens and rate.cache_read:
        found[_CACHE_READ.at(rate.cache_read)] = counts.cache_read_input_tokens
    if counts.web_search_requests and rate.web_search:
        found[_WEB_SEARCH.at(rate.web_search)] = counts.web_search_requests
    return found
