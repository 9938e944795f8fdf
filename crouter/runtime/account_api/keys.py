"""Operations about API keys. A key is shown once, to the person who made it; no key can do anything here."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from crouter.runtime.account_api import examples
from crouter.runtime.account_api.operation import PREFIX, Call, Failure, Operation
from crouter.runtime.account_api.shapes import Moment, Nothing, Shape
from crouter.runtime.accounts import NoSuchAccountError
from crouter.runtime.keys import KeyLimitError, ListedKey, NewKey, NoSuchKeyError
from crouter.runtime.proxy.errors import ErrorReply, conflict, not_found

GRACE_HOURS_MAX = 720
KeyState = Literal["active", "ending", "revoked"]


class KeyAnswer(Shape, frozen=True):
    """What you may see of a key. While it is `ending` it goes on working until `ends_at`."""

    id: uuid.UUID
    last_four: str
    created_at: Moment
    state: KeyState
    ends_at: Moment | None


class KeysAnswer(Shape, frozen=True):
    """Your keys, oldest first, revoked ones included."""

    data: list[KeyAnswer]


class NewKeyAnswer(Shape, frozen=True):
    """A key that was just made. `api_key` is not shown again."""

    id: uuid.UUID
    api_key: str


class NewKeyBody(Shape, frozen=True):
    """Nothing to say yet: send an empty object."""


class RotateBody(Shape, frozen=True):
    """How long the key before goes on working."""

    grace_hours: Annotated[int, msgspec.Meta(ge=0, le=GRACE_HOURS_MAX)] = 0


def key_answer(key: ListedKey, now: datetime) -> KeyAnswer:
    """What is shown of a key at a moment."""
    state: KeyState = "active" if key.revoked_at is None else "ending" if key.revoked_at > now else "revoked"
    return KeyAnswer(id=key.id, last_four=key.last_four, created_at=key.created_at, state=state, ends_at=key.revoked_at)


async def _list(call: Call[Nothing, Nothing]) -> KeysAnswer:
    now = datetime.now(UTC)
    return KeysAnswer(data=[key_answer(key, now) for key in await call.stores.keys.list(call.account)])


async def _create(call: Call[Nothing, NewKeyBody]) -> NewKeyAnswer | ErrorReply:
    try:
        return _shown(await call.stores.keys.create(call.account))
    except KeyLimitError:
        return conflict("there is an active key already: rotate it, or revoke it first")
    except NoSuchAccountError:
        return conflict("the account is being deleted")


async def _rotate(call: Call[Nothing, RotateBody]) -> NewKeyAnswer | ErrorReply:
    try:
        return _shown(await call.stores.keys.rotate(call.account, timedelta(hours=call.body.grace_hours)))
    except NoSuchAccountError:
        return conflict("the account is being deleted")


async def _revoke(call: Call[Nothing, Nothing]) -> KeyAnswer | ErrorReply:
    found = await _own(call)
    if found is None:
        return not_found("no key of yours has this id")
    try:
        await call.stores.keys.revoke(call.target)
    except NoSuchKeyError:
        return conflict("this key is revoked already")
    changed = await _own(call)
    assert changed is not None, "a revoked key stays listed"
    return key_answer(changed, datetime.now(UTC))


async def _own(call: Call[Nothing, Nothing]) -> ListedKey | None:
    return next((key for key in await call.stores.keys.list(call.account) if key.id == call.target), None)


def _shown(new: NewKey) -> NewKeyAnswer:
    return NewKeyAnswer(id=new.id, api_key=new.key.reveal())


_CLOSING = Failure(409, "The account has an active key already, or is being deleted.")
_NEW = NewKeyAnswer(id=examples.KEY, api_key="sk-cr-…")

OPERATIONS = (
    Operation(
        name="account_keys",
        method="GET",
        path=f"{PREFIX}/keys",
        summary="Your API keys",
        answer=KeysAnswer,
        example=KeysAnswer(
            data=[
                KeyAnswer(id=examples.KEY, last_four="7Qx2", created_at=examples.MOMENT, state="active", ends_at=None)
            ]
        ),
        handler=_list,
    ),
    Operation(
        name="account_make_key",
        method="POST",
        path=f"{PREFIX}/keys",
        summary="Make an API key; it is shown this once",
        body=NewKeyBody,
        body_example=NewKeyBody(),
        status=201,
        answer=NewKeyAnswer,
        example=_NEW,
        failures=(_CLOSING,),
        handler=_create,
    ),
    Operation(
        name="account_rotate_keys",
        method="POST",
        path=f"{PREFIX}/keys/rotate",
        summary="Make a new API key and end the one before it, at once or after a grace",
        body=RotateBody,
        body_example=RotateBody(grace_hours=24),
        status=201,
        answer=NewKeyAnswer,
        example=_NEW,
        failures=(Failure(409, "The account is being deleted."),),
        handler=_rotate,
    ),
    Operation(
        name="account_revoke_key",
        method="DELETE",
        path=f"{PREFIX}/keys/{{id}}",
        summary="End an API key at once, everywhere",
        answer=KeyAnswer,
        example=KeyAnswer(
            id=examples.KEY,
            last_four="7Qx2",
            created_at=examples.MOMENT,
            state="revoked",
            ends_at=examples.MOMENT,
        ),
        failures=(Failure(409, "The key is revoked already."),),
        handler=_revoke,
    ),
)
