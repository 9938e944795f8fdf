"""`crouter accounts`: the least an operator needs before people sign in by themselves."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from crouter.cli.amounts import AmountError, credit_nanousd, dollars
from crouter.cli.groups import OPERATING, group
from crouter.cli.keys import AccountArgument, shown_time
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError
from crouter.cli.store import find_account, with_stores
from crouter.cli.terminal import Terminal
from crouter.runtime.accounts import AccountState
from crouter.runtime.administration import Administration


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    accounts = group("Accounts: made, listed, credited, deleted.")
    accounts.command("create")(create)
    accounts.command("list")(list_accounts)
    accounts.command("credit")(credit)
    accounts.command("delete")(delete)
    accounts.command("restore")(restore)
    app.add_typer(accounts, name="accounts", rich_help_panel=OPERATING)


def create(
    email: Annotated[str, typer.Option("--email", help="The person's address, to write to.")],
    name: Annotated[str, typer.Option("--name", help="The person's name.")] = "",
    subject: Annotated[
        str,
        typer.Option(
            "--subject",
            metavar="USER_ID",
            help="The id of the person at the identity provider. Only whoever has it signs in to the account.",
        ),
    ] = "",
    json: JsonOption = False,
) -> None:
    """Make an account. Standard output is its id."""
    if "@" not in email:
        raise FailureError("--email is not an e-mail address")
    try:
        identity = uuid.UUID(subject) if subject else None
    except ValueError:
        raise FailureError("--subject is not a UUID", "Supabase shows it as the user's UID") from None

    async def work(stores: Administration) -> uuid.UUID:
        return await stores.accounts.create(email, name, account=identity)

    terminal, account = Terminal(), with_stores(work)
    if json:
        terminal.json({"account": str(account)})
    else:
        terminal.raw(f"{account}\n")


def credit(
    account: AccountArgument,
    amount: Annotated[str, typer.Argument(metavar="DOLLARS", help="As in 25 or 12.50.")],
    json: JsonOption = False,
) -> None:
    """Grant an account credit, exactly to the nanodollar."""
    try:
        nanousd = credit_nanousd(amount)
    except AmountError as problem:
        raise FailureError(str(problem)) from problem

    async def work(stores: Administration) -> tuple[uuid.UUID, int]:
        found = await find_account(stores, account)
        await stores.accounts.credit(found, nanousd, "grant")
        return found, await stores.accounts.balance(found)

    terminal, (found, balance) = Terminal(), with_stores(work)
    if json:
        terminal.json({"account": str(found), "granted_nanousd": nanousd, "balance_nanousd": balance})
    else:
        terminal.line(f"{dollars(nanousd)} granted; the balance is {dollars(balance)}")


def list_accounts(json: JsonOption = False) -> None:
    """List the accounts, oldest first: id, balance, times. Nobody's name or address is read."""

    async def work(stores: Administration) -> Sequence[AccountState]:
        return await stores.accounts.list()

    terminal, listed = Terminal(), with_stores(work)
    if json:
        terminal.json([_facts(account) for account in listed])
        return
    for account in listed:
        asked = account.deletion_requested_at
        ending = f"  deletion asked for {shown_time(asked)}" if asked else ""
        terminal.line(
            f"{account.id}  {dollars(account.balance_nanousd)}  made {shown_time(account.created_at)}{ending}"
        )
    if not listed:
        terminal.note("there is no account")


def delete(account: AccountArgument, json: JsonOption = False) -> None:
    """Begin the deletion of an account: its keys end at once, its data when the policy says.

    `crouter accounts restore` takes it back as long as `crouter retention run` has not carried it out.
    """

    async def work(stores: Administration) -> tuple[uuid.UUID, datetime]:
        found = await find_account(stores, account)
        asked = await stores.accounts.request_deletion(found)
        for key in await stores.keys.list(found):
            if key.revoked_at is None or key.revoked_at > datetime.now(UTC):
                await stores.keys.revoke(key.id)
        return found, asked

    terminal, (found, asked) = Terminal(), with_stores(work)
    if json:
        terminal.json({"account": str(found), "deletion_requested_at": asked.isoformat()})
    else:
        terminal.line(f"the deletion of {found} runs from {shown_time(asked)}; its keys are revoked")


def restore(account: Annotated[str, typer.Argument(metavar="ACCOUNT_ID", help="The account's id.")]) -> None:
    """Take the deletion of an account back. It needs a new key afterwards."""
    try:
        found = uuid.UUID(account)
    except ValueError:
        raise FailureError("an account that is being deleted is named by its id") from None

    async def work(stores: Administration) -> None:
        await stores.accounts.take_back_deletion(found)

    with_stores(work)
    Terminal().line(f"the deletion of {found} is taken back; `crouter keys create` makes a new key")


def _facts(account: AccountState) -> dict[str, object]:
    asked = account.deletion_requested_at
    return {
        "account": str(account.id),
        "balance_nanousd": account.balance_nanousd,
        "created_at": account.created_at.isoformat(),
        "deletion_requested_at": asked.isoformat() if asked else None,
    }
