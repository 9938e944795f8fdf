"""How long everything is kept, category by category: under which rule it stands does not matter."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from crouter.plan.difference.change import Change, Weight
from crouter.plan.difference.parts import gained, named, quoted
from crouter.plan.difference.periods import compare_periods, may_be_longer
from crouter.plan.words import duration_words, joined
from crouter.policy.model import Policy
from crouter.policy.parts.promises import DeleteAfter, KeepFor, KeepWhileActive, LegalException
from crouter.policy.problems import Path
from crouter.policy.types import Duration


@dataclass(frozen=True, slots=True)
class _Kept:
    """How long one category is kept, and the rule that says so."""

    rule: str
    keep: Duration | Literal["while_active"]
    begins: str = ""


def retention_changes(before: Policy, after: Policy) -> Iterator[Change]:
    """Periods, and deletions after an event."""
    yield from _periods(before, after)
    yield from _deletions(before, after)


def _periods(before: Policy, after: Policy) -> Iterator[Change]:
    old, new = _kept(before), _kept(after)
    found: dict[Path, list[tuple[str, _Kept, _Kept]]] = {}
    for name in after.data:
        if name in before.data and name in old and name in new:
            now = new[name]
            if old[name].keep != now.keep:
                found.setdefault(("retention", now.rule, "keep"), []).append((name, old[name], now))
            if old[name].begins != now.begins and old[name].begins and now.begins:
                summary = f"the period of {_label(after, name)} begins with {now.begins} instead of {old[name].begins}"
                yield Change("customers", "changed", ("retention", now.rule, "from"), summary, "longer_retention")
    for path, moved in found.items():
        # One rule is one line of the file, and so one change, whatever it holds.
        labels = joined([_label(after, name) for name, _, _ in moved])
        weights = [_weight(first, second) for _, first, second in moved]
        weight: Weight | None = "longer_retention" if "longer_retention" in weights else None
        olds = joined(list(dict.fromkeys(_words(first) for _, first, _ in moved)), "or")
        note = _note(moved[0][1].keep, moved[0][2].keep)
        summary = f"{labels} is kept {_words(moved[0][2])} instead of {olds}{note}"
        yield Change("customers", "changed", path, summary, weight)


def _kept(policy: Policy) -> dict[str, _Kept]:
    kept: dict[str, _Kept] = {}
    for rule_name, rule in policy.retention.items():
        if isinstance(rule, KeepFor):
            kept.update({name: _Kept(rule_name, rule.keep, rule.from_) for name in rule.of})
        elif isinstance(rule, KeepWhileActive):
            kept.update({name: _Kept(rule_name, rule.keep) for name in rule.of})
    return kept


def _weight(before: _Kept, after: _Kept) -> Weight | None:
    if after.keep == "while_active":
        return "longer_retention"
    if before.keep == "while_active":
        return None
    assert isinstance(before.keep, Duration)
    assert isinstance(after.keep, Duration)
    return "longer_retention" if may_be_longer(before.keep, after.keep) else None


def _note(before: Duration | str, after: Duration | str) -> str:
    if not (isinstance(before, Duration) and isinstance(after, Duration)):
        return ""
    said = {
        "same": ", which is the same",
        "either": ", which is longer or shorter, depending on the day it begins",
        "longer": "",
        "shorter": "",
    }
    return said[compare_periods(before, after)]


def _words(kept: _Kept) -> str:
    return f"for {duration_words(kept.keep)}" if isinstance(kept.keep, Duration) else "as long as the account is active"


def _deletions(before: Policy, after: Policy) -> Iterator[Change]:
    old, new = _deleted(before), _deleted(after)
    unsafe = [name for name in before.data if name in after.data and name in old and name not in new]
    for name in unsafe:
        summary = f"{_label(after, name)} is no longer deleted with the account"
        yield Change("customers", "removed", ("retention", old[name][0], "of"), summary, "weaker_promise")
    for name, rule in after.retention.items():
        earlier = before.retention.get(name)
        if isinstance(rule, DeleteAfter):
            first = earlier if isinstance(earlier, DeleteAfter) else _one_about(rule, old)
            if first is not None:
                yield from _deletion(("retention", name), first, rule, after)


def _deleted(policy: Policy) -> dict[str, tuple[str, DeleteAfter]]:
    return {
        name: (rule_name, rule)
        for rule_name, rule in policy.retention.items()
        if isinstance(rule, DeleteAfter)
        for name in rule.of
    }


def _one_about(rule: DeleteAfter, deleted: Mapping[str, tuple[str, DeleteAfter]]) -> DeleteAfter | None:
    """The older rule under another name that deleted the same data."""
    return next((deleted[name][1] for name in rule.of if name in deleted), None)


def _deletion(path: Path, before: DeleteAfter, after: DeleteAfter, policy: Policy) -> Iterator[Change]:
    if before.within != after.within:
        weight: Weight | None = "longer_retention" if may_be_longer(before.within, after.within) else None
        summary = (
            f"deleted data is gone within {duration_words(after.within)} instead of {duration_words(before.within)}"
        )
        note = _note(before.within, after.within)
        yield Change("customers", "changed", (*path, "within"), summary + note, weight)
    if before.event != after.event:
        summary = f"a deletion begins with {after.event} instead of {before.event}"
        yield Change("customers", "changed", (*path, "event"), summary, "weaker_promise")
    if before.grace != after.grace:
        summary = f"a deletion can be taken back for {duration_words(after.grace)} instead of "
        yield Change("customers", "changed", (*path, "grace"), summary + duration_words(before.grace))
    if before.exceptions != after.exceptions:
        worse = [words for exception in after.exceptions if (words := _more_kept(before.exceptions, exception, policy))]
        summary = (
            joined(worse) if worse else "less is kept after a deletion because the law requires it, or for other words"
        )
        weight = "longer_retention" if worse else None
        yield Change("customers", "changed", (*path, "exceptions"), summary, weight)


def _more_kept(before: tuple[LegalException, ...], after: LegalException, policy: Policy) -> str:
    """What this exception keeps longer than any exception did; empty for nothing."""
    label = _label(policy, after.of)
    same = [exception for exception in before if exception.of == after.of]
    kept = f"{label} is kept after a deletion for {duration_words(after.keep)} ({after.law})"
    if not same:
        return kept
    covering = [old for old in same if not old.kinds or (after.kinds and not gained(old.kinds, after.kinds))]
    if not covering:
        kinds = gained([kind for old in same for kind in old.kinds], after.kinds)
        return f"{kept}, now of the kind {named(kinds)} too" if kinds else f"{kept}, now all of it"
    if all(may_be_longer(old.keep, after.keep) for old in covering):
        return kept
    return ""


def _label(policy: Policy, name: str) -> str:
    return quoted(policy.data[name].label) if name in policy.data else name
