"""All changes from one policy to another, judged, weighed by the policy's own words, and put in order."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import get_args

from crouter.plan.difference.browser import browser_changes
from crouter.plan.difference.change import Change, Difference, Group
from crouter.plan.difference.data import data_changes
from crouter.plan.difference.declarations import declaration_changes
from crouter.plan.difference.parties import party_changes
from crouter.plan.difference.promises import promise_changes
from crouter.plan.difference.retention import retention_changes
from crouter.plan.difference.said import SaidDifferently
from crouter.plan.difference.structure import Step, steps_between
from crouter.plan.plan import make_plan
from crouter.policy.model import Policy
from crouter.policy.problems import dotted

JUDGES: tuple[Callable[[Policy, Policy], Iterator[Change]], ...] = (
    data_changes,
    party_changes,
    retention_changes,
    promise_changes,
    browser_changes,
)
"""Each knows what a change of some parts means for people."""

_GROUPS: Mapping[str, Group] = {
    "processors": "processors",
    "cookies": "cookies",
    "storage": "cookies",
    "consent": "cookies",
    "analytics": "cookies",
    "proxy": "code",
    "logging": "code",
    "metrics": "code",
    "security": "code",
}
"""Where a change is told that no judge has words for; everything else is told with what concerns customers."""


def compare(before: Policy, after: Policy, more: Iterable[Change] = ()) -> Difference:
    """The difference from the policy in force to another. Empty exactly if both have the same digest.

    `more` are changes that follow from elsewhere, such as those of the database.
    """
    steps = steps_between(before, after)
    judged = tuple(change for judge in JUDGES for change in judge(before, after)) if steps else ()
    first, second = make_plan(before), make_plan(after)
    said = SaidDifferently(first.document, second.document)
    changes = (
        *judged,
        *(_told(step) for step in steps if not _is_judged(step, judged)),
        *(declaration_changes(first.deployment, second.deployment) if steps else ()),
        *more,
    )
    # Leaving a kind out of the list must not hide the very change that comes along with it.
    significant = {*before.policy.changes.significant, *after.policy.changes.significant}
    weighed = (
        replace(change, significant=change.weight in significant, said=said.because_of(change)) for change in changes
    )
    order = get_args(Group)
    return Difference(tuple(sorted(weighed, key=lambda change: (order.index(change.group), not change.significant))))


def _is_judged(step: Step, changes: tuple[Change, ...]) -> bool:
    """Whether a change says what happens at this place, around it or, where all of it came or went, in it."""
    for change in changes:
        if step.path[: len(change.path)] == change.path and (change.path == step.path or step.kind != "reordered"):
            return True
        if step.kind in ("added", "removed") and change.path[: len(step.path)] == step.path:
            return True
    return False


def _told(step: Step) -> Change:
    group = _GROUPS.get(str(step.path[0]), "customers") if step.path else "customers"
    if "technical" in step.path[2:3]:
        group = "code"
    place = dotted(step.path) or "policy.yaml"
    if step.kind == "reordered":
        summary = f"{place} stands in another order"
    elif step.kind == "changed" and _is_short(step.before) and _is_short(step.after):
        summary = f"{place} reads “{step.after}” instead of “{step.before}”"
    else:
        words = {"added": "is new", "removed": "is gone", "changed": "reads differently"}
        summary = f"{place} {words[step.kind]}"
    return Change(group, step.kind, step.path, summary, in_words=False)


def _is_short(value: object) -> bool:
    return isinstance(value, int | str) and len(str(value)) <= 100
