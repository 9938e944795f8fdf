"""`crouter migrate`: brings a database in step with generated/, one migration and one transaction at a time."""

from typing import Annotated

import typer

from crouter.cli.deployment import load_deployment
from crouter.cli.groups import OPERATING
from crouter.cli.library_errors import told_as_sentences
from crouter.cli.options import JsonOption
from crouter.cli.outcome import Status
from crouter.cli.project import Project
from crouter.cli.store import database_url
from crouter.cli.terminal import Terminal, counted
from crouter.runtime.database.migrations import Origin, Step, check_database
from crouter.runtime.database.migrations import migrate as apply_migrations


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("migrate", rich_help_panel=OPERATING)(migrate)


def migrate(
    status: Annotated[
        bool, typer.Option("--status", help="Say whether the database is in step; change nothing.")
    ] = False,
    plain_postgres: Annotated[
        bool, typer.Option("--plain-postgres", help="Make the roles and functions that Supabase would provide.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Apply the migrations that the database of DATABASE_URL has not had yet.

    With --status: exits with 0 if it is in step, with 2 if migrations are pending, with 1 if it does not fit.
    """
    terminal, project = Terminal(), Project.at()
    deployment = load_deployment(project)
    url, folder, origin = database_url(project), project.migrations, Origin.of(deployment)
    if status:
        _tell_status(terminal, url, project, origin, json)
        return
    with terminal.progress() as progress:
        task = progress.add_task("Migrating", total=None)

        def tell(step: Step) -> None:
            progress.update(task, total=step.total, completed=step.number)
            if not json:
                verb = "noted, Supabase has applied it" if step.adopted else "applied"
                terminal.line(f"{step.number}/{step.total}  {step.migration.file_name}  {verb}")

        with told_as_sentences():
            done = apply_migrations(url, folder, origin, plain_postgres=plain_postgres, progress=tell)
    if json:
        terminal.json({"applied": [step.migration.file_name for step in done]})
    else:
        terminal.line(
            f"{counted(len(done), 'migration')} applied; the database is in step" if done else "in step already"
        )


def _tell_status(terminal: Terminal, url: str, project: Project, origin: Origin, as_json: bool) -> None:
    found = check_database(url, project.migrations, origin)
    if as_json:
        terminal.json({"state": found.state, "pending": found.pending, "sentence": found.sentence})
    else:
        terminal.line(found.sentence)
    if found.state == "pending":
        raise typer.Exit(Status.DIFFERENCE)
    if found.state != "in_step":
        raise typer.Exit(Status.REFUSED)
