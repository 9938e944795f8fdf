"""The loads that every peer is measured under, and how long and how often. No I/O."""

from dataclasses import dataclass

from bench.proxying.field import GATEWAYS, PLAIN
from bench.proxying.load import Shape
from bench.proxying.traffic import JSON, LARGE, PACED, STREAM

SMALL_ONE, SMALL, BIG, STREAMS, PACED_500, PACED_2000 = "json-1", "json", "large", "streams", "paced-500", "paced-2000"
_RAMP_SECONDS = 1.0
# A stream lasts a second where nothing delays it; of many at once the first take longer.
_PACED_WARM_SECONDS = 1.3
_MANY_WARM_SECONDS = 2.5


@dataclass(frozen=True, slots=True)
class Kind:
    """One load. A paced stream lasts a second, so its connections begin over one, and the window comes after that."""

    name: str
    title: str
    workload: str
    connections: int

    @property
    def is_paced(self) -> bool:
        return self.workload == PACED


KINDS = (
    Kind(SMALL_ONE, "JSON, 1 connection", JSON, 1),
    Kind(SMALL, "JSON, 64 connections", JSON, 64),
    Kind(BIG, "JSON with 204 KB body, 64 connections", LARGE, 64),
    Kind(STREAMS, "streams, unpaced, 64 connections", STREAM, 64),
    Kind(PACED_500, "500 paced streams", PACED, 500),
    Kind(PACED_2000, "2,000 paced streams", PACED, 2000),
)
SWEEP = tuple(Kind(f"paced-{count}", f"{count:,} paced streams", PACED, count) for count in (100, 1000))
"""Between the others, once, for the picture of time to the first event."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often. Peers that are far slower than nginx are measured in the first `slow_rounds` only."""

    rounds: int
    paced_rounds: int
    slow_rounds: int
    seconds: float
    paced_seconds: float
    is_quick: bool

    @classmethod
    def of(cls, *, quick: bool) -> "Plan":
        """About three minutes, or twelve."""
        return cls(1, 1, 1, 0.5, 1.0, is_quick=True) if quick else cls(5, 3, 2, 1.0, 2.0, is_quick=False)

    def measures(self, kind: Kind, peer: str, number: int) -> bool:
        """Whether a peer is measured under a load in the round of that number, from 0 on."""
        if kind.name == PACED_2000 and peer in GATEWAYS:
            return number == 0 and not self.is_quick  # they take half a minute to recover from it
        rounds = self.paced_rounds if kind.is_paced else self.rounds
        return number < (min(rounds, self.slow_rounds) if peer in (*GATEWAYS, PLAIN) else rounds)

    def shape(self, kind: Kind, peer: str, *, drains: bool) -> Shape:
        """The load as it is driven."""
        if kind.is_paced:
            warm_seconds = _PACED_WARM_SECONDS if kind.connections <= 500 else _MANY_WARM_SECONDS
            return Shape(kind.connections, self.paced_seconds, warm_seconds, _RAMP_SECONDS, drains)
        # A gateway with 64 requests under way may take a second for the first answer.
        factor = 2 if peer in GATEWAYS else 1
        return Shape(kind.connections, self.seconds * factor, 0.3 * factor, 0.0, drains)
