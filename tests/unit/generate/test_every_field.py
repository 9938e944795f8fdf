"""Every value of policy.yaml reaches an output. A value that changes nothing would be a promise that nobody keeps.

Each scalar is given another value, each item of a list is taken away and one is added, each named entry is taken away
and copied under another name. A share of the files with another value is loaded as any policy is; for the others, where
the rules refuse every single change, since what another part says would no longer fit, and for what comes and goes, the
change is made to the checked policy all the same: whether outputs show something does not depend on whether it is
allowed. MANIFEST.json and the policy's digest do not count.
"""

import functools
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import pytest

from crouter.generate.render import FAMILIES
from crouter.generate.templates import Templates
from crouter.plan.plan import Plan, make_plan
from crouter.policy.addresses import address_of
from crouter.policy.forms import Choice, ListOf, MapOf
from crouter.policy.load import load
from crouter.policy.model import Policy
from crouter.policy.parts.base import Part
from tests.unit.generate import leaves
from tests.unit.generate.leaves import Path, Tree

POLICY = FilePath(__file__).parents[3] / "policy.yaml"
TREE = leaves.parse(POLICY.read_text(encoding="utf-8"))
# How many values are put to the rules before a change is made past them, and in how many places of the file, chosen
# anew in each run: loading is what takes the time.
TRIED_BY_RULES = 2
SHARE_BY_RULES = 0.1
SEED = int(os.environ.get("CROUTER_SEED", time.time_ns() % 2**32))
TRIED_PAST_RULES = 40

# The quickest first: the first family that shows a change is enough.
ORDER = ("records", "web", "retention", "database", "edge", "policy", "proof", "service")

# Changes that make sense only together with another one.
A_KEY = {"type": "uuid", "key": True, "why": "names the row"}
# Without a kind that a fold or an exception names, nothing can be drawn; that each of them is shown is seen by giving
# it another name throughout.
KINDS = ("data", "ledger", "technical", "kind", "values")
A_TIME = {"type": "timestamp", "why": "tells the age of an entry"}


def _parts() -> Iterator[Path]:
    """The file in pieces of about the same size, so that tests can share them out."""
    for part, value in TREE.items():
        if part in ("data", "processors", "sections"):
            yield from ((part, key) for key in (value if isinstance(value, dict) else range(len(value))))
        else:
            yield (part,)


PARTS = tuple(_parts())
by_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: ".".join(map(str, part)))


def test_the_parts_are_the_whole_file() -> None:
    assert sum(len(list(leaves.leaves(leaves.value_at(TREE, part)))) for part in PARTS) == len(
        list(leaves.leaves(TREE))
    )
    assert set(ORDER) == set(FAMILIES)


# Past the models, a value may be of a kind that pydantic wonders about when the digest is taken.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@by_part
def test_every_value_changes_an_output(part: Path) -> None:
    chosen = random.Random(f"{SEED} {part}")  # noqa: S311  nothing secret
    print(f"CROUTER_SEED={SEED}")  # noqa: T201  to repeat a failure
    unseen = []
    for path in _below(leaves.leaves, part):
        # What a sentence is about is told by the rules alone to be something that it can speak of.
        is_put = path[-1] == "about" or chosen.random() < SHARE_BY_RULES
        by_rules = TRIED_BY_RULES if is_put else 0
        if not _shows(_changes(path), by_rules=by_rules):
            unseen.append(path)
    assert unseen == []


@by_part
def test_every_item_of_a_list_that_goes_changes_an_output(part: Path) -> None:
    items = [path for path in _below(leaves.entries, part) if isinstance(path[-1], int) and _may_go(path)]
    assert [path for path in items if not _shows(_removals(path))] == []


@by_part
def test_every_list_that_grows_changes_an_output(part: Path) -> None:
    lists = [path for path in _below(leaves.entries, part) if isinstance(leaves.value_at(TREE, path), list)]
    assert [path for path in lists if not _shows(_longer(path))] == []


@by_part
def test_every_named_entry_that_goes_or_comes_changes_an_output(part: Path) -> None:
    named = [path for path in _below(leaves.entries, part) if _is_named(path)]
    unseen = [path for path in named if not _shows(_removals(path), may_be_refused=True)]
    assert unseen + [path for path in named if not _shows(_copies(path))] == []


