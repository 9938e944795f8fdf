"""API keys: made, listed, rotated, revoked, opened and sealed anew.

The database holds a keyed hash to find a key by and the key itself under authenticated encryption. The key in clear
text is given once, to whoever made it. Looking keys up for requests is `crouter.runtime.key_lookup`.
"""

import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import NoSuchAccountError, is_live
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import ACCOUNT, API_KEY
from crouter.runtime.proxy.authentication import ApiKey, ApiKeyFormat
from crouter.runtime.purposes import require_purpose
from crouter.runtime.sealing import KeyedHasher, Place, Sealer
from crouter.runtime.settings import StoreSettings

KEYS_CHANNEL: Final = "crouter_api_key"
SEALED_FIELD: Final = "sealed"
_BATCH: Final = 200


class KeyLimitError(Exception):
    """The account has an active key already."""


class NoSuchKeyError(Exception):
    """There is no active key with that id."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; `key` is shown to its owner and then forgotten."""

    id: uuid.UUID
    account: uuid.UUID
    key: ApiKey


@dataclass(frozen=True, slots=True)
class ListedKey:
    """What its owner may see of a key. `revoked_at` may lie ahead, while a rotation's grace runs."""

    id: uuid.UUID
    last_four: str
    created_at: datetime
    revoked_at: datetime | None


