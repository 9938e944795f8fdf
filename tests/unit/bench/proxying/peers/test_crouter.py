"""The benchmark's deployment differs from the repository's policy in its limits only."""

from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.proxying.peers.crouter import unlimited
from crouter.policy.load import load
from crouter.policy.model import Policy

POLICY = Path(__file__).resolve().parents[5] / "policy.yaml"


def _policy(text: str) -> Policy:
    loaded = load(text)
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


def test_nothing_but_the_limits_is_changed() -> None:
    text = POLICY.read_text(encoding="utf-8")
    real, edited = _policy(text), _policy(unlimited(text))
    assert edited.proxy.limits.requests_per_minute >= 100_000_000
    proxy = edited.proxy.model_copy(update={"limits": real.proxy.limits})
    assert edited.model_copy(update={"proxy": proxy}) == real


def test_a_policy_that_says_its_limits_otherwise_is_refused() -> None:
    with pytest.raises(BenchError, match="limits"):
        unlimited("limits:\n  per: api_key\n")
