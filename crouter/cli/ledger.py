"""`crouter ledger`: the books. One person's entries are read with a purpose, which is recorded; sums name nobody."""

import csv
import io
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time
from typing import Annotated, Final

import typer

from crouter.cli.amounts import dollars
from crouter.cli.groups import OPERATING, group
from crouter.cli.keys import AccountArgument, shown_time
from crouter.cli.operator import PurposeOption, operator
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError, Status
from crouter.cli.reconcile import figure_facts, figure_line
from crouter.cli.store import recorded_account, with_stores
from crouter.cli.terminal import Terminal
from crouter.runtime.access_records import Operator
from crouter.runtime.administration import Administration
from crouter.runtime.ledger import TrialBalance
from crouter.runtime.ledger.trial import read_trial_balance
from crouter.runtime.names import BOOK
from crouter.runtime.position import Position
from crouter.runtime.reconciliation.books import compared_books
from crouter.runtime.reconciliation.figure import Figure
from crouter.runtime.statement import StatementEntry, StatementFilter

PAGE: Final = 500
_PURPOSE: Final = "billing"
_COLUMNS: Final = ("id", "kind", "amount_nanousd", "occurred_at", "price_version")

SinceOption = Annotated[datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="From this day on (UTC).")]
UntilOption = Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="Before this day (UTC).")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    ledger = group("The books: statements, trial balance, export, verification.")
    ledger.command("statement")(statement)
    ledger.command("trial-balance")(trial_balance)
    ledger.command("export")(export)
    ledger.command("verify")(verify)
    app.add_typer(ledger, name="ledger", rich_help_panel=OPERATING)


def statement(
    account: AccountArgument,
    purpose: PurposeOption = "",
    since: SinceOption = None,
    until: UntilOption = None,
    json: JsonOption = False,
) -> None:
    """Show what changed an account's balance, newest first."""
    entries = _entries(account, operator(purpose), since, until)
    terminal = Terminal()
    if json:
        terminal.json([_facts(entry) for entry in entries])
        return
    for entry in entries:
        terminal.line(
            f"{shown_time(entry.occurred_at)}  {entry.kind:<8}{dollars(entry.amount_nanousd):>18}  {entry.id}"
        )
    terminal.line(f"{'sum':<26}{dollars(sum(entry.amount_nanousd for entry in entries)):>18}")


def export(
    account: AccountArgument, purpose: PurposeOption = "", since: SinceOption = None, until: UntilOption = None
) -> None:
    """Write an account's entries as CSV to standard output, newest first."""
    entries = _entries(account, operator(purpose), since, until)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows([_facts(entry)[column] for column in _COLUMNS] for entry in entries)
    Terminal().raw(written.getvalue())


def trial_balance(json: JsonOption = False) -> None:
    """Show what every account of the books holds; all of it together has to be nothing. Exits with 1 if it is not."""

    async def work(stores: Administration) -> TrialBalance:
        if not any(record.name == BOOK for record in stores.deployment.records):
            raise FailureError("the policy declares no other side of the books", "declare data.book in policy.yaml")
        return await read_trial_balance(stores.database)

    terminal, found = Terminal(), with_stores(work)
    if json:
        terminal.json({"accounts": dict(found.accounts), "difference_nanousd": found.difference_nanousd})
    else:
        for name, amount in found.accounts.items():
            terminal.line(f"{name:<20}{dollars(amount):>24}")
        terminal.line(f"{'together':<20}{dollars(found.difference_nanousd):>24}")
    if found.difference_nanousd:
        raise typer.Exit(Status.REFUSED)


def verify(json: JsonOption = False) -> None:
    """Look whether the books agree with themselves: both sides, and charges beside usage. Exits with 1 if not."""

    async def work(stores: Administration) -> tuple[Figure, ...]:
        return await compared_books(stores.deployment, stores.database, datetime.now(UTC).date())

    terminal, figures = Terminal(), with_stores(work)
    if json:
        terminal.json([figure_facts(figure) for figure in figures])
    else:
        for figure in figures:
            terminal.line(figure_line(figure))
    if any(figure.state == "unexplained" for figure in figures):
        raise typer.Exit(Status.REFUSED)


def _entries(account: str, by: Operator, since: datetime | None, until: datetime | None) -> tuple[StatementEntry, ...]:
    wanted = StatementFilter(since=_midnight(since), until=_midnight(until))

    async def work(stores: Administration) -> tuple[StatementEntry, ...]:
        found = await recorded_account(stores, account, by, "balance entries")
        return tuple([entry async for entry in _all(stores, found, wanted)])

    return with_stores(work)


async def _all(stores: Administration, account: uuid.UUID, wanted: StatementFilter) -> AsyncIterator[StatementEntry]:
    after: Position | None = None
    while True:
        page = await stores.statement.entries(account, _PURPOSE, wanted, limit=PAGE, after=after)
        for entry in page:
            yield entry
        if len(page) < PAGE:
            return
        after = Position(page[-1].occurred_at, page[-1].id)


def _midnight(day: datetime | None) -> datetime | None:
    return datetime.combine(day.date(), time(), UTC) if day is not None else None


def _facts(entry: StatementEntry) -> dict[str, object]:
    return {
        "id": str(entry.id),
        "kind": entry.kind,
        "amount_nanousd": entry.amount_nanousd,
        "occurred_at": entry.occurred_at.astimezone(UTC).isoformat(),
        "price_version": entry.price_version,
    }
