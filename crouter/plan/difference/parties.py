"""Who is answerable and who else receives what: `controller`, `processors`, and the upstream of `proxy`."""

from collections.abc import Iterator

from crouter.plan.difference.change import Change, Weight
from crouter.plan.difference.parts import come, gained, gone, lost, named, quoted, stay
from crouter.plan.difference.periods import compare_periods
from crouter.plan.words import duration_words, joined
from crouter.policy.model import Policy
from crouter.policy.parts.parties import Keeps, Processor
from crouter.policy.problems import Path
from crouter.policy.types import Duration

# What a processor says about how long it keeps things, from the most definite to the least.
_KEPT = {"none": 0, "contract": 2, "legal_obligation": 3, "unstated": 4}
_FOR_A_PERIOD = 1
_KEPT_WORDS = {
    "none": "not at all",
    "contract": "as long as our contract with it lasts",
    "legal_obligation": "as long as the law requires",
    "unstated": "for a time it does not state",
}


def party_changes(before: Policy, after: Policy) -> Iterator[Change]:
    """The controller and the processors."""
    old, new = before.controller, after.controller
    if old.name != new.name:
        summary = f"{quoted(new.name)} is answerable instead of {quoted(old.name)}"
        yield Change("customers", "changed", ("controller", "name"), summary, "new_recipient")
    if old.contact != new.contact:
        summary = f"questions go to {new.contact} instead of {old.contact}"
        yield Change("customers", "changed", ("controller", "contact"), summary)
    if before.proxy.upstream != after.proxy.upstream:
        summary = f"requests are answered by {_label(after, after.proxy.upstream)} instead of "
        summary += _label(before, before.proxy.upstream)
        yield Change("customers", "changed", ("proxy", "upstream"), summary, "new_recipient")
    for name, processor in come(before.processors, after.processors):
        yield from _new(("processors", name), processor, after)
    for name, processor in gone(before.processors, after.processors):
        yield from _gone(("processors", name), processor, before)
    for name, old_one, new_one in stay(before.processors, after.processors):
        path: Path = ("processors", name)
        yield from _receives((*path, "receives"), old_one, new_one, before, after)
        yield from _terms(path, old_one, new_one, after)


def received(policy: Policy, processor: Processor) -> frozenset[str]:
    """Everything that a processor may receive, each field by its own name: `account.email`, `content`."""
    return frozenset(item for entry in processor.receives for item in _items(policy, entry))


def _items(policy: Policy, entry: str) -> tuple[str, ...]:
    category = policy.data.get(entry)
    if category is None or not category.fields:
        return (entry,)
    return tuple(f"{entry}.{field}" for field in category.fields)


def _new(path: Path, processor: Processor, policy: Policy) -> Iterator[Change]:
    label = quoted(processor.label)
    what = _data_words(policy, received(policy, processor))
    yield Change("customers", "added", path, f"a new recipient, {label}, receives {what}", "new_recipient")
    summary = f"an agreement with {label} is needed before it receives anything (GDPR Article 28)"
    yield Change("processors", "added", path, summary)


def _gone(path: Path, processor: Processor, policy: Policy) -> Iterator[Change]:
    label = quoted(processor.label)
    yield Change("customers", "removed", path, f"{label} no longer receives anything")
    if processor.mode == "store":
        what = _data_words(policy, received(policy, processor))
        summary = f"{label} still has what it received ({what}): ask it for deletion, it keeps this "
        yield Change("processors", "removed", path, summary + _keeps_words(processor.keeps))


def _receives(path: Path, before: Processor, after: Processor, old: Policy, new: Policy) -> Iterator[Change]:
    had, has = received(old, before), received(new, after)
    more, less = has - had, had - has
    label = quoted(after.label)
    if more:
        summary = f"{label} also receives {_data_words(new, more)}"
        if less:
            summary += f", and no longer {_data_words(old, less)}"
        yield Change("customers", "changed", path, summary, "new_recipient")
    elif less:
        yield Change("customers", "changed", path, f"{label} no longer receives {_data_words(old, less)}")


def _terms(path: Path, before: Processor, after: Processor, policy: Policy) -> Iterator[Change]:
    label = quoted(after.label)
    if before.label != after.label:
        yield Change("processors", "changed", (*path, "label"), f"{quoted(before.label)} is now called {label}")
    if more := gained(before.purposes, after.purposes):
        names = [policy.purposes[name].label if name in policy.purposes else name for name in more]
        yield Change(
            "customers", "changed", (*path, "purposes"), f"{label} also works for {joined(names)}", "new_purpose"
        )
    elif fewer := lost(before.purposes, after.purposes):
        yield Change("customers", "changed", (*path, "purposes"), f"{label} no longer works for {named(fewer)}")
    if before.mode != after.mode:
        stores = after.mode == "store"
        summary = f"{label} {'stores what it receives' if stores else 'only passes on what it receives'}"
        yield Change("customers", "changed", (*path, "mode"), summary, "weaker_promise" if stores else None)
    if before.keeps.for_ != after.keeps.for_:
        weight = _keeps_weight(before.keeps, after.keeps)
        words = f"{label} keeps what it received {_keeps_words(after.keeps)} instead of {_keeps_words(before.keeps)}"
        yield Change("customers", "changed", (*path, "keeps", "for"), words, weight)
    if more := gained(before.hosts, after.hosts):
        yield Change("processors", "changed", (*path, "hosts"), f"{label} is also reached at {joined(more)}")
    elif fewer := lost(before.hosts, after.hosts):
        yield Change("processors", "changed", (*path, "hosts"), f"{label} is no longer reached at {joined(fewer)}")


def _keeps_weight(before: Keeps, after: Keeps) -> Weight | None:
    old, new = before.for_, after.for_
    if isinstance(old, Duration) and isinstance(new, Duration):
        longer = compare_periods(old, new) in ("longer", "either")
    else:
        longer = _definiteness(new) > _definiteness(old)
    return "longer_retention" if longer else None


def _definiteness(kept: Duration | str) -> int:
    return _FOR_A_PERIOD if isinstance(kept, Duration) else _KEPT[kept]


def _keeps_words(keeps: Keeps) -> str:
    return f"for {duration_words(keeps.for_)}" if isinstance(keeps.for_, Duration) else _KEPT_WORDS[keeps.for_]


def _data_words(policy: Policy, items: frozenset[str]) -> str:
    """What is received, in the words of the policy; a whole category by its own name."""
    words: dict[str, None] = {}
    for name, category in policy.data.items():
        mine = [f"{name}.{field}" for field in category.fields] or [name]
        if items.issuperset(mine):
            words[category.label] = None
        else:
            words.update(
                dict.fromkeys(field.label for key, field in category.fields.items() if f"{name}.{key}" in items)
            )
    if "content" in items:
        words["the content of requests and answers"] = None
    if "analytics" in items:
        words["analytics events"] = None
    return joined(list(words) or sorted(items))


def _label(policy: Policy, name: str) -> str:
    return quoted(policy.processors[name].label) if name in policy.processors else name
