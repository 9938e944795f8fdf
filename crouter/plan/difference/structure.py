"""Two policies side by side, value by value: every place at which they differ, whatever it means.

Knows nothing of privacy. What a difference means is decided beside this module; what nobody there knows still shows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from crouter.plan.difference.change import Kind
from crouter.policy.model import Policy
from crouter.policy.problems import Path

_Placed: TypeAlias = tuple[Path, str, dict[str, Any]]
"""A claim with its place and the title of its section."""


@dataclass(frozen=True, slots=True)
class Step:
    """One place at which two policies differ; a value that is not there is None."""

    kind: Kind
    path: Path
    before: Any = None
    after: Any = None


def steps_between(before: Policy, after: Policy) -> tuple[Step, ...]:
    """Every place at which the two differ. None exactly if both have the same digest.

    What comes or goes with everything in it is one step. Lists of names are compared without their order; a change
    of nothing but the order is a step of its own.
    """
    return steps_of(_dumped(before), _dumped(after))


def _dumped(policy: Policy) -> dict[str, Any]:
    said: dict[str, Any] = policy.model_dump(mode="json", by_alias=True)
    return said


def steps_of(before: dict[str, Any], after: dict[str, Any]) -> tuple[Step, ...]:
    """As `steps_between`, for policies as JSON values."""
    old, new = ({**said} for said in (before, after))
    sections = _of_sections(old.pop("sections"), new.pop("sections"))
    return (*_of_mappings((), old, new), *sections)


def _of_sections(before: list[Any], after: list[Any]) -> Iterator[Step]:
    """Sections are told apart by their titles and claims by their ids; a claim that moves is one step."""
    old, new = _titles(before), _titles(after)
    for title, number in old.items():
        if title not in new:
            yield Step("removed", ("sections", number, "title"), title)
    for title, number in new.items():
        if title not in old:
            yield Step("added", ("sections", number, "title"), None, title)
    yield from _of_claims(_claims(before), _claims(after))
    if _in_another_order(old, new):
        yield Step("reordered", ("sections",), list(old), list(new))
    for title, number in new.items():
        if title in old and _in_another_order(before[old[title]]["claims"], after[number]["claims"]):
            yield Step("reordered", ("sections", number, "claims"))


def _of_claims(before: dict[str, _Placed], after: dict[str, _Placed]) -> Iterator[Step]:
    for name, (path, _, claim) in before.items():
        if name not in after:
            yield Step("removed", path, claim)
    for name, (path, title, claim) in after.items():
        if name not in before:
            yield Step("added", path, None, claim)
            continue
        _, old_title, old_claim = before[name]
        if title != old_title:
            yield Step("changed", path, old_title, title)
        yield from _of_mappings(path, old_claim, claim)


def _titles(sections: list[Any]) -> dict[str, int]:
    return {section["title"]: number for number, section in enumerate(sections)}


def _claims(sections: list[Any]) -> dict[str, _Placed]:
    return {
        name: (("sections", number, "claims", name), section["title"], claim)
        for number, section in enumerate(sections)
        for name, claim in section["claims"].items()
    }


def _of_values(path: Path, before: Any, after: Any) -> Iterator[Step]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_mappings(path, before, after)
    elif isinstance(before, list) and isinstance(after, list) and _same_items(before, after):
        if before != after:
            yield Step("reordered", path, before, after)
    elif before is None or after is None:
        if before is not after:
            yield Step("added" if before is None else "removed", path, before, after)
    elif before != after:
        yield Step("changed", path, before, after)


def _of_mappings(path: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Step]:
    for name, value in before.items():
        if name not in after:
            yield Step("removed", (*path, name), value)
    for name, value in after.items():
        if name in before:
            yield from _of_values((*path, name), before[name], value)
        else:
            yield Step("added", (*path, name), None, value)
    if _in_another_order(before, after):
        yield Step("reordered", path, list(before), list(after))


def _in_another_order(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return [name for name in before if name in after] != [name for name in after if name in before]


def _same_items(before: list[Any], after: list[Any]) -> bool:
    return sorted(map(repr, before)) == sorted(map(repr, after))
