"""`crouter accounts`: made, listed, looked up, credited, deleted.

What looks at one person's data, or changes it, asks for a purpose, which is recorded and which the person can read.
The list names nobody and needs none.
"""

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from crouter.cli.account_limits import limits
from crouter.cli.amounts import AmountError, credit_nanousd, dollars
from crouter.cli.groups import OPERATING, group
from crouter.cli.keys import AccountArgument, shown_time
from crouter.cli.operator import PurposeOption, operator
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError
from crouter.cli.store import find_account, recorded_account, with_stores
from crouter.cli.terminal import Terminal
from crouter.runtime.account_facts import AccountFacts, account_facts
from crouter.runtime.accounts import AccountState
from crouter.runtime.administration import Administration
from crouter.runtime.erasure.deletions import TooLateError
from crouter.runtime.keys import ListedKey


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    accounts = group("Accounts: made, listed, credited, deleted.")
    accounts.command("create")(create)
    accounts.command("list")(list_accounts)
    accounts.command("show")(show)
    accounts.command("credit")(credit)
    accounts.command("limits")(limits)
    accounts.command("delete")(delete)
    accounts.command("close")(delete)
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
    purpose: PurposeOption = "",
    json: JsonOption = False,
) -> None:
    """Grant an account credit, exactly to the nanodollar."""
    try:
        nanousd = credit_nanousd(amount)
    except AmountError as problem:
        raise FailureError(str(problem)) from problem
    by = operator(purpose)

    async def work(stores: Administration) -> tuple[uuid.UUID, int]:
        found = await recorded_account(stores, account, by, f"balance: {dollars(nanousd)} granted")
        await stores.accounts.credit(found, nanousd, "grant")
        return found, await stores.accounts.balance(found)

    terminal, (found, balance) = Terminal(), with_stores(work)
    if json:
        terminal.json({"account": str(found), "granted_nanousd": nanousd, "balance_nanousd": balance})
    else:
        terminal.line(f"{dollars(nanousd)} granted; the balance is {dollars(balance)}")


def show(account: AccountArgument, purpose: PurposeOption = "", json: JsonOption = False) -> None:
    """Show one account: who it is, what it has, its keys."""
    by = operator(purpose)

    async def work(stores: Administration) -> tuple[AccountFacts, tuple[ListedKey, ...]]:
        found = await find_account(stores, account)
        facts = await account_facts(stores.deployment, stores.database, by, found)
        if facts is None:
            raise FailureError("no account has that id")
        return facts, await stores.keys.list(found)

    terminal, (facts, keys) = Terminal(), with_stores(work)
    if json:
        terminal.json(_all_facts(facts, keys))
        return
    for label, text in _told(facts, keys):
        terminal.line(f"{label:<12}{text}")


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


def delete(account: AccountArgument, purpose: PurposeOption = "", json: JsonOption = False) -> None:
    """Begin the deletion of an account, which closes it: its keys end at once, its data when the policy says.

    `crouter accounts restore` takes it back as long as `crouter retention run` has not carried it out.
    """
    by = operator(purpose)

    async def work(stores: Administration) -> tuple[uuid.UUID, datetime]:
        found = await recorded_account(stores, account, by, "account: deletion begun, keys revoked")
        if stores.rights is not None:
            return found, (
                await stores.rights.deletions.begin(found, "contact", "no_credit", datetime.now(UTC))
            ).asked_at
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


def restore(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT_ID", help="The account's id.")],
    purpose: PurposeOption = "",
) -> None:
    """Take the deletion of an account back. It needs a new key afterwards."""
    try:
        found = uuid.UUID(account)
    except ValueError:
        raise FailureError("an account that is being deleted is named by its id") from None
    by = operator(purpose)

    async def work(stores: Administration) -> None:
        await stores.accesses.add(by, found, "account: deletion taken back")
        running = await stores.rights.deletions.running(found) if stores.rights is not None else None
        if stores.rights is None or running is None:
            return await stores.accounts.take_back_deletion(found)
        try:
            await stores.rights.deletions.take_back(running.id, datetime.now(UTC))
        except TooLateError as problem:
            raise FailureError(str(problem)) from None

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


def _told(facts: AccountFacts, keys: tuple[ListedKey, ...]) -> Iterator[tuple[str, str]]:
    yield "account", str(facts.id)
    yield "e-mail", facts.email or "gone"
    yield "name", facts.name or "none"
    yield "made", shown_time(facts.created_at)
    if facts.deletion_requested_at is not None:
        yield "deletion", f"asked for {shown_time(facts.deletion_requested_at)}"
    if facts.erased_at is not None:
        yield "erased", shown_time(facts.erased_at)
    funds = facts.funds
    yield "balance", dollars(funds.balance)
    yield "set aside", dollars(funds.set_aside)
    for key in keys:
        ending = f", ends or ended {shown_time(key.revoked_at)}" if key.revoked_at else ""
        yield "key", f"{key.id}  …{key.last_four}  made {shown_time(key.created_at)}{ending}"


def _all_facts(facts: AccountFacts, keys: tuple[ListedKey, ...]) -> dict[str, object]:
    asked, erased = facts.deletion_requested_at, facts.erased_at
    return {
        "account": str(facts.id),
        "email": facts.email,
        "name": facts.name,
        "created_at": facts.created_at.isoformat(),
        "deletion_requested_at": asked.isoformat() if asked else None,
        "erased_at": erased.isoformat() if erased else None,
        "balance_nanousd": facts.funds.balance,
        "set_aside_nanousd": facts.funds.set_aside,
        "keys": [
            {
                "id": str(key.id),
                "last_four": key.last_four,
                "created_at": key.created_at.isoformat(),
                "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
            }
            for key in keys
        ],
    }
