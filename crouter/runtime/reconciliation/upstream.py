"""Compares our usage with the upstream's report, count by count, and explains what can be explained. Values only."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from crouter.runtime.reconciliation.admin_report import Counts, Place, UsageReport
from crouter.runtime.reconciliation.edges import across_midnight
from crouter.runtime.reconciliation.figure import Cause, Figure, within
from crouter.runtime.reconciliation.ours import COST, OurUsage

_NOTHING: Counts = {}


def compared_usage(
    ours: OurUsage, report: UsageReport, costs: Mapping[Place, int] | None, first: date, last: date
) -> tuple[Figure, ...]:
    """A figure for every day, model and count that one side knows, and one for the cost; in their order.

    `costs` is None where the upstream tells none.
    """
    counts = across_midnight(tuple(_counts(ours, report, first, last)), _near(ours))
    if costs is None:
        return counts
    return (*counts, *across_midnight(tuple(_costs(ours, costs, counts, first, last)), _near(ours)))


def _counts(ours: OurUsage, report: UsageReport, first: date, last: date) -> Iterator[Figure]:
    places = {place for sums in (ours.recorded, report.ours, report.others) for place in sums}
    for day, model in sorted(place for place in places if first <= place[0] <= last):
        place = (day, model)
        mine, theirs = ours.recorded.get(place, _NOTHING), report.ours.get(place, _NOTHING)
        others = report.others.get(place, _NOTHING)
        for name in sorted({*mine, *theirs, *others} - {COST}):
            total = theirs.get(name, 0) + others.get(name, 0)
            figure = Figure("upstream", day, model, name, mine.get(name, 0), total)
            yield _explained(figure, ours, report, place)


def _explained(figure: Figure, ours: OurUsage, report: UsageReport, place: Place) -> Figure:
    name = figure.measure
    possible: list[tuple[Cause, int]] = [
        ("other_keys", report.others.get(place, _NOTHING).get(name, 0)),
        ("in_journal", ours.in_journal.get(place, _NOTHING).get(name, 0)),
        ("set_aside", ours.set_aside.get(place, _NOTHING).get(name, 0)),
    ]
    if _may_be_batches(ours, report, place[1], name):
        theirs, mine = report.batches.get(place, _NOTHING), ours.batches.get(place, _NOTHING)
        possible.append(("batches_unread", theirs.get(name, 0) - mine.get(name, 0)))
    return _with_causes(figure, possible)


def _may_be_batches(ours: OurUsage, report: UsageReport, model: str, name: str) -> bool:
    """Whether batches of all days together differ by no more than batches can that are not read yet, or were late."""
    theirs, mine = (
        sum(counts.get(name, 0) for (_, one), counts in sums.items() if one == model)
        for sums in (report.batches, ours.batches)
    )
    return theirs == mine or (theirs > mine and ours.has_unread_batches) or (theirs < mine and ours.has_late_batches)


def _costs(
    ours: OurUsage, costs: Mapping[Place, int], counts: tuple[Figure, ...], first: date, last: date
) -> Iterator[Figure]:
    # A cost that differs where counts differ, too, says nothing new; only if those are all explained is it.
    explained = {(figure.day, figure.subject) for figure in counts if figure.state == "explained"}
    doubtful = {(figure.day, figure.subject) for figure in counts if figure.state == "unexplained"}
    places = {*ours.recorded, *costs}
    for place in sorted(place for place in places if first <= place[0] <= last):
        day, model = place
        mine = ours.recorded.get(place, _NOTHING).get(COST, 0)
        figure = Figure("upstream", day, model, COST, mine, costs.get(place, 0))
        if place in explained - doubtful and figure.difference:
            figure = replace(figure, causes={"follows_counts": figure.difference})
        yield figure


def _with_causes(figure: Figure, possible: list[tuple[Cause, int]]) -> Figure:
    causes: dict[Cause, int] = {}
    for cause, most in possible:
        explains = within(figure.difference - sum(causes.values()), most)
        if explains:
            causes[cause] = explains
    return replace(figure, causes=causes)


def _near(ours: OurUsage) -> dict[tuple[date, str, str], int]:
    return {
        (day, model, name): count
        for (day, model), counts in ours.near_midnight.items()
        for name, count in counts.items()
    }
