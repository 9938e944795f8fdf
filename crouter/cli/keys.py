"""`crouter keys`: API keys made, listed, rotated and revoked by the operator. A key is printed once, and only here."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from crouter.cli.groups import OPERATING, group
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError
from crouter.cli.store import find_account, with_stores
from crouter.cli.terminal import Terminal, counted
from crouter.runtime.administration import Administration
from crouter.runtime.keys import ListedKey, NewKey

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id or e-mail address.")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    keys = group("API keys: made, listed, rotated, revoked.")
    keys.command("create")(create)
    keys.command("list")(list_keys)
    keys.command("rotate")(rotate)
    keys.command("revoke")(revoke)
    keys.command("rotate-master")(rotate_master)
    app.add_typer(keys, name="keys", rich_help_panel=OPERATING)


def create(account: AccountArgument, json: JsonOption = False) -> None:
    """Make the API key of an account. Standard output is the key and nothing else; it is not shown again."""

    async def work(stores: Administration) -> NewKey:
        return await stores.keys.create(await find_account(stores, account))

    _show(with_stores(work), json)


def list_keys(account: AccountArgument, json: JsonOption = False) -> None:
    """List the keys of an account, oldest first: id, last four characters, times. No key is shown."""

    async def work(stores: Administration) -> tuple[ListedKey, ...]:
        return await stores.keys.list(await find_account(stores, account))

    terminal, listed = Terminal(), with_stores(work)
    if json:
        terminal.json([_facts(key) for key in listed])
        return
    for key in listed:
        terminal.line(f"{key.id}  …{key.last_four}  made {shown_time(key.created_at)}  {_state(key)}")
    if not listed:
        terminal.note("this account has no key")


def rotate(
    account: AccountArgument,
    grace_hours: Annotated[
        int, typer.Option("--grace-hours", min=0, max=720, help="How long the key before it goes on working.")
    ] = 0,
    json: JsonOption = False,
) -> None:
    """Make a new key for an account and end the one before it, at once or after a grace."""

    async def work(stores: Administration) -> NewKey:
        return await stores.keys.rotate(await find_account(stores, account), timedelta(hours=grace_hours))

    _show(with_stores(work), json)


def revoke(key: Annotated[str, typer.Argument(metavar="KEY_ID", help="The key's id, as listed.")]) -> None:
    """End a key at once. Running services are told."""
    try:
        key_id = uuid.UUID(key)
    except ValueError:
        # Not repeated: it may be the key itself.
        raise FailureError("a key is named by its id", "`crouter keys list ACCOUNT` shows the ids") from None

    async def work(stores: Administration) -> None:
        await stores.keys.revoke(key_id)

    with_stores(work)
    Terminal().line(f"{key_id} is revoked")


def rotate_master(json: JsonOption = False) -> None:
    """Seal and hash every key anew with the newest master keys. May be stopped and run again.

    First put a new key in front of the old ones in CROUTER_SEALING_KEYS and CROUTER_LOOKUP_KEYS (2:…,1:…) of every
    service and restart them, then run this, then take the old keys out.
    """

    async def work(stores: Administration) -> int:
        return await stores.keys.renew()

    terminal = Terminal()
    with terminal.working("Sealing every key anew"):
        changed = with_stores(work)
    if json:
        terminal.json({"changed": changed})
    else:
        terminal.line(f"{counted(changed, 'key')} sealed anew; all others were in step")


def _show(new: NewKey, as_json: bool) -> None:
    terminal = Terminal()
    if as_json:
        terminal.json({"id": str(new.id), "account": str(new.account), "api_key": new.key.reveal()})
        return
    terminal.note(f"key {new.id} of account {new.account}; it is shown this once:")
    terminal.raw(f"{new.key.reveal()}\n")


def _facts(key: ListedKey) -> dict[str, str | None]:
    return {
        "id": str(key.id),
        "last_four": key.last_four,
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }


def _state(key: ListedKey) -> str:
    if key.revoked_at is None:
        return "active"
    return f"{'ends' if key.revoked_at > datetime.now(UTC) else 'revoked'} {shown_time(key.revoked_at)}"


def shown_time(moment: datetime) -> str:
    """A moment as tables show it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