class KeyStore:
    """The keys of all accounts. Every change is told to running services by NOTIFY, in its own transaction."""

    def __init__(self, deployment: Deployment, database: Database, settings: StoreSettings) -> None:
        self._record = deployment.record(API_KEY)
        self._database = database
        self._table = database.table(API_KEY)
        self._sealer = Sealer(settings.sealing)
        self._hasher = KeyedHasher(settings.lookup)
        self._format = ApiKeyFormat()
        self._live_account = sql.SQL("SELECT 1 FROM {} a WHERE a.id = %s AND {}").format(
            database.table(ACCOUNT), is_live(deployment, "a")
        )

    async def create(self, account: uuid.UUID, *, beside_others: bool = False) -> NewKey:
        """A new key. An account has one active key, unless `beside_others`.

        Raises KeyLimitError, NoSuchAccountError, DatabaseError.
        """
        async with self._database.transaction() as connection:
            await self._lock_account(connection, account)
            if not beside_others and await self._active(connection, account):
                raise KeyLimitError("the account has an active key; rotate or revoke it")
            return await self._insert(connection, account)

    async def list(self, account: uuid.UUID) -> tuple[ListedKey, ...]:
        """The keys of an account, oldest first, revoked ones included. Raises DatabaseError."""
        query = sql.SQL(
            "SELECT id, last_four, created_at, revoked_at FROM {} WHERE account_id = %s ORDER BY created_at, id"
        )
        rows = await self._database.rows(query.format(self._table), (account,))
        return tuple(ListedKey(*row) for row in rows)

    async def rotate(self, account: uuid.UUID, grace: timedelta = timedelta()) -> NewKey:
        """A new key; the ones before it end at once or when `grace` is over.

        Raises NoSuchAccountError, DatabaseError.
        """
        async with self._database.transaction() as connection:
            await self._lock_account(connection, account)
            for key in await self._active(connection, account):
                await self._revoke(connection, key, datetime.now(UTC) + grace)
            return await self._insert(connection, account)

    async def revoke(self, key: uuid.UUID) -> None:
        """Ends a key at once. Raises NoSuchKeyError, DatabaseError."""
        async with self._database.transaction() as connection:
            if not await self._revoke(connection, key, datetime.now(UTC)):
                raise NoSuchKeyError("no active key has that id")

    async def open(self, key: uuid.UUID) -> ApiKey:
        """The key in clear text. Raises NoSuchKeyError, SealError, DatabaseError."""
        require_purpose(self._record, (SEALED_FIELD,), "authentication")
        query = sql.SQL("SELECT sealed FROM {} WHERE id = %s").format(self._table)
        rows = await self._database.rows(query, (key,))
        if not rows:
            raise NoSuchKeyError("no key has that id")
        return self._opened(key, bytes(rows[0][0]))

    async def renew(self) -> int:
        """Seals and hashes every key anew with the newest master keys; gives how many were changed.

        May be stopped and run again. Raises SealError, DatabaseError.
        """
        require_purpose(self._record, (SEALED_FIELD,), "authentication")
        changed, after = 0, uuid.UUID(int=0)
        while True:
            async with self._database.transaction() as connection:
                query = sql.SQL(
                    "SELECT id, sealed, lookup_version FROM {} WHERE id > %s ORDER BY id LIMIT %s FOR UPDATE"
                )
                cursor = await connection.execute(query.format(self._table), (after, _BATCH))
                rows = await cursor.fetchall()
                for key, sealed, lookup_version in rows:
                    changed += await self._renew(connection, key, bytes(sealed), lookup_version)
            if not rows:
                return changed
            after = rows[-1][0]

    async def _lock_account(self, connection: Connection, account: uuid.UUID) -> None:
        # Two commands at once must not make two keys: the lock lasts until the transaction's end.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"api_key {account}",))
        cursor = await connection.execute(self._live_account, (account,))
        if await cursor.fetchone() is None:
            raise NoSuchAccountError("no account has that id")

    async def _active(self, connection: Connection, account: uuid.UUID) -> tuple[uuid.UUID, ...]:
        query = sql.SQL("SELECT id FROM {} WHERE account_id = %s AND revoked_at IS NULL").format(self._table)
        cursor = await connection.execute(query, (account,))
        return tuple(row[0] for row in await cursor.fetchall())

    async def _insert(self, connection: Connection, account: uuid.UUID) -> NewKey:
        new = NewKey(uuid.uuid4(), account, self._format.key(secrets.token_bytes(ApiKeyFormat.SECRET_BYTES)))
        text = new.key.reveal()
        lookup = self._hasher.newest(text)
        query = sql.SQL(
            "INSERT INTO {} (id, account_id, sealed, lookup, lookup_version, last_four, created_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)"
        )
        sealed = self._sealer.seal(text.encode(), self._place(new.id))
        values = (new.id, account, sealed, lookup.digest, lookup.version, text[-4:], datetime.now(UTC))
        await connection.execute(query.format(self._table), values)
        await _tell(connection, new.id)
        return new

    async def _revoke(self, connection: Connection, key: uuid.UUID, at: datetime) -> bool:
        query = sql.SQL("UPDATE {} SET revoked_at = %s WHERE id = %s AND (revoked_at IS NULL OR revoked_at > %s)")
        cursor = await connection.execute(query.format(self._table), (at, key, at))
        await _tell(connection, key)
        return cursor.rowcount == 1

    async def _renew(self, connection: Connection, key: uuid.UUID, sealed: bytes, lookup_version: int) -> int:
        text = self._opened(key, sealed).reveal()
        lookup = self._hasher.newest(text)
        if self._sealer.is_newest(sealed) and lookup.version == lookup_version:
            return 0
        query = sql.SQL("UPDATE {} SET sealed = %s, lookup = %s, lookup_version = %s WHERE id = %s")
        sealed = self._sealer.seal(text.encode(), self._place(key))
        await connection.execute(query.format(self._table), (sealed, lookup.digest, lookup.version, key))
        await _tell(connection, key)
        return 1

    def _opened(self, key: uuid.UUID, sealed: bytes) -> ApiKey:
        return ApiKey(self._sealer.open(sealed, self._place(key)).decode())

    def _place(self, key: uuid.UUID) -> Place:
        return Place(self._record.name, SEALED_FIELD, key)


async def _tell(connection: Connection, key: uuid.UUID) -> None:
    await connection.execute("SELECT pg_notify(%s, %s)", (KEYS_CHANNEL, str(key)))