def _below(walk: Callable[[Tree, Path], Iterator[Path]], part: Path) -> list[Path]:
    return list(walk(leaves.value_at(TREE, part), part))


def _may_go(path: Path) -> bool:
    """Whether the list can be drawn without the item: not if it is the only one of a list that may not be empty."""
    form = leaves.form_of(TREE, path[:-1])
    assert isinstance(form, ListOf)
    return path[:-1] != KINDS and (form.may_be_empty or len(leaves.value_at(TREE, path[:-1])) > 1)


def _is_named(path: Path) -> bool:
    return isinstance(leaves.form_of(TREE, path[:-1]), MapOf) if len(path) > 1 else False


Change = tuple[Tree, Callable[[], Policy]]
"""An edit, as the file would have it and as the same change to the checked policy."""


def _changes(path: Path) -> Iterator[Change]:
    for value in leaves.other_values(TREE, path):
        yield _change(path, value)
    yield from _together(path)


def _change(path: Path, value: Any) -> Change:
    return leaves.with_value(TREE, path, value), lambda: _with(path, value)


def _together(path: Path) -> Iterator[Change]:
    """The smallest change around a value that nothing can be drawn without."""
    way, value = path[:-1], leaves.value_at(TREE, path)
    match path:
        case ("data", name, "technical", _, "key"):
            yield _edited({path: False}, added={("data", name, "technical", "other"): A_KEY})
        case ("data", name, "fields", _, "type"):
            yield _edited({path: "text"}, added={("data", name, "technical", "made_at"): A_TIME})
        case ("data", name, "technical", _, "values", _):
            same = [
                other
                for other in leaves.leaves(TREE)
                if leaves.value_at(TREE, other) == value and ("fold" in other or "kinds" in other or other == path)
            ]
            yield _edited(dict.fromkeys(same, f"{value}_other"))
        case ("sections", _, "claims", _, "about"):
            # Of the kinds of sentence that are about one part only, the kind changes with it.
            yield _edited({path: "never.sale", (*way, "says"): "excludes"})
        case ("retention", _, "exceptions", _, "of"):
            yield _edited({way: {"of": "usage", "law": "a law", "keep": "P10Y"}})
        case ("retention", _, "keep"):
            rule = {"of": ["account"], "keep": "P1Y", "from": "created_at", "every": "P1D", "lag_max": "P1D"}
            yield _edited({way: rule})


def _edited(values: dict[Path, Any], added: dict[Path, Any] | None = None) -> Change:
    tree = TREE
    for path, value in {**values, **(added or {})}.items():
        tree = leaves.with_value(tree, path, value)
    return tree, lambda: _modelled(tree)


def _modelled(tree: Tree) -> Policy:
    """The model of a tree, without the rules across parts."""
    return Policy.model_validate(leaves.frozen(tree))


def _removals(path: Path) -> Iterator[Change]:
    *way, last = path
    around = leaves.value_at(TREE, tuple(way))

    def past_rules() -> Policy:
        held = _held(way)
        rest = (
            {key: value for key, value in held.items() if key != last}
            if isinstance(around, dict)
            else (*held[: int(last)], *held[int(last) + 1 :])
        )
        return _with(tuple(way), rest)

    yield leaves.without(TREE, path), past_rules


def _longer(path: Path) -> Iterator[Change]:
    items = leaves.value_at(TREE, path)
    form = leaves.form_of(TREE, path)
    assert isinstance(form, ListOf)
    if not isinstance(items[-1], str):
        yield _change(path, [*items, items[-1]])[0], lambda: _with_item(path, -1)
        return
    if isinstance(form.item, Choice) and set(form.item.values) <= set(items):
        return
    for value in leaves.other_values(TREE, (*path, len(items) - 1)):
        if value not in items:
            yield leaves.with_value(TREE, path, [*items, value]), functools.partial(_with_item, path, value)


def _with_item(path: Path, item: Any) -> Policy:
    held = _held(path)
    return _with(path, (*held, held[-1] if item == -1 else item))


