"""`crouter import`: drafts policy.yaml from a policy that exists already, and says what it did not understand."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crouter.cli.groups import MAKING
from crouter.cli.init import write_new
from crouter.cli.options import PolicyOption
from crouter.cli.outcome import FailureError
from crouter.cli.project import Project
from crouter.cli.terminal import Terminal, counted
from crouter.generate.drafting.answers import Answers, unfit, with_words
from crouter.generate.drafting.draft import Draft, draft_from
from crouter.generate.drafting.recognise import Reading
from crouter.policy import characters
from crouter.policy.problems import as_text

_SHOWN_MAX = 100


class Report(StrEnum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", rich_help_panel=MAKING)(import_policy)


def import_policy(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Prose (Markdown, HTML, text) or a fideslang manifest.")],
    policy: PolicyOption = None,
    name: Annotated[str, typer.Option("--name", help="What the service calls itself.")] = "",
    url: Annotated[str, typer.Option("--url", help="Where it is found, with https://.")] = "",
    report: Annotated[Report, typer.Option("--report", help="How to write the report.")] = Report.TEXT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report; write no draft.")] = False,
) -> None:
    """Draft policy.yaml from a policy that exists, and report each sentence as bound to a part of it or not.

    Words are matched, meaning is not: the draft is a place to start, and the report is what is left to do. Never
    writes over a file.
    """
    terminal, project = Terminal(), Project.at(policy)
    given = {key: value for key, value in (("name", name), ("controller", name), ("url", url)) if value}
    _require_fitting(given)
    drafted = draft_from(_read(file), file.name, date.today(), given)
    if not isinstance(drafted, Draft):
        terminal.note(as_text(drafted).rstrip("\n"))
        raise FailureError(f"{file} is not read as a manifest; nothing was written")
    if not drafted.readings:
        raise FailureError(f"{file} holds no sentence; nothing was written")
    if not dry_run:
        write_new(project.policy, drafted.text)
    if report is Report.JSON:
        terminal.json({"file": str(file), "policy": None if dry_run else str(project.policy), **drafted.as_json()})
    else:
        _tell(terminal, file, project, drafted, dry_run=dry_run)


def _require_fitting(given: dict[str, str]) -> None:
    fitting = Answers("x", "https://example.com", "a@example.com", "x", date.min)
    if wrong := unfit(with_words(fitting, given)):
        raise FailureError("; ".join(f"--{key} {words}" for key, words in wrong.items()))


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(characters.BYTES_MAX + 1)
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else "its name cannot be one"
        raise FailureError(f"{file} cannot be read: {reason.lower()}") from problem
    if len(data) > characters.BYTES_MAX:
        raise FailureError(f"{file} is larger than {characters.BYTES_MAX // 1024} KiB, which no policy is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise FailureError(f"{file} is not text in UTF-8") from problem


def _tell(terminal: Terminal, file: Path, project: Project, drafted: Draft, *, dry_run: bool) -> None:
    bound = [reading for reading in drafted.readings if reading.is_bound]
    unbound = [reading for reading in drafted.readings if not reading.is_bound]
    total = counted(len(drafted.readings), "sentence")
    terminal.line(f"{file}: {total}, {len(bound)} bound, {len(unbound)} unbound")
    for title, group in (("bound", bound), ("unbound", unbound)):
        if group:
            terminal.line(f"\n{title}")
        for reading in group:
            _line(terminal, file, reading)
    if drafted.assumed:
        terminal.line("\nassumed: the draft says it, because the language asks for it, and the text does not")
        for part in drafted.assumed:
            terminal.line(f"  {part}")
    if not dry_run:
        terminal.line(f"\n{project.policy} is a draft: read every part, then run `crouter check{project.options}`")


def _line(terminal: Terminal, file: Path, reading: Reading) -> None:
    text = reading.sentence.text
    terminal.line(f"  {file.name}:{reading.sentence.line}: {text[:_SHOWN_MAX]}{' …' if len(text) > _SHOWN_MAX else ''}")
    if reading.bindings:
        said = (f"{binding.part} = {binding.value}" if binding.value else binding.part for binding in reading.bindings)
        terminal.line(f"      {', '.join(said)}")
    for reason in reading.reasons:
        terminal.line(f"      not understood: {reason}")
