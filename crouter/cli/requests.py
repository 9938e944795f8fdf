"""`crouter requests`: what people ask about their data, by when it has to be answered, and what becomes of it.

What shows one person's request, or moves it on, asks for a purpose, which is recorded and which the person can read.
The lists name nobody and need none.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeAlias, TypeVar

import typer

from crouter.cli.groups import OPERATING, group
from crouter.cli.keys import AccountArgument, shown_time
from crouter.cli.operator import PurposeOption, operator
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError
from crouter.cli.store import recorded_account, with_stores
from crouter.cli.terminal import Terminal
from crouter.runtime.administration import Administration
from crouter.runtime.copies.job import JOB as COPIES_JOB
from crouter.runtime.erasure.records import DeletionRecord
from crouter.runtime.erasure.tombstones import TombstonesUnusableError
from crouter.runtime.requests import states
from crouter.runtime.requests.calendar import last_day
from crouter.runtime.requests.openings import open_copy
from crouter.runtime.requests.states import EXTENSION_REASONS, KINDS, REFUSAL_REASONS, NotPossibleError, Request
from crouter.runtime.requests.store import NoSuchRequestError
from crouter.runtime.rights import Rights

Result = TypeVar("Result")
Step: TypeAlias = Callable[[Rights, uuid.UUID, datetime], Awaitable[Request]]
RequestArgument = Annotated[str, typer.Argument(metavar="REQUEST_ID", help="The request's id, as `list` shows it.")]
AllOption = Annotated[bool, typer.Option("--all", help="Those that have ended, too.")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    requests = group("Privacy requests: what people ask about their data, and by when it is answered.")
    requests.command("list")(list_requests)
    requests.command("show")(show)
    requests.command("open")(open_request)
    requests.command("acknowledge")(acknowledge)
    requests.command("extend")(extend)
    requests.command("answer")(answer)
    requests.command("refuse")(refuse)
    requests.command("withdraw")(withdraw)
    requests.command("begin-tombstones")(begin_tombstones)
    app.add_typer(requests, name="requests", rich_help_panel=OPERATING)


def list_requests(
    all_: AllOption = False,
    deletions: Annotated[bool, typer.Option("--deletions", help="Deletions and their steps at processors.")] = False,
    json: JsonOption = False,
) -> None:
    """List open requests, the first due first. Nobody's name or address is read."""
    terminal, now = Terminal(), datetime.now(UTC)
    if deletions:
        records = _with_rights(lambda rights: rights.records.all(open_only=not all_))
        return _list_deletions(terminal, records, now, json=json)
    found = _with_rights(lambda rights: rights.requests.all(open_only=not all_))
    if json:
        return terminal.json([_facts(request, now) for request in found])
    for request in found:
        terminal.line(f"{request.id}  {request.kind:<10} {request.state:<12} {_due(request, now)}")
    if not found:
        terminal.note("no request is open" if not all_ else "there is no request")
    return None


def show(request: RequestArgument, purpose: PurposeOption = "", json: JsonOption = False) -> None:
    """Show one request."""
    found = _with_request(request, purpose, "shown", lambda rights, id_, _: rights.requests.find(id_))
    terminal, now = Terminal(), datetime.now(UTC)
    if json:
        terminal.json(_facts(found, now))
    else:
        for name, value in _facts(found, now).items():
            terminal.line(f"{name:<16}{'' if value is None else value}")


def open_request(
    account: AccountArgument,
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"One of {', '.join(KINDS)}.")],
    purpose: PurposeOption = "",
    json: JsonOption = False,
) -> None:
    """Enter a request that came by mail, once you know that its sender owns the account's address.

    A copy is made at once, and a deletion begins at once; the others wait for `crouter requests answer`.
    """
    known = next((found for found in KINDS if found == kind), None)
    if known is None:
        raise FailureError(f"a request is one of {', '.join(KINDS)}")
    by = operator(purpose)

    async def work(stores: Administration) -> Request:
        rights = _required(stores)
        found = await recorded_account(stores, account, by, f"privacy request: {known} entered")
        now = datetime.now(UTC)
        if known == "deletion":
            await rights.deletions.begin(found, "contact", "no_credit", now)
            return next(request for request in await rights.requests.of(found) if request.kind == "deletion")
        if known == "copy":
            return (await open_copy(rights, found, "contact", now, COPIES_JOB))[0]
        return await rights.requests.opened(found, known, "contact", now)

    terminal, request = Terminal(), with_stores(_translated(work))
    if json:
        terminal.json(_facts(request, datetime.now(UTC)))
    else:
        terminal.line(f"{request.id}  {request.kind}, {request.state}, {_due(request, datetime.now(UTC))}")


def acknowledge(request: RequestArgument, purpose: PurposeOption = "") -> None:
    """Note that you have told the person that the request has come, where no mail did."""
    _move(request, purpose, "acknowledged", _changing(states.acknowledged))


def extend(
    request: RequestArgument,
    reason: Annotated[str, typer.Option("--reason", help=f"One of {', '.join(EXTENSION_REASONS)}.")],
    purpose: PurposeOption = "",
) -> None:
    """Take two further months, once, and before the deadline (GDPR, Article 12(3)). The person is told."""
    _move(request, purpose, "extended", lambda rights, id_, now: rights.requests.extend(id_, reason, now))


