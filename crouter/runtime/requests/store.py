"""The requests of all people, as rows. What may become of one is decided in `states`."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import DATA_REQUEST
from crouter.runtime.requests import states
from crouter.runtime.requests.calendar import last_day, warnings_due
from crouter.runtime.requests.notices import NoNotices, Notices
from crouter.runtime.requests.states import OPEN, Channel, Kind, NotPossibleError, Request

_COLUMNS: Final = (
    "id",
    "account_id",
    "kind",
    "channel",
    "state",
    "received_at",
    "due_at",
    "reason",
    "acknowledged_at",
    "extended_at",
    "closed_at",
    "warned",
)
_CHANGING: Final = ("state", "due_at", "reason", "acknowledged_at", "extended_at", "closed_at", "warned")
ACKNOWLEDGED_MAIL: Final = "request_acknowledged"
_MAILS: Final = {"extended": "request_extended", "answered": "request_answered", "refused": "request_refused"}

Move = Callable[[Request], Request]


class NoSuchRequestError(Exception):
    """No request has that id; for a person, none of that person's."""


class RequestStore:
    """Opens requests, moves them on, finds them. Every change is one transaction, or part of the caller's."""

    def __init__(self, deployment: Deployment, database: Database, notices: Notices | None = None) -> None:
        self._database = database
        self._notices = notices or NoNotices()
        self._deadline = deployment.requests.deadline
        self._table = database.table(DATA_REQUEST)

    async def open(
        self, connection: Connection, account: uuid.UUID, kind: Kind, channel: Channel, now: datetime
    ) -> Request:
        """The open request of that kind; a new one if there is none, acknowledged at once where that can be told.

        Raises the driver's errors.
        """
        # Two forms sent at once are one request.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 6))", (f"{account} {kind}",))
        found = await self._select(connection, "account_id = %s AND kind = %s AND state = ANY(%s)", account, kind, OPEN)
        if found:
            return found[0]
        request = states.received(account, kind, channel, now, self._deadline, told=channel == "page")
        values = {"kind": kind, "due": last_day(request.due_at)}
        if await self._notices.tell(connection, account, ACKNOWLEDGED_MAIL, values) and channel != "page":
            request = states.acknowledged(request, now)
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            self._table,
            sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)),
            sql.SQL(", ").join(sql.Placeholder() * len(_COLUMNS)),
        )
        await connection.execute(query, _values(request))
        return request

    async def opened(self, account: uuid.UUID, kind: Kind, channel: Channel, now: datetime) -> Request:
        """`open` in a transaction of its own. Raises DatabaseError."""
        async with self._database.transaction() as connection:
            return await self.open(connection, account, kind, channel, now)

    async def move(self, request: uuid.UUID, move: Move) -> Request:
        """The request after `move`. Raises NoSuchRequestError, NotPossibleError, DatabaseError."""
        async with self._database.transaction() as connection:
            found = await self._select(connection, "id = %s FOR UPDATE", request)
            if not found:
                raise NoSuchRequestError("no request has that id")
            return await self.put(connection, found[0], move)

    async def put(self, connection: Connection, request: Request, move: Move) -> Request:
        """The same within the caller's transaction, which has the row locked. Raises NotPossibleError."""
        after = move(request)
        assignments = [sql.SQL("{} = %s").format(sql.Identifier(column)) for column in _CHANGING]
        query = sql.SQL("UPDATE {} SET {} WHERE id = %s").format(self._table, sql.SQL(", ").join(assignments))
        row = dict(zip(_COLUMNS, _values(after), strict=True))
        await connection.execute(query, (*(row[column] for column in _CHANGING), after.id))
        if (mail := _MAILS.get(after.state)) is not None and after.state != request.state:
            values = {"kind": after.kind, "due": last_day(after.due_at)}
            await self._notices.tell(connection, after.account, mail, values)
        return after

    async def extend(self, request: uuid.UUID, reason: str, now: datetime) -> Request:
        """Two further months. Raises NoSuchRequestError, NotPossibleError, DatabaseError."""
        return await self.move(request, lambda found: states.extended(found, reason, now, self._deadline))

    async def close_open(
        self, connection: Connection, account: uuid.UUID, kind: Kind, move: Move
    ) -> tuple[Request, ...]:
        """Moves what an account has open of a kind, within the caller's transaction."""
        where = "account_id = %s AND kind = %s AND state = ANY(%s) FOR UPDATE"
        found = await self._select(connection, where, account, kind, OPEN)
        return tuple([await self.put(connection, request, move) for request in found])

    async def of(self, account: uuid.UUID) -> Sequence[Request]:
        """All requests of an account, newest first. Raises DatabaseError."""
        async with self._database.transaction() as connection:
            return await self._select(connection, "account_id = %s ORDER BY received_at DESC, id", account)

    async def owner(self, request: uuid.UUID) -> uuid.UUID:
        """The account of the person whose request it is. Raises NoSuchRequestError, DatabaseError."""
        query = sql.SQL("SELECT account_id FROM {} WHERE id = %s").format(self._table)
        rows = await self._database.rows(query, (request,))
        if not rows:
            raise NoSuchRequestError("no request has that id")
        account: uuid.UUID = rows[0][0]
        return account

    async def find(self, request: uuid.UUID) -> Request:
        """Raises NoSuchRequestError, DatabaseError."""
        async with self._database.transaction() as connection:
            found = await self._select(connection, "id = %s", request)
        if not found:
            raise NoSuchRequestError("no request has that id")
        return found[0]

    async def all(self, *, open_only: bool) -> Sequence[Request]:
        """All requests, the first due first. Raises DatabaseError."""
        where = "state = ANY(%s) ORDER BY due_at, id"
        wanted = OPEN if open_only else (*OPEN, "answered", "refused", "withdrawn")
        async with self._database.transaction() as connection:
            return await self._select(connection, where, wanted)

    async def warn(self, now: datetime) -> Sequence[Request]:
        """Open requests that a warning is due for and was not given, each of them once. Raises DatabaseError."""
        warned = []
        async with self._database.transaction() as connection:
            for request in await self._select(connection, "state = ANY(%s) FOR UPDATE SKIP LOCKED", OPEN):
                due = warnings_due(request.due_at, now)
                if due > request.warned:
                    query = sql.SQL("UPDATE {} SET warned = %s WHERE id = %s").format(self._table)
                    await connection.execute(query, (due, request.id))
                    warned.append(request)
        return warned

    async def _select(self, connection: Connection, where: LiteralString, *values: Any) -> list[Request]:
        columns = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
        query = sql.SQL("SELECT {} FROM {} WHERE ").format(columns, self._table) + sql.SQL(where)
        given = tuple(list(value) if isinstance(value, tuple) else value for value in values)
        rows = await (await connection.execute(query, given)).fetchall()
        return [Request(*row) for row in rows]


def _values(request: Request) -> tuple[Any, ...]:
    return (
        request.id,
        request.account,
        request.kind,
        request.channel,
        request.state,
        request.received_at,
        request.due_at,
        request.reason,
        request.acknowledged_at,
        request.extended_at,
        request.closed_at,
        request.warned,
    )


__all__ = ("NoSuchRequestError", "NotPossibleError", "RequestStore")
