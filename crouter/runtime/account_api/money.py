"""Operations about money: the statement of the balance."""

import uuid
from typing import Literal

from crouter.runtime.account_api import examples
from crouter.runtime.account_api.operation import PREFIX, Call, Operation
from crouter.runtime.account_api.shapes import UNSET, Cursor, Limit, Moment, Nanodollars, Nothing, Shape, Unset, in_utc
from crouter.runtime.position import Position, cursor_of, position_of
from crouter.runtime.statement import StatementFilter

_SHOWN = "dashboard"


class StatementQuery(Shape, frozen=True):
    """Which entries, and which page of them."""

    kind: Literal["grant", "top_up", "charge", "refund", "dispute", "carried"] | Unset = UNSET
    since: Moment | Unset = UNSET
    until: Moment | Unset = UNSET
    limit: Limit = 50
    cursor: Cursor | Unset = UNSET


class Entry(Shape, frozen=True):
    """One change of the balance. `carried` sums charges whose usage data has reached its end."""

    id: uuid.UUID
    kind: str
    amount_nanousd: Nanodollars
    occurred_at: Moment
    price_version: str | None


class StatementAnswer(Shape, frozen=True):
    """Entries, newest first. The sum of all entries is the balance."""

    data: list[Entry]
    next_cursor: str | None


async def _statement(call: Call[StatementQuery, Nothing]) -> StatementAnswer:
    query = call.query
    wanted = StatementFilter(
        kinds=(query.kind,) if isinstance(query.kind, str) else (),
        since=in_utc(query.since),
        until=in_utc(query.until),
    )
    after = position_of(query.cursor) if isinstance(query.cursor, str) else None
    entries = await call.stores.statement.entries(call.account, _SHOWN, wanted, limit=query.limit, after=after)
    last = entries[-1] if len(entries) == query.limit else None
    return StatementAnswer(
        data=[
            Entry(
                id=entry.id,
                kind=entry.kind,
                amount_nanousd=entry.amount_nanousd,
                occurred_at=entry.occurred_at,
                price_version=entry.price_version,
            )
            for entry in entries
        ],
        next_cursor=cursor_of(Position(last.occurred_at, last.id)) if last else None,
    )


OPERATIONS = (
    Operation(
        name="account_statement",
        method="GET",
        path=f"{PREFIX}/statement",
        summary="What changed your balance",
        query=StatementQuery,
        answer=StatementAnswer,
        example=StatementAnswer(
            data=[
                Entry(
                    id=examples.ENTRY,
                    kind="charge",
                    amount_nanousd=-1_250_000,
                    occurred_at=examples.MOMENT,
                    price_version="2026-11-01",
                )
            ],
            next_cursor=examples.CURSOR,
        ),
        handler=_statement,
    ),
)
