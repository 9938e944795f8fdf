"""Operations about API keys. A key is shown once, to the person who made it; no key can do anything here."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from crouter.runtime.account_api import examples
from crouter.runtime.account_api.operation import PREFIX, Call, Failure, Operation
from crouter.runtime.account_api.shapes import UNSET, Moment, MonthLimit, Nothing, Shape, Unset
from crouter.runtime.accounts import NoSuchAccountError
from crouter.runtime.keys import GraceTooLongError, KeyLabelError, KeyLimitError, ListedKey, NewKey, NoSuchKeyError
from crouter.runtime.proxy.errors import ErrorReply, conflict, invalid_request, not_found

GRACE_HOURS_MAX = 720
KeyState = Literal["active", "ending", "revoked"]
# Letters of a few scripts, digits and signs: what every reader of patterns understands alike.
_LABEL_PATTERN = "^[ -~À-ɏΑ-ΡΣ-ϿЀ-ҁҊ-ԯぁ-ゖァ-ヺ一-龥가-힣]{0,60}$"
Label = Annotated[str, msgspec.Meta(pattern=_LABEL_PATTERN, description="A name for the key; empty for none")]


class KeyAnswer(Shape, frozen=True):
    """What you may see of a key. While it is `ending` it goes on working until `ends_at`."""

    id: uuid.UUID
    shown: str
    label: str | None
    created_at: Moment
    state: KeyState
    ends_at: Moment | None
    last_used_on: date | None
    month_limit_nanousd: int | None


class KeysAnswer(Shape, frozen=True):
    """Your keys, oldest first, revoked ones included."""

    data: list[KeyAnswer]


class NewKeyAnswer(Shape, frozen=True):
    """A key that was just made. `api_key` is not shown again; the key before it works until `before_ends_at`."""

    id: uuid.UUID
    api_key: str
    before_ends_at: Moment | None


class NewKeyBody(Shape, frozen=True):
    """What the key is called."""

    label: Label = ""


class RotateBody(Shape, frozen=True):
    """How long the key before goes on working; as long as our policy says, unless it is told."""

    grace_hours: Annotated[int, msgspec.Meta(ge=0, le=GRACE_HOURS_MAX)] | Unset = UNSET


class ChangeKeyBody(Shape, frozen=True):
    """What is not told stays as it is. A limit of null is no limit."""

    label: Label | Unset = UNSET
    month_limit_nanousd: MonthLimit | Unset | None = UNSET


def key_answer(key: ListedKey, now: datetime) -> KeyAnswer:
    """What is shown of a key at a moment."""
    state: KeyState = "active" if key.revoked_at is None else "ending" if key.revoked_at > now else "revoked"
    return KeyAnswer(
        id=key.id,
        shown=key.shown,
        label=key.label,
        created_at=key.created_at,
        state=state,
        ends_at=key.revoked_at,
        last_used_on=key.last_used_on,
        month_limit_nanousd=key.month_limit_nanousd,
    )


async def _list(call: Call[Nothing, Nothing]) -> KeysAnswer:
    now = datetime.now(UTC)
    return KeysAnswer(data=[key_answer(key, now) for key in await call.stores.keys.list(call.account)])


async def _create(call: Call[Nothing, NewKeyBody]) -> NewKeyAnswer | ErrorReply:
    try:
        return _shown(await call.stores.keys.create(call.account, label=call.body.label))
    except KeyLabelError as problem:
        return invalid_request(str(problem))
    except KeyLimitError as problem:
        return conflict(str(problem))
    except NoSuchAccountError:
        return conflict("the account is being deleted")


async def _rotate(call: Call[Nothing, RotateBody]) -> NewKeyAnswer | ErrorReply:
    hours = call.body.grace_hours
    grace = timedelta(hours=hours) if isinstance(hours, int) else None
    try:
        return _shown(await call.stores.keys.rotate(call.account, grace, key=call.target))
    except NoSuchKeyError:
        return _none()
    except GraceTooLongError as problem:
        return conflict(str(problem))
    except NoSuchAccountError:
        return conflict("the account is being deleted")


async def _change(call: Call[Nothing, ChangeKeyBody]) -> KeyAnswer | ErrorReply:
    keys, body = call.stores.keys, call.body
    try:
        if isinstance(body.label, str):
            await keys.rename(call.target, body.label, account=call.account)
        if not isinstance(body.month_limit_nanousd, Unset):
            await keys.limit(call.target, body.month_limit_nanousd, account=call.account)
    except KeyLabelError as problem:
        return invalid_request(str(problem))
    except NoSuchKeyError:
        return _none()
    return await _one(call)


async def _revoke(call: Call[Nothing, Nothing]) -> KeyAnswer | ErrorReply:
    try:
        await call.stores.keys.revoke(call.target, account=call.account)
    except NoSuchKeyError:
        return _none()
    return await _one(call)


async def _one(call: Call[Nothing, ChangeKeyBody] | Call[Nothing, Nothing]) -> KeyAnswer | ErrorReply:
    for key in await call.stores.keys.list(call.account):
        if key.id == call.target:
            return key_answer(key, datetime.now(UTC))
    return _none()


def _shown(new: NewKey) -> NewKeyAnswer:
    return NewKeyAnswer(id=new.id, api_key=new.key.reveal(), before_ends_at=new.ending)


def _none() -> ErrorReply:
    """The same for a key of somebody else, one that is revoked, and one that never was."""
    return not_found("no active key of yours has this id")


_FULL = Failure(409, "The account has as many active keys as it may, or is being deleted.")
_NEW = NewKeyAnswer(id=examples.KEY, api_key="sk-cr-…", before_ends_at=None)
_KEY = KeyAnswer(
    id=examples.KEY,
    shown="sk-cr-…7Qx2",
    label="laptop",
    created_at=examples.MOMENT,
    state="active",
    ends_at=None,
    last_used_on=examples.MOMENT.date(),
    month_limit_nanousd=20_000_000_000,
)

OPERATIONS = (
    Operation(
        name="account_keys",
        method="GET",
        path=f"{PREFIX}/keys",
        summary="Your API keys",
        answer=KeysAnswer,
        example=KeysAnswer(data=[_KEY]),
        handler=_list,
    ),
    Operation(
        name="account_make_key",
        method="POST",
        path=f"{PREFIX}/keys",
        summary="Make an API key; it is shown this once",
        body=NewKeyBody,
        body_example=NewKeyBody(label="laptop"),
        status=201,
        answer=NewKeyAnswer,
        example=_NEW,
        failures=(_FULL,),
        handler=_create,
    ),
    Operation(
        name="account_rotate_key",
        method="POST",
        path=f"{PREFIX}/keys/{{id}}/rotate",
        summary="Make a new API key in place of one, which ends at once or after a grace",
        body=RotateBody,
        body_example=RotateBody(grace_hours=24),
        status=201,
        answer=NewKeyAnswer,
        example=_NEW,
        failures=(Failure(409, "The grace is longer than our policy says, or the account is being deleted."),),
        handler=_rotate,
    ),
    Operation(
        name="account_change_key",
        method="PATCH",
        path=f"{PREFIX}/keys/{{id}}",
        summary="Name an API key, or limit what it may spend in a month",
        body=ChangeKeyBody,
        body_example=ChangeKeyBody(label="laptop", month_limit_nanousd=20_000_000_000),
        answer=KeyAnswer,
        example=_KEY,
        handler=_change,
    ),
    Operation(
        name="account_revoke_key",
        method="DELETE",
        path=f"{PREFIX}/keys/{{id}}",
        summary="End an API key at once, everywhere",
        answer=KeyAnswer,
        example=msgspec.structs.replace(_KEY, state="revoked", ends_at=examples.MOMENT),
        handler=_revoke,
    ),
)
