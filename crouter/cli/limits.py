"""`crouter limits`: what an account may use and spend, where that differs from what everybody may.

Both looking and changing ask for a purpose, which is recorded and which the person can read.
"""

from typing import Annotated, Final

import typer

from crouter.cli.amounts import dollars
from crouter.cli.groups import OPERATING, group
from crouter.cli.keys import AccountArgument, month_limit
from crouter.cli.operator import PurposeOption, operator
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError
from crouter.cli.store import recorded_account, with_stores
from crouter.cli.terminal import Terminal
from crouter.runtime.account_limits import LIMIT_MAX, LIMIT_NAMES, AccountLimits, LimitName
from crouter.runtime.administration import Administration

DECLARED = "declared"
_CHANGED: Final = "limits: changed"


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    limits = group("Limits of an account: shown, raised, lowered.")
    limits.command("show")(show)
    limits.command("set")(set_limit)
    limits.command("spend")(spend)
    app.add_typer(limits, name="limits", rich_help_panel=OPERATING)


def show(account: AccountArgument, purpose: PurposeOption = "", json: JsonOption = False) -> None:
    """Show the limits that an account has of its own."""
    by = operator(purpose)

    async def work(stores: Administration) -> AccountLimits:
        return await stores.limits.of(await recorded_account(stores, account, by, "limits"))

    terminal, found = Terminal(), with_stores(work)
    if json:
        terminal.json({**found.own, "month_limit_nanousd": found.month_limit_nanousd})
        return
    for name in LIMIT_NAMES:
        terminal.line(f"{name}: {found.own[name] or 'as the policy says'}")
    month = found.month_limit_nanousd
    terminal.line(f"spending in a month: {'no limit' if month is None else dollars(month)}")


def set_limit(
    account: AccountArgument,
    limit: Annotated[str, typer.Argument(metavar="LIMIT", help="One of: " + ", ".join(LIMIT_NAMES) + ".")],
    value: Annotated[str, typer.Argument(metavar="NUMBER", help="`declared` gives the policy's back.")],
    purpose: PurposeOption = "",
) -> None:
    """Raise or lower a limit of each key of an account. Running services are told."""
    named: LimitName | None = next((name for name in LIMIT_NAMES if name == limit), None)
    if named is None:
        raise FailureError("there is no such limit", "there are: " + ", ".join(LIMIT_NAMES))
    if value != DECLARED and not (value.isascii() and value.isdigit() and 1 <= int(value) <= LIMIT_MAX):
        raise FailureError(f"a limit is a number from 1 to {LIMIT_MAX:,}, or `{DECLARED}`")
    number, by = None if value == DECLARED else int(value), operator(purpose)

    async def work(stores: Administration) -> None:
        await stores.limits.set(await recorded_account(stores, account, by, _CHANGED), {named: number})

    with_stores(work)
    Terminal().line(f"{named}: {'as the policy says' if number is None else number}")


def spend(
    account: AccountArgument,
    amount: Annotated[str, typer.Argument(metavar="DOLLARS", help="As in 25 or 12.50; `none` for no limit.")],
    purpose: PurposeOption = "",
) -> None:
    """Set what an account may spend in a calendar month (UTC)."""
    nanousd, by = month_limit(amount), operator(purpose)

    async def work(stores: Administration) -> None:
        await stores.limits.set_month_limit(await recorded_account(stores, account, by, _CHANGED), nanousd)

    with_stores(work)
    Terminal().line(f"the account may spend {'anything' if nanousd is None else dollars(nanousd)} in a month")
