"""`crouter openapi`: the OpenAPI document of the account API, as the service serves it."""

import typer

from crouter.cli.deployment import load_deployment
from crouter.cli.groups import MAKING
from crouter.cli.library_errors import told_as_sentences
from crouter.cli.project import Project
from crouter.cli.terminal import Terminal
from crouter.runtime.account_api.openapi import openapi_text
from crouter.runtime.account_api.operations import OPERATIONS


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("openapi", rich_help_panel=MAKING)(openapi)


def openapi() -> None:
    """Print the OpenAPI document of the account API: `crouter openapi > docs/account-api.json`."""
    with told_as_sentences():
        deployment = load_deployment(Project.at())
    Terminal().raw(openapi_text(deployment.identity, OPERATIONS))
