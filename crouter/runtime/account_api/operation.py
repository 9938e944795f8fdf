"""What an operation of the account API is: its address, who may use it, what goes in and comes out, what can go wrong.

Declared as values, once: routes, reading, checking and the OpenAPI document are all made from them.
"""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeVar

from crouter.runtime.account_api.shapes import Nothing, Shape
from crouter.runtime.account_api.stores import Stores
from crouter.runtime.proxy.errors import ErrorReply

PREFIX: Final = "/api/account"
BODY_BYTES_MAX: Final = 16 * 1024

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Asked = TypeVar("Asked", bound=Shape)
Sent = TypeVar("Sent", bound=Shape)


class Access(Enum):
    """Who may use an operation."""

    PERSON = "person"
    """Somebody who is signed in, with a session; what changes something also needs the session's form token."""
    PERSON_OR_KEY = "person_or_key"
    """Also a program with an API key of the account. Only for reading, and never for what names a person."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Asked, Sent]):
    """One request, checked: it is this account's, and fits the declared shapes."""

    stores: Stores
    account: uuid.UUID
    query: Asked
    body: Sent
    id: uuid.UUID | None = None
    """What stands for `{id}` in the path."""

    @property
    def target(self) -> uuid.UUID:
        """`id`, for operations whose path has one."""
        assert self.id is not None, "the path of this operation holds an id"
        return self.id


Handler = Callable[[Call[Any, Any]], Awaitable[Shape | ErrorReply]]
"""Answers a call. Raises DatabaseError, which is answered with 503."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A way to fail that is the operation's own; those that follow from its shapes are added."""

    status: int
    when: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `name` stands in logs, metrics and as operation id; `path` may hold one `{id}`, a UUID."""

    name: str
    method: Method
    path: str
    summary: str
    answer: type[Shape]
    example: Shape
    handler: Handler
    access: Access = Access.PERSON
    query: type[Shape] = Nothing
    body: type[Shape] = Nothing
    body_example: Shape | None = None
    status: int = 200
    failures: tuple[Failure, ...] = ()

    def __post_init__(self) -> None:
        assert self.path.startswith(PREFIX), "operations stand below one prefix"
        assert type(self.example) is self.answer, "the example is one of the answer's shape"
        assert (self.body is Nothing) == (self.body_example is None), "a body has an example"
        assert self.access is Access.PERSON or not self.changes, "a key changes nothing"

    @property
    def changes(self) -> bool:
        """Whether it changes something, and so needs the form token."""
        return self.method != "GET"

    @property
    def has_id(self) -> bool:
        """Whether the path names one thing."""
        return "{id}" in self.path

    def all_failures(self) -> tuple[Failure, ...]:
        """Every declared way to fail, by status."""
        found = {failure.status: failure for failure in (*self._usual_failures(), *self.failures)}
        return tuple(found[status] for status in sorted(found))

    def _usual_failures(self) -> tuple[Failure, ...]:
        found = [
            Failure(400, "A parameter or the body does not have its declared form."),
            Failure(401, "Nobody is signed in, or the session or the key is not valid."),
            Failure(503, "The database is away; `retry-after` says when to try again."),
        ]
        if self.changes:
            found.append(Failure(403, "The form token is missing or another one, or the request comes from elsewhere."))
        elif self.access is Access.PERSON:
            found.append(Failure(403, "An API key was sent, and this needs a person who is signed in."))
        if self.has_id:
            found.append(Failure(404, "The account has nothing of that id."))
        if self.body is not Nothing:
            found.append(Failure(413, f"The body is larger than {BODY_BYTES_MAX} bytes."))
        if self.access is Access.PERSON_OR_KEY:
            found.append(Failure(429, "The key's rate limit is reached; `retry-after` says when to try again."))
        return tuple(found)
