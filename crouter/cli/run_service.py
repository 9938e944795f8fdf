"""`crouter run`: everything a newcomer needs, on this machine, with one command."""

import os
import sys
from typing import Annotated, Final

import typer

from crouter.cli.deployment import load_deployment
from crouter.cli.drift import project_drift, tell_drift
from crouter.cli.groups import TRYING
from crouter.cli.library_errors import told_as_sentences
from crouter.cli.outcome import FailureError, Status
from crouter.cli.policy_file import read_policy, require_policy
from crouter.cli.project import Project
from crouter.cli.start_screen import StartScreen
from crouter.cli.store import URL, is_given
from crouter.cli.terminal import Terminal
from crouter.development.session import Session
from crouter.development.state_folder import StateFolder
from crouter.embedded import ClusterError
from crouter.runtime.accounting import JournalUnusableError
from crouter.runtime.egress import EgressRefusedError
from crouter.runtime.manifest import StaleGeneratedError
from crouter.runtime.policy_history import HistoryUnreadableError
from crouter.runtime.process import HardeningError
from crouter.runtime.sealing import UnsupportedMeasureError
from crouter.runtime.server.pages import MissingDocumentError
from crouter.runtime.server.protocol import SlowParserError
from crouter.runtime.tls import CertificateError
from crouter.runtime.usage_columns import UnfilledColumnError

# What a database or a service is refused with before it begins; each has a sentence of our own.
_REFUSALS: Final = (
    CertificateError,
    ClusterError,
    EgressRefusedError,
    HardeningError,
    MissingDocumentError,
    HistoryUnreadableError,
    JournalUnusableError,
    SlowParserError,
    StaleGeneratedError,
    UnfilledColumnError,
    UnsupportedMeasureError,
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", rich_help_panel=TRYING)(run)


def run(
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="8080 unless given here or in CROUTER_LISTEN; 0 is any."),
    ] = None,
) -> None:
    """Start Crouter on this machine with its own PostgreSQL, an account, credit and a key; Ctrl-C stops everything.

    Without ANTHROPIC_API_KEY a built-in simulator answers. What is kept lies in .crouter/; .crouter/dev.json holds
    the address and the key for programs. Exits with 2 if generated/ is not what policy.yaml says.
    """
    terminal, project = Terminal(), Project.at()
    policy = require_policy(read_policy(project), terminal)
    if differences := project_drift(policy, project):
        # Not generated unasked: the files are committed, and what changes in them is for a person to read.
        tell_drift(terminal, differences, with_diffs=False)
        raise FailureError(
            f"{project.generated}/ is not what {project.policy} says, so nothing was started",
            "run the command above, read the difference, then start again",
            Status.DIFFERENCE,
        )
    if is_given(os.environ):
        terminal.note(f"{URL} is not used: `crouter run` has a database of its own")
    deployment = load_deployment(project)
    session = Session(
        deployment=deployment,
        generated=project.generated.absolute(),
        folder=StateFolder(project.state.absolute()),
        environ=os.environ,
        log=sys.stdout,
        report=StartScreen(terminal, deployment),
        port=port,
    )
    with told_as_sentences(*_REFUSALS):
        session.run()
