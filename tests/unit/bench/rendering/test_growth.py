"""Policies that are many times as large are policies still."""

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


@pytest.mark.parametrize("times", [2, 7])
def test_a_grown_policy_passes_every_rule(times: int) -> None:
    loaded = load(yaml_text(grown(_tree(), times)))
    assert loaded.problems == ()
    assert loaded.policy is not None


def test_it_grows_with_the_number_and_leaves_the_original_alone() -> None:
    tree = _tree()
    sizes = [len(yaml_text(grown(tree, times))) for times in (1, 11, 21)]
    assert tree == _tree()
    assert sizes[1] > 7 * sizes[0]
    assert abs((sizes[2] - sizes[1]) / (sizes[1] - sizes[0]) - 1) < 0.05
