"""What is kept, and why: `purposes`, `sources`, `data`."""

from collections.abc import Iterator, Mapping

from crouter.plan.difference.change import Change, Group, Weight
from crouter.plan.difference.parts import come, gained, gone, lost, quoted, stay
from crouter.plan.words import joined
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataCategory, DataField, Purpose
from crouter.policy.problems import Path


def data_changes(before: Policy, after: Policy) -> Iterator[Change]:
    """Purposes, categories and fields."""
    for name, purpose in come(before.purposes, after.purposes):
        summary = f"data is used for a new purpose: {quoted(purpose.label)}"
        yield Change("customers", "added", ("purposes", name), summary, "new_purpose")
    for name, purpose in gone(before.purposes, after.purposes):
        yield Change("customers", "removed", ("purposes", name), f"no purpose {quoted(purpose.label)} any more")
    for name, old, new in stay(before.purposes, after.purposes):
        yield from _purpose(("purposes", name), old, new)
    for name, category in come(before.data, after.data):
        yield _new_category(("data", name), category)
    for name, category in gone(before.data, after.data):
        group: Group = "customers" if category.subject == "customer" else "code"
        yield Change(group, "removed", ("data", name), f"{quoted(category.label)} is no longer kept")
    for name, old_category, new_category in stay(before.data, after.data):
        yield from _category(("data", name), old_category, new_category, before, after)


def _purpose(path: Path, before: Purpose, after: Purpose) -> Iterator[Change]:
    label = quoted(after.label)
    if before.basis != after.basis:
        # Consent can be withdrawn; no other basis leaves the choice to the person.
        weight: Weight | None
        weight = "weaker_promise" if before.basis == "consent" else None if after.basis == "consent" else "new_purpose"
        summary = f"the legal basis of {label} is {_words(after.basis)} instead of {_words(before.basis)}"
        yield Change("customers", "changed", (*path, "basis"), summary, weight, asks_again=after.basis == "consent")
    if before.data_use != after.data_use:
        narrower = _is_below(after.data_use, before.data_use)
        summary = f"{label} now means {after.data_use} instead of {before.data_use}"
        yield Change("customers", "changed", (*path, "data_use"), summary, None if narrower else "new_purpose")


def _new_category(path: Path, category: DataCategory) -> Change:
    if category.subject != "customer":
        return Change("code", "added", path, f"{quoted(category.label)} is kept, and is about nobody")
    fields = list(dict.fromkeys(field.label for field in category.fields.values()))
    what = f": {joined([quoted(label) for label in fields])}" if fields else ""
    return Change("customers", "added", path, f"a new kind of data is kept, {quoted(category.label)}{what}", "new_data")


def _category(
    path: Path, before: DataCategory, after: DataCategory, old_policy: Policy, new_policy: Policy
) -> Iterator[Change]:
    label = quoted(after.label)
    if before.subject != after.subject:
        weight: Weight | None = "new_data" if after.subject == "customer" else "weaker_promise"
        about = "a customer" if after.subject == "customer" else "nobody"
        yield Change("customers", "changed", (*path, "subject"), f"{label} now counts as data about {about}", weight)
    if before.owner != after.owner:
        weight = "weaker_promise" if after.owner is None else None
        summary = f"{label} belongs to {after.owner or 'nobody'} instead of {before.owner or 'nobody'}"
        yield Change("customers", "changed", (*path, "owner"), summary, weight)
    if before.source != after.source:
        yield _source((*path, "source"), label, before.source, after.source, old_policy, new_policy)
    if before.fold is not None and before.fold != after.fold:
        again = "is no longer summed up" if after.fold is None else "is summed up otherwise"
        summary = f"{label} {again}, so that single entries may stay longer"
        yield Change("customers", "changed", (*path, "fold"), summary, "longer_retention")
    yield from _fields(path, before, after, old_policy, new_policy)


def _fields(
    path: Path, before: DataCategory, after: DataCategory, old_policy: Policy, new_policy: Policy
) -> Iterator[Change]:
    fields = (*path, "fields")
    for name, field in come(before.fields, after.fields):
        summary = f"{quoted(after.label)} has a new field, {quoted(field.label)}"
        weight: Weight | None = "new_data" if after.subject == "customer" else None
        yield Change("customers", "added", (*fields, name), summary, weight)
    for name, field in gone(before.fields, after.fields):
        if name in after.technical:
            summary = f"{quoted(field.label)} is kept as a technical column, which the policy does not mention"
            yield Change("customers", "removed", (*fields, name), summary, "weaker_promise")
        else:
            summary = f"{quoted(before.label)} no longer has {quoted(field.label)}"
            yield Change("customers", "removed", (*fields, name), summary)
    for name, old, new in stay(before.fields, after.fields):
        yield from _field((*fields, name), old, new, old_policy, new_policy)


def _field(path: Path, before: DataField, after: DataField, old_policy: Policy, new_policy: Policy) -> Iterator[Change]:
    label = quoted(after.label)
    more, fewer = gained(before.purposes, after.purposes), lost(before.purposes, after.purposes)
    if more:
        summary = f"{label} is also used for {_purposes(more, new_policy.purposes)}"
        if fewer:
            summary += f", and no longer for {_purposes(fewer, old_policy.purposes)}"
        yield Change("customers", "changed", (*path, "purposes"), summary, "new_purpose")
    elif fewer:
        summary = f"{label} is no longer used for {_purposes(fewer, old_policy.purposes)}"
        yield Change("customers", "changed", (*path, "purposes"), summary)
    if before.data_category != after.data_category:
        weight: Weight | None = None if _is_below(after.data_category, before.data_category) else "new_data"
        summary = f"{label} is {after.data_category} instead of {before.data_category}"
        yield Change("customers", "changed", (*path, "data_category"), summary, weight)
    if before.type != after.type:
        weight = "weaker_promise" if before.type == "sealed" else None
        opened = ", and no longer encrypted" if before.type == "sealed" else ""
        summary = f"{label} is kept as {after.type} instead of {before.type}{opened}"
        yield Change("customers" if weight else "code", "changed", (*path, "type"), summary, weight)
    if before.source != after.source:
        old, new = before.source or "its category's source", after.source or "its category's source"
        yield _source((*path, "source"), label, old, new, old_policy, new_policy)


def _source(path: Path, label: str, old: str, new: str, old_policy: Policy, new_policy: Policy) -> Change:
    sources = (old_policy.sources.get(old), new_policy.sources.get(new))
    first, second = (source.label if source else name for source, name in zip(sources, (old, new), strict=True))
    summary = f"{label} comes from {second} instead of {first}"
    return Change(
        "customers", "changed", path, summary, None if sources[0] == sources[1] and sources[0] else "new_data"
    )


def _purposes(names: list[str], purposes: Mapping[str, Purpose]) -> str:
    return joined([purposes[name].label if name in purposes else _words(name) for name in names])


def _words(name: str) -> str:
    return name.replace("_", " ")


def _is_below(key: str, other: str) -> bool:
    """Whether a dotted key of a taxonomy is the other one or something narrower."""
    return key == other or key.startswith(f"{other}.")
