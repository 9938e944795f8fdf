"""`crouter publish`: makes a version of the policy final, and tells every customer of it where it changes much."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from crouter.cli.deployment import load_deployment
from crouter.cli.drift import project_drift, tell_drift
from crouter.cli.groups import OPERATING
from crouter.cli.library_errors import told_as_sentences
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError, Status
from crouter.cli.policy_file import read_policy, require_policy
from crouter.cli.project import Project
from crouter.cli.store import store_environment
from crouter.cli.terminal import Terminal, counted
from crouter.contract.deployment import Deployment
from crouter.generate.emit import emit
from crouter.generate.history import HistoryDamagedError
from crouter.generate.publish import Publication, publication
from crouter.generate.tree import TreeError
from crouter.generate.versions import read_versions
from crouter.plan.digest import policy_digest
from crouter.plan.retention import period
from crouter.policy.model import Policy
from crouter.runtime.database.pool import Database
from crouter.runtime.publishing.notice import Notice, earliest_day, starts
from crouter.runtime.publishing.record import PublishedVersions
from crouter.runtime.settings import read_database_settings


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("publish", rich_help_panel=OPERATING)(publish)


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done, or would be."""

    version: str
    effective: date
    significant: bool
    changed: str
    accounts: int
    mails: int
    was_published: bool


def publish(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Publish the version that policy.yaml names: final from now on, and announced where that is promised.

    A significant change is mailed to every account before anything else may happen; its day has to leave the notice
    that the policy promises. Interrupted, the command goes on where it was when it is given again.
    """
    terminal, project = Terminal(), Project.at()
    policy = require_policy(read_policy(project), terminal)
    if differences := project_drift(policy, project):
        tell_drift(terminal, differences, with_diffs=False)
        raise FailureError(
            f"{project.generated}/ is not what {project.policy} says, so nothing was published",
            "run the command above, read the difference, commit it, then publish",
            Status.DIFFERENCE,
        )
    deployment = load_deployment(project)
    work = _Publishing(terminal, project, policy, deployment, _publication(policy, project), datetime.now(UTC))
    with told_as_sentences():
        done = asyncio.run(work.carry_out(dry_run=dry_run))
    if json:
        terminal.json(_facts(done, dry_run=dry_run))
    else:
        _tell(terminal, done, dry_run=dry_run)


def _publication(policy: Policy, project: Project) -> Publication:
    try:
        return publication(policy, read_versions(project.generated, policy.policy.version))
    except HistoryDamagedError as problem:
        raise FailureError(str(problem)) from problem


@dataclass(frozen=True, slots=True)
class _Publishing:
    terminal: Terminal
    project: Project
    policy: Policy
    deployment: Deployment
    publication: Publication
    now: datetime

    async def carry_out(self, *, dry_run: bool) -> _Done:
        settings = read_database_settings(store_environment(self.project))
        database = Database(settings, self.deployment.database_schema, statement_seconds=60)
        await database.open()
        try:
            return await self._on(database, dry_run=dry_run)
        finally:
            await database.close()

    async def _on(self, database: Database, *, dry_run: bool) -> _Done:
        version, record = self.publication.version, PublishedVersions(self.deployment, database)
        if not record.is_declared:
            raise FailureError(
                "the policy declares no data category `published_version`, so nobody could prove a notice",
                "`crouter explain PR-60` tells what the library works on",
            )
        known = await record.find(version.name)
        is_over = version.frozen and known is not None and known.announced_at is not None
        notice = Notice(self.deployment, database, version.name)
        accounts = await notice.count() if self.publication.is_announced else 0
        if not is_over:
            self._require_notice()
        mails = 0
        if not dry_run and not is_over:
            await record.publish(version.name, policy_digest(self.policy), starts(version.effective), self.now)
            self._freeze()
            if self.publication.is_announced:
                mails = await self._mail(notice, accounts)
            await record.announced(version.name, datetime.now(UTC))
        return _Done(
            version=version.version,
            effective=version.effective,
            significant=version.significant,
            changed=version.changed,
            accounts=accounts,
            mails=mails,
            was_published=is_over,
        )

    def _require_notice(self) -> None:
        """Raises FailureError for a significant version that nobody could be told of in time."""
        if not self.publication.version.significant:
            return
        earliest = max(earliest_day(self.now, period(notice)) for notice in self.publication.notices)
        if self.publication.effective < earliest:
            raise FailureError(
                f"version {self.publication.version.version} takes effect on {self.publication.effective}, and the "
                "notice that was promised does not fit before that. Nothing was published",
                f"write `effective: {earliest}` or a later day into policy.yaml, then `crouter generate`",
            )
        mail = self.deployment.mail
        templates = {template.name for template in mail.templates} if mail is not None else set()
        if self.publication.by_mail and "policy_change" not in templates:
            raise FailureError(
                "significant changes are announced by email, and policy.yaml declares no mail policy_change. Nothing "
                "was published",
                "declare the mails under `mail:`",
            )

    def _freeze(self) -> None:
        try:
            emit(self.policy, self.project.generated, publish=True)
        except TreeError as problem:
            raise FailureError(str(problem)) from problem

    async def _mail(self, notice: Notice, accounts: int) -> int:
        with self.terminal.progress() as progress:
            task = progress.add_task("Telling every account", total=accounts)
            return await notice.send(lambda told: progress.advance(task, told))


def _facts(done: _Done, *, dry_run: bool) -> dict[str, object]:
    return {
        "version": done.version,
        "effective": done.effective.isoformat(),
        "significant": done.significant,
        "changed": done.changed,
        "accounts": done.accounts,
        "mails": done.mails,
        "published": done.was_published or not dry_run,
        "dry_run": dry_run,
    }


def _tell(terminal: Terminal, done: _Done, *, dry_run: bool) -> None:
    weight = "a significant change" if done.significant else "no significant change"
    if done.changed:
        terminal.line(done.changed)
    if done.was_published:
        terminal.line(f"version {done.version} is published already; there is nothing to do")
    elif dry_run:
        terminal.line(
            f"would publish version {done.version}, {weight}, in effect from {done.effective}, and tell "
            f"{counted(done.accounts, 'account')}"
        )
    else:
        terminal.line(
            f"version {done.version} is published, {weight}, in effect from {done.effective}; "
            f"{counted(done.mails, 'mail')} to {counted(done.accounts, 'account')} on the way"
        )
        terminal.line("commit generated/: the version is final, and its words are kept to the byte")
