"""What each feature costs: Crouter with none of them, then with one more at a time, until everything is on.

All of them run the sources: nothing can be left out of what is compiled.
"""

import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.figures import Repeated
from bench.proxying.dialects import Dialect
from bench.proxying.field import Peer
from bench.proxying.load import Exchange, Shape, drive
from bench.proxying.loads import Plan
from bench.proxying.peers.crouter import Store, service
from bench.proxying.processes import Cores, on_core
from bench.proxying.samples import Sample
from bench.proxying.traffic import JSON, STREAM, workloads
from bench.proxying.upstream import upstream
from bench.proxying.variant import FEATURES
from bench.proxying.watch import Watch

BARE = "none of them"
MEASURED = (JSON, STREAM)
_CONNECTIONS = 64


@dataclass(frozen=True)
class Feature:
    """Crouter with everything up to this feature: processor time and answers/s, for each workload in turn."""

    name: str
    cpu_us: dict[str, Repeated]
    answers_per_second: dict[str, Repeated]
    failed: str | None = None


def measure_features(prepared: Store, cores: Cores, plan: Plan, tell: Callable[[str], None]) -> tuple[Feature, ...]:
    """Every step, interleaved. A step that does not start or breaks is told as such. Raises BenchError."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crouter-bench-")))
        port = stack.enter_context(upstream(folder))
        steps: dict[str, Peer] = {}
        failed: dict[str, str] = {}
        with on_core(cores.proxy):
            for count, name in enumerate((BARE, *FEATURES)):
                tell(f"features: starting Crouter with {name if count == 0 else 'everything up to ' + name}")
                try:
                    steps[name] = _started(stack, prepared, port, folder, count)
                except BenchError as error:
                    failed[name] = str(error)
        samples: dict[tuple[str, str], list[Sample]] = {}
        for number in range(plan.slow_rounds):
            tell(f"features: round {number + 1} of {plan.slow_rounds}")
            for name, peer in steps.items():
                if name not in failed:
                    try:
                        _measure(peer, prepared.key, cores.proxy, plan, samples)
                    except BenchError as error:
                        failed[name] = str(error)
    return tuple(_feature(name, samples, failed.get(name)) for name in (BARE, *FEATURES))


def _started(stack: ExitStack, prepared: Store, port: int, folder: Path, count: int) -> Peer:
    command = (sys.executable, "-m", "bench.proxying.variant", *FEATURES[:count])
    starting = service(prepared, port, folder, *command, name=f"variant-{count}", interpreted=True)
    pid, own_port = stack.enter_context(starting)
    return Peer(f"variant-{count}", own_port, pid, None, Dialect())


def _measure(peer: Peer, key: str, core: int, plan: Plan, samples: dict[tuple[str, str], list[Sample]]) -> None:
    for name in MEASURED:
        workload = workloads()[name]
        exchange = Exchange(peer.port, peer.dialect.request(workload, peer.port, key), workload.content)
        watch = Watch(peer.pid, core)
        load = drive(exchange, Shape(_CONNECTIONS, plan.seconds), begins=watch.mark, ends=watch.mark)
        samples.setdefault((peer.name, name), []).append(Sample.of(load, watch.used(), has_proxy=True))


def _feature(name: str, samples: dict[tuple[str, str], list[Sample]], failed: str | None) -> Feature:
    count = (BARE, *FEATURES).index(name)
    cpu, rates = {}, {}
    for workload in MEASURED:
        found = samples.get((f"variant-{count}", workload), [])
        times = tuple(sample.cpu_us for sample in found if sample.cpu_us is not None)
        if times:
            cpu[workload] = Repeated(times)
            rates[workload] = Repeated(tuple(sample.answers_per_second for sample in found))
    return Feature(name, cpu, rates, failed)
