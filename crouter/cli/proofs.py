"""The proofs of a project for the commands: those that came with the library, or the tests at hand.

In the library's own source tree the tests decide, and registry.json has to agree with them.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from crouter.cli.outcome import FailureError
from crouter.cli.project import Project
from crouter.generate.drift import Difference
from crouter.generate.emit import generate_command
from crouter.plan.plan import Plan
from crouter.policy.load import Loaded
from crouter.policy.model import Policy
from crouter.policy.problems import Problem
from crouter.policy.rules.claims import placed_claims
from crouter.proof.check import proof_problems, unknown_claims
from crouter.proof.collect import MarkedTest, UnreadableTestError, collect
from crouter.proof.registry import Registry, made, shipped, written

_REGISTRY = Path("crouter", "proof", "registry.json")


@dataclass(frozen=True, slots=True)
class Proofs:
    """The proofs of a project. `marked` are its own tests; `is_library` says that the project is the library itself."""

    registry: Registry
    marked: tuple[MarkedTest, ...]
    is_library: bool


def proofs_of(project: Project, policy: Policy) -> Proofs:
    """The proofs that count for a project. Raises FailureError for tests that cannot be read."""
    try:
        marked = collect(project.folder, [placed.name for placed in placed_claims(policy)])
    except UnreadableTestError as problem:
        raise FailureError(str(problem), "every file named test_*.py below tests/ is looked at for claims") from problem
    own = made(policy, marked)
    if (project.folder / _REGISTRY).is_file():
        return Proofs(own, marked, is_library=True)
    return Proofs(Registry((*own.tests, *shipped().tests)), marked, is_library=False)


def problems_behind(plan: Plan, loaded: Loaded, proofs: Proofs, today: date) -> tuple[Problem, ...]:
    """What is missing behind the sentences of a loaded policy."""
    unknown = unknown_claims(plan, proofs.marked) if proofs.is_library else ()
    return (*proof_problems(plan, loaded.positions, proofs.registry, today), *unknown)


def registry_drift(project: Project, proofs: Proofs) -> tuple[Difference, ...]:
    """Whether the library's registry is not what its tests say."""
    path = project.folder / _REGISTRY
    if not proofs.is_library or path.read_text(encoding="utf-8") == written(proofs.registry):
        return ()
    return (Difference(path.as_posix(), "changed", f"{generate_command(())}{project.options}"),)


def renew_registry(project: Project, policy: Policy) -> Path | None:
    """Bring the library's registry in step with its tests; gives its path if it was not."""
    proofs = proofs_of(project, policy)
    if not registry_drift(project, proofs):
        return None
    path = project.folder / _REGISTRY
    try:
        # Beside its place first: a crash leaves the old registry or the new one.
        unfinished = path.with_name(f".{path.name}.new")
        unfinished.write_text(written(proofs.registry), encoding="utf-8")
        unfinished.replace(path)
    except OSError as problem:
        raise FailureError(f"{path} could not be written: {problem.strerror}") from problem
    return path
