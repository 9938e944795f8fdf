"""Opens the accounts and keys of a project for one command.

Settings come from the environment, as the service's do. Where DATABASE_URL is not set, those of the development run
in this folder are taken.
"""

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from crouter.cli.deployment import load_deployment
from crouter.cli.library_errors import told_as_sentences
from crouter.cli.outcome import FailureError
from crouter.cli.project import Project
from crouter.development.environment import development_settings
from crouter.development.state_folder import StateFolder
from crouter.runtime.access_records import Operator
from crouter.runtime.administration import Administration, administration
from crouter.runtime.settings import read_database_settings, read_store_settings

URL = "DATABASE_URL"
Result = TypeVar("Result")

_HINT = f"set {URL}, or start `crouter run` in this folder once"


def is_given(environ: Mapping[str, str]) -> bool:
    """Whether these settings name a database."""
    return bool(environ.get(URL) or environ.get(f"{URL}_FILE"))


def store_environment(project: Project) -> dict[str, str]:
    """The settings that lead to the database. Raises FailureError."""
    if is_given(os.environ):
        return dict(os.environ)
    with told_as_sentences():
        settings = development_settings(StateFolder(project.state.absolute()))
    if settings is None:
        raise FailureError(f"{URL} is not set, and this folder has no development database", _HINT)
    return settings


def database_url(project: Project) -> str:
    """The address of the database alone, for commands that need no keys. Raises FailureError."""
    with told_as_sentences():
        return read_database_settings(store_environment(project)).database_url.reveal()


def with_stores(work: Callable[[Administration], Awaitable[Result]]) -> Result:
    """What `work` gives, on the stores of the project in the current folder. Raises FailureError."""
    project = Project.at()
    deployment = load_deployment(project)
    environ = store_environment(project)

    async def run() -> Result:
        async with administration(deployment, read_store_settings(environ)) as stores:
            return await work(stores)

    with told_as_sentences():
        return asyncio.run(run())


async def find_account(stores: Administration, named: str) -> uuid.UUID:
    """The account with that id or e-mail address. Raises FailureError."""
    try:
        return uuid.UUID(named)
    except ValueError:
        pass
    if "@" not in named:
        raise FailureError("an account is named by its id or its e-mail address")
    account = await stores.accounts.find(named)
    if account is None:
        raise FailureError("no account has that e-mail address")
    return account


async def recorded_account(stores: Administration, named: str, by: Operator, accessed: str) -> uuid.UUID:
    """The account with that id or e-mail address, once it is recorded who looks at it and why. Raises FailureError."""
    account = await find_account(stores, named)
    await stores.accesses.add(by, account, accessed)
    return account
