"""What one run of one peer gave, and what several give together. No I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.figures import Repeated, percentile
from bench.proxying.field import DIRECT
from bench.proxying.load import Load

PERCENTS = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 93, 95, 97, 98, 99, 99.5, 99.9)


@dataclass(frozen=True, slots=True)
class Times:
    """Percentiles in microseconds; `curve` holds those of `PERCENTS`."""

    p50_us: float
    p99_us: float
    curve: tuple[float, ...]

    @classmethod
    def of(cls, nanoseconds: Sequence[int]) -> "Times | None":
        """None where nothing was measured."""
        ordered = sorted(nanoseconds)
        if not ordered:
            return None
        curve = tuple(percentile(ordered, percent) / 1000 for percent in PERCENTS)
        return cls(percentile(ordered, 50) / 1000, percentile(ordered, 99) / 1000, curve)


@dataclass(frozen=True, slots=True)
class Used:
    """What a proxy's process and its children used in the window, and what others used of its core."""

    cpu_seconds: float
    core_seconds: float
    elapsed_seconds: float
    resident_mib: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One peer in one round: answers and events per second, times, processor time for each, memory at the end."""

    answers_per_second: float
    answer: Times | None
    first: Times | None
    delay: Times | None
    cpu_us: float | None
    event_cpu_us: float | None
    core_busy: float | None
    """The share of its core that the proxy used."""
    others_busy: float
    """The share of the proxy's core that other processes took: how far the round was disturbed."""
    resident_mib: float | None

    @classmethod
    def of(cls, load: Load, used: Used, *, has_proxy: bool) -> "Sample":
        cpu = used.cpu_seconds if has_proxy else None
        return cls(
            answers_per_second=load.answers / load.seconds,
            answer=Times.of(load.latencies),
            first=Times.of(load.firsts),
            delay=Times.of(load.delays),
            cpu_us=cpu / load.answers * 1e6 if cpu is not None and load.answers else None,
            event_cpu_us=cpu / len(load.delays) * 1e6 if cpu is not None and load.delays else None,
            core_busy=cpu / used.elapsed_seconds if cpu is not None else None,
            others_busy=max(used.core_seconds - used.cpu_seconds, 0.0) / used.elapsed_seconds,
            resident_mib=used.resident_mib if has_proxy else None,
        )


@dataclass
class Cell:
    """One load, and each peer's samples in the order of the rounds; `failed` says what came instead."""

    name: str
    title: str
    connections: int
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def figure(self, peer: str, of: Callable[[Sample], float | None]) -> Repeated | None:
        """A figure of every round; None where the peer has none."""
        found = [value for sample in self.samples.get(peer, ()) if (value := of(sample)) is not None]
        return Repeated(tuple(found)) if found else None

    def added(self, peer: str, of: Callable[[Sample], float | None]) -> Repeated | None:
        """How much more than direct in the same round; None where one of the two is missing."""
        pairs = zip(self.samples.get(peer, ()), self.samples.get(DIRECT, ()), strict=False)
        found = [(of(one), of(direct)) for one, direct in pairs]
        whole = tuple(one - direct for one, direct in found if one is not None and direct is not None)
        return Repeated(whole) if whole else None


def answers(sample: Sample) -> float:
    return sample.answers_per_second


def p50(sample: Sample) -> float | None:
    return sample.answer.p50_us if sample.answer else None


def p99(sample: Sample) -> float | None:
    return sample.answer.p99_us if sample.answer else None


def delay_p50(sample: Sample) -> float | None:
    return sample.delay.p50_us if sample.delay else None


def delay_p99(sample: Sample) -> float | None:
    return sample.delay.p99_us if sample.delay else None


def first_p50(sample: Sample) -> float | None:
    return sample.first.p50_us if sample.first else None


def first_p99(sample: Sample) -> float | None:
    return sample.first.p99_us if sample.first else None


def cpu(sample: Sample) -> float | None:
    return sample.cpu_us


def event_cpu(sample: Sample) -> float | None:
    return sample.event_cpu_us


def resident(sample: Sample) -> float | None:
    return sample.resident_mib
