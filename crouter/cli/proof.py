"""`crouter proof`: records what the tests of the sentences found out, for the version that they ran on."""

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from crouter.cli.groups import MAKING
from crouter.cli.options import JsonOption, OutputOption, PolicyOption
from crouter.cli.outcome import FailureError, Status
from crouter.cli.policy_file import read_policy, require_policy
from crouter.cli.project import Project
from crouter.cli.proofs import proofs_of
from crouter.cli.terminal import Terminal, counted
from crouter.plan.plan import make_plan
from crouter.proof.junit import Report, UnusableReportError, read_report, report_key, worst
from crouter.proof.threads import threads
from crouter.runtime.code_digest import code_digest
from crouter.runtime.proof import RESULTS_FILE


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("proof", rich_help_panel=MAKING)(proof)


def proof(
    policy: PolicyOption = None,
    output: OutputOption = None,
    junit: Annotated[
        list[Path] | None,
        typer.Option("--junit", metavar="FILE", help="A report of pytest; .crouter/junit-*.xml unless given."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Record the results of the last test run for /privacy/proof, and say which sentences are proven.

    Counts only what ran on exactly this policy and this code. Exits with 2 if a sentence's test failed or did not run.
    """
    terminal, project = Terminal(), Project.at(policy, output)
    checked = require_policy(read_policy(project), terminal)
    plan = make_plan(checked)
    generated = project.require_generated()
    versions = (plan.digest, code_digest(generated))
    reports = [_read(path) for path in junit or sorted(project.state.glob("junit-*.xml"))]
    if not reports:
        raise FailureError(
            f"there is no report in {project.state}/", "`make test` writes them; or name one with --junit"
        )
    fitting = [report for report in reports if (report.policy_digest, report.code_digest) == versions]
    if not fitting:
        raise FailureError("no report is of this version; nothing was recorded", "run the tests again: `make test`")
    told = threads(plan, proofs_of(project, checked).registry)
    tests = {test.id: test for thread in told for test in thread.tests}
    results = {
        name: found for name, test in tests.items() if (found := _result(fitting, report_key(test.file, test.name)))
    }
    _write(project, {"policy_digest": versions[0], "code_digest": versions[1], "tests": results})
    open_ones = {
        thread.claim.id: [test.id for test in thread.tests if results.get(test.id, {}).get("outcome") != "passed"]
        for thread in told
        if thread.enforced or thread.statement == "fact"
    }
    missing = {name: ids for name, ids in open_ones.items() if ids}
    if json:
        terminal.json({"policy_digest": versions[0], "code_digest": versions[1], "not_proven": missing})
    else:
        terminal.line(
            f"{counted(len(open_ones) - len(missing), 'claim')} proven on {versions[0][:12]} / {versions[1][:12]}"
        )
        for name, ids in missing.items():
            for test in ids:
                terminal.line(f"  {name}: {results.get(test, {}).get('outcome', 'not run')}  {test}")
    if missing:
        raise typer.Exit(Status.DIFFERENCE)


def _read(path: Path) -> Report:
    try:
        return read_report(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise FailureError(f"{path} cannot be read") from None
    except UnusableReportError as problem:
        raise FailureError(f"{path}: {problem}", "run the tests again: `make test`") from problem


def _result(reports: list[Report], key: tuple[str, str]) -> dict[str, str] | None:
    found = [(report.outcomes[key], report.ran_at) for report in reports if key in report.outcomes]
    if not found:
        return None
    return {"outcome": worst(outcome for outcome, _ in found), "ran_at": max(ran_at for _, ran_at in found)}


def _write(project: Project, results: dict[str, Any]) -> None:
    path = project.folder / RESULTS_FILE
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.new")
        unfinished.write_text(json_module.dumps(results, indent=1) + "\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as problem:
        raise FailureError(f"{path} could not be written: {problem.strerror}") from problem
