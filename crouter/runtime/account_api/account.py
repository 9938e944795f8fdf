"""Operations about the account itself: who it is, what it has, what its limits are, who looked at its data."""

import uuid
from datetime import datetime
from typing import Annotated

import msgspec

from crouter.runtime.account_api import examples
from crouter.runtime.account_api.operation import PREFIX, Access, Call, Failure, Operation
from crouter.runtime.account_api.shapes import (
    UNSET,
    Count,
    Cursor,
    Limit,
    Moment,
    MonthLimit,
    Nanodollars,
    Nothing,
    Shape,
    Unset,
)
from crouter.runtime.account_limits import AccountLimits, NoLimitsError
from crouter.runtime.accounts import NoSuchAccountError
from crouter.runtime.names import ACCOUNT
from crouter.runtime.position import Position, cursor_of, position_of
from crouter.runtime.proxy.errors import ErrorReply, conflict, not_found

# What a person is shown about themselves is what they signed in with.
_SIGNED_IN = "authentication"
_SHOWN = "dashboard"


class AccountAnswer(Shape, frozen=True):
    """Your account. `email` and `name` are what your sign-in told."""

    id: uuid.UUID
    email: str
    name: str | None
    created_at: Moment
    deletion_requested_at: Moment | None


class Balance(Shape, frozen=True):
    """What you have. What is reserved comes back when the requests under way cost less than they could have."""

    balance_nanousd: Nanodollars
    reserved_nanousd: Annotated[int, msgspec.Meta(ge=0, description="Set aside for requests and batches under way")]
    available_nanousd: Nanodollars
    currency: str


class Limits(Shape, frozen=True):
    """The limits in force: of each of your API keys, and of what the account may spend in a month."""

    requests_per_minute: Count
    requests_per_hour: Count
    requests_per_day: Count
    input_tokens_per_minute: Count | None
    output_tokens_per_minute: Count | None
    concurrent_requests: Count | None
    month_limit_nanousd: int | None


class ChangeLimitsBody(Shape, frozen=True):
    """What all your keys together may spend in a calendar month; null is no limit but the balance."""

    month_limit_nanousd: MonthLimit | None


class AccessesQuery(Shape, frozen=True):
    """Which page."""

    limit: Limit = 50
    cursor: Cursor | Unset = UNSET


class Accessed(Shape, frozen=True):
    """One time that somebody who operates the service looked at what is kept about you, or changed it."""

    operator: str
    accessed: str
    reason: str
    occurred_at: Moment


class Accesses(Shape, frozen=True):
    """Accesses, newest first."""

    data: list[Accessed]
    next_cursor: str | None


async def _account(call: Call[Nothing, Nothing]) -> AccountAnswer | ErrorReply:
    stores = call.stores
    record = stores.parts.deployment.record(ACCOUNT)
    asked = [rule.time_column for rule in stores.parts.deployment.retention.erase if rule.owner == ACCOUNT]
    names = tuple(
        field.name
        for field in record.fields
        if field.name in ("email", "name", "created_at", *asked)
        and (not field.personal or _SIGNED_IN in field.purposes)
    )
    row = await stores.reader.one(ACCOUNT, names, _SIGNED_IN, key=call.account)
    if row is None:
        return not_found("your account is gone")
    deletion: datetime | None = next((row[column] for column in asked), None)
    return AccountAnswer(
        id=call.account,
        email=row["email"],
        name=row.get("name"),
        created_at=row["created_at"],
        deletion_requested_at=deletion,
    )


async def _balance(call: Call[Nothing, Nothing]) -> Balance:
    funds = await call.stores.credit.funds(call.account, _SHOWN)
    available = funds.unreserved - funds.leased
    return Balance(
        balance_nanousd=funds.balance,
        reserved_nanousd=funds.balance - available,
        available_nanousd=available,
        currency="USD",
    )


