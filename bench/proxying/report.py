"""Tells the result of a proxy run as tables, with ratios to nginx and to no proxy at all."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bench.figures import Repeated
from bench.proxying.peers import DIRECT, NGINX
from bench.proxying.run import Cell, Proxying, Sample
from bench.tables import table


def report(result: Proxying) -> str:
    """The result as Markdown."""
    plan = result.plan
    parts = [
        f"Medians of {plan.rounds} interleaved rounds of {plan.seconds:.0f} s each, least to most in brackets. "
        f"Every one of Crouter's {result.metered:,} answers was metered.\n"
        "`CPU` is the proxy's processor time for one answer, `of its core` the share of its core that it used, and "
        "`others\non it` what unrelated processes took of that core meanwhile: near 0% or the answers/s mean little.\n"
    ]
    if NGINX not in result.peers:
        parts.append("nginx is not installed here, so there is no ratio to it (Debian: nginx-light).\n")
    for cell in result.cells:
        heading = f"{cell.workload}, {cell.connections} connection{'s' if cell.connections > 1 else ''}"
        parts.append(f"**{heading}**\n\n{_table(cell, result.peers)}")
    parts.append(f"**Resident memory**\n\n{_memory(result)}")
    return "\n".join(parts)


def values(result: Proxying) -> dict[str, Any]:
    """The result with every sample, for JSON."""
    return asdict(result)


def _table(cell: Cell, peers: tuple[str, ...]) -> str:
    heads = ["", "answers/s", "of direct", "of nginx", "CPU µs/answer", "of its core", "others on it"]
    heads += ["added p50 µs", "added p99 µs"] if cell.connections == 1 else ["p50 ms", "p99 ms"]
    return table(heads, [_row(cell, peer, peers) for peer in peers])


def _row(cell: Cell, peer: str, peers: tuple[str, ...]) -> list[str]:
    answers = _figure(cell, peer, lambda sample: sample.answers_per_second)
    return [
        peer,
        _spread(answers, "{:,.0f}"),
        _ratio(cell, answers, DIRECT, peers),
        _ratio(cell, answers, NGINX, peers),
        _spread(cell.figure(peer, lambda sample: sample.cpu_us), "{:,.0f}"),
        _middle(cell.figure(peer, lambda sample: sample.core_busy)),
        _middle(cell.figure(peer, lambda sample: sample.others_busy)),
        *_latency(cell, peer),
    ]


def _latency(cell: Cell, peer: str) -> list[str]:
    percentiles: tuple[Callable[[Sample], float], ...] = (lambda sample: sample.p50_us, lambda sample: sample.p99_us)
    if cell.connections > 1:
        return [f"{_figure(cell, peer, of).median / 1000:.2f}" for of in percentiles]
    if peer == DIRECT:
        return [f"({_figure(cell, peer, of).median:,.0f} in all)" for of in percentiles]
    return [_spread(cell.added(peer, of), "{:,.0f}") for of in percentiles]


def _figure(cell: Cell, peer: str, of: Callable[[Sample], float]) -> Repeated:
    return Repeated(tuple(of(sample) for sample in cell.samples[peer]))


def _ratio(cell: Cell, answers: Repeated, other: str, peers: tuple[str, ...]) -> str:
    if other not in peers:
        return "-"
    ratio = answers.median / _figure(cell, other, lambda sample: sample.answers_per_second).median
    return f"{ratio:.3f}"


def _middle(share: Repeated | None) -> str:
    return "-" if share is None else f"{share.median:.0%}"


def _spread(figure: Repeated | None, form: str) -> str:
    if figure is None:
        return "-"
    return f"{form.format(figure.median)} ({form.format(figure.least)} to {form.format(figure.most)})"


def _memory(result: Proxying) -> str:
    rows = [[name, f"{idle:.0f}", f"{after:.0f}"] for name, (idle, after) in result.memory_mib.items()]
    return table(["", "idle MiB", "after the load MiB"], rows)
