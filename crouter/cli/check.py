"""`crouter check`: is generated/ what policy.yaml renders, to the byte?"""

from dataclasses import asdict

import typer

from crouter.cli.drift import project_drift, tell_drift
from crouter.cli.groups import MAKING
from crouter.cli.lint import report_of, today
from crouter.cli.options import JsonOption, OutputOption, PolicyOption
from crouter.cli.outcome import Status
from crouter.cli.policy_file import read_policy, require_policy
from crouter.cli.project import Project
from crouter.cli.terminal import Terminal, counted
from crouter.plan.digest import policy_digest


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check", rich_help_panel=MAKING)(check)


def check(policy: PolicyOption = None, output: OutputOption = None, json: JsonOption = False) -> None:
    """Say whether generated/ is in step with policy.yaml. Writes nothing.

    Exits with 0 if it is, with 1 if the policy has problems, with 2 if a file is missing, stale or changed.
    """
    terminal, project = Terminal(), Project.at(policy, output)
    loaded = read_policy(project)
    if json and loaded.policy is None:
        terminal.json({"state": "problems", "problems": [problem.as_json() for problem in loaded.problems]})
        raise typer.Exit(Status.REFUSED)
    checked = require_policy(loaded, terminal)
    with terminal.working("Comparing"):
        differences = project_drift(checked, project)
    if json:
        terminal.json(
            {
                "state": "different" if differences else "in_step",
                "policy_digest": policy_digest(checked),
                "problems": [problem.as_json() for problem in loaded.problems],
                "differences": [asdict(difference) for difference in differences],
            }
        )
    elif differences:
        tell_drift(terminal, differences, with_diffs=True)
    else:
        findings = len(report_of(project, today()).problems)
        if findings:
            terminal.note(f"{counted(findings, 'finding')} worth a look: `crouter lint` lists them")
        terminal.line(f"{project.generated}/ is in step with {project.policy} ({policy_digest(checked)[:12]})")
    if differences:
        raise typer.Exit(Status.DIFFERENCE)
