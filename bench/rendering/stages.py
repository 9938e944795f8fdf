"""The generator's four stages, timed one by one: read, check, plan, render. Nothing is written to disk.

`once` is what a cold process does; the warm measurement calls the stages again and again.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bench.errors import BenchError
from crouter.generate.history import History
from crouter.generate.migrations import extend_history
from crouter.generate.render import render_all, render_plan
from crouter.generate.templates import Templates
from crouter.generate.versioning import extend_versions
from crouter.generate.versions import Versions
from crouter.plan.plan import Plan, make_plan
from crouter.policy.document import Document, read
from crouter.policy.load import load
from crouter.policy.model import Policy
from crouter.policy.problems import Positions
from crouter.policy.rules import ALL_RULES
from crouter.policy.rules.frame import apply
from crouter.policy.validate import validate

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Stages:
    """Milliseconds of one round. `read` is None for a policy that the language refuses as a file for its size."""

    read: float | None
    check: float
    plan: float
    render: float

    @property
    def total(self) -> float:
        return (self.read or 0.0) + self.check + self.plan + self.render


@dataclass(frozen=True, slots=True)
class Size:
    """How large a policy and what is rendered from it are."""

    policy_bytes: int
    categories: int
    claims: int
    files: int
    output_bytes: int


def timed(tree: dict[str, Any], text: str | None) -> Stages:
    """One round over a policy given as tree, and as text if it can be a file."""
    gc.collect()
    reading = None
    if text is not None:
        reading, document = _milliseconds(lambda: read(text, "policy.yaml"))
    else:
        document = Document(tree, Positions("policy.yaml"), (), frozenset())
    checking, policy = _milliseconds(lambda: _checked(document))
    planning, plan = _milliseconds(lambda: make_plan(policy))
    rendering, _ = _milliseconds(lambda: _rendered(plan))
    return Stages(reading, checking, planning, rendering)


def size(tree: dict[str, Any], text: str) -> Size:
    """How large the policy and its output are."""
    policy = _checked(Document(tree, Positions("policy.yaml"), (), frozenset()))
    files = _rendered(make_plan(policy))
    return Size(
        policy_bytes=len(text.encode()),
        categories=len(policy.data),
        claims=sum(len(section.claims) for section in policy.sections),
        files=len(files),
        output_bytes=sum(len(content.encode()) for content in files.values()),
    )


def once(path: Path) -> int:
    """Loads a policy and renders everything from it, once; gives the number of files."""
    loaded = load(path.read_text(encoding="utf-8"))
    if loaded.policy is None:
        raise BenchError(f"the policy has problems, the first is: {loaded.problems[0]}")
    return len(render_all(loaded.policy, History.empty()))


def _checked(document: Document) -> Policy:
    """What `load` does once the text is read."""
    validated = validate(document)
    problems = (*document.problems, *validated.problems, *apply(ALL_RULES, validated.parts, document))
    if problems:
        raise BenchError(f"the policy to measure has problems, the first is: {problems[0]}")
    return Policy.model_validate(dict(validated.parts))


def _rendered(plan: Plan) -> dict[str, str]:
    templates = Templates()
    history = extend_history(plan, templates, History.empty())
    return render_plan(plan, templates, history, extend_versions(plan, templates, Versions.empty()))


def _milliseconds(work: Callable[[], Result]) -> tuple[float, Result]:
    began = time.perf_counter()
    result = work()
    return (time.perf_counter() - began) * 1000, result
