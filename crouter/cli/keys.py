"""`crouter keys`: API keys made, listed, named, limited, rotated and revoked by the operator, and their master keys.

A key is printed once, and only here. What looks at one person's keys, or changes them, asks for a purpose, which is
recorded and which the person can read. Sealing all keys anew concerns nobody in particular and needs none.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from crouter.cli.amounts import AmountError, credit_nanousd, dollars
from crouter.cli.groups import OPERATING, group
from crouter.cli.operator import PurposeOption, operator
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError
from crouter.cli.store import recorded_account, with_stores
from crouter.cli.terminal import Terminal, counted
from crouter.runtime.access_records import Operator
from crouter.runtime.administration import Administration
from crouter.runtime.keys import ListedKey, NewKey
from crouter.runtime.master_keys import Renewal

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id or e-mail address.")]
KeyArgument = Annotated[str, typer.Argument(metavar="KEY_ID", help="The key's id, as listed.")]
NO_LIMIT = "none"


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    keys = group("API keys: made, listed, named, limited, rotated, revoked.")
    keys.command("create")(create)
    keys.command("list")(list_keys)
    keys.command("name")(name_key)
    keys.command("limit")(limit)
    keys.command("rotate")(rotate)
    keys.command("revoke")(revoke)
    keys.command("rotate-master")(rotate_master)
    app.add_typer(keys, name="keys", rich_help_panel=OPERATING)


def create(
    account: AccountArgument,
    name: Annotated[str, typer.Option("--name", help="What its owner calls it.")] = "",
    purpose: PurposeOption = "",
    json: JsonOption = False,
) -> None:
    """Make the API key of an account. Standard output is the key and nothing else; it is not shown again."""
    by = operator(purpose)

    async def work(stores: Administration) -> NewKey:
        return await stores.keys.create(await recorded_account(stores, account, by, "API keys: one made"), label=name)

    _show(with_stores(work), json)


def list_keys(account: AccountArgument, purpose: PurposeOption = "", json: JsonOption = False) -> None:
    """List the keys of an account, oldest first: id, last four characters, name, days. No key is shown."""
    by = operator(purpose)

    async def work(stores: Administration) -> tuple[ListedKey, ...]:
        return await stores.keys.list(await recorded_account(stores, account, by, "API keys"))

    terminal, listed = Terminal(), with_stores(work)
    if json:
        terminal.json([_facts(key) for key in listed])
        return
    for key in listed:
        terminal.line(f"{key.id}  {key.shown}  made {shown_time(key.created_at)}{_more(key)}  {_state(key)}")
    if not listed:
        terminal.note("this account has no key")


def name_key(
    key: KeyArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help='What to call it; "" for nothing.')],
    purpose: PurposeOption = "",
) -> None:
    """Give a key another name."""
    key_id, by = _key_id(key), operator(purpose)

    async def work(stores: Administration) -> None:
        account = await _recorded_owner(stores, key_id, by, "API keys: one named")
        await stores.keys.rename(key_id, name, account=account)

    with_stores(work)
    Terminal().line(f"{key_id} is {'named' if name.strip() else 'without a name'}")


def limit(
    key: KeyArgument,
    amount: Annotated[str, typer.Argument(metavar="DOLLARS", help="As in 25 or 12.50; `none` for no limit.")],
    purpose: PurposeOption = "",
) -> None:
    """Set what a key may spend in a calendar month (UTC)."""
    key_id, nanousd, by = _key_id(key), month_limit(amount), operator(purpose)

    async def work(stores: Administration) -> None:
        account = await _recorded_owner(stores, key_id, by, "API keys: spending limit of one changed")
        await stores.keys.limit(key_id, nanousd, account=account)

    with_stores(work)
    Terminal().line(f"{key_id} may spend {'anything' if nanousd is None else dollars(nanousd)} in a month")


def rotate(
    account: AccountArgument,
    grace_hours: Annotated[
        int | None,
        typer.Option("--grace-hours", min=0, help="How long the key before it goes on working; at most the policy's."),
    ] = None,
    key: Annotated[str, typer.Option("--key", metavar="KEY_ID", help="Only this one, of several.")] = "",
    purpose: PurposeOption = "",
    json: JsonOption = False,
) -> None:
    """Make a new key for an account and end the one before it, when the policy's grace is over or sooner."""
    grace = None if grace_hours is None else timedelta(hours=grace_hours)
    replaced, by = _key_id(key) if key else None, operator(purpose)

    async def work(stores: Administration) -> NewKey:
        found = await recorded_account(stores, account, by, "API keys: one rotated" if key else "API keys: rotated")
        return await stores.keys.rotate(found, grace, key=replaced)

    _show(with_stores(work), json)


