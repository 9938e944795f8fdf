"""Policies that are many times as large are policies still."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.rendering.growth import Tree, grown, yaml_text
from crouter.policy.document import read
from crouter.policy.load import load

POLICY = Path(__file__).resolve().parents[4] / "policy.yaml"


def _tree() -> Tree:
    tree = read(POLICY.read_text(encoding="utf-8"), "policy.yaml").tree
    assert isinstance(tree, dict)
    return tree


def test_once_as_large_is_the_policy_itself() -> None:
    tree = _tree()
    assert grown(tree, 1) == tree


def _largest() -> int:
    """How many times as large a policy may be and still be read at all."""
    sizes = itertools.count(1)
    return next(times for times in sizes if read(yaml_text(grown(_tree(), times + 1)), "policy.yaml").problems)


@pytest.mark.parametrize("times_of", [lambda: 2, _largest], ids=["twice", "as large as a file may be"])
def test_a_grown_policy_passes_every_rule(times_of: Callable[[], int]) -> None:
    times = times_of()
    assert times > 1
    loaded = load(yaml_text(grown(_tree(), times)))
    assert loaded.problems == ()
    assert loaded.policy is not None


def test_it_grows_with_the_number_and_leaves_the_original_alone() -> None:
    tree = _tree()
    sizes = [len(yaml_text(grown(tree, times))) for times in (1, 11, 21)]
    assert tree == _tree()
    assert sizes[1] > 7 * sizes[0]
    assert abs((sizes[2] - sizes[1]) / (sizes[1] - sizes[0]) - 1) < 0.05