async def _limits(call: Call[Nothing, Nothing]) -> Limits:
    declared = call.stores.parts.deployment.proxy.limits
    try:
        own = await call.stores.limits.of(call.account)
    except NoLimitsError:
        own = AccountLimits({}, None)
    held = own.over(declared)
    return Limits(
        requests_per_minute=held.requests_per_minute,
        requests_per_hour=held.requests_per_hour,
        requests_per_day=held.requests_per_day,
        input_tokens_per_minute=held.input_tokens_per_minute,
        output_tokens_per_minute=held.output_tokens_per_minute,
        concurrent_requests=held.concurrent_requests,
        month_limit_nanousd=own.month_limit_nanousd,
    )


async def _change_limits(call: Call[Nothing, ChangeLimitsBody]) -> Limits | ErrorReply:
    try:
        await call.stores.limits.set_month_limit(call.account, call.body.month_limit_nanousd)
    except (NoLimitsError, NoSuchAccountError):
        return conflict("this account cannot have a limit of its own")
    return await _limits(Call(call.stores, call.account, Nothing(), Nothing()))


async def _accesses(call: Call[AccessesQuery, Nothing]) -> Accesses:
    query = call.query
    after = position_of(query.cursor) if isinstance(query.cursor, str) else None
    found = await call.stores.accesses.of(call.account, query.limit, after)
    last = found[-1] if len(found) == query.limit else None
    return Accesses(
        data=[
            Accessed(
                operator=record.operator,
                accessed=record.accessed,
                reason=record.reason,
                occurred_at=record.occurred_at,
            )
            for record in found
        ],
        next_cursor=cursor_of(Position(last.occurred_at, last.id)) if last else None,
    )


_LIMITS = Limits(
    requests_per_minute=50,
    requests_per_hour=1000,
    requests_per_day=10_000,
    input_tokens_per_minute=None,
    output_tokens_per_minute=None,
    concurrent_requests=None,
    month_limit_nanousd=50_000_000_000,
)

OPERATIONS = (
    Operation(
        name="account",
        method="GET",
        path=PREFIX,
        summary="Who you are here",
        answer=AccountAnswer,
        example=AccountAnswer(
            id=examples.ACCOUNT,
            email="you@example.org",
            name="You",
            created_at=examples.MOMENT,
            deletion_requested_at=None,
        ),
        handler=_account,
    ),
    Operation(
        name="account_balance",
        method="GET",
        path=f"{PREFIX}/balance",
        summary="What you have left to spend",
        access=Access.PERSON_OR_KEY,
        answer=Balance,
        example=Balance(
            balance_nanousd=12_500_000_000,
            reserved_nanousd=40_000_000,
            available_nanousd=12_460_000_000,
            currency="USD",
        ),
        handler=_balance,
    ),
    Operation(
        name="account_limits",
        method="GET",
        path=f"{PREFIX}/limits",
        summary="The limits of your API keys, and of what you spend in a month",
        access=Access.PERSON_OR_KEY,
        answer=Limits,
        example=_LIMITS,
        handler=_limits,
    ),
    Operation(
        name="account_change_limits",
        method="PATCH",
        path=f"{PREFIX}/limits",
        summary="Limit what all your API keys may spend in a month",
        body=ChangeLimitsBody,
        body_example=ChangeLimitsBody(month_limit_nanousd=50_000_000_000),
        answer=Limits,
        example=_LIMITS,
        failures=(Failure(409, "This account cannot have a limit of its own."),),
        handler=_change_limits,
    ),
    Operation(
        name="account_accesses",
        method="GET",
        path=f"{PREFIX}/accesses",
        summary="Who of the operator's people looked at your data, when and why",
        query=AccessesQuery,
        answer=Accesses,
        example=Accesses(
            data=[
                Accessed(operator="on-call", accessed="account", reason="your question", occurred_at=examples.MOMENT)
            ],
            next_cursor=None,
        ),
        handler=_accesses,
    ),
)
