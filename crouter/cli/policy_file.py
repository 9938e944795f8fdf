"""Loads the policy for a command and prints what is wrong with it."""

from datetime import UTC, datetime

from crouter.cli.outcome import FailureError
from crouter.cli.project import Project
from crouter.cli.terminal import Terminal, counted
from crouter.generate.versioning import VersionProblem
from crouter.policy.load import Loaded, load_file
from crouter.policy.model import Policy
from crouter.policy.problems import Positions, Problem, as_text


def read_policy(project: Project) -> Loaded:
    """The policy file as it is, with everything that is wrong with it."""
    # Waivers end at the same moment everywhere.
    return load_file(project.policy, datetime.now(UTC).date())


def require_policy(loaded: Loaded, terminal: Terminal) -> Policy:
    """The policy, after its warnings are printed. Raises FailureError after its problems are."""
    if loaded.problems:
        terminal.note(as_text(loaded.problems).rstrip("\n"))
    if loaded.policy is None:
        count = sum(problem.severity == "error" for problem in loaded.problems)
        first = loaded.problems[0].code
        raise FailureError(f"{counted(count, 'problem')}; nothing was done", f"`crouter explain {first}` tells more")
    return loaded.policy


def located(problems: tuple[VersionProblem, ...], positions: Positions) -> tuple[Problem, ...]:
    """What stands against a version, with its place in the file."""
    return tuple(
        Problem(item.code, "error", positions.of_value(item.path), item.sentence, item.hint) for item in problems
    )
