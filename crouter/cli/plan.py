"""`crouter plan`: what an edited policy.yaml changes for people, code, data and law, before anything is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from crouter.cli.groups import MAKING
from crouter.cli.options import JsonOption, OutputOption, PolicyOption
from crouter.cli.outcome import FailureError, Status
from crouter.cli.plan_text import PlanText, plan_as_json
from crouter.cli.policy_file import located, read_policy, require_policy
from crouter.cli.project import Project
from crouter.cli.terminal import Terminal
from crouter.generate.database_changes import database_changes
from crouter.generate.emit import generate_command
from crouter.generate.history import HistoryDamagedError, read_history
from crouter.generate.versioning import VersionProblem, version_problems
from crouter.generate.versions import POLICY, Version, Versions, read_versions
from crouter.plan.difference import Difference, compare
from crouter.plan.difference.law import law_changes
from crouter.plan.plan import make_plan
from crouter.plan.schema import Schema
from crouter.policy.load import Loaded, load_file
from crouter.policy.model import Policy


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan", rich_help_panel=MAKING)(plan)


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What the policy is compared with, and the database that stands with it."""

    name: str
    policy: Policy
    schema: Schema


def plan(
    policy: PolicyOption = None,
    output: OutputOption = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="VERSION|FILE",
            help="A version of the history, or another policy file; the version in force unless given.",
        ),
    ] = None,
    json: JsonOption = False,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode/--no-detailed-exitcode", help="Exit with 2 where there is a difference, not with 0."
        ),
    ] = True,
) -> None:
    """Show what policy.yaml changes beside the version in force. Writes nothing.

    Exits with 0 if nothing changes, with 1 if the policy has problems, with 2 if something changes.
    """
    terminal, project = Terminal(), Project.at(policy, output)
    loaded = read_policy(project)
    if loaded.policy is None:
        _refuse(terminal, loaded, as_json=json)
    assert loaded.policy is not None
    with terminal.working("Comparing"):
        versions = _versions(project, loaded.policy)
        earlier = _earlier(project, against, versions)
        difference = _difference(earlier, loaded) if earlier else None
        refused = version_problems(loaded.policy, versions)
    if earlier is None or difference is None:
        _tell_first(terminal, project, as_json=json)
    else:
        _tell(terminal, project, loaded, earlier, difference, refused, as_json=json)
    if refused:
        raise typer.Exit(Status.REFUSED)
    if detailed_exitcode and (difference is None or difference):
        raise typer.Exit(Status.DIFFERENCE)


def _refuse(terminal: Terminal, loaded: Loaded, *, as_json: bool) -> None:
    if as_json:
        terminal.json({"state": "problems", "problems": [problem.as_json() for problem in loaded.problems]})
        raise typer.Exit(Status.REFUSED)
    require_policy(loaded, terminal)


def _versions(project: Project, policy: Policy) -> Versions:
    try:
        # The draft counts as it was generated: a plan tells what generating would change.
        return read_versions(project.generated, policy.policy.version)
    except HistoryDamagedError as problem:
        damage = problem.damages[0]
        path = project.generated / damage.path
        raise FailureError(f"{path} {damage.sentence}", f"restore it: `git checkout -- {path}`") from problem
    except OSError as problem:
        raise FailureError(f"{project.generated} cannot be read: {problem.strerror}") from problem


def _earlier(project: Project, against: str | None, versions: Versions) -> _Earlier | None:
    """What to compare with; None where nothing is in force and nothing was named."""
    if against is None:
        last = versions.last
        return _of_version(versions, last, _schema_in_force(project)) if last else None
    entry = versions.named(against)
    if entry is not None:
        return _of_version(versions, entry, None)
    file = Path(against)
    if not file.is_file():
        known = ", ".join(item.version for item in versions.entries) or "none"
        raise FailureError(f"there is neither a version nor a file {against}", f"the history has: {known}")
    loaded = load_file(file)
    if loaded.policy is None:
        raise FailureError(f"{against} is no policy that could be compared with: {loaded.problems[0]}")
    return _Earlier(against, loaded.policy, make_plan(loaded.policy).schema)


def _of_version(versions: Versions, entry: Version, schema: Schema | None) -> _Earlier:
    kept = versions.policy_of(entry) if entry.path(POLICY) in versions.texts else None
    if entry.path(POLICY) not in versions.texts:
        raise FailureError(
            f"the draft of version {entry.version} was changed after it was generated",
            "restore generated/policy/history from version control, or run `crouter generate`",
        )
    if kept is None:
        raise FailureError(
            f"version {entry.version} cannot be read as a policy any more",
            "its sentences are in generated/policy/history; name another version or a file with --against",
        )
    return _Earlier(f"version {entry.version}", kept, schema or make_plan(kept).schema)


def _schema_in_force(project: Project) -> Schema | None:
    try:
        history = read_history(project.generated)
    except HistoryDamagedError as problem:
        damage = problem.damages[0]
        path = project.generated / damage.path
        raise FailureError(f"{path} {damage.sentence}", f"restore it: `git checkout -- {path}`") from problem
    return history.schema if history.migrations else None


def _difference(earlier: _Earlier, loaded: Loaded) -> Difference:
    assert loaded.policy is not None
    more = (
        *database_changes(earlier.schema, make_plan(loaded.policy).schema),
        *law_changes(earlier.policy, loaded.policy, loaded.problems),
    )
    return compare(earlier.policy, loaded.policy, more)


def _tell_first(terminal: Terminal, project: Project, *, as_json: bool) -> None:
    if as_json:
        terminal.json({"state": "different", "against": None, "changes": []})
        return
    command = f"{generate_command(())}{project.options}"
    terminal.line(f"No version of the policy is in force yet: `{command}` makes {project.policy} the first one")


def _tell(
    terminal: Terminal,
    project: Project,
    loaded: Loaded,
    earlier: _Earlier,
    difference: Difference,
    refused: tuple[VersionProblem, ...],
    *,
    as_json: bool,
) -> None:
    assert loaded.policy is not None
    problems = located(refused, loaded.positions)
    command = f"{generate_command(difference.destroys)}{project.options}"
    if as_json:
        terminal.json(plan_as_json(difference, earlier.name, loaded, problems, command))
        return
    same_version = earlier.policy.policy.version == loaded.policy.policy.version
    text = PlanText(terminal, loaded.positions)
    text.draw(difference, f"{project.policy} beside {earlier.name}")
    text.next_steps(difference, command, loaded.policy if same_version else None, problems)