def answer(request: RequestArgument, purpose: PurposeOption = "") -> None:
    """Note that the request is answered. The person is told."""
    _move(request, purpose, "answered", _changing(states.answered))


def refuse(
    request: RequestArgument,
    reason: Annotated[str, typer.Option("--reason", help=f"One of {', '.join(REFUSAL_REASONS)}.")],
    purpose: PurposeOption = "",
) -> None:
    """Refuse, for a reason that the law knows (GDPR, Articles 11, 12, 15 and 17). The person is told."""
    _move(request, purpose, "refused", _changing(lambda found, now: states.refused(found, reason, now)))


def withdraw(request: RequestArgument, purpose: PurposeOption = "") -> None:
    """Note that the person has taken the request back. A deletion is taken back by `crouter accounts restore`."""
    _move(request, purpose, "withdrawn", _changing(states.withdrawn))


def begin_tombstones() -> None:
    """Make the file of tombstones for a database that never had one: from here on it is required at every start."""

    async def work(rights: Rights) -> None:
        if rights.tombstones is None:
            raise FailureError("CROUTER_TOMBSTONES is not set", "give the path of a file outside of the backups")
        try:
            rights.tombstones.begin()
        except TombstonesUnusableError as problem:
            raise FailureError(str(problem)) from None

    _with_rights(work)
    Terminal().line("deletions are remembered from now on")


def _move(request: str, purpose: str, done: str, move: Step) -> None:
    moved, now = _with_request(request, purpose, done, move), datetime.now(UTC)
    Terminal().line(f"{moved.id}  {moved.kind}, {moved.state}, {_due(moved, now)}")


def _changing(change: Callable[[Request, datetime], Request]) -> Step:
    return lambda rights, id_, now: rights.requests.move(id_, lambda found: change(found, now))


def _with_request(request: str, purpose: str, done: str, step: Step) -> Request:
    """What `step` gives for a request, once it is recorded who takes it and why."""
    id_, by = _id(request), operator(purpose)

    async def work(stores: Administration) -> Request:
        rights = _required(stores)
        await stores.accesses.add(by, await rights.requests.owner(id_), f"privacy request: {done}")
        return await step(rights, id_, datetime.now(UTC))

    return with_stores(_translated(work))


def _with_rights(work: Callable[[Rights], Awaitable[Result]]) -> Result:
    return with_stores(_translated(lambda stores: work(_required(stores))))


def _translated(work: Callable[[Administration], Awaitable[Result]]) -> Callable[[Administration], Awaitable[Result]]:
    async def translated(stores: Administration) -> Result:
        try:
            return await work(stores)
        except (NoSuchRequestError, NotPossibleError, TombstonesUnusableError) as problem:
            raise FailureError(str(problem)) from None

    return translated


def _required(stores: Administration) -> Rights:
    if stores.rights is None:
        raise FailureError("policy.yaml keeps no privacy requests", "declare data.data_request and what goes with it")
    return stores.rights


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise FailureError("a request is named by its id") from None


def _due(request: Request, now: datetime) -> str:
    if not request.is_open:
        return f"ended {shown_time(request.closed_at or request.received_at)}"
    late = "  LATE" if now >= request.due_at else ""
    return f"due {last_day(request.due_at)}{late}"


def _facts(request: Request, now: datetime) -> dict[str, object]:
    return {
        "id": str(request.id),
        "account": str(request.account),
        "kind": request.kind,
        "channel": request.channel,
        "state": request.state,
        "reason": request.reason,
        "received_at": request.received_at.isoformat(),
        "last_day": last_day(request.due_at).isoformat(),
        "closed_at": request.closed_at.isoformat() if request.closed_at else None,
        "late": request.is_open and now >= request.due_at,
    }


def _list_deletions(terminal: Terminal, records: Sequence[DeletionRecord], now: datetime, *, json: bool) -> None:
    if json:
        terminal.json([_deletion_facts(record, now) for record in records])
        return
    for record in records:
        late = "  LATE" if record.is_late(now) else ""
        terminal.line(f"{record.id}  {record.state:<10} all gone by {shown_time(record.due_at)}{late}")
        for step in record.steps:
            failing = f", {step.attempts} attempts, {step.error}" if step.error else ""
            terminal.line(f"    {step.processor:<12} {step.state}{failing}")
    if not records:
        terminal.note("no deletion is open")


def _deletion_facts(record: DeletionRecord, now: datetime) -> dict[str, object]:
    return {
        "id": str(record.id),
        "state": record.state,
        "asked_at": record.asked_at.isoformat(),
        "due_at": record.due_at.isoformat(),
        "erased_at": record.erased_at.isoformat() if record.erased_at else None,
        "kept_until": record.kept_until.isoformat() if record.kept_until else None,
        "ended_at": record.ended_at.isoformat() if record.ended_at else None,
        "late": record.is_late(now),
        "steps": [
            {"processor": step.processor, "state": step.state, "attempts": step.attempts, "error": step.error}
            for step in record.steps
        ],
    }