def revoke(key: KeyArgument, purpose: PurposeOption = "") -> None:
    """End a key at once. Running services are told."""
    key_id, by = _key_id(key), operator(purpose)

    async def work(stores: Administration) -> None:
        account = await _recorded_owner(stores, key_id, by, "API keys: one revoked")
        await stores.keys.revoke(key_id, account=account)

    with_stores(work)
    Terminal().line(f"{key_id} is revoked")


def rotate_master(json: JsonOption = False) -> None:
    """Seal and hash every key anew with the newest master keys. May be stopped and run again.

    First put a new key in front of the old ones in CROUTER_SEALING_KEYS and CROUTER_LOOKUP_KEYS (2:…,1:…) of every
    service and restart them, then run this, then take the old keys out.
    """
    terminal = Terminal()
    with terminal.progress() as progress:
        task = progress.add_task("Sealing every key anew", total=None)

        async def work(stores: Administration) -> Renewal:
            return await stores.master_keys.renew(
                lambda done, of: progress.update(task, completed=done, total=of),
            )

        renewal = with_stores(work)
    if json:
        terminal.json({"changed": renewal.changed})
    else:
        terminal.line(f"{counted(renewal.changed, 'key')} sealed anew; all others were in step")


def month_limit(text: str) -> int | None:
    """Nanodollars of a limit as people write it; None for `none`. Raises FailureError."""
    if text == NO_LIMIT:
        return None
    try:
        return credit_nanousd(text)
    except AmountError as problem:
        raise FailureError(str(problem), f"`{NO_LIMIT}` takes the limit away") from problem


async def _recorded_owner(stores: Administration, key: uuid.UUID, by: Operator, accessed: str) -> uuid.UUID:
    """Whose key it is, once it is recorded who changes it and why."""
    account = await stores.keys.owner(key)
    await stores.accesses.add(by, account, accessed)
    return account


def _key_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        # Not repeated: it may be the key itself.
        raise FailureError("a key is named by its id", "`crouter keys list ACCOUNT` shows the ids") from None


def _show(new: NewKey, as_json: bool) -> None:
    terminal = Terminal()
    if as_json:
        ending = new.ending.isoformat() if new.ending else None
        facts = {"id": str(new.id), "account": str(new.account), "api_key": new.key.reveal()}
        terminal.json({**facts, "others_end_at": ending})
        return
    if new.ending is not None:
        terminal.note(f"the key before it works until {shown_time(new.ending)}")
    terminal.note(f"key {new.id} of account {new.account}; it is shown this once:")
    terminal.raw(f"{new.key.reveal()}\n")


def _facts(key: ListedKey) -> dict[str, str | int | None]:
    return {
        "id": str(key.id),
        "last_four": key.last_four,
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
        "name": key.label,
        "last_used_on": key.last_used_on.isoformat() if key.last_used_on else None,
        "month_limit_nanousd": key.month_limit_nanousd,
    }


def _more(key: ListedKey) -> str:
    told = [
        f"used {key.last_used_on}" if key.last_used_on else "never used",
        f"up to {dollars(key.month_limit_nanousd)} a month" if key.month_limit_nanousd is not None else "",
        key.label or "",
    ]
    return "".join(f"  {part}" for part in told if part)


def _state(key: ListedKey) -> str:
    if key.revoked_at is None:
        return "active"
    return f"{'ends' if key.revoked_at > datetime.now(UTC) else 'revoked'} {shown_time(key.revoked_at)}"


def shown_time(moment: datetime) -> str:
    """A moment as tables show it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
