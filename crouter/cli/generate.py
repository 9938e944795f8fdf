"""`crouter generate`: from policy.yaml to generated/, and a few lines about what changed."""

from pathlib import Path
from typing import Annotated

import typer

from crouter.cli.groups import MAKING
from crouter.cli.options import OutputOption, PolicyOption
from crouter.cli.outcome import FailureError
from crouter.cli.policy_file import located, read_policy, require_policy
from crouter.cli.project import Project
from crouter.cli.proofs import renew_registry
from crouter.cli.references import references
from crouter.cli.terminal import Terminal, counted
from crouter.generate.emit import DestructiveMigrationError, Emitted, emit, generate_command
from crouter.generate.history import FOLDER, HistoryDamagedError
from crouter.generate.tree import TreeError, read_tree
from crouter.generate.versioning import VersionRefusedError
from crouter.plan.digest import policy_digest
from crouter.policy.model import Policy
from crouter.policy.problems import Positions, as_text

NAMED_MAX = 12


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("generate", rich_help_panel=MAKING)(generate)


def generate(
    policy: PolicyOption = None,
    output: OutputOption = None,
    destroy: Annotated[
        list[str] | None,
        typer.Option(
            "--destroy",
            metavar="NAME",
            help="Allow the next migration to remove this table, table.column or table.column=value for good. "
            "May be repeated.",
        ),
    ] = None,
) -> None:
    """Write generated/ anew from policy.yaml: all files or none.

    A mistake in the policy writes nothing and exits with 1. So does a change that would destroy data, until it
    is confirmed with --destroy.
    """
    terminal, project = Terminal(), Project.at(policy, output)
    loaded = read_policy(project)
    checked = require_policy(loaded, terminal)
    with terminal.working("Rendering"):
        # First, because the proof page is drawn from it.
        registry = renew_registry(project, checked)
        emitted = _emit(checked, project, destroy or [], loaded.positions, terminal)
        renewed = renew_references(project)
        total = len(read_tree(project.generated))
    _tell(terminal, project, checked, emitted, total)
    for path in renewed:
        terminal.line(f"  written    {path}")
    if registry:
        terminal.line(f"  written    {registry}")


def renew_references(project: Project) -> list[Path]:
    """Bring the documents about the language in step that the project keeps; gives those that were not."""
    written = []
    try:
        for path, wanted in references(project).items():
            if path.read_bytes() != wanted.encode():
                # Beside its place first: readers and crashes find the old text or the new one.
                unfinished = path.with_name(f".{path.name}.new")
                unfinished.write_text(wanted, encoding="utf-8")
                unfinished.replace(path)
                written.append(path)
    except OSError as problem:
        raise FailureError(f"{problem.filename} could not be written: {problem.strerror}") from problem
    return written


def _emit(policy: Policy, project: Project, destroy: list[str], positions: Positions, terminal: Terminal) -> Emitted:
    try:
        return emit(policy, project.generated, destroy=destroy)
    except DestructiveMigrationError as problem:
        command = f"{generate_command(problem.destroys)}{project.options}"
        raise FailureError(
            f"this change of {project.policy.name} removes from the database for good: {', '.join(problem.destroys)}. "
            "Nothing was written",
            f"if that is meant, run `{command}`",
        ) from problem
    except VersionRefusedError as refusal:
        problems = located(refusal.problems, positions)
        terminal.note(as_text(problems).rstrip("\n"))
        sentence = f"{counted(len(problems), 'problem')} with the versions of the policy. Nothing was written"
        raise FailureError(sentence, f"`crouter explain {problems[0].code}` tells more") from refusal
    except HistoryDamagedError as problem:
        damages = "; ".join(f"{project.generated}/{damage.path} {damage.sentence}" for damage in problem.damages)
        paths = " ".join(str(project.generated / damage.path) for damage in problem.damages)
        raise FailureError(f"{damages}. Nothing was written", f"restore it: `git checkout -- {paths}`") from problem
    except TreeError as problem:
        raise FailureError(str(problem)) from problem


def _tell(terminal: Terminal, project: Project, policy: Policy, emitted: Emitted, total: int) -> None:
    source = f"{project.policy} ({policy_digest(policy)[:12]})"
    if not emitted.written and not emitted.removed:
        terminal.line(f"{project.generated}/ is in step with {source}: {counted(total, 'file')}, nothing to write")
        return
    unchanged = total - len(emitted.written)
    terminal.line(
        f"{project.generated}/ is now in step with {source}: {len(emitted.written)} written, {unchanged} unchanged, "
        f"{len(emitted.removed)} removed"
    )
    _name(terminal, "written", emitted.written)
    _name(terminal, "removed", emitted.removed)
    migrations = [path for path in emitted.written if Path(path).parent == Path(FOLDER) and path.endswith(".sql")]
    for path in migrations:
        terminal.line(f"  migration  {path}: read it, commit it, then run `crouter migrate`", style="bold")


def _name(terminal: Terminal, what: str, paths: tuple[str, ...]) -> None:
    for path in paths[:NAMED_MAX]:
        terminal.line(f"  {what:<9}  {path}")
    if len(paths) > NAMED_MAX:
        terminal.line(f"  … and {len(paths) - NAMED_MAX} more")
