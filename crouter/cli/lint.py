"""`crouter lint`: what is contradictory, unsaid or badly said in policy.yaml."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated

import typer

from crouter.cli.groups import MAKING
from crouter.cli.lint_formats import FORMATS
from crouter.cli.options import PolicyOption
from crouter.cli.outcome import FailureError, Status
from crouter.cli.project import Project
from crouter.cli.terminal import Terminal
from crouter.plan.wording import SENTENCE_RULES
from crouter.policy.code import Profile
from crouter.policy.lint import Report, lint
from crouter.policy.load import read_text
from crouter.policy.problems import Problem


class ProfileName(StrEnum):
    """The laws whose completeness rules can be chosen."""

    GDPR = "gdpr"
    UK = "uk"
    CCPA = "ccpa"


class OutputFormat(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"
    GITHUB = "github"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lint", rich_help_panel=MAKING)(lint_policy)


def lint_policy(
    policy: PolicyOption = None,
    profile: Annotated[
        list[ProfileName] | None, typer.Option("--profile", help="Repeat for several; policy.profiles unless given.")
    ] = None,
    output_format: Annotated[OutputFormat, typer.Option("--format", help="How findings are written.")] = (
        OutputFormat.TEXT
    ),
) -> None:
    """Say what is contradictory, unsaid or badly said in policy.yaml. Writes nothing.

    Exits with 0 if there are warnings at most, with 1 if there is an error. `crouter explain CODE` tells why a rule
    exists.
    """
    terminal, project = Terminal(), Project.at(policy)
    report = report_of(project, today(), tuple(name.value for name in profile or ()))
    terminal.raw(FORMATS[output_format.value](report))
    if report.errors:
        raise typer.Exit(Status.REFUSED)


def report_of(project: Project, day: date, profiles: tuple[Profile, ...] = ()) -> Report:
    """What is found in a project's policy on a day. Raises FailureError if the file cannot be read."""
    text = read_text(project.policy)
    if isinstance(text, Problem):
        raise FailureError(f"{text.place}: {text.code} {text.sentence}", text.hint)
    return lint(text, str(project.policy), day, profiles, SENTENCE_RULES)


def today() -> date:
    """The day in UTC: waivers end at the same moment everywhere."""
    return datetime.now(UTC).date()
