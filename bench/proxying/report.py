"""Tells the result of a proxy run as Markdown: goals, medians of all peers, and every load with its spread."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from bench.figures import Repeated, percentile
from bench.proxying import samples
from bench.proxying.features import MEASURED, Feature
from bench.proxying.field import DIRECT, NGINX, PLAIN
from bench.proxying.goals import Figures, Goal, goals
from bench.proxying.loads import BIG, PACED_500, PACED_2000, SMALL, STREAMS
from bench.proxying.run import Proxying
from bench.proxying.samples import Cell, Sample
from bench.proxying.traffic import JSON
from bench.tables import table

_MISSING = "-"
_Of = Callable[[Sample], float | None]


def report(result: Proxying) -> str:
    """The whole result as Markdown."""
    return "\n".join((summary(result), "### Every load\n", *spreads(result)))


def summary(result: Proxying) -> str:
    """What one reads first: goals, the table of medians, the cost of each feature."""
    parts = [
        f"**Goals**\n\n{goal_table(goals(result.cells, result.idle_mib, result.leaving_ms))}",
        f"**Medians**\n\n{median_table(result)}",
        _conditions(result),
        "**What each feature costs Crouter**, run from its sources, 64 connections, medians\n\n"
        + feature_table(result.features),
    ]
    return "\n".join(parts)


def spreads(result: Proxying) -> Iterator[str]:
    """One table for each load, medians with least and most."""
    for cell in result.cells:
        yield f"**{cell.title}**\n\n{_spread_table(cell, result.peers)}"
    for cell in result.sweep:
        yield f"**{cell.title}** (one round)\n\n{_spread_table(cell, result.peers)}"


def values(result: Proxying) -> dict[str, Any]:
    """The result with every sample, for JSON."""
    return {
        **asdict(result),
        "goals": [asdict(goal) for goal in goals(result.cells, result.idle_mib, result.leaving_ms)],
    }


def goal_table(all_goals: Iterable[Goal]) -> str:
    """Each goal, its bound, what was measured, and whether that is met."""
    words: dict[bool | None, str] = {True: "met", False: "**not met**"}
    rows = [
        [
            goal.sentence,
            f"{'≥' if goal.at_least else '≤'} {_short(goal.bound)}{goal.unit}",
            _MISSING if goal.measured is None else f"{_short(goal.measured)}{goal.unit}",
            words.get(goal.met, "machine too busy to tell" if goal.too_busy else "not measured"),
        ]
        for goal in all_goals
    ]
    return table(["goal", "bound", "measured", ""], rows)


def median_table(result: Proxying) -> str:
    """One row for each quantity, one column for each peer."""
    figures = Figures(result.cells, result.idle_mib)

    def row(name: str, of: Callable[[str], float | None], form: Callable[[float], str]) -> list[str]:
        found = [of(peer) for peer in result.peers]
        return [name, *(_MISSING if value is None else form(value) for value in found)]

    def pair(name: str, first: Callable[[str], float | None], second: Callable[[str], float | None]) -> list[str]:
        one, other = row(name, first, _short), row(name, second, _short)
        return [name, *(f"{a} / {b}" if a != _MISSING else a for a, b in zip(one[1:], other[1:], strict=True))]

    def median(kind: str, of: _Of, scale: float = 1.0) -> Callable[[str], float | None]:
        def value(peer: str) -> float | None:
            found = figures.median(kind, peer, of)
            return None if found is None else found / scale

        return value

    whole = "{:,.0f}".format
    rows = [
        row("JSON, answers/s", median(SMALL, samples.answers), whole),
        row("JSON with 204 KB body, answers/s", median(BIG, samples.answers), whole),
        row("streams/s, unpaced", median(STREAMS, samples.answers), whole),
        row("CPU µs per JSON answer", median(SMALL, samples.cpu), _short),
        row("CPU µs per paced event", median(PACED_500, samples.event_cpu), _short),
        pair(
            "added latency, 1 connection, p50 / p99 µs",
            lambda peer: figures.added(peer, samples.p50),
            lambda peer: figures.added(peer, samples.p99),
        ),
        pair(
            "event delay, 500 streams, p50 / p99 ms",
            median(PACED_500, samples.delay_p50, 1000),
            median(PACED_500, samples.delay_p99, 1000),
        ),
        row("2,000 paced streams, completed/s", median(PACED_2000, samples.answers), whole),
        pair("resident MiB, idle / 500 streams", figures.idle_mib.get, median(PACED_500, samples.resident)),
    ]
    return table(["", *result.peers], rows)


def feature_table(features: Iterable[Feature]) -> str:
    """Processor time of Crouter with one feature more in each line, and what that one added."""
    rows = []
    before: Feature | None = None
    for feature in features:
        cells = [feature.name if before is None else f"+ {feature.name}"]
        for workload in MEASURED:
            cells += _feature_cells(feature, before, workload)
        rows.append(cells)
        before = feature
    names = ["JSON" if workload == JSON else "stream" for workload in MEASURED]
    heads = [head for name in names for head in (f"{name}: answers/s", "CPU µs", "added µs")]
    return table(["", *heads], rows)


def _feature_cells(feature: Feature, before: Feature | None, workload: str) -> list[str]:
    if workload not in feature.cpu_us:
        return ["failed" if feature.failed else _MISSING, _MISSING, _MISSING]
    cpu = feature.cpu_us[workload].median
    base = before.cpu_us.get(workload) if before is not None else None
    added = _MISSING if base is None else f"{cpu - base.median:+.1f}"
    return [f"{feature.answers_per_second[workload].median:,.0f}", f"{cpu:.1f}", added]


def _conditions(result: Proxying) -> str:
    plan = result.plan
    lines = [
        f"{plan.rounds} interleaved rounds of {plan.seconds:.1f} s, {plan.paced_rounds} of {plan.paced_seconds:.1f} s "
        f"with paced streams; {PLAIN} and the gateways in {plan.slow_rounds}.",
        _metered(result),
        "Versions: " + ", ".join(f"{name} {version}" for name, version in sorted(result.versions.items())) + ".",
    ]
    if result.disturbed is not None:
        lines.append(
            f"Unrelated processes took {result.disturbed.median:.0%} of the proxies' core in the middle round, "
            f"{result.disturbed.most:.0%} in the worst: near 0% or the figures mean little."
        )
    rewritten = [peer for peer, found in result.identity.items() if set(found.values()) != {"same bytes"}]
    lines.append(
        "The bytes of every answer came through unchanged"
        + (f", but for {', '.join(rewritten)}, which says the same in another shape." if rewritten else ".")
    )
    lines += [f"**{name} is left out: {reason}.**" for name, reason in result.absent.items()]
    lines += [
        f"**{peer} failed under {cell.title}: {reason}.**"
        for cell in (*result.cells, *result.sweep)
        for peer, reason in cell.failed.items()
    ]
    lines += [f"**Crouter up to {each.name} failed: {each.failed}.**" for each in result.features if each.failed]
    for name, milliseconds in result.leaving_ms.items():
        ordered = sorted(milliseconds)
        p50, p99 = percentile(ordered, 50), percentile(ordered, 99)
        lines.append(
            f"A stream's client leaves {name}: the upstream knows after {_short(p50)} ms (p50), {_short(p99)} ms (p99) "
            f"and {_short(ordered[-1])} ms at most, of {len(ordered):,}."
        )
    if result.by_wrk:
        by_wrk = ", ".join(f"{name} {rate:,.0f}" for name, rate in result.by_wrk.items())
        lines.append(f"JSON answers/s as wrk counts them, 64 connections, 2 s: {by_wrk}.")
    return "\n".join(f"- {line}" for line in lines) + "\n"


def _metered(result: Proxying) -> str:
    if result.answered is None:
        return f"Crouter broke under a load; {result.metered:,} answers were metered, and not all were counted."
    verdict = ": **THESE HAVE TO BE EQUAL.**" if result.miscounted else "."
    return f"Crouter gave {result.answered:,} answers and has metered {result.metered:,}{verdict}"


def _spread_table(cell: Cell, peers: tuple[str, ...]) -> str:
    heads = ["", "answers/s", "of nginx", "CPU µs/answer", "of its core", "others on it", "p50 ms", "p99 ms"]
    has_events = any(sample.delay for found in cell.samples.values() for sample in found)
    if has_events:
        heads += [
            "first event p50 ms",
            "first event p99 ms",
            "event delay p50 ms",
            "event delay p99 ms",
            "CPU µs/event",
        ]
    return table(heads, [_row(cell, peer, has_events=has_events) for peer in peers if peer in cell.samples])


def _row(cell: Cell, peer: str, *, has_events: bool) -> list[str]:
    def spread(of: _Of, form: str, scale: float = 1.0) -> str:
        return _spread(cell.figure(peer, of), form, scale)

    row = [
        peer,
        spread(samples.answers, "{:,.0f}"),
        _ratio(cell, peer),
        spread(samples.cpu, "{:,.1f}"),
        _share(cell.figure(peer, lambda sample: sample.core_busy)),
        _share(cell.figure(peer, lambda sample: sample.others_busy)) if peer != DIRECT else _MISSING,
        spread(samples.p50, "{:,.2f}", 1000),
        spread(samples.p99, "{:,.2f}", 1000),
    ]
    if has_events:
        row += [
            spread(samples.first_p50, "{:,.2f}", 1000),
            spread(samples.first_p99, "{:,.2f}", 1000),
            spread(samples.delay_p50, "{:,.2f}", 1000),
            spread(samples.delay_p99, "{:,.2f}", 1000),
            spread(samples.event_cpu, "{:,.1f}"),
        ]
    return row


def _ratio(cell: Cell, peer: str) -> str:
    one, nginx = cell.figure(peer, samples.answers), cell.figure(NGINX, samples.answers)
    return f"{one.median / nginx.median:.3f}" if one and nginx and nginx.median else _MISSING


def _share(share: Repeated | None) -> str:
    return _MISSING if share is None else f"{share.median:.0%}"


def _spread(figure: Repeated | None, form: str, scale: float) -> str:
    if figure is None:
        return _MISSING
    median, least, most = (form.format(value / scale) for value in (figure.median, figure.least, figure.most))
    return median if len(figure.values) == 1 else f"{median} ({least} to {most})"


def _short(value: float) -> str:
    """Three digits, or more before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
