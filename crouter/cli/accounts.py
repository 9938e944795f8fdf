"""`crouter accounts`: the least an operator needs before people sign in by themselves."""

import uuid
from typing import Annotated

import typer

from crouter.cli.amounts import AmountError, credit_nanousd, dollars
from crouter.cli.groups import OPERATING, group
from crouter.cli.keys import AccountArgument
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError
from crouter.cli.store import find_account, with_stores
from crouter.cli.terminal import Terminal
from crouter.runtime.administration import Administration


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    accounts = group("Accounts: made and credited.")
    accounts.command("create")(create)
    accounts.command("credit")(credit)
    app.add_typer(accounts, name="accounts", rich_help_panel=OPERATING)


def create(
    email: Annotated[str, typer.Option("--email", help="The address the person signs in with.")],
    name: Annotated[str, typer.Option("--name", help="The person's name.")] = "",
    json: JsonOption = False,
) -> None:
    """Make an account. Standard output is its id."""
    if "@" not in email:
        raise FailureError("--email is not an e-mail address")

    async def work(stores: Administration) -> uuid.UUID:
        return await stores.accounts.create(email, name)

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