def _copies(path: Path) -> Iterator[Change]:
    *way, last = path
    around = leaves.value_at(TREE, tuple(way))
    name = f"{last}-other" if "-" in str(last) or "sections" in path else f"{last}_other"

    def past_rules() -> Policy:
        held = _held(way)
        return _with(tuple(way), {**held, name: held[last]})

    if tuple(way) == ("consent", "modes"):
        return
    yield leaves.with_value(TREE, tuple(way), {**around, name: around[last]}), past_rules


def _held(path: Iterable[str | int]) -> Any:
    """What the checked policy holds at a path."""
    held: Any = _policy()
    for step in path:
        held = getattr(held, leaves.attribute(held, step)) if isinstance(held, Part) else held[step]
    return held


def _with(path: Path, value: Any) -> Policy:
    """The checked policy with another value at a path."""
    policy = leaves.unchecked(_policy(), path, value)
    assert isinstance(policy, Policy)
    return policy


def _shows(
    changes: Iterator[Change],
    *,
    by_rules: int = 0,
    may_be_refused: bool = False,
    plan_of: Callable[[Policy], Plan] = make_plan,
) -> bool:
    """Whether the first change that can be drawn changes an output; so many are put to the rules before."""
    tried = list(changes)
    for tree, _ in tried[:by_rules]:
        policy = load(leaves.written(tree)).policy
        if policy is not None:
            return differ(_plan(), plan_of(policy))
    # The last one is the change around the value, where there is such a change.
    for _, past_rules in (*tried[:TRIED_PAST_RULES], *tried[TRIED_PAST_RULES:][-1:]):
        try:
            policy = past_rules()
            if address_of(policy) is None:
                # No mail can go to nobody: whether the value is seen is seen in policies without mails.
                return differ(plan_of(_without_mails(_policy())), plan_of(_without_mails(policy)))
            return differ(_plan(), plan_of(policy))
        except (AssertionError, AttributeError, KeyError, RuntimeError, TypeError, ValueError):
            continue
    return may_be_refused or not tried


def _without_mails(policy: Policy) -> Policy:
    without = leaves.unchecked(policy, ("mail",), {})
    assert isinstance(without, Policy)
    return without


@functools.cache
def _policy() -> Policy:
    policy = load(POLICY.read_text(encoding="utf-8")).policy
    assert policy is not None
    return policy


@functools.cache
def _plan() -> Plan:
    return make_plan(_policy())


def differ(before: Plan, after: Plan) -> bool:
    """Whether any output differs by more than the digest."""
    # The service's modules are exactly the deployment: where that differs, nothing has to be drawn.
    declared = replace(after.deployment, policy_digest=before.digest)
    return declared != before.deployment or any(_family(name, before) != _family(name, after) for name in ORDER)


def _family(name: str, plan: Plan) -> dict[str, str]:
    return _drawn_once(name) if plan is _plan() else _drawn(name, plan)


@functools.cache
def _templates() -> Templates:
    """Compiled once: that takes longer than drawing."""
    return Templates()


@functools.cache
def _drawn_once(name: str) -> dict[str, str]:
    return _drawn(name, _plan())


def _drawn(name: str, plan: Plan) -> dict[str, str]:
    files = FAMILIES[name](plan, _templates())
    return {path: text.replace(plan.digest, "").replace(plan.short_digest, "") for path, text in files.items()}


@pytest.mark.parametrize(
    "path",
    [
        ("controller", "contact"),
        ("retention", "usage", "keep"),
        ("proxy", "drops_request_headers", 0),
        ("data", "usage", "fields", "model", "label"),
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_a_value_that_no_output_shows_is_found(path: Path) -> None:
    """The check itself: with a plan that is deaf to one value, it finds that value and no other."""
    said = _held(path)

    def deaf(policy: Policy) -> Plan:
        return make_plan(leaves.unchecked(policy, path, said))

    assert not _shows(_changes(path), by_rules=TRIED_BY_RULES, plan_of=deaf)
    assert _shows(_changes(("service", "name")), by_rules=TRIED_BY_RULES, plan_of=deaf)
