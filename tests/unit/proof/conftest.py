"""The real policy, edited as text, and the proofs that come with the library."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from crouter.plan.plan import Plan, make_plan
from crouter.policy.load import Loaded, load
from crouter.policy.problems import Problem, as_text
from crouter.proof.check import proof_problems
from crouter.proof.registry import Registry, shipped

ROOT = Path(__file__).resolve().parents[3]
TODAY = date(2026, 12, 1)


@dataclass(frozen=True)
class Checked:
    """A policy with its text, and what is missing behind it."""

    text: str
    loaded: Loaded
    plan: Plan

    def problems(self, registry: Registry, today: date = TODAY) -> tuple[Problem, ...]:
        return proof_problems(self.plan, self.loaded.positions, registry, today)

    def line(self, problem: Problem) -> str:
        """The line of the policy that a problem points to."""
        return self.text.splitlines()[problem.place.line - 1].strip()


Edited = Callable[..., Checked]


@pytest.fixture(scope="session")
def registry() -> Registry:
    return shipped()


@pytest.fixture(scope="session")
def edited() -> Edited:
    """The real policy, with texts of it replaced: pairs of old and new."""

    def make(*edits: tuple[str, str]) -> Checked:
        text = (ROOT / "policy.yaml").read_text(encoding="utf-8")
        for old, new in edits:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        loaded = load(text)
        assert loaded.policy is not None, as_text(loaded.problems)
        return Checked(text, loaded, make_plan(loaded.policy))

    return make
