"""Operations about usage: the records of requests, and their sums."""

import uuid
from typing import Annotated, Literal

import msgspec

from crouter.runtime.account_api import examples
from crouter.runtime.account_api.operation import PREFIX, Access, Call, Operation
from crouter.runtime.account_api.shapes import (
    UNSET,
    Count,
    Cursor,
    Limit,
    Moment,
    Nanodollars,
    Nothing,
    Shape,
    Unset,
    in_utc,
)
from crouter.runtime.position import Position, cursor_of, position_of
from crouter.runtime.usage_reading import UsageFilter

Model = Annotated[str, msgspec.Meta(min_length=1, max_length=128, description="The id of a model")]


class UsageQuery(Shape, frozen=True):
    """Which records, and which page of them."""

    since: Moment | Unset = UNSET
    until: Moment | Unset = UNSET
    model: Model | Unset = UNSET
    api_key: uuid.UUID | Unset = UNSET
    limit: Limit = 50
    cursor: Cursor | Unset = UNSET


class SumsQuery(Shape, frozen=True):
    """Which records, and what they are grouped by."""

    by: Literal["day", "hour", "model", "key"] = "day"
    since: Moment | Unset = UNSET
    until: Moment | Unset = UNSET
    model: Model | Unset = UNSET
    api_key: uuid.UUID | Unset = UNSET


class UsageRecord(Shape, frozen=True):
    """One request. `counts` are the upstream's own, by name: input_tokens, output_tokens and so on."""

    request_id: Annotated[str, msgspec.Meta(pattern="^req_[0-9a-f]{32}$", description="As in the answer's header")]
    occurred_at: Moment
    model: str
    api_key: uuid.UUID
    service_tier: str | None
    counts: dict[str, Count]
    cost_nanousd: Nanodollars


class UsageAnswer(Shape, frozen=True):
    """Records, newest first."""

    data: list[UsageRecord]
    next_cursor: str | None


class UsageGroup(Shape, frozen=True):
    """The sums of one group, which is the start of a day or an hour in UTC, a model, or the id of a key."""

    group: str
    requests: Count
    counts: dict[str, Count]
    cost_nanousd: Nanodollars


class SumsAnswer(Shape, frozen=True):
    """At most a thousand groups: by time the newest first, otherwise the dearest first."""

    data: list[UsageGroup]


async def _usage(call: Call[UsageQuery, Nothing]) -> UsageAnswer:
    query = call.query
    after = position_of(query.cursor) if isinstance(query.cursor, str) else None
    rows = await call.stores.usage.records(call.account, _filter(query), limit=query.limit, after=after)
    last = rows[-1] if len(rows) == query.limit else None
    return UsageAnswer(
        data=[
            UsageRecord(
                request_id=f"req_{row.id.hex}",
                occurred_at=row.occurred_at,
                model=row.model,
                api_key=row.api_key,
                service_tier=row.service_tier,
                counts=dict(row.counts),
                cost_nanousd=row.cost_nanousd,
            )
            for row in rows
        ],
        next_cursor=cursor_of(Position(last.occurred_at, last.id)) if last else None,
    )


async def _sums(call: Call[SumsQuery, Nothing]) -> SumsAnswer:
    sums = await call.stores.usage.sums(call.account, _filter(call.query), call.query.by)
    return SumsAnswer(
        data=[
            UsageGroup(
                group=found.group, requests=found.requests, counts=dict(found.counts), cost_nanousd=found.cost_nanousd
            )
            for found in sums
        ]
    )


def _filter(query: UsageQuery | SumsQuery) -> UsageFilter:
    return UsageFilter(
        since=in_utc(query.since),
        until=in_utc(query.until),
        model=query.model or None,
        api_key=query.api_key or None,
    )


_COUNTS = {"input_tokens": 1200, "output_tokens": 340, "cache_read_tokens": 0}

OPERATIONS = (
    Operation(
        name="account_usage",
        method="GET",
        path=f"{PREFIX}/usage",
        summary="Your requests, one by one",
        access=Access.PERSON_OR_KEY,
        query=UsageQuery,
        answer=UsageAnswer,
        example=UsageAnswer(
            data=[
                UsageRecord(
                    request_id=examples.REQUEST_ID,
                    occurred_at=examples.MOMENT,
                    model=examples.MODEL,
                    api_key=examples.KEY,
                    service_tier="standard",
                    counts=_COUNTS,
                    cost_nanousd=2_900_000,
                )
            ],
            next_cursor=examples.CURSOR,
        ),
        handler=_usage,
    ),
    Operation(
        name="account_usage_sums",
        method="GET",
        path=f"{PREFIX}/usage/sums",
        summary="Your requests summed up by day, hour, model or key",
        access=Access.PERSON_OR_KEY,
        query=SumsQuery,
        answer=SumsAnswer,
        example=SumsAnswer(
            data=[UsageGroup(group="2026-11-23T00:00:00Z", requests=17, counts=_COUNTS, cost_nanousd=49_300_000)]
        ),
        handler=_sums,
    ),
)
