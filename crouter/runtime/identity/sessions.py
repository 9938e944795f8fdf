"""Sessions on the server: begun at sign-in, ended at sign-out, over in time. A cookie alone is worth nothing.

A session of an account that is being deleted, or is erased, is nobody's. What the provider is asked with lies sealed in
the session's row, and goes when the session ends.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import is_live
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.environment import KeyRing
from crouter.runtime.names import ACCOUNT, SESSION
from crouter.runtime.sealing import Place, Sealer, SealError
from crouter.runtime.secret import Secret

RENEWED_EVERY: Final = timedelta(hours=1)
"""How long the provider is believed; whoever it has thrown out is out after so long."""
TRIED_AGAIN_AFTER: Final = timedelta(minutes=5)
_RENEWAL: Final = "renewal"


@dataclass(frozen=True, slots=True)
class Lasting:
    """A session that lasts. `is_due` says that its provider should be asked whether it still should."""

    account: uuid.UUID
    is_due: bool


class Sessions:
    """The sessions of all accounts. `lifetime` is that of the declared cookie. All methods raise DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database, keys: KeyRing, lifetime: timedelta) -> None:
        self._database = database
        self._sealer = Sealer(keys)
        self._lifetime = lifetime
        self._table = database.table(SESSION)
        self._lasting = sql.SQL(
            "SELECT s.account_id, s.renew_at FROM {sessions} s JOIN {accounts} a ON a.id = s.account_id "
            "WHERE s.id = %s AND s.ended_at IS NULL AND s.expires_at > %s AND {live}"
        ).format(sessions=self._table, accounts=database.table(ACCOUNT), live=is_live(deployment, "a"))

    async def begin(self, account: uuid.UUID, renewal: Secret[str] | None) -> uuid.UUID:
        """A new session, with an id of its own. `renewal` is None where there is no provider to ask."""
        session, now = uuid.uuid4(), datetime.now(UTC)
        query = sql.SQL(
            "INSERT INTO {} (id, account_id, created_at, expires_at, renewal, renew_at) VALUES (%s, %s, %s, %s, %s, %s)"
        )
        sealed = self._sealed(session, renewal) if renewal is not None else None
        renew_at = now + RENEWED_EVERY if renewal is not None else None
        async with self._database.transaction() as connection:
            values = (session, account, now, now + self._lifetime, sealed, renew_at)
            await connection.execute(query.format(self._table), values)
        return session

    async def lasting(self, session: uuid.UUID) -> Lasting | None:
        """Whose session it is, None if it does not last any more."""
        now = datetime.now(UTC)
        rows = await self._database.rows(self._lasting, (session, now))
        return Lasting(rows[0][0], rows[0][1] is not None and rows[0][1] <= now) if rows else None

    async def end(self, session: uuid.UUID) -> Secret[str] | None:
        """Ends a session, for every copy of its cookie; gives what its provider's own session is ended with.

        Ending twice changes nothing.
        """
        read = sql.SQL("SELECT renewal FROM {} WHERE id = %s AND ended_at IS NULL FOR UPDATE").format(self._table)
        write = sql.SQL("UPDATE {} SET ended_at = %s, renewal = NULL, renew_at = NULL WHERE id = %s")
        async with self._database.transaction() as connection:
            row = await (await connection.execute(read, (session,))).fetchone()
            if row is None:
                return None
            await connection.execute(write.format(self._table), (datetime.now(UTC), session))
        return self._opened(session, row[0])

    async def take_renewal(self, session: uuid.UUID) -> Secret[str] | None:
        """What to ask the provider with, for the one caller who asks now; None for everybody else.

        Whoever takes it and does not come back leaves it to be taken again in a few minutes.
        """
        now = datetime.now(UTC)
        query = sql.SQL(
            "UPDATE {} SET renew_at = %s WHERE id = %s AND ended_at IS NULL AND renew_at <= %s RETURNING renewal"
        ).format(self._table)
        async with self._database.transaction() as connection:
            row = await (await connection.execute(query, (now + TRIED_AGAIN_AFTER, session, now))).fetchone()
        return self._opened(session, row[0]) if row is not None else None

    async def put_renewal(self, session: uuid.UUID, renewal: Secret[str]) -> None:
        """Keeps what the provider gave for the next time."""
        query = sql.SQL("UPDATE {} SET renewal = %s, renew_at = %s WHERE id = %s AND ended_at IS NULL")
        async with self._database.transaction() as connection:
            values = (self._sealed(session, renewal), datetime.now(UTC) + RENEWED_EVERY, session)
            await self._execute(connection, query, values)

    async def _execute(self, connection: Connection, query: sql.SQL, values: tuple[object, ...]) -> None:
        await connection.execute(query.format(self._table), values)

    def _sealed(self, session: uuid.UUID, renewal: Secret[str]) -> bytes:
        return self._sealer.seal(renewal.reveal().encode(), Place(SESSION, _RENEWAL, session))

    def _opened(self, session: uuid.UUID, sealed: bytes | None) -> Secret[str] | None:
        if sealed is None:
            return None
        try:
            return Secret(self._sealer.open(bytes(sealed), Place(SESSION, _RENEWAL, session)).decode())
        except SealError:
            # Its key is gone: the provider cannot be asked any more, and the session ends in its time.
            return None
