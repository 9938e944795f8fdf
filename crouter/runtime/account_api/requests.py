"""Operations about privacy requests: what was asked, how far the answer is, and asking for something.

Copies and deletions are asked for on their page, which says what comes and what goes; a correction or an objection may
be asked for here as well.
"""

import uuid
from datetime import UTC, datetime
from typing import Literal

from crouter.runtime.account_api import examples
from crouter.runtime.account_api.operation import PREFIX, Call, Failure, Operation
from crouter.runtime.account_api.shapes import Moment, Nothing, Shape
from crouter.runtime.proxy.errors import ErrorReply, conflict
from crouter.runtime.requests.states import Request


class RequestAnswer(Shape, frozen=True):
    """One request. `due_at` is the moment by which it has to be answered."""

    id: uuid.UUID
    kind: str
    state: str
    received_at: Moment
    due_at: Moment
    closed_at: Moment | None


class RequestsAnswer(Shape, frozen=True):
    """Your requests, newest first."""

    data: list[RequestAnswer]


class RequestBody(Shape, frozen=True):
    """What is asked for. A second request of a kind, while one is open, is the same one."""

    kind: Literal["correction", "objection"]


async def _list(call: Call[Nothing, Nothing]) -> RequestsAnswer:
    rights = call.stores.rights
    found = await rights.requests.of(call.account) if rights is not None else ()
    return RequestsAnswer(data=[_answer(request) for request in found])


async def _open(call: Call[Nothing, RequestBody]) -> RequestAnswer | ErrorReply:
    rights = call.stores.rights
    if rights is None:
        return conflict("requests are made by writing to us")
    return _answer(await rights.requests.opened(call.account, call.body.kind, "page", datetime.now(UTC)))


def _answer(request: Request) -> RequestAnswer:
    return RequestAnswer(
        id=request.id,
        kind=request.kind,
        state=request.state,
        received_at=request.received_at,
        due_at=request.due_at,
        closed_at=request.closed_at,
    )


_EXAMPLE = RequestAnswer(
    id=examples.ENTRY,
    kind="correction",
    state="acknowledged",
    received_at=examples.MOMENT,
    due_at=examples.DUE,
    closed_at=None,
)

OPERATIONS = (
    Operation(
        name="account_requests",
        method="GET",
        path=f"{PREFIX}/requests",
        summary="What you asked about your data, and how far the answer is",
        answer=RequestsAnswer,
        example=RequestsAnswer(data=[_EXAMPLE]),
        handler=_list,
    ),
    Operation(
        name="account_open_request",
        method="POST",
        path=f"{PREFIX}/requests",
        summary="Ask for a correction, or object to a use; copies and deletions have a page of their own",
        body=RequestBody,
        body_example=RequestBody(kind="correction"),
        status=201,
        answer=RequestAnswer,
        example=_EXAMPLE,
        failures=(Failure(409, "Requests are made by writing to us."),),
        handler=_open,
    ),
)
