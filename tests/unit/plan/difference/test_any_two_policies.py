"""What holds for any two policies: nothing raises, and nothing that changes goes untold."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crouter.plan.difference import compare
from crouter.plan.difference.structure import steps_of
from crouter.plan.digest import policy_digest
from crouter.policy.model import Policy
from crouter.policy.rules import ALL_RULES
from tests.unit.plan.difference.edits import (
    EDITS,
    WHOLE,
    edited_policy,
)

# What holds for any two policies


@settings(deadline=None, max_examples=60)
@given(chosen=st.lists(st.sampled_from(EDITS), max_size=5, unique_by=lambda edit: edit[0]))
def test_any_edits_together_are_told_and_never_raise(chosen: list[tuple[str, dict[str, Any], str, Any, Any]]) -> None:
    edited = edited_policy(dict(_compatible({key: value for edit in chosen for key, value in edit[1].items()})))
    difference = compare(WHOLE, edited)
    assert bool(difference) == (policy_digest(WHOLE) != policy_digest(edited))
    assert bool(compare(edited, WHOLE)) == bool(difference)
    assert not compare(edited, edited)


def _compatible(edits: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The edits without those inside something that another one replaces or takes away."""
    for path, value in edits.items():
        if not any(path.startswith(f"{other}.") for other in edits):
            yield path, value


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif path[0] not in ("language", "sections") and value is not None:
        yield path


DUMPED = WHOLE.model_dump(mode="json", by_alias=True)
LEAVES = list(leaves(DUMPED))


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
def test_every_leaf_that_changes_is_a_step(path: tuple[str, ...]) -> None:
    changed = _with(path, _others(_value(path))[0])
    assert [step.path for step in steps_of(deepcopy(DUMPED), changed)] == [path]


_OF_THE_LIBRARY = frozenset({"PR-60", "PR-61", "PR-62"})


def test_every_leaf_that_changes_is_told() -> None:
    """Of those leaves that have another valid value among the ones tried here."""
    tried = 0
    for path in LEAVES:
        for value in _others(_value(path)):
            try:
                edited = Policy.model_validate_json(json.dumps(_with(path, value)))
            except ValidationError:
                continue
            if not _follows_the_rules(edited):
                continue
            tried += 1
            about = [change.path for change in compare(WHOLE, edited).changes if change.path]
            assert any(place[: len(path)] == path or path[: len(place)] == place for place in about), path
            break
    assert tried > 300


def _follows_the_rules(policy: Policy) -> bool:
    # The policy that is changed has what is written about here, and not all that the library itself works on.
    rules = [rule for rule in ALL_RULES if rule.severity == "error" and rule.code not in _OF_THE_LIBRARY]
    return not any(any(rule.check(policy)) for rule in rules)


def _value(path: tuple[str, ...]) -> Any:
    value: Any = DUMPED
    for key in path:
        value = value[key]
    return value


def _with(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    said = deepcopy(DUMPED)
    part = said
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return said


def _others(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, list):
        return [[*value, "another"], value[:-1]] if value else [["another"]]
    known = ("another", "P90D", "2030-01-01", "https://example.org/", "a@example.org", "crouter", "dashboard", "text")
    words = (
        "count",
        "number",
        "store",
        "contract",
        "none",
        "lax",
        "strict",
        "analytics",
        "always",
        "redirect",
        "Other",
    )
    return [item for item in (*known, *words, "user.other", "1.3", "POST", "/other", "website") if item != value]
