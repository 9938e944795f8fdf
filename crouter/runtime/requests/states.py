"""What can become of a request, by value: each move gives the request as it is afterwards, or refuses.

    received ─► acknowledged ─► extended ─► answered
        └────────────┴────────────┴───────► refused, withdrawn

A refusal and an extension have a reason out of a list, so that no free text about anybody is kept. What is closed stays
closed: a new request begins anew.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, get_args

from crouter.contract.retention import Period
from crouter.runtime.requests.calendar import EXTENSION_MONTHS, due_after

Kind = Literal["copy", "correction", "deletion", "objection"]
Channel = Literal["page", "contact"]
State = Literal["received", "acknowledged", "extended", "answered", "refused", "withdrawn"]

OPEN: Final[tuple[State, ...]] = ("received", "acknowledged", "extended")
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

# GDPR, Article 12(3).
EXTENSION_REASONS: Final = ("complex", "many_requests")
# GDPR, Articles 12(2), 12(5), 15(4) and 17(3), and where nothing is held that was asked about.
REFUSAL_REASONS: Final = (
    "identity_not_proven",
    "manifestly_unfounded",
    "excessive",
    "rights_of_others",
    "law_requires_keeping",
    "no_such_data",
)


class NotPossibleError(Exception):
    """The request is not in a state for that; the message says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as its row has it. `due_at` is the first moment at which an answer is late."""

    id: uuid.UUID
    account: uuid.UUID
    kind: Kind
    channel: Channel
    state: State
    received_at: datetime
    due_at: datetime
    reason: str | None = None
    acknowledged_at: datetime | None = None
    extended_at: datetime | None = None
    closed_at: datetime | None = None
    warned: int = 0

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


def received(
    account: uuid.UUID, kind: Kind, channel: Channel, now: datetime, deadline: Period, *, told: bool
) -> Request:
    """A new request. `told` says that the person learns at once that it has come."""
    return Request(
        id=uuid.uuid4(),
        account=account,
        kind=kind,
        channel=channel,
        state="acknowledged" if told else "received",
        received_at=now,
        due_at=due_after(now, deadline),
        acknowledged_at=now if told else None,
    )


def acknowledged(request: Request, now: datetime) -> Request:
    """The person was told that it has come. Raises NotPossibleError."""
    if request.state != "received":
        raise NotPossibleError(f"the request is {request.state}, and only a received one is to be acknowledged")
    return replace(request, state="acknowledged", acknowledged_at=now)


def extended(request: Request, reason: str, now: datetime, deadline: Period) -> Request:
    """Two further months, once, and told before the first deadline is over. Raises NotPossibleError."""
    _require_open(request)
    if request.extended_at is not None:
        raise NotPossibleError("the deadline was extended already, and the law allows it once")
    if now >= request.due_at:
        raise NotPossibleError("the deadline is over: an extension has to be told before it")
    _require_reason(reason, EXTENSION_REASONS)
    due = due_after(request.received_at, deadline, EXTENSION_MONTHS)
    return replace(request, state="extended", reason=reason, due_at=due, extended_at=now, warned=0)


def answered(request: Request, now: datetime) -> Request:
    """Done. Raises NotPossibleError."""
    _require_open(request)
    return replace(request, state="answered", closed_at=now)


def refused(request: Request, reason: str, now: datetime) -> Request:
    """Not done, for a reason. Raises NotPossibleError."""
    _require_open(request)
    _require_reason(reason, REFUSAL_REASONS)
    return replace(request, state="refused", reason=reason, closed_at=now)


def withdrawn(request: Request, now: datetime) -> Request:
    """The person took it back. Raises NotPossibleError."""
    _require_open(request)
    return replace(request, state="withdrawn", closed_at=now)


def _require_open(request: Request) -> None:
    if not request.is_open:
        raise NotPossibleError(f"the request is {request.state}, and that is its end")


def _require_reason(reason: str, known: tuple[str, ...]) -> None:
    if reason not in known:
        raise NotPossibleError(f"the reason is one of {', '.join(known)}")
