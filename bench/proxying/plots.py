"""Draws a run as pictures, SVG, the same bytes for the same figures: throughput, latency, streams, features."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.proxying import samples
from bench.proxying.features import MEASURED
from bench.proxying.field import CROUTER, ORDER, OURS
from bench.proxying.goals import Figures
from bench.proxying.loads import BIG, SMALL, STREAMS
from bench.proxying.run import Proxying
from bench.proxying.samples import PERCENTS, Cell
from bench.proxying.traffic import JSON

_OURS, _OTHERS = "#c2410c", "#64748b"
_LINES = (
    "#0f172a",
    "#2563eb",
    "#0891b2",
    "#16a34a",
    "#a16207",
    "#9333ea",
    _OURS,
    "#f59e0b",
    "#db2777",
    "#78716c",
    "#dc2626",
)
_STYLE: Any = {
    "svg.hashsalt": "crouter",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(result: Proxying, folder: Path) -> tuple[Path, ...]:
    """Writes every picture into `folder`; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    with mpl.rc_context(_STYLE):
        for name, figure in _figures(result):
            path = folder / f"{name}.svg"
            figure.tight_layout()
            figure.savefig(path, metadata={"Date": None, "Creator": None})
            # Path data ends lines with a space, which no text file of ours does.
            text = path.read_text(encoding="utf-8")
            path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8")
            drawn.append(path)
    return tuple(drawn)


def _figures(result: Proxying) -> Iterator[tuple[str, Figure]]:
    yield "throughput", _throughput(result)
    yield "latency", _latency(result)
    yield "streams", _streams(result)
    yield "features", _features(result)


def _throughput(result: Proxying) -> Figure:
    figure = Figure(figsize=(9, 3.4))
    figures = Figures(result.cells, result.idle_mib)
    for axes, (kind, title) in zip(
        _row(figure, 3), ((SMALL, "JSON"), (BIG, "JSON with 204 KB body"), (STREAMS, "streams, unpaced")), strict=True
    ):
        found = [(peer, figures.median(kind, peer, samples.answers)) for peer in reversed(result.peers)]
        shown = [(peer, value) for peer, value in found if value]
        axes.barh(
            [peer for peer, _ in shown],
            [value for _, value in shown],
            color=[_OURS if peer in OURS else _OTHERS for peer, _ in shown],
        )
        for place, (_, value) in enumerate(shown):
            axes.text(value, place, f" {value:,.0f}", va="center", fontsize=7)
        axes.set_xscale("log")
        axes.set_xlim(right=max([value for _, value in shown], default=1) * 6)
        axes.set_title(title)
        axes.set_xlabel("answers/s, 64 connections")
    return figure


def _latency(result: Proxying) -> Figure:
    figure = Figure(figsize=(9, 3.6))
    cells = {cell.name: cell for cell in result.cells}
    # Distance to 100 % on a log scale, so that the tail is seen.
    tail = [100 / (100 - percent) for percent in PERCENTS]
    for axes, name in zip(_row(figure, 2), ("json-1", "json"), strict=True):
        cell = cells[name]
        for peer in result.peers:
            curve = _curve(cell, peer)
            if curve:
                axes.plot(tail, curve, label=peer, color=_colour(peer), linewidth=2 if peer == CROUTER else 1)
        axes.set_xscale("log")
        axes.set_yscale("log")
        marks = (50, 90, 99, 99.9)
        axes.set_xticks([100 / (100 - mark) for mark in marks], [f"{mark:g}" for mark in marks])
        axes.minorticks_off()
        axes.set_xlabel("percentile of answers")
        axes.set_ylabel("ms")
        axes.set_title(cell.title)
    figure.axes[1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _curve(cell: Cell, peer: str) -> list[float]:
    """Milliseconds at each percentile: the middle of the rounds."""
    curves = [sample.answer.curve for sample in cell.samples.get(peer, ()) if sample.answer]
    return [sorted(values)[len(values) // 2] / 1000 for values in zip(*curves, strict=True)]


def _streams(result: Proxying) -> Figure:
    figure = Figure(figsize=(9, 3.6))
    paced = sorted(
        (cell for cell in (*result.cells, *result.sweep) if cell.name.startswith("paced")),
        key=lambda cell: cell.connections,
    )
    for axes, (title, of) in zip(
        _row(figure, 2),
        (("time to the first event, p99", samples.first_p99), ("delay of an event, p99", samples.delay_p99)),
        strict=True,
    ):
        for peer in result.peers:
            _line(axes, peer, paced, of)
        axes.set_xscale("log")
        axes.set_yscale("log")
        counts = [cell.connections for cell in paced]
        axes.set_xticks(counts, [f"{count:,}" for count in counts])
        axes.minorticks_off()
        axes.set_xlabel("streams at once, an event every 20 ms")
        axes.set_ylabel("ms")
        axes.set_title(title)
    figure.axes[1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _line(axes: Any, peer: str, cells: list[Cell], of: Callable[[samples.Sample], float | None]) -> None:
    found = [(cell.connections, cell.figure(peer, of)) for cell in cells if peer not in cell.failed]
    points = [(count, figure.median / 1000) for count, figure in found if figure]
    axes.plot(
        [count for count, _ in points],
        [value for _, value in points],
        marker="o",
        markersize=3,
        label=peer,
        color=_colour(peer),
        linewidth=2 if peer == CROUTER else 1,
    )


def _features(result: Proxying) -> Figure:
    figure = Figure(figsize=(9, 2.8))
    for axes, workload in zip(_row(figure, len(MEASURED)), MEASURED, strict=True):
        shown = [(each.name, each.cpu_us[workload]) for each in result.features if workload in each.cpu_us]
        names = [name if at == 0 else f"+ {name}" for at, (name, _) in enumerate(shown)]
        middles = [figure_of.median for _, figure_of in shown]
        spread = (
            [figure_of.median - figure_of.least for _, figure_of in shown],
            [figure_of.most - figure_of.median for _, figure_of in shown],
        )
        axes.barh(names[::-1], middles[::-1], xerr=[side[::-1] for side in spread], color=_OURS, ecolor=_OTHERS)
        axes.set_xlabel("processor time for one answer, µs")
        axes.set_title("JSON" if workload == JSON else "stream of 50 events, unpaced")
    return figure


def _row(figure: Figure, count: int) -> list[Any]:
    return [figure.add_subplot(1, count, place + 1) for place in range(count)]


def _colour(peer: str) -> str:
    return _LINES[ORDER.index(peer)] if peer in ORDER else _OTHERS
