"""`crouter journal`: records that the database refused. Each is a customer not charged for what was used.

What writes or drops a record changes what is kept about a person, and asks for a purpose, which is recorded and which
they can read. The list names nobody and needs none.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from crouter.cli.amounts import dollars
from crouter.cli.groups import OPERATING, group
from crouter.cli.keys import shown_time
from crouter.cli.library_errors import told_as_sentences
from crouter.cli.operator import PurposeOption, operator
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError, Status
from crouter.cli.project import Project
from crouter.cli.store import store_environment, with_stores
from crouter.cli.terminal import Terminal, counted
from crouter.runtime.access_records import Operator
from crouter.runtime.accounts import NoSuchAccountError
from crouter.runtime.administration import Administration
from crouter.runtime.database.errors import DatabaseRefusedError
from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.noted import noted
from crouter.runtime.journal.quarantine import Quarantined, forget, quarantined_records
from crouter.runtime.settings import read_journal_folder
from crouter.runtime.settling import UNLEASED
from crouter.runtime.usage import UsageStore

NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="NAME…", help="The records, as `crouter journal list` names them.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Every record there is.")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    journal = group("Records that were set aside: listed, shipped once the cause is mended, dropped.")
    journal.command("list")(list_records)
    journal.command("ship")(ship)
    journal.command("drop")(drop)
    app.add_typer(journal, name="journal", rich_help_panel=OPERATING)


@dataclass(frozen=True, slots=True)
class _Refusal:
    name: str
    reason: str


def list_records(json: JsonOption = False) -> None:
    """List what was set aside: a name, when, how much, by which process. Nobody is named."""
    terminal, records = Terminal(), _records()
    if json:
        terminal.json([_facts(record) for record in records])
        return
    for record in records:
        terminal.line(f"{record.name}  {_told(record)}")
    if not records:
        terminal.note("nothing was set aside")


def ship(
    names: NamesArgument = None, every: AllOption = False, purpose: PurposeOption = "", json: JsonOption = False
) -> None:
    """Write records to the database that it refused before, each once. What is written is taken out of the journal."""
    by, chosen = operator(purpose), _chosen(names, every)

    async def work(stores: Administration) -> tuple[list[str], list[_Refusal]]:
        await _record(stores, by, chosen, "written late")
        store = UsageStore(stores.deployment, stores.database)
        written: list[str] = []
        refused: list[_Refusal] = []
        for record in chosen:
            if record.entry is None:
                refused.append(_Refusal(record.name, "it is no record that this version can read"))
                continue
            try:
                await store.ship(UNLEASED, [noted(record.entry)])
            except DatabaseRefusedError as error:
                refused.append(_Refusal(record.name, f"the database still refuses it ({error})"))
            else:
                written.append(record.name)
        return written, refused

    terminal, (written, refused) = Terminal(), with_stores(work)
    _forget(written)
    if json:
        terminal.json({"shipped": written, "refused": {refusal.name: refusal.reason for refusal in refused}})
    else:
        terminal.line(f"{counted(len(written), 'record')} shipped")
        for refusal in refused:
            terminal.note(f"{refusal.name}: {refusal.reason}")
    if refused:
        raise typer.Exit(Status.REFUSED)


def drop(
    names: NamesArgument = None,
    yes: Annotated[bool, typer.Option("--yes", help="Give the charge up: the record is gone for good.")] = False,
    purpose: PurposeOption = "",
) -> None:
    """Give records up for good: what was used is never charged. There is no --all on purpose."""
    by, chosen = operator(purpose), _chosen(names, False)
    if not yes:
        costs = sum(record.entry.cost_nanousd for record in chosen if record.entry is not None)
        sentence = f"{counted(len(chosen), 'record')} would be gone, and {dollars(costs)} never charged"
        raise FailureError(sentence, "add --yes to do it")
    if any(record.entry is not None for record in chosen):
        with_stores(lambda stores: _record(stores, by, chosen, "given up, not charged"))
    _forget([record.name for record in chosen])
    Terminal().line(f"{counted(len(chosen), 'record')} dropped")


async def _record(stores: Administration, by: Operator, chosen: Sequence[Quarantined], what: str) -> None:
    """Records with each account that these are about what becomes of them."""
    counts = Counter(record.entry.account for record in chosen if record.entry is not None)
    for account, count in counts.items():
        # Of an account that is gone nobody is left to read it.
        with suppress(NoSuchAccountError):
            await stores.accesses.add(by, account, f"usage: {counted(count, 'request')} {what}")


def _records() -> tuple[Quarantined, ...]:
    try:
        return quarantined_records(_folder())
    except OSError as error:
        raise FailureError(f"the journal cannot be read: {error.strerror}", "see CROUTER_JOURNAL") from None


def _folder() -> Path:
    with told_as_sentences():
        return read_journal_folder(store_environment(Project.at()))


def _forget(names: list[str]) -> None:
    try:
        forget(Disk(), _folder(), names)
    except OSError as error:
        raise FailureError(f"the journal cannot be written: {error.strerror}", "nothing is written twice") from None


def _chosen(names: list[str] | None, every: bool) -> tuple[Quarantined, ...]:
    records = {record.name: record for record in _records()}
    if every:
        return tuple(records.values())
    if not names:
        raise FailureError("name the records", "`crouter journal list` shows their names", status=Status.USAGE)
    missing = [name for name in names if name not in records]
    if missing:
        raise FailureError(f"{counted(len(missing), 'record')} of these were not set aside, or are settled already")
    return tuple(records[name] for name in dict.fromkeys(names))


def _told(record: Quarantined) -> str:
    if record.entry is None:
        return f"unreadable, {counted(len(record.body), 'byte')}, from process {record.process}"
    return (
        f"{shown_time(record.entry.occurred_at)}  {dollars(record.entry.cost_nanousd)}  "
        f"{record.entry.model}  from process {record.process}"
    )


def _facts(record: Quarantined) -> dict[str, object]:
    entry = record.entry
    return {
        "name": record.name,
        "process": record.process,
        "occurred_at": entry.occurred_at.isoformat() if entry else None,
        "model": entry.model if entry else None,
        "cost_nanousd": entry.cost_nanousd if entry else None,
        "request": f"req_{entry.id.hex}" if entry else None,
    }
