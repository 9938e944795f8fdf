"""`crouter serve` and `crouter retention`: become a program of the project's generated code.

The command replaces itself, so that signals and exit status are the program's own and nothing in Crouter has to
import what it generates.
"""

import os
import sys
from collections.abc import Mapping
from typing import NoReturn

import typer

from crouter.cli.groups import OPERATING
from crouter.cli.outcome import FailureError
from crouter.cli.project import Project
from crouter.cli.store import URL, is_given, store_environment
from crouter.cli.terminal import Terminal

RETENTION_HELP = """Remove what policy.yaml says is to go, and say whether all of it went in time.

- `run`: carry the rules out once, with progress

- `check`: is anything overdue? Exits with 2 if so

- `worker`: carry every rule out on its schedule, until it is stopped

`crouter retention run --help` lists the options of one of them. The database is that of DATABASE_URL, or the one of
`crouter run` in this folder.
"""


def add_to(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("serve", rich_help_panel=OPERATING)(serve)
    app.command(
        "retention",
        rich_help_panel=OPERATING,
        help=RETENTION_HELP,
        options_metavar="run|check|worker [OPTIONS]",
        # Everything after the first word belongs to the program, its own --help too.
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False},
    )(retention)


def serve() -> None:
    """Run the service of this project until it is stopped. Its settings are environment variables.

    What is missing or wrong among them is told at once. For a service on this machine with a database of its own there
    is `crouter run`.
    """
    _become("generated.service", [], os.environ)


def retention(context: typer.Context) -> None:
    """Run `python -m generated.retention` with the same arguments."""
    if not context.args:
        # Not a worker by default: here a person may just be asking.
        context.get_help()
        raise typer.Exit
    environ = dict(os.environ)
    if not is_given(environ):
        environ[URL] = store_environment(Project.at())[URL]
    _become("generated.retention", context.args, environ)


def _become(module: str, arguments: list[str], environ: Mapping[str, str]) -> NoReturn:
    project = Project.at()
    entry = project.require_generated() / module.rpartition(".")[2] / "__main__.py"
    if not entry.is_file():
        raise FailureError(f"{entry} is missing", "`crouter generate` writes it anew")
    Terminal().flush()
    # `-m` looks in the current folder first, which is the project's.
    command = [sys.executable, "-m", module, *arguments]
    os.execve(sys.executable, command, environ)  # noqa: S606  our own command line, no shell
