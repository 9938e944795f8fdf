"""`crouter accounts limits`: what one account may use and spend, shown and changed."""

from typing import Annotated, Final

import typer

from crouter.cli.amounts import dollars
from crouter.cli.keys import AccountArgument, month_limit
from crouter.cli.operator import PurposeOption, operator
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError, Status
from crouter.cli.store import recorded_account, with_stores
from crouter.cli.terminal import Terminal
from crouter.contract.traffic import Limits
from crouter.runtime.account_limits import LIMIT_MAX, LIMIT_NAMES, AccountLimits, LimitName
from crouter.runtime.administration import Administration

POLICYS: Final = "policy"

SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=NUMBER", help=f"A limit of each key; NAME={POLICYS} gives the policy's back."),
]


def limits(
    account: AccountArgument,
    purpose: PurposeOption = "",
    changes: SetOption = None,
    month: Annotated[
        str, typer.Option("--month", metavar="DOLLARS", help="What it may spend in a month; `none` for no limit.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Show the limits of an account, or change them: they hold at once, in every service."""
    by, wanted = operator(purpose), dict(map(_change, changes or ()))
    nanousd = month_limit(month) if month else None

    async def work(stores: Administration) -> tuple[Limits, AccountLimits]:
        found = await recorded_account(stores, account, by, "limits: changed" if wanted or month else "limits")
        await stores.limits.set(found, wanted)
        if month:
            await stores.limits.set_month_limit(found, nanousd)
        return stores.deployment.proxy.limits, await stores.limits.of(found)

    terminal, (declared, own) = Terminal(), with_stores(work)
    _show(terminal, declared, own, as_json=json)


def _show(terminal: Terminal, declared: Limits, own: AccountLimits, *, as_json: bool) -> None:
    held = own.over(declared)
    facts: dict[str, int | None] = {name: getattr(held, name) for name in LIMIT_NAMES}
    if as_json:
        terminal.json({**facts, "month_limit_nanousd": own.month_limit_nanousd})
        return
    for name in LIMIT_NAMES:
        number = facts[name]
        source = "of its own" if own.own.get(name) is not None else "the policy's"
        terminal.line(f"{name:<26}{'none' if number is None else f'{number:,}':>14}  {source}")
    month = "none" if own.month_limit_nanousd is None else dollars(own.month_limit_nanousd)
    terminal.line(f"{'spending a month':<26}{month:>14}")


def _change(text: str) -> tuple[LimitName, int | None]:
    name, _, value = text.partition("=")
    for known in LIMIT_NAMES:
        if name == known:
            if value == POLICYS:
                return known, None
            if value.isascii() and value.isdigit() and len(value) < 11 and 1 <= int(value) <= LIMIT_MAX:
                return known, int(value)
            raise FailureError(f"{known} is a number from 1 to {LIMIT_MAX:,}, or `{POLICYS}`", status=Status.USAGE)
    raise FailureError("there is no such limit", f"there are {', '.join(LIMIT_NAMES)}", status=Status.USAGE)
