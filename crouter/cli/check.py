"""`crouter check`: does something stand behind every sentence, and is generated/ what policy.yaml renders?"""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from crouter.cli.drift import project_drift, tell_drift
from crouter.cli.groups import MAKING
from crouter.cli.lint import report_of
from crouter.cli.options import JsonOption, OutputOption, PolicyOption
from crouter.cli.outcome import FailureError, Status
from crouter.cli.policy_file import read_policy, require_policy
from crouter.cli.project import Project
from crouter.cli.proofs import problems_behind, proofs_of, registry_drift
from crouter.cli.terminal import Terminal, counted
from crouter.plan.digest import policy_digest
from crouter.plan.plan import make_plan
from crouter.policy.problems import as_text


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check", rich_help_panel=MAKING)(check)


def check(
    policy: PolicyOption = None,
    output: OutputOption = None,
    json: JsonOption = False,
    today: Annotated[
        str | None, typer.Option("--today", metavar="DAY", help="Judge reviews as of this day; today unless given.")
    ] = None,
) -> None:
    """Say whether every sentence has what it needs, and whether generated/ is in step with policy.yaml. Writes nothing.

    Exits with 0 if so, with 1 if the policy has problems or a sentence has nothing behind it, with 2 if a file is
    missing, stale or changed.
    """
    terminal, project = Terminal(), Project.at(policy, output)
    loaded, day = read_policy(project), day_of(today)
    if json and loaded.policy is None:
        terminal.json({"state": "problems", "problems": [problem.as_json() for problem in loaded.problems]})
        raise typer.Exit(Status.REFUSED)
    checked = require_policy(loaded, terminal)
    with terminal.working("Comparing"):
        proofs = proofs_of(project, checked)
        behind = problems_behind(make_plan(checked), loaded, proofs, day)
        differences = (*project_drift(checked, project), *registry_drift(project, proofs))
    refused = sum(problem.severity == "error" for problem in behind)
    if json:
        state = "problems" if refused else "different" if differences else "in_step"
        problems = [problem.as_json() for problem in (*loaded.problems, *behind)]
        terminal.json(
            {
                "state": state,
                "policy_digest": policy_digest(checked),
                "problems": problems,
                "differences": [asdict(difference) for difference in differences],
            }
        )
    else:
        if behind:
            terminal.note(as_text(behind).rstrip("\n"))
        findings = len(report_of(project, day).problems)
        if findings:
            terminal.note(f"{counted(findings, 'finding')} worth a look: `crouter lint` lists them")
        if differences:
            tell_drift(terminal, differences, with_diffs=True)
        else:
            terminal.line(f"{project.generated}/ is in step with {project.policy} ({policy_digest(checked)[:12]})")
    if refused:
        raise FailureError(f"{counted(refused, 'problem')} behind the sentences", "`crouter explain` tells more")
    if differences:
        raise typer.Exit(Status.DIFFERENCE)


def day_of(given: str | None) -> date:
    """The day that was given, or today in UTC. Raises FailureError."""
    if given is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise FailureError("--today needs a day, as in 2026-11-23") from None
