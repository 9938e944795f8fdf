"""The goals that issue 4 sets for Crouter with everything on, and whether a run meets them. No I/O."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.figures import percentile
from bench.proxying import samples
from bench.proxying.field import CROUTER, LITELLM, NGINX, PORTKEY, TENSORZERO
from bench.proxying.loads import BIG, PACED_500, PACED_2000, SMALL, SMALL_ONE, STREAMS
from bench.proxying.samples import Cell, Sample

# What nginx added in the run that the goals for added latency were set by.
_NGINX_P50_US, _NGINX_P99_US = 124.0, 172.0
# Where it adds this many times as much, other work on the machine is measured and no proxy.
_TOO_BUSY = 3.0


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal. `measured` is None where the run has no figure; `bound` is then told all the same."""

    sentence: str
    measured: float | None
    bound: float
    at_least: bool
    unit: str = ""
    too_busy: bool = False
    """Whether the machine was so busy that the figure says nothing."""

    @property
    def met(self) -> bool | None:
        """None where nothing was measured, or nothing that says anything."""
        if self.measured is None or self.too_busy:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


class Figures:
    """Medians out of the cells of a run."""

    def __init__(self, cells: tuple[Cell, ...], idle_mib: dict[str, float]) -> None:
        self._cells = {cell.name: cell for cell in cells}
        self.idle_mib = idle_mib

    def median(self, kind: str, peer: str, of: Callable[[Sample], float | None]) -> float | None:
        """None where that was not measured, or ended otherwise."""
        cell = self._cells.get(kind)
        figure = cell.figure(peer, of) if cell is not None and peer not in cell.failed else None
        return figure.median if figure else None

    def added(self, peer: str, of: Callable[[Sample], float | None]) -> float | None:
        """Microseconds more than direct at one connection."""
        cell = self._cells.get(SMALL_ONE)
        figure = cell.added(peer, of) if cell is not None and peer not in cell.failed else None
        return figure.median if figure else None

    def ratio(self, kind: str, peer: str, of: Callable[[Sample], float | None] = samples.answers) -> float | None:
        """Crouter's figure over a peer's."""
        return over(self.median(kind, CROUTER, of), self.median(kind, peer, of))


def over(one: float | None, other: float | None) -> float | None:
    """The ratio of two figures; None where one is missing."""
    return one / other if one is not None and other else None


def goals(
    cells: tuple[Cell, ...], idle_mib: dict[str, float], leaving_ms: Mapping[str, Sequence[float]]
) -> tuple[Goal, ...]:
    """Every goal that one run can tell; a long soak is another."""
    figures = Figures(cells, idle_mib)
    leaving = _leaving(leaving_ms.get(CROUTER, ()))
    return (*_of_nginx(figures), *_latencies(figures), leaving, *_of_gateways(figures), *_memory(figures))


def _of_nginx(figures: Figures) -> Iterator[Goal]:
    yield Goal("JSON answers/s, of nginx", figures.ratio(SMALL, NGINX), 0.50, at_least=True, unit="×")
    yield Goal("JSON with 204 KB body, answers/s, of nginx", figures.ratio(BIG, NGINX), 0.50, at_least=True, unit="×")
    yield Goal("streams/s, unpaced, of nginx", figures.ratio(STREAMS, NGINX), 0.60, at_least=True, unit="×")
    event = figures.ratio(PACED_500, NGINX, samples.event_cpu)
    yield Goal("CPU per paced event, of nginx", event, 1.3, at_least=False, unit="×")
    completed = figures.ratio(PACED_2000, NGINX)
    yield Goal("2,000 paced streams, completed/s, of nginx", completed, 0.80, at_least=True, unit="×")


def _latencies(figures: Figures) -> Iterator[Goal]:
    for word, of, goal, reference in (
        ("p50", samples.p50, 160.0, _NGINX_P50_US),
        ("p99", samples.p99, 260.0, _NGINX_P99_US),
    ):
        nginx = figures.added(NGINX, of)
        # The goal is for a machine on which nginx adds the reference, so it moves with what nginx adds here.
        bound = goal * nginx / reference if nginx else goal
        sentence = f"added latency, 1 connection, {word} ({goal:.0f} µs where nginx adds {reference:.0f})"
        too_busy = nginx is not None and nginx > _TOO_BUSY * reference
        yield Goal(sentence, figures.added(CROUTER, of), bound, at_least=False, unit=" µs", too_busy=too_busy)
    delay = over(figures.median(PACED_500, CROUTER, samples.delay_p99), 1000.0)
    yield Goal("event delay, 500 paced streams, p99", delay, 1.0, at_least=False, unit=" ms")


def _leaving(milliseconds: Sequence[float]) -> Goal:
    measured = percentile(sorted(milliseconds), 99) if milliseconds else None
    return Goal("a client that leaves is gone upstream, p99", measured, 250.0, at_least=False, unit=" ms")


def _of_gateways(figures: Figures) -> Iterator[Goal]:
    for peer, bound in ((LITELLM, 250.0), (PORTKEY, 30.0), (TENSORZERO, 3.0)):
        yield Goal(f"JSON answers/s, of {peer}", figures.ratio(SMALL, peer), bound, at_least=True, unit="×")


def _memory(figures: Figures) -> Iterator[Goal]:
    yield Goal("resident, idle", figures.idle_mib.get(CROUTER), 64.0, at_least=False, unit=" MiB")
    loaded = figures.median(PACED_500, CROUTER, samples.resident)
    yield Goal("resident, 500 streams", loaded, 64.0, at_least=False, unit=" MiB")
