"""`crouter doctor`: looks at a deployment, says what is wrong and what to do. Shows no value of a setting."""

import asyncio
import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from crouter.cli.deployment import load_deployment
from crouter.cli.groups import OPERATING
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError, Status
from crouter.cli.project import Project
from crouter.cli.terminal import Terminal, counted
from crouter.contract.deployment import Deployment
from crouter.runtime.doctor.check import Backups, Check, Finding, Ground, State
from crouter.runtime.doctor.registry import examine
from crouter.runtime.environment import SettingsError
from crouter.runtime.settings import Settings, read_settings

_MARKS: dict[State, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "warning": ("warning", "yellow"),
    "failed": ("FAILED", "bold red"),
    "skipped": ("-", "dim"),
}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", rich_help_panel=OPERATING)(doctor)


def doctor(
    url: Annotated[
        str | None, typer.Option("--url", help="Where customers reach the service; as the policy says unless given.")
    ] = None,
    oldest_backup: Annotated[
        str | None, typer.Option("--oldest-backup", metavar="TIME", help="When the oldest backup was made (ISO 8601).")
    ] = None,
    newest_backup: Annotated[
        str | None, typer.Option("--newest-backup", metavar="TIME", help="When the newest backup was made (ISO 8601).")
    ] = None,
    json: JsonOption = False,
) -> int:
    """Check this deployment: settings, secrets, TLS on every way, database, clocks, disk, edge, pages, backups.

    Run it where the service runs, with its environment. Nothing is changed, and no value of a setting is shown.
    Exits with 1 if something is wrong; what is only worth a look is a warning.
    """
    terminal, project = Terminal(), Project.at()
    deployment = load_deployment(project)
    settings, problems = _settings(deployment)
    ground = Ground(
        deployment=deployment,
        environ=os.environ,
        generated=project.generated.absolute(),
        url=url or deployment.identity.url,
        settings=settings,
        problems=problems,
        backups=Backups(_time(oldest_backup, "--oldest-backup"), _time(newest_backup, "--newest-backup")),
    )
    found = asyncio.run(_found(ground, terminal, quiet=json))
    failed = sum(finding.state == "failed" for _, finding in found)
    if json:
        terminal.json([_facts(check, finding) for check, finding in found])
    else:
        warned = sum(finding.state == "warning" for _, finding in found)
        terminal.line(f"{counted(failed, 'failure')}, {counted(warned, 'warning')}")
    return Status.REFUSED if failed else Status.DONE


def _settings(deployment: Deployment) -> tuple[Settings | None, tuple[str, ...]]:
    try:
        return read_settings(deployment, os.environ), ()
    except SettingsError as error:
        return None, error.problems


async def _found(ground: Ground, terminal: Terminal, *, quiet: bool) -> list[tuple[Check, Finding]]:
    found = []
    async for check, finding in examine(ground):
        found.append((check, finding))
        if not quiet:
            mark, style = _MARKS[finding.state]
            terminal.line(f"{mark:8}{check.name}: {finding.found}", style=style if terminal.is_interactive else "")
            if finding.do and finding.state != "ok":
                terminal.line(f"        → {finding.do}")
    return found


def _facts(check: Check, finding: Finding) -> dict[str, str]:
    return {
        "check": check.name,
        "what": check.what,
        "state": finding.state,
        "found": finding.found,
        "do": finding.do,
    }


def _time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise FailureError(f"{option}: is no time, such as 2026-11-23T04:00:00Z", status=Status.USAGE) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
