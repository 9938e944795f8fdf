"""Sessions on the server: begun at sign-in, ended at sign-out, over in time. A cookie alone is worth nothing.

A session of an account that is being deleted, or is erased, is nobody's.
"""

import uuid
from datetime import UTC, datetime, timedelta

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import is_live
from crouter.runtime.database.pool import Database
from crouter.runtime.names import ACCOUNT, SESSION


class Sessions:
    """The sessions of all accounts. `lifetime` is that of the declared cookie."""

    def __init__(self, deployment: Deployment, database: Database, lifetime: timedelta) -> None:
        self._database = database
        self._lifetime = lifetime
        self._table = database.table(SESSION)
        self._lasting = sql.SQL(
            "SELECT s.account_id FROM {sessions} s JOIN {accounts} a ON a.id = s.account_id "
            "WHERE s.id = %s AND s.ended_at IS NULL AND s.expires_at > %s AND {live}"
        ).format(sessions=self._table, accounts=database.table(ACCOUNT), live=is_live(deployment, "a"))

    async def begin(self, account: uuid.UUID, instead_of: uuid.UUID | None = None) -> uuid.UUID:
        """A new session, with an id of its own; `instead_of` is the one that the browser had, which ends.

        Raises DatabaseError.
        """
        session, now = uuid.uuid4(), datetime.now(UTC)
        insert = sql.SQL("INSERT INTO {} (id, account_id, created_at, expires_at) VALUES (%s, %s, %s, %s)")
        async with self._database.transaction() as connection:
            if instead_of is not None:
                await connection.execute(self._ending, (now, instead_of))
            await connection.execute(insert.format(self._table), (session, account, now, now + self._lifetime))
        return session

    async def account_of(self, session: uuid.UUID) -> uuid.UUID | None:
        """Whose session it is, None if it does not last any more. Raises DatabaseError."""
        rows = await self._database.rows(self._lasting, (session, datetime.now(UTC)))
        return rows[0][0] if rows else None

    async def end(self, session: uuid.UUID) -> None:
        """Ends a session, for every copy of its cookie. Ending twice changes nothing. Raises DatabaseError."""
        async with self._database.transaction() as connection:
            await connection.execute(self._ending, (datetime.now(UTC), session))

    @property
    def _ending(self) -> sql.Composed:
        query = sql.SQL("UPDATE {} SET ended_at = %s WHERE id = %s AND ended_at IS NULL")
        return query.format(self._table)
