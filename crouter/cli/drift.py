"""Where a project's files are out of step with its policy, as commands tell it. Changes nothing."""

import difflib

from crouter.cli.outcome import FailureError
from crouter.cli.project import Project
from crouter.cli.references import references
from crouter.cli.terminal import Terminal, counted
from crouter.generate.drift import DIFF_LINES_MAX, Difference, find_drift
from crouter.generate.emit import generate_command
from crouter.policy.model import Policy

DIFFS_MAX = 20


def project_drift(policy: Policy, project: Project) -> tuple[Difference, ...]:
    """Every difference in generated/, and in the documents about the language that the project keeps.

    Paths are as the project names them. Raises FailureError if a file cannot be read.
    """
    try:
        found = tuple(_named(item, project) for item in find_drift(policy, project.generated))
        return (*found, *_reference_drift(project))
    except OSError as problem:
        raise FailureError(f"{project.generated} cannot be read: {problem.strerror}") from problem


def tell_drift(terminal: Terminal, differences: tuple[Difference, ...], *, with_diffs: bool) -> None:
    """Print the differences and what mends them."""
    kinds = ", ".join(
        f"{count} {kind}"
        for kind in ("missing", "stale", "changed")
        if (count := sum(item.kind == kind for item in differences))
    )
    terminal.line(f"{counted(len(differences), 'difference')}: {kinds}")
    for item in differences:
        terminal.line(f"  {item.kind:<8} {item.path}")
    with_diff = [item for item in differences if item.diff] if with_diffs else []
    for item in with_diff[:DIFFS_MAX]:
        terminal.line()
        for line in item.diff.splitlines():
            terminal.line(line, style=_style(line))
    if len(with_diff) > DIFFS_MAX:
        terminal.line(f"\n… and the differences of {len(with_diff) - DIFFS_MAX} more files")
    terminal.line()
    for command in dict.fromkeys(item.mend for item in differences):
        terminal.line(f"To mend it: {command}")


def _named(item: Difference, project: Project) -> Difference:
    mend = f"{item.mend}{project.options}" if item.mend.startswith(generate_command(())) else item.mend
    return Difference(f"{project.generated.as_posix()}/{item.path}", item.kind, mend, item.diff)


def _reference_drift(project: Project) -> tuple[Difference, ...]:
    found = []
    for path, wanted in references(project).items():
        present = path.read_text(encoding="utf-8", errors="replace")
        if present != wanted:
            name = path.as_posix()
            mend = f"{generate_command(())}{project.options}"
            found.append(Difference(name, "changed", mend, _diff(name, present, wanted)))
    return tuple(found)


def _diff(name: str, present: str, wanted: str) -> str:
    lines = list(
        difflib.unified_diff(
            present.splitlines(), wanted.splitlines(), f"{name} (on disk)", f"{name} (rendered)", lineterm=""
        )
    )
    more = [f"… and {len(lines) - DIFF_LINES_MAX} more lines"] if len(lines) > DIFF_LINES_MAX else []
    return "\n".join([*lines[:DIFF_LINES_MAX], *more])


def _style(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
